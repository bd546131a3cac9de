// What the three charts that compare sites have in common: one bar a site, the worst on top, and at most SITES_DRAWN_MAX of them.
// What must always hold: sites that are left out are counted, and the chart says by what the drawn ones were chosen.

import type { BarSeriesOption } from "echarts/charts";
import type { SiteTotals } from "../api";
import { countText } from "../units";
import { type base, type ChartOption, CONSUMED, type Look, paletteOf, topOf } from "./look";

/** The most bars of a chart: more cannot be read. */
export const SITES_DRAWN_MAX = 20;

/** The thickest bar, in pixels. */
export const BAR_WIDTH_MAX_PX = 18;

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

/** A part of a tooltip, as ECharts hands it over. */
export interface TooltipPart {
  dataIndex: number;
  marker: string;
  seriesName: string;
  value: number;
}

interface Bars<S> {
  /** The first one on top. */
  sites: readonly S[];
  /** The room above the bars and below them, in pixels. */
  abovePx: number;
  belowPx: number;
  /** What is told of a site, line by line, under its name. */
  lines(site: S, parts: readonly TooltipPart[]): string[];
}

/** What stands around the bars: room for names and values, the sites down the axis, and a tooltip for each. */
export function aroundBars<S extends SiteTotals>(look: Look, common: ReturnType<typeof base>, bars: Bars<S>) {
  const { sites, abovePx, belowPx, lines } = bars;
  return {
    grid: {
      left: 8,
      right: 24,
      top: topOf(look, abovePx),
      bottom: belowPx,
      outerBoundsMode: "same",
      outerBoundsContain: "axisLabel",
    },
    tooltip: {
      ...common.tooltip,
      trigger: "axis",
      axisPointer: { type: "shadow" },
      formatter: (shown: unknown) => {
        const parts = (Array.isArray(shown) ? shown : [shown]) as TooltipPart[];
        const site = sites[parts[0]?.dataIndex ?? -1];
        return site ? [site.site_id, ...lines(site, parts)].join("\n") : "";
      },
    },
    yAxis: siteAxis(look, sites),
  } as const;
}

/** Bars about zero, each with its value written beside it. */
export function barsAboutZero(name: string, look: Look, bars: readonly Bar[]): BarSeriesOption {
  const palette = paletteOf(look);
  return {
    type: "bar",
    name,
    barMaxWidth: BAR_WIDTH_MAX_PX,
    markLine: zeroLine(look),
    data: bars.map(({ value, text }) => ({
      value,
      itemStyle: { color: value < 0 ? CONSUMED : palette.net },
      // Right of the bar: of a deficit, that is beyond the zero, where there is room.
      label: { show: true, position: "right", color: palette.text, formatter: text },
    })),
  };
}

interface Bar {
  value: number;
  text: string;
}

/** The axis of sites, the first one on top. */
function siteAxis(look: Look, sites: readonly SiteTotals[]) {
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
function zeroLine(look: Look): NonNullable<BarSeriesOption["markLine"]> {
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
