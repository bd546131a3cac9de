// A chart on the page. What must always hold: new data keeps the reader's zoom and choice of lines; a new range begins unzoomed; a
// chart that is no longer shown is disposed of.

import { BrushComponent, ToolboxComponent } from "echarts/components";
import { type ECharts, init, use } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import { useLayoutEffect, useRef } from "preact/hooks";
import { type ChartOption, heightPx } from "../charts";
import type { Pin } from "../charts/pins";
import { CHART_PARTS } from "../charts/register";

// A brush asks for a toolbox, also when it shows no button in it.
use([...CHART_PARTS, BrushComponent, ToolboxComponent, CanvasRenderer]);

const PNG_WIDTH_PX = 1_200;

interface Props {
  option: ChartOption;
  /** A change of it resets the zoom. */
  zoomKey?: string;
  /** A stretch of time was drawn over the chart, in milliseconds since 1970. */
  onStretch?: (startMs: number, endMs: number) => void;
  onPin?: (pin: Pin) => void;
  onSite?: (site: string) => void;
}

export function Chart(props: Props) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<ECharts | null>(null);
  const shownKey = useRef<string | undefined>(undefined);
  const hasBrush = useRef(false);
  const latest = useRef(props);
  latest.current = props;
  const { option, zoomKey } = props;

  useLayoutEffect(() => {
    if (!place.current) return;
    const made = init(place.current, null, { renderer: "canvas" });
    chart.current = made;
    listen(made, latest);
    // What is drawn anew has lost its brush, and taking one draws everything once more: it waits for a pointer that could use it.
    made.getZr().on("mousemove", () => {
      if (latest.current.onStretch && !hasBrush.current) takeBrush(made);
      hasBrush.current = true;
    });
    const observer = new ResizeObserver(() => made.resize());
    observer.observe(place.current);
    return () => {
      observer.disconnect();
      made.dispose();
      chart.current = null;
    };
  }, []);

  useLayoutEffect(() => {
    const made = chart.current;
    if (!made) return;
    const keeps = shownKey.current === zoomKey;
    made.setOption(withChoices(option, keeps ? made : null, props.onStretch !== undefined), { notMerge: true });
    shownKey.current = zoomKey;
    hasBrush.current = false;
    place.current?.setAttribute("data-drawn", zoomKey ?? "yes");
  }, [option, zoomKey, props.onStretch !== undefined]);

  return <div class="chart" ref={place} role="img" style={{ height: `${heightPx(option)}px` }} />;
}

/** A finger scrolls the page; it has the slider. */
const canBrush = (): boolean => window.matchMedia("(pointer: fine)").matches;

/** The option, with what the reader chose on the chart that shows. */
function withChoices(option: ChartOption, shown: ECharts | null, isStretched: boolean): ChartOption {
  const before = shown?.getOption() as
    | { dataZoom?: { start: number; end: number }[]; legend?: { selected: Record<string, boolean> }[] }
    | undefined;
  const zoom = before?.dataZoom?.[0];
  const zooms = Array.isArray(option.dataZoom) ? option.dataZoom : [];
  const selected = before?.legend?.[0]?.selected;
  return {
    ...option,
    animation: false,
    ...(zoom ? { dataZoom: zooms.map((one) => ({ ...one, start: zoom.start, end: zoom.end })) } : {}),
    ...(selected ? { legend: { ...option.legend, selected } } : {}),
    ...(isStretched && canBrush() ? { brush: BRUSH, toolbox: { show: false } } : {}),
  } as ChartOption;
}

const BRUSH = {
  xAxisIndex: 0,
  brushType: "lineX",
  toolbox: [],
  brushStyle: { color: "rgba(72, 143, 194, 0.2)", borderColor: "#488fc2" },
  outOfBrush: { colorAlpha: 1 },
} as const;

function takeBrush(chart: ECharts): void {
  if (!canBrush()) return;
  chart.dispatchAction({
    type: "takeGlobalCursor",
    key: "brush",
    brushOption: { brushType: "lineX", brushMode: "single" },
  });
}

function listen(chart: ECharts, latest: { current: Props }): void {
  chart.on("brushEnd", (event) => {
    const range = (event as { areas?: { coordRange?: number[] }[] }).areas?.[0]?.coordRange;
    chart.dispatchAction({ type: "brush", areas: [] });
    if (range?.[0] !== undefined && range[1] !== undefined) latest.current.onStretch?.(range[0], range[1]);
  });
  chart.on("click", (event) => {
    const { data, componentType, value, name } = event as {
      data?: { pin?: Pin };
      componentType: string;
      value?: unknown;
      name: string;
    };
    if (data?.pin) latest.current.onPin?.(data.pin);
    else if (componentType === "yAxis") latest.current.onSite?.(String(value));
    else if (latest.current.onSite) latest.current.onSite(name);
  });
}

/** A picture of a chart, as a PNG of twice the pixels. */
export function pictureOf(option: ChartOption, background: string): Blob {
  const place = document.createElement("div");
  const chart = init(place, null, { renderer: "canvas", width: PNG_WIDTH_PX, height: heightPx(option) });
  chart.setOption({ ...option, animation: false });
  const [, base64 = ""] = chart.getDataURL({ type: "png", pixelRatio: 2, backgroundColor: background }).split(",");
  chart.dispose();
  return new Blob([Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))], { type: "image/png" });
}
