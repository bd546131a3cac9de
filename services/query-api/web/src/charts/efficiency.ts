// Which share of what a site generated was left over: net divided by generated. What must always hold: a site that generated nothing
// has no efficiency, and is counted rather than drawn as zero; a bar that is cut off says its true value.

import type { BarSeriesOption } from "echarts/charts";
import type { SiteTotals } from "../api";
import { countText, energyText, percentText } from "../units";
import { base, type ChartOption, CONSUMED, type Look, paletteOf, topOf, valueAxis } from "./look";
import { siteAxis, worst, zeroLine } from "./sites";

/** Where bars are cut off: a site that generates next to nothing would leave no room for the others. */
const LOWEST_DRAWN = -1;
const TICK = 0.25;

type Bar = NonNullable<BarSeriesOption["data"]>[number];

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
    yAxis: siteAxis(look, sites),
    series: [
      {
        type: "bar",
        name: "Efficiency",
        barMaxWidth: 18,
        markLine: zeroLine(look),
        data: sites.map((site) => barOf(site, look)),
      },
    ],
  };
}

function noteOf(chosen: string, without: number): string {
  const left =
    without === 0
      ? ""
      : `${countText(without)} ${without === 1 ? "site" : "sites"} generated nothing and ${without === 1 ? "has" : "have"} none.`;
  return [chosen, left].filter(Boolean).join(" ");
}

function barOf(site: Efficient, look: Look): Bar {
  const palette = paletteOf(look);
  const isCut = site.efficiency < LOWEST_DRAWN;
  return {
    value: isCut ? LOWEST_DRAWN : site.efficiency,
    itemStyle: { color: site.efficiency < 0 ? CONSUMED : palette.net },
    label: {
      show: true,
      // Right of the bar: of a deficit, that is beyond the zero, where there is room.
      position: "right",
      color: palette.text,
      formatter: isCut ? `${percentText(site.efficiency)} (cut off)` : percentText(site.efficiency),
    },
  };
}

function tooltipOf(shown: unknown, sites: readonly SiteTotals[]): string {
  const [part] = (Array.isArray(shown) ? shown : [shown]) as { dataIndex: number }[];
  const site = sites[part?.dataIndex ?? -1];
  if (!site) return "";
  return [
    site.site_id,
    `Efficiency: ${percentText(site.efficiency)}`,
    `Net: ${energyText(site.net_energy_kwh)}`,
    `Generated: ${energyText(site.energy_generated_kwh)}`,
  ].join("\n");
}
