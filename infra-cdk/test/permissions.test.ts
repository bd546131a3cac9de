// Who may do what. What must always hold: a wildcard is on the list below, with its reason, or it is not in a template. (The one that
// no template shows: the ARN of a log group, as CloudFormation gives it, ends with `:*`, which are its streams.)

import { listOf, type PlacedStatement, statementsOf, textOf } from "./template";
import { VARIANT_NAMES, type VariantName } from "./variants";

interface AllowedWildcard {
  /** The beginning of the id of the policy's resource. */
  readonly of: RegExp;
  readonly wildcard: string;
  readonly reason: string;
}

const ALLOWED: readonly AllowedWildcard[] = [
  {
    of: /^(StreamConsumer|QueryApi|SilentSitesScheduled|SimulatorScheduled)FunctionRoleDefaultPolicy/,
    wildcard: "*",
    reason: "X-Ray takes traces for the account, and knows no resource",
  },
  {
    of: /^ArchiveRoleDefaultPolicy/,
    wildcard: "<ArchiveBucket49F1AC64.Arn>/raw/*",
    reason: "Firehose names the objects of this folder",
  },
  {
    of: /^ArchiveRoleDefaultPolicy/,
    wildcard: "<ArchiveBucket49F1AC64.Arn>/errors/*",
    reason: "Firehose names the objects of this folder",
  },
  {
    of: /^DataKey/,
    wildcard: "*",
    reason: "in the policy of a key, this is the key",
  },
  {
    of: /^DataKey/,
    wildcard: "kms:*",
    reason: "the account looks after its key; without it nobody could, and the key would be lost",
  },
  ...["s3:DeleteObject*", "s3:GetBucket*", "s3:List*", "<ArchiveBucket49F1AC64.Arn>/*"].map((wildcard) => ({
    of: /^ArchiveBucketPolicy/,
    wildcard,
    reason: "the library's function that empties the bucket of a stage of which nothing is kept",
  })),
];

interface Found {
  readonly statement: PlacedStatement;
  readonly wildcard: string;
}

/** Wildcards in what statements allow. What they refuse may be as wide as it likes. */
function wildcardsOf(variant: VariantName): readonly Found[] {
  return statementsOf(variant)
    .filter((statement) => statement.Effect === "Allow")
    .flatMap((statement) =>
      [...listOf(statement.Action), ...listOf(statement.Resource)]
        .map(textOf)
        .filter((text) => text.includes("*"))
        .map((wildcard) => ({ statement, wildcard })),
    );
}

function isAllowed({ statement, wildcard }: Found, allowed: AllowedWildcard): boolean {
  return allowed.of.test(statement.of.id) && allowed.wildcard === wildcard;
}

describe.each(VARIANT_NAMES)("in %s", (variant) => {
  test("no wildcard is in a template without a reason", () => {
    const unreasoned = wildcardsOf(variant).filter((found) => !ALLOWED.some((allowed) => isAllowed(found, allowed)));
    expect(unreasoned.map(({ statement, wildcard }) => `${statement.of.id}: ${wildcard}`)).toEqual([]);
  });

  test("a wildcard as the resource is for X-Ray alone, beside the policy of the key", () => {
    const wide = wildcardsOf(variant).filter(
      ({ statement, wildcard }) => wildcard === "*" && statement.kind === "PolicyDocument",
    );
    const actions = new Set(wide.flatMap(({ statement }) => listOf(statement.Action)));
    expect([...actions].sort()).toEqual(["xray:PutTelemetryRecords", "xray:PutTraceSegments"]);
  });

  test("nobody may scan a table, delete one, or change what it is", () => {
    const actions = new Set(statementsOf(variant).flatMap((statement) => listOf(statement.Action).map(String)));
    const onTables = [...actions].filter((action) => action.startsWith("dynamodb:")).sort();
    expect(onTables).toEqual(
      ["BatchGetItem", "BatchWriteItem", "GetItem", "PutItem", "Query"].map((action) => `dynamodb:${action}`),
    );
  });

  test("a policy names who it is for, or refuses", () => {
    const anybody = statementsOf(variant).filter(
      ({ Effect, Principal }) => Effect === "Allow" && JSON.stringify(Principal ?? "").includes('"*"'),
    );
    expect(anybody).toEqual([]);
  });

  test("a service of AWS is trusted for things of this account alone, where it can tell", () => {
    const careless = statementsOf(variant)
      .filter(({ kind, Effect }) => kind !== "PolicyDocument" || Effect === "Allow")
      .filter(({ Principal }) => typeof Principal === "object" && Principal["Service"] !== undefined)
      .filter(
        ({ Condition }) =>
          !/aws:Source(Account|Arn)|sts:ExternalId|kms:EncryptionContext/.test(JSON.stringify(Condition ?? {})),
      )
      .map(({ Principal }) => JSON.stringify(Principal));
    // Lambda takes the role of a function without saying for which: the right to hand a role over is iam:PassRole.
    expect(new Set(careless)).toEqual(new Set(['{"Service":"lambda.amazonaws.com"}']));
  });

  test("the key is used through a service, by every role", () => {
    const uses = statementsOf(variant).filter(
      ({ kind, of, Action }) =>
        kind === "PolicyDocument" &&
        of.Type === "AWS::IAM::Policy" &&
        listOf(Action).some((it) => `${it}`.startsWith("kms:")),
    );
    expect(uses.length).toBeGreaterThan(0);
    for (const use of uses) {
      expect(JSON.stringify(use.Condition)).toContain("kms:ViaService");
    }
  });

  test("no role has a managed policy but that of the library's function", () => {
    const managed = statementsOf(variant)
      .filter(({ of }) => of.Properties["ManagedPolicyArns"] !== undefined)
      .map(({ of }) => of.id);
    expect(managed).toEqual(variant === "dev" ? [expect.stringMatching(/^CustomS3AutoDeleteObjects/)] : []);
  });
});

