// The stacks: what they tell, and what protects them.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { onlyResource, outputsOf, resourcesOf, resourcesOfType, statementsOf, templateOf } from "./template";
import { outputOf, VARIANT_NAMES, VARIANTS } from "./variants";

interface Manifest {
  readonly artifacts: Readonly<
    Record<string, { readonly type: string; readonly properties?: Record<string, unknown> }>
  >;
}

test.each(VARIANT_NAMES)("in %s, the outputs are those that operators and tests rely on", (variant) => {
  expect(outputsOf(variant, "compute")).toEqual([
    "ApiUrl",
    "StreamName",
    "AlertsTopicArn",
    "OperationsTopicArn",
    "DeadLettersQueueUrl",
    "OnFailureQueueUrl",
    "ArchiveBucketName",
    "ReadingsTable",
    "HoursTable",
    "SitesTable",
    "ShardsTable",
    "AlertsTable",
    "SilencesTable",
  ]);
});

test.each(VARIANT_NAMES)(
  "in %s, both stacks have the name of their stage, and prod's cannot be deleted by mistake",
  (variant) => {
    const manifest = JSON.parse(readFileSync(join(outputOf(variant), "manifest.json"), "utf8")) as Manifest;
    const stacks = Object.entries(manifest.artifacts).filter(([, { type }]) => type === "aws:cloudformation:stack");
    const { stage } = VARIANTS[variant];
    expect(stacks.map(([name]) => name).sort()).toEqual([`wattstream-${stage}-compute`, `wattstream-${stage}-data`]);
    for (const [, { properties }] of stacks) {
      expect(properties?.["terminationProtection"] ?? false).toBe(stage === "prod");
    }
  },
);

test("what prod stores outlives its stacks, in dev nothing does", () => {
  const kept = (variant: "dev" | "prod") =>
    new Set(
      resourcesOf(variant)
        .filter(({ DeletionPolicy }) => DeletionPolicy !== undefined && DeletionPolicy !== "Delete")
        .map(({ Type }) => Type),
    );
  expect([...kept("prod")].sort()).toEqual([
    "AWS::DynamoDB::Table",
    "AWS::KMS::Key",
    "AWS::Kinesis::Stream",
    "AWS::Logs::LogGroup",
    "AWS::Logs::LogStream",
    "AWS::S3::Bucket",
    "AWS::SQS::Queue",
  ]);
  expect([...kept("dev")]).toEqual([]);
});

test("the key is rotated, and waits before it goes", () => {
  for (const [variant, days] of [
    ["dev", 7],
    ["prod", 30],
  ] as const) {
    templateOf(variant, "data").hasResourceProperties("AWS::KMS::Key", {
      EnableKeyRotation: true,
      PendingWindowInDays: days,
    });
  }
});

test("the key encrypts logs of this stage alone", () => {
  const [logs] = statementsOf("prod").filter(({ Sid }) => Sid === "LogGroupsOfTheStage");
  expect(JSON.stringify(logs?.Condition)).toContain(":log-group:/wattstream/prod/*");
});

test("(unknown to a local AWS) a stage has a budget, whose warnings go to the operators", () => {
  const limit = (variant: "dev" | "prod-jwt") => onlyResource(variant, "AWS::Budgets::Budget").Properties["Budget"];
  expect(limit("dev")).toMatchObject({
    BudgetLimit: { Amount: 60, Unit: "USD" },
    TimeUnit: "MONTHLY",
    BudgetType: "COST",
  });
  expect(limit("prod-jwt")).toMatchObject({ BudgetLimit: { Amount: 500, Unit: "USD" } });
  const { NotificationsWithSubscribers } = onlyResource("prod-jwt", "AWS::Budgets::Budget").Properties;
  expect(JSON.stringify(NotificationsWithSubscribers).match(/operators@example\.com/g)).toHaveLength(3);
  expect(resourcesOfType("local", "AWS::Budgets::Budget")).toEqual([]);
});
