// The scripts that the workflows call, as processes: against an API that checks signatures, and against templates.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash, createHmac } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { pathOf } from "../src/repository.ts";

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const CREDENTIALS = {
  AWS_ACCESS_KEY_ID: "key-of-a-test",
  AWS_SECRET_ACCESS_KEY: "secret of a test",
  AWS_SESSION_TOKEN: "token of a test",
  AWS_REGION: "eu-west-1",
};

function script(name: string, args: readonly string[], environment: NodeJS.ProcessEnv = CREDENTIALS): Promise<Ended> {
  const env = { PATH: process.env["PATH"], ...environment };
  return new Promise((resolve) => {
    execFile(process.execPath, [pathOf(`.github/scripts/${name}`), ...args], { env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

/** Whether a request is signed by CREDENTIALS for execute-api: AWS's signature version 4, worked out from what arrived. */
function isSigned({ method, url, headers }: IncomingMessage): boolean {
  const { authorization = "" } = headers;
  const [, scope = "", signedHeaders = "", signature] =
    /^AWS4-HMAC-SHA256 Credential=[^/]+\/([^,]+), ?SignedHeaders=([^,]+), ?Signature=(\w+)$/.exec(authorization) ?? [];
  const [date = "", region, service] = scope.split("/");
  if (region !== CREDENTIALS.AWS_REGION || service !== "execute-api") return false;
  if (headers["x-amz-security-token"] !== CREDENTIALS.AWS_SESSION_TOKEN) return false;
  const names = signedHeaders.split(";");
  const lines = names.map((name) => `${name}:${String(headers[name]).trim()}\n`).join("");
  const empty = createHash("sha256").update("").digest("hex");
  const canonical = [method, url, "", lines, signedHeaders, empty].join("\n");
  const digest = createHash("sha256").update(canonical).digest("hex");
  const text = ["AWS4-HMAC-SHA256", headers["x-amz-date"], scope, digest].join("\n");
  const key = [region, service, "aws4_request"].reduce(hmac, hmac(`AWS4${CREDENTIALS.AWS_SECRET_ACCESS_KEY}`, date));
  return hmac(key, text).toString("hex") === signature;
}

/** An API of a stage whose site appears with the second summary. */
class Stage {
  readonly folder = mkdtempSync(join(tmpdir(), "stage-"));
  readonly asked: string[] = [];
  isOpen = false;
  hasReadings = true;
  private summaries = 0;
  private readonly server: Server = createServer((request, response) => {
    const [status, body] = this.answer(request);
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  });

  private answer(request: IncomingMessage): readonly [number, unknown] {
    const path = request.url ?? "";
    this.asked.push(path);
    if (path === "/healthz") return [200, { status: "ok", version: "0.1.0" }];
    if (!this.isOpen && !isSigned(request)) return [403, { message: "Forbidden" }];
    if (path === "/summary") {
      this.summaries += 1;
      const sites = this.hasReadings && this.summaries > 1 ? ["home-01"] : [];
      return [200, { site_count: sites.length, site_ids: sites, totals: { records: sites.length } }];
    }
    return path === "/records/home-01" ? [200, { records: [{ timestamp: "2025-06-20T00:00:00.000Z" }] }] : [404, {}];
  }

  /** A file of outputs that leads here. */
  async outputs(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    const { port } = this.server.address() as AddressInfo;
    const path = join(this.folder, "outputs.json");
    writeFileSync(
      path,
      JSON.stringify({ "wattstream-dev-compute": { ApiUrl: `http://127.0.0.1:${port}/` }, other: {} }),
    );
    return path;
  }

  end(): void {
    this.server.close();
    rmSync(this.folder, { recursive: true });
  }
}

async function withStage(ask: (stage: Stage, outputs: string) => Promise<void>): Promise<void> {
  const stage = new Stage();
  try {
    await ask(stage, await stage.outputs());
  } finally {
    stage.end();
  }
}

describe("smoke.mjs", () => {
  test("finds a stage well that answers, is closed, and has a reading", () =>
    withStage(async (stage, outputs) => {
      const { code, stdout, stderr } = await script("smoke.mjs", [outputs, "--first-reading", "1m"]);
      assert.equal(stderr, "");
      assert.equal(code, 0);
      assert.deepEqual(stdout.trim().split("\n"), [
        "ok: alive, version 0.1.0",
        "ok: closed to whoever does not sign",
        "ok: a summary of 0 sites and 0 readings",
        "ok: a reading of home-01 at 2025-06-20T00:00:00.000Z",
      ]);
      assert.deepEqual(stage.asked, ["/healthz", "/summary", "/summary", "/summary", "/records/home-01"]);
    }));

  test("does not ask for readings where nobody is sure to send one", () =>
    withStage(async (stage, outputs) => {
      assert.equal((await script("smoke.mjs", [outputs])).code, 0);
      assert.deepEqual(stage.asked, ["/healthz", "/summary", "/summary"]);
    }));

  test("fails when the API is open to everybody, unless that is what is asked", () =>
    withStage(async (stage, outputs) => {
      stage.isOpen = true;
      const open = await script("smoke.mjs", [outputs]);
      assert.equal(open.code, 1);
      assert.match(open.stderr, /answered 200 to nobody in particular: it must be 401 or 403/);
      assert.equal((await script("smoke.mjs", [outputs, "--without-authorizer"])).code, 0);
    }));

  test("fails when no reading comes in time, and says where to look", () =>
    withStage(async (stage, outputs) => {
      stage.hasReadings = false;
      const { code, stderr } = await script("smoke.mjs", [outputs, "--first-reading", "1s"]);
      assert.equal(code, 1);
      assert.match(stderr, /no site had a reading after 1 s: look at the log of the simulator/);
    }));

  test("fails with credentials of somebody else", () =>
    withStage(async (_, outputs) => {
      const { code, stderr } = await script("smoke.mjs", [outputs], {
        ...CREDENTIALS,
        AWS_SECRET_ACCESS_KEY: "another",
      });
      assert.equal(code, 1);
      assert.match(stderr, /GET \/summary answered 403 instead of 200/);
    }));

  test("says what is missing", async () => {
    assert.match((await script("smoke.mjs", [])).stderr, /say where the outputs are/);
    await withStage(async (_, outputs) => {
      assert.match((await script("smoke.mjs", [outputs, "--first-reading", "soon"])).stderr, /or never, not soon/);
      assert.match((await script("smoke.mjs", [outputs], {})).stderr, /there are no credentials: set AWS_REGION/);
    });
  });

  test("refuses the outputs of two stages", async () => {
    const folder = mkdtempSync(join(tmpdir(), "outputs-"));
    const path = join(folder, "outputs.json");
    writeFileSync(path, JSON.stringify({ "wattstream-dev-compute": {}, "wattstream-prod-compute": {} }));
    const { stderr } = await script("smoke.mjs", [path]);
    rmSync(folder, { recursive: true });
    assert.match(stderr, /has 2 stacks named wattstream-<stage>-compute/);
  });
});

describe("what-goes.mjs", () => {
  test("tells what holds data and goes, and keeps what CloudFormation keeps", async () => {
    const folder = mkdtempSync(join(tmpdir(), "templates-"));
    const Resources = {
      Readings: { Type: "AWS::DynamoDB::Table", DeletionPolicy: "Delete" },
      Bucket: { Type: "AWS::S3::Bucket", DeletionPolicy: "Retain" },
      Alarm: { Type: "AWS::CloudWatch::Alarm" },
    };
    writeFileSync(join(folder, "wattstream-dev-data.template.json"), JSON.stringify({ Resources }));
    const { code, stdout } = await script("what-goes.mjs", [folder]);
    rmSync(folder, { recursive: true });
    assert.equal(code, 0);
    const [goes = "", stays = ""] = stdout.split("### What stays");
    assert.match(
      goes,
      /2 resources, and for good what these hold:\n- DynamoDB::Table `Readings` of `wattstream-dev-data`/,
    );
    assert.doesNotMatch(goes, /Bucket|Alarm/);
    assert.match(stays, /- S3::Bucket `Bucket` of `wattstream-dev-data`\n- the key, for the seven days/);
  });

  test("says that there is nothing to tell of an empty folder", async () => {
    const folder = mkdtempSync(join(tmpdir(), "templates-"));
    const { code, stderr } = await script("what-goes.mjs", [folder]);
    rmSync(folder, { recursive: true });
    assert.equal(code, 1);
    assert.match(stderr, /has no \*\.template\.json: run cdk synth/);
  });
});
