// One site. What must always hold: it shows the same range as the page of all sites, and the way back.

import type { Episode, EpisodePage, SiteDetail } from "../api";
import type { Look } from "../charts";
import { inWords } from "../charts/look";
import { ask as askFor, isoOf, pathOf } from "../client";
import { around, type Range, written } from "../time-range";
import { agoText, instantText, spanText, type Zone } from "../times";
import { countText, energyText, percentText } from "../units";
import type { State } from "../url-state";
import { followed, type Go, hrefOf } from "./address";
import { AnomalyCard } from "./anomaly-card";
import { SeverityMark } from "./anomaly-table";
import { Card } from "./card";
import { CurveCard } from "./curve-card";
import { SiteState } from "./fleet-table";
import { LiveTail } from "./live-tail";
import { NothingHere } from "./nothing";
import { type Query, useQuery } from "./query";
import { useRangeFigures } from "./range-figures";
import type { Refresh } from "./refresh";
import { Tiles } from "./tiles";

const EPISODES_MAX = 12;
const EPISODES_EVERY_MS = 5_000;

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
  const figures = useRangeFigures(site, range, state, tick);
  const { whole } = figures;
  const episodesPath =
    whole &&
    pathOf("/episodes", { start: isoOf(whole.startMs), end: isoOf(whole.endMs), site_id: site, limit: EPISODES_MAX });
  const episodes = useQuery(episodesPath, tick, EPISODES_EVERY_MS, (signal) =>
    askFor<EpisodePage>(episodesPath ?? "", signal),
  );
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
      <Tiles now={figures.curve} before={figures.curveBefore} range={range} />
      <CurveCard scope="" figures={figures} look={look} empty={<NothingHere lastMs={lastMs} go={go} />} go={go} />
      <div class="columns uneven">
        <AnomalyCard figures={figures} state={state} rules={rules} go={go} />
        <div class="stack">
          <AllTime detail={detail} site={site} zone={state.zone} />
          <Episodes episodes={episodes} path={episodesPath} zone={state.zone} go={go} />
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

interface EpisodesProps {
  episodes: Query<EpisodePage>;
  path: string | null;
  zone: Zone;
  go: Go;
}

function Episodes({ episodes, path, zone, go }: EpisodesProps) {
  return (
    <Card
      title="Episodes"
      note="Runs of anomalous readings, and silences."
      query={episodes}
      path={path}
      empty={episodes.data?.episodes.length === 0 ? <p>None in this range.</p> : null}
    >
      <ol class="episodes">
        {episodes.data?.episodes.map((episode) => (
          <EpisodeItem key={`${episode.rule} ${episode.opened_at}`} episode={episode} zone={zone} go={go} />
        ))}
      </ol>
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
