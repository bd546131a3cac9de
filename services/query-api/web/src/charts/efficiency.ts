// Which share of what a site generated was left over: net divided by generated. What must always hold: a site that generated nothing
// has no efficiency, and is counted rather than drawn as zero; a bar that is cut off says its true value.

import type { SiteTotals } from "../api";
import { countText, energyText, percentText } from "../units";
import { base, type ChartOption, type Look, valueAxis } from "./look";
import { aroundBars, barsAboutZero, worst } from "./sites";

/** Where bars are cut off: a site that generates next to nothing would leave no room for the others. */
const LOWEST_DRAWN = -1;
const TICK = 0.25;

type Efficient = SiteTotals & { efficiency: number };

/** Bars from the least efficient site down. */
export function efficiency(all: readonly SiteTotals[], look: Look): ChartOption {
  const known = all.filter((site): site is Efficient => site.efficiency !== null);
  const chosen = worst(known, (site) => -(site as Efficient).efficiency, "the lowest efficiency");
  const sites = chosen.sites as Efficient[];
  const least = sites[0];
  const description = least
    ? `Net divided by generated, a bar a site. ${least.site_id} has the lowest: ${percentText(least.efficiency)}.`
    : "No site generated anything.";
  const common = base(look, {
    title: "Efficiency by site",
    note: noteOf(chosen.note, all.length - known.length),
    description,
  });
  return {
    ...common,
    ...aroundBars(look, common, { sites, abovePx: 4, belowPx: 24, lines }),
    xAxis: {
      ...valueAxis(look, "net ÷ generated", (ratio) => `${countText(ratio * 100)} %`),
      nameLocation: "middle",
      nameGap: 26,
      min: sites.some((site) => site.efficiency < 0) ? LOWEST_DRAWN : 0,
      max: 1 + TICK,
      interval: TICK,
      axisLabel: {
        ...valueAxis(look, "", String).axisLabel,
        formatter: (ratio: number) =>
          ratio >= LOWEST_DRAWN && ratio <= 1 && ratio % (2 * TICK) === 0 ? `${countText(ratio * 100)} %` : "",
      },
    },
    series: [barsAboutZero("Efficiency", look, sites.map(barOf))],
  };
}

function noteOf(chosen: string, without: number): string {
  const left =
    without === 0
      ? ""
      : `${countText(without)} ${without === 1 ? "site" : "sites"} generated nothing and ${without === 1 ? "has" : "have"} none.`;
  return [chosen, left].filter(Boolean).join(" ");
}

function barOf({ efficiency }: Efficient) {
  const text = percentText(efficiency);
  return efficiency < LOWEST_DRAWN ? { value: LOWEST_DRAWN, text: `${text} (cut off)` } : { value: efficiency, text };
}

function lines(site: Efficient): string[] {
  return [
    `Efficiency: ${percentText(site.efficiency)}`,
    `Net: ${energyText(site.net_energy_kwh)}`,
    `Generated: ${energyText(site.energy_generated_kwh)}`,
  ];
}
