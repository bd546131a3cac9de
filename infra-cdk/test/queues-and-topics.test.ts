// Queues and topics.

import { listOf, onlyResource, resourcesOfType, statementsOf } from "./template";

describe.each(["dev", "prod"] as const)("in %s", (variant) => {
  test("a queue keeps messages for two weeks, encrypted, and gives nothing on by itself", () => {
    const queues = resourcesOfType(variant, "AWS::SQS::Queue");
    expect(queues).toHaveLength(variant === "dev" ? 4 : 3);
    for (const { Properties } of queues) {
      expect(Properties["MessageRetentionPeriod"]).toBe(14 * 24 * 3_600);
      expect(Properties["KmsMasterKeyId"]).toBeDefined();
      expect(Properties["RedrivePolicy"]).toBeUndefined();
    }
  });

  test.each(["AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy"])("what is not TLS is refused: %s", (type) => {
    const policies = resourcesOfType(variant, type);
    expect(policies.length).toBeGreaterThan(0);
    for (const policy of policies) {
      const refusals = statementsOf(variant).filter(({ of, Effect }) => of.id === policy.id && Effect === "Deny");
      expect(refusals.map(({ Condition }) => Condition)).toEqual([{ Bool: { "aws:SecureTransport": "false" } }]);
    }
  });

  test("each queue and each topic has such a policy", () => {
    const count = (type: string) => resourcesOfType(variant, type).length;
    expect(count("AWS::SQS::QueuePolicy")).toBe(count("AWS::SQS::Queue"));
    expect(count("AWS::SNS::TopicPolicy")).toBe(count("AWS::SNS::Topic"));
  });

  test("both topics are encrypted with the key of the stage", () => {
    const key = onlyResource(variant, "AWS::KMS::Key").id;
    const topics = resourcesOfType(variant, "AWS::SNS::Topic");
    expect(topics.map(({ Properties }) => Properties["KmsMasterKeyId"])).toEqual(
      [0, 1].map(() => ({ "Fn::GetAtt": [key, "Arn"] })),
    );
  });

  test("alarms of this stage, and nobody else, may publish to the operators", () => {
    const allowed = statementsOf(variant).filter(
      ({ of, Effect }) => of.id.startsWith("OperationsTopicPolicy") && Effect === "Allow",
    );
    expect(allowed).toHaveLength(1);
    expect(allowed[0]?.Principal).toEqual({ Service: "cloudwatch.amazonaws.com" });
    expect(JSON.stringify(allowed[0]?.Condition)).toContain(`:alarm:wattstream-${variant}-*`);
  });
});

test("operators get mail when an address is given, and nobody does otherwise", () => {
  expect(resourcesOfType("prod", "AWS::SNS::Subscription")).toEqual([]);
  const subscription = onlyResource("prod-jwt", "AWS::SNS::Subscription");
  expect(subscription.Properties).toMatchObject({ Protocol: "email", Endpoint: "operators@example.com" });
});

test("a mail that could not be delivered is kept, and SNS may keep it", () => {
  const queue = onlyResource("prod-jwt", "AWS::SQS::Queue", "OperationsUndelivered").id;
  expect(onlyResource("prod-jwt", "AWS::SNS::Subscription").Properties["RedrivePolicy"]).toEqual({
    deadLetterTargetArn: { "Fn::GetAtt": [queue, "Arn"] },
  });
  const allowed = statementsOf("prod-jwt").filter(
    ({ Effect, Principal }) => Effect === "Allow" && JSON.stringify(Principal ?? "").includes("sns.amazonaws.com"),
  );
  expect(allowed.flatMap(({ Action }) => listOf(Action)).sort()).toEqual([
    "kms:Decrypt",
    "kms:GenerateDataKey",
    "sqs:SendMessage",
  ]);
});
