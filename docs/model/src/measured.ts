// What was measured in this repository, and what nobody has measured yet but the model needs.
//
// What must always hold: a measured figure stands in docs/performance.md with its command, and a test looks it up there; an
// assumption says what it is an assumption about.

export const MEASURED = {
  /** Processor time of the consumer from a Kinesis event to built write requests. */
  consumerUsPerRecord: 1.7,
  /** Write units a reading over a day of 100 sites a shard, no anomalies. */
  writeUnits5Minutes: 1.177,
  writeUnits1Minute: 1.043,
  /** JSON of `GET /summary` of 10,000 sites. */
  summaryMbOf10kSites: 3.9,
} as const;

/** Never measured against AWS itself: there was none to measure. */
export const ASSUMED = {
  /** A request to DynamoDB, from the function and back. AWS speaks of single-digit milliseconds. */
  dynamoDbRequestS: 0.01,
  /** Processor time of a request on the function's side: signing, TLS, JSON. */
  requestCpuS: 0.0001,
  /** A vCPU comes with this much memory. */
  memoryMbPerVcpu: 1_769,
  /** Of the rate that a provisioned shard could take; keys never spread evenly. */
  shardUse: 0.7,
  /** The archive's lines, gzipped: a test compresses some and asks for at least this. */
  archiveCompression: 5,
  /** Anomalous readings that make up an episode, which opens and closes with an alert each. */
  readingsPerEpisode: 3,
  /** Read units and seconds of a request to the API, a page of readings or a small summary. */
  readUnitsPerApiRequest: 25,
  apiRequestS: 0.05,
  /** Of the calls beyond one a second, X-Ray records so many: its default rule. */
  traceShare: 0.05,
  /** Lambda's own three lines about an invocation. */
  platformLogBytes: 400,
  /** How long a service or a client keeps a data key before it asks KMS again. */
  dataKeyS: 300,
} as const;
