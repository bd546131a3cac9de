// The parts of ECharts that the charts are made of. What must always hold: a part that no chart uses is not in the bundle. Who draws
// calls `use(CHART_PARTS)` and adds the renderer of its choice: canvas for the page, SVG for files.

import { BarChart, LineChart, ScatterChart } from "echarts/charts";
import {
  AriaComponent,
  DataZoomComponent,
  GridComponent,
  LegendScrollComponent,
  MarkLineComponent,
  TitleComponent,
  TooltipComponent,
} from "echarts/components";

export const CHART_PARTS = [
  BarChart,
  LineChart,
  ScatterChart,
  AriaComponent,
  DataZoomComponent,
  GridComponent,
  LegendScrollComponent,
  MarkLineComponent,
  TitleComponent,
  TooltipComponent,
];
