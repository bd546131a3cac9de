// How fresh the page is, in three words. What must always hold: "live" is said only when the process has just answered.

import { useEffect, useState } from "preact/hooks";
import { contact } from "../client";
import { agoText, spanText } from "../times";
import type { Refresh } from "./refresh";

const STALE_AFTER_MS = 20_000;
const TICK_MS = 500;

interface Props {
  refresh: Refresh;
  isLive: boolean;
  /** The instant of the newest reading, in milliseconds since 1970. */
  lastMs: number | null;
}

type Freshness = "connecting" | "live" | "stale" | "disconnected";

export function FreshnessBadge({ refresh, isLive, lastMs }: Props) {
  const [nowMs, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, []);
  const state = stateOf(nowMs, isLive);
  const newest = lastMs === null ? "no reading yet" : `newest reading ${agoText(lastMs, nowMs)}`;
  return (
    <>
      <p class="badge" data-state={state} title={`${HOW[refresh.mode]}; ${newest}`}>
        <span class="dot" aria-hidden="true" />
        {textOf(state, nowMs)}
      </p>
      <p class="visually-hidden" role="status">
        {state}
      </p>
    </>
  );
}

const HOW: Record<Refresh["mode"], string> = {
  connecting: "Connecting to the stream of readings",
  streaming: "Readings are streamed as they come",
  polling: "Readings are asked for every five seconds",
  absent: "This process has no stream of readings; the page asks every five seconds",
  off: "The page does not refresh by itself",
};

function stateOf(nowMs: number, isLive: boolean): Freshness {
  if (contact.isLost) return "disconnected";
  if (contact.answeredAt === 0) return "connecting";
  return isLive && nowMs - contact.answeredAt < STALE_AFTER_MS ? "live" : "stale";
}

function textOf(state: Freshness, nowMs: number): string {
  const ageMs = Math.max(0, nowMs - contact.answeredAt);
  if (state === "connecting") return "connecting";
  if (state === "disconnected") return "disconnected, retrying";
  if (state === "live") return `live, ${(ageMs / 1_000).toFixed(1)} s behind`;
  return ageMs < STALE_AFTER_MS ? "paused" : `stale ${spanText(ageMs)}`;
}
