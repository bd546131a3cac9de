// A queue of things that somebody must look at. What must always hold: it keeps a message for as long as SQS can, and no message
// leaves it but by an operator's hand, so it has no redrive policy of its own.

import { Duration, Validations } from "aws-cdk-lib";
import type { Metric } from "aws-cdk-lib/aws-cloudwatch";
import type { IGrantable } from "aws-cdk-lib/aws-iam";
import { Queue, QueueEncryption } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import { allow } from "../access/allow";
import type { DataKey } from "../key/data-key";
import { FIVE_MINUTES, MINUTE } from "../operations/periods";
import { removalPolicyOf, type Settings } from "../settings";

/** The longest that SQS keeps a message. */
const RETENTION = Duration.days(14);

/** What may be asked of a queue. */
export type QueueAction = "ChangeMessageVisibility" | "DeleteMessage" | "ReceiveMessage" | "SendMessage";

export interface LetterQueueProps {
  readonly settings: Settings;
  readonly dataKey: DataKey;
}

export class LetterQueue extends Construct {
  readonly queue: Queue;
  private readonly dataKey: DataKey;

  constructor(scope: Construct, id: string, props: LetterQueueProps) {
    super(scope, id);
    this.dataKey = props.dataKey;
    this.queue = new Queue(this, "Queue", {
      retentionPeriod: RETENTION,
      encryption: QueueEncryption.KMS,
      encryptionMasterKey: props.dataKey.key,
      enforceSSL: true,
      removalPolicy: removalPolicyOf(props.settings),
    });
    Validations.of(this.queue).acknowledge({
      id: "AwsSolutions-SQS3",
      reason: "The last stop: what is here was given up by what came before, and waits for an operator.",
    });
  }

  /** Allows to put messages into it. */
  allowSending(grantee: IGrantable): void {
    this.allow(grantee, ["SendMessage"]);
    this.dataKey.allowWriting(grantee, "sqs");
  }

  /** Allows to look through the queue and to take messages out of it. */
  allowReceiving(grantee: IGrantable): void {
    this.allow(grantee, ["ReceiveMessage", "ChangeMessageVisibility", "DeleteMessage"]);
    this.dataKey.allowReading(grantee, "sqs");
  }

  /** Messages that came in a period. A look at the queue puts messages back, which does not count. */
  metricArrived(): Metric {
    return this.queue.metricNumberOfMessagesSent({ statistic: "Sum", period: FIVE_MINUTES });
  }

  /** Messages that are there. */
  metricWaiting(): Metric {
    return this.queue.metricApproximateNumberOfMessagesVisible({ statistic: "Maximum", period: MINUTE });
  }

  private allow(grantee: IGrantable, actions: readonly QueueAction[]): void {
    allow(grantee, { actions: actions.map((action) => `sqs:${action}`), resources: [this.queue.queueArn] });
  }
}
