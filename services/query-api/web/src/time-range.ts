// Ranges of time as people write them: `now-24h`, `last-7d`, `now/d`, `2025-06-20`, `2025-06-20 14:00`.
// What must always hold: a range is half-open, start <= t < end; a text means one instant or none, and what is not written in an
// accepted form is refused with a hint, never guessed. A time without an offset is in the zone that the page shows.

import { instantText, rangeText, spanText, type Zone } from "./times";

/** A range as it is written, and as it stands in the address. */
export interface WrittenRange {
  from: string;
  to: string;
}

/** A range of instants, in milliseconds since 1970. */
export interface Range {
  startMs: number;
  endMs: number;
}

/** What words such as `now` and `last` stand for. */
export interface Anchors {
  nowMs: number;
  /** The earliest reading and the newest; null while nobody knows. */
  firstMs: number | null;
  lastMs: number | null;
  zone: Zone;
}

export const DEFAULT_RANGE: WrittenRange = { from: "now-24h", to: "now" };

export const QUICK_RANGES: { name: string; range: WrittenRange }[] = [
  { name: "Last hour", range: { from: "now-1h", to: "now" } },
  { name: "Last 6 hours", range: { from: "now-6h", to: "now" } },
  { name: "Last 24 hours", range: DEFAULT_RANGE },
  { name: "Last 7 days", range: { from: "now-7d", to: "now" } },
  { name: "Last 30 days", range: { from: "now-30d", to: "now" } },
  { name: "Last 365 days", range: { from: "now-365d", to: "now" } },
  { name: "Today", range: { from: "now/d", to: "now/d" } },
  { name: "Newest 24 hours of data", range: { from: "last-24h", to: "last" } },
  { name: "Newest 7 days of data", range: { from: "last-7d", to: "last" } },
  { name: "Newest 30 days of data", range: { from: "last-30d", to: "last" } },
  { name: "All data", range: { from: "first", to: "last" } },
];

export const ACCEPTED =
  "now-24h, last-7d, now/d (units s m h d w), first, last, a date, a date and a time, or RFC 3339";

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const UNITS_MS: Record<string, number> = { s: 1_000, m: 60_000, h: HOUR_MS, d: DAY_MS, w: 7 * DAY_MS };

/** No range is shorter; zooming in ends here. */
export const SPAN_MIN_MS = 60_000;

const RELATIVE = /^(now|first|last)(?:([+-])(\d{1,6})([smhdw]))?(?:\/([hdw]))?$/;
const LOCAL = /^(\d{4})-(\d{2})-(\d{2})(?:[ T](\d{2}):(\d{2})(?::(\d{2}))?)?$/;
const WITH_OFFSET = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})$/;

type Edge = "start" | "end";

/** Whether a text has one of the accepted forms, whatever it stands for. */
export function isWritten(text: string): boolean {
  const anchors: Anchors = { nowMs: 0, firstMs: 0, lastMs: 0, zone: "UTC" };
  return instantOf(text, "start", anchors) !== null;
}

/** The instant that a text means; null when it means none, or stands on a reading that is not known. */
export function instantOf(text: string, edge: Edge, anchors: Anchors): number | null {
  const relative = RELATIVE.exec(text.trim());
  if (relative) return relativeOf(relative, edge, anchors);
  const local = LOCAL.exec(text.trim());
  if (local) return localOf(local, anchors.zone);
  const ms = WITH_OFFSET.test(text.trim()) ? Date.parse(text.trim()) : Number.NaN;
  return Number.isNaN(ms) ? null : ms;
}

/** The range that is meant; null when a text means nothing, or the end is not after the start. */
export function rangeOf(written: WrittenRange, anchors: Anchors): Range | null {
  const startMs = instantOf(written.from, "start", anchors);
  const endMs = instantOf(written.to, "end", anchors);
  return startMs === null || endMs === null || endMs <= startMs ? null : { startMs, endMs };
}

