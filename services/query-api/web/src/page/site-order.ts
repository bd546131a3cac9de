// The order of sites in the table. What must always hold: equal sites are in the order of their ids, so that a refresh moves nothing
// without a reason; a site that sends nothing is worse than any that does.

import type { Site, SiteTotals } from "../api";
import type { Sort, SortKey } from "../url-state";

/** A site with the figures that are shown for it: those of the range, or those of all time. */
export interface SiteRow {
  site: Site;
  shown: SiteTotals;
}

const SILENT = 1e12;
const OPEN_ERROR = 1e9;
const OPEN_WARNING = 1e6;

/** How much a site is in need of a look: silent, then with open errors, then with open warnings, then by its anomalies. */
export function badness({ site, shown }: SiteRow): number {
  const errors = site.open_episodes.filter((episode) => episode.severity === "error").length;
  const warnings = site.open_episodes.length - errors;
  return (site.silent_since ? SILENT : 0) + errors * OPEN_ERROR + warnings * OPEN_WARNING + shown.anomalies;
}

/** Ascending by these; the first click on a column of numbers shows the largest. */
const VALUES: Record<SortKey, (row: SiteRow) => string | number> = {
  worst: (row) => -badness(row),
  site: ({ site }) => site.site_id,
  seen: ({ site }) => site.last_seen ?? "",
  generated: ({ shown }) => shown.energy_generated_kwh,
  consumed: ({ shown }) => shown.energy_consumed_kwh,
  net: ({ shown }) => shown.net_energy_kwh,
  efficiency: ({ shown }) => shown.efficiency ?? Number.NEGATIVE_INFINITY,
  anomalies: ({ shown }) => shown.anomalies,
};

export function inOrder(rows: readonly SiteRow[], { key, isDescending }: Sort): SiteRow[] {
  const valueIn = VALUES[key];
  const direction = isDescending ? -1 : 1;
  const keyed = rows.map((row) => ({ row, value: valueIn(row) }));
  keyed.sort(
    (one, other) => direction * order(one.value, other.value) || order(one.row.site.site_id, other.row.site.site_id),
  );
  return keyed.map(({ row }) => row);
}

function order(one: string | number, other: string | number): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

/** The sort after a click on a column. */
export function clicked(sort: Sort, key: SortKey): Sort {
  const startsDescending = key !== "site" && key !== "worst";
  return { key, isDescending: sort.key === key ? !sort.isDescending : startsDescending };
}
