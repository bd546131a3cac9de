// The archive: every raw record, as Firehose takes it from the stream, in gzipped lines by hour of arrival. What must always
// hold: the layout is the one that `wattstream replay` reads (shared/wire/src/archive), and the archive needs no function of ours
// to be written: what a defect has spoilt can be computed again from it.

import { Aws, Duration, Stack, Validations } from "aws-cdk-lib";
import { Metric } from "aws-cdk-lib/aws-cloudwatch";
import { type Policy, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { CfnDeliveryStream } from "aws-cdk-lib/aws-kinesisfirehose";
import { LogGroup, LogStream } from "aws-cdk-lib/aws-logs";
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type CfnBucket,
  ObjectOwnership,
  StorageClass,
} from "aws-cdk-lib/aws-s3";
import { Construct } from "constructs";
import { allow } from "../access/allow";
import type { DataKey } from "../key/data-key";
import type { DashboardRow } from "../operations/dashboard";
import type { Operations } from "../operations/operations";
import { FIVE_MINUTES } from "../operations/periods";
import { removalPolicyOf, type Settings } from "../settings";
import type { ReadingsStream } from "../stream/readings-stream";

/** The folder of an hour, in UTC: Firehose's own default. Hive's form, so that a query engine finds the hours as partitions. */
const FOLDER_OF_THE_HOUR = [
  "year=!{timestamp:yyyy}",
  "month=!{timestamp:MM}",
  "day=!{timestamp:dd}",
  "hour=!{timestamp:HH}",
].join("/");
const RAW = "raw/";
const ERRORS = "errors/";

/** An object a shard and five minutes at the latest: few enough objects to list, and little to wait for. */
const BUFFER_SECONDS = 300;
const BUFFER_MIB = 64;

/** After that long, raw bytes are read only when something went wrong: the cheaper storage for what is hardly ever read. */
const TO_INFREQUENT_ACCESS = Duration.days(30);
const TO_GLACIER_INSTANT_RETRIEVAL = Duration.days(90);
/** What was deleted or overwritten by mistake can be had back for as long. */
const NONCURRENT_KEPT = Duration.days(30);

export interface ArchiveProps {
  readonly settings: Settings;
  readonly dataKey: DataKey;
  readonly stream: ReadingsStream;
  readonly operations: Operations;
}

export class Archive extends Construct {
  readonly bucket: Bucket;
  readonly dashboardRow: DashboardRow;

  constructor(scope: Construct, id: string, props: ArchiveProps) {
    super(scope, id);
    this.bucket = this.makeBucket(props);
    const errors = new ErrorLog(this, "Errors", props);
    const role = this.deliveryRole(props, errors);
    const delivery = this.delivery(props, role, errors);
    this.acknowledge(role, delivery);
    this.addAlarms(props.operations, delivery);
    this.dashboardRow = {
      title: "Archive",
      graphs: [
        { title: "Records written", metrics: [metric(delivery, "DeliveryToS3.Records", "Sum")] },
        { title: "Age of the oldest record, seconds", metrics: [freshness(delivery)] },
        { title: "Behind the stream, milliseconds", metrics: [behind(delivery)] },
      ],
    };
  }

  private makeBucket({ settings, dataKey }: ArchiveProps): Bucket {
    return new Bucket(this, "Bucket", {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      encryption: BucketEncryption.KMS,
      encryptionKey: dataKey.key,
      bucketKeyEnabled: true,
      versioned: true,
      removalPolicy: removalPolicyOf(settings),
      // What empties the bucket is a function of the library, which no local AWS can run.
      autoDeleteObjects: !settings.isKept && settings.localEndpoint === undefined,
      lifecycleRules: [
        {
          id: "hardly-ever-read",
          prefix: RAW,
          transitions: [
            { storageClass: StorageClass.INFREQUENT_ACCESS, transitionAfter: TO_INFREQUENT_ACCESS },
            { storageClass: StorageClass.GLACIER_INSTANT_RETRIEVAL, transitionAfter: TO_GLACIER_INSTANT_RETRIEVAL },
          ],
        },
        {
          id: "leftovers",
          noncurrentVersionExpiration: NONCURRENT_KEPT,
          abortIncompleteMultipartUploadAfter: Duration.days(7),
          expiredObjectDeleteMarker: true,
        },
      ],
    });
  }

  /** One role for both ends; Firehose alone can take it, and only for this account, which it names as the external id. */
  private deliveryRole({ dataKey, stream }: ArchiveProps, errors: ErrorLog): Role {
    const role = new Role(this, "Role", {
      description: "Firehose, from the stream of readings to the archive",
      assumedBy: new ServicePrincipal("firehose.amazonaws.com", {
        conditions: { StringEquals: { "sts:ExternalId": Aws.ACCOUNT_ID } },
      }),
    });
    stream.allowReading(role, "DescribeStream", "GetRecords", "GetShardIterator", "ListShards");
    const { bucketArn } = this.bucket;
    allow(role, {
      actions: ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
      resources: [bucketArn],
    });
    allow(role, {
      actions: ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"],
      resources: [`${bucketArn}/${RAW}*`, `${bucketArn}/${ERRORS}*`],
    });
    dataKey.allowWriting(role, "s3");
    errors.allowWriting(role);
    return role;
  }

