// The stream of readings: the log of facts. What must always hold: it keeps a record at least a day longer than the consumer
// tries, so that what was given up can still be read (docs/decisions/0010).

import { Validations } from "aws-cdk-lib";
import type { IGrantable } from "aws-cdk-lib/aws-iam";
import { Stream, StreamEncryption, StreamMode } from "aws-cdk-lib/aws-kinesis";
import { Construct } from "constructs";
import { allow } from "../access/allow";
import type { DataKey } from "../key/data-key";
import type { DashboardRow } from "../operations/dashboard";
import type { Operations } from "../operations/operations";
import { MINUTE } from "../operations/periods";
import { removalPolicyOf, type Settings, type StreamCapacity } from "../settings";

/** What may be asked of the stream. */
export type StreamAction =
  | "DescribeStream"
  | "DescribeStreamSummary"
  | "GetRecords"
  | "GetShardIterator"
  | "ListShards"
  | "PutRecords";

export interface ReadingsStreamProps {
  readonly settings: Settings;
  readonly dataKey: DataKey;
  readonly operations: Operations;
}

export class ReadingsStream extends Construct {
  readonly stream: Stream;
  readonly dashboardRow: DashboardRow;
  private readonly dataKey: DataKey;

  constructor(scope: Construct, id: string, props: ReadingsStreamProps) {
    super(scope, id);
    this.dataKey = props.dataKey;
    this.stream = new Stream(this, "Stream", {
      ...capacityOf(props.settings.streamCapacity),
      retentionPeriod: props.settings.streamRetention,
      encryption: StreamEncryption.KMS,
      encryptionKey: props.dataKey.key,
      removalPolicy: removalPolicyOf(props.settings),
    });
    Validations.of(this.stream).acknowledge({
      id: "AwsSolutions-KDS3",
      reason:
        "One key for all that a stage stores, which can be given to nobody else and is rotated: not that of Kinesis.",
    });
    this.addAlarms(props.operations);
    this.dashboardRow = this.row();
  }

  /** Allows to read records with these calls. */
  allowReading(grantee: IGrantable, ...actions: readonly StreamAction[]): void {
    this.allow(grantee, actions);
    this.dataKey.allowReading(grantee, "kinesis");
  }

  /** Allows to put records with these calls. */
  allowWriting(grantee: IGrantable, ...actions: readonly StreamAction[]): void {
    this.allow(grantee, actions);
    this.dataKey.allowWriting(grantee, "kinesis");
  }

  private allow(grantee: IGrantable, actions: readonly StreamAction[]): void {
    allow(grantee, { actions: actions.map((action) => `kinesis:${action}`), resources: [this.stream.streamArn] });
  }

  private addAlarms(operations: Operations): void {
    operations.addAlarm(this, {
      heading: "stream-writes-throttled",
      metric: this.stream.metricWriteProvisionedThroughputExceeded({ statistic: "Sum", period: MINUTE }),
      when: { atLeast: 1 },
      // A burst is what producers repeat without anybody's help; a stream that is too narrow throttles again and again.
      periods: [5, 10],
      silence: "well",
    });
  }

  private row(): DashboardRow {
    const { stream } = this;
    const sum = { statistic: "Sum", period: MINUTE };
    return {
      title: "Stream",
      graphs: [
        { title: "Records in", metrics: [stream.metricIncomingRecords(sum)] },
        { title: "Bytes in", metrics: [stream.metricIncomingBytes(sum)] },
        {
          title: "Throttled",
          metrics: [
            stream.metricWriteProvisionedThroughputExceeded(sum),
            stream.metricReadProvisionedThroughputExceeded(sum),
          ],
        },
      ],
    };
  }
}

function capacityOf(capacity: StreamCapacity): { streamMode: StreamMode; shardCount?: number } {
  return capacity.mode === "provisioned"
    ? { streamMode: StreamMode.PROVISIONED, shardCount: capacity.shards }
    : { streamMode: StreamMode.ON_DEMAND };
}
