// The event source of the consumer. What must always hold: the tests of the failure rules in Rust run with the settings that are
// deployed, which they read from event-source.json.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type JsonObject, onlyResource, templateOf } from "./template";

const GOLDEN = join(__dirname, "../event-source.json");
const STAGES = ["dev", "prod"] as const;

const TOLD = [
  "BatchSize",
  "MaximumBatchingWindowInSeconds",
  "BisectBatchOnFunctionError",
  "MaximumRetryAttempts",
  "MaximumRecordAgeInSeconds",
  "ParallelizationFactor",
  "StartingPosition",
  "FunctionResponseTypes",
] as const;

function settingsOf(variant: (typeof STAGES)[number]): JsonObject {
  const source = onlyResource(variant, "AWS::Lambda::EventSourceMapping").Properties;
  const consumer = onlyResource(variant, "AWS::Lambda::Function", "StreamConsumer").Properties;
  return { ...Object.fromEntries(TOLD.map((name) => [name, source[name]])), Timeout: consumer["Timeout"] };
}

test("event-source.json is what the templates say", () => {
  const settings = Object.fromEntries(STAGES.map((stage) => [stage, settingsOf(stage)]));
  const text = `${JSON.stringify(settings, null, 2)}\n`;
  if (process.env["UPDATE_GOLDEN"] === "1") {
    writeFileSync(GOLDEN, text);
  }
  // On a difference: UPDATE_GOLDEN=1 npm test, and look at what changed.
  expect(readFileSync(GOLDEN, "utf8")).toBe(text);
});

describe.each(STAGES)("in %s", (variant) => {
  const source = () => onlyResource(variant, "AWS::Lambda::EventSourceMapping").Properties;

  test("nothing is set that has no reason: every setting is one of these", () => {
    expect(Object.keys(source()).sort()).toEqual(
      [...TOLD, "DestinationConfig", "EventSourceArn", "FunctionName", "MetricsConfig", "Tags"].sort(),
    );
  });

  test("attempts do not end by count", () => {
    expect(source()["MaximumRetryAttempts"]).toBe(-1);
  });

  test("a record is given up a day before the stream forgets it", () => {
    const hours = onlyResource(variant, "AWS::Kinesis::Stream").Properties["RetentionPeriodHours"] as number;
    expect(source()["MaximumRecordAgeInSeconds"]).toBe((hours - 24) * 3_600);
  });

  test("what is given up goes to a queue of its own", () => {
    const queue = onlyResource(variant, "AWS::SQS::Queue", "StreamConsumerGivenUp").id;
    expect(source()["DestinationConfig"]).toEqual({ OnFailure: { Destination: { "Fn::GetAtt": [queue, "Arn"] } } });
  });

  test("a shard has one batch at a time, halved when it fails, of which only the failed part comes again", () => {
    expect(source()).toMatchObject({
      ParallelizationFactor: 1,
      BisectBatchOnFunctionError: true,
      FunctionResponseTypes: ["ReportBatchItemFailures"],
    });
    expect(source()["TumblingWindowInSeconds"]).toBeUndefined();
    expect(source()["FilterCriteria"]).toBeUndefined();
  });

  test("how many events came, were left out and were given up is counted", () => {
    expect(source()["MetricsConfig"]).toEqual({ Metrics: ["EventCount"] });
  });

  test("the alarm for what may be lost goes off at a quarter of the retention", () => {
    const hours = onlyResource(variant, "AWS::Kinesis::Stream").Properties["RetentionPeriodHours"] as number;
    templateOf(variant, "compute").hasResourceProperties("AWS::CloudWatch::Alarm", {
      AlarmName: `wattstream-${variant}-consumer-far-behind`,
      MetricName: "IteratorAge",
      Namespace: "AWS/Lambda",
      Statistic: "Maximum",
      Threshold: (hours * 3_600_000) / 4,
      ComparisonOperator: "GreaterThanOrEqualToThreshold",
    });
  });
});
