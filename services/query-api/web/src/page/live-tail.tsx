// The readings as they come. What must always hold: who wants to read can hold it still, and nothing of what comes meanwhile is lost
// from the figures of the page.

import { useState } from "preact/hooks";
import type { Reading } from "../api";
import { inWords } from "../charts/look";
import { instantText, type Zone } from "../times";
import { energyText } from "../units";
import { followed, type Go, hrefOf } from "./address";
import { eventOf, SeverityMark } from "./anomaly-table";
import type { Refresh } from "./refresh";

const SHOWN_MAX = 14;

export function LiveTail({ refresh, zone, hasSites, go }: { refresh: Refresh; zone: Zone; hasSites: boolean; go: Go }) {
  const [held, setHeld] = useState<Reading[] | null>(null);
  const [onlyAnomalies, setOnlyAnomalies] = useState(false);
  const readings = (held ?? refresh.tail).filter((reading) => !onlyAnomalies || reading.anomaly).slice(0, SHOWN_MAX);
  return (
    <section class="card tail" aria-labelledby="tail-heading">
      <div class="card-head">
        <div>
          <h2 id="tail-heading">Live readings</h2>
          <p class="note">{refresh.mode === "off" ? "Live is switched off." : "As they are processed."}</p>
        </div>
        <div class="card-tools">
          <button
            type="button"
            class="quiet"
            aria-pressed={onlyAnomalies}
            onClick={() => setOnlyAnomalies(!onlyAnomalies)}
          >
            Anomalies
          </button>
          <button
            type="button"
            class="quiet"
            aria-pressed={held !== null}
            onClick={() => setHeld(held ? null : refresh.tail)}
          >
            Hold
          </button>
        </div>
      </div>
      {readings.length === 0 ? <p class="state">{emptyText(refresh, onlyAnomalies)}</p> : null}
      <ol class="tail-list">
        {readings.map((reading) => (
          <TailItem
            key={`${reading.site_id} ${reading.timestamp} ${reading.revision}`}
            {...{ reading, zone, hasSites, go }}
          />
        ))}
      </ol>
    </section>
  );
}

function emptyText({ mode }: Refresh, onlyAnomalies: boolean): string {
  if (mode === "absent")
    return "This process does not tell new readings as they come; figures and charts refresh every five seconds.";
  if (mode === "off") return "Switch Live on to follow new readings.";
  return onlyAnomalies ? "No anomaly has come since the page was opened." : "Waiting for the next reading.";
}

function TailItem({ reading, zone, hasSites, go }: { reading: Reading; zone: Zone; hasSites: boolean; go: Go }) {
  const event = eventOf(reading);
  const [worst] = reading.findings;
  return (
    <li class={reading.anomaly ? "anomalous" : ""}>
      <span class="tail-place">
        {hasSites ? (
          <a
            href={hrefOf({ site: reading.site_id })}
            onClick={(click) => followed(click, go, { site: reading.site_id })}
          >
            {reading.site_id}
          </a>
        ) : null}
        <span class="note">{instantText(Date.parse(reading.timestamp), zone)}</span>
      </span>
      <span class="tail-values">
        <span class="generated-value" title="generated">
          {energyText(reading.energy_generated_kwh)}
        </span>
        <span class="consumed-value" title="consumed">
          {energyText(reading.energy_consumed_kwh)}
        </span>
      </span>
      {worst ? (
        <a class="tail-finding" href={hrefOf(event)} onClick={(click) => followed(click, go, event)}>
          <SeverityMark severity={worst.severity} /> {inWords(worst.rule)}
        </a>
      ) : null}
    </li>
  );
}
