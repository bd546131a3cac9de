// A function that is called at a steady rate. What must always hold: it is told the time that the call was planned for, which is
// the same when the call is made late or again; a call that failed every time is not forgotten, but kept for the operators.

import { Aws, Duration, RemovalPolicy } from "aws-cdk-lib";
import type { Metric } from "aws-cdk-lib/aws-cloudwatch";
import { Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { IDestination } from "aws-cdk-lib/aws-lambda";
import {
  ContextAttribute,
  type IScheduleTarget,
  Schedule,
  ScheduleExpression,
  ScheduleGroup,
  ScheduleTargetInput,
} from "aws-cdk-lib/aws-scheduler";
import { Construct } from "constructs";
import { allow } from "../access/allow";
import { LetterQueue } from "../dead-letters/letter-queue";
import type { DataKey } from "../key/data-key";
import type { Graph } from "../operations/dashboard";
import type { Operations } from "../operations/operations";
import { MINUTE } from "../operations/periods";
import { type FunctionName, RustFunction } from "../rust-function/rust-function";
import type { Settings } from "../settings";

/** How long, and how often, a call is made again that could not be handed over. Then the next ones do its work. */
const CALL_AGE_MAX = Duration.minutes(15);
const CALL_RETRIES = 10;
/** How often Lambda makes a call again that failed, which is the most that it offers. */
const FAILED_CALL_RETRIES = 2;

/** The calls in a row without which something has stopped: one may be late, two are not. */
const CALLS_WITHOUT = 3;

export interface ScheduledFunctionProps {
  readonly settings: Settings;
  readonly dataKey: DataKey;
  readonly operations: Operations;
  readonly name: FunctionName;
  readonly description: string;
  readonly every: Duration;
  readonly memoryMiB: number;
  readonly timeout: Duration;
  readonly variables: Readonly<Record<string, string>>;
}

export class ScheduledFunction extends Construct {
  readonly rust: RustFunction;
  private readonly failedCalls: LetterQueue;
  private readonly every: Duration;

  constructor(scope: Construct, id: string, props: ScheduledFunctionProps) {
    super(scope, id);
    this.every = props.every;
    this.failedCalls = new LetterQueue(this, "FailedCalls", props);
    this.rust = new RustFunction(this, "Function", {
      ...props,
      asynchronousCalls: { retries: FAILED_CALL_RETRIES, ageMax: CALL_AGE_MAX, afterLast: this.toFailedCalls() },
    });
    this.failedCalls.allowSending(this.rust.role);
    this.addSchedule(props);
    this.addAlarms(props);
  }

  /** What a dashboard shows of the calls. */
  graphs(): readonly Graph[] {
    const lambda = this.rust.function;
    const sum = { statistic: "Sum", period: MINUTE };
    return [
      { title: "Calls and errors", metrics: [lambda.metricInvocations(sum), lambda.metricErrors(sum)] },
      { title: "Duration", metrics: [lambda.metricDuration({ statistic: "Maximum", period: MINUTE })] },
      { title: "Failed calls", metrics: [this.failedCalls.metricWaiting()] },
    ];
  }

  private toFailedCalls(): IDestination {
    return { bind: () => ({ destination: this.failedCalls.queue.queueArn }) };
  }

  private addSchedule({ settings, name, every }: ScheduledFunctionProps): void {
    // A group of its own, because the role is given to whatever is in the group.
    const group = new ScheduleGroup(this, "Group", { removalPolicy: RemovalPolicy.DESTROY });
    new Schedule(this, "Schedule", {
      description: `Calls ${name} of the stage ${settings.stage}`,
      scheduleGroup: group,
      schedule: ScheduleExpression.rate(every),
      target: this.target(this.schedulerRole(group)),
    });
  }

  /** The library's target lets the scheduler call every version of the function; this one names the function. */
  private target(role: Role): IScheduleTarget {
    return {
      bind: () => ({
        arn: this.rust.function.functionArn,
        role,
        input: ScheduleTargetInput.fromObject({ scheduled_time: ContextAttribute.scheduledTime }),
        retryPolicy: { maximumEventAgeInSeconds: CALL_AGE_MAX.toSeconds(), maximumRetryAttempts: CALL_RETRIES },
        deadLetterConfig: { arn: this.failedCalls.queue.queueArn },
      }),
    };
  }

  private schedulerRole(group: ScheduleGroup): Role {
    const conditions = {
      StringEquals: { "aws:SourceAccount": Aws.ACCOUNT_ID, "aws:SourceArn": group.scheduleGroupArn },
    };
    const role = new Role(this, "SchedulerRole", {
      assumedBy: new ServicePrincipal("scheduler.amazonaws.com", { conditions }),
    });
    allow(role, { actions: ["lambda:InvokeFunction"], resources: [this.rust.function.functionArn] });
    this.failedCalls.allowSending(role);
    return role;
  }

  private addAlarms({ operations, name }: ScheduledFunctionProps): void {
    operations.addAlarm(this, {
      heading: `${name}-calls-failed`,
      metric: this.failedCalls.metricWaiting(),
      when: { atLeast: 1 },
      periods: [1, 1],
      silence: "unknown",
    });
    operations.addAlarm(this, {
      heading: `${name}-not-called`,
      metric: this.calls(),
      when: { below: 1 },
      periods: [CALLS_WITHOUT, CALLS_WITHOUT],
      silence: "wrong",
    });
  }

  private calls(): Metric {
    return this.rust.function.metricInvocations({ statistic: "Sum", period: this.every });
  }
}
