// What a fleet needs of AWS, at which size each limit is met, and how long a backlog takes.
//
// What must always hold: a need and a limit are compared in the same unit; every limit is one of LIMITS or of STACK.

import {
  batchOf,
  concurrency,
  invocationS,
  recordsPerInvocation,
  type WriteUnits,
  writeUnits,
  writeUnitsPerS,
} from "./consumer.ts";
import { type Fleet, fleet, readingsPerS } from "./fleet.ts";
import { LIMITS } from "./limits.ts";
import { MEASURED } from "./measured.ts";
import { longestCheckS } from "./silence.ts";
import { KEY_BYTES, READING_BYTES } from "./sizes.ts";
import { STACK } from "./stack.ts";
import { onDemandShards, peakRecordsPerS, provisionedShards, recordOf, recordsPerS, shards } from "./stream.ts";
import { DAY_S, HOUR_S, MINUTE_S } from "./time.ts";

export interface Needs {
  readonly readingsPerS: number;
  readonly recordsPerS: number;
  readonly provisionedShards: number;
  readonly onDemandShards: number;
  readonly readingsPerBatch: number;
  readonly invocationMs: number;
  readonly concurrency: number;
  readonly writeUnitsPerS: number;
  /** Write units a second in the first interval of an hour, when every site closes one. */
  readonly writeUnitsPerSAtTheHour: number;
  readonly checkS: number;
}

export function needs(of: Fleet): Needs {
  const batch = batchOf(of);
  return {
    readingsPerS: readingsPerS(of),
    recordsPerS: recordsPerS(of),
    provisionedShards: provisionedShards(of),
    onDemandShards: onDemandShards(of),
    readingsPerBatch: batch.readings,
    invocationMs: invocationS(batch, writeUnits(of), false) * 1_000,
    concurrency: concurrency(of),
    writeUnitsPerS: writeUnitsPerS(of),
    writeUnitsPerSAtTheHour: readingsPerS(of) * 3,
    checkS: longestCheckS(of),
  };
}

/** A limit that a growing fleet meets. */
export interface Threshold {
  readonly what: string;
  readonly remedy: string;
  /** Whether something stops there, or only gets dearer, slower or coarser. */
  readonly isHard: boolean;
  /** The largest fleet below it, by the interval. */
  readonly sites: (intervalS: number) => number;
}

const SUMMARY_BYTES_PER_SITE = (MEASURED.summaryMbOf10kSites * 1_000_000) / 10_000;
const STROKE_S = MINUTE_S;

/** The largest fleet whose longest check ends in time; a check's length grows with the sites alone. */
function sitesChecked(intervalS: number, timeoutS: number): number {
  const sample = 1_000_000;
  return (sample * timeoutS) / longestCheckS(fleet({ sites: sample, intervalS }));
}

