// The stack that the model reckons with is the one that infra-cdk deploys.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isThere, textOf } from "../src/repository.ts";
import { STACK } from "../src/stack.ts";

const INFRA = "infra-cdk/lib";

/** Lines of infra-cdk that say what the model has. */
const STATED: readonly (readonly [file: string, line: string])[] = [
  ["stream-consumer/stream-consumer.ts", `BATCH_RECORDS_MAX = ${grouped(STACK.batchRecords)};`],
  ["stream-consumer/stream-consumer.ts", `BATCHING_WINDOW = Duration.seconds(${STACK.batchWindowS});`],
  ["stream-consumer/stream-consumer.ts", `MEMORY_MIB = ${grouped(STACK.consumerMemoryMb)};`],
  ["silent-sites/silent-sites.ts", `MEMORY_MIB = ${grouped(STACK.silenceCheckMemoryMb)};`],
  ["silent-sites/silent-sites.ts", `TIMEOUT = Duration.seconds(${STACK.silenceCheckTimeoutS});`],
  ["silent-sites/silent-sites.ts", "EVERY = FIVE_MINUTES;"],
  ["query-api/query-api.ts", `MEMORY_MIB = ${grouped(STACK.apiMemoryMb)};`],
  ["archive/archive.ts", `BUFFER_SECONDS = ${STACK.archiveObjectS};`],
  ["archive/archive.ts", `BUFFER_MIB = ${STACK.archiveObjectBytes / 1_024 / 1_024};`],
  ["settings.ts", `streamRetention: Duration.hours(${STACK.retentionS / 3_600}),`],
  ["settings.ts", "fleet: { sites: 12, interval: Duration.minutes(1) },"],
  ["settings.ts", "streamRetention: Duration.hours(48),"],
  ["tables/tables.ts", "pointInTimeRecoveryEnabled: settings.isKept"],
];

function grouped(value: number): string {
  return value >= 1_000 ? value.toLocaleString("en-US").replace(",", "_") : String(value);
}

describe("the stack", () => {
  const skip = isThere(INFRA) ? false : "infra-cdk is not in this checkout";
  for (const [file, line] of STATED) {
    test(`has “${line}” in ${file}`, { skip }, () => {
      assert.ok(textOf(`${INFRA}/${file}`).includes(line), `${INFRA}/${file} says something else: change src/stack.ts`);
    });
  }

  test("has what stands in for the functions where a workflow only synthesises", { skip }, () => {
    assert.ok(isThere("infra-cdk/test/functions/stream-consumer/bootstrap"));
  });

  test("has as many tables as shared/aws/tables.json", () => {
    assert.equal((JSON.parse(textOf("shared/aws/tables.json")) as unknown[]).length, STACK.tables);
  });
});
