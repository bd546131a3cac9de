// From the outputs of `cdk deploy --outputs-file` to the variables that the functions have and `wattstream doctor` asks for.
//
//   eval "$(node .github/scripts/stack-environment.mjs outputs.json)" && wattstream doctor --aws
//
// What must always hold: what is printed is safe for a shell to evaluate, whatever the outputs hold; an output that is missing is
// named, and nothing is printed.

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

/** The outputs of the compute stack, and the variable of each that has one. */
const VARIABLES = {
  StreamName: "WATTSTREAM_STREAM",
  ReadingsTable: "WATTSTREAM_READINGS_TABLE",
  HoursTable: "WATTSTREAM_HOURS_TABLE",
  SitesTable: "WATTSTREAM_SITES_TABLE",
  ShardsTable: "WATTSTREAM_SHARDS_TABLE",
  AlertsTable: "WATTSTREAM_ALERTS_TABLE",
  SilencesTable: "WATTSTREAM_SILENCES_TABLE",
  AlertsTopicArn: "WATTSTREAM_ALERTS_TOPIC_ARN",
  DeadLettersQueueUrl: "WATTSTREAM_DEAD_LETTERS_QUEUE_URL",
  OnFailureQueueUrl: "WATTSTREAM_ON_FAILURE_QUEUE_URL",
};

/** The outputs of the one compute stack in a file of outputs. */
export function computeOutputs(path) {
  const stacks = Object.entries(JSON.parse(readFileSync(path, "utf8")));
  const compute = stacks.filter(([name]) => /^wattstream-[a-z]+-compute$/.test(name));
  if (compute.length !== 1) {
    throw new Error(`${path} has ${compute.length} stacks named wattstream-<stage>-compute: deploy one stage with --outputs-file`);
  }
  return compute[0][1];
}

/** The lines for a shell. */
export function shellLines(outputs) {
  const missing = Object.keys(VARIABLES).filter((name) => typeof outputs[name] !== "string");
  if (missing.length > 0) throw new Error(`the stack has no output ${missing.join(", ")}: deploy it again from this commit`);
  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  return Object.entries(VARIABLES).map(([output, variable]) => `export ${variable}=${quoted(outputs[output])}`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  try {
    console.log(shellLines(computeOutputs(process.argv[2] ?? "")).join("\n"));
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
