// The page as people use it: the real process, a year of real homes, a real browser.

import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Point } from "../../src/api";
import { energyText } from "../../src/units";
import { drawn, figure, launch, opened, parameter, type Watched, watched } from "./browser";
import { api, IMAGES, missing, post, type Running, started, startedWithHomes } from "./process";

const lacks = missing();
if (lacks && process.env["WATTSTREAM_REQUIRE_ALL"] === "1")
  throw new Error(`a skip counts as a failure here: ${lacks}`);
if (lacks) console.warn(`SKIPPED: ${lacks}`);

/** Two weeks of summer, of all homes. */
const RANGE = "?from=2017-07-01T00:00:00Z&to=2017-07-15T00:00:00Z";
/** A fortnight with a fault of home06: a meter that reports a thousand times too much. */
const FAULT = "from=2017-07-18T00:00:00Z&to=2017-08-01T00:00:00Z";

let browser: Browser;
let homes: Running;
let now: Watched | null = null;
/** A process of one test alone. */
let other: Running | null = null;

beforeAll(async () => {
  if (lacks) return;
  [browser, homes] = await Promise.all([launch(), startedWithHomes()]);
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await homes?.stop();
});

afterEach(async () => {
  const [closing, stopping] = [now, other];
  [now, other] = [null, null];
  // The page first: it would tell of a process that goes away under it.
  await closing?.close().finally(() => stopping?.stop());
});

async function page(options: Parameters<typeof watched>[2] = {}, running = homes): Promise<Page> {
  now = await watched(browser, running, options);
  return now.page;
}

describe.skipIf(lacks)("pictures", () => {
  /** Just after the newest reading of the homes. */
  const CLOCK = new Date("2017-08-01T07:02:00Z");
  const NEWEST = "2017-08-01T07:00:00Z";

  /** An hour of the homes; one meter is wired the wrong way round. */
  const HOUR = ["home01", "home05", "home06", "home07", "home08", "home13"].map((site_id, index) => ({
    site_id,
    timestamp: NEWEST,
    energy_generated_kwh: 0,
    energy_consumed_kwh: site_id === "home07" ? -1.84 : 0.6 + index * 0.21,
  }));

  test.each(["light", "dark"] as const)("all sites, %s", async (colorScheme) => {
    const view = await pictured(colorScheme, "?from=now-14d&to=now", { width: 1440, height: 1540 });
    await post(homes, HOUR);
    const wrong = view.locator(".fleet tbody tr", { hasText: "negative energy" });
    await expect.poll(() => wrong.locator("td[data-label=Anomalies]").innerText()).toBe("1");
    await take(view, `dashboard-${colorScheme}.png`);
  });

  test.each(["light", "dark"] as const)("an event on its site's curve, %s", async (colorScheme) => {
    const view = await pictured(colorScheme, `?site=home06&${FAULT}`, { width: 1440, height: 1060 });
    const box = await boxOf(view, ".curve-card .chart");
    await view.mouse.move(box.x + box.width * 0.475, box.y + box.height * 0.5);
    await take(view, `site-${colorScheme}.png`);
  });

  async function pictured(
    colorScheme: "light" | "dark",
    query: string,
    viewport: { width: number; height: number },
  ): Promise<Page> {
    const view = await page({ colorScheme, viewport });
    await view.clock.install({ time: CLOCK });
    await opened(view, homes, query);
    return view;
  }

  /** `npm run pictures` takes those of the README; a test run takes them into a folder that is not committed. */
  async function take(view: Page, name: string): Promise<void> {
    await drawn(view);
    const folder =
      process.env["WATTSTREAM_PICTURES"] === "write" ? IMAGES : join(import.meta.dirname, "../../test-results");
    const picture = await view.screenshot({ path: join(folder, name), animations: "disabled" });
    // A page that is blank, or that failed to draw, is a few kB.
    expect(picture.length).toBeGreaterThan(60_000);
  }
});

