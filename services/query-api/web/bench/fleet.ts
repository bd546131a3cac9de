// How fast the page is with a large fleet: a thousand sites with a year of hourly readings each. It is a measurement and no test: it
// prints what it saw, and nothing fails because a machine was busy.
//
//   cargo build --release --bin wattstream
//   WATTSTREAM_BIN=../../../target/release/wattstream npm run bench -- --sites 1000 --days 365 --data-dir DIR
//
// DIR keeps the readings for the next run. "Usable" is when the first chart is drawn and the table of sites has its rows;
// "redrawn" is when the chart shows a range that was asked for by a click. Both are told as the browser saw them.

import { spawn, spawnSync } from "node:child_process";
import { createWriteStream, existsSync, mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { type Browser, chromium, type Page } from "playwright-core";

const { values } = parseArgs({
  options: {
    sites: { type: "string", default: "1000" },
    days: { type: "string", default: "365" },
    runs: { type: "string", default: "7" },
    "data-dir": { type: "string" },
  },
});
const [sites, days, runs] = [Number(values.sites), Number(values.days), Number(values.runs)];
const folder = values["data-dir"] ?? mkdtempSync(join(tmpdir(), "wattstream-bench-"));
const binary = process.env["WATTSTREAM_BIN"] ?? "../../../target/release/wattstream";
const HOUR_MS = 3_600_000;
const FIRST_MS = Date.parse("2024-07-01T00:00:00Z");

/** The readings of a site: a sun that shines by day, a load with two peaks, and a fault now and then. */
function* readingsOf(site: number): Generator<string> {
  const id = `site-${String(site).padStart(4, "0")}`;
  for (let hour = 0; hour < days * 24; hour += 1) {
    const ofDay = hour % 24;
    const noise = ((site * 7_919 + hour * 104_729) % 1_000) / 1_000;
    const sun = Math.max(0, Math.sin(((ofDay - 6) / 12) * Math.PI)) * (3 + (site % 9)) * (0.5 + noise / 2);
    const load = 1 + noise + (ofDay > 6 && ofDay < 9 ? 2 : 0) + (ofDay > 17 && ofDay < 22 ? 3 : 0);
    const consumed = (site * 31 + hour) % 4_001 === 0 ? -load : load;
    yield `${id},${new Date(FIRST_MS + hour * HOUR_MS).toISOString()},${sun.toFixed(4)},${consumed.toFixed(4)}\n`;
  }
}

async function fill(): Promise<void> {
  if (existsSync(join(folder, "data"))) return;
  mkdirSync(folder, { recursive: true });
  const path = join(folder, "readings.csv");
  const file = createWriteStream(path);
  file.write("site_id,timestamp,energy_generated_kwh,energy_consumed_kwh\n");
  for (let site = 0; site < sites; site += 1) {
    const isFull = !file.write([...readingsOf(site)].join(""));
    if (isFull) await new Promise<void>((resolve) => file.once("drain", () => resolve()));
  }
  await new Promise<void>((resolve) => file.end(() => resolve()));
  const began = performance.now();
  const ingest = spawnSync(binary, ["ingest", path, "--data-dir", join(folder, "data")], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (ingest.status !== 0) throw new Error(`ingest ended with ${ingest.status}`);
  console.log(`${sites * days * 24} readings ingested in ${((performance.now() - began) / 1_000).toFixed(1)} s`);
}

async function measured(browser: Browser, url: string): Promise<{ usableMs: number; redrawMs: number[] }> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, timezoneId: "UTC" });
  // tsx names functions by a helper that a page does not have.
  await context.addInitScript("globalThis.__name ??= (named) => named;");
  const page = await context.newPage();
  await page.goto(`${url}?from=last-7d&to=last&live=off`, { waitUntil: "commit" });
  const usableMs = await page.evaluate(waitUntilUsable);
  const redrawMs: number[] = [];
  for (const name of ["Newest 30 days of data", "Newest 24 hours of data", "All data"])
    redrawMs.push(await redrawn(page, name));
  await context.close();
  return { usableMs, redrawMs };
}

/** Runs in the page: the milliseconds from the beginning of the navigation. */
function waitUntilUsable(): Promise<number> {
  return new Promise((resolve) => {
    const look = () => {
      const isUsable =
        document.querySelector(".curve-card .chart[data-drawn]") && document.querySelector(".fleet tbody tr");
      if (isUsable) requestAnimationFrame(() => resolve(performance.now()));
      else requestAnimationFrame(look);
    };
    look();
  });
}

async function redrawn(page: Page, name: string): Promise<number> {
  await page.getByRole("button", { name: /^Time range/ }).click();
  const button = await page.getByRole("button", { name, exact: true }).elementHandle();
  if (!button) throw new Error(`no button ${name}`);
  return page.evaluate((button) => {
    const chart = document.querySelector(".curve-card .chart");
    const before = chart?.getAttribute("data-drawn");
    const began = performance.now();
    (button as HTMLButtonElement).click();
    return new Promise<number>((resolve) => {
      const look = () => {
        if (chart?.getAttribute("data-drawn") === before) return requestAnimationFrame(look);
        // The frame that begins here shows it. A message is the first that comes after it was painted.
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => resolve(performance.now() - began);
        return port2.postMessage(null);
      };
      look();
    });
  }, button);
}

const median = (numbers: number[]): number =>
  [...numbers].sort((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? 0;

await fill();
const child = spawn(
  binary,
  ["up", "--no-simulator", "--silent-after", "0", "--listen", "127.0.0.1:0", "--data-dir", join(folder, "data")],
  {
    stdio: ["ignore", "pipe", "ignore"],
  },
);
const url = await new Promise<string>((resolve) =>
  createInterface(child.stdout).once("line", (line) => resolve(line.trim())),
);
const browser = await chromium.launch({
  executablePath: process.env["WATTSTREAM_CHROMIUM"] ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
const all: { usableMs: number; redrawMs: number[] }[] = [];
for (let run = 0; run < runs; run += 1) all.push(await measured(browser, url));
await browser.close();
child.kill("SIGTERM");

const span = (numbers: number[]) =>
  `${median(numbers).toFixed(0)} ms (${Math.min(...numbers).toFixed(0)} to ${Math.max(...numbers).toFixed(0)})`;
console.log(`${sites} sites, ${days} days of hours, ${runs} runs: median (least to most)`);
console.log(`usable: ${span(all.map((one) => one.usableMs))}`);
["30 days", "24 hours", "all data"].forEach((name, index) => {
  console.log(`redrawn, ${name}: ${span(all.map((one) => one.redrawMs[index] ?? 0))}`);
});
