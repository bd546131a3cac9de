// The architecture picture can be read: in light and in dark, and without colour.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { coloured, DARK, LIGHT, type Palette, picture, SOURCE } from "../src/pages/picture.ts";
import { textOf } from "../src/repository.ts";

/** What a page of GitHub has behind the picture. */
const BACKGROUNDS = { light: "#ffffff", dark: "#0d1117" } as const;

/** The contrast that WCAG asks of text. */
const CONTRAST_MIN = 4.5;

function luminance(colour: string): number {
  const linear = [1, 3, 5].map((at) => {
    const channel = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return channel <= 0.040_45 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  const [red = 0, green = 0, blue = 0] = linear;
  return 0.212_6 * red + 0.715_2 * green + 0.072_2 * blue;
}

function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

function colourOf(palette: Palette, name: string): string {
  const colour = palette[name];
  assert.ok(colour, `the palette has no ${name}`);
  return colour;
}

describe("the picture", () => {
  for (const [name, palette] of [
    ["light", LIGHT],
    ["dark", DARK],
  ] as const) {
    test(`has text and lines that stand out, ${name}`, () => {
      const fills = ["card", "outside", "ground", "function", "derived", "failure"].map((fill) =>
        colourOf(palette, fill),
      );
      for (const ground of [...fills, BACKGROUNDS[name]]) {
        for (const text of ["ink", "quiet"]) {
          const found = contrast(colourOf(palette, text), ground);
          assert.ok(found >= CONTRAST_MIN, `${text} on ${ground} has a contrast of ${found.toFixed(1)}`);
        }
      }
      for (const line of ["flow", "failure_line"]) {
        assert.ok(contrast(colourOf(palette, line), BACKGROUNDS[name]) >= CONTRAST_MIN, `${line} is hard to see`);
      }
    });

    test(`says what it is and asks nothing of the reader's machine but a sans-serif font, ${name}`, async () => {
      const svg = await picture(palette);
      assert.match(svg, /^<svg role="img" aria-label="[^"]+"/);
      assert.doesNotMatch(svg, /<script|<image|<style|href=|url\(|<title>/);
      assert.deepEqual([...new Set(svg.match(/font-family="[^"]*"/g))], ['font-family="Helvetica,sans-Serif"']);
    });
  }

  test("both palettes have the same names", () => assert.deepEqual(Object.keys(LIGHT), Object.keys(DARK)));

  test("draws every line of failure dashed and with an open arrow, and no other line", () => {
    const source = textOf(SOURCE);
    const [data = "", failure = ""] = source.split('edge [style=dashed color="{failure_line}" arrowhead=empty');
    assert.doesNotMatch(data, /failure_line/);
    for (const edge of ["consumer -> letters", "consumer -> given_up", "operator -> stream"]) {
      assert.ok(failure.includes(edge) && !data.includes(edge), `${edge} is not among the lines of failure`);
    }
  });

  test("a colour that is in no palette is a mistake that is named", () => {
    assert.throws(() => coloured("{purple}", LIGHT), /\{purple\}/);
  });
});
