// Sums over the points of a curve. What must always hold: what they are sums of is exact; a sum of many numbers of six decimals is off
// by less than a unit of the last place that is shown.

import type { Reading, Series, SiteTotals } from "../api";

export interface Sums {
  records: number;
  anomalies: number;
  generated: number;
  consumed: number;
  net: number;
  efficiency: number | null;
}

export function sumsOf(series: Series): Sums {
  let [records, anomalies, generated, consumed] = [0, 0, 0, 0];
  for (const point of series.points) {
    records += point.records;
    anomalies += point.anomalies;
    generated += point.energy_generated_kwh ?? 0;
    consumed += point.energy_consumed_kwh ?? 0;
  }
  const net = generated - consumed;
  return { records, anomalies, generated, consumed, net, efficiency: generated > 0 ? net / generated : null };
}

/** A site in a range: the sums of its curve, and its anomalies by rule. */
export function totalsOf(site: string, series: Series, anomalies: readonly Reading[]): SiteTotals {
  const sums = sumsOf(series);
  return {
    site_id: site,
    anomalies: sums.anomalies,
    anomalies_by_rule: byRule(anomalies.filter((reading) => reading.site_id === site)),
    energy_generated_kwh: sums.generated,
    energy_consumed_kwh: sums.consumed,
    net_energy_kwh: sums.net,
    efficiency: sums.efficiency,
  };
}

function byRule(anomalies: readonly Reading[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { findings } of anomalies) {
    // A reading has at most one finding of a rule.
    for (const { rule } of findings) counts[rule] = (counts[rule] ?? 0) + 1;
  }
  return counts;
}
