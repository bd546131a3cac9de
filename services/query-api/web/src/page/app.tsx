// The page: a header with what holds for all cards, and below it all sites or one. What must always hold: what is shown follows from the
// address and from the API's answers, and from nothing else.

import { useEffect, useLayoutEffect, useMemo, useState } from "preact/hooks";
import type { SiteDetail } from "../api";
import type { Look } from "../charts";
import { type Access, ask as askFor, hasToken, keepToken, watchAccess } from "../client";
import { type Anchors, DEFAULT_RANGE, rangeOf, type WrittenRange } from "../time-range";
import { type State, THEMES, type Theme } from "../url-state";
import { AccessCard } from "./access";
import { followed, type Go, hrefOf, useAddress } from "./address";
import { allSites } from "./ask";
import { FleetPage } from "./fleet-page";
import { FreshnessBadge } from "./freshness";
import { useQuery } from "./query";
import { RangeControl } from "./range-control";
import { useRefresh } from "./refresh";
import { SitePage } from "./site-page";

const SITES_EVERY_MS = 2_000;
/** Of a large fleet the list is long, and is asked for less often. */
const MANY_SITES = 500;
const MANY_SITES_EVERY_MS = 20_000;
const DAY_MS = 86_400_000;

export function App() {
  const [access, setAccess] = useState<Access>("open");
  const [round, setRound] = useState(0);
  const [state, go] = useAddress();
  useTheme(state.theme);
  useEffect(() => watchAccess(setAccess), []);
  const onToken = () => {
    setAccess("open");
    setRound(round + 1);
  };
  const onForget = () => {
    keepToken("");
    setAccess("asked");
  };
  if (access === "open") return <Page key={round} state={state} go={go} onForget={onForget} />;
  return (
    <>
      <header class="bar">
        <Brand go={go} />
      </header>
      <main id="main">
        <AccessCard access={access} onToken={onToken} />
      </main>
    </>
  );
}

function Page({ state, go, onForget }: { state: State; go: Go; onForget(): void }) {
  const refresh = useRefresh(state.site, state.isLive);
  const { tick } = refresh;
  const theme = useResolvedTheme(state.theme);
  const look = useMemo<Look>(() => ({ theme, zone: state.zone }), [theme, state.zone]);
  const isFleet = state.site === null;
  const [isMany, setMany] = useState(false);
  const sites = useQuery(isFleet ? "sites" : null, tick, isMany ? MANY_SITES_EVERY_MS : SITES_EVERY_MS, allSites);
  useEffect(() => setMany((sites.data?.sites.length ?? 0) > MANY_SITES), [sites.data]);
  const sitePath = state.site === null ? null : `/sites/${encodeURIComponent(state.site)}`;
  const detail = useQuery(sitePath, tick, SITES_EVERY_MS, (signal) => askFor<SiteDetail>(sitePath ?? "", signal));

  // Time goes on with each refresh.
  const nowMs = useMemo(() => Date.now(), [tick, state]);
  const seen = useMemo(
    () => extentOf(isFleet ? sites.data?.sites : detail.data ? [detail.data] : undefined),
    [isFleet, sites.data, detail.data],
  );
  const anchors: Anchors = { nowMs, firstMs: seen?.firstMs ?? null, lastMs: seen?.lastMs ?? null, zone: state.zone };
  const asked = state.range ?? usualRange(anchors);
  const range = rangeOf(asked, anchors);
  const shared = { range, state, look, refresh, nowMs, go };
  return (
    <>
      <a class="skip" href="#main">
        Skip to the figures
      </a>
      <header class="bar">
        <Brand go={go} />
        <div class="bar-controls">
          <RangeControl
            asked={asked}
            range={range}
            anchors={anchors}
            zone={state.zone}
            onRange={(range) => go({ range, page: 1 })}
          />
          <button type="button" class="live" aria-pressed={state.isLive} onClick={() => go({ isLive: !state.isLive })}>
            Live
          </button>
          <FreshnessBadge refresh={refresh} isLive={state.isLive} lastMs={anchors.lastMs} />
        </div>
        <Preferences state={state} go={go} onForget={onForget} />
      </header>
      <main id="main" tabIndex={-1}>
        {state.site === null ? (
          <FleetPage sites={sites} {...shared} />
        ) : (
          <SitePage key={state.site} site={state.site} detail={detail} {...shared} />
        )}
      </main>
    </>
  );
}

function Brand({ go }: { go: Go }) {
  return (
    <h1>
      <a href={hrefOf({ site: null })} onClick={(click) => followed(click, go, { site: null })}>
        <img src="/icon.svg" alt="" width="28" height="28" />
        wattstream
      </a>
    </h1>
  );
}

function Preferences({ state, go, onForget }: { state: State; go: Go; onForget(): void }) {
  return (
    <nav aria-label="More">
      <button
        type="button"
        aria-pressed={state.zone === "UTC"}
        title="Show times in UTC"
        onClick={() => go({ zone: state.zone === "UTC" ? "local" : "UTC" })}
      >
        UTC
      </button>
      <label class="inline">
        <span class="visually-hidden">Theme</span>
        <select value={state.theme} onChange={(event) => go({ theme: event.currentTarget.value as Theme })}>
          {THEMES.map((theme) => (
            <option key={theme} value={theme}>
              {theme === "system" ? "system theme" : theme}
            </option>
          ))}
        </select>
      </label>
      {hasToken() ? (
        <button type="button" onClick={onForget}>
          Forget token
        </button>
      ) : null}
      <a href="/docs/">API</a>
    </nav>
  );
}

/** The last day, unless the newest reading lies elsewhere: then what is newest. */
function usualRange({ lastMs, nowMs }: Anchors): WrittenRange {
  if (lastMs === null || (lastMs > nowMs - DAY_MS && lastMs <= nowMs)) return DEFAULT_RANGE;
  return lastMs > nowMs ? { from: "last-24h", to: "last" } : { from: "last-7d", to: "last" };
}

function extentOf(sites: readonly { first_seen: string | null; last_seen: string | null }[] | undefined) {
  const times = (sites ?? []).filter((site) => site.first_seen && site.last_seen);
  if (times.length === 0) return null;
  const first = times.reduce(
    (least, site) => (site.first_seen && site.first_seen < least ? site.first_seen : least),
    "9",
  );
  const last = times.reduce((most, site) => (site.last_seen && site.last_seen > most ? site.last_seen : most), "");
  return { firstMs: Date.parse(first), lastMs: Date.parse(last) };
}

/** In the frame in which the charts change theirs. */
function useTheme(theme: Theme): void {
  useLayoutEffect(() => {
    document.documentElement.dataset["theme"] = theme;
  }, [theme]);
}

const DARK = window.matchMedia("(prefers-color-scheme: dark)");

function useResolvedTheme(theme: Theme): Look["theme"] {
  const [isDark, setDark] = useState(DARK.matches);
  useEffect(() => {
    const onChange = () => setDark(DARK.matches);
    DARK.addEventListener("change", onChange);
    return () => DARK.removeEventListener("change", onChange);
  }, []);
  if (theme !== "system") return theme;
  return isDark ? "dark" : "light";
}
