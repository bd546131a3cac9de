// Generated minus consumed, site by site. What must always hold: a surplus goes to the right and a deficit to the left of one zero,
// so that the colour only repeats what the place says.

import type { SiteTotals } from "../api";
import { energyText, numberText, unitForAll } from "../units";
import { base, type ChartOption, type Look, valueAxis } from "./look";
import { aroundBars, barsAboutZero, worst } from "./sites";

/** Bars that diverge about zero; the lowest net on top. */
export function netEnergy(all: readonly SiteTotals[], look: Look): ChartOption {
  const { sites, note } = worst(all, (site) => -site.net_energy_kwh, "the lowest net energy");
  const unit = unitForAll(sites.map((site) => site.net_energy_kwh));
  const lowest = sites[0];
  const description = lowest
    ? `Generated minus consumed, a bar a site. ${lowest.site_id} has the lowest: ${energyText(lowest.net_energy_kwh)}.`
    : "No site.";
  const common = base(look, { title: "Net energy by site", note, description });
  return {
    ...common,
    ...aroundBars(look, common, { sites, abovePx: 4, belowPx: 24, lines }),
    xAxis: {
      ...valueAxis(look, unit.name, (kwh) => numberText(kwh / unit.kwh)),
      nameLocation: "middle",
      nameGap: 26,
      boundaryGap: ["4%", "24%"],
    },
    series: [barsAboutZero("Net energy", look, sites.map(barOf))],
  };
}

const barOf = (site: SiteTotals) => ({ value: site.net_energy_kwh, text: energyText(site.net_energy_kwh) });

function lines(site: SiteTotals): string[] {
  return [
    `Generated: ${energyText(site.energy_generated_kwh)}`,
    `Consumed: ${energyText(site.energy_consumed_kwh)}`,
    `Net: ${energyText(site.net_energy_kwh)}`,
  ];
}
