// The pages are those that the model writes, and the model knows what the repository says.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MEASURED } from "../src/measured.ts";
import { SERIES } from "../src/observability.ts";
import { wrapped } from "../src/pages/markdown.ts";
import { PAGES } from "../src/pages/pages.ts";
import { PRICES } from "../src/prices.ts";
import { isThere, textOf } from "../src/repository.ts";

describe("a page", () => {
  for (const page of PAGES) {
    test(`${page.path} is current`, async () => {
      const text = await page.text();
      assert.ok(
        isThere(page.path) && textOf(page.path) === text,
        `${page.path} is not current: run \`npm run pages\` in docs/model`,
      );
    });
  }

  test("has prose of at most 130 characters, and tables and code as they are", () => {
    const long = `${"word ".repeat(60).trim()}`;
    const text = wrapped(`# ${long}\n\n${long}\n- ${long}\n\n| ${long} |\n\n\`\`\`sh\n${long}\n\`\`\``);
    const lines = text.split("\n");
    const prose = lines.filter((line) => !/^[#|]/.test(line) && line !== long);
    assert.ok(prose.every((line) => line.length <= 130));
    assert.ok(lines.includes(`# ${long}`) && lines.includes(`| ${long} |`) && lines.includes(long));
    assert.equal(wrapped(text), text);
  });
});

describe("the model", () => {
  test("has the figures that docs/performance.md has measured", () => {
    const page = textOf("docs/performance.md");
    const stated = [
      `no anomalies, 5-minute sites | ${MEASURED.writeUnits5Minutes} |`,
      `1-minute sites | ${MEASURED.writeUnits1Minute} |`,
      `${MEASURED.consumerUsPerRecord.toFixed(2)} us:`,
      `\`/summary\` of 10,000 sites, ${MEASURED.summaryMbOf10kSites} MB of JSON`,
    ];
    for (const text of stated) assert.ok(page.includes(text), `docs/performance.md does not say “${text}” any more`);
  });

  test("knows every metric of docs/metrics.md and no other", () => {
    const documented = [
      ...textOf("docs/metrics.md").matchAll(/^\| `(wattstream_\w+)` \| (?:gauge|counter|histogram) /gm),
    ];
    assert.deepEqual(
      Object.keys(SERIES),
      documented.map((match) => match[1]),
    );
  });

  test("has a page of AWS and a source for every price", () => {
    for (const { usd, unit, page, source } of Object.values(PRICES)) {
      assert.ok(usd > 0 && unit !== "" && source !== "");
      assert.match(page, /^https:\/\/aws\.amazon\.com\/[\w/-]+\/pricing\/([\w-]+\/)?$/);
    }
  });
});
