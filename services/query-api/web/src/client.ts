// Asking the API. What must always hold: the token stays in this tab and goes to this host alone; an error says what the API said;
// the same answer again is the same object, so that nothing is drawn twice.

import type { ProblemBody } from "./api";

const TOKEN_KEY = "wattstream-token";
const TIMEOUT_MS = 30_000;
/** Answers that are remembered to be compared; more are forgotten, the oldest first. */
const KEPT_MAX = 200;

export type Access = "open" | "asked" | "refused";

/** An answer that is an error, with the words of the API. */
export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, detail: string) {
    super(detail);
    this.status = status;
  }
}

/** When the process answered last, and whether the last question had an answer. */
export const contact = { answeredAt: 0, isLost: false };

let token = sessionStorage.getItem(TOKEN_KEY) ?? "";
let onAccess: (access: Access) => void = () => {};
const kept = new Map<string, { text: string; value: unknown }>();

/** Tells `listener` when the process asks for a token. */
export function watchAccess(listener: (access: Access) => void): void {
  onAccess = listener;
}

export const hasToken = (): boolean => token !== "";

export function keepToken(value: string): void {
  token = value;
  kept.clear();
  if (token) sessionStorage.setItem(TOKEN_KEY, token);
  else sessionStorage.removeItem(TOKEN_KEY);
}

export const headers = (): Record<string, string> => (token ? { authorization: `Bearer ${token}` } : {});

/** The answer to a GET, whatever its form; an error unless it is a success. */
export async function fetchOk(
  path: string,
  signal?: AbortSignal,
  accept = "application/json",
  timeoutMs: number | null = TIMEOUT_MS,
): Promise<Response> {
  const asked = token;
  const signals = [...(timeoutMs === null ? [] : [AbortSignal.timeout(timeoutMs)]), ...(signal ? [signal] : [])];
  try {
    const answer = await fetch(path, { headers: { ...headers(), accept }, signal: AbortSignal.any(signals) });
    contact.answeredAt = Date.now();
    contact.isLost = false;
    if (answer.ok) return answer;
    // An answer to an earlier token says nothing about the one of now.
    if (answer.status === 401 && asked === token) lock(asked);
    throw new ApiError(answer.status, await detailOf(answer));
  } catch (error) {
    if (!(error instanceof ApiError) && !signal?.aborted) contact.isLost = true;
    throw error;
  }
}

/** The JSON at a path. The same text as before gives the same object as before. */
export async function ask<T>(path: string, signal?: AbortSignal): Promise<T> {
  const text = await (await fetchOk(path, signal)).text();
  const before = kept.get(path);
  if (before?.text === text) return before.value as T;
  const value = JSON.parse(text) as T;
  kept.delete(path);
  kept.set(path, { text, value });
  const oldest = kept.size > KEPT_MAX ? kept.keys().next().value : undefined;
  if (oldest !== undefined) kept.delete(oldest);
  return value;
}

/** A path with its parameters; those that are null are left out. */
export function pathOf(path: string, parameters: Record<string, string | number | null> = {}): string {
  const said = Object.entries(parameters).filter(([, value]) => value !== null);
  const query = new URLSearchParams(said.map(([name, value]) => [name, String(value)])).toString();
  return query ? `${path}?${query}` : path;
}

export const isoOf = (ms: number): string => new Date(ms).toISOString();

/** The command that asks for the same, for a terminal. A token is left to be filled in. */
export function curlOf(path: string): string {
  const authorization = token ? " -H 'authorization: Bearer TOKEN'" : "";
  return `curl --fail --silent --show-error${authorization} '${new URL(path, location.origin).href.replaceAll("'", "%27")}'`;
}

/** What went wrong, in a sentence. */
export function errorText(error: unknown): string {
  if (error instanceof ApiError) return error.message;
  if (error instanceof DOMException && error.name === "TimeoutError") return "The process did not answer in time.";
  return "The process does not answer.";
}

function lock(asked: string): void {
  keepToken("");
  onAccess(asked ? "refused" : "asked");
}

async function detailOf(answer: Response): Promise<string> {
  const problem = (await answer.json().catch(() => null)) as ProblemBody | null;
  return problem?.detail ?? `The process answered with ${answer.status}.`;
}
