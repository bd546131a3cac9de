// One site. What must always hold: it shows the same range as the page of all sites, and the way back.

import { useMemo } from "preact/hooks";
import type { Episode, EpisodePage, Reading, SiteDetail } from "../api";
import type { Look } from "../charts";
import { inWords } from "../charts/look";
import { ask as askFor, isoOf, pathOf } from "../client";
import { aligned, around, before, type Range, written } from "../time-range";
import { agoText, instantText, spanText, type Zone } from "../times";
import { countText, energyText, percentText } from "../units";
import type { State } from "../url-state";
import { followed, type Go, hrefOf } from "./address";
import { AnomalyFilters, AnomalyTable, SeverityMark } from "./anomaly-table";
import * as ask from "./ask";
import { Card } from "./card";
import { CurveCard } from "./curve-card";
import { SiteState } from "./fleet-table";
import { LiveTail } from "./live-tail";
import { NothingHere } from "./nothing";
import { type Query, useQuery } from "./query";
import type { Refresh } from "./refresh";
import { Tiles } from "./tiles";

const SECOND_MS = 1_000;
const NO_READINGS: readonly Reading[] = [];
const EPISODES_MAX = 12;

interface Props {
  site: string;
  detail: Query<SiteDetail>;
  range: Range | null;
  state: State;
  look: Look;
  refresh: Refresh;
  nowMs: number;
  go: Go;
}

export function SitePage({ site, detail, range, state, look, refresh, nowMs, go }: Props) {
  const { tick } = refresh;
  const whole = useMemo(() => (range ? aligned(range) : null), [range?.startMs, range?.endMs]);
  const path = whole && ask.curvePath(site, whole);
  const pathBefore = whole && ask.curvePath(site, before(whole));
  const anomaliesPath = whole && ask.anomaliesPath(whole, { site, rule: state.rule, severity: state.severity });
  const episodesPath =
    whole &&
    pathOf("/episodes", { start: isoOf(whole.startMs), end: isoOf(whole.endMs), site_id: site, limit: EPISODES_MAX });
  const curve = useQuery(path, tick, 0, (signal) => ask.curve(path ?? "", signal));
  const curveBefore = useQuery(pathBefore, tick, 60 * SECOND_MS, (signal) => ask.curve(pathBefore ?? "", signal));
  const anomalies = useQuery(anomaliesPath, tick, 0, (signal) => ask.anomalies(anomaliesPath ?? "", signal));
  const episodes = useQuery(episodesPath, tick, 5 * SECOND_MS, (signal) =>
    askFor<EpisodePage>(episodesPath ?? "", signal),
  );
  const found = anomalies.data?.anomalies ?? NO_READINGS;
  const lastMs = detail.data?.last_seen ? Date.parse(detail.data.last_seen) : null;
  const rules = Object.keys(detail.data?.anomalies_by_rule ?? {}).sort();
  return (
    <>
      <div class="site-head">
        <a href={hrefOf({ site: null })} onClick={(click) => followed(click, go, { site: null })}>
          ← All sites
        </a>
        <h2>{site}</h2>
        {detail.data ? <SiteState site={detail.data} /> : null}
        {detail.data && lastMs !== null ? <p class="note">{about(detail.data, lastMs, nowMs)}</p> : null}
      </div>
      <Tiles now={curve} before={curveBefore} range={range} />
      <CurveCard
        scope={""}
        query={curve}
        anomalies={found}
        path={path}
        look={look}
        empty={<NothingHere lastMs={lastMs} go={go} />}
        go={go}
      />
      <div class="columns uneven">
        <Card
          title="Anomalies"
          note={`${countText(found.length)} readings with findings in the range. A time leads to its event.`}
          query={anomalies}
          path={anomaliesPath}
          empty={
            found.length === 0 ? (
              <p>No anomaly in this range{state.rule || state.severity ? " with this filter" : ""}.</p>
            ) : null
          }
          controls={<AnomalyFilters rules={rules} rule={state.rule} severity={state.severity} go={go} />}
        >
          <AnomalyTable
            anomalies={found}
            rule={state.rule}
            severity={state.severity}
            zone={state.zone}
            hasSites={false}
            go={go}
          />
        </Card>
        <div class="stack">
          <AllTime detail={detail} site={site} zone={state.zone} />
          <Card
            title="Episodes"
            note="Runs of anomalous readings, and silences."
            query={episodes}
            path={episodesPath}
            empty={episodes.data?.episodes.length === 0 ? <p>None in this range.</p> : null}
          >
            <ol class="episodes">
              {episodes.data?.episodes.map((episode) => (
                <EpisodeItem key={`${episode.rule} ${episode.opened_at}`} episode={episode} zone={state.zone} go={go} />
              ))}
            </ol>
          </Card>
          <LiveTail refresh={refresh} zone={state.zone} hasSites={false} go={go} />
        </div>
      </div>
    </>
  );
}

function about(site: SiteDetail, lastMs: number, nowMs: number): string {
  const interval = site.interval_ms === null ? "" : `, usually one every ${spanText(site.interval_ms)}`;
  return `Newest reading ${agoText(lastMs, nowMs)}${interval}.`;
}

function AllTime({ detail, site, zone }: { detail: Query<SiteDetail>; site: string; zone: Zone }) {
  const data = detail.data;
  const seen = (instant: string | null | undefined) => (instant ? instantText(Date.parse(instant), zone) : "–");
  const facts: [string, string][] = data
    ? [
        ["Readings", countText(data.records)],
        ["First", seen(data.first_seen)],
        ["Newest", seen(data.last_seen)],
        ["Generated", energyText(data.energy_generated_kwh)],
        ["Consumed", energyText(data.energy_consumed_kwh)],
        ["Net", energyText(data.net_energy_kwh)],
        ["Efficiency", percentText(data.efficiency)],
        ["Anomalies", countText(data.anomalies)],
      ]
    : [];
  return (
    <Card
      title="Since the first reading"
      query={detail}
      path={pathOf(`/records/${encodeURIComponent(site)}`, { limit: 10_000 })}
      skeletonPx={160}
    >
      <dl class="facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </Card>
  );
}

const EPISODE_SPAN_MIN_MS = 2 * 86_400_000;

function EpisodeItem({ episode, zone, go }: { episode: Episode; zone: Zone; go: Go }) {
  const openedMs = Date.parse(episode.opened_at);
  const endMs = Date.parse(episode.closed_at ?? episode.last_at);
  const middleMs = (openedMs + endMs) / 2;
  const change = { range: written(around(middleMs, Math.max(EPISODE_SPAN_MIN_MS, (endMs - openedMs) * 3))) };
  const what = episode.kind === "silence" ? "silence" : inWords(episode.rule ?? "");
  const count =
    episode.readings === null
      ? ""
      : `, ${countText(episode.readings)} ${episode.readings === 1 ? "reading" : "readings"}`;
  return (
    <li>
      <SeverityMark severity={episode.severity} />{" "}
      <a href={hrefOf(change)} onClick={(click) => followed(click, go, change)}>
        {instantText(openedMs, zone)}
      </a>{" "}
      {what}
      {count}
      {episode.closed_at === null ? <strong> open</strong> : null}
    </li>
  );
}
