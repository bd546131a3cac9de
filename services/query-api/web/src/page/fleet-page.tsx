// All sites. What must always hold: where the figures of single sites are those of all time and not of the range, each card says so.

import { useMemo } from "preact/hooks";
import type { Series, Site, SiteTotals } from "../api";
import { anomalyDistribution, type ChartOption, efficiency, type Look, netEnergy } from "../charts";
import { BACKGROUNDS } from "../charts/look";
import { pathOf } from "../client";
import type { Range } from "../time-range";
import { countText, energyText, percentText } from "../units";
import type { State } from "../url-state";
import type { Go } from "./address";
import { AnomalyCard } from "./anomaly-card";
import * as ask from "./ask";
import { Card } from "./card";
import { Chart, pictureOf } from "./chart";
import { CurveCard } from "./curve-card";
import { FleetTable } from "./fleet-table";
import { LiveTail } from "./live-tail";
import { noteIn } from "./notes";
import { NothingHere, NothingYet } from "./nothing";
import { type Query, useQuery } from "./query";
import { type RangeFigures, useRangeFigures } from "./range-figures";
import type { Refresh } from "./refresh";
import type { SiteRow } from "./site-order";
import { totalsOf } from "./sums";
import { Tiles } from "./tiles";

const SECOND_MS = 1_000;

interface Props {
  sites: Query<ask.Sites>;
  range: Range | null;
  state: State;
  look: Look;
  refresh: Refresh;
  nowMs: number;
  go: Go;
}

export function FleetPage({ sites, range, state, look, refresh, nowMs, go }: Props) {
  const { tick } = refresh;
  const figures = useRangeFigures(null, range, state, tick);
  const all = sites.data?.sites;
  const { rows, curves } = useRows(all, figures, state, tick);
  if (all?.length === 0) return <NothingYet />;
  const scope = curves ? "In the range." : "Since the first reading.";
  const empty = <NothingHere lastMs={lastOf(all ?? [])} go={go} />;
  const rules = [...new Set((all ?? []).flatMap((site) => Object.keys(site.anomalies_by_rule)))].sort();
  const csv = pathOf("/sites", { search: state.search.trim() || null, limit: 500 });
  const bars = { rows, query: sites, look, scope, path: csv, go };
  return (
    <>
      <Tiles now={figures.curve} before={figures.curveBefore} range={range} />
      <CurveCard scope="All sites together." figures={figures} look={look} empty={empty} go={go} />
      <Card
        class="sites-card"
        title="Sites"
        note={`${siteCount(rows.length, all?.length ?? 0, sites.data?.isPartial ?? false)} ${scope}`}
        query={sites}
        path={csv}
        empty={rows.length === 0 ? <p>No site has “{state.search}” in its name.</p> : null}
        controls={<Search state={state} go={go} />}
        skeletonPx={420}
      >
        <FleetTable rows={rows} curves={curves} state={state} nowMs={nowMs} go={go} />
      </Card>
      <div class="columns">
        <BarCard
          {...bars}
          title="Net energy by site"
          chart={netEnergy}
          figure={(site) => energyText(site.net_energy_kwh)}
          column="Net"
        />
        <BarCard
          {...bars}
          title="Efficiency by site"
          chart={efficiency}
          figure={(site) => percentText(site.efficiency)}
          column="Net ÷ generated"
          about="Net ÷ generated."
        />
      </div>
      <div class="columns uneven">
        <BarCard
          {...bars}
          title="Anomalies by site and rule"
          chart={anomalyDistribution}
          figure={(site) => countText(site.anomalies)}
          column="Readings with findings"
        />
        <LiveTail refresh={refresh} zone={state.zone} hasSites go={go} />
      </div>
      <AnomalyCard figures={figures} state={state} rules={rules} go={go} />
    </>
  );
}

interface Rows {
  rows: SiteRow[];
  /** The curves of the range, where the figures of the rows are of the range, too. */
  curves: Map<string, Series> | null;
}

