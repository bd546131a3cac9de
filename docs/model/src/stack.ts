// What the model has to know of the deployed stack: the stage prod of infra-cdk. A test compares the two.

import { DAY_S, MINUTE_S } from "./time.ts";

export const STACK = {
  /** The event source of the consumer. */
  batchRecords: 1_000,
  batchWindowS: 1,
  consumerMemoryMb: 512,
  /** The check of silent sites: how often, how long at most, its memory, and how many intervals of silence it waits for. */
  silenceCheckS: 5 * MINUTE_S,
  silenceCheckTimeoutS: 120,
  silenceCheckMemoryMb: 512,
  silentAfterIntervals: 6,
  apiMemoryMb: 1_024,
  /** Firehose writes an object when one of the two is reached, the size counted before compression. */
  archiveObjectS: 5 * MINUTE_S,
  archiveObjectBytes: 64 * 1_024 * 1_024,
  retentionS: 7 * DAY_S,
  tables: 6,
  /** The consumer, the check of silent sites, the API. */
  functions: 3,
  keys: 1,
  alarms: 19,
  dashboards: 1,
} as const;
