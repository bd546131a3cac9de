// What destroying a stage removes and what it leaves, from the templates that the CDK has synthesised: `what-goes.mjs cdk.out`.
//
// What must always hold: a resource that CloudFormation keeps is among what stays, whatever its type.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** What holds data, which is gone for good; of the rest the count is enough. */
const HOLDS_DATA = ["Kinesis::Stream", "DynamoDB::Table", "S3::Bucket", "SQS::Queue", "Logs::LogGroup", "KMS::Key"];

const STAYS_IN_ANY_CASE = [
  "the key, for the seven days that KMS waits before it deletes one: until then it can be had back, and what it has encrypted with it",
  "metrics in CloudWatch, for the fifteen months that CloudWatch keeps them",
  "the stack CDKToolkit of the CDK's bootstrap, its bucket with the uploaded functions, and the roles of GitHub",
];

function resourcesBelow(folder) {
  const templates = readdirSync(folder).filter((name) => name.endsWith(".template.json"));
  if (templates.length === 0) throw new Error(`${folder} has no *.template.json: run cdk synth with --output ${folder}`);
  return templates.flatMap((name) => {
    const { Resources = {} } = JSON.parse(readFileSync(join(folder, name), "utf8"));
    return Object.entries(Resources).map(([id, resource]) => ({ stack: name.replace(".template.json", ""), id, ...resource }));
  });
}

function isKept({ DeletionPolicy }) {
  return DeletionPolicy === "Retain" || DeletionPolicy === "RetainExceptOnCreate" || DeletionPolicy === "Snapshot";
}

function listOf(resources) {
  return resources.map(({ stack, id, Type }) => `- ${Type.replace("AWS::", "")} \`${id}\` of \`${stack}\``);
}

/** The report, in Markdown. */
export function report(folder) {
  const resources = resourcesBelow(folder);
  const [kept, removed] = [resources.filter(isKept), resources.filter((resource) => !isKept(resource))];
  const withData = removed.filter(({ Type }) => HOLDS_DATA.includes(Type.replace("AWS::", "")));
  return [
    "### What goes",
    `${removed.length} resources, and for good what these hold:`,
    ...listOf(withData),
    "### What stays",
    ...listOf(kept),
    ...STAYS_IN_ANY_CASE.map((what) => `- ${what}`),
    "",
  ].join("\n\n").replaceAll("\n\n- ", "\n- ");
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  try {
    console.log(report(process.argv[2] ?? ""));
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
