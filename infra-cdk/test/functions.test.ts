// The functions: what all of them share, and what each is told.

import { makeApp } from "../lib/app";
import { FUNCTIONS } from "../lib/rust-function/rust-function";
import { type JsonObject, onlyResource, type Placed, resourcesOfType, textOf } from "./template";
import { contextOf, type VariantName } from "./variants";

const ID_OF = {
  "stream-consumer": "StreamConsumer",
  "silent-sites": "SilentSites",
  "query-api": "QueryApi",
  simulator: "Simulator",
} as const;

function functionOf(variant: VariantName, name: keyof typeof ID_OF): Placed {
  return onlyResource(variant, "AWS::Lambda::Function", ID_OF[name]);
}

function ours(variant: VariantName): readonly Placed[] {
  return resourcesOfType(variant, "AWS::Lambda::Function").filter(({ part }) => part === "compute");
}

function variablesOf(variant: VariantName, name: keyof typeof ID_OF): JsonObject {
  return (functionOf(variant, name).Properties["Environment"] as { Variables: JsonObject }).Variables;
}

const TABLES = ["ALERTS", "HOURS", "READINGS", "SHARDS", "SILENCES", "SITES"].map(
  (table) => `WATTSTREAM_${table}_TABLE`,
);

describe.each(["dev", "prod"] as const)("in %s", (variant) => {
  test("every function is a binary of ours on Amazon Linux 2023, traced, with a log of its own", () => {
    for (const { Properties } of ours(variant)) {
      expect(Properties).toMatchObject({
        Runtime: "provided.al2023",
        Handler: "bootstrap",
        Architectures: ["arm64"],
        TracingConfig: { Mode: "Active" },
        LoggingConfig: { LogGroup: { Ref: expect.any(String) as string } },
      });
      // The account's concurrency is shared: a shard has one call at a time anyway, and the API has its throttle.
      expect(Properties["ReservedConcurrentExecutions"]).toBeUndefined();
    }
  });

  test("a function has the name of its binary and its stage", () => {
    const names = ours(variant).map(({ Properties }) => Properties["FunctionName"]);
    const expected = FUNCTIONS.filter((name) => variant === "dev" || name !== "simulator");
    expect(names.sort()).toEqual(expected.map((name) => `wattstream-${variant}-${name}`).sort());
  });

  test("logs are encrypted and do not stay for ever", () => {
    const groups = resourcesOfType(variant, "AWS::Logs::LogGroup");
    for (const { Properties, DeletionPolicy } of groups) {
      expect(Properties["RetentionInDays"]).toBe(variant === "dev" ? 14 : 90);
      expect(textOf(Properties["KmsKeyId"])).toMatch(/DataKey/);
      expect(DeletionPolicy).toBe(variant === "dev" ? "Delete" : "RetainExceptOnCreate");
    }
    expect(groups.map(({ Properties }) => Properties["LogGroupName"])).toContain(
      `/wattstream/${variant}/stream-consumer`,
    );
  });

  test("nothing of an endpoint is told outside of a local AWS", () => {
    for (const { Properties } of ours(variant)) {
      expect(JSON.stringify(Properties["Environment"])).not.toMatch(/ENDPOINT/);
    }
  });

  test("the consumer knows stream, tables, dead letters and topic", () => {
    expect(Object.keys(variablesOf(variant, "stream-consumer")).sort()).toEqual(
      [
        ...TABLES,
        "WATTSTREAM_ALERTS_TOPIC_ARN",
        "WATTSTREAM_DEAD_LETTERS_QUEUE_URL",
        "WATTSTREAM_LOG",
        "WATTSTREAM_STREAM",
      ].sort(),
    );
  });

  test("the watch over silent sites knows what it asks for at its start", () => {
    expect(Object.keys(variablesOf(variant, "silent-sites"))).toEqual(
      expect.arrayContaining([
        ...TABLES,
        "WATTSTREAM_STREAM",
        "WATTSTREAM_DEAD_LETTERS_QUEUE_URL",
        "WATTSTREAM_ALERTS_TOPIC_ARN",
      ]),
    );
  });

  test("the API knows tables, stream and dead letters", () => {
    expect(Object.keys(variablesOf(variant, "query-api"))).toEqual(
      expect.arrayContaining([...TABLES, "WATTSTREAM_STREAM", "WATTSTREAM_DEAD_LETTERS_QUEUE_URL"]),
    );
  });

  test("a variable of a table names that table", () => {
    for (const [name, value] of Object.entries(variablesOf(variant, "stream-consumer"))) {
      const [, table] = /^WATTSTREAM_(\w+)_TABLE$/.exec(name) ?? [];
      if (table !== undefined) {
        expect(textOf(value).toUpperCase()).toMatch(`<TABLES${table}`);
      }
    }
  });
});

test("a local AWS is where the functions look for AWS", () => {
  for (const { Properties } of ours("local")) {
    expect(Properties["Architectures"]).toEqual(["x86_64"]);
    expect(Properties["Environment"]).toMatchObject({
      Variables: { AWS_ENDPOINT_URL: "http://127.0.0.1:4566", WATTSTREAM_ALLOW_ENDPOINT_OVERRIDE: "1" },
    });
  }
});

test("a function that was not built stops the synthesis, which says how to build it", () => {
  const context = { ...contextOf("dev"), functions: "/nowhere" };
  expect(() => makeApp({ context })).toThrow(
    /no built function simulator in \/nowhere\/simulator: `cargo xtask lambda`/,
  );
});
