// The committed bundle. What must always hold: it is what these sources build, byte for byte, and it is small.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";

const COMMITTED = resolve(import.meta.dirname, "../../dist");
const GZIP_BYTES_MAX = 300_000;

let built: string;

beforeAll(async () => {
  built = mkdtempSync(join(tmpdir(), "wattstream-bundle-"));
  // Vitest sets it to "test", and the build would take it over.
  process.env["NODE_ENV"] = "production";
  const root = resolve(import.meta.dirname, "../..");
  await build({
    root,
    configFile: join(root, "vite.config.ts"),
    logLevel: "warn",
    build: { outDir: built, emptyOutDir: true },
  });
}, 120_000);

afterAll(() => rmSync(built, { recursive: true, force: true }));

test("the bundle that is committed is what the sources build; `npm run build` makes it anew", () => {
  expect(readdirSync(COMMITTED).sort()).toEqual(readdirSync(built).sort());
  for (const name of readdirSync(built)) {
    const isSame = readFileSync(join(COMMITTED, name)).equals(readFileSync(join(built, name)));
    expect(isSame, `${name} is not what the sources build: npm run build`).toBe(true);
  }
});

test("the bundle has at most 300 kB when it is compressed", () => {
  const bytes = readdirSync(COMMITTED).map(
    (name) => gzipSync(readFileSync(join(COMMITTED, name)), { level: 6 }).length,
  );
  expect(bytes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(GZIP_BYTES_MAX);
});
