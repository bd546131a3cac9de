// The anomalies of the range as a table. What must always hold: a row says what is wrong, with value and expected value, and leads to
// the reading on its site's curve.

import { useState } from "preact/hooks";
import type { Finding, Reading } from "../api";
import { inWords } from "../charts/look";
import { around, written } from "../time-range";
import { instantText, type Zone } from "../times";
import { countText, energyText } from "../units";
import type { State } from "../url-state";
import { followed, type Go, hrefOf } from "./address";

/** An event is shown with a day and a half before and after it. */
const EVENT_SPAN_MS = 3 * 86_400_000;
const ROWS_STEP = 12;

/** The change of state that shows an anomaly on its site's curve. */
export function eventOf(reading: Reading): Partial<State> {
  return { site: reading.site_id, range: written(around(Date.parse(reading.timestamp), EVENT_SPAN_MS)) };
}

interface Props {
  anomalies: readonly Reading[];
  /** Only findings of these are listed. */
  rule: string | null;
  severity: string | null;
  zone: Zone;
  hasSites: boolean;
  go: Go;
}

export function AnomalyTable({ anomalies, rule, severity, zone, hasSites, go }: Props) {
  const [shown, setShown] = useState(ROWS_STEP);
  const rows = anomalies.flatMap((reading) =>
    reading.findings
      .filter(
        (finding) => (rule === null || finding.rule === rule) && (severity === null || finding.severity === severity),
      )
      .map((finding) => ({ reading, finding })),
  );
  return (
    <>
      <div class="wide-table">
        <table class="anomaly-table">
          <caption class="visually-hidden">
            Anomalies, the newest first. The time leads to the event on its curve.
          </caption>
          <thead>
            <tr>
              <th scope="col">Time</th>
              {hasSites ? <th scope="col">Site</th> : null}
              <th scope="col">What</th>
              <th scope="col" class="number">
                Value
              </th>
              <th scope="col" class="number">
                Expected
              </th>
              <th scope="col" class="number">
                Score
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, shown).map(({ reading, finding }) => {
              const event = eventOf(reading);
              return (
                <tr key={`${reading.site_id} ${reading.timestamp} ${finding.rule} ${finding.channel}`}>
                  <th scope="row">
                    <a href={hrefOf(event)} title="Zoom to this event" onClick={(click) => followed(click, go, event)}>
                      {instantText(Date.parse(reading.timestamp), zone)}
                    </a>
                  </th>
                  {hasSites ? <td>{reading.site_id}</td> : null}
                  <td>
                    <SeverityMark severity={finding.severity} /> {inWords(finding.rule)}
                    {finding.channel ? <span class="note"> {finding.channel}</span> : null}
                  </td>
                  <td class="number">{energyText(valueIn(reading, finding))}</td>
                  <td class="number">{energyText(finding.expected_kwh)}</td>
                  <td class="number">{finding.score.toFixed(1)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      {rows.length > shown ? (
        <button type="button" class="more" onClick={() => setShown(shown + 4 * ROWS_STEP)}>
          Show more ({countText(rows.length - shown)} left)
        </button>
      ) : null}
    </>
  );
}

function valueIn(reading: Reading, finding: Finding): number | null {
  if (finding.channel === null) return null;
  return finding.channel === "generated" ? reading.energy_generated_kwh : reading.energy_consumed_kwh;
}

export function SeverityMark({ severity }: { severity: "error" | "warning" }) {
  return (
    <span class={`mark ${severity}`}>
      <span aria-hidden="true">{severity === "error" ? "▲" : "◆"}</span>
      <span class="visually-hidden">{severity}</span>
    </span>
  );
}

interface FilterProps {
  rules: readonly string[];
  rule: string | null;
  severity: State["severity"];
  go: Go;
}

export function AnomalyFilters({ rules, rule, severity, go }: FilterProps) {
  const known = rule !== null && !rules.includes(rule) ? [...rules, rule] : rules;
  return (
    <>
      <label class="inline">
        <span class="visually-hidden">Rule</span>
        <select value={rule ?? ""} onChange={(event) => go({ rule: event.currentTarget.value || null })}>
          <option value="">all rules</option>
          {known.map((rule) => (
            <option key={rule} value={rule}>
              {inWords(rule)}
            </option>
          ))}
        </select>
      </label>
      <label class="inline">
        <span class="visually-hidden">Severity</span>
        <select
          value={severity ?? ""}
          onChange={(event) => go({ severity: (event.currentTarget.value || null) as State["severity"] })}
        >
          <option value="">all severities</option>
          <option value="error">errors</option>
          <option value="warning">warnings</option>
        </select>
      </label>
    </>
  );
}
