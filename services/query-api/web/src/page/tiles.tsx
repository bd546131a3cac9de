// The totals of the range, each against the time before. What must always hold: without a reading before there is nothing to compare
// with, and the tile says so; whether a change is good or bad is not for a colour to say.

import type { Series } from "../api";
import { lengthText, type Range } from "../time-range";
import { changeText, countText, energyText, percentText } from "../units";
import type { Query } from "./query";
import { type Sums, sumsOf } from "./sums";

interface Props {
  now: Query<Series>;
  before: Query<Series>;
  range: Range | null;
}

interface TileOf {
  name: string;
  class: string;
  note?: string;
  text(sums: Sums): string;
  change(now: Sums, before: Sums): string;
}

const TILES: TileOf[] = [
  {
    name: "Generated",
    class: "generated",
    text: (sums) => energyText(sums.generated),
    change: (now, before) => changeText(now.generated, before.generated),
  },
  {
    name: "Consumed",
    class: "consumed",
    text: (sums) => energyText(sums.consumed),
    change: (now, before) => changeText(now.consumed, before.consumed),
  },
  {
    name: "Net",
    class: "net",
    note: "generated − consumed",
    text: (sums) => energyText(sums.net),
    change: (now, before) => changeText(now.net, before.net),
  },
  {
    name: "Efficiency",
    class: "efficiency",
    note: "net ÷ generated",
    text: (sums) => percentText(sums.efficiency),
    change: (now, before) =>
      now.efficiency === null || before.efficiency === null ? "–" : pointsText(now.efficiency - before.efficiency),
  },
  {
    name: "Anomalies",
    class: "anomalies",
    note: "readings with findings",
    text: (sums) => countText(sums.anomalies),
    change: (now, before) => changeText(now.anomalies, before.anomalies),
  },
];

/** A difference of percentages is told in points: from 20 % to 30 % are ten. */
function pointsText(difference: number): string {
  return `${difference > 0 ? "+" : ""}${countText(difference * 100)} points`;
}

export function Tiles({ now, before, range }: Props) {
  const sums = now.data && sumsOf(now.data);
  const earlier = before.data && sumsOf(before.data);
  return (
    <section aria-label="Totals of the range">
      <dl class="tiles">
        {TILES.map((tile) => (
          <div key={tile.name} class={`tile ${tile.class}`}>
            <dt>
              {tile.name} {tile.note ? <span class="note">{tile.note}</span> : null}
            </dt>
            <dd class="figure">{sums ? tile.text(sums) : <span class="skeleton-line" />}</dd>
            <dd class="note">{sums ? comparison(tile, sums, earlier, range) : " "}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function comparison(tile: TileOf, now: Sums, before: Sums | null, range: Range | null): string {
  if (!before || !range) return " ";
  if (before.records === 0) return `nothing in the ${lengthText(range)} before`;
  return `${tile.change(now, before)} (${tile.text(before)} in the ${lengthText(range)} before)`;
}