describe.skipIf(lacks)("all sites", () => {
  test("figures of the range are those of the API", async () => {
    const view = await page();
    await opened(view, homes, RANGE);
    const { points } = await api(homes, "/series?start=2017-07-01&end=2017-07-15");
    const sum = (of: (point: Point) => number | null) =>
      points.reduce((sum: number, point: Point) => sum + (of(point) ?? 0), 0);
    expect(await figure(view, "generated")).toBe(energyText(sum((point) => point.energy_generated_kwh)));
    expect(await figure(view, "consumed")).toBe(energyText(sum((point) => point.energy_consumed_kwh)));
    expect(await figure(view, "anomalies")).toBe(String(sum((point) => point.anomalies)));
    await expect.poll(() => view.locator(".tile.generated").innerText()).toContain("in the 14 d before");
    expect(await view.locator(".fleet tbody tr").count()).toBe(6);
  });

  test("without a range in its address, the page shows the newest data there is", async () => {
    const view = await page();
    await opened(view, homes);
    expect(await view.locator(".range-name").innerText()).toContain("Newest 7 days of data");
    expect(await view.locator(".curve-card .chart").count()).toBe(1);
  });

  test("a range is chosen, typed, refused, zoomed out of and gone back from", async () => {
    const view = await page();
    await opened(view, homes, RANGE);
    await view.getByRole("button", { name: /^Time range/ }).click();
    await view.getByRole("button", { name: "Newest 30 days of data" }).click();
    await drawn(view);
    expect([parameter(view, "from"), parameter(view, "to")]).toEqual(["last-30d", "last"]);

    await view.getByRole("button", { name: /^Time range/ }).click();
    await view.getByLabel("From").fill("yesterday");
    await view.getByRole("button", { name: "Show", exact: true }).click();
    expect(await view.locator(".panel .refusal").innerText()).toContain("now-24h");
    await view.getByLabel("From").fill("2017-06-01");
    await view.getByLabel("To", { exact: true }).fill("2017-06-08");
    await view.getByRole("button", { name: "Show", exact: true }).click();
    await drawn(view);
    expect(parameter(view, "from")).toBe("2017-06-01");
    const week = await figure(view, "generated");

    await view.getByRole("button", { name: "Zoom out" }).click();
    await expect.poll(() => parameter(view, "from")).toMatch(/^2017-05-28T/);
    await expect.poll(() => figure(view, "generated")).not.toBe(week);
    await view.getByRole("button", { name: "Back to what was shown before" }).click();
    await expect.poll(() => parameter(view, "from")).toBe("2017-06-01");
    await expect.poll(() => figure(view, "generated")).toBe(week);
  });

  test("a stretch drawn over the chart becomes the range, and back undoes it", async () => {
    const view = await page();
    await opened(view, homes, RANGE);
    const box = await boxOf(view, ".curve-card .chart");
    await view.mouse.move(box.x + box.width * 0.4, box.y + box.height / 2);
    await view.mouse.down();
    await view.mouse.move(box.x + box.width * 0.5, box.y + box.height / 2, { steps: 5 });
    await view.mouse.move(box.x + box.width * 0.6, box.y + box.height / 2, { steps: 5 });
    await view.mouse.up();
    await expect.poll(() => parameter(view, "from")).toMatch(/^2017-07-0[56]T/);
    expect(parameter(view, "to")).toMatch(/^2017-07-0[89]T/);
    await view.goBack();
    await expect.poll(() => parameter(view, "from")).toBe("2017-07-01T00:00:00Z");
  });

  test("the slider narrows the chart, not the page", async () => {
    const view = await page();
    await opened(view, homes, RANGE);
    const chart = view.locator(".curve-card .chart");
    const whole = await chart.screenshot();
    const box = await boxOf(view, ".curve-card .chart");
    const slider = box.y + box.height - 20;
    await view.mouse.move(box.x + 51, slider);
    await view.mouse.down();
    await view.mouse.move(box.x + box.width / 2, slider, { steps: 8 });
    await view.mouse.up();
    await view.mouse.move(5, 5);
    await expect.poll(async () => (await chart.screenshot()).equals(whole)).toBe(false);
    expect(parameter(view, "from")).toBe("2017-07-01T00:00:00Z");
  });

  test("sites are searched and sorted, and the address keeps it", async () => {
    const view = await page();
    await opened(view, homes, RANGE);
    const names = () => view.locator(".fleet tbody th").allInnerTexts();
    await view.getByRole("button", { name: /^Net/ }).click();
    expect(parameter(view, "sort")).toBe("-net");
    const { sites } = await api(homes, "/sites");
    const sums = new Map<string, number>();
    for (const { site_id } of sites) {
      const { points } = await api(homes, `/series/${site_id}?start=2017-07-01&end=2017-07-15`);
      sums.set(
        site_id,
        points.reduce((sum: number, point: Point) => sum + (point.net_energy_kwh ?? 0), 0),
      );
    }
    const wanted = [...sums.keys()].sort((one, other) => (sums.get(other) ?? 0) - (sums.get(one) ?? 0));
    await expect.poll(names).toEqual(wanted);
    await view.getByPlaceholder("Find a site").fill("HOME0");
    await expect.poll(names).toEqual(wanted.filter((name) => name.startsWith("home0")));
    await view.reload();
    await drawn(view);
    await expect.poll(names).toEqual(wanted.filter((name) => name.startsWith("home0")));
    await view.getByPlaceholder("Find a site").fill("nowhere");
    await view.getByText("No site has “nowhere” in its name.").waitFor();
  });

  test("anomalies are filtered, and one leads to its event on its site's curve", async () => {
    const view = await page();
    await opened(view, homes, `?${FAULT}`);
    await view.getByRole("combobox", { name: "Severity" }).selectOption("error");
    await view.getByRole("combobox", { name: "Rule" }).selectOption("high_limit");
    expect([parameter(view, "severity"), parameter(view, "rule")]).toEqual(["error", "high_limit"]);
    const rows = view.locator(".anomaly-table tbody tr");
    await expect.poll(() => rows.allInnerTexts()).toHaveLength(9);
    for (const row of await rows.allInnerTexts()) expect(row).toMatch(/home06.*high limit/s);
    await rows.last().getByRole("link").click();
    await expect.poll(() => parameter(view, "site")).toBe("home06");
    await drawn(view);
    expect(parameter(view, "from")).toBe("2017-07-22T23:00:00Z");
    expect(await view.locator(".site-head h2").innerText()).toBe("home06");
    await view.goBack();
    await expect.poll(() => parameter(view, "site")).toBeNull();
  });

  test("times are local or UTC, as the reader chooses", async () => {
    const view = await page();
    await opened(view, homes, `?${FAULT}&rule=high_limit`);
    const first = view.locator(".anomaly-table tbody th").first();
    expect(await first.innerText()).toBe("24 Jul 2017, 12:00");
    await view.getByRole("button", { name: "UTC" }).click();
    await expect.poll(() => first.innerText()).toBe("24 Jul 2017, 19:00 UTC");
    expect(parameter(view, "zone")).toBe("UTC");
  });

  test("a range without a reading says so, and shows the way to data", async () => {
    const view = await page();
    await view.goto(`${homes.url}/?from=2019-01-01&to=2019-01-08`);
    await view.getByText("No reading in this range.").waitFor();
    await view.getByRole("button", { name: "Show the newest 7 days of data" }).click();
    await drawn(view);
    expect(parameter(view, "to")).toBe("last");
  });
});

