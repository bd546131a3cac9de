// Lengths of time, in seconds.

export const MINUTE_S = 60;
export const HOUR_S = 60 * MINUTE_S;
export const DAY_S = 24 * HOUR_S;
/** The month that AWS reckons with: 730 hours. */
export const MONTH_S = 730 * HOUR_S;

const UNITS_S: Readonly<Record<string, number>> = { s: 1, m: MINUTE_S, h: HOUR_S, d: DAY_S };

/** Reads `30s`, `5m`, `1h` or `7d`. */
export function parseDuration(text: string): number {
  const [, count, unit] = /^(\d+)([smhd])$/.exec(text) ?? [];
  const seconds = Number(count) * (UNITS_S[unit ?? ""] ?? Number.NaN);
  if (!(seconds > 0))
    throw new Error(`“${text}” is no length of time: write a whole number and s, m, h or d, as in 5m`);
  return seconds;
}

/** Writes a length of time in its largest whole unit. */
export function formatDuration(seconds: number): string {
  const unit = (["d", "h", "m"] as const).find((name) => seconds % (UNITS_S[name] ?? 1) === 0) ?? "s";
  return `${seconds / (UNITS_S[unit] ?? 1)}${unit}`;
}
