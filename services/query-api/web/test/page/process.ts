// The real process that the page is tested against, and where it comes from. What must always hold: a test that cannot run says why;
// each process has a folder and a port of its own, and ends with its test.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

const ROOT = resolve(import.meta.dirname, "../../../../..");
const BINARY = process.env["WATTSTREAM_BIN"] ?? join(ROOT, "target/debug/wattstream");
const SERIES = resolve(ROOT, "../shared/data/energy/faults");

/** A year of six homes with solar panels, with faults injected; see the README beside the data. */
const HOMES = /^home\d+\.csv$/;

export const CHROMIUM = process.env["WATTSTREAM_CHROMIUM"] ?? "/usr/bin/chromium";
export const IMAGES = join(ROOT, "docs/images");

/** What is missing here, and how to mend it; null when everything is there. */
export function missing(): string | null {
  if (!existsSync(BINARY)) return `${BINARY} is missing: cargo build --workspace --all-features --bin wattstream`;
  if (!existsSync(SERIES)) return "the series of real sites are not beside this checkout, in ../shared/data";
  if (!existsSync(CHROMIUM)) return `${CHROMIUM} is missing: apt-get install chromium`;
  return null;
}

export interface Running {
  url: string;
  stop(): Promise<void>;
}

/** A process over an empty folder. */
export async function started(
  flags: string[] = [],
  folder = mkdtempSync(join(tmpdir(), "wattstream-page-")),
): Promise<Running> {
  const args = ["up", "--no-simulator", "--listen", "127.0.0.1:0", "--data-dir", join(folder, "data"), ...flags];
  const child = spawn(BINARY, args, { stdio: ["ignore", "pipe", "ignore"] });
  const url = await firstLine(child);
  const stop = async () => {
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  return { url, stop };
}

/** A process over a year of real homes. */
export async function startedWithHomes(): Promise<Running> {
  const folder = mkdtempSync(join(tmpdir(), "wattstream-page-"));
  const files = readdirSync(SERIES).filter((name) => HOMES.test(name));
  const ingest = spawnSync(BINARY, [
    "ingest",
    ...files.map((name) => join(SERIES, name)),
    "--data-dir",
    join(folder, "data"),
  ]);
  // Some lines of the series are no readings, and the command says so with 1.
  if (ingest.status !== 0 && ingest.status !== 1) throw new Error(`ingest: ${ingest.stderr}`);
  return started([], folder);
}

function firstLine(child: ChildProcess): Promise<string> {
  const { stdout } = child;
  if (!stdout) throw new Error("the process has no output");
  return new Promise((resolve, reject) => {
    createInterface(stdout).once("line", (line) => resolve(line.trim().replace(/\/$/, "")));
    child.once("exit", (code) => reject(new Error(`the process ended with ${code} before it said where it listens`)));
  });
}

export interface PostedReading {
  site_id: string;
  timestamp: string;
  energy_generated_kwh: number;
  energy_consumed_kwh: number;
}

/** Sends readings as a gateway does. */
export async function post(running: Running, readings: PostedReading[]): Promise<void> {
  const answer = await fetch(`${running.url}/readings`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(readings),
  });
  if (!answer.ok) throw new Error(`POST /readings: ${answer.status} ${await answer.text()}`);
}

// biome-ignore lint/suspicious/noExplicitAny: the tests compare what the page shows with what the API says, whatever it is.
export async function api(running: Running, path: string): Promise<any> {
  return (await fetch(`${running.url}${path}`)).json();
}