describe.skipIf(lacks)("taking a card along", () => {
  test("CSV is the API's own, PNG is a picture, curl is a command that gives the same", async () => {
    const view = await page({ permissions: ["clipboard-read", "clipboard-write"] });
    await opened(view, homes, RANGE);
    const csv = await downloaded(view, "CSV: Generation and consumption");
    const asked = await fetch(`${homes.url}/series?start=2017-07-01&end=2017-07-15&format=csv`);
    expect(csv.toString()).toBe(await asked.text());
    const png = await downloaded(view, "PNG: Net energy by site");
    expect(png.subarray(1, 4).toString()).toBe("PNG");
    expect(png.readUInt32BE(16)).toBe(2_400);
    await view.getByRole("button", { name: "Copy as curl: Generation and consumption" }).click();
    await view.getByText("copied").waitFor();
    const command = await view.evaluate(() => navigator.clipboard.readText());
    expect(command).toMatch(
      /^curl --fail .*'http:\/\/127\.0\.0\.1:\d+\/series\?start=2017-07-01T00%3A00%3A00\.000Z&end=/,
    );
  });

  test("a chart is a table for who does not see it", async () => {
    const view = await page();
    await opened(view, homes, RANGE);
    const card = view.locator("section", { has: view.getByRole("heading", { name: "Efficiency by site" }) });
    await card.getByRole("button", { name: "Table" }).click();
    expect(await card.locator("tbody tr").count()).toBe(6);
    expect(await card.locator("tbody tr").first().innerText()).toMatch(/^home\d\d\t.* %$/);
    expect(await view.locator(".curve-card .chart").getAttribute("aria-label")).toMatch(/generated and .* consumed/);
  });
});

