// The address and the state are one.

import { expect, test } from "vitest";
import { queryOf, type State, stateOf, USUAL } from "../../src/url-state";

const FULL: State = {
  site: "site:alpha-01",
  range: { from: "now-7d", to: "now/d" },
  search: "pv & more",
  sort: { key: "net", isDescending: true },
  page: 3,
  rule: "high_limit",
  severity: "error",
  zone: "UTC",
  theme: "dark",
  isLive: false,
};

test("what an address says comes back from it", () => {
  expect(stateOf(queryOf(FULL))).toEqual(FULL);
  expect(stateOf(queryOf(USUAL))).toEqual(USUAL);
});

test("what is usual is left out", () => {
  expect(queryOf(USUAL)).toBe("");
  expect(queryOf({ ...USUAL, page: 2 })).toBe("?page=2");
});

test.each([
  "?page=-1&sort=nothing&zone=mars&theme=pink&severity=mild",
  "?from=yesterday&to=now",
  "?page=x&live=maybe&site=&rule=",
])("%s is read as the usual", (query) => {
  expect(stateOf(query)).toEqual(USUAL);
});

test("a preference of the reader holds where the address says nothing", () => {
  const usual: State = { ...USUAL, zone: "UTC", theme: "dark" };
  expect(stateOf("", usual)).toEqual(usual);
  expect(stateOf("?theme=light&zone=local", usual)).toEqual({ ...USUAL, theme: "light" });
});