export const THRESHOLDS: readonly Threshold[] = [
  {
    what: "a summary is exact to the last row; beyond, it comes from snapshots at most an hour old and says `as_of`",
    remedy: "ask for single sites where the last hour matters",
    isHard: false,
    sites: () => LIMITS.sitesExact.value,
  },
  {
    what: "`GET /summary` fits into a reply of Lambda; beyond, it is an error that says so",
    remedy: "none yet: the summary has no pages. Sum the table hours, or ask site by site",
    isHard: true,
    sites: () => LIMITS.replyBytes.value / SUMMARY_BYTES_PER_SITE,
  },
  {
    what: "one provisioned shard, uploads spread evenly, at 70% of its 1,000 records a second",
    remedy: "more shards (`UpdateShardCount` doubles them at most), or on-demand",
    isHard: true,
    sites: (intervalS) => fleetPerRecordRate(LIMITS.shardRecordsPerS.value * 0.7, intervalS),
  },
  {
    what: `a new on-demand stream, all uploads within ${STROKE_S} s of the interval's end`,
    remedy: "spread the uploads, or warm the stream before the fleet arrives; a stream takes twice its peak of 30 days",
    isHard: true,
    sites: () => LIMITS.onDemandStartRecordsPerS.value * STROKE_S,
  },
  {
    what: "a new on-demand table's 4,000 writes a second, uploads spread evenly",
    remedy: "set the warm throughput of readings, hours and sites before the fleet arrives",
    isHard: true,
    sites: (intervalS) => fleetPerRecordRate(LIMITS.onDemandTableStartWritesPerS.value, intervalS),
  },
  {
    what: "an on-demand table's 40,000 writes a second, uploads spread evenly",
    remedy: "ask AWS for a higher quota for readings, hours and sites",
    isHard: true,
    sites: (intervalS) => fleetPerRecordRate(LIMITS.onDemandTableWritesPerS.value, intervalS),
  },
  {
    what: `the check of silent sites ends within its ${STACK.silenceCheckTimeoutS} s when it has to make sure of every site`,
    remedy: "a longer patience (`WATTSTREAM_SILENT_AFTER`): from an hour on nobody is made sure of who is well",
    isHard: true,
    sites: (intervalS) => sitesChecked(intervalS, STACK.silenceCheckTimeoutS),
  },
  {
    what: `the whole fleet falls silent at once: the table silences has one partition, 1,000 writes a second for ${STACK.silenceCheckTimeoutS} s`,
    remedy: "nothing is lost, the next checks go on; until then alerts come late",
    isHard: false,
    sites: () => LIMITS.partitionWritesPerS.value * STACK.silenceCheckTimeoutS,
  },
  {
    what: `a new fleet's first snapshots within ${STROKE_S} s: the index of all sites has ${LIMITS.fleetBuckets.value} partitions`,
    remedy: "let a new fleet begin over some minutes; later snapshots leave the index alone",
    isHard: true,
    sites: () => LIMITS.fleetBuckets.value * LIMITS.partitionWritesPerS.value * STROKE_S,
  },
  {
    what: "a batch of the whole fleet's alerts in a second: SNS takes 30,000 in us-east-1, 300 in small regions",
    remedy: "nothing is lost: alerts wait with their sites and are sent again",
    isHard: false,
    sites: () => LIMITS.snsPublishesPerS.value,
  },
  {
    what: "a consumer a shard: 1,000 invocations at once in an account, on-demand shards at half their rate",
    remedy: "ask AWS for more, or let sites upload several readings at once",
    isHard: true,
    sites: (intervalS) => fleetPerRecordRate(LIMITS.concurrency.value * LIMITS.shardRecordsPerS.value * 0.5, intervalS),
  },
];

function fleetPerRecordRate(recordsPerS: number, intervalS: number): number {
  return recordsPerS * intervalS;
}

/** The limits that a fleet is beyond, the smallest first. */
export function metBy(of: Fleet): readonly Threshold[] {
  return inOrder(of.intervalS).filter((threshold) => threshold.sites(of.intervalS) < of.sites);
}

/** All limits, the smallest first. */
export function inOrder(intervalS: number): readonly Threshold[] {
  return [...THRESHOLDS].sort((one, other) => one.sites(intervalS) - other.sites(intervalS));
}

/** A second's worth of work, by who limits it. */
export interface Rates {
  readonly stream: number;
  readonly consumer: number;
  readonly tables: number;
}

/** Who limits a backlog, and how long it takes. */
export interface Backlog {
  readonly readings: number;
  readonly rates: Rates;
  readonly slowest: keyof Rates;
  readonly seconds: number;
}

function slowestOf(rates: Rates): keyof Rates {
  const names = ["stream", "consumer", "tables"] as const;
  return names.reduce((slowest, name) => (rates[name] < rates[slowest] ? name : slowest));
}

/** Readings a second that the consumers of all shards write when their batches are full. */
function consumerRate(of: Fleet, units: WriteUnits): number {
  const record = recordOf(of);
  const records = recordsPerInvocation(record.bytes);
  const batch = { records, readings: records * record.readings };
  return (shards(of) * batch.readings) / invocationS(batch, units, false);
}