async function downloaded(view: Page, name: string): Promise<Buffer> {
  const [download] = await Promise.all([view.waitForEvent("download"), view.getByRole("button", { name }).click()]);
  return readFileSync(await download.path());
}

async function boxOf(view: Page, selector: string) {
  const place = view.locator(selector);
  await place.scrollIntoViewIfNeeded();
  const box = await place.boundingBox();
  if (!box) throw new Error(`${selector} is not on the page`);
  return box;
}

describe.skipIf(lacks)("live", () => {
  const hour = (hours: number) => new Date(Date.parse("2017-08-02T00:00:00Z") + hours * 3_600_000).toISOString();

  test("a planted anomaly appears without a reload", async () => {
    const view = await page();
    await opened(view, homes, "?from=2017-08-02&to=2017-08-03&zone=UTC");
    const opens = await view.evaluate(() => performance.timeOrigin);
    await post(homes, [{ site_id: "home07", timestamp: hour(3), energy_generated_kwh: 1, energy_consumed_kwh: -7.5 }]);
    await view.locator(".anomaly-table tbody tr", { hasText: "negative energy" }).waitFor();
    expect(await view.locator(".anomaly-table tbody tr").first().innerText()).toMatch(
      /2 Aug 2017, 03:00 UTC.*home07.*negative energy.*−7.5 kWh/s,
    );
    expect(await view.evaluate(() => performance.timeOrigin)).toBe(opens);
    expect(await view.locator(".badge").innerText()).toMatch(/^live, \d+\.\d s behind$/);
  });

  test("readings are told as they come, of the site that is shown", async () => {
    const view = await page();
    await opened(view, homes, "?site=home06&from=2017-07-25&to=2017-08-01&zone=UTC");
    await post(homes, [{ site_id: "home06", timestamp: hour(1), energy_generated_kwh: 1.25, energy_consumed_kwh: -3 }]);
    const told = view.locator(".tail-list li").first();
    await told.waitFor();
    expect(await told.innerText()).toMatch(/2 Aug 2017, 01:00 UTC.*1.25 kWh.*−3 kWh.*negative energy/s);
    await view.getByRole("button", { name: "Hold" }).click();
    await post(homes, [{ site_id: "home06", timestamp: hour(2), energy_generated_kwh: 1, energy_consumed_kwh: 2 }]);
    await expect.poll(() => view.locator(".facts").innerText()).toContain("2 Aug 2017, 02:00");
    expect(await view.locator(".tail-list li").count()).toBe(1);
    await view.getByRole("button", { name: "Hold" }).click();
    await expect.poll(() => view.locator(".tail-list li").count()).toBe(2);
    await view.locator(".tail").getByRole("button", { name: "Anomalies" }).click();
    await expect.poll(() => view.locator(".tail-list li").count()).toBe(1);
  });

  test("with live switched off nothing changes", async () => {
    const view = await page();
    await opened(view, homes, "?from=2017-08-01&to=2017-08-04&zone=UTC");
    await view.getByRole("button", { name: "Live", exact: true }).click();
    expect(parameter(view, "live")).toBe("off");
    await expect.poll(() => view.locator(".badge").innerText()).toBe("paused");
    const asked: string[] = [];
    view.on("request", (request) => asked.push(request.url()));
    await post(homes, [{ site_id: "home07", timestamp: hour(30), energy_generated_kwh: 1, energy_consumed_kwh: -2 }]);
    await api(homes, "/anomalies?start=2017-08-03");
    // Longer than the page waits between two refreshes.
    await view.waitForTimeout(6_000);
    expect(asked).toEqual([]);
  });

  test("a lost connection is told, and mends itself", async () => {
    const view = await page({ expected: /ERR_INTERNET_DISCONNECTED|Failed to fetch/ });
    await opened(view, homes, RANGE);
    await view.context().setOffline(true);
    await expect.poll(() => view.locator(".badge").innerText()).toBe("disconnected, retrying");
    expect(await figure(view, "generated")).toMatch(/Wh$/);
    await view.context().setOffline(false);
    await expect.poll(() => view.locator(".badge").innerText()).toMatch(/^live/);
  });

  test("a part that fails says why, and can be tried again", async () => {
    const view = await page({ expected: /503/ });
    const detail = "The store does not answer.";
    await view.route("**/series?**", (route) => route.fulfill({ status: 503, json: { detail } }));
    await view.goto(`${homes.url}/${RANGE}&live=off`);
    const card = view.locator(".curve-card");
    await card.getByText(detail).waitFor();
    await view.unroute("**/series?**");
    await card.getByRole("button", { name: "Try again" }).click();
    await card.locator(".chart[data-drawn]").waitFor();
  });
});

