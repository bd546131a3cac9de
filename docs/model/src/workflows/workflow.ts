// Workflows and composite actions of GitHub, as far as the rules look at them.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

export interface Step {
  readonly name?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, unknown>>;
}

export interface Job {
  readonly if?: string;
  readonly needs?: string | readonly string[];
  readonly environment?: string | { readonly name: string };
  readonly permissions?: Readonly<Record<string, string>>;
  readonly concurrency?: unknown;
  readonly "runs-on"?: string;
  readonly "timeout-minutes"?: number;
  readonly steps?: readonly Step[];
}

interface Content {
  readonly on?: unknown;
  readonly permissions?: unknown;
  readonly concurrency?: unknown;
  readonly defaults?: { readonly run?: { readonly shell?: string } };
  readonly jobs?: Readonly<Record<string, Job>>;
  /** Of a composite action. */
  readonly runs?: { readonly steps?: readonly Step[] };
}

/** A file, as text and as what it says. */
export interface Source {
  /** Below `.github`. */
  readonly path: string;
  readonly text: string;
  readonly content: Content;
}

export function sourceOf(path: string, text: string): Source {
  return { path, text, content: parse(text) as Content };
}

export function jobsOf(source: Source): readonly (readonly [name: string, job: Job])[] {
  return Object.entries(source.content.jobs ?? {});
}

/** Every step, of jobs and of a composite action. */
export function stepsOf(source: Source): readonly Step[] {
  return [...jobsOf(source).flatMap(([, job]) => job.steps ?? []), ...(source.content.runs?.steps ?? [])];
}

/** The names of the events that start a workflow. */
export function eventsOf(source: Source): readonly string[] {
  const { on } = source.content;
  if (typeof on === "string") return [on];
  return Array.isArray(on) ? on.map(String) : Object.keys(on ?? {});
}

export function environmentOf(job: Job): string | undefined {
  return typeof job.environment === "object" ? job.environment.name : job.environment;
}

/** The workflows and composite actions below a folder such as `.github`. */
export function sourcesBelow(folder: string): readonly Source[] {
  const paths = readdirSync(folder, { recursive: true, encoding: "utf8" }).map((path) => path.replaceAll("\\", "/"));
  const wanted = paths.filter((path) => /^(workflows\/[^/]+|actions\/.+\/action)\.ya?ml$/.test(path)).sort();
  return wanted.map((path) => sourceOf(path, readFileSync(join(folder, path), "utf8")));
}