/** The sites that are searched for: with figures of the range, or where those are not at hand, of all time. */
function useRows(all: readonly Site[] | undefined, figures: RangeFigures, state: State, tick: number): Rows {
  const wanted = useMemo(() => {
    const search = state.search.trim().toLowerCase();
    return all?.filter((site) => site.site_id.toLowerCase().includes(search)) ?? [];
  }, [all, state.search]);
  const ids = wanted.map((site) => site.site_id);
  const asked = useCurves(ids, figures.whole, tick, all !== undefined);
  const unfiltered = useUnfiltered(figures, state, tick);
  const curves = unfiltered.data !== null && !unfiltered.data.isPartial ? asked.data : null;
  const rows = useMemo<SiteRow[]>(
    () =>
      wanted.map((site) => {
        const series = curves?.get(site.site_id);
        return { site, shown: series ? totalsOf(site.site_id, series, unfiltered.data?.anomalies ?? []) : site };
      }),
    [wanted, curves, unfiltered.data],
  );
  return { rows, curves };
}

/** The curves of the sites, unless they are too many to be asked for one by one. */
function useCurves(ids: string[], range: Range | null, tick: number, isKnown: boolean): Query<Map<string, Series>> {
  const isAsked = isKnown && range !== null && ids.length > 0 && ids.length <= ask.SITES_SUMMED_MAX;
  const key = isAsked ? `${range.startMs} ${range.endMs} ${ids.join(" ")}` : null;
  const query = useQuery(key, tick, 4 * SECOND_MS, (signal) =>
    ask.curvesOf(ids, range ?? { startMs: 0, endMs: 0 }, signal),
  );
  return isAsked && !query.isLoading ? query : { ...query, data: null };
}

/** The anomalies of the range, whatever the filter of the table. */
function useUnfiltered(figures: RangeFigures, state: State, tick: number): Query<ask.Anomalies> {
  const isFiltered = state.rule !== null || state.severity !== null;
  const path =
    figures.whole && isFiltered ? ask.anomaliesPath(figures.whole, { site: null, rule: null, severity: null }) : null;
  const all = useQuery(path, tick, 0, (signal) => ask.anomalies(path ?? "", signal));
  return isFiltered ? all : figures.anomalies;
}

function lastOf(sites: readonly { last_seen: string | null }[]): number | null {
  return sites.reduce<number | null>(
    (last, site) => (site.last_seen ? Math.max(last ?? 0, Date.parse(site.last_seen)) : last),
    null,
  );
}

function siteCount(found: number, all: number, isPartial: boolean): string {
  const total = `${isPartial ? "the first " : ""}${countText(all)}`;
  return found === all ? `${total} ${all === 1 ? "site" : "sites"}.` : `${countText(found)} of ${total} sites.`;
}

function Search({ state, go }: { state: State; go: Go }) {
  return (
    <label class="inline">
      <span class="visually-hidden">Find a site</span>
      <input
        type="search"
        placeholder="Find a site"
        autocomplete="off"
        spellcheck={false}
        value={state.search}
        onInput={(event) => go({ search: event.currentTarget.value, page: 1 }, { isTyping: true })}
      />
    </label>
  );
}

interface BarProps {
  title: string;
  about?: string;
  column: string;
  rows: readonly SiteRow[];
  query: Query<ask.Sites>;
  look: Look;
  scope: string;
  path: string;
  chart: (sites: readonly SiteTotals[], look: Look) => ChartOption;
  figure: (site: SiteTotals) => string;
  go: Go;
}

function BarCard({ title, about, column, rows, query, look, scope, path, chart, figure, go }: BarProps) {
  const sites = useMemo(() => rows.map(({ shown }) => shown), [rows]);
  const option = useMemo(() => chart(sites, { ...look, isTitled: false }), [sites, look, chart]);
  return (
    <Card
      title={title}
      note={[about, scope, noteIn(option)].filter(Boolean).join(" ")}
      query={query}
      path={path}
      empty={sites.length === 0 ? <p>No site to show.</p> : null}
      picture={() => pictureOf(chart(sites, { ...look, isTitled: true }), BACKGROUNDS[look.theme])}
      table={() => (
        <table>
          <thead>
            <tr>
              <th scope="col">Site</th>
              <th scope="col" class="number">
                {column}
              </th>
            </tr>
          </thead>
          <tbody>
            {sites.map((site) => (
              <tr key={site.site_id}>
                <th scope="row">{site.site_id}</th>
                <td class="number">{figure(site)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    >
      <Chart option={option} onSite={(site) => go({ site })} />
    </Card>
  );
}
