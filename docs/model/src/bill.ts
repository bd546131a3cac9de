// The bill of a fleet for a month.
//
// What must always hold: a line is a quantity and a price, so that it can be worked out again by hand; the functions here have
// no other input than the fleet.

import { batchesPerS, busyShare, readUnitsPerReading, writeUnits } from "./consumer.ts";
import { type Fleet, readingsPerMonth } from "./fleet.ts";
import { ASSUMED } from "./measured.ts";
import { API_LOG_BYTES, BATCH_LOG_BYTES, metricCount } from "./observability.ts";
import { PRICES, type PriceName } from "./prices.ts";
import { CHECKS_PER_MONTH, meanCheckS, readUnitsPerCheck } from "./silence.ts";
import { GB, HOUR_STORED_BYTES, KB, READING_BYTES, READING_STORED_BYTES } from "./sizes.ts";
import { STACK } from "./stack.ts";
import { recordOf, recordsPerMonth, shards } from "./stream.ts";
import { DAY_S, HOUR_S, MONTH_S } from "./time.ts";

export const PARTS = ["stream", "archive", "tables", "functions", "alerts", "API", "watching", "key"] as const;
export type Part = (typeof PARTS)[number];

export interface Line {
  readonly part: Part;
  readonly what: string;
  readonly quantity: number;
  readonly price: PriceName;
}

export function usdOf(line: Line): number {
  return line.quantity * PRICES[line.price].usd;
}

export function totalUsd(lines: readonly Line[]): number {
  return lines.reduce((sum, line) => sum + usdOf(line), 0);
}

/** Every line of a month, also those of nothing. */
export function bill(fleet: Fleet): readonly Line[] {
  return [stream, archive, tables, functions, alerts, api, watching, key].flatMap((part) => part(fleet));
}

const MONTH_HOURS = MONTH_S / HOUR_S;
const READERS_OF_THE_STREAM = 2;

function roundedUp(bytes: number, step: number): number {
  return Math.ceil(bytes / step) * step;
}

function stream(fleet: Fleet): readonly Line[] {
  return fleet.mode === "provisioned" ? provisionedStream(fleet) : onDemandStream(fleet);
}

function onDemandStream(fleet: Fleet): readonly Line[] {
  const part = "stream";
  const gbIn = (recordsPerMonth(fleet) * roundedUp(recordOf(fleet).bytes, KB)) / GB;
  const gbKept = (gbIn / MONTH_S) * Math.max(0, fleet.retentionS - DAY_S);
  return [
    { part, what: "the stream itself", quantity: MONTH_HOURS, price: "kinesisStreamHour" },
    { part, what: "records in", quantity: gbIn, price: "kinesisGbIn" },
    {
      part,
      what: "records out, to the consumer and to Firehose",
      quantity: gbIn * READERS_OF_THE_STREAM,
      price: "kinesisGbOut",
    },
    { part, what: "records kept after a day", quantity: gbKept, price: "kinesisGbMonthExtended" },
  ];
}

const PUT_UNIT_BYTES = 25 * KB;

function provisionedStream(fleet: Fleet): readonly Line[] {
  const part = "stream";
  const shardHours = shards(fleet) * MONTH_HOURS;
  const putUnits = recordsPerMonth(fleet) * Math.ceil(recordOf(fleet).bytes / PUT_UNIT_BYTES);
  const keeping = fleet.retentionS > DAY_S ? shardHours : 0;
  return [
    { part, what: "shards", quantity: shardHours, price: "kinesisShardHour" },
    { part, what: "records in", quantity: putUnits, price: "kinesisPutUnit" },
    { part, what: "records kept after a day", quantity: keeping, price: "kinesisShardHourExtended" },
  ];
}

const FIREHOSE_STEP_BYTES = 5 * KB;

/** Objects that Firehose writes: one a time of buffering, or one a full buffer. */
export function archiveObjectsPerMonth(fleet: Fleet): number {
  const byTime = MONTH_S / STACK.archiveObjectS;
  return Math.max(byTime, (readingsPerMonth(fleet) * READING_BYTES) / STACK.archiveObjectBytes);
}

function archive(fleet: Fleet): readonly Line[] {
  const part = "archive";
  // Firehose takes aggregates apart; that each reading is rounded up by itself is the dearer of two ways to read AWS's page.
  const firehoseGb = (readingsPerMonth(fleet) * roundedUp(READING_BYTES, FIREHOSE_STEP_BYTES)) / GB;
  const keptGb = (readingsPerMonth(fleet) * READING_BYTES * fleet.historyMonths) / ASSUMED.archiveCompression / GB;
  return [
    { part, what: "Firehose, a reading counting as 5 KB", quantity: firehoseGb, price: "firehoseGb" },
    { part, what: "objects written", quantity: archiveObjectsPerMonth(fleet), price: "s3Put" },
    { part, what: "history, gzipped", quantity: keptGb, price: "s3GbMonth" },
  ];
}

/** Bytes that a reading leaves in the tables for good: its row, and its part of an hour's. */
export function storedBytesPerReading(fleet: Fleet): number {
  return READING_STORED_BYTES + HOUR_STORED_BYTES * writeUnits(fleet).hour;
}

