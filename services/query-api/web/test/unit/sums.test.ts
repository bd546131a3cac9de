// The sums of a curve: gaps add nothing, and a share of nothing is none.

import { expect, test } from "vitest";
import type { Point, Series } from "../../src/api";
import { sumsOf } from "../../src/page/sums";

const START = "2025-06-20T00:00:00.000Z";

function curve(...energies: [number | null, number | null][]): Series {
  const points = energies.map(([generated, consumed]): Point => {
    const isGap = generated === null || consumed === null;
    return {
      start: START,
      energy_generated_kwh: generated,
      energy_consumed_kwh: consumed,
      net_energy_kwh: isGap ? null : generated - consumed,
      records: isGap ? 0 : 1,
      anomalies: 0,
    };
  });
  return { resolution: "hour", start: START, end: START, points };
}

test("a gap adds nothing", () => {
  expect(sumsOf(curve([4, 1], [null, null], [6, 2]))).toMatchObject({
    records: 2,
    generated: 10,
    net: 7,
    efficiency: 0.7,
  });
});

test("as in the API, there is an efficiency only where something was generated", () => {
  expect(sumsOf(curve([0, 1])).efficiency).toBeNull();
  expect(sumsOf(curve([-2, 1])).efficiency).toBeNull();
});
