// New readings as they come, over GET /live. What must always hold: what was missed is said (`onReset`), so that the page loads anew;
// where the process cannot stream, it is polled, and where it has no /live at all, the page still refreshes by itself.

import { EventSourceParserStream } from "eventsource-parser/stream";
import type { Reading } from "./api";
import { ApiError, ask, contact, fetchOk, pathOf } from "./client";

const POLL_MS = 5_000;
const RETRY_MS = 2_000;
/** The stream has a heartbeat every 15 s; after so long without one it is dead. */
const SILENCE_MAX_MS = 40_000;

export interface LiveHandlers {
  onReadings(readings: Reading[]): void;
  onReset(): void;
  onMode(mode: LiveMode): void;
}

export type LiveMode = "connecting" | "streaming" | "polling" | "absent" | "off";

/** Follows the readings of a site, or of all, until `signal` is aborted. */
export async function follow(site: string | null, handlers: LiveHandlers, signal: AbortSignal): Promise<void> {
  let lastId: string | null = null;
  while (!signal.aborted) {
    try {
      const path = pathOf("/live", { site_id: site, after: lastId });
      lastId = await readStream(path, lastId, handlers, signal);
    } catch (error) {
      if (signal.aborted) return;
      const cannotStream = error instanceof ApiError && (error.status === 404 || error.status === 406);
      if (cannotStream) return poll(site, handlers, signal);
      handlers.onMode("connecting");
    }
    await pause(RETRY_MS, signal);
  }
}

/** Reads one connection to its end, and returns the id to go on after. */
async function readStream(
  path: string,
  after: string | null,
  handlers: LiveHandlers,
  signal: AbortSignal,
): Promise<string | null> {
  const dead = new AbortController();
  const answer = await openStream(path, AbortSignal.any([signal, dead.signal]));
  handlers.onMode("streaming");
  // Without an id to go on after, what happened while there was no connection is unknown.
  if (after === null) handlers.onReset();
  let lastId = after;
  let timer = setTimeout(() => dead.abort(), SILENCE_MAX_MS);
  const alive = () => {
    contact.answeredAt = Date.now();
    clearTimeout(timer);
    timer = setTimeout(() => dead.abort(), SILENCE_MAX_MS);
  };
  try {
    const events = answer
      .pipeThrough(
        new TransformStream<Uint8Array, Uint8Array>({
          transform: (bytes, to) => {
            alive();
            to.enqueue(bytes);
          },
        }),
      )
      .pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>)
      .pipeThrough(new EventSourceParserStream());
    const reader = events.getReader();
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      const { id, event, data } = next.value;
      lastId = id ?? lastId;
      if (event === "record") handlers.onReadings([JSON.parse(data) as Reading]);
      if (event === "reset") {
        lastId = null;
        handlers.onReset();
      }
    }
  } catch {
    // The connection broke; the next one goes on after the last id.
  }
  clearTimeout(timer);
  handlers.onMode("connecting");
  return lastId;
}

async function openStream(path: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
  const answer = await fetchOk(path, signal, "text/event-stream", null);
  const isStream = answer.headers.get("content-type")?.startsWith("text/event-stream");
  if (!isStream || !answer.body) throw new ApiError(406, "/live did not answer with a stream.");
  return answer.body;
}

async function poll(site: string | null, handlers: LiveHandlers, signal: AbortSignal): Promise<void> {
  let known = new Set<string>();
  while (!signal.aborted) {
    try {
      const { records } = await ask<{ records: Reading[] }>(pathOf("/live", { site_id: site }), signal);
      handlers.onMode("polling");
      const fresh = known.size === 0 ? records : records.filter((reading) => !known.has(keyOf(reading)));
      known = new Set(records.map(keyOf));
      if (fresh.length > 0) handlers.onReadings(fresh.toReversed());
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ApiError && error.status === 404) return handlers.onMode("absent");
      handlers.onMode("connecting");
    }
    await pause(POLL_MS, signal);
  }
}

const keyOf = (reading: Reading): string => `${reading.site_id} ${reading.timestamp} ${reading.revision}`;

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