describe.skipIf(lacks)("other processes", () => {
  test("a process without a reading says how to send one, and shows it when it comes", async () => {
    const empty = await started();
    other = empty;
    const view = await page({}, empty);
    await view.goto(empty.url);
    await view.getByRole("heading", { name: "No readings yet" }).waitFor();
    await post(empty, [
      { site_id: "new", timestamp: new Date().toISOString(), energy_generated_kwh: 2, energy_consumed_kwh: 1 },
    ]);
    await view.locator(".fleet tbody tr", { hasText: "new" }).waitFor();
  });

  test("a token is asked for, refused, taken, kept in this tab alone and forgotten", async () => {
    const folder = mkdtempSync(join(tmpdir(), "wattstream-token-"));
    const token = "correct-horse-battery-staple";
    const file = join(folder, "tokens");
    writeFileSync(file, `${token}\n`, { mode: 0o600 });
    const locked = await started(["--token-file", file]);
    other = locked;
    const view = await page({ expected: /401/ }, locked);
    await view.goto(locked.url);
    await view.getByLabel("Token", { exact: true }).fill("wrong-wrong-wrong-wrong");
    await view.getByRole("button", { name: "Show the sites" }).click();
    await view.getByText("The process does not know this token.").waitFor();
    await view.getByLabel("Token", { exact: true }).fill(token);
    await view.getByRole("button", { name: "Show the sites" }).click();
    await view.getByRole("heading", { name: "No readings yet" }).waitFor();
    expect(await view.evaluate(() => JSON.stringify([localStorage, document.cookie, location.href]))).not.toContain(
      token,
    );
    await view.getByRole("button", { name: "Forget token" }).click();
    await view.getByLabel("Token", { exact: true }).waitFor();
    expect(await view.evaluate(() => sessionStorage.length)).toBe(0);
  });
});

describe.skipIf(lacks)("everybody", () => {
  test("the theme is the system's until one is chosen", async () => {
    const view = await page({ colorScheme: "dark" });
    await opened(view, homes, RANGE);
    const ground = () => view.evaluate(() => getComputedStyle(document.body).backgroundColor);
    expect(await ground()).toBe("rgb(17, 17, 17)");
    await view.getByLabel("Theme").selectOption("light");
    expect(await ground()).toBe("rgb(243, 244, 246)");
    expect(parameter(view, "theme")).toBe("light");
    await view.reload();
    await drawn(view);
    expect(await ground()).toBe("rgb(243, 244, 246)");
  });

  test("the keyboard opens, leaves and uses the range", async () => {
    const view = await page();
    await opened(view, homes, RANGE);
    await view.keyboard.press("Tab");
    expect(await view.evaluate(() => document.activeElement?.textContent)).toBe("Skip to the figures");
    const name = view.getByRole("button", { name: /^Time range/ });
    await name.focus();
    await view.keyboard.press("Enter");
    await view.getByRole("button", { name: "Last hour" }).waitFor();
    await view.keyboard.press("Escape");
    expect(await view.locator(".panel").count()).toBe(0);
    expect(await name.evaluate((button) => button === document.activeElement)).toBe(true);
  });

  test.each(["", "&site=home06"])("a phone shows everything within its width %s", async (site) => {
    const view = await page({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
    await opened(view, homes, `?${FAULT}${site}`);
    expect(await view.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    expect(await violations(view)).toEqual([]);
  });

  const LOOKS = [
    ["light", ""],
    ["dark", ""],
    ["light", "&site=home06"],
    ["dark", "&site=home06"],
  ] as const;

  test.each(LOOKS)("axe finds nothing in the %s page %s", async (colorScheme, site) => {
    const view = await page({ colorScheme });
    await opened(view, homes, `?${FAULT}${site}`);
    await view.getByRole("button", { name: /^Time range/ }).click();
    expect(await violations(view)).toEqual([]);
  });
});

async function violations(view: Page): Promise<string[]> {
  await view.evaluate(axe.source);
  const found = await view.evaluate(() => (globalThis as unknown as { axe: typeof axe }).axe.run(document));
  return found.violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(" | ")}`);
}
