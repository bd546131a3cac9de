// The one control of the time range. What must always hold: every card follows it; what is typed is taken only when it means something,
// and the hint says what does.

import { useEffect, useRef, useState } from "preact/hooks";
import {
  ACCEPTED,
  type Anchors,
  fromToText,
  QUICK_RANGES,
  type Range,
  rangeName,
  rangeOf,
  type WrittenRange,
  written,
  zoomedOut,
} from "../time-range";
import type { Zone } from "../times";

interface Props {
  asked: WrittenRange;
  range: Range | null;
  anchors: Anchors;
  zone: Zone;
  onRange(range: WrittenRange): void;
}

export function RangeControl({ asked, range, anchors, zone, onRange }: Props) {
  const [isOpen, setOpen] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  useEffect(() => {
    if (!isOpen) return;
    const onPress = (event: PointerEvent) => {
      if (!place.current?.contains(event.target as Node)) setOpen(false);
    };
    const onKey = (event: KeyboardEvent) => {
      if (event.key === "Escape") close();
    };
    document.addEventListener("pointerdown", onPress);
    document.addEventListener("keydown", onKey);
    return () => {
      document.removeEventListener("pointerdown", onPress);
      document.removeEventListener("keydown", onKey);
    };
  }, [isOpen]);
  const take = (range: WrittenRange) => {
    onRange(range);
    close();
  };
  return (
    <div class="range" ref={place}>
      <fieldset class="joined">
        <legend class="visually-hidden">Time range</legend>
        <button type="button" aria-label="Back to what was shown before" title="Back" onClick={() => history.back()}>
          ←
        </button>
        <button
          ref={button}
          type="button"
          class="range-name"
          aria-expanded={isOpen}
          aria-controls="range-panel"
          title={range ? fromToText(range, zone) : ""}
          onClick={() => setOpen(!isOpen)}
        >
          <span class="visually-hidden">Time range: </span>
          {rangeName(asked, range, zone)} <span aria-hidden="true">▾</span>
        </button>
        <button
          type="button"
          aria-label="Zoom out"
          title="Zoom out: twice the time"
          disabled={!range}
          onClick={() => range && onRange(written(zoomedOut(range)))}
        >
          −
        </button>
      </fieldset>
      {range && !isAbsolute(asked) ? <span class="note resolved">{fromToText(range, zone)}</span> : null}
      {isOpen ? <Panel asked={asked} anchors={anchors} onTake={take} /> : null}
    </div>
  );
}

/** Whether the name of the range already says its times. */
const isAbsolute = (asked: WrittenRange): boolean => /^\d/.test(asked.from);

interface PanelProps {
  asked: WrittenRange;
  anchors: Anchors;
  onTake(range: WrittenRange): void;
}

function Panel({ asked, anchors, onTake }: PanelProps) {
  const [from, setFrom] = useState(asked.from);
  const [to, setTo] = useState(asked.to);
  const [problem, setProblem] = useState("");
  const submit = (event: Event) => {
    event.preventDefault();
    const typed = { from: from.trim(), to: to.trim() };
    if (rangeOf(typed, anchors)) onTake(typed);
    else setProblem(`No range. Accepted are ${ACCEPTED}; the end comes after the start.`);
  };
  return (
    <div id="range-panel" class="panel">
      <ul class="quick">
        {QUICK_RANGES.map(({ name, range }) => {
          const isChosen = range.from === asked.from && range.to === asked.to;
          return (
            <li key={name}>
              <button type="button" class="quiet" aria-pressed={isChosen} onClick={() => onTake(range)}>
                {name}
              </button>
            </li>
          );
        })}
      </ul>
      <form class="typed" onSubmit={submit}>
        <label>
          From
          <input
            value={from}
            spellcheck={false}
            autocomplete="off"
            onInput={(event) => setFrom(event.currentTarget.value)}
          />
        </label>
        <label>
          To
          <input
            value={to}
            spellcheck={false}
            autocomplete="off"
            onInput={(event) => setTo(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="primary">
          Show
        </button>
        <p class="note">
          {ACCEPTED}. Times are {anchors.zone === "UTC" ? "UTC" : "local"}; the end itself is not part of the range.
        </p>
        <p class="refusal" role="alert">
          {problem}
        </p>
      </form>
    </div>
  );
}
