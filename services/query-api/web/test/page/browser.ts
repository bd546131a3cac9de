// A browser that nothing escapes: every message of the console that is an error, and every request to another host, fails the test.

import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { expect } from "vitest";
import { CHROMIUM, type Running } from "./process";

export const launch = (): Promise<Browser> => chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });

export interface Watched {
  page: Page;
  /** What went wrong in the page, so far. */
  wrong: string[];
  close(): Promise<void>;
}

interface Options extends BrowserContextOptions {
  /** Messages that the test brings about itself. */
  expected?: RegExp;
}

/** A process without the stream of readings is asked for it once, and the page goes on without. */
const NO_LIVE = /404.*\/live/;

const WIDE = { width: 1440, height: 900 };
const TIMEOUT_MS = 30_000;

/** A new page of a new reader. */
export async function watched(
  browser: Browser,
  running: Running,
  { expected, ...options }: Options = {},
): Promise<Watched> {
  const context = await browser.newContext({
    viewport: WIDE,
    timezoneId: "America/Los_Angeles",
    locale: "en-GB",
    ...options,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(TIMEOUT_MS);
  const wrong: string[] = [];
  const say = (text: string) => {
    if (!expected?.test(text) && !NO_LIVE.test(text)) wrong.push(text);
  };
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") say(`${message.text()} ${message.location().url}`);
  });
  page.on("pageerror", (error) => say(String(error)));
  page.on("request", (request) => {
    const isOurs = request.url().startsWith(`${running.url}/`) || request.url().startsWith("blob:");
    if (!isOurs) wrong.push(`a request to ${request.url()}`);
  });
  const close = async () => {
    await context.close();
    expect(wrong).toEqual([]);
  };
  return { page, wrong, close };
}

/** Opens an address of the page and waits until its first chart and its table are drawn. */
export async function opened(page: Page, running: Running, query = ""): Promise<void> {
  await page.goto(`${running.url}/${query}`);
  await drawn(page);
}

/** Waits until nothing on the page is awaited any more. */
export async function drawn(page: Page): Promise<void> {
  await page.locator(".chart[data-drawn]").first().waitFor();
  await expect.poll(() => page.locator(".skeleton, .skeleton-line, .fading").count(), { timeout: TIMEOUT_MS }).toBe(0);
}

/** A part of the address. */
export const parameter = (page: Page, name: string): string | null => new URL(page.url()).searchParams.get(name);

export const figure = (page: Page, name: string): Promise<string> => page.locator(`.tile.${name} .figure`).innerText();
