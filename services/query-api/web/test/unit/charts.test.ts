// The charts' options, and that ECharts draws them without a browser, as `wattstream charts` does.

import { init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { describe, expect, test } from "vitest";
import type { Point, Reading, Series, SiteTotals } from "../../src/api";
import {
  anomalyDistribution,
  type ChartOption,
  efficiency,
  energyOverTime,
  heightPx,
  netEnergy,
  SITES_DRAWN_MAX,
} from "../../src/charts";
import { CHART_PARTS } from "../../src/charts/register";

use([...CHART_PARTS, SVGRenderer]);

const LOOK = { theme: "light", zone: "UTC" } as const;

function site(id: string, generated: number, consumed: number, rules: Record<string, number> = {}): SiteTotals {
  const net = generated - consumed;
  return {
    site_id: id,
    anomalies: Object.values(rules).reduce((sum, count) => sum + count, 0),
    anomalies_by_rule: rules,
    energy_generated_kwh: generated,
    energy_consumed_kwh: consumed,
    net_energy_kwh: net,
    efficiency: generated === 0 ? null : net / generated,
  };
}

const SITES = [
  site("a", 10, 4, { high_limit: 2 }),
  site("b", 0, 7),
  site("c", 10, 80, { negative_energy: 1, high_limit: 4 }),
];

const HOUR_MS = 3_600_000;
const START_MS = Date.parse("2025-06-20T00:00:00Z");

function point(hour: number, generated: number | null, consumed: number | null): Point {
  const net = generated === null || consumed === null ? null : generated - consumed;
  return {
    start: new Date(START_MS + hour * HOUR_MS).toISOString(),
    energy_generated_kwh: generated,
    energy_consumed_kwh: consumed,
    net_energy_kwh: net,
    records: generated === null ? 0 : 4,
    anomalies: 0,
  };
}

const SERIES: Series = {
  resolution: "hour",
  start: new Date(START_MS).toISOString(),
  end: new Date(START_MS + 6 * HOUR_MS).toISOString(),
  points: [point(0, 1, 2), point(1, 3, 2), point(2, null, null), point(3, 5, 1), point(4, null, null), point(5, 2, 2)],
};

function anomaly(minute: number, change: Partial<Reading["findings"][number]> = {}): Reading {
  return {
    site_id: "home-01",
    timestamp: new Date(START_MS + minute * 60_000).toISOString(),
    energy_generated_kwh: 0.8,
    energy_consumed_kwh: 0.4,
    net_energy_kwh: 0.4,
    anomaly: true,
    findings: [
      { rule: "high_limit", severity: "error", channel: "generated", score: 2, expected_kwh: 0.25, ...change },
    ],
    revision: 0,
  };
}

interface Drawn {
  type: string;
  name: string;
  // biome-ignore lint/suspicious/noExplicitAny: an option of ECharts is as wide as that.
  data: any[];
}

const seriesIn = (option: ChartOption) => option.series as Drawn[];
const named = (option: ChartOption, name: string) => seriesIn(option).find((one) => one.name === name);
const axisIn = (option: ChartOption) => (option.yAxis as unknown as { data: string[] }).data;
const noteOf = (option: ChartOption) => (option.title as { subtext: string }).subtext;
const tooltipOf = (option: ChartOption, parts: unknown) =>
  (option.tooltip as { formatter: (parts: unknown) => string }).formatter(parts);

describe("energy over time", () => {
  test("a step without readings is null in both lines, and a point between gaps is a dot", () => {
    const generated = named(energyOverTime(SERIES, [], LOOK), "Generated");
    expect(generated?.data[2]).toEqual([START_MS + 2 * HOUR_MS, null]);
    expect(generated?.data[3]).toMatchObject({ value: [START_MS + 3 * HOUR_MS, 5], symbol: "circle" });
    expect(generated?.data[0]).toEqual([START_MS, 1]);
  });

  test("a pin stands on the curve that failed, at the point that the reading belongs to", () => {
    const option = energyOverTime(
      SERIES,
      [anomaly(75), anomaly(80, { channel: "consumed", severity: "warning" })],
      LOOK,
    );
    expect(named(option, "Anomaly: error")?.data[0].value).toEqual([START_MS + HOUR_MS, 3]);
    expect(named(option, "Anomaly: warning")?.data[0].value).toEqual([START_MS + HOUR_MS, 2]);
  });

  test("anomalies of one point share a pin, the strongest first", () => {
    const option = energyOverTime(SERIES, [anomaly(61, { score: 2 }), anomaly(62, { score: 9 })], LOOK);
    const pins = named(option, "Anomaly: error")?.data ?? [];
    expect(pins).toHaveLength(1);
    expect(pins[0].pin.flaws.map((flaw: { finding: { score: number } }) => flaw.finding.score)).toEqual([9, 2]);
  });

  test("an anomaly in a gap has nowhere to stand", () => {
    expect(named(energyOverTime(SERIES, [anomaly(130)], LOOK), "Anomaly: error")?.data).toEqual([]);
  });

  test("a pin tells site, rule, severity, value and expected value", () => {
    const option = energyOverTime(SERIES, [anomaly(75)], LOOK);
    const pin = named(option, "Anomaly: error")?.data[0];
    const text = tooltipOf(option, [{ value: pin.value, data: pin, marker: "▲ ", seriesName: "" }]);
    expect(text).toBe(
      "20 Jun 2025, 01:00 – 02:00 UTC\n▲ home-01, high limit (error): generated 0.8 kWh, expected 0.25 kWh",
    );
  });

  test("a gap is told as no reading, not as zero", () => {
    const option = energyOverTime(SERIES, [], LOOK);
    const data = [START_MS + 2 * HOUR_MS, null];
    expect(tooltipOf(option, [{ value: data, data, marker: "", seriesName: "Generated" }])).toContain(
      "Generated: no reading",
    );
  });

  test("one wild value is cut off and told, and its pin stands at the end of the axis", () => {
    const points = Array.from({ length: 100 }, (_, hour) => point(hour, 1, hour === 40 ? 1_000 : 2));
    const option = energyOverTime({ ...SERIES, points }, [anomaly(40 * 60, { channel: "consumed" })], LOOK);
    const max = (option.yAxis as { max: number }).max;
    expect(max).toBe(2.5);
    expect(noteOf(option)).toContain("1 value is beyond the axis, up to 1,000 kWh.");
    expect(named(option, "Anomaly: error")?.data[0].value[1]).toBe(max);
  });

  test("without wild values nothing is cut off", () => {
    const points = Array.from({ length: 100 }, (_, hour) => point(hour, hour % 24, 2));
    expect(energyOverTime({ ...SERIES, points }, [], LOOK).yAxis).not.toHaveProperty("max");
  });
});

describe("sites", () => {
  test("the worst is on top, by net, by efficiency and by findings", () => {
    expect(axisIn(netEnergy(SITES, LOOK))).toEqual(["c", "b", "a"]);
    expect(axisIn(efficiency(SITES, LOOK))).toEqual(["c", "a"]);
    expect(axisIn(anomalyDistribution(SITES, LOOK))).toEqual(["c", "a"]);
  });

  test("a site that generated nothing is counted, and not drawn as zero", () => {
    expect(noteOf(efficiency(SITES, LOOK))).toBe("1 site generated nothing and has none.");
  });

  test("a site without findings is counted", () => {
    expect(noteOf(anomalyDistribution(SITES, LOOK))).toBe("1 site has none.");
  });

  test("a bar that is cut off says its true value", () => {
    const [bar] = seriesIn(efficiency(SITES, LOOK))[0]?.data ?? [];
    expect([bar.value, bar.label.formatter]).toEqual([-1, "−700 % (cut off)"]);
  });

  test("rules are stacked, each with its count", () => {
    const option = anomalyDistribution(SITES, LOOK);
    expect(seriesIn(option).map(({ name, data }) => [name, data])).toEqual([
      ["high limit", [4, 2]],
      ["negative energy", [1, 0]],
    ]);
  });

  test("of many sites the worst are drawn, and the chart says which of how many", () => {
    const many = Array.from({ length: 1_000 }, (_, index) =>
      site(`site-${String(index).padStart(4, "0")}`, 10, index / 10, { high_limit: index + 1 }),
    );
    for (const option of [netEnergy(many, LOOK), efficiency(many, LOOK), anomalyDistribution(many, LOOK)]) {
      expect(axisIn(option)).toHaveLength(SITES_DRAWN_MAX);
      expect(axisIn(option)[0]).toBe("site-0999");
      expect(noteOf(option)).toContain("of 1,000 sites");
    }
  });
});

const CHARTS: [string, (theme: "light" | "dark", isTitled: boolean) => ChartOption][] = [
  ["energy over time", (theme, isTitled) => energyOverTime(SERIES, [anomaly(75)], { theme, zone: "UTC", isTitled })],
  [
    "energy over time of nothing",
    (theme, isTitled) => energyOverTime({ ...SERIES, points: [] }, [], { theme, zone: "UTC", isTitled }),
  ],
  ["net energy", (theme, isTitled) => netEnergy(SITES, { theme, zone: "UTC", isTitled })],
  ["net energy of nothing", (theme, isTitled) => netEnergy([], { theme, zone: "UTC", isTitled })],
  ["efficiency", (theme, isTitled) => efficiency(SITES, { theme, zone: "UTC", isTitled })],
  ["anomalies", (theme, isTitled) => anomalyDistribution(SITES, { theme, zone: "UTC", isTitled })],
  ["anomalies of nothing", (theme, isTitled) => anomalyDistribution([], { theme, zone: "UTC", isTitled })],
];

test.each(CHARTS)("%s is drawn without a browser, in both themes, as XML without a stray quote", (_, chart) => {
  for (const theme of ["light", "dark"] as const) {
    const option = chart(theme, true);
    const drawn = init(null, null, { renderer: "svg", ssr: true, width: 800, height: heightPx(option) });
    drawn.setOption({ ...option, animation: false });
    const svg = drawn.renderToSVGString();
    drawn.dispose();
    expect(svg).toContain((option.title as { text: string }).text);
    for (const [tag] of svg.matchAll(/<[a-z][^>]*>/g)) expect(tag).toMatch(/^<[a-zA-Z]+(\s+[\w:-]+="[^"<]*")*\s*\/?>$/);
  }
});

test("a chart that is told to leave its title out does", () => {
  expect((netEnergy(SITES, { ...LOOK, isTitled: false }).title as { show: boolean }).show).toBe(false);
});
