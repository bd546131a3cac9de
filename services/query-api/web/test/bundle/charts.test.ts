import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const web = fileURLToPath(new URL("../..", import.meta.url));

test("the committed script of the charts is the one of these sources", { timeout: 120_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), "charts-"));
  try {
    // As `npm run build:charts` does it: under vitest, NODE_ENV says "test", with which vite builds something else.
    const { NODE_ENV: _, ...env } = process.env;
    const arguments_ = ["build", "--config", "vite.charts.config.ts", "--outDir", folder, "--logLevel", "error"];
    execFileSync(join(web, "node_modules/.bin/vite"), arguments_, { cwd: web, env });
    const [built, committed] = [folder, join(web, "charts")].map((at) => readFileSync(join(at, "charts.js"), "utf8"));
    expect(built === committed).toBe(true);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
