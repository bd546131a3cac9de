// What the page asks the API, question by question. What must always hold: the number of requests and pages of each has a limit, and who
// reaches it is told.

import type { AnomalyPage, Reading, Series, Site, SitePage } from "../api";
import { ask, isoOf, pathOf } from "../client";
import type { Range } from "../time-range";

const SITES_A_PAGE = 500;
const SITE_PAGES_MAX = 20;
const ANOMALIES_A_PAGE = 1_000;
const ANOMALY_PAGES_MAX = 3;
const AT_ONCE = 4;

/** The most sites whose sums of the range are added up one by one; of more, the totals of all time are shown. */
export const SITES_SUMMED_MAX = 24;

export interface Sites {
  sites: Site[];
  /** Whether there are more than were asked for. */
  isPartial: boolean;
}

let lastSites: Sites | null = null;

export async function allSites(signal: AbortSignal): Promise<Sites> {
  const pages: SitePage[] = [];
  let next: string | null = null;
  do {
    const page: SitePage = await ask<SitePage>(pathOf("/sites", { limit: SITES_A_PAGE, cursor: next }), signal);
    pages.push(page);
    next = page.next;
  } while (next !== null && pages.length < SITE_PAGES_MAX);
  const sites = pages.flatMap((page) => page.sites);
  const isSame =
    lastSites?.sites.length === sites.length && sites.every((site, index) => site === lastSites?.sites[index]);
  lastSites = isSame && lastSites ? lastSites : { sites, isPartial: next !== null };
  return lastSites;
}

export const curvePath = (site: string | null, range: Range): string =>
  pathOf(site === null ? "/series" : `/series/${encodeURIComponent(site)}`, {
    start: isoOf(range.startMs),
    end: isoOf(range.endMs),
  });

export const curve = (path: string, signal: AbortSignal): Promise<Series> => ask<Series>(path, signal);

export interface Anomalies {
  /** The newest first. */
  anomalies: Reading[];
  /** Whether these are the newest of more. */
  isPartial: boolean;
}

export interface AnomalyFilter {
  site: string | null;
  rule: string | null;
  severity: string | null;
}

export const anomaliesPath = (range: Range, filter: AnomalyFilter): string =>
  pathOf("/anomalies", {
    start: isoOf(range.startMs),
    end: isoOf(range.endMs),
    site_id: filter.site,
    rule: filter.rule,
    severity: filter.severity,
    limit: ANOMALIES_A_PAGE,
  });

/** The anomalies that a path of `anomaliesPath` asks for, over its pages. */
export async function anomalies(path: string, signal: AbortSignal): Promise<Anomalies> {
  const first = await ask<AnomalyPage>(path, signal);
  if (first.next === null) return { anomalies: first.anomalies, isPartial: false };
  const pages = [first];
  let next: string | null = first.next;
  while (next !== null && pages.length < ANOMALY_PAGES_MAX) {
    const page: AnomalyPage = await ask<AnomalyPage>(`${path}&cursor=${encodeURIComponent(next)}`, signal);
    pages.push(page);
    next = page.next;
  }
  return { anomalies: pages.flatMap((page) => page.anomalies), isPartial: next !== null };
}

/** The curves of these sites, a few at a time. */
export async function curvesOf(
  sites: readonly string[],
  range: Range,
  signal: AbortSignal,
): Promise<Map<string, Series>> {
  const curves = new Map<string, Series>();
  const left = [...sites];
  const work = async () => {
    for (let site = left.shift(); site !== undefined; site = left.shift()) {
      curves.set(site, await curve(curvePath(site, range), signal));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return curves;
}
