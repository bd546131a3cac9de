// What GitHub may do in an account, and that docs/deploying.md shows exactly that.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { describe, test } from "node:test";
import { pathOf, textOf } from "../src/repository.ts";

interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource?: string | readonly string[];
  readonly Condition?: { readonly StringEquals?: Readonly<Record<string, string>> };
}

const FOLDER = ".github/oidc";
const ISSUER = "token.actions.githubusercontent.com";

function statementsOf(name: string): readonly Statement[] {
  return (JSON.parse(textOf(`${FOLDER}/${name}`)) as { readonly Statement: readonly Statement[] }).Statement;
}

function listOf(value: string | readonly string[] | undefined): readonly string[] {
  return typeof value === "string" ? [value] : (value ?? []);
}

const files = readdirSync(pathOf(FOLDER)).sort();

describe("a policy", () => {
  for (const name of files) {
    test(`${name} stands in docs/deploying.md, letter by letter`, () => {
      assert.ok(textOf("docs/deploying.md").includes(`\`\`\`json\n${textOf(`${FOLDER}/${name}`)}\`\`\``));
    });
  }

  test("is one of five", () => {
    const names = [
      "assume-bootstrap.json",
      "assume-lookup.json",
      "look.json",
      "trust-diff.json",
      "trust-environment.json",
    ];
    assert.deepEqual(files, names);
  });

  for (const [name, subject] of [
    ["trust-diff.json", "repo:SUBJECT:pull_request"],
    ["trust-environment.json", "repo:SUBJECT:environment:ENVIRONMENT"],
  ] as const) {
    test(`of trust, ${name}, names audience and subject, and nobody else`, () => {
      const [statement, ...others] = statementsOf(name);
      assert.deepEqual(others, []);
      assert.deepEqual(statement?.Condition, {
        StringEquals: { [`${ISSUER}:aud`]: "sts.amazonaws.com", [`${ISSUER}:sub`]: subject },
      });
    });
  }

  for (const [name, roles] of [
    ["assume-lookup.json", ["lookup"]],
    ["assume-bootstrap.json", ["deploy", "file-publishing", "lookup"]],
  ] as const) {
    test(`${name} allows to take roles of the bootstrap, and nothing else`, () => {
      const [statement, ...others] = statementsOf(name);
      assert.deepEqual(others, []);
      assert.deepEqual(listOf(statement?.Action), ["sts:AssumeRole"]);
      const arns = roles.map((role) => `arn:aws:iam::ACCOUNT:role/cdk-hnb659fds-${role}-role-ACCOUNT-REGION`);
      assert.deepEqual(listOf(statement?.Resource), arns);
    });
  }

  test("look.json allows to look at one stage, at nothing that it stores", () => {
    const statements = statementsOf("look.json");
    const actions = statements.flatMap(({ Action }) => listOf(Action));
    assert.ok(
      actions.every((action) => /:(Describe|Get)|^execute-api:Invoke$/.test(action)),
      String(actions),
    );
    assert.doesNotMatch(actions.join(" "), /GetItem|GetRecords|GetObject|Query|Receive|\*/);
    const resources = statements.flatMap(({ Resource }) => listOf(Resource));
    const named =
      /:wattstream-STAGE-\*$|\/wattstream-STAGE-\*$|\/cdk-bootstrap\/hnb659fds\/version$|\$default\/GET\/\*$/;
    assert.ok(
      resources.every((resource) => named.test(resource)),
      String(resources),
    );
  });
});
