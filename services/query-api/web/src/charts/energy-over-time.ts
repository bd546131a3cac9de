// Generation against consumption over time, with anomalies as pins. What must always hold: a step without readings is a gap in both
// lines, never a zero and never bridged; a point between two gaps is a dot, since no line would show it.

import type { DataZoomComponentOption } from "echarts/components";
import type { Point, Reading, Resolution, Series, Severity } from "../api";
import { clockText, dateText, instantText, monthText, rangeText, type Zone } from "../times";
import { countText, energyText, numberText, unitForAll } from "../units";
import { type Bounds, boundsOf } from "./bounds";
import {
  base,
  type ChartOption,
  CONSUMED,
  GENERATED,
  type Look,
  legend,
  paletteOf,
  SEVERITY_SHAPES,
  topOf,
  valueAxis,
} from "./look";
import { type Pin, pinLines, pinsOf, strongest } from "./pins";

const HOUR_MS = 3_600_000;

const PIN_NAMES: Record<Severity, string> = { error: "Anomaly: error", warning: "Anomaly: warning" };

/** A curve of a site or of all sites, and the anomalies of the same time. */
export function energyOverTime(series: Series, anomalies: readonly Reading[], look: Look): ChartOption {
  const { points } = series;
  const isFleet = series.site_id === undefined;
  const energies = points.flatMap((point) => [point.energy_generated_kwh, point.energy_consumed_kwh]);
  const bounds = boundsOf(energies);
  const unit = unitForAll(bounds.max === null ? energies : [bounds.max]);
  const pins = pinsOf(points, anomalies).map((pin) => within(bounds, pin));
  const axis = valueAxis(look, unit.name, (kwh) => numberText(kwh / unit.kwh));
  const common = base(look, {
    title: isFleet ? "Generation and consumption" : `Generation and consumption of ${series.site_id}`,
    note: [stepNote(series.resolution), bounds.note].filter(Boolean).join(" "),
    description: describe(series, pins.length),
  });
  const pinSeries = (["warning", "error"] as const).map((severity) =>
    pinsSeries(severity, strongest(pins, severity), look),
  );
  return {
    ...common,
    useUTC: look.zone === "UTC",
    legend: {
      ...legend(look),
      data: ["Generated", "Consumed", ...pinSeries.filter(({ data }) => data.length > 0).map(({ name }) => name)],
    },
    grid: {
      left: 8,
      right: 20,
      top: topOf(look, 52),
      bottom: 52,
      outerBoundsMode: "same",
      outerBoundsContain: "axisLabel",
    },
    tooltip: { ...common.tooltip, trigger: "axis", formatter: (shown) => tooltipOf(shown, series, look.zone) },
    xAxis: timeAxis(series, look),
    yAxis: {
      ...axis,
      ...(bounds.max === null ? {} : { max: bounds.max, axisLabel: { ...axis.axisLabel, showMaxLabel: false } }),
      ...(bounds.min === null ? {} : { min: bounds.min }),
    },
    dataZoom: zooms(look),
    series: [
      line("Generated", GENERATED, points, (point) => point.energy_generated_kwh),
      line("Consumed", CONSUMED, points, (point) => point.energy_consumed_kwh),
      ...pinSeries,
    ],
  };
}

function stepNote(resolution: Resolution): string {
  if (resolution === "raw") return "Each reading.";
  return resolution === "hour" ? "Sums by hour." : `Sums by ${resolution} (UTC).`;
}

/** A pin on a value that is cut off stands at the end of the axis. */
function within({ min, max }: Bounds, pin: Pin): Pin {
  return { ...pin, kwh: Math.min(max ?? Number.POSITIVE_INFINITY, Math.max(min ?? Number.NEGATIVE_INFINITY, pin.kwh)) };
}

function describe(series: Series, pins: number): string {
  const sum = (energy: (point: Point) => number | null) =>
    series.points.reduce((sum, point) => sum + (energy(point) ?? 0), 0);
  const generated = energyText(sum((point) => point.energy_generated_kwh));
  const consumed = energyText(sum((point) => point.energy_consumed_kwh));
  const gaps = series.points.filter((point) => point.records === 0).length;
  return `${generated} generated and ${consumed} consumed in ${countText(series.points.length)} points, ${countText(gaps)} of them without readings, with ${countText(pins)} pins for anomalies.`;
}

