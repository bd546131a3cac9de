// The formulas, by cases worked out by hand, and against what the repository has measured.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { alertsPerMonth, archiveObjectsPerMonth, bill, type Line, totalUsd, usdOf } from "../src/bill.ts";
import {
  batchesPerS,
  batchOf,
  coldShare,
  concurrency,
  recordsPerInvocation,
  writeUnits,
  writeUnitsPerReading,
} from "../src/consumer.ts";
import { type Fleet, fleet, parseFleet, readingsPerMonth } from "../src/fleet.ts";
import { MEASURED } from "../src/measured.ts";
import { readUnitsPerCheck, shareMadeSureOf } from "../src/silence.ts";
import { STACK } from "../src/stack.ts";
import { onDemandShards, provisionedShards, recordOf } from "../src/stream.ts";
import { DAY_S, HOUR_S, MINUTE_S } from "../src/time.ts";

function close(actual: number, expected: number, tolerance = 1e-6): void {
  assert.ok(Math.abs(actual - expected) <= tolerance * Math.abs(expected), `${actual} is not ${expected}`);
}

function lineOf(of: Fleet, what: string): Line {
  const found = bill(of).find((line) => line.what.startsWith(what));
  assert.ok(found, `no line of the bill begins with “${what}”`);
  return found;
}

/** A hundred sites of one shard whose readings come in one batch, as the test of performance.md sends them. */
function measuredFleet(intervalS: number): Fleet {
  return fleet({ sites: 100, intervalS, mode: "provisioned", arrivalS: 1, anomalousShare: 0 });
}

describe("write units", () => {
  test("are those that were measured, at both intervals", () => {
    for (const [minutes, measured] of [
      [5, MEASURED.writeUnits5Minutes],
      [1, MEASURED.writeUnits1Minute],
    ] as const) {
      const of = measuredFleet(minutes * MINUTE_S);
      close(batchOf(of).readings, 100);
      assert.equal(Number(writeUnitsPerReading(of).toFixed(3)), measured);
    }
  });

  test("given a reading every five minutes, an hour and a snapshot are a twelfth each", () => {
    const { row, hour, snapshot } = writeUnits(fleet({ intervalS: 5 * MINUTE_S }));
    assert.deepEqual([row, hour, snapshot], [1, 1 / 12, 1 / 12]);
  });

  test("given an interval of six hours, each reading closes an hour and brings a snapshot", () => {
    const { hour, snapshot } = writeUnits(fleet({ intervalS: 6 * HOUR_S }));
    assert.deepEqual([hour, snapshot], [1, 1]);
  });

  test("given a day's readings at once, a site has 24 hours and one snapshot for 288 readings", () => {
    const { hour, snapshot } = writeUnits(fleet({ intervalS: 5 * MINUTE_S, uploadS: DAY_S }));
    close(hour, 24 / 288);
    close(snapshot, 1 / 288);
  });

  test("given a percent of anomalies in runs of three, each costs two index entries, a snapshot and two thirds of an alert", () => {
    close(writeUnits(fleet({ anomalousShare: 0.01 })).anomalies, 0.01 * (2 + 1 + 2 / 3));
  });
});

describe("batches", () => {
  test("given fewer records than windows, each record is a batch", () => {
    const sparse = fleet({ sites: 3, intervalS: 5 * MINUTE_S, mode: "provisioned" });
    close(batchesPerS(sparse), 3 / 300);
    close(batchOf(sparse).readings, 1);
  });

  test("given 100 records a second in one shard, a batch is what a window brings", () => {
    const busy = fleet({ sites: 30_000, intervalS: 5 * MINUTE_S, mode: "provisioned" });
    close(batchesPerS(busy), 1 / STACK.batchWindowS);
    close(batchOf(busy).readings, 100 * STACK.batchWindowS);
  });

  test("given a burst, there are batches only while it lasts", () => {
    const burst = fleet({ sites: 30_000, intervalS: 5 * MINUTE_S, arrivalS: MINUTE_S, mode: "provisioned" });
    close(batchesPerS(burst), 60 / 300 / STACK.batchWindowS);
  });

  test("hold what is asked for, or 6 MB: an aggregate of 51,200 bytes takes 68,268 in base64, its key 21, its envelope 554", () => {
    assert.equal(recordsPerInvocation(126), STACK.batchRecords);
    assert.equal(recordsPerInvocation(51_200), Math.floor((6 * 1_024 * 1_024) / (68_268 + 21 + 554)));
  });

  test("that wait ten times as long are a tenth", () => {
    const busy = fleet({ sites: 1_000, intervalS: MINUTE_S, mode: "provisioned" });
    close(batchesPerS(busy), 10 * batchesPerS({ ...busy, windowS: 10 }));
  });

  test("find their states in memory while one instance does all the work", () => {
    assert.equal(coldShare(fleet({ sites: 1_000 })), 0);
    const huge = fleet({ sites: 1_000_000, intervalS: MINUTE_S });
    const instances = Math.ceil(concurrency(huge));
    assert.ok(instances > 1);
    close(coldShare(huge), (instances - 1) / instances);
  });
});