test("every wildcard of the list is used somewhere", () => {
  const found = VARIANT_NAMES.flatMap(wildcardsOf);
  const unused = ALLOWED.filter((allowed) => !found.some((wildcard) => isAllowed(wildcard, allowed)));
  expect(unused).toEqual([]);
});

describe("each function may do what its adapters call, and nothing else", () => {
  // From shared/aws/src: the calls of each adapter. A new call belongs here and in the construct.
  const EXPECTED: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
    StreamConsumer: {
      "Stream862536A4.Arn": [
        "kinesis:DescribeStream",
        "kinesis:DescribeStreamSummary",
        "kinesis:GetRecords",
        "kinesis:GetShardIterator",
        "kinesis:ListShards",
      ],
      readings: ["dynamodb:BatchWriteItem", "dynamodb:PutItem", "dynamodb:Query"],
      hours: ["dynamodb:BatchWriteItem"],
      sites: ["dynamodb:BatchGetItem", "dynamodb:PutItem"],
      shards: ["dynamodb:GetItem", "dynamodb:PutItem"],
      alerts: ["dynamodb:BatchWriteItem"],
      "alerts topic": ["sns:Publish"],
      "dead letters": ["sqs:SendMessage"],
      "own queue": ["sqs:SendMessage"],
    },
    SilentSites: {
      "Stream862536A4.Arn": ["kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards"],
      readings: ["dynamodb:Query"],
      sites: ["dynamodb:BatchGetItem"],
      "sites/index/fleet": ["dynamodb:Query"],
      shards: ["dynamodb:GetItem"],
      alerts: ["dynamodb:BatchWriteItem"],
      silences: ["dynamodb:BatchWriteItem", "dynamodb:Query"],
      "alerts topic": ["sns:Publish"],
      "own queue": ["sqs:SendMessage"],
    },
    QueryApi: {
      "Stream862536A4.Arn": ["kinesis:DescribeStreamSummary", "kinesis:PutRecords"],
      readings: ["dynamodb:Query"],
      "readings/index/anomalies": ["dynamodb:Query"],
      "readings/index/fleet_anomalies": ["dynamodb:Query"],
      hours: ["dynamodb:Query"],
      sites: ["dynamodb:BatchGetItem"],
      "sites/index/fleet": ["dynamodb:Query"],
      alerts: ["dynamodb:Query"],
      silences: ["dynamodb:Query"],
      "dead letters": ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:ReceiveMessage"],
    },
    Simulator: {
      "Stream862536A4.Arn": ["kinesis:PutRecords"],
      "own queue": ["sqs:SendMessage"],
    },
  };

  /** The words of the table above for a resource of a policy. */
  function nameOf(resource: string): string {
    const [, table, index = ""] = /^<Tables(\w+?)[0-9A-F]{8}\.Arn>(\/index\/\w+)?$/.exec(resource) ?? [];
    if (table !== undefined) {
      return table.toLowerCase() + index.replace(/^\//, "/");
    }
    const inner = resource.replace(/^<|>$/g, "");
    if (/^AlertsTopic/.test(inner)) {
      return "alerts topic";
    }
    if (/^DeadLetters/.test(inner)) {
      return "dead letters";
    }
    return /Queue\w+\.Arn$/.test(inner) ? "own queue" : inner;
  }

  test.each(Object.keys(EXPECTED))("%s", (service) => {
    const own = new RegExp(`^${service}(Scheduled)?FunctionRoleDefaultPolicy`);
    const found: Record<string, string[]> = {};
    for (const { Action, Resource } of statementsOf("dev").filter(({ of }) => own.test(of.id))) {
      const actions = listOf(Action)
        .map(String)
        .filter((action) => !/^(kms|logs|xray):/.test(action));
      for (const resource of listOf(Resource).map(textOf).map(nameOf)) {
        found[resource] = [...(found[resource] ?? []), ...actions].sort();
      }
    }
    const named = Object.fromEntries(Object.entries(found).filter(([, actions]) => actions.length > 0));
    expect(named).toEqual(EXPECTED[service]);
  });
});