  private delivery({ dataKey, stream }: ArchiveProps, role: Role, errors: ErrorLog): CfnDeliveryStream {
    const delivery = new CfnDeliveryStream(this, "Delivery", {
      deliveryStreamType: "KinesisStreamAsSource",
      kinesisStreamSourceConfiguration: { kinesisStreamArn: stream.stream.streamArn, roleArn: role.roleArn },
      extendedS3DestinationConfiguration: {
        bucketArn: this.bucket.bucketArn,
        roleArn: role.roleArn,
        prefix: `${RAW}${FOLDER_OF_THE_HOUR}/`,
        // What could not be written is told apart by the kind of the failure, and is not in the way of a replay.
        errorOutputPrefix: `${ERRORS}!{firehose:error-output-type}/${FOLDER_OF_THE_HOUR}/`,
        compressionFormat: "GZIP",
        bufferingHints: { intervalInSeconds: BUFFER_SECONDS, sizeInMBs: BUFFER_MIB },
        processingConfiguration: {
          enabled: true,
          // A line end after each record. Without it they stand side by side. The reader can tell them apart; most other programs cannot.
          processors: [{ type: "AppendDelimiterToRecord" }],
        },
        encryptionConfiguration: { kmsEncryptionConfig: { awskmsKeyArn: dataKey.key.keyArn } },
        cloudWatchLoggingOptions: {
          enabled: true,
          logGroupName: errors.group.logGroupName,
          logStreamName: errors.stream.logStreamName,
        },
      },
    });
    // Firehose tries the role when it is made.
    const policy = role.node.findChild("DefaultPolicy") as Policy;
    delivery.node.addDependency(policy);
    return delivery;
  }

  private acknowledge(role: Role, delivery: CfnDeliveryStream): void {
    Validations.of(this.bucket).acknowledge({
      id: "AwsSolutions-S1",
      reason:
        "Firehose alone writes here. Who reads is told by CloudTrail's data events, which an account turns on for all buckets.",
    });
    const bucket = Stack.of(this).getLogicalId(this.bucket.node.defaultChild as CfnBucket);
    for (const folder of [RAW, ERRORS]) {
      Validations.of(role).acknowledge({
        id: `AwsSolutions-IAM5[Resource::<${bucket}.Arn>/${folder}*]`,
        reason: "Firehose names the objects; it may write them in these two folders only.",
      });
    }
    Validations.of(delivery).acknowledge({
      id: "AwsSolutions-KDF1",
      reason:
        "Records come from a stream that is encrypted with the customer's key, and Firehose keeps none beside it.",
    });
  }

  private addAlarms(operations: Operations, delivery: CfnDeliveryStream): void {
    operations.addAlarm(this, {
      heading: "archive-delivers-late",
      metric: freshness(delivery),
      // Three times the longest that Firehose waits for a buffer to fill.
      when: { atLeast: 3 * BUFFER_SECONDS },
      periods: [3, 3],
      silence: "well",
    });
    operations.addAlarm(this, {
      heading: "archive-reads-late",
      metric: behind(delivery),
      when: { atLeast: Duration.hours(1).toMilliseconds() },
      periods: [3, 3],
      silence: "well",
    });
  }
}

/** What Firehose has to say of deliveries that failed. */
class ErrorLog extends Construct {
  readonly group: LogGroup;
  readonly stream: LogStream;

  constructor(scope: Construct, id: string, { settings, dataKey }: ArchiveProps) {
    super(scope, id);
    this.group = new LogGroup(this, "Group", {
      logGroupName: `/wattstream/${settings.stage}/archive`,
      retention: settings.logRetention,
      encryptionKey: dataKey.key,
      removalPolicy: removalPolicyOf(settings),
    });
    this.stream = new LogStream(this, "Stream", {
      logGroup: this.group,
      logStreamName: "delivery",
      removalPolicy: removalPolicyOf(settings),
    });
  }

  allowWriting(role: Role): void {
    const group = `arn:${Aws.PARTITION}:logs:${Aws.REGION}:${Aws.ACCOUNT_ID}:log-group:${this.group.logGroupName}`;
    allow(role, { actions: ["logs:PutLogEvents"], resources: [`${group}:log-stream:${this.stream.logStreamName}`] });
  }
}

function freshness(delivery: CfnDeliveryStream): Metric {
  return metric(delivery, "DeliveryToS3.DataFreshness", "Maximum");
}

function behind(delivery: CfnDeliveryStream): Metric {
  return metric(delivery, "KinesisMillisBehindLatest", "Maximum");
}

function metric(delivery: CfnDeliveryStream, metricName: string, statistic: string): Metric {
  return new Metric({
    namespace: "AWS/Firehose",
    metricName,
    dimensionsMap: { DeliveryStreamName: delivery.ref },
    statistic,
    period: FIVE_MINUTES,
  });
}