describe("the stream", () => {
  test("given single readings, aggregation changes nothing", () => {
    assert.deepEqual(recordOf(fleet({ isAggregated: true })), recordOf(fleet({ isAggregated: false })));
  });

  test("given an hour's readings at once, an aggregate holds twelve and is longer than they are", () => {
    const { readings, bytes } = recordOf(fleet({ uploadS: HOUR_S }));
    assert.equal(readings, 12);
    assert.ok(bytes > 12 * 126 && bytes < 12 * 140, `${bytes} bytes`);
  });

  test("given an hour's readings that are not aggregated, each is a record", () => {
    assert.equal(recordOf(fleet({ uploadS: HOUR_S, isAggregated: false })).readings, 1);
  });

  test("given a day's readings every minute, they need four aggregates of 360", () => {
    assert.equal(recordOf(fleet({ intervalS: MINUTE_S, uploadS: DAY_S })).readings, 360);
  });

  test("a shard takes 700 records a second, and the 701st begins another", () => {
    const at = (sites: number) => fleet({ sites, intervalS: MINUTE_S, mode: "provisioned" });
    assert.equal(provisionedShards(at(42_000)), 1);
    assert.equal(provisionedShards(at(42_060)), 2);
  });

  test("given bytes rather than records, they count the shards: 9,000,000 sites a day at once", () => {
    const bulk = fleet({ sites: 9_000_000, intervalS: 5 * MINUTE_S, uploadS: DAY_S, mode: "provisioned" });
    const bytesPerS = (9_000_000 / DAY_S) * (recordOf(bulk).bytes + 21);
    assert.equal(provisionedShards(bulk), Math.ceil(bytesPerS / 700_000));
  });

  test("an on-demand stream begins with four shards and has none above half its rate", () => {
    assert.equal(onDemandShards(fleet({ sites: 10 })), 4);
    assert.equal(onDemandShards(fleet({ sites: 1_000_000, intervalS: MINUTE_S })), Math.ceil(1_000_000 / 60 / 500));
  });

  test("given 1,000 sites at 5 minutes, on-demand counts 8,760,000 KB in and twice that out", () => {
    const gb = 8_760_000 / 1_024 / 1_024;
    close(usdOf(lineOf(fleet({ sites: 1_000 }), "records in")), gb * 0.08);
    close(usdOf(lineOf(fleet({ sites: 1_000 }), "records out")), gb * 2 * 0.04);
  });

  test("given seven days of retention, on-demand keeps six days' worth for money", () => {
    const gbPerDay = 8_760_000 / 1_024 / 1_024 / (730 / 24);
    close(usdOf(lineOf(fleet({ sites: 1_000 }), "records kept")), gbPerDay * 6 * 0.1);
  });

  test("given one shard for a month, provisioned is 730 hours, and 730 more for longer retention", () => {
    const one = fleet({ sites: 100, mode: "provisioned" });
    close(usdOf(lineOf(one, "shards")), 730 * 0.015);
    close(usdOf(lineOf(one, "records kept")), 730 * 0.02);
    assert.equal(usdOf(lineOf({ ...one, retentionS: DAY_S }, "records kept")), 0);
  });

  test("given aggregates of 38 KB, each is two PUT payload units", () => {
    const daily = fleet({ sites: 100, uploadS: DAY_S, mode: "provisioned" });
    close(lineOf(daily, "records in").quantity, (100 * 730 * 2) / 24);
  });
});

