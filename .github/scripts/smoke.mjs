// Whether a deployed stage works: `smoke.mjs OUTPUTS [--first-reading 10m] [--url URL] [--host HOST] [--without-authorizer]`.
//
// OUTPUTS is what `cdk deploy --outputs-file OUTPUTS` wrote. Credentials and region come from the environment (AWS_ACCESS_KEY_ID and
// so on, AWS_REGION); requests are signed by curl. Against a local AWS `--url` says where the API is, `--host` what the request calls
// it, and `--without-authorizer` that everybody is let in there.
//
// What must always hold: nothing is changed; every check that fails says what was expected and what came; credentials are never
// in the arguments of a process, where others could read them.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const REQUEST_TIMEOUT_S = 30;
const LOOK_EVERY_MS = 10_000;
const UNITS_MS = { s: 1_000, m: 60_000, h: 3_600_000 };

const OPTIONS = {
  "first-reading": { type: "string", default: "never" },
  url: { type: "string" },
  host: { type: "string" },
  "without-authorizer": { type: "boolean", default: false },
};

/** The outputs of the one compute stack in a file of outputs. */
function computeOutputs(path) {
  const stacks = Object.entries(JSON.parse(readFileSync(path, "utf8")));
  const compute = stacks.filter(([name]) => /^wattstream-[a-z]+-compute$/.test(name));
  if (compute.length !== 1) {
    throw new Error(`${path} has ${compute.length} stacks named wattstream-<stage>-compute: deploy one stage with --outputs-file`);
  }
  return compute[0][1];
}

/** Reads `10m`; nothing for `never`. */
export function patienceMs(text) {
  if (text === "never") return undefined;
  const [, count, unit] = /^(\d+)([smh])$/.exec(text) ?? [];
  if (unit === undefined) throw new Error(`--first-reading is a whole number and s, m or h, or never, not ${text}`);
  return Number(count) * UNITS_MS[unit];
}

/** Whoever signs requests. */
function signer(environment) {
  const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret, AWS_SESSION_TOKEN: token, AWS_REGION, AWS_DEFAULT_REGION } = environment;
  const region = AWS_REGION ?? AWS_DEFAULT_REGION;
  if (!id || !secret || !region) {
    throw new Error('there are no credentials: set AWS_REGION, and run eval "$(aws configure export-credentials --format env)"');
  }
  const lines = [`user = "${id}:${secret}"`, `aws-sigv4 = "aws:amz:${region}:execute-api"`];
  return token ? [...lines, `header = "x-amz-security-token: ${token}"`] : lines;
}

/** The API of a stage. */
export class Api {
  constructor(url, { host, environment }) {
    this.url = url.replace(/\/$/, "");
    this.host = host;
    this.environment = environment;
  }

  /** Status and body of an answer. */
  get(path, { isSigned }) {
    const config = [
      `url = "${this.url}${path}"`,
      `max-time = ${REQUEST_TIMEOUT_S}`,
      'write-out = "\\n%{http_code}"',
      "silent",
      "show-error",
      ...(this.host === undefined ? [] : [`header = "host: ${this.host}"`]),
      ...(isSigned ? signer(this.environment) : []),
    ];
    const text = execFileSync("curl", ["--config", "-"], { input: config.join("\n"), encoding: "utf8", maxBuffer: 64 * 1_024 * 1_024 });
    const end = text.lastIndexOf("\n");
    return { status: Number(text.slice(end + 1)), body: text.slice(0, end) };
  }

  /** The JSON of an answer that has to be a success. */
  json(path, { isSigned }) {
    const { status, body } = this.get(path, { isSigned });
    if (status !== 200) throw new Error(`GET ${path} answered ${status} instead of 200: ${body.slice(0, 500)}`);
    return JSON.parse(body);
  }
}

function checkAlive(api) {
  const { status, version } = api.json("/healthz", { isSigned: false });
  if (status !== "ok") throw new Error(`GET /healthz says ${status} instead of ok`);
  return `alive, version ${version}`;
}

function checkClosed(api) {
  const { status } = api.get("/summary", { isSigned: false });
  if (status !== 401 && status !== 403) throw new Error(`GET /summary answered ${status} to nobody in particular: it must be 401 or 403`);
  return "closed to whoever does not sign";
}

function checkSummary(api) {
  const { site_count: sites, totals } = api.json("/summary", { isSigned: true });
  return `a summary of ${sites} sites and ${totals.records} readings`;
}

/** Waits until a site has a reading, and reads it where everybody would. */
async function checkFirstReading(api, patience) {
  const deadline = Date.now() + patience;
  for (;;) {
    const { site_ids: sites } = api.json("/summary", { isSigned: true });
    if (sites.length > 0) return firstReadingOf(api, sites[0]);
    if (Date.now() >= deadline) {
      throw new Error(`no site had a reading after ${patience / 1_000} s: look at the log of the simulator, then at that of the stream-consumer`);
    }
    await wait(Math.min(LOOK_EVERY_MS, Math.max(0, deadline - Date.now())));
  }
}

function firstReadingOf(api, site) {
  const { records } = api.json(`/records/${site}`, { isSigned: true });
  if (!(records?.length > 0)) throw new Error(`${site} is in the summary, and GET /records/${site} has no reading of it`);
  return `a reading of ${site} at ${records[0].timestamp}`;
}

/** Runs the checks in their order; the first that fails ends it. */
export async function smoke(api, { patience, hasAuthorizer, say }) {
  say(checkAlive(api));
  if (hasAuthorizer) say(checkClosed(api));
  say(checkSummary(api));
  if (patience !== undefined) say(await checkFirstReading(api, patience));
}

async function main() {
  const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true });
  const [outputs] = positionals;
  if (outputs === undefined) throw new Error("say where the outputs are: smoke.mjs OUTPUTS");
  const api = new Api(values.url ?? computeOutputs(outputs).ApiUrl, { host: values.host, environment: process.env });
  const settings = { patience: patienceMs(values["first-reading"]), hasAuthorizer: !values["without-authorizer"] };
  await smoke(api, { ...settings, say: (what) => console.log(`ok: ${what}`) });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  main().catch((error) => {
    console.error(`failed: ${error.message}`);
    process.exitCode = 1;
  });
}
