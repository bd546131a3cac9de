// Where the axis of energies ends when a few readings are wild: a meter that reports watts as kilowatts makes a spike of a thousand
// times, beside which no day can be read. What must always hold: what is cut off is counted and its extreme is told; without wild values nothing is cut.

import { countText, energyText } from "../units";

/** The share of values that the axis has to show. */
const SHOWN = 0.98;
/** A value is wild when it is so many times beyond all of those. */
const WILD_FACTOR = 4;
const ROOM = 1.25;
/** With fewer values nobody can say which of them is the odd one. */
const VALUES_MIN = 50;

export interface Bounds {
  min: number | null;
  max: number | null;
  /** What is cut off, in words, or nothing. */
  note: string;
}

/** The ends of the axis for these energies; null where the axis finds its own. */
export function boundsOf(energies: readonly (number | null)[]): Bounds {
  const values = energies.filter((kwh) => kwh !== null).sort((one, other) => one - other);
  const usual = Math.max(Math.abs(quantile(values, SHOWN)), Math.abs(quantile(values, 1 - SHOWN)));
  const limit = usual * ROOM;
  const isWild = (kwh: number) => values.length >= VALUES_MIN && usual > 0 && Math.abs(kwh) > usual * WILD_FACTOR;
  const highest = values.at(-1) ?? 0;
  const lowest = values[0] ?? 0;
  const max = isWild(highest) && highest > 0 ? limit : null;
  const min = isWild(lowest) && lowest < 0 ? -limit : null;
  const cut = values.filter((kwh) => (max !== null && kwh > max) || (min !== null && kwh < min));
  const extreme = Math.abs(lowest) > Math.abs(highest) ? lowest : highest;
  const note =
    cut.length === 0
      ? ""
      : `${countText(cut.length)} ${cut.length === 1 ? "value is" : "values are"} beyond the axis, up to ${energyText(extreme)}.`;
  return { min, max, note };
}

function quantile(ascending: readonly number[], share: number): number {
  return ascending[Math.round((ascending.length - 1) * share)] ?? 0;
}