function timeAxis(series: Series, look: Look) {
  const palette = paletteOf(look);
  return {
    type: "time",
    min: Date.parse(series.points[0]?.start ?? series.start),
    max: Date.parse(series.points.at(-1)?.start ?? series.end),
    axisLabel: { color: palette.quietText, hideOverlap: true },
    axisLine: { lineStyle: { color: palette.line } },
    axisTick: { lineStyle: { color: palette.line } },
    axisPointer: { lineStyle: { color: palette.quietText } },
  } as const;
}

/** A slider below; with the control key held, the wheel zooms too. Without it the wheel scrolls the page, as it does everywhere. */
function zooms(look: Look): DataZoomComponentOption[] {
  const palette = paletteOf(look);
  const bounds = { xAxisIndex: 0, filterMode: "none" } as const;
  return [
    { ...bounds, type: "inside", zoomOnMouseWheel: "ctrl", moveOnMouseWheel: false, moveOnMouseMove: false },
    {
      ...bounds,
      type: "slider",
      height: 26,
      bottom: 8,
      left: 50,
      right: 50,
      showDetail: false,
      brushSelect: false,
      borderColor: palette.line,
      fillerColor: look.theme === "dark" ? "rgba(72, 143, 194, 0.22)" : "rgba(72, 143, 194, 0.16)",
      dataBackground: {
        lineStyle: { color: palette.quietText, opacity: 0.6 },
        areaStyle: { color: palette.quietText, opacity: 0.12 },
      },
      selectedDataBackground: { lineStyle: { color: CONSUMED }, areaStyle: { color: CONSUMED, opacity: 0.2 } },
      handleStyle: { color: palette.card, borderColor: palette.quietText },
      moveHandleStyle: { color: palette.quietText, opacity: 0.4 },
    },
  ];
}

function line(name: string, color: string, points: readonly Point[], energy: (point: Point) => number | null) {
  return {
    type: "line",
    name,
    color,
    connectNulls: false,
    symbol: "none",
    lineStyle: { width: 1.8 },
    areaStyle: { opacity: 0.12 },
    emphasis: { disabled: true },
    data: points.map((point, index) => {
      const value = [Date.parse(point.start), energy(point)] as [number, number];
      const isLone = !hasValue(points[index - 1], energy) && !hasValue(points[index + 1], energy);
      return isLone ? { value, symbol: "circle", symbolSize: 4 } : value;
    }),
  } as const;
}

const hasValue = (point: Point | undefined, energy: (point: Point) => number | null): boolean =>
  point !== undefined && energy(point) !== null;

function pinsSeries(severity: Severity, pins: Pin[], look: Look) {
  const palette = paletteOf(look);
  return {
    type: "scatter",
    name: PIN_NAMES[severity],
    color: palette[severity],
    symbol: SEVERITY_SHAPES[severity],
    symbolSize: severity === "error" ? 12 : 10,
    itemStyle: { borderColor: palette.card, borderWidth: 1, opacity: 1 },
    z: 5,
    data: pins.map((pin) => ({ value: [pin.at, pin.kwh], pin })),
  } as const;
}

interface Shown {
  axisValue: number;
  seriesName: string;
  marker: string;
  value: [number, number | null];
  data: { pin?: Pin };
}

function tooltipOf(shown: unknown, series: Series, zone: Zone): string {
  const parts = (Array.isArray(shown) ? shown : [shown]) as Shown[];
  const at = parts[0]?.value[0];
  if (at === undefined) return "";
  const lines = parts.flatMap((part) => {
    const { pin } = part.data;
    if (pin) return pinLines(pin, series.site_id === undefined).map((line) => `${part.marker}${line}`);
    const kwh = part.value[1];
    return [`${part.marker}${part.seriesName}: ${kwh === null || Number.isNaN(kwh) ? "no reading" : energyText(kwh)}`];
  });
  return [stepText(at, series.resolution, zone), ...lines].join("\n");
}

/** The step of a curve that begins at an instant. Days and months are those of UTC. */
export function stepText(ms: number, resolution: Resolution, zone: Zone): string {
  if (resolution === "raw") return instantText(ms, zone);
  if (resolution === "hour") return rangeText(ms, ms + HOUR_MS, zone);
  if (resolution === "day")
    return zone === "UTC" ? `${dateText(ms, zone)} UTC` : `${dateText(ms, "UTC")}, from ${clockText(ms, zone)}`;
  return `${monthText(ms, "UTC")}`;
}
