// The charts for files that `wattstream charts` writes: one bundle, which draws an SVG where there is no browser, and the same chart, to be
// touched, in a page. What must always hold: it draws with the functions of ../charts and decides nothing but sizes; it asks nobody for
// anything.

import "./engine";
import { init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import type { Reading, Series, SiteTotals } from "../api";
import {
  anomalyDistribution,
  type ChartOption,
  efficiency,
  energyOverTime,
  heightPx,
  type Look,
  netEnergy,
} from "../charts";
import { paletteOf } from "../charts/look";
import { CHART_PARTS } from "../charts/register";

use([...CHART_PARTS, SVGRenderer]);

/** The width of a picture. */
const WIDTH_PX = 960;

/** What a file shows, as the program writes it. */
export type Request = { theme: Look["theme"] } & (
  | { chart: "anomaly-distribution" | "net-energy" | "efficiency"; sites: SiteTotals[] }
  | { chart: "energy-over-time"; series: Series; anomalies: Reading[] }
);

const OF_SITES = { "anomaly-distribution": anomalyDistribution, "net-energy": netEnergy, efficiency };

/** UTC, because a file is read by others, and elsewhere. */
function optionOf(request: Request): ChartOption {
  const look: Look = { theme: request.theme, zone: "UTC" };
  const made =
    request.chart === "energy-over-time"
      ? energyOverTime(request.series, request.anomalies, look)
      : OF_SITES[request.chart](request.sites, look);
  // Without a browser the width of a text is a guess, and a bar's label may stand at its end: both need room beside the grid.
  const room = request.chart === "energy-over-time" ? {} : { left: 24, right: 88 };
  // A picture has no page behind it.
  return { ...made, grid: { ...made.grid, ...room }, backgroundColor: paletteOf(look).card };
}

/** The chart as SVG. */
export function svg(json: string): string {
  const option = optionOf(JSON.parse(json));
  const chart = init(null, null, { renderer: "svg", ssr: true, width: WIDTH_PX, height: heightPx(option) });
  // In a picture nothing can be zoomed, so the slider and its room go; and nothing moves.
  const grid = option.dataZoom === undefined ? option.grid : { ...option.grid, bottom: 16 };
  chart.setOption({ ...option, animation: false, dataZoom: [], ...(grid && { grid }) });
  const text = chart.renderToSVGString();
  chart.dispose();
  return text;
}

/** Draws the chart of a page, whose data is in the element #data. */
export function show(): void {
  const [place, data] = [document.getElementById("chart"), document.getElementById("data")];
  if (!place || !data) throw new Error("the page has no #chart or no #data");
  const option = optionOf(JSON.parse(data.textContent ?? ""));
  place.style.height = `${heightPx(option)}px`;
  const chart = init(place, null, { renderer: "svg" });
  chart.setOption(option);
  window.addEventListener("resize", () => chart.resize());
}
