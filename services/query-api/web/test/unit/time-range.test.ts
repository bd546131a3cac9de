// The grammar of ranges: what is accepted means one instant, and what is not is refused.

import { expect, test } from "vitest";
import { aligned, before, instantOf, rangeOf, written, zoomedOut } from "../../src/time-range";

const NOW = Date.parse("2025-06-20T14:35:20Z");
const anchors = {
  nowMs: NOW,
  firstMs: Date.parse("2024-01-01T00:00:00Z"),
  lastMs: Date.parse("2025-06-19T12:00:00Z"),
  zone: "UTC",
} as const;
const iso = (text: string, edge: "start" | "end" = "start") => {
  const ms = instantOf(text, edge, anchors);
  return ms === null ? null : new Date(ms).toISOString();
};

test.each([
  ["now", "2025-06-20T14:35:20.000Z"],
  ["now-24h", "2025-06-19T14:35:20.000Z"],
  ["now-90s", "2025-06-20T14:33:50.000Z"],
  ["now-5m", "2025-06-20T14:30:20.000Z"],
  ["now-7d", "2025-06-13T14:35:20.000Z"],
  ["now-2w", "2025-06-06T14:35:20.000Z"],
  ["now+1h", "2025-06-20T15:35:20.000Z"],
  ["last", "2025-06-19T12:00:00.000Z"],
  ["last-7d", "2025-06-12T12:00:00.000Z"],
  ["first", "2024-01-01T00:00:00.000Z"],
  ["now/h", "2025-06-20T14:00:00.000Z"],
  ["now/d", "2025-06-20T00:00:00.000Z"],
  ["now/w", "2025-06-16T00:00:00.000Z"],
  ["now-1d/d", "2025-06-19T00:00:00.000Z"],
  ["2025-06-20", "2025-06-20T00:00:00.000Z"],
  ["2025-06-20 14:00", "2025-06-20T14:00:00.000Z"],
  ["2025-06-20T14:00:30", "2025-06-20T14:00:30.000Z"],
  ["2025-06-20T14:00:00Z", "2025-06-20T14:00:00.000Z"],
  ["2025-06-20T14:00:00+02:00", "2025-06-20T12:00:00.000Z"],
  [" now-1h ", "2025-06-20T13:35:20.000Z"],
])("%s means an instant", (text, expected) => {
  expect(iso(text)).toBe(expected);
});

test.each([
  "",
  "yesterday",
  "now-",
  "now-24",
  "now24h",
  "now-1y",
  "now/x",
  "2025-13-01",
  "2025-02-30",
  "2025-06-20 25:00",
  "20/06/2025",
  "1718888888",
])("%j means nothing", (text) => {
  expect(iso(text)).toBeNull();
});

test("an end is rounded up where a start is rounded down", () => {
  expect(iso("now/d", "end")).toBe("2025-06-21T00:00:00.000Z");
  expect(iso("now/w", "end")).toBe("2025-06-23T00:00:00.000Z");
  expect(iso("now/h", "end")).toBe("2025-06-20T15:00:00.000Z");
});

test("the newest reading belongs to a range that ends with it", () => {
  const range = rangeOf({ from: "first", to: "last" }, anchors);
  expect(range?.endMs).toBe(anchors.lastMs + 1);
});

test("a time without an offset is in the zone of the page", () => {
  const local = instantOf("2025-06-20 14:00", "start", { ...anchors, zone: "local" });
  expect(local).toBe(new Date(2025, 5, 20, 14).getTime());
});

test("without a reading, what stands on readings means nothing", () => {
  expect(rangeOf({ from: "last-7d", to: "last" }, { ...anchors, lastMs: null })).toBeNull();
});

test("an end that is not after its start is no range", () => {
  expect(rangeOf({ from: "now", to: "now-1h" }, anchors)).toBeNull();
  expect(rangeOf({ from: "now", to: "now" }, anchors)).toBeNull();
});

test("the range before ends where this one starts, and zooming out keeps the middle", () => {
  expect(before({ startMs: 100, endMs: 130 })).toEqual({ startMs: 70, endMs: 100 });
  expect(zoomedOut({ startMs: 100, endMs: 200 })).toEqual({ startMs: 50, endMs: 250 });
});

test("a range is widened to whole hours, and a long one to whole days", () => {
  const day = rangeOf({ from: "now-24h", to: "now" }, anchors);
  expect(day && written(aligned(day))).toEqual({ from: "2025-06-19T14:00:00Z", to: "2025-06-20T15:00:00Z" });
  const year = rangeOf({ from: "now-365d", to: "now" }, anchors);
  expect(year && written(aligned(year))).toEqual({ from: "2024-06-20T00:00:00Z", to: "2025-06-21T00:00:00Z" });
});
