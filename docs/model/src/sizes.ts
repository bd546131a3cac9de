// What one thing takes in bytes: a reading on the stream, an aggregate of readings, an item in DynamoDB.
//
// What must always hold: sizes are worked out from the forms themselves, none is a guess.

export const KB = 1_024;
export const GB = 1_024 ** 3;

/** The reading of the README, with a site's id of the usual length. */
export const TYPICAL_READING =
  '{"site_id":"site-alpha-pv-farm-01","timestamp":"2025-06-20T00:00:00Z","energy_generated_kwh":12.34,"energy_consumed_kwh":8.9}';

export const TYPICAL_SITE_ID = "site-alpha-pv-farm-01";

/** A line of the archive is the reading and a newline; the record on the stream is the same bytes. */
export const READING_BYTES = Buffer.byteLength(TYPICAL_READING) + 1;

export const KEY_BYTES = Buffer.byteLength(TYPICAL_SITE_ID);

/** To this an aggregate is filled: the default of the Kinesis Producer Library. */
export const AGGREGATE_BYTES_MAX = 51_200;

const MAGIC_BYTES = 4;
const DIGEST_BYTES = 16;
const TAG_BYTES = 1;

/** Bytes of a protocol buffers varint. */
function varintBytes(value: number): number {
  return value < 128 ? 1 : 1 + varintBytes(Math.floor(value / 128));
}

function fieldBytes(bodyBytes: number): number {
  return TAG_BYTES + varintBytes(bodyBytes) + bodyBytes;
}

/** The bytes of an aggregate of readings that all have one partition key. */
export function aggregateBytes(readings: number, readingBytes: number, keyBytes: number): number {
  const keyIndexBytes = TAG_BYTES + 1;
  const entryBytes = fieldBytes(keyIndexBytes + fieldBytes(readingBytes));
  return MAGIC_BYTES + fieldBytes(keyBytes) + readings * entryBytes + DIGEST_BYTES;
}

/** The most readings of one site that an aggregate holds. */
export function readingsPerAggregate(readingBytes: number, keyBytes: number): number {
  const empty = aggregateBytes(0, readingBytes, keyBytes);
  const entry = aggregateBytes(1, readingBytes, keyBytes) - empty;
  return Math.floor((AGGREGATE_BYTES_MAX - empty) / entry);
}

/** A value as DynamoDB's JSON has it. */
export type AttributeValue =
  | { readonly S: string }
  | { readonly N: string }
  | { readonly B: string }
  | { readonly BOOL: boolean }
  | { readonly L: readonly AttributeValue[] }
  | { readonly M: Item };

export interface Item {
  readonly [name: string]: AttributeValue;
}

const COLLECTION_BYTES = 3;
const ELEMENT_BYTES = 1;

/** An item's size by the developer guide's “DynamoDB item sizes and formats”. */
export function itemBytes(item: Item): number {
  return sum(Object.entries(item).map(([name, value]) => Buffer.byteLength(name) + valueBytes(value)));
}

function valueBytes(value: AttributeValue): number {
  if ("S" in value) return Buffer.byteLength(value.S);
  if ("N" in value) return Math.ceil(value.N.replace(/[-.]/g, "").length / 2) + 1;
  if ("B" in value) return Buffer.from(value.B, "base64").length;
  if ("BOOL" in value) return 1;
  if ("L" in value) return COLLECTION_BYTES + sum(value.L.map((element) => ELEMENT_BYTES + valueBytes(element)));
  return COLLECTION_BYTES + itemBytes(value.M) + ELEMENT_BYTES * Object.keys(value.M).length;
}

/** DynamoDB bills an item's own bytes and this for its index entry. */
const ITEM_OVERHEAD_BYTES = 100;

const SEQUENCE_NUMBER = "49590338271490256608559692538361571095921575989136588898";
const POSITION = { S: `shardId-000000000003:${SEQUENCE_NUMBER}:0` };

/** A row of the table readings, as docs/tables.md has it. */
export const READING_ITEM: Item = {
  site_id: { S: TYPICAL_SITE_ID },
  timestamp: { S: "2025-06-20T00:00:00.000Z" },
  energy_generated_kwh: { N: "12.34" },
  energy_consumed_kwh: { N: "8.9" },
  net_energy_kwh: { N: "3.44" },
  anomaly: { BOOL: false },
  position: POSITION,
};

/** A row of the table hours, as docs/tables.md has it. */
export const HOUR_ITEM: Item = {
  site_id: { S: TYPICAL_SITE_ID },
  hour: { S: "2025-06-20T00:00:00.000Z" },
  records: { N: "12" },
  anomalies: { N: "0" },
  energy_generated_kwh: { N: "148.08" },
  energy_generated_kwh_min: { N: "11.9" },
  energy_generated_kwh_max: { N: "12.34" },
  energy_consumed_kwh: { N: "106.8" },
  energy_consumed_kwh_min: { N: "8.25" },
  energy_consumed_kwh_max: { N: "8.9" },
  position: POSITION,
};

export const READING_STORED_BYTES = itemBytes(READING_ITEM) + ITEM_OVERHEAD_BYTES;
export const HOUR_STORED_BYTES = itemBytes(HOUR_ITEM) + ITEM_OVERHEAD_BYTES;

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