function relativeOf(match: RegExpExecArray, edge: Edge, anchors: Anchors): number | null {
  const [, anchor, sign, count, unit, snap] = match;
  const base = { now: anchors.nowMs, first: anchors.firstMs, last: anchors.lastMs }[anchor as "now" | "first" | "last"];
  if (base === null) return null;
  // The newest reading itself belongs to a range that ends with it.
  const isLastEnd = anchor === "last" && edge === "end" && !count;
  const offset = count && unit ? Number(count) * (UNITS_MS[unit] ?? 0) * (sign === "-" ? -1 : 1) : 0;
  const ms = base + offset + (isLastEnd ? 1 : 0);
  return snap ? snapped(ms, snap, edge, anchors.zone) : ms;
}

/** The beginning of an hour, a day or a week (from Monday); as an end, that of the next one. */
function snapped(ms: number, unit: string, edge: Edge, zone: Zone): number {
  const date = new Date(ms);
  if (unit === "h") return (Math.floor(ms / HOUR_MS) + (edge === "end" ? 1 : 0)) * HOUR_MS;
  const length = unit === "w" ? 7 : 1;
  const ahead = edge === "end" ? length : 0;
  if (zone === "UTC") {
    const back = unit === "w" ? (date.getUTCDay() + 6) % 7 : 0;
    return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate() - back + ahead);
  }
  const back = unit === "w" ? (date.getDay() + 6) % 7 : 0;
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() - back + ahead).getTime();
}

function localOf(match: RegExpExecArray, zone: Zone): number | null {
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = match
    .slice(1)
    .map((part) => Number(part ?? 0));
  const utc = Date.UTC(year, month - 1, day, hour, minute, second);
  const isReal = new Date(utc).getUTCMonth() === month - 1 && hour < 24 && minute < 60 && second < 60;
  if (!isReal) return null;
  return zone === "UTC" ? utc : new Date(year, month - 1, day, hour, minute, second).getTime();
}

/** The range of the same length before. */
export function before({ startMs, endMs }: Range): Range {
  return { startMs: startMs - (endMs - startMs), endMs: startMs };
}

/** Twice the range, about its middle. */
export function zoomedOut({ startMs, endMs }: Range): Range {
  const half = (endMs - startMs) / 2;
  return { startMs: Math.round(startMs - half), endMs: Math.round(endMs + half) };
}

/** A range about an instant. */
export function around(ms: number, spanMs: number): Range {
  return { startMs: ms - spanMs / 2, endMs: ms + spanMs / 2 };
}

/** The most hours that the API gives in one answer when it chooses the step. */
const HOURS_MAX = 2_000;

/** The range widened to the steps of its curve, as the API does: so that a sum and the one before it share no hour. */
export function aligned({ startMs, endMs }: Range): Range {
  const step = endMs - startMs > (HOURS_MAX - 1) * HOUR_MS ? DAY_MS : HOUR_MS;
  return { startMs: Math.floor(startMs / step) * step, endMs: Math.ceil(endMs / step) * step };
}

/** A range as it stands in the address. */
export function written({ startMs, endMs }: Range): WrittenRange {
  const text = (ms: number) => new Date(Math.round(ms / 1_000) * 1_000).toISOString().replace(".000Z", "Z");
  return { from: text(startMs), to: text(endMs) };
}

/** A range in words: its name when it has one, its times otherwise. */
export function rangeName(asked: WrittenRange, range: Range | null, zone: Zone): string {
  const quick = QUICK_RANGES.find(({ range: { from, to } }) => from === asked.from && to === asked.to);
  if (quick) return quick.name;
  if (RELATIVE.test(asked.from) || !range) return `${asked.from} to ${asked.to}`;
  return rangeText(range.startMs, range.endMs, zone);
}

/** A length in words: `24 h`. */
export const lengthText = ({ startMs, endMs }: Range): string => spanText(endMs - startMs);

export const fromToText = ({ startMs, endMs }: Range, zone: Zone): string =>
  `${instantText(startMs, zone)} to ${instantText(endMs, zone)}`;
