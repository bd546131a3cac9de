// Instants as people read them, in local time or UTC. What must always hold: which of the two is never left to guess:
// a text in UTC says so wherever the text stands alone.

export type Zone = "local" | "UTC";

const formats = new Map<string, Intl.DateTimeFormat>();

function formatted(ms: number, zone: Zone, options: Intl.DateTimeFormatOptions): string {
  const key = `${zone}${JSON.stringify(options)}`;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat("en-GB", { ...options, ...(zone === "UTC" ? { timeZone: "UTC" } : {}) });
    formats.set(key, format);
  }
  return format.format(ms);
}

const DATE = { day: "numeric", month: "short", year: "numeric" } as const;
const CLOCK = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;
const SECONDS = { ...CLOCK, second: "2-digit" } as const;

/** `3 Jun 2025`. */
export const dateText = (ms: number, zone: Zone): string => formatted(ms, zone, DATE);

/** `14:00`. */
export const clockText = (ms: number, zone: Zone): string => formatted(ms, zone, CLOCK);

/** `14:00:07`. */
export const secondsText = (ms: number, zone: Zone): string => formatted(ms, zone, SECONDS);

/** `June 2025`. */
export const monthText = (ms: number, zone: Zone): string => formatted(ms, zone, { month: "long", year: "numeric" });

/** `3 Jun 2025, 14:00`, with the zone when it is UTC. */
export function instantText(ms: number, zone: Zone): string {
  return `${dateText(ms, zone)}, ${clockText(ms, zone)}${zone === "UTC" ? " UTC" : ""}`;
}

/** `3 Jun, 14:00 – 15:30`; both dates where they differ. */
export function rangeText(startMs: number, endMs: number, zone: Zone): string {
  const isOneDay = dateText(startMs, zone) === dateText(endMs, zone);
  const end = isOneDay ? clockText(endMs, zone) : `${dateText(endMs, zone)}, ${clockText(endMs, zone)}`;
  return `${dateText(startMs, zone)}, ${clockText(startMs, zone)} – ${end}${zone === "UTC" ? " UTC" : ""}`;
}

const SPANS: [number, string][] = [
  [86_400_000, "d"],
  [3_600_000, "h"],
  [60_000, "min"],
  [1_000, "s"],
];

/** A span of time in the unit that suits its length: `3 min`. */
export function spanText(ms: number): string {
  const [size, unit] = SPANS.find(([size]) => ms >= size * 2 || ms === size) ?? [1_000, "s"];
  return `${Math.round(ms / size)} ${unit}`;
}

/** How long ago an instant was: `3 min ago`. */
export function agoText(ms: number, nowMs: number): string {
  if (ms > nowMs + 60_000) return `${spanText(ms - nowMs)} ahead`;
  return nowMs - ms < 2_000 ? "just now" : `${spanText(nowMs - ms)} ago`;
}
