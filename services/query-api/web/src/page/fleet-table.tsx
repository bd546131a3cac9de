// All sites as a table that is searched, sorted and turned page by page. What must always hold: it has at most ROWS rows, however many
// sites there are, and says which of how many.

import type { Series } from "../api";
import { agoText, dateText, type Zone } from "../times";
import { countText, energyText, percentText } from "../units";
import type { Sort, SortKey, State } from "../url-state";
import { followed, type Go, hrefOf } from "./address";
import { SeverityMark } from "./anomaly-table";
import { clicked, inOrder, type SiteRow } from "./site-order";
import { Sparkline } from "./sparkline";

export const ROWS = 25;
const OLD_MS = 60 * 86_400_000;

const COLUMNS: { key: SortKey; name: string; isNumber: boolean }[] = [
  { key: "site", name: "Site", isNumber: false },
  { key: "worst", name: "State", isNumber: false },
  { key: "seen", name: "Last reading", isNumber: false },
  { key: "generated", name: "Generated", isNumber: true },
  { key: "consumed", name: "Consumed", isNumber: true },
  { key: "net", name: "Net", isNumber: true },
  { key: "efficiency", name: "Efficiency", isNumber: true },
  { key: "anomalies", name: "Anomalies", isNumber: true },
];

interface Props {
  rows: readonly SiteRow[];
  curves: Map<string, Series> | null;
  state: State;
  nowMs: number;
  go: Go;
}

export function FleetTable({ rows, curves, state, nowMs, go }: Props) {
  const pages = Math.max(1, Math.ceil(rows.length / ROWS));
  const page = Math.min(state.page, pages);
  const shown = inOrder(rows, state.sort).slice((page - 1) * ROWS, page * ROWS);
  return (
    <>
      <div class="wide-table">
        <table class="fleet">
          <caption class="visually-hidden">Sites. The headers of the columns sort.</caption>
          <thead>
            <tr>
              {COLUMNS.map((column) => (
                <Header key={column.key} column={column} sort={state.sort} go={go} />
              ))}
              {curves ? <th scope="col">Curve</th> : null}
            </tr>
          </thead>
          <tbody>
            {shown.map((row) => (
              <Row
                key={row.site.site_id}
                row={row}
                curve={curves?.get(row.site.site_id)}
                hasCurves={curves !== null}
                zone={state.zone}
                nowMs={nowMs}
                go={go}
              />
            ))}
          </tbody>
        </table>
      </div>
      {pages > 1 ? <Pages page={page} pages={pages} count={rows.length} go={go} /> : null}
    </>
  );
}

function Header({ column, sort, go }: { column: (typeof COLUMNS)[number]; sort: Sort; go: Go }) {
  const isChosen = sort.key === column.key;
  const direction = sort.isDescending ? "descending" : "ascending";
  return (
    <th scope="col" class={column.isNumber ? "number" : ""} {...(isChosen ? { "aria-sort": direction } : {})}>
      <button type="button" onClick={() => go({ sort: clicked(sort, column.key), page: 1 })}>
        {column.name} <span aria-hidden="true">{isChosen ? (sort.isDescending ? "↓" : "↑") : ""}</span>
      </button>
    </th>
  );
}

interface RowProps {
  row: SiteRow;
  curve: Series | undefined;
  hasCurves: boolean;
  zone: Zone;
  nowMs: number;
  go: Go;
}

function Row({ row: { site, shown }, curve, hasCurves, zone, nowMs, go }: RowProps) {
  const seenMs = site.last_seen ? Date.parse(site.last_seen) : null;
  return (
    <tr>
      <th scope="row">
        <a href={hrefOf({ site: site.site_id })} onClick={(click) => followed(click, go, { site: site.site_id })}>
          {site.site_id}
        </a>
      </th>
      <td>
        <SiteState site={site} />
      </td>
      <td title={site.last_seen ?? ""}>
        {seenMs === null ? "–" : nowMs - seenMs > OLD_MS ? dateText(seenMs, zone) : agoText(seenMs, nowMs)}
      </td>
      <td class="number" data-label="Generated">
        {energyText(shown.energy_generated_kwh)}
      </td>
      <td class="number" data-label="Consumed">
        {energyText(shown.energy_consumed_kwh)}
      </td>
      <td class="number" data-label="Net">
        {energyText(shown.net_energy_kwh)}
      </td>
      <td class="number" data-label="Efficiency">
        {percentText(shown.efficiency)}
      </td>
      <td class="number" data-label="Anomalies">
        {countText(shown.anomalies)}
      </td>
      {hasCurves ? <td class="curve">{curve ? <Sparkline series={curve} /> : null}</td> : null}
    </tr>
  );
}

/** Whether a site is well, in a word and a mark. */
export function SiteState({ site }: { site: SiteRow["site"] }) {
  if (site.silent_since)
    return (
      <span class="pill error" title={`silent since ${site.silent_since}`}>
        <SeverityMark severity="error" /> silent
      </span>
    );
  const worst = site.open_episodes.find((episode) => episode.severity === "error") ?? site.open_episodes[0];
  if (!worst) return <span class="pill good">ok</span>;
  return (
    <span class={`pill ${worst.severity}`} title={`since ${worst.opened_at}`}>
      <SeverityMark severity={worst.severity} /> {worst.rule.replaceAll("_", " ")}
    </span>
  );
}

function Pages({ page, pages, count, go }: { page: number; pages: number; count: number; go: Go }) {
  const from = (page - 1) * ROWS + 1;
  return (
    <nav class="pages" aria-label="Pages of sites">
      <button type="button" disabled={page === 1} onClick={() => go({ page: page - 1 })}>
        Previous
      </button>
      <span>
        {countText(from)}–{countText(Math.min(count, page * ROWS))} of {countText(count)}
      </span>
      <button type="button" disabled={page === pages} onClick={() => go({ page: page + 1 })}>
        Next
      </button>
    </nav>
  );
}
