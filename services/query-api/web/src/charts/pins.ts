// Anomalies as pins on a curve. What must always hold: a pin stands on a point of the curve, and each anomaly belongs to the point whose
// step it lies in; anomalies of one point and one severity share a pin, which tells the strongest of them.

import type { Finding, Point, Reading, Severity } from "../api";
import { energyText } from "../units";
import { inWords } from "./look";

/** The most pins of one severity: the strongest. */
export const PINS_MAX = 200;

const TOLD_MAX = 4;

export interface Flaw {
  reading: Reading;
  finding: Finding;
}

export interface Pin {
  /** The beginning of the point that it stands on, in milliseconds since 1970. */
  at: number;
  /** The height at which it stands, in kWh. */
  kwh: number;
  severity: Severity;
  /** The strongest first. */
  flaws: Flaw[];
}

/** The pins for these anomalies on a curve with these points. */
export function pinsOf(points: readonly Point[], anomalies: readonly Reading[]): Pin[] {
  const starts = points.map((point) => Date.parse(point.start));
  const pins = new Map<string, Pin>();
  for (const reading of anomalies) {
    for (const finding of reading.findings) {
      const index = lastAtOrBefore(starts, Date.parse(reading.timestamp));
      const point = points[index];
      const at = starts[index];
      const kwh = point && heightOf(point, finding);
      if (at === undefined || kwh === undefined || kwh === null) continue;
      const key = `${at} ${finding.severity} ${kwh}`;
      const pin = pins.get(key) ?? { at, kwh, severity: finding.severity, flaws: [] };
      pin.flaws.push({ reading, finding });
      pins.set(key, pin);
    }
  }
  return [...pins.values()].map(withStrongestFirst).sort((one, other) => one.at - other.at);
}

const scoreOf = (pin: Pin): number => pin.flaws[0]?.finding.score ?? 0;

/** The strongest pins of each severity, in order of time. */
export function strongest(pins: readonly Pin[], severity: Severity): Pin[] {
  const ofSeverity = pins.filter((pin) => pin.severity === severity);
  const kept = ofSeverity.sort((one, other) => scoreOf(other) - scoreOf(one)).slice(0, PINS_MAX);
  return kept.sort((one, other) => one.at - other.at);
}

/** What a pin says, a line for each of its strongest anomalies. */
export function pinLines(pin: Pin, isFleet: boolean): string[] {
  const told = pin.flaws.slice(0, TOLD_MAX).map((flaw) => flawText(flaw, isFleet));
  const left = pin.flaws.length - told.length;
  return left > 0 ? [...told, `and ${left} more`] : told;
}

/** Rule, severity, value and expected value of an anomaly. */
export function flawText({ reading, finding }: Flaw, isFleet: boolean): string {
  const site = isFleet ? `${reading.site_id}, ` : "";
  return `${site}${inWords(finding.rule)} (${finding.severity})${valuesText(reading, finding)}`;
}

function valuesText(reading: Reading, finding: Finding): string {
  if (finding.channel === null) return "";
  const value = finding.channel === "generated" ? reading.energy_generated_kwh : reading.energy_consumed_kwh;
  const expected = finding.expected_kwh === null ? "" : `, expected ${energyText(finding.expected_kwh)}`;
  return `: ${finding.channel} ${energyText(value)}${expected}`;
}

function withStrongestFirst(pin: Pin): Pin {
  return { ...pin, flaws: [...pin.flaws].sort((one, other) => other.finding.score - one.finding.score) };
}

/** On the curve that failed; a finding about time stands on the one that is not flat. */
function heightOf(point: Point, finding: Finding): number | null {
  const { energy_generated_kwh: generated, energy_consumed_kwh: consumed } = point;
  if (finding.channel !== null) return finding.channel === "generated" ? generated : consumed;
  return generated === 0 ? consumed : generated;
}

/** The index of the last of ascending instants that is not after `ms`; -1 when all are. */
function lastAtOrBefore(ascending: readonly number[], ms: number): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ascending[middle] ?? 0) <= ms) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
