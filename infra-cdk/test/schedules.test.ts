// What is called on a schedule: the simulator, and the watch over silent sites.

import { onlyResource, resourcesOfType, statementsOf, templateOf } from "./template";

const SERVICES = [
  ["dev", "Simulator", "rate(1 minute)"],
  ["dev", "SilentSites", "rate(5 minutes)"],
  ["prod", "SilentSites", "rate(5 minutes)"],
] as const;

describe.each(SERVICES)("in %s, %s", (variant, service, rate) => {
  const schedule = () => onlyResource(variant, "AWS::Scheduler::Schedule", service).Properties;
  const failedCalls = () => ({
    "Fn::GetAtt": [onlyResource(variant, "AWS::SQS::Queue", `${service}ScheduledFailedCalls`).id, "Arn"],
  });

  test(`is called at ${rate}, on time`, () => {
    expect(schedule()).toMatchObject({
      ScheduleExpression: rate,
      FlexibleTimeWindow: { Mode: "OFF" },
      State: "ENABLED",
    });
  });

  test("is told the time that the call was planned for, as parse_scheduled_time reads it", () => {
    expect(schedule()["Target"]).toMatchObject({ Input: '{"scheduled_time":"<aws.scheduler.scheduled-time>"}' });
  });

  test("a call is made again, and kept when it failed every time, by the scheduler and by Lambda", () => {
    expect(schedule()["Target"]).toMatchObject({
      RetryPolicy: { MaximumEventAgeInSeconds: 900, MaximumRetryAttempts: 10 },
      DeadLetterConfig: { Arn: failedCalls() },
    });
    const lambda = onlyResource(variant, "AWS::Lambda::EventInvokeConfig", service).Properties;
    expect(lambda).toMatchObject({
      MaximumEventAgeInSeconds: 900,
      MaximumRetryAttempts: 2,
      DestinationConfig: { OnFailure: { Destination: failedCalls() } },
    });
  });

  test("the scheduler takes a role for this group of schedules, which may call this function and no other", () => {
    const group = onlyResource(variant, "AWS::Scheduler::ScheduleGroup", service).id;
    const ofRole = statementsOf(variant).filter(({ of }) => of.id.startsWith(`${service}ScheduledSchedulerRole`));
    const [trust] = ofRole.filter(({ kind }) => kind === "AssumeRolePolicyDocument");
    expect(trust?.Condition).toEqual({
      StringEquals: {
        "aws:SourceAccount": { Ref: "AWS::AccountId" },
        "aws:SourceArn": { "Fn::GetAtt": [group, "Arn"] },
      },
    });
    const [call] = ofRole.filter(({ Action }) => Action === "lambda:InvokeFunction");
    const lambda = onlyResource(variant, "AWS::Lambda::Function", service).id;
    expect(call?.Resource).toEqual({ "Fn::GetAtt": [lambda, "Arn"] });
  });
});

test("the simulator is called once in a metering interval", () => {
  templateOf("dev", "compute").hasResourceProperties("AWS::Lambda::Function", {
    FunctionName: "wattstream-dev-simulator",
    Environment: { Variables: { WATTSTREAM_FLEET_INTERVAL_MS: "60000", WATTSTREAM_FLEET_SITES: "12" } },
  });
});

test("prod has no sites that do not exist", () => {
  expect(resourcesOfType("prod", "AWS::Scheduler::Schedule")).toHaveLength(1);
  expect(resourcesOfType("prod", "AWS::Lambda::Function").map(({ id }) => id)).not.toContainEqual(
    expect.stringMatching(/Simulator/),
  );
});
