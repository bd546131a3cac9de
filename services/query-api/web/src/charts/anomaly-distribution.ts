// How many readings of each site broke which rule. What must always hold: a reading that broke two rules is in two parts of its
// site's bar, and the chart says so.

import type { SiteTotals } from "../api";
import { countText } from "../units";
import { base, type ChartOption, inWords, type Look, legend, paletteOf, ruleColour, valueAxis } from "./look";
import { aroundBars, BAR_WIDTH_MAX_PX, type TooltipPart, worst } from "./sites";

const findings = (site: SiteTotals): number =>
  Object.values(site.anomalies_by_rule).reduce((sum, count) => sum + count, 0);

/** Stacked bars, a part for each rule; the site with the most findings on top. */
export function anomalyDistribution(all: readonly SiteTotals[], look: Look): ChartOption {
  const known = all.filter((site) => findings(site) > 0);
  const chosen = worst(known, findings, "the most findings");
  const { sites } = chosen;
  const note = [chosen.note, withoutText(all.length - known.length)].filter(Boolean).join(" ");
  const rules = [...new Set(all.flatMap((site) => Object.keys(site.anomalies_by_rule)))].sort();
  const seen = rules.filter((rule) => sites.some((site) => (site.anomalies_by_rule[rule] ?? 0) > 0));
  const most = sites[0];
  const description = most
    ? `Findings by rule, a bar a site. ${most.site_id} has the most: ${countText(findings(most))}.`
    : "No site.";
  const common = base(look, { title: "Anomalies by site and rule", note, description });
  const palette = paletteOf(look);
  return {
    ...common,
    aria: { ...common.aria, decal: { show: true } },
    legend: { ...legend(look), data: seen.map(inWords) },
    ...aroundBars(look, common, { sites, abovePx: 34, belowPx: 4, lines }),
    xAxis: { ...valueAxis(look, "", countText), minInterval: 1 },
    series: seen.map((rule) => ({
      type: "bar",
      name: inWords(rule),
      stack: "rules",
      barMaxWidth: BAR_WIDTH_MAX_PX,
      color: ruleColour(rule, rules.indexOf(rule)),
      itemStyle: { borderColor: palette.card, borderWidth: 0.5 },
      data: sites.map((site) => site.anomalies_by_rule[rule] ?? 0),
    })),
  };
}

function withoutText(count: number): string {
  if (count === 0) return "";
  return count === 1 ? "1 site has none." : `${countText(count)} sites have none.`;
}

function lines(site: SiteTotals, parts: readonly TooltipPart[]): string[] {
  const readings = `${countText(site.anomalies)} ${site.anomalies === 1 ? "reading" : "readings"} with findings`;
  const findings = parts.filter((part) => part.value > 0);
  return [readings, ...findings.map((part) => `${part.marker}${part.seriesName}: ${countText(part.value)}`)];
}
