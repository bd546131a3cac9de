// Numbers as people read them.

import { expect, test } from "vitest";
import { changeText, countText, energyText, percentText, unitForAll } from "../../src/units";

test.each([
  [0, "0 kWh"],
  [0.000001, "0 kWh"],
  [0.0042, "0.0042 kWh"],
  [12.345, "12.35 kWh"],
  [-0.0000004, "0 kWh"],
  [9_999, "9,999 kWh"],
  [10_000, "10 MWh"],
  [-123_456, "−123.5 MWh"],
  [9_999_999, "10,000 MWh"],
  [12_345_678, "12.35 GWh"],
  [null, "–"],
])("%s kWh is told as %s", (kwh, text) => {
  expect(energyText(kwh)).toBe(text);
});

test("energies that are compared have the unit of the largest", () => {
  expect(unitForAll([1, null, -50_000]).name).toBe("MWh");
  expect(unitForAll([]).name).toBe("kWh");
});

test("a ratio that is unknown is a dash, and a change from nothing too", () => {
  expect(percentText(null)).toBe("–");
  expect(percentText(0.2834)).toBe("28.3 %");
  expect(percentText(-289.2)).toBe("−28,920 %");
  expect(changeText(5, 0)).toBe("–");
});

test("a change has a sign, and is told by the size of what was", () => {
  expect(changeText(110, 100)).toBe("+10 %");
  expect(changeText(-110, -100)).toBe("−10 %");
  expect(changeText(95.5, 100)).toBe("−4.5 %");
  expect(changeText(5_000, 1)).toBe("> +1,000 %");
});

test("counts have separators", () => {
  expect(countText(1_234_567)).toBe("1,234,567");
});
