// What both pages ask for of the range: the curve, the same time before, and the anomalies. What must always hold: curve and totals are
// of whole steps, and so is the time before that they are compared with.

import { useEffect, useMemo, useState } from "preact/hooks";
import type { Reading, Series } from "../api";
import { aligned, before, type Range } from "../time-range";
import type { State } from "../url-state";
import * as ask from "./ask";
import { type Query, useQuery } from "./query";

const BEFORE_EVERY_MS = 60_000;
const NO_READINGS: readonly Reading[] = [];

export interface RangeFigures {
  /** The range in whole steps. */
  whole: Range | null;
  curve: Query<Series>;
  curvePath: string | null;
  curveBefore: Query<Series>;
  /** Those that the filter of the table lets pass. */
  anomalies: Query<ask.Anomalies>;
  anomaliesPath: string | null;
  found: readonly Reading[];
}

/** Of a site, or of all of them. */
export function useRangeFigures(site: string | null, range: Range | null, state: State, tick: number): RangeFigures {
  const whole = useMemo(() => (range ? aligned(range) : null), [range?.startMs, range?.endMs]);
  const curvePath = whole && ask.curvePath(site, whole);
  const pathBefore = whole && ask.curvePath(site, before(whole));
  const anomaliesPath = whole && ask.anomaliesPath(whole, { site, rule: state.rule, severity: state.severity });
  const curve = useQuery(curvePath, tick, 0, (signal) => ask.curve(curvePath ?? "", signal));
  const curveBefore = useQuery(pathBefore, tick, BEFORE_EVERY_MS, (signal) => ask.curve(pathBefore ?? "", signal));
  const asked = useQuery(anomaliesPath, tick, 0, (signal) => ask.anomalies(anomaliesPath ?? "", signal));
  const anomalies = useAfter(curve, asked);
  const found = anomalies.data?.anomalies ?? NO_READINGS;
  return { whole, curve, curvePath, curveBefore, anomalies, anomaliesPath, found };
}

/** What is shown once `first` is: the curve is drawn while the reader waits, and what hangs on the anomalies in the next frame. */
function useAfter<T>(first: Query<unknown>, query: Query<T>): Query<T> {
  const [shown, setShown] = useState(query);
  useEffect(() => {
    if (!first.isLoading) setShown(query);
  }, [first.isLoading, query.data, query.error, query.isLoading]);
  const isShown = shown.data === query.data && shown.error === query.error;
  return isShown ? query : { ...shown, isLoading: true };
}
