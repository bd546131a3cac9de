// The stream consumer at work on a fleet: batches, write units, time.
//
// What must always hold: write units follow docs/tables.md, “What it costs”, and come out as docs/performance.md has measured
// them; every figure that nobody has measured comes from ASSUMED.

import { type Fleet, readingsPerS } from "./fleet.ts";
import { LIMITS } from "./limits.ts";
import { ASSUMED, MEASURED } from "./measured.ts";
import { KEY_BYTES } from "./sizes.ts";
import { STACK } from "./stack.ts";
import { recordOf, recordsPerS, shards } from "./stream.ts";
import { HOUR_S } from "./time.ts";

/** What Lambda puts around a record in an invocation's JSON, measured by the event source of this repository. */
const ENVELOPE_BYTES = 554;

/** A batch as the event source delivers it on average. */
export interface Batch {
  readonly records: number;
  readonly readings: number;
}

/** The most records of these bytes that one invocation holds. */
export function recordsPerInvocation(recordBytes: number): number {
  const base64Bytes = Math.ceil(recordBytes / 3) * 4;
  const fitting = Math.floor(LIMITS.invokeBytes.value / (base64Bytes + KEY_BYTES + ENVELOPE_BYTES));
  return Math.min(STACK.batchRecords, LIMITS.batchRecords.value, fitting);
}

/** Batches a second of all shards: one a window while records arrive, more when they do not fit, never more than records. */
export function batchesPerS(fleet: Fleet): number {
  const perShard = recordsPerS(fleet) / shards(fleet);
  const windowsARound = Math.max(1, fleet.arrivalS / fleet.windowS);
  const byWindow = windowsARound / fleet.uploadS;
  const bySize = perShard / recordsPerInvocation(recordOf(fleet).bytes);
  return shards(fleet) * Math.max(Math.min(perShard, byWindow), bySize);
}

export function batchOf(fleet: Fleet): Batch {
  const records = recordsPerS(fleet) / batchesPerS(fleet);
  return { records, readings: records * recordOf(fleet).readings };
}

/** Write units of one reading, by what they are for. */
export interface WriteUnits {
  readonly row: number;
  readonly hour: number;
  readonly snapshot: number;
  readonly mark: number;
  /** The two indexes, the snapshot and the two alerts that findings make. */
  readonly anomalies: number;
}

export function writeUnits(fleet: Fleet): WriteUnits {
  const readingsPerHour = HOUR_S / fleet.intervalS;
  const uploadsPerHour = HOUR_S / fleet.uploadS;
  const hoursClosed = Math.min(1, readingsPerHour);
  const snapshots = Math.min(1, uploadsPerHour);
  return {
    row: 1,
    hour: hoursClosed / readingsPerHour,
    snapshot: snapshots / readingsPerHour,
    mark: 1 / batchOf(fleet).readings,
    anomalies: fleet.anomalousShare * (3 + 2 / ASSUMED.readingsPerEpisode),
  };
}

export function writeUnitsPerReading(fleet: Fleet): number {
  return sum(Object.values(writeUnits(fleet)));
}

/** How long an invocation takes. The states of sites that are not at hand are loaded first. */
export function invocationS(batch: Batch, units: WriteUnits, isCold: boolean): number {
  const snapshots = batch.readings * units.snapshot;
  const batched = Math.ceil((batch.readings * (units.row + units.hour)) / LIMITS.batchWriteItems.value);
  const loads = isCold ? sitesOf(batch) : 0;
  const inRounds = [batched, snapshots, loads].map((requests) => Math.ceil(requests / LIMITS.requestsInFlight.value));
  const readsAndWritesOfTheMark = 2;
  const requestsS = (readsAndWritesOfTheMark + sum(inRounds)) * ASSUMED.dynamoDbRequestS;
  const requests = readsAndWritesOfTheMark + batched + snapshots + loads;
  const cpuS = batch.readings * MEASURED.consumerUsPerRecord * 1e-6 + requests * ASSUMED.requestCpuS;
  return requestsS + (cpuS * ASSUMED.memoryMbPerVcpu) / STACK.consumerMemoryMb;
}

/** A record is of one site, and a site has one record in a batch unless it is behind. */
function sitesOf(batch: Batch): number {
  return batch.records;
}

/**
 * The share of batches that find no states in memory. An instance uses what it holds only when the last batch of the
 * shard was its own; which instance gets a batch is Lambda's affair. So with n instances at work it is taken to be 1 in n.
 */
export function coldShare(fleet: Fleet): number {
  return 1 - 1 / Math.max(1, Math.ceil(concurrency(fleet)));
}

/** Invocations at once, on average, were all of them warm. */
export function concurrency(fleet: Fleet): number {
  return batchesPerS(fleet) * invocationS(batchOf(fleet), writeUnits(fleet), false);
}

/** Seconds of the function that a second of the fleet takes. */
export function busyShare(fleet: Fleet): number {
  const [batch, units, cold] = [batchOf(fleet), writeUnits(fleet), coldShare(fleet)];
  const mean = cold * invocationS(batch, units, true) + (1 - cold) * invocationS(batch, units, false);
  return batchesPerS(fleet) * mean;
}

/** Read units of one reading: the mark of its batch, and two for a site whose state is not at hand. */
export function readUnitsPerReading(fleet: Fleet): number {
  const { readings } = batchOf(fleet);
  return 1 / readings + (2 * coldShare(fleet)) / recordOf(fleet).readings;
}

export function writeUnitsPerS(fleet: Fleet): number {
  return readingsPerS(fleet) * writeUnitsPerReading(fleet);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
