// The checks that run with every synthesis, and what must hold for all resources alike.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { App, Stack } from "aws-cdk-lib";
import { Bucket } from "aws-cdk-lib/aws-s3";
import { addChecks } from "../lib/app";
import { type JsonObject, type Placed, resourcesOf } from "./template";
import { outputOf, VARIANT_NAMES } from "./variants";

interface Report {
  readonly pluginReports: readonly unknown[];
}

function reportIn(folder: string): Report {
  return JSON.parse(readFileSync(join(folder, "validation-report.json"), "utf8")) as Report;
}

test.each(VARIANT_NAMES)("in %s, no check has found what is not acknowledged", (variant) => {
  expect(reportIn(outputOf(variant)).pluginReports).toEqual([]);
});

test("the checks do run: a bucket without anything is found", () => {
  const app = new App({ outdir: join(outputOf("dev"), "../checked") });
  new Bucket(new Stack(app, "Careless"), "Bucket");
  addChecks(app);
  const exitCode = process.exitCode;
  const stderr = jest.spyOn(process.stderr, "write").mockReturnValue(true);
  const log = jest.spyOn(console, "error").mockReturnValue();
  try {
    app.synth();
  } catch {
    // What matters is the report.
  }
  process.exitCode = exitCode;
  stderr.mockRestore();
  log.mockRestore();
  expect(JSON.stringify(reportIn(app.outdir))).toContain("AwsSolutions-S10");
});

/** Where a resource says how what it stores is encrypted. */
const ENCRYPTED_BY: Readonly<Record<string, string>> = {
  "AWS::DynamoDB::Table": "SSESpecification",
  "AWS::Kinesis::Stream": "StreamEncryption",
  "AWS::Logs::LogGroup": "KmsKeyId",
  "AWS::S3::Bucket": "BucketEncryption",
  "AWS::SNS::Topic": "KmsMasterKeyId",
  "AWS::SQS::Queue": "KmsMasterKeyId",
};

/** Resources that keep nothing of ours: settings and names, which their services encrypt by themselves. */
const KEEPS_NOTHING = [
  "AWS::ApiGatewayV2::Api",
  "AWS::ApiGatewayV2::Authorizer",
  "AWS::ApiGatewayV2::Integration",
  "AWS::ApiGatewayV2::Route",
  "AWS::ApiGatewayV2::Stage",
  "AWS::Budgets::Budget",
  "AWS::CloudWatch::Alarm",
  "AWS::CloudWatch::Dashboard",
  "AWS::IAM::Policy",
  "AWS::IAM::Role",
  "AWS::KMS::Alias",
  "AWS::KMS::Key",
  // Its source is encrypted, and its destination: it keeps nothing between them.
  "AWS::KinesisFirehose::DeliveryStream",
  "AWS::Lambda::EventInvokeConfig",
  "AWS::Lambda::EventSourceMapping",
  // Code, which is public, and variables, which hold names and no secret; both are under Lambda's own key.
  "AWS::Lambda::Function",
  "AWS::Lambda::Permission",
  // Its group says how.
  "AWS::Logs::LogStream",
  "AWS::S3::BucketPolicy",
  "AWS::SNS::Subscription",
  "AWS::SNS::TopicPolicy",
  "AWS::SQS::QueuePolicy",
  "AWS::Scheduler::Schedule",
  "AWS::Scheduler::ScheduleGroup",
  "Custom::S3AutoDeleteObjects",
];

describe.each(VARIANT_NAMES)("in %s", (variant) => {
  const resources = resourcesOf(variant);

  test("whatever keeps something keeps it encrypted, with the key of the stage", () => {
    const isCareless = ({ Type, Properties }: Placed) => {
      const property = ENCRYPTED_BY[Type];
      return property !== undefined && !JSON.stringify(Properties[property] ?? "").includes("DataKey");
    };
    expect(resources.filter(isCareless).map(({ id }) => id)).toEqual([]);
  });

  test("it is known of each type of resource whether it keeps something", () => {
    const known = [...Object.keys(ENCRYPTED_BY), ...KEEPS_NOTHING];
    expect(resources.filter(({ Type }) => !known.includes(Type)).map(({ Type }) => Type)).toEqual([]);
  });

  test("no variable of a function looks like a secret", () => {
    const names = resources
      .filter(({ Type }) => Type === "AWS::Lambda::Function")
      .flatMap(({ Properties }) =>
        Object.keys(((Properties["Environment"] as JsonObject)?.["Variables"] as JsonObject) ?? {}),
      );
    expect(names.filter((name) => /SECRET|PASSWORD|TOKEN|CREDENTIAL|_KEY/.test(name))).toEqual([]);
  });

  test("what can be tagged says its project and its stage", () => {
    const untagged = resources.filter(
      ({ Type, Properties }) =>
        (Type === "AWS::DynamoDB::Table" || Type === "AWS::Lambda::Function" || Type === "AWS::Kinesis::Stream") &&
        JSON.stringify(Properties["Tags"]) !==
          JSON.stringify([
            { Key: "project", Value: "wattstream" },
            { Key: "stage", Value: variant.startsWith("prod") ? "prod" : "dev" },
          ]),
    );
    expect(untagged.map(({ id }) => id).filter((id) => !id.startsWith("CustomS3AutoDelete"))).toEqual([]);
  });
});
