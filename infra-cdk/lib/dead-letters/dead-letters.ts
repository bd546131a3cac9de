// The dead letters: payloads that no reading could be made of, each with its bytes, which the consumer sets aside itself.

import type { IGrantable } from "aws-cdk-lib/aws-iam";
import type { Queue } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import type { DataKey } from "../key/data-key";
import type { DashboardRow } from "../operations/dashboard";
import type { Operations } from "../operations/operations";
import type { Settings } from "../settings";
import { LetterQueue } from "./letter-queue";

export interface DeadLettersProps {
  readonly settings: Settings;
  readonly dataKey: DataKey;
  readonly operations: Operations;
}

export class DeadLetters extends Construct {
  readonly dashboardRow: DashboardRow;
  private readonly letters: LetterQueue;

  constructor(scope: Construct, id: string, props: DeadLettersProps) {
    super(scope, id);
    this.letters = new LetterQueue(this, "Letters", props);
    props.operations.addAlarm(this, {
      heading: "dead-letters-arrive",
      metric: this.letters.metricArrived(),
      when: { atLeast: 1 },
      // After a long rest the numbers of a queue come up to a quarter of an hour late.
      periods: [1, 4],
      silence: "well",
    });
    this.dashboardRow = {
      title: "Dead letters",
      graphs: [
        { title: "Arrived", metrics: [this.letters.metricArrived()] },
        { title: "Waiting", metrics: [this.letters.metricWaiting()] },
      ],
    };
  }

  get queue(): Queue {
    return this.letters.queue;
  }

  /** Allows to set payloads aside. */
  allowSending(grantee: IGrantable): void {
    this.letters.allowSending(grantee);
  }

  /** Allows to look through the letters and to take some out. */
  allowReceiving(grantee: IGrantable): void {
    this.letters.allowReceiving(grantee);
  }
}
