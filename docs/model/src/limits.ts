// The limits of AWS, and our own, that a fleet meets as it grows.
//
// What must always hold: a limit has its number, its unit and the page that states it; whoever reckons with a limit takes it
// from here.

export interface Limit {
  readonly value: number;
  readonly unit: string;
  /** The page of AWS, or the file of this repository, that states it. */
  readonly stated: string;
}

function limit(value: number, unit: string, stated: string): Limit {
  return { value, unit, stated };
}

const KINESIS = "Kinesis Data Streams developer guide, “Quotas and limits”";
const KINESIS_API = "Kinesis API reference, GetRecords";
const EVENT_SOURCE = "Lambda API reference, CreateEventSourceMapping";
const LAMBDA = "Lambda developer guide, “Lambda quotas”";
const DYNAMODB_PARTITION = "DynamoDB developer guide, “Designing partition keys”";
const DYNAMODB_START = "DynamoDB developer guide, “On-demand capacity mode”";

/** What Kinesis calls 1 MB may be more; this is the safe side. */
const MB = 1_000_000;

export const LIMITS = {
  shardRecordsPerS: limit(1_000, "records a second and shard, written", KINESIS),
  shardBytesPerS: limit(MB, "bytes a second and shard, written", KINESIS),
  shardReadBytesPerS: limit(2 * MB, "bytes a second and shard, read by all polling readers together", KINESIS),
  shardReadsPerS: limit(5, "GetRecords a second and shard, of all polling readers together", KINESIS_API),
  getRecordsMax: limit(10_000, "records a GetRecords", KINESIS_API),
  onDemandStartBytesPerS: limit(4 * MB, "bytes a second into a new on-demand stream", KINESIS),
  onDemandStartRecordsPerS: limit(4_000, "records a second into a new on-demand stream", KINESIS),
  onDemandSplitBytesPerS: limit(500_000, "bytes a second at which an on-demand shard is split", KINESIS),
  onDemandGrowth: limit(2, "times the peak of the last 30 days that an on-demand stream takes at once", KINESIS),
  batchRecords: limit(10_000, "records a batch", EVENT_SOURCE),
  batchWindowS: limit(300, "seconds that a batch may wait to fill", EVENT_SOURCE),
  invokeBytes: limit(6 * 1_024 * 1_024, "bytes of a synchronous invocation, JSON and base64 included", LAMBDA),
  invocationS: limit(900, "seconds of an invocation", LAMBDA),
  concurrency: limit(1_000, "invocations at once in an account and region, until raised", LAMBDA),
  batchWriteItems: limit(25, "items a BatchWriteItem", "DynamoDB API reference, BatchWriteItem"),
  partitionWritesPerS: limit(1_000, "write units a second and partition", DYNAMODB_PARTITION),
  onDemandTableStartWritesPerS: limit(4_000, "writes a second into a new on-demand table", DYNAMODB_START),
  onDemandTableGrowth: limit(2, "times the previous peak that an on-demand table takes at once", DYNAMODB_START),
  onDemandTableWritesPerS: limit(
    40_000,
    "write units a second and table, until raised",
    "DynamoDB developer guide, “Quotas”",
  ),
  snsPublishesPerS: limit(
    30_000,
    "publishes a second in us-east-1; 300 in small regions",
    "Amazon SNS endpoints and quotas",
  ),
  apiRequestsPerS: limit(10_000, "requests a second in an account and region, until raised", "API Gateway quotas"),
  replyBytes: limit(6 * 1_024 * 1_024 - 64 * 1_024, "bytes of a reply", "services/query-api/src/gateway/reply.rs"),
  sitesExact: limit(500, "sites that a summary brings up to the last row", "shared/engine/src/ports.rs"),
  fleetBuckets: limit(16, "partitions of the index of all sites", "shared/aws/src/dynamodb/schema.rs"),
  confirmationsAtOnce: limit(
    16,
    "sites that the check of silent sites looks at together",
    "shared/engine/src/silence_watch.rs",
  ),
  requestsInFlight: limit(16, "requests to DynamoDB at once from an instance", "shared/aws/src/dynamodb.rs"),
  deadLettersLookedThrough: limit(
    10_000,
    "dead letters that a look through the queue takes",
    "shared/aws/src/sqs/peek.rs",
  ),
} as const satisfies Record<string, Limit>;
