// The settings of a stage. What must always hold: this file is the only reader of the app's context and environment, and a
// value that it does not understand ends the synthesis with one message that names everything that is wrong.

import { join } from "node:path";
import { Duration, RemovalPolicy } from "aws-cdk-lib";
import { RetentionDays } from "aws-cdk-lib/aws-logs";

/** Where the context is read from: the app, or a record of a test. */
export interface Context {
  tryGetContext(key: string): unknown;
}

export const STAGES = ["dev", "prod"] as const;
export type StageName = (typeof STAGES)[number];

export const ARCHITECTURES = ["arm64", "x86_64"] as const;
export type ArchitectureName = (typeof ARCHITECTURES)[number];

/** How much a stream takes: shards that somebody counts, or as many as there is traffic for. */
export type StreamCapacity = { readonly mode: "provisioned"; readonly shards: number } | { readonly mode: "on-demand" };

/** Who may ask the API: who signs with IAM credentials, or who shows a token of this issuer. */
export type Authorization =
  | { readonly kind: "iam" }
  | { readonly kind: "jwt"; readonly issuer: string; readonly audiences: readonly string[] };

/** The fleet that the simulator sends. */
export interface FleetSettings {
  readonly sites: number;
  /** The metering interval. The schedule's rate is the same, or intervals would be missing. */
  readonly interval: Duration;
}

/** What differs between stages. */
interface StageSettings {
  /** Whether the stage holds something that must survive mistakes: deletion, replacement, a bad write. */
  readonly isKept: boolean;
  readonly streamCapacity: StreamCapacity;
  readonly streamRetention: Duration;
  readonly logRetention: RetentionDays;
  /** Absent where real sites send. */
  readonly fleet?: FleetSettings;
  readonly budgetUsdPerMonth: number;
  readonly apiRequestsPerSecond: number;
}

/** Everything that the stacks are made from. */
export interface Settings extends StageSettings {
  readonly stage: StageName;
  /** Holds `<function>/bootstrap` for each function. */
  readonly functionsDirectory: string;
  readonly architecture: ArchitectureName;
  readonly authorization: Authorization;
  /** The origins whose pages may read the API; none unless named. */
  readonly corsOrigins: readonly string[];
  /** Who gets the alarms and the budget's warnings as mail. */
  readonly operatorsEmail?: string;
  /** The address of a local AWS. */
  readonly localEndpoint?: string;
}

const OF_STAGES: Readonly<Record<StageName, StageSettings>> = {
  dev: {
    isKept: false,
    streamCapacity: { mode: "provisioned", shards: 1 },
    // A day longer than Lambda tries: docs/decisions/0010.
    streamRetention: Duration.hours(48),
    logRetention: RetentionDays.TWO_WEEKS,
    // The first reading is there within a minute; at five minutes, the usual interval, one would wait for it.
    fleet: { sites: 12, interval: Duration.minutes(1) },
    // docs/cost.md reckons with $47 before free allowances.
    budgetUsdPerMonth: 60,
    apiRequestsPerSecond: 20,
  },
  prod: {
    isKept: true,
    streamCapacity: { mode: "on-demand" },
    streamRetention: Duration.hours(168),
    logRetention: RetentionDays.THREE_MONTHS,
    budgetUsdPerMonth: 500,
    apiRequestsPerSecond: 100,
  },
};

/** Where `cargo xtask lambda` puts the functions. */
const BUILT_FUNCTIONS = join(__dirname, "../../target/lambda");

/** The settings that a context asks for: `cdk synth -c stage=prod -c architecture=x86_64`. */
export function settingsFrom(context: Context): Settings {
  const mistakes: string[] = [];
  const text = (key: string) => textOf(context, key, mistakes);
  const stage = oneOf(STAGES, "stage", text("stage") ?? "dev", mistakes);
  const architecture = oneOf(ARCHITECTURES, "architecture", text("architecture") ?? "arm64", mistakes);
  const authorization = authorizationOf(text("jwt-issuer"), text("jwt-audiences"), mistakes);
  const corsOrigins = originsOf(text("cors-origins"), mistakes);
  const operatorsEmail = matching(EMAIL, "email", text("email"), mistakes);
  const localEndpoint = matching(ENDPOINT, "endpoint", text("endpoint"), mistakes);
  const functionsDirectory = text("functions") ?? BUILT_FUNCTIONS;
  if (mistakes.length > 0) {
    throw new Error(`the context is not right: ${mistakes.join("; ")}`);
  }
  return {
    ...OF_STAGES[stage],
    stage,
    functionsDirectory,
    architecture,
    authorization,
    corsOrigins,
    ...(operatorsEmail !== undefined && { operatorsEmail }),
    ...(localEndpoint !== undefined && { localEndpoint }),
  };
}

/**
 * What becomes of a stage's data when its stack is deleted. What a creation made that failed goes in any case: nothing is in it yet,
 * and its names would be in the way of the next attempt.
 */
export function removalPolicyOf(settings: Settings): RemovalPolicy {
  return settings.isKept ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY;
}

interface Form {
  readonly pattern: RegExp;
  readonly description: string;
}

const EMAIL: Form = { pattern: /^[^@\s]+@[^@\s]+\.[^@\s]+$/, description: "a mail address" };
const ENDPOINT: Form = {
  pattern: /^https?:\/\/[^/\s]+$/,
  description: "http://HOST:PORT of a local AWS, without a path",
};
const ORIGIN: Form = {
  pattern: /^https?:\/\/[a-z0-9.-]+(:[0-9]+)?$/,
  description: "the exact origin of a page, such as https://energy.example.com, without a path",
};
const ISSUER: Form = { pattern: /^https:\/\/\S+$/, description: "the https URL of an issuer" };

/** A value of the context; one that is there and says nothing is a mistake, such as an unset variable of a shell makes. */
function textOf(context: Context, key: string, mistakes: string[]): string | undefined {
  const value = context.tryGetContext(key);
  if (value === undefined) {
    return undefined;
  }
  if (typeof value !== "string" || value.trim() === "") {
    mistakes.push(`${key} is empty or no text: leave it out or give it a value`);
    return undefined;
  }
  return value;
}

function oneOf<T extends string>(allowed: readonly [T, ...T[]], key: string, value: string, mistakes: string[]): T {
  const found = allowed.find((name) => name === value);
  if (found === undefined) {
    mistakes.push(`${key} is "${value}": it is one of ${allowed.join(", ")}`);
  }
  return found ?? allowed[0];
}

function matching(form: Form, key: string, value: string | undefined, mistakes: string[]): string | undefined {
  if (value !== undefined && !form.pattern.test(value)) {
    mistakes.push(`${key} is "${value}": it is ${form.description}`);
  }
  return value;
}

function originsOf(value: string | undefined, mistakes: string[]): readonly string[] {
  const origins = value?.split(",") ?? [];
  for (const origin of origins) {
    matching(ORIGIN, "cors-origins", origin, mistakes);
  }
  return origins;
}

function authorizationOf(issuer: string | undefined, audiences: string | undefined, mistakes: string[]): Authorization {
  if (issuer === undefined && audiences === undefined) {
    return { kind: "iam" };
  }
  if (issuer === undefined || audiences === undefined) {
    mistakes.push("jwt-issuer and jwt-audiences go together: tokens are checked by both");
    return { kind: "iam" };
  }
  matching(ISSUER, "jwt-issuer", issuer, mistakes);
  return { kind: "jwt", issuer, audiences: audiences.split(",") };
}
