// The four charts, each a pure function from the API's answers to an option of ECharts: no DOM, no clock, no request. What must always
// hold: the page and the files that `wattstream charts` writes are made of these and nothing else.

export { anomalyDistribution } from "./anomaly-distribution";
export { efficiency } from "./efficiency";
export { energyOverTime } from "./energy-over-time";
export type { ChartOption, Look } from "./look";
export { netEnergy } from "./net-energy";
export { heightPx, SITES_DRAWN_MAX } from "./sites";
