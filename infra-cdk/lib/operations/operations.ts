// What calls the operators: a topic apart from the alerts, which are about sites and not about wattstream, and the alarms that
// publish to it. What must always hold: only alarms of this stage publish to the topic; the name of an alarm without the stage is
// a heading of docs/runbook.md, which says what to do; an alarm tells when it is over, too.

import { Aws } from "aws-cdk-lib";
import { Alarm, ComparisonOperator, type Metric, TreatMissingData } from "aws-cdk-lib/aws-cloudwatch";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import { PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Topic } from "aws-cdk-lib/aws-sns";
import { EmailSubscription } from "aws-cdk-lib/aws-sns-subscriptions";
import { Construct } from "constructs";
import { LetterQueue } from "../dead-letters/letter-queue";
import { alarmArns, type DataKey } from "../key/data-key";
import type { Settings } from "../settings";

/** What an alarm makes of a period in which its metric says nothing. */
export type Silence =
  /** Nothing happened, and nothing is wrong: metrics of errors are there only when something runs. */
  | "well"
  /** Something should have happened. */
  | "wrong"
  /** It tells nothing: the alarm stays as it was. */
  | "unknown";

export interface AlarmRule {
  /** The heading of the runbook. */
  readonly heading: string;
  readonly metric: Metric;
  /** When the metric is at least, or at most, so much. */
  readonly when: { readonly atLeast: number } | { readonly below: number };
  /** How many periods of the metric must say so, of how many. */
  readonly periods: readonly [number, of: number];
  readonly silence: Silence;
}

const MISSING_DATA: Readonly<Record<Silence, TreatMissingData>> = {
  well: TreatMissingData.NOT_BREACHING,
  wrong: TreatMissingData.BREACHING,
  unknown: TreatMissingData.IGNORE,
};

export interface OperationsProps {
  readonly settings: Settings;
  readonly dataKey: DataKey;
}

export class Operations extends Construct {
  readonly topic: Topic;
  private readonly settings: Settings;

  constructor(scope: Construct, id: string, props: OperationsProps) {
    super(scope, id);
    this.settings = props.settings;
    // Alarms can publish to an encrypted topic only under a key whose policy says so: not under the one of SNS.
    this.topic = new Topic(this, "Topic", {
      displayName: `wattstream ${props.settings.stage}: operations`,
      masterKey: props.dataKey.key,
      enforceSSL: true,
    });
    this.topic.addToResourcePolicy(this.publishingByAlarms());
    if (props.settings.operatorsEmail !== undefined) {
      this.addMail(props.settings.operatorsEmail, props);
    }
  }

  /** Has the operators told by mail. What cannot be delivered is kept, so that it can be seen who was not told of what. */
  private addMail(address: string, props: OperationsProps): void {
    const undelivered = new LetterQueue(this, "Undelivered", props);
    props.dataKey.allowDeliveries();
    this.topic.addSubscription(new EmailSubscription(address, { deadLetterQueue: undelivered.queue }));
  }

  /** Makes an alarm of the service `scope`. */
  addAlarm(scope: Construct, rule: AlarmRule): void {
    const isAtLeast = "atLeast" in rule.when;
    const alarm = new Alarm(scope, `Alarm-${rule.heading}`, {
      alarmName: `wattstream-${this.settings.stage}-${rule.heading}`,
      alarmDescription: `docs/runbook.md#${rule.heading}`,
      metric: rule.metric,
      threshold: "atLeast" in rule.when ? rule.when.atLeast : rule.when.below,
      comparisonOperator: isAtLeast
        ? ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
        : ComparisonOperator.LESS_THAN_THRESHOLD,
      datapointsToAlarm: rule.periods[0],
      evaluationPeriods: rule.periods[1],
      treatMissingData: MISSING_DATA[rule.silence],
    });
    const call = new SnsAction(this.topic);
    alarm.addAlarmAction(call);
    alarm.addOkAction(call);
  }

  private publishingByAlarms(): PolicyStatement {
    return new PolicyStatement({
      sid: "AlarmsOfTheStage",
      principals: [new ServicePrincipal("cloudwatch.amazonaws.com")],
      actions: ["sns:Publish"],
      resources: [this.topic.topicArn],
      conditions: {
        StringEquals: { "aws:SourceAccount": Aws.ACCOUNT_ID },
        ArnLike: { "aws:SourceArn": alarmArns(this.settings) },
      },
    });
  }
}
