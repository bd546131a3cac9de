// Numbers as people read them. What must always hold: the unit follows from the size, so that no figure has more than four digits
// before its point below 10 TWh; an unknown value is a dash, never a zero.

export interface EnergyUnit {
  name: "kWh" | "MWh" | "GWh";
  /** How many kWh one of it is. */
  kwh: number;
}

const KILO: EnergyUnit = { name: "kWh", kwh: 1 };
const UNITS: EnergyUnit[] = [{ name: "GWh", kwh: 1e6 }, { name: "MWh", kwh: 1e3 }, KILO];

/** A unit is taken from ten of it on: 9,500 kWh says more than 9.5 MWh. */
const TAKEN_FROM = 10;

const UNKNOWN = "–";

/** The unit in which energies of up to this size are told. */
export function unitFor(kwh: number): EnergyUnit {
  return UNITS.find((unit) => Math.abs(kwh) >= unit.kwh * TAKEN_FROM) ?? KILO;
}

/** The unit for a set of energies that are compared: that of the largest. */
export function unitForAll(energies: readonly (number | null)[]): EnergyUnit {
  return unitFor(energies.reduce<number>((largest, kwh) => Math.max(largest, Math.abs(kwh ?? 0)), 0));
}

/** An energy with its unit; its own by size unless one is given. */
export function energyText(kwh: number | null, unit = unitFor(kwh ?? 0)): string {
  return kwh === null ? UNKNOWN : `${numberText(kwh / unit.kwh)} ${unit.name}`;
}

/** A number with three or four digits that count. */
export function numberText(value: number): string {
  const size = Math.abs(value);
  return formatted(value, size >= 1_000 ? 0 : size >= 100 ? 1 : size >= 0.01 || size === 0 ? 2 : 4);
}

export function countText(value: number): string {
  return formatted(value, 0);
}

/** A ratio in percent. */
export function percentText(ratio: number | null): string {
  if (ratio === null) return UNKNOWN;
  return `${formatted(ratio * 100, Math.abs(ratio) < 10 ? 1 : 0)} %`;
}

/** A change in percent, with its sign; a dash when there is nothing to compare with. */
export function changeText(now: number, before: number): string {
  if (before === 0) return UNKNOWN;
  const change = (now - before) / Math.abs(before);
  if (Math.abs(change) >= 10) return change > 0 ? "> +1,000 %" : "< −1,000 %";
  const sign = change > 0 ? "+" : "";
  return `${sign}${formatted(change * 100, Math.abs(change) < 0.1 ? 1 : 0)} %`;
}

const formats = new Map<number, Intl.NumberFormat>();

function formatted(value: number, digits: number): string {
  let format = formats.get(digits);
  if (!format) {
    format = new Intl.NumberFormat("en-GB", { maximumFractionDigits: digits });
    formats.set(digits, format);
  }
  // A minus that is as wide as a plus; and no negative zero.
  const text = format.format(value).replace("-", "−");
  return text === "−0" ? "0" : text;
}
