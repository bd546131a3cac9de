// Generated minus consumed, site by site. What must always hold: a surplus goes to the right and a deficit to the left of one zero,
// so that the colour only repeats what the place says.

import type { SiteTotals } from "../api";
import { energyText, numberText, unitForAll } from "../units";
import { base, type ChartOption, CONSUMED, type Look, paletteOf, topOf, valueAxis } from "./look";
import { siteAxis, worst, zeroLine } from "./sites";

/** Bars that diverge about zero; the lowest net on top. */
export function netEnergy(all: readonly SiteTotals[], look: Look): ChartOption {
  const { sites, note } = worst(all, (site) => -site.net_energy_kwh, "the lowest net energy");
  const palette = paletteOf(look);
  const unit = unitForAll(sites.map((site) => site.net_energy_kwh));
  const lowest = sites[0];
  const description = lowest
    ? `Generated minus consumed, a bar a site. ${lowest.site_id} has the lowest: ${energyText(lowest.net_energy_kwh)}.`
    : "No site.";
  const common = base(look, { title: "Net energy by site", note, description });
  return {
    ...common,
    grid: {
      left: 8,
      right: 24,
      top: topOf(look, 4),
      bottom: 24,
      outerBoundsMode: "same",
      outerBoundsContain: "axisLabel",
    },
    tooltip: {
      ...common.tooltip,
      trigger: "axis",
      axisPointer: { type: "shadow" },
      formatter: (shown) => tooltipOf(shown, sites),
    },
    xAxis: {
      ...valueAxis(look, unit.name, (kwh) => numberText(kwh / unit.kwh)),
      nameLocation: "middle",
      nameGap: 26,
      boundaryGap: ["4%", "24%"],
    },
    yAxis: siteAxis(look, sites),
    series: [
      {
        type: "bar",
        name: "Net energy",
        barMaxWidth: 18,
        markLine: zeroLine(look),
        data: sites.map((site) => ({
          value: site.net_energy_kwh,
          itemStyle: { color: site.net_energy_kwh < 0 ? CONSUMED : palette.net },
          // Right of the bar: of a deficit, that is beyond the zero, where there is room.
          label: {
            show: true,
            position: "right",
            color: palette.text,
            formatter: energyText(site.net_energy_kwh),
          },
        })),
      },
    ],
  };
}

function tooltipOf(shown: unknown, sites: readonly SiteTotals[]): string {
  const [part] = (Array.isArray(shown) ? shown : [shown]) as { dataIndex: number }[];
  const site = sites[part?.dataIndex ?? -1];
  if (!site) return "";
  return [
    site.site_id,
    `Generated: ${energyText(site.energy_generated_kwh)}`,
    `Consumed: ${energyText(site.energy_consumed_kwh)}`,
    `Net: ${energyText(site.net_energy_kwh)}`,
  ].join("\n");
}
