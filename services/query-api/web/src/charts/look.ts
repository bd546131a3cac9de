// How every chart looks. What must always hold: a meaning has one colour in all charts, and never a colour alone: shapes, patterns,
// words or places say the same; a text has a contrast of at least 4.5 to 1 in both themes.

import type { BarSeriesOption, LineSeriesOption, ScatterSeriesOption } from "echarts/charts";
import type {
  AriaComponentOption,
  DataZoomComponentOption,
  GridComponentOption,
  LegendComponentOption,
  TitleComponentOption,
  TooltipComponentOption,
} from "echarts/components";
import type { ComposeOption } from "echarts/core";
import type { Severity } from "../api";
import type { Zone } from "../times";

/** How a chart is to look. */
export interface Look {
  theme: "light" | "dark";
  zone: Zone;
  /** Whether the chart says its name itself, as it must in a file. Without it, it does; a card of the page has a heading of its own. */
  isTitled?: boolean;
}

/** The option of a chart, with the parts that `register.ts` picks. */
export type ChartOption = ComposeOption<
  | BarSeriesOption
  | LineSeriesOption
  | ScatterSeriesOption
  | AriaComponentOption
  | DataZoomComponentOption
  | GridComponentOption
  | LegendComponentOption
  | TitleComponentOption
  | TooltipComponentOption
>;

/** Home Assistant's colours of solar energy, consumption from the grid and return to the grid. */
export const GENERATED = "#ff9800";
export const CONSUMED = "#488fc2";
export const NET = "#8353d1";

interface Palette {
  text: string;
  quietText: string;
  line: string;
  card: string;
  error: string;
  warning: string;
  net: string;
}

const PALETTES: Record<Look["theme"], Palette> = {
  light: {
    text: "#1b1f24",
    quietText: "#59636e",
    line: "#e2e5e9",
    card: "#ffffff",
    error: "#c62828",
    warning: "#8a6d00",
    net: NET,
  },
  dark: {
    text: "#e8eaed",
    quietText: "#a3abb5",
    line: "#34383d",
    card: "#1c1c1c",
    error: "#ff6f60",
    warning: "#f0d242",
    net: "#9c73e0",
  },
};

export const paletteOf = (look: Look): Palette => PALETTES[look.theme];

/** Rules differ in hue and in lightness, and the bars in pattern too. */
const RULE_COLOURS: Record<string, string> = {
  negative_energy: "#c0392b",
  high_limit: "#e08bb8",
  repeated_value: "#2a9d8f",
  missing_interval: "#8d99a6",
};
/** For rules that are newer than this page. */
const OTHER_RULES = ["#e9c46a", "#6d6875", "#b5838d", "#457b9d"];

export function ruleColour(rule: string, index: number): string {
  return RULE_COLOURS[rule] ?? OTHER_RULES[index % OTHER_RULES.length] ?? NET;
}

/** The mark of an anomaly: its shape says how severe it is, and its colour says it again. */
export const SEVERITY_SHAPES: Record<Severity, "triangle" | "diamond"> = { error: "triangle", warning: "diamond" };

/** A rule's or another name in words. */
export const inWords = (name: string): string => name.replaceAll("_", " ");

/** Without quotes: ECharts does not escape them, and its SVG would be no XML. */
export const FONT = "system-ui, -apple-system, Segoe UI, Roboto, Noto Sans, sans-serif";

const TITLE_PX = 52;

/** The room above the grid, in pixels, below what `base` says. */
export const topOf = (look: Look, legendPx: number): number => (look.isTitled === false ? 4 : TITLE_PX) + legendPx;

interface Said {
  title: string;
  /** What a reader has to know, such as that not all sites are drawn. */
  note: string;
  /** The chart in a sentence, for those who hear it. */
  description: string;
}

/** What all charts have in common. Tooltips are drawn, not HTML: no text of a site can become markup, and no style has to be inlined. */
export function base(look: Look, said: Said) {
  const palette = paletteOf(look);
  return {
    backgroundColor: "transparent",
    textStyle: { fontFamily: FONT, color: palette.text },
    animationDuration: 300,
    animationDurationUpdate: 200,
    title: {
      show: look.isTitled !== false,
      text: said.title,
      subtext: said.note,
      left: 8,
      top: 4,
      textStyle: { fontSize: 15, fontWeight: 600, color: palette.text },
      subtextStyle: { fontSize: 12, color: palette.quietText },
    },
    aria: { enabled: true, label: { description: `${said.title}. ${said.description} ${said.note}`.trim() } },
    tooltip: tooltip(look),
  } as const;
}

function tooltip(look: Look): TooltipComponentOption {
  const palette = paletteOf(look);
  return {
    renderMode: "richText",
    confine: true,
    backgroundColor: palette.card,
    borderColor: palette.line,
    borderWidth: 1,
    padding: [8, 12],
    textStyle: { color: palette.text, fontSize: 13, lineHeight: 19, fontFamily: FONT },
  };
}

export function legend(look: Look) {
  const palette = paletteOf(look);
  return {
    type: "scroll",
    top: look.isTitled === false ? 0 : TITLE_PX - 6,
    left: 4,
    itemGap: 16,
    textStyle: { color: palette.text },
    inactiveColor: palette.quietText,
    pageTextStyle: { color: palette.text },
    pageIconColor: palette.text,
    pageIconInactiveColor: palette.line,
  } as const;
}

/** An axis of values; what its numbers mean, `format` says. */
export function valueAxis(look: Look, name: string, format: (value: number) => string) {
  const palette = paletteOf(look);
  return {
    type: "value",
    name,
    nameTextStyle: { color: palette.quietText },
    axisLabel: { color: palette.quietText, formatter: format, hideOverlap: true },
    splitLine: { lineStyle: { color: palette.line } },
    axisLine: { show: false },
  } as const;
}

/** What a picture of a chart is drawn on. */
export const BACKGROUNDS: Record<Look["theme"], string> = { light: PALETTES.light.card, dark: PALETTES.dark.card };
