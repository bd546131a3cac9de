// The key of a stage, under which everything that it stores is encrypted. What must always hold: a role uses the key only
// through the service whose data it may touch, and a service of AWS only for this account's things.

import { Aws, Duration } from "aws-cdk-lib";
import { type IGrantable, PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Key } from "aws-cdk-lib/aws-kms";
import { Construct } from "constructs";
import { allow } from "../access/allow";
import { removalPolicyOf, type Settings } from "../settings";

/** A service that encrypts with the key in the name of who calls it. */
export type EncryptingService = "dynamodb" | "kinesis" | "s3" | "sns" | "sqs";

const READING = ["kms:Decrypt"];
// A queue and a topic decrypt the data key that they have at hand before they make another.
const WRITING = ["kms:Decrypt", "kms:GenerateDataKey"];
// What DynamoDB asks for of who writes into a table under a customer's key, and what CloudWatch Logs asks for. (DynamoDB's list
// has grants as well: they are made with the table, by who makes it.)
const WRITING_TABLES_AND_LOGS = [
  ...WRITING,
  "kms:DescribeKey",
  "kms:Encrypt",
  "kms:GenerateDataKeyWithoutPlaintext",
  "kms:ReEncryptFrom",
  "kms:ReEncryptTo",
];

export class DataKey extends Construct {
  readonly key: Key;

  constructor(scope: Construct, id: string, settings: Settings) {
    super(scope, id);
    this.key = new Key(this, "Key", {
      alias: `wattstream-${settings.stage}`,
      description: `Everything that wattstream stores in the stage ${settings.stage}.`,
      enableKeyRotation: true,
      // Long enough to notice, and the shortest that there is where nothing is worth keeping.
      pendingWindow: Duration.days(settings.isKept ? 30 : 7),
      removalPolicy: removalPolicyOf(settings),
    });
    this.allowLogs(settings);
    this.allowAlarms(settings);
  }

  /** Allows to read what `service` has encrypted. */
  allowReading(grantee: IGrantable, service: EncryptingService): void {
    this.allowThrough(grantee, service, READING);
  }

  /** Allows to write what `service` encrypts. */
  allowWriting(grantee: IGrantable, service: EncryptingService): void {
    this.allowThrough(grantee, service, service === "dynamodb" ? WRITING_TABLES_AND_LOGS : WRITING);
  }

  /** Allows SNS to keep in a queue what it could not deliver. */
  allowDeliveries(): void {
    this.key.addToResourcePolicy(
      new PolicyStatement({
        sid: "UndeliveredOfTheStage",
        principals: [new ServicePrincipal("sns.amazonaws.com")],
        actions: WRITING,
        resources: ["*"],
        conditions: { StringEquals: { "aws:SourceAccount": Aws.ACCOUNT_ID } },
      }),
    );
  }

  private allowThrough(grantee: IGrantable, service: EncryptingService, actions: readonly string[]): void {
    const via = `${service}.${Aws.REGION}.amazonaws.com`;
    allow(grantee, {
      actions,
      resources: [this.key.keyArn],
      conditions: { StringEquals: { "kms:ViaService": via } },
    });
  }

  /** The log groups of the stage are told by their names: those of the compute stack do not exist yet. */
  private allowLogs(settings: Settings): void {
    const groups = `arn:${Aws.PARTITION}:logs:${Aws.REGION}:${Aws.ACCOUNT_ID}:log-group:/wattstream/${settings.stage}/*`;
    this.key.addToResourcePolicy(
      new PolicyStatement({
        sid: "LogGroupsOfTheStage",
        principals: [new ServicePrincipal(`logs.${Aws.REGION}.amazonaws.com`)],
        actions: WRITING_TABLES_AND_LOGS,
        resources: ["*"],
        conditions: { ArnLike: { "kms:EncryptionContext:aws:logs:arn": groups } },
      }),
    );
  }

  /** Alarms publish to the topic of the operators, which is encrypted. */
  private allowAlarms(settings: Settings): void {
    this.key.addToResourcePolicy(
      new PolicyStatement({
        sid: "AlarmsOfTheStage",
        principals: [new ServicePrincipal("cloudwatch.amazonaws.com")],
        actions: WRITING,
        resources: ["*"],
        conditions: {
          StringEquals: { "aws:SourceAccount": Aws.ACCOUNT_ID },
          ArnLike: { "aws:SourceArn": alarmArns(settings) },
        },
      }),
    );
  }
}

/** The alarms of a stage, by their names. */
export function alarmArns(settings: Settings): string {
  return `arn:${Aws.PARTITION}:cloudwatch:${Aws.REGION}:${Aws.ACCOUNT_ID}:alarm:wattstream-${settings.stage}-*`;
}