function tables(fleet: Fleet): readonly Line[] {
  const part = "tables";
  const readings = readingsPerMonth(fleet);
  const units = writeUnits(fleet);
  const keptGb = (readings * fleet.historyMonths * storedBytesPerReading(fleet)) / GB;
  const write = (what: string, each: number): Line => ({
    part,
    what,
    quantity: readings * each,
    price: "dynamoDbWriteUnit",
  });
  return [
    write("rows of readings", units.row),
    write("rows of hours", units.hour),
    write("snapshots of sites", units.snapshot),
    write("marks of shards", units.mark),
    write("findings: index, snapshots, alerts", units.anomalies),
    { part, what: "reads of the consumer", quantity: readings * readUnitsPerReading(fleet), price: "dynamoDbReadUnit" },
    {
      part,
      what: "reads of the check of silent sites",
      quantity: CHECKS_PER_MONTH * readUnitsPerCheck(fleet),
      price: "dynamoDbReadUnit",
    },
    { part, what: "history", quantity: keptGb, price: "dynamoDbGbMonth" },
    { part, what: "point-in-time recovery of it", quantity: keptGb, price: "dynamoDbRecoveryGbMonth" },
  ];
}

function gbSeconds(seconds: number, memoryMb: number): number {
  return (seconds * memoryMb) / KB;
}

function functions(fleet: Fleet): readonly Line[] {
  const part = "functions";
  const consumerS = busyShare(fleet) * MONTH_S;
  const checkS = CHECKS_PER_MONTH * meanCheckS(fleet);
  return [
    { part, what: "consumer, calls", quantity: batchesPerS(fleet) * MONTH_S, price: "lambdaRequest" },
    { part, what: "consumer, time", quantity: gbSeconds(consumerS, STACK.consumerMemoryMb), price: "lambdaGbSecond" },
    { part, what: "check of silent sites, calls", quantity: CHECKS_PER_MONTH, price: "lambdaRequest" },
    {
      part,
      what: "check of silent sites, time",
      quantity: gbSeconds(checkS, STACK.silenceCheckMemoryMb),
      price: "lambdaGbSecond",
    },
    { part, what: "its schedule", quantity: CHECKS_PER_MONTH, price: "scheduledCall" },
  ];
}

/** Alerts that are told in a month: an episode opens and closes. */
export function alertsPerMonth(fleet: Fleet): number {
  return (2 * readingsPerMonth(fleet) * fleet.anomalousShare) / ASSUMED.readingsPerEpisode;
}

function alerts(fleet: Fleet): readonly Line[] {
  return [{ part: "alerts", what: "alerts told", quantity: alertsPerMonth(fleet), price: "snsPublish" }];
}

function api(fleet: Fleet): readonly Line[] {
  const part = "API";
  const requests = fleet.apiRequestsPerMonth;
  return [
    { part, what: "requests", quantity: requests, price: "apiRequest" },
    { part, what: "function, calls", quantity: requests, price: "lambdaRequest" },
    {
      part,
      what: "function, time",
      quantity: gbSeconds(requests * ASSUMED.apiRequestS, STACK.apiMemoryMb),
      price: "lambdaGbSecond",
    },
    { part, what: "reads", quantity: requests * ASSUMED.readUnitsPerApiRequest, price: "dynamoDbReadUnit" },
  ];
}

/** X-Ray records one call a second and its share of the others. */
function traces(callsPerMonth: number): number {
  const first = Math.min(callsPerMonth, MONTH_S);
  return first + (callsPerMonth - first) * ASSUMED.traceShare;
}

function watching(fleet: Fleet): readonly Line[] {
  const part = "watching";
  const batches = batchesPerS(fleet) * MONTH_S;
  const requests = fleet.apiRequestsPerMonth;
  const logBytes = [
    batches * (BATCH_LOG_BYTES + ASSUMED.platformLogBytes),
    requests * (API_LOG_BYTES + ASSUMED.platformLogBytes),
    CHECKS_PER_MONTH * ASSUMED.platformLogBytes,
  ].reduce((sum, bytes) => sum + bytes, 0);
  const traced = [batches, requests, CHECKS_PER_MONTH].map(traces).reduce((sum, count) => sum + count, 0);
  return [
    { part, what: "logs, which carry the metrics", quantity: logBytes / GB, price: "logsGb" },
    { part, what: "metrics", quantity: metricCount(), price: "metricMonth" },
    { part, what: "alarms", quantity: STACK.alarms, price: "alarmMonth" },
    { part, what: "dashboard", quantity: STACK.dashboards, price: "dashboardMonth" },
    { part, what: "traces", quantity: traced, price: "trace" },
  ];
}

/** Who asks KMS for a data key: each shard's writer and readers, each function for each table, each object of the archive. */
function key(fleet: Fleet): readonly Line[] {
  const part = "key";
  const perKeyHolder = MONTH_S / ASSUMED.dataKeyS;
  const holders = shards(fleet) * (1 + READERS_OF_THE_STREAM) + STACK.tables * STACK.functions;
  const requests = holders * perKeyHolder + archiveObjectsPerMonth(fleet) + alertsPerMonth(fleet);
  return [
    { part, what: "the key", quantity: STACK.keys, price: "kmsKeyMonth" },
    { part, what: "requests for data keys", quantity: requests, price: "kmsRequest" },
  ];
}
