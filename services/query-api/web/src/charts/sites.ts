// What the three charts that compare sites have in common: one bar a site, the worst on top, and at most SITES_DRAWN_MAX of them.
// What must always hold: sites that are left out are counted, and the chart says by what the drawn ones were chosen.

import type { BarSeriesOption } from "echarts/charts";
import type { SiteTotals } from "../api";
import { countText } from "../units";
import { type ChartOption, type Look, paletteOf } from "./look";

/** The most bars of a chart: more cannot be read. */
export const SITES_DRAWN_MAX = 20;

const BAR_PX = 26;
const AROUND_BARS_PX = 78;
const HEIGHT_MIN_PX = 160;
const CURVE_HEIGHT_PX = 380;

interface Chosen {
  /** The worst first. */
  sites: SiteTotals[];
  /** Which of how many these are, or nothing when they are all. */
  note: string;
}

/** The worst sites by `badness`, the worst first; what `superlative` says is why these, as in "the 20 with the lowest net". */
export function worst(all: readonly SiteTotals[], badness: (site: SiteTotals) => number, superlative: string): Chosen {
  const order = (one: SiteTotals, other: SiteTotals) =>
    badness(other) - badness(one) || (one.site_id < other.site_id ? -1 : 1);
  const sites = [...all].sort(order).slice(0, SITES_DRAWN_MAX);
  const note =
    sites.length < all.length ? `The ${sites.length} with ${superlative}, of ${countText(all.length)} sites.` : "";
  return { sites, note };
}

/** The axis of sites, the first one on top. */
export function siteAxis(look: Look, sites: readonly SiteTotals[]) {
  const palette = paletteOf(look);
  return {
    type: "category",
    inverse: true,
    data: sites.map((site) => site.site_id),
    axisLabel: { color: palette.text, width: 150, overflow: "truncate", interval: 0 },
    axisTick: { show: false },
    axisLine: { show: false, onZero: false },
    triggerEvent: true,
  } as const;
}

/** A line where the value is zero. */
export function zeroLine(look: Look): NonNullable<BarSeriesOption["markLine"]> {
  const { quietText } = paletteOf(look);
  return {
    silent: true,
    symbol: "none",
    animation: false,
    label: { show: false },
    lineStyle: { color: quietText, type: "solid", width: 1 },
    data: [{ xAxis: 0 }],
  };
}

/** How high a chart wants to be, in pixels. */
export function heightPx(option: ChartOption): number {
  const axis = Array.isArray(option.yAxis) ? option.yAxis[0] : option.yAxis;
  if (axis?.type !== "category") return CURVE_HEIGHT_PX;
  const isTitled = !Array.isArray(option.title) && option.title?.show === true;
  return Math.max(HEIGHT_MIN_PX, (axis.data?.length ?? 0) * BAR_PX + AROUND_BARS_PX + (isTitled ? 52 : 0));
}
