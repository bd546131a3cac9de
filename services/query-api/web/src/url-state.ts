// What the page shows, as it stands in its address. What must always hold: an address says all of it, so that it can be sent to
// somebody else; what is usual is left out of it; an address that was written by hand and makes no sense is read as the usual.

import { DEFAULT_RANGE, isWritten, type WrittenRange } from "./time-range";
import type { Zone } from "./times";

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

export const SORT_KEYS = ["worst", "site", "seen", "generated", "consumed", "net", "efficiency", "anomalies"] as const;
export type SortKey = (typeof SORT_KEYS)[number];

export interface Sort {
  key: SortKey;
  isDescending: boolean;
}

export interface State {
  /** The site whose page it is; null for all sites. */
  site: string | null;
  /** Null when nobody has chosen one. */
  range: WrittenRange | null;
  search: string;
  sort: Sort;
  /** From 1. */
  page: number;
  rule: string | null;
  severity: "error" | "warning" | null;
  zone: Zone;
  theme: Theme;
  isLive: boolean;
}

export const USUAL: State = {
  site: null,
  range: null,
  search: "",
  sort: { key: "worst", isDescending: false },
  page: 1,
  rule: null,
  severity: null,
  zone: "local",
  theme: "system",
  isLive: true,
};

const oneOf = <T extends string>(values: readonly T[], text: string | null, usual: T): T =>
  values.find((value) => value === text) ?? usual;

/** What an address says, over what is usual for this reader. */
export function stateOf(query: string, usual: State = USUAL): State {
  const parameters = new URLSearchParams(query);
  const severity = parameters.get("severity");
  return {
    site: parameters.get("site") || null,
    range: rangeIn(parameters),
    search: parameters.get("q") ?? "",
    sort: sortOf(parameters.get("sort")),
    page: Math.max(1, Math.floor(Number(parameters.get("page"))) || 1),
    rule: parameters.get("rule") || null,
    severity: severity === "error" || severity === "warning" ? severity : null,
    zone: oneOf(["local", "UTC"] as const, parameters.get("zone"), usual.zone),
    theme: oneOf(THEMES, parameters.get("theme"), usual.theme),
    isLive: parameters.get("live") !== "off",
  };
}

function rangeIn(parameters: URLSearchParams): WrittenRange | null {
  const [from, to] = [parameters.get("from"), parameters.get("to")];
  if (from === null && to === null) return null;
  const range = { from: from ?? DEFAULT_RANGE.from, to: to ?? DEFAULT_RANGE.to };
  return isWritten(range.from) && isWritten(range.to) ? range : null;
}

function sortOf(text: string | null): Sort {
  const key = SORT_KEYS.find((key) => key === text?.replace(/^-/, ""));
  return key ? { key, isDescending: text?.startsWith("-") ?? false } : USUAL.sort;
}

/** The query of the address that says this; empty, or with its `?`. */
export function queryOf(state: State, usual: State = USUAL): string {
  const sort = `${state.sort.isDescending ? "-" : ""}${state.sort.key}`;
  const said: [string, string | null][] = [
    ["site", state.site],
    ["from", state.range?.from ?? null],
    ["to", state.range?.to ?? null],
    ["q", state.search || null],
    ["sort", sort === USUAL.sort.key ? null : sort],
    ["page", state.page === 1 ? null : String(state.page)],
    ["rule", state.rule],
    ["severity", state.severity],
    ["zone", state.zone === usual.zone ? null : state.zone],
    ["theme", state.theme === usual.theme ? null : state.theme],
    ["live", state.isLive ? null : "off"],
  ];
  const parameters = new URLSearchParams(said.filter((pair): pair is [string, string] => pair[1] !== null));
  const query = parameters.toString().replaceAll("%3A", ":").replaceAll("%2F", "/");
  return query ? `?${query}` : "";
}
