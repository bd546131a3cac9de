// A curve the size of a word. What must always hold: its lines break at gaps; who does not see it is not told of it, since the row says
// the same in figures.

import type { Point, Series } from "../api";

const WIDTH = 140;
const HEIGHT = 30;
/** More points than it has pixels are put together. */
const POINTS_MAX = 70;

type Value = number | null;

export function Sparkline({ series }: { series: Series }) {
  const generated = thinned(series.points, (point) => point.energy_generated_kwh);
  const consumed = thinned(series.points, (point) => point.energy_consumed_kwh);
  const values = [...generated, ...consumed].filter((value) => value !== null).sort((one, other) => one - other);
  // One wild value would flatten the rest.
  const high = Math.max(values[Math.floor(values.length * 0.98)] ?? 0, 1e-9);
  const low = Math.min(0, values[Math.floor(values.length * 0.02)] ?? 0);
  const draw = (line: Value[]) => pathOf(line, low, high);
  return (
    <svg class="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} width={WIDTH} height={HEIGHT} aria-hidden="true">
      <path class="consumed-line" d={draw(consumed)} />
      <path class="generated-line" d={draw(generated)} />
    </svg>
  );
}

function thinned(points: readonly Point[], valueIn: (point: Point) => Value): Value[] {
  const size = Math.max(1, Math.ceil(points.length / POINTS_MAX));
  const groups = Array.from({ length: Math.ceil(points.length / size) }, (_, index) =>
    points.slice(index * size, (index + 1) * size),
  );
  return groups.map((group) => {
    const known = group.map(valueIn).filter((value) => value !== null);
    return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
  });
}

function pathOf(line: readonly Value[], low: number, high: number): string {
  const step = WIDTH / Math.max(1, line.length - 1);
  let isPenUp = true;
  const moves = line.map((value, index) => {
    if (value === null) {
      isPenUp = true;
      return "";
    }
    const share = Math.min(1, Math.max(0, (value - low) / (high - low)));
    const move = `${isPenUp ? "M" : "L"}${(index * step).toFixed(1)} ${(HEIGHT - 2 - share * (HEIGHT - 4)).toFixed(1)}`;
    isPenUp = false;
    return move;
  });
  return moves.join("");
}
