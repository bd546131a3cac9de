// A fleet on the stream: records, bytes, shards.
//
// What must always hold: an aggregate holds readings of one site and one append (docs/decisions/0009-aggregation.md), so a site
// that sends single readings gains nothing.

import { type Fleet, readingsPerS, readingsPerUpload } from "./fleet.ts";
import { LIMITS } from "./limits.ts";
import { ASSUMED } from "./measured.ts";
import { AGGREGATE_BYTES_MAX, aggregateBytes, KEY_BYTES, READING_BYTES, readingsPerAggregate } from "./sizes.ts";
import { MONTH_S } from "./time.ts";

/** What is true of every record of a fleet, on average. */
export interface Record {
  readonly readings: number;
  /** Without its key, which counts in the limits and not in the bill. */
  readonly bytes: number;
}

/** The records that a site's upload is sent in. */
export function recordOf(fleet: Fleet): Record {
  const readings = readingsPerUpload(fleet);
  if (!fleet.isAggregated || readings === 1) return { readings: 1, bytes: READING_BYTES };
  const records = Math.ceil(readings / readingsPerAggregate(READING_BYTES, KEY_BYTES));
  const each = readings / records;
  return { readings: each, bytes: Math.min(aggregateBytes(each, READING_BYTES, KEY_BYTES), AGGREGATE_BYTES_MAX) };
}

export function recordsPerS(fleet: Fleet): number {
  return readingsPerS(fleet) / recordOf(fleet).readings;
}

export function recordsPerMonth(fleet: Fleet): number {
  return recordsPerS(fleet) * MONTH_S;
}

/** The rate while a round of uploads arrives. */
export function peakRecordsPerS(fleet: Fleet): number {
  return (recordsPerS(fleet) * fleet.uploadS) / fleet.arrivalS;
}

export function peakBytesPerS(fleet: Fleet): number {
  return peakRecordsPerS(fleet) * (recordOf(fleet).bytes + KEY_BYTES);
}

/** The shards that a provisioned stream needs, with room for keys that do not spread evenly. */
export function provisionedShards(fleet: Fleet): number {
  const byRecords = peakRecordsPerS(fleet) / (LIMITS.shardRecordsPerS.value * ASSUMED.shardUse);
  const byBytes = peakBytesPerS(fleet) / (LIMITS.shardBytesPerS.value * ASSUMED.shardUse);
  return Math.max(1, Math.ceil(byRecords), Math.ceil(byBytes));
}

/** The shards that an on-demand stream has: those it starts with, or so many that none is split again. */
export function onDemandShards(fleet: Fleet): number {
  const start = LIMITS.onDemandStartRecordsPerS.value / LIMITS.shardRecordsPerS.value;
  const splitShare = LIMITS.onDemandSplitBytesPerS.value / LIMITS.shardBytesPerS.value;
  const byRecords = peakRecordsPerS(fleet) / (LIMITS.shardRecordsPerS.value * splitShare);
  const byBytes = peakBytesPerS(fleet) / LIMITS.onDemandSplitBytesPerS.value;
  return Math.max(start, Math.ceil(byRecords), Math.ceil(byBytes));
}

export function shards(fleet: Fleet): number {
  return fleet.mode === "provisioned" ? provisionedShards(fleet) : onDemandShards(fleet);
}
