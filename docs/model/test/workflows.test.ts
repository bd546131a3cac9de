// The workflows keep the rules, and the rules notice when one does not.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { isThere, pathOf, textOf } from "../src/repository.ts";
import { actionlint } from "../src/workflows/actionlint.ts";
import { check, RULES, stagesOf } from "../src/workflows/rules.ts";
import { jobsOf, type Source, sourceOf, sourcesBelow } from "../src/workflows/workflow.ts";
import { zizmor } from "../src/workflows/zizmor.ts";

const SHA = "de0fac2e4500dabe0009e67214ff5f5447ce83dd";

/** A workflow that keeps every rule, where nothing else is said. */
function workflow(replaced: Readonly<Record<string, string>> = {}): Source {
  const lines = [
    "name: sample",
    "on: pull_request",
    "permissions: {}",
    "concurrency: sample",
    "defaults:",
    "  run:",
    "    shell: bash",
    "jobs:",
    "  one:",
    "    runs-on: ubuntu-24.04",
    "    timeout-minutes: 10",
    "    permissions:",
    "      contents: read",
    "    steps:",
    `      - uses: actions/checkout@${SHA} # v6.0.2`,
    "        with:",
    "          persist-credentials: false",
    "      - run: npm test",
  ];
  const unused = Object.keys(replaced).filter((line) => !lines.includes(line));
  assert.deepEqual(unused, [], "these lines are not in the sample");
  return sourceOf("workflows/sample.yml", lines.map((line) => replaced[line] ?? line).join("\n"));
}

const WITH_TOKEN = { "      contents: read": "      contents: read\n      id-token: write" };

/** How each rule is broken: its first words, and lines of the sample that are replaced. */
const BROKEN: readonly (readonly [rule: string, replaced: Readonly<Record<string, string>>])[] = [
  ["an action is pinned", { [`      - uses: actions/checkout@${SHA} # v6.0.2`]: "      - uses: actions/checkout@v6" }],
  [
    "an action is pinned",
    { [`      - uses: actions/checkout@${SHA} # v6.0.2`]: `      - uses: actions/checkout@${SHA}` },
  ],
  ["an action is pinned", { "      - run: npm test": "      - uses: someone/thing@main # v1.0.0" }],
  [
    "there are no long-lived keys",
    { "      - run: npm test": "      - run: x\n        env: { K: '${{ secrets.AWS_KEY }}' }" },
  ],
  [
    "there are no long-lived keys",
    { "      - run: npm test": `      - uses: a/b@${SHA} # v1.0.0\n        with:\n          aws-access-key-id: x` },
  ],
  [
    "credentials are a role",
    { "      - run: npm test": `      - uses: aws-actions/configure-aws-credentials@${SHA} # v6.0.0` },
  ],
  ["nothing from outside", { "      - run: npm test": "      - run: echo ${{ github.head_ref }}" }],
  ["a workflow has no permissions", { "permissions: {}": "permissions: read-all" }],
  ["a workflow has no permissions", { "      contents: read": "      contents: write" }],
  ["a workflow has no permissions", { "    permissions:": "    env:" }],
  ["a job that can ask for a token", WITH_TOKEN],
  ["where there can be a token", { ...WITH_TOKEN, "      - run: npm test": "      - run: npm ci" }],
  ["the checkout leaves no credentials", { "          persist-credentials: false": "          fetch-depth: 1" }],
  ["no event hands secrets", { "on: pull_request": "on: [push, pull_request_target]" }],
  ["a job ends", { "    timeout-minutes: 10": "    env: {}" }],
  ["a job ends", { "    timeout-minutes: 10": "    timeout-minutes: 360" }],
  ["a job ends", { "concurrency: sample": "env: {}" }],
  ["a job ends", { "    runs-on: ubuntu-24.04": "    runs-on: ubuntu-latest" }],
  ["a command that fails before a pipe", { "    shell: bash": "    shell: sh" }],
  ["prod is deployed after dev", { "      - run: npm test": "      - run: npx cdk deploy -c stage=prod" }],
  [
    "prod is deployed after dev",
    {
      "    timeout-minutes: 10": "    timeout-minutes: 10\n    environment: production",
      "      - run: npm test": "      - run: npx cdk deploy -c stage=prod",
    },
  ],
  ["prod is deployed after dev", { "    timeout-minutes: 10": "    timeout-minutes: 10\n    environment: production" }],
  ["destroying is by hand", { "      - run: npm test": "      - run: npx cdk destroy -c stage=dev" }],
  [
    "destroying is by hand",
    {
      "on: pull_request": "on: workflow_dispatch",
      "    timeout-minutes: 10": "    timeout-minutes: 10\n    environment: dev",
      "      - run: npm test": '      - run: npx cdk destroy -c "stage=$STAGE"',
    },
  ],
];