describe("the rest of the bill", () => {
  test("Firehose counts a reading as 5 KB: a million readings are 14 cents", () => {
    const of = fleet({ sites: 1_000 });
    close(usdOf(lineOf(of, "Firehose")) / (readingsPerMonth(of) / 1e6), (5 * 0.029e6) / 1_024 / 1_024);
  });

  test("a small fleet's archive has an object every five minutes, a large one's an object every 64 MB", () => {
    assert.equal(archiveObjectsPerMonth(fleet({ sites: 10 })), 730 * 12);
    const large = fleet({ sites: 1_000_000 });
    close(archiveObjectsPerMonth(large), (readingsPerMonth(large) * 126) / (64 * 1_024 * 1_024));
  });

  test("up to 500 sites a check reads snapshot and tail; of more it makes sure of half of them at five minutes", () => {
    const tiny = (38 / 4_096) * 0.5;
    close(readUnitsPerCheck(fleet({ sites: 500 })), 500 * (2 + tiny), 0.01);
    assert.equal(shareMadeSureOf(fleet({ sites: 501 })), 0.5);
    close(readUnitsPerCheck(fleet({ sites: 1_000 })), 1_000 * (2 + tiny), 0.01);
    assert.equal(shareMadeSureOf(fleet({ sites: 501, intervalS: 15 * MINUTE_S })), 0);
  });

  test("a thousand anomalous readings in runs of three tell of 667 alerts", () => {
    const of = fleet({ sites: 1_000, anomalousShare: 1_000 / 8_760_000 });
    close(alertsPerMonth(of), 2_000 / 3);
  });

  test("twice the history costs twice as much to keep, and nothing else changes", () => {
    const [year, two] = [fleet({ historyMonths: 12 }), fleet({ historyMonths: 24 })];
    const kept = bill(year).filter((line) => line.what.startsWith("history") || line.what.startsWith("point-in-time"));
    close(totalUsd(bill(two)) - totalUsd(bill(year)), totalUsd(kept));
  });

  test("a larger fleet is never cheaper, and a longer interval never dearer", () => {
    for (const mode of ["on-demand", "provisioned"] as const) {
      const costs = [10, 100, 1_000, 10_000, 100_000, 1_000_000].map((sites) => totalUsd(bill(fleet({ sites, mode }))));
      assert.deepEqual(
        costs,
        [...costs].sort((one, other) => one - other),
      );
      const byInterval = [15, 5, 1].map((m) => totalUsd(bill(fleet({ sites: 1_000, mode, intervalS: m * MINUTE_S }))));
      assert.deepEqual(
        byInterval,
        [...byInterval].sort((one, other) => one - other),
      );
    }
  });

  test("the parts of the bill are its sum", () => {
    const lines = bill(fleet());
    close(
      totalUsd(lines),
      lines.map(usdOf).reduce((sum, usd) => sum + usd, 0),
    );
    assert.ok(lines.every((line) => line.quantity >= 0 && Number.isFinite(line.quantity)));
    assert.ok(writeUnitsPerReading(fleet()) > 1);
  });
});

describe("the command line", () => {
  test("reads a fleet", () => {
    const read = parseFleet("--sites 250 --interval 5m --mode provisioned --upload 1h --retention 2d".split(" "));
    assert.deepEqual(read, fleet({ sites: 250, mode: "provisioned", uploadS: HOUR_S, retentionS: 2 * DAY_S }));
  });

  for (const [words, message] of [
    ["--sites", /--sites needs a value/],
    ["--sites 1.5", /whole number of sites/],
    ["--mode serverless", /not one of on-demand, provisioned/],
    ["--interval 5", /write a whole number and s, m, h or d/],
    ["--upload 1m", /its interval is longer/],
    ["--upload 7m", /whole number of intervals/],
    ["--arrival 1h", /cannot take longer/],
    ["--retention 30d", /from 24h to 7d/],
    ["--window 10m", /from 1s to 5m/],
    ["--anomalous 2", /between 0 and 1/],
    ["--region eu-west-1", /no option --region/],
    ["sites 5", /no option sites/],
  ] as const) {
    test(`says what is wrong with “${words}”`, () => assert.throws(() => parseFleet(words.split(" ")), message));
  }
});