/**
 * How long the fleet's consumer takes to catch up after it stood still, while readings go on arriving. A table is taken to
 * have had no higher peak than the fleet's own rate, so that it takes twice that at once, and 4,000 a second in any case.
 */
export function recovery(of: Fleet, outageS: number): Backlog {
  const arriving = readingsPerS(of);
  const record = recordOf(of);
  const readBytesPerS = (shards(of) * LIMITS.shardReadBytesPerS.value) / 2;
  const rates: Rates = {
    stream: (readBytesPerS / (record.bytes + KEY_BYTES)) * record.readings,
    consumer: consumerRate(of, writeUnits(of)),
    tables: Math.max(LIMITS.onDemandTableStartWritesPerS.value, arriving * LIMITS.onDemandTableGrowth.value),
  };
  const slowest = slowestOf(rates);
  const readings = arriving * outageS;
  return { readings, rates, slowest, seconds: readings / (rates[slowest] - arriving) };
}

const TABLE_GROWS_AFTER_S = 30 * MINUTE_S;

/** How long so many writes take on a new on-demand table, which doubles what it takes every half hour up to its quota. */
export function writesOnNewTableS(writes: number): number {
  let rate: number = LIMITS.onDemandTableStartWritesPerS.value;
  let seconds = 0;
  let left = writes;
  while (rate < LIMITS.onDemandTableWritesPerS.value && left > rate * TABLE_GROWS_AFTER_S) {
    left -= rate * TABLE_GROWS_AFTER_S;
    seconds += TABLE_GROWS_AFTER_S;
    rate = Math.min(rate * LIMITS.onDemandTableGrowth.value, LIMITS.onDemandTableWritesPerS.value);
  }
  return seconds + left / rate;
}

/**
 * How long past readings of the whole fleet take on a new stack, sent aggregated and as fast as they are taken, one site
 * after the other in turns. An on-demand stream and its consumers grow as well; the figure is for the shards of the start.
 */
export function backfill(of: Fleet, days: number): Backlog {
  const sent = fleet({ ...of, isAggregated: true, uploadS: days * DAY_S, arrivalS: days * DAY_S });
  const readings = (of.sites * days * DAY_S) / of.intervalS;
  const record = recordOf(sent);
  // An hour of a site is written once; its snapshot once a batch, which is seldom.
  const units: WriteUnits = { ...writeUnits(sent), hour: Math.min(1, of.intervalS / HOUR_S), snapshot: 0, mark: 0 };
  const sameShards: Fleet = { ...sent, mode: of.mode };
  const writeBytesPerS = shards(of) * LIMITS.shardBytesPerS.value;
  const rates: Rates = {
    stream: (writeBytesPerS / (record.bytes + KEY_BYTES)) * record.readings,
    consumer: (consumerRate(sameShards, units) / shards(sameShards)) * shards(of),
    tables: readings / writesOnNewTableS(readings),
  };
  const slowest = slowestOf(rates);
  return { readings, rates, slowest, seconds: readings / rates[slowest] };
}

/** Bytes a second into the archive, before compression. */
export function archiveBytesPerS(of: Fleet): number {
  return readingsPerS(of) * READING_BYTES;
}

/** Bytes of an archive object before compression: what arrives until one of Firehose's two hints is met. */
export function archiveObjectBytes(of: Fleet): number {
  return Math.min(STACK.archiveObjectBytes, archiveBytesPerS(of) * STACK.archiveObjectS);
}

/** Shards of a fleet all of whose uploads arrive within a minute of the interval's end. */
export function atTheStroke(of: Fleet): { readonly recordsPerS: number; readonly shards: number } {
  const stroke = { ...of, arrivalS: STROKE_S };
  return { recordsPerS: peakRecordsPerS(stroke), shards: provisionedShards(stroke) };
}
