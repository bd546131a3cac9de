// A fleet: what a cost or a need is worked out from.

import { LIMITS } from "./limits.ts";
import { STACK } from "./stack.ts";
import { DAY_S, formatDuration, MINUTE_S, MONTH_S, parseDuration } from "./time.ts";

export const MODES = ["on-demand", "provisioned"] as const;
export type StreamMode = (typeof MODES)[number];

export interface Fleet {
  readonly sites: number;
  /** The metering interval: a site has one reading for each. */
  readonly intervalS: number;
  /** A site sends all that it has metered since it sent last, once in this time. */
  readonly uploadS: number;
  /** The fleet's uploads of one round arrive spread over this time. */
  readonly arrivalS: number;
  readonly mode: StreamMode;
  /** Whether the readings that a site sends at once share records. */
  readonly isAggregated: boolean;
  readonly retentionS: number;
  /** How long Lambda waits for a batch to fill. */
  readonly windowS: number;
  /** The share of readings with a finding. */
  readonly anomalousShare: number;
  /** The readings of so many months are in the tables and in the archive. */
  readonly historyMonths: number;
  readonly apiRequestsPerMonth: number;
}

/** Names of the command line, and what a fleet is unless told otherwise. */
const DEFAULTS = {
  sites: 1_000,
  intervalS: 5 * MINUTE_S,
  mode: "on-demand",
  isAggregated: true,
  retentionS: STACK.retentionS,
  windowS: STACK.batchWindowS,
  anomalousShare: 0.001,
  historyMonths: 12,
  apiRequestsPerMonth: 100_000,
} as const satisfies Partial<Fleet>;

/** A fleet that is as usual where nothing else is said: a site sends each reading by itself, spread over the interval. */
export function fleet(told: Partial<Fleet> = {}): Fleet {
  const { intervalS } = { ...DEFAULTS, ...told };
  const uploadS = told.uploadS ?? intervalS;
  const made: Fleet = { ...DEFAULTS, uploadS, arrivalS: uploadS, ...told };
  const mistake = mistakeIn(made);
  if (mistake !== undefined) throw new Error(mistake);
  return made;
}

function mistakeIn(fleet: Fleet): string | undefined {
  const {
    sites,
    intervalS,
    uploadS,
    arrivalS,
    retentionS,
    windowS,
    anomalousShare,
    historyMonths,
    apiRequestsPerMonth,
  } = fleet;
  if (!Number.isInteger(sites) || sites < 1) return `a fleet has a whole number of sites, at least 1, not ${sites}`;
  if (uploadS < intervalS) return `a site has nothing to send every ${formatDuration(uploadS)}: its interval is longer`;
  if (uploadS % intervalS !== 0) return "the time between uploads is a whole number of intervals";
  if (arrivalS > uploadS) return "a round of uploads cannot take longer than the time until the next";
  if (retentionS < DAY_S || retentionS > 7 * DAY_S) return "the model knows retentions from 24h to 7d";
  if (windowS < 1 || windowS > LIMITS.batchWindowS.value) return "a window is from 1s to 5m long";
  if (!(anomalousShare >= 0 && anomalousShare <= 1)) return `a share is between 0 and 1, not ${anomalousShare}`;
  if (!(historyMonths > 0)) return `there are no ${historyMonths} months of history`;
  if (!(apiRequestsPerMonth >= 0)) return `there are no ${apiRequestsPerMonth} requests`;
  return undefined;
}

export function readingsPerS(fleet: Fleet): number {
  return fleet.sites / fleet.intervalS;
}

export function readingsPerMonth(fleet: Fleet): number {
  return readingsPerS(fleet) * MONTH_S;
}

/** What a site sends at once. */
export function readingsPerUpload(fleet: Fleet): number {
  return fleet.uploadS / fleet.intervalS;
}

/** Options of the command line by name. Every one takes a value. */
const OPTIONS: Readonly<Record<string, (value: string) => Partial<Fleet>>> = {
  sites: (value) => ({ sites: Number(value) }),
  interval: (value) => ({ intervalS: parseDuration(value) }),
  upload: (value) => ({ uploadS: parseDuration(value) }),
  arrival: (value) => ({ arrivalS: parseDuration(value) }),
  mode: (value) => ({ mode: oneOf(MODES, value) }),
  aggregated: (value) => ({ isAggregated: oneOf(["yes", "no"], value) === "yes" }),
  retention: (value) => ({ retentionS: parseDuration(value) }),
  window: (value) => ({ windowS: parseDuration(value) }),
  anomalous: (value) => ({ anomalousShare: Number(value) }),
  history: (value) => ({ historyMonths: Number(value) }),
  requests: (value) => ({ apiRequestsPerMonth: Number(value) }),
};

export const USAGE = `usage: npm run cost -- [--sites 1000] [--interval 5m] [--mode on-demand|provisioned] [--upload INTERVAL]
  [--aggregated yes|no] [--arrival UPLOAD] [--retention 7d] [--window 1s] [--anomalous 0.001] [--history 12] [--requests 100000]`;

function oneOf<T extends string>(allowed: readonly T[], value: string): T {
  const found = allowed.find((candidate) => candidate === value);
  if (found === undefined) throw new Error(`“${value}” is not one of ${allowed.join(", ")}`);
  return found;
}

/** The fleet that a command line describes: `--sites 250 --interval 5m`. */
export function parseFleet(words: readonly string[]): Fleet {
  let told: Partial<Fleet> = {};
  for (let index = 0; index < words.length; index += 2) {
    const [word = "", value] = words.slice(index, index + 2);
    const read = word.startsWith("--") ? OPTIONS[word.slice(2)] : undefined;
    if (read === undefined) throw new Error(`there is no option ${word}\n${USAGE}`);
    if (value === undefined) throw new Error(`${word} needs a value\n${USAGE}`);
    told = { ...told, ...read(value) };
  }
  return fleet(told);
}
