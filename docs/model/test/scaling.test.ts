// Needs, limits and backlogs, by cases worked out by hand.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fleet } from "../src/fleet.ts";
import { LIMITS } from "../src/limits.ts";
import { textOf } from "../src/repository.ts";
import { atTheStroke, backfill, inOrder, metBy, needs, recovery, writesOnNewTableS } from "../src/scaling.ts";
import { longestCheckS } from "../src/silence.ts";
import { HOUR_S, MINUTE_S } from "../src/time.ts";

describe("a fleet's needs", () => {
  test("given 210,000 sites at five minutes, one shard is just enough; all within a minute they need five", () => {
    const of = fleet({ sites: 210_000 });
    assert.equal(needs(of).provisionedShards, 1);
    assert.deepEqual(atTheStroke(of), { recordsPerS: 3_500, shards: 5 });
  });

  test("at the hour every site writes a row, an hour and a snapshot", () => {
    assert.equal(needs(fleet({ sites: 3_000 })).writeUnitsPerSAtTheHour, 30);
  });

  test("given a million sites at five minutes, the check of silent sites outlives any function", () => {
    // 625 rounds of snapshots and 125,000 rounds of making sure, 10 ms each.
    assert.equal(Math.round(longestCheckS(fleet({ sites: 1_000_000 }))), 1_256);
    assert.ok(longestCheckS(fleet({ sites: 1_000_000 })) > LIMITS.invocationS.value);
  });
});

describe("a limit", () => {
  test("is met only by fleets beyond it, the smallest first", () => {
    assert.deepEqual(metBy(fleet({ sites: 100 })), []);
    assert.equal(metBy(fleet({ sites: 10_000 })).length, 1);
    const sites = inOrder(5 * MINUTE_S).map((threshold) => threshold.sites(5 * MINUTE_S));
    assert.deepEqual(
      sites,
      [...sites].sort((one, other) => one - other),
    );
  });

  for (const [path, stated] of [
    ["shared/engine/src/ports.rs", `SITES_EXACT_MAX: usize = ${LIMITS.sitesExact.value};`],
    ["shared/engine/src/silence_watch.rs", `CONFIRMATIONS_AT_ONCE_MAX: usize = ${LIMITS.confirmationsAtOnce.value};`],
    ["shared/aws/src/dynamodb/schema.rs", `FLEETS: u8 = ${LIMITS.fleetBuckets.value};`],
    ["shared/aws/src/dynamodb.rs", `REQUESTS_IN_FLIGHT_MAX: usize = ${LIMITS.requestsInFlight.value};`],
    ["shared/aws/src/sqs/peek.rs", "PEEK_MESSAGES_MAX: usize = 10_000;"],
    ["services/query-api/src/gateway/reply.rs", "REPLY_BYTES_MAX: usize = 6 * 1_024 * 1_024 - 64 * 1_024;"],
    ["shared/engine/src/event_source/batch_buffer.rs", "RECORD_ENVELOPE_BYTES: usize = 554;"],
    ["services/silent-sites/src/silent_after.rs", "6"],
  ] as const) {
    test(`of our own is that of ${path}`, () =>
      assert.ok(textOf(path).includes(stated), `${path} does not say ${stated}`));
  }
});

describe("a backlog", () => {
  test("given a table at its own peak, an hour's outage takes an hour", () => {
    const { slowest, seconds } = recovery(fleet({ sites: 1_000_000 }), HOUR_S);
    assert.equal(slowest, "tables");
    assert.equal(Math.round(seconds), HOUR_S);
  });

  test("given a small fleet, a table's first 4,000 writes a second are far more than it sends", () => {
    const { readings, seconds } = recovery(fleet({ sites: 3_000 }), HOUR_S);
    assert.equal(readings, 36_000);
    assert.equal(Number(seconds.toFixed(3)), Number((36_000 / 3_990).toFixed(3)));
  });

  test("on a new table goes at 4,000 a second for half an hour, then at 8,000", () => {
    assert.equal(writesOnNewTableS(4_000 * 60), 60);
    assert.equal(writesOnNewTableS(4_000 * 1_800 + 8_000 * 60), 1_800 + 60);
  });

  test("on a new table never goes faster than its quota", () => {
    const far = writesOnNewTableS(1e10) - writesOnNewTableS(1e10 - 40_000);
    assert.equal(Number(far.toFixed(6)), 1);
  });

  test("of a month goes at a shard's megabyte a second where the stream is what limits it", () => {
    const { readings, rates, slowest } = backfill(fleet({ sites: 10_000, mode: "provisioned" }), 30);
    assert.equal(readings, 86_400_000);
    assert.equal(slowest, "stream");
    // A reading takes 126 bytes, 7 around it in the aggregate, and its share of the key.
    assert.ok(rates.stream > 7_450 && rates.stream < 7_550, `${rates.stream} readings a second`);
  });
});