describe("a rule", () => {
  test("has nothing to say of the sample", () => assert.deepEqual(check([workflow()]), []));

  for (const [rule, replaced] of BROKEN) {
    test(`notices: ${rule}, ${JSON.stringify(Object.values(replaced).at(-1))}`, () => {
      const [found] = RULES.filter(({ name }) => name.startsWith(rule));
      assert.ok(found, `there is no rule “${rule}”`);
      assert.notDeepEqual(found.findings(workflow(replaced)), []);
    });
  }

  test("is broken here at least once, each", () => {
    const broken = new Set(BROKEN.map(([rule]) => RULES.find(({ name }) => name.startsWith(rule))));
    assert.equal(broken.size, RULES.length);
  });
});

describe("the workflows of this repository", () => {
  const sources = sourcesBelow(pathOf(".github"));
  const jobs = new Map(
    sources.flatMap((source) => jobsOf(source).map(([name, job]) => [`${source.path}#${name}`, job])),
  );

  test("keep every rule", () => assert.deepEqual(check(sources), []));

  test("are these", () => {
    const paths = [
      "actions/deploy-stage/action.yml",
      "workflows/ci.yml",
      "workflows/deploy.yml",
      "workflows/destroy.yml",
    ];
    assert.deepEqual(
      sources.map(({ path }) => path),
      paths,
    );
  });

  test("deploy dev, then prod, and destroy dev", () => {
    const stages = [...jobs]
      .map(([name, job]) => [name, stagesOf(job)] as const)
      .filter(([, found]) => found.length > 0);
    assert.deepEqual(Object.fromEntries(stages), {
      "workflows/deploy.yml#diff": ["dev"],
      "workflows/deploy.yml#dev": ["dev"],
      "workflows/deploy.yml#prod": ["prod"],
      "workflows/destroy.yml#destroy": ["dev", "dev"],
    });
  });

  test("compile the code of dependencies only where there can be no token", () => {
    const compiling = [...jobs].filter(([, job]) => job.steps?.some(({ run = "" }) => /cargo|\.ci\/run/.test(run)));
    assert.deepEqual(
      compiling.map(([name]) => name),
      ["workflows/ci.yml#test", "workflows/deploy.yml#build"],
    );
    for (const [name, job] of compiling) assert.deepEqual(job.permissions, { contents: "read" }, name);
  });

  test("build with the Rust that the workspace asks for", () => {
    const [, asked = ""] = /^rust-version = "(\d+\.\d+)"$/m.exec(textOf("Cargo.toml")) ?? [];
    const used = sources.flatMap(({ text }) => text.match(/RUST_VERSION: "[^"]+"/g) ?? []);
    assert.deepEqual(used, [`RUST_VERSION: "${asked}.0"`, `RUST_VERSION: "${asked}.0"`]);
  });

  test("call programs that are there", () => {
    const called = sources.flatMap(
      ({ text }) => text.match(/\.github\/scripts\/[\w-]+\.mjs|\.ci\/run|\.\/\.github\/actions\/[\w-]+/g) ?? [],
    );
    assert.ok(called.length >= 5);
    for (const path of called) assert.ok(isThere(path.replace(/^\.\//, "")), `${path} is not there`);
  });
});

describe("a linter", () => {
  const folder = mkdtempSync(join(tmpdir(), "workflows-"));
  after(() => rmSync(folder, { recursive: true }));

  test("of the syntax, actionlint, notices what is broken", async () => {
    const broken = workflow({
      "      - run: npm test": "      - run: echo ${{ github.event.issue.title }}\n        shel: bash",
    });
    const found = (await actionlint([broken])).join("\n");
    assert.match(found, /potentially untrusted/);
    assert.match(found, /unexpected key "shel"/);
    assert.deepEqual(await actionlint([workflow()]), []);
  });

  test("is a command that names findings and fails", () => {
    const there = join(folder, "command");
    mkdirSync(join(there, "workflows"), { recursive: true });
    const broken = workflow({ "    runs-on: ubuntu-24.04": "    runs-on: ubuntu-latest" });
    writeFileSync(join(there, broken.path), broken.text);
    const lint = fileURLToPath(new URL("../src/workflows/lint.ts", import.meta.url));
    const { status, stderr } = spawnSync(process.execPath, ["--import", "tsx", lint, there], { encoding: "utf8" });
    assert.equal(status, 1, stderr);
    assert.match(stderr, /workflows\/sample\.yml: a job ends.*name the version of its runner/);
  });

  test("of security, zizmor, notices what is broken", () => {
    mkdirSync(join(folder, ".github/workflows"), { recursive: true });
    const broken = workflow({
      "on: pull_request": "on: pull_request_target",
      "permissions: {}": "permissions: write-all",
    });
    writeFileSync(join(folder, ".github", broken.path), broken.text);
    const found = zizmor(folder).join("\n");
    assert.match(found, /dangerous-triggers/);
    assert.match(found, /excessive-permissions/);
  });
});
