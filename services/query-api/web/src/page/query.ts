// What a part of the page asks the API for. What must always hold: an answer to a question that is no longer asked is dropped; while a
// new answer is awaited the old one stays; a refresh never overtakes or restarts a question that is under way.

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { errorText } from "../client";

export interface Query<T> {
  data: T | null;
  /** What the last attempt ran into; null when it went well. */
  error: string | null;
  /** Whether the data is that of another question than the one that is asked now. */
  isLoading: boolean;
  retry(): void;
}

interface Answer<T> {
  key: string | null;
  data: T | null;
  error: string | null;
}

/** Asks `load` when `key` changes, and again when `tick` does, but not more often than every `everyMs`. A null key asks nothing. */
export function useQuery<T>(
  key: string | null,
  tick: number,
  everyMs: number,
  load: (signal: AbortSignal) => Promise<T>,
): Query<T> {
  const [answer, setAnswer] = useState<Answer<T>>({ key: null, data: null, error: null });
  const underWay = useRef<AbortController | null>(null);
  const begunAt = useRef(0);
  const latest = useRef(load);
  latest.current = load;

  const begin = useCallback(() => {
    if (key === null) return;
    const controller = new AbortController();
    underWay.current?.abort();
    underWay.current = controller;
    begunAt.current = Date.now();
    const settle = (change: (before: Answer<T>) => Answer<T>) => {
      if (controller.signal.aborted) return;
      underWay.current = null;
      setAnswer((before) => change(before));
    };
    latest.current(controller.signal).then(
      (data) =>
        settle((before) =>
          before.data === data && before.key === key && !before.error ? before : { key, data, error: null },
        ),
      (error: unknown) =>
        settle((before) => ({ key, data: before.key === key ? before.data : null, error: errorText(error) })),
    );
  }, [key]);

  useEffect(() => {
    begin();
    return () => {
      underWay.current?.abort();
      underWay.current = null;
    };
  }, [begin]);

  // A tick is a reason to ask again, and nothing else.
  useEffect(() => {
    if (!underWay.current && Date.now() - begunAt.current >= everyMs) begin();
  }, [tick]);

  return { data: answer.data, error: answer.error, isLoading: key !== null && answer.key !== key, retry: begin };
}
