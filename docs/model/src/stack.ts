// What the model has to know of the deployed stack. The stack itself is infra-cdk; a test compares the two where
// infra-cdk writes a setting down.

import { HOUR_S, MINUTE_S } from "./time.ts";

export const STACK = {
  /** The event source of the consumer. */
  batchRecords: 10_000,
  batchWindowS: 5,
  consumerMemoryMb: 256,
  /** The check of silent sites: how often, its memory, and how many intervals of silence it waits for. */
  silenceCheckS: 5 * MINUTE_S,
  silenceCheckMemoryMb: 512,
  silenceCheckTimeoutS: 300,
  silentAfterIntervals: 6,
  apiMemoryMb: 256,
  /** Firehose writes an object when one of the two is reached, the size counted before compression. */
  archiveObjectS: 15 * MINUTE_S,
  archiveObjectBytes: 128 * 1_024 * 1_024,
  /** Kept by prod, and by nothing else. */
  retentionS: 168 * HOUR_S,
  tables: 6,
  functions: 4,
  keys: 1,
  alarms: 30,
  dashboards: 1,
} as const;
