// When the page asks again, and the readings that just came. What must always hold: nothing is asked while nobody looks or the switch
// is off; a burst of readings causes one refresh, not one each.

import { useEffect, useRef, useState } from "preact/hooks";
import type { Reading } from "../api";
import { follow, type LiveMode } from "../live";

const REFRESH_MS = 5_000;
/** So long after a reading came, the rest is asked for again. */
const AFTER_READING_MS = 400;
const BETWEEN_MS = 1_500;
const TAIL_MAX = 60;

export interface Refresh {
  tick: number;
  mode: LiveMode;
  /** The newest first. */
  tail: Reading[];
  /** When a reading came last, in milliseconds since 1970; null when none has. */
  heardAt: number | null;
}

export function useRefresh(site: string | null, isOn: boolean): Refresh {
  const [tick, setTick] = useState(0);
  const [mode, setMode] = useState<LiveMode>("connecting");
  const [tail, setTail] = useState<Reading[]>([]);
  const [heardAt, setHeardAt] = useState<number | null>(null);
  const due = useRef<ReturnType<typeof setTimeout> | null>(null);
  const tickedAt = useRef(0);

  useEffect(() => {
    if (!isOn) {
      setMode("off");
      return;
    }
    const now = () => {
      due.current = null;
      if (document.hidden) return;
      tickedAt.current = Date.now();
      setTick((tick) => tick + 1);
    };
    const soon = () => {
      due.current ??= setTimeout(now, Math.max(AFTER_READING_MS, tickedAt.current + BETWEEN_MS - Date.now()));
    };
    const controller = new AbortController();
    const onReadings = (readings: Reading[]) => {
      setTail((before) => [...readings.toReversed(), ...before].slice(0, TAIL_MAX));
      setHeardAt(Date.now());
      soon();
    };
    setTail([]);
    follow(site, { onReadings, onReset: soon, onMode: setMode }, controller.signal);
    const timer = setInterval(now, REFRESH_MS);
    document.addEventListener("visibilitychange", now);
    return () => {
      controller.abort();
      clearInterval(timer);
      if (due.current) clearTimeout(due.current);
      due.current = null;
      document.removeEventListener("visibilitychange", now);
    };
  }, [site, isOn]);

  return { tick, mode, tail, heardAt };
}
