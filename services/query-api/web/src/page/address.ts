// The state of the page and its address, which are one. What must always hold: what a reader chooses makes an entry in the history, so
// that "back" undoes it; what is typed letter by letter does not.

import { useCallback, useEffect, useState } from "preact/hooks";
import { queryOf, type State, stateOf, THEMES, USUAL } from "../url-state";

const PREFERENCES_KEY = "wattstream-preferences";

/** What this reader chose the last time, for an address that says nothing of it. */
function usual(): State {
  try {
    const kept = JSON.parse(localStorage.getItem(PREFERENCES_KEY) ?? "{}") as Record<string, unknown>;
    const theme = THEMES.find((theme) => theme === kept["theme"]) ?? USUAL.theme;
    return { ...USUAL, theme, zone: kept["zone"] === "UTC" ? "UTC" : "local" };
  } catch {
    return USUAL;
  }
}

/** Changes the state, and the address with it. */
export type Go = (change: Partial<State>, how?: { isTyping?: boolean }) => void;

export function useAddress(): [State, Go] {
  const [state, setState] = useState(() => stateOf(location.search, usual()));

  useEffect(() => {
    const onBack = () => setState(stateOf(location.search, usual()));
    window.addEventListener("popstate", onBack);
    return () => window.removeEventListener("popstate", onBack);
  }, []);

  const go = useCallback<Go>((change, how) => {
    const next = { ...stateOf(location.search, usual()), ...change };
    // The address says theme and zone whenever they are not what a newcomer has, so that they travel with it.
    const address = `${location.pathname}${queryOf(next)}`;
    if (how?.isTyping) history.replaceState(null, "", address);
    else if (address !== `${location.pathname}${location.search}`) history.pushState(null, "", address);
    if (change.theme || change.zone)
      localStorage.setItem(PREFERENCES_KEY, JSON.stringify({ theme: next.theme, zone: next.zone }));
    setState(next);
  }, []);

  return [state, go];
}

/** The address that shows this, for a link. */
export const hrefOf = (change: Partial<State>): string =>
  `/${queryOf({ ...stateOf(location.search, usual()), ...change })}`;

/** What a click on a link does: as always with a key or another button held, and without a new page otherwise. */
export function followed(event: MouseEvent, go: Go, change: Partial<State>): void {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  go(change);
  window.scrollTo(0, 0);
}
