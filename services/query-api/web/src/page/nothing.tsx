// What the page says when there is nothing to show. What must always hold: the reason, and one thing to do about it.

import { hasToken } from "../client";
import { dateText } from "../times";
import type { Go } from "./address";

/** Nothing in the range, but something elsewhere. */
export function NothingHere({ lastMs, go }: { lastMs: number | null; go: Go }) {
  return (
    <>
      <p>No reading in this range.{lastMs === null ? "" : ` The newest is of ${dateText(lastMs, "local")}.`}</p>
      <button type="button" class="primary" onClick={() => go({ range: { from: "last-7d", to: "last" } })}>
        Show the newest 7 days of data
      </button>
    </>
  );
}

/** No site has sent anything yet. */
export function NothingYet() {
  const authorization = hasToken() ? " -H 'authorization: Bearer TOKEN'" : "";
  const example = {
    site_id: "home-01",
    timestamp: new Date().toISOString(),
    energy_generated_kwh: 1.2,
    energy_consumed_kwh: 0.8,
  };
  const command = `curl ${location.origin}/readings${authorization} -H 'content-type: application/x-ndjson' \\\n  -d '${JSON.stringify(example)}'`;
  return (
    <section class="card nothing" aria-labelledby="nothing-heading">
      <h2 id="nothing-heading">No readings yet</h2>
      <p>The API is up and waits for the first one. Send it one:</p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by the keyboard. */}
      <pre tabIndex={0}>
        <code>{command}</code>
      </pre>
      <p>
        Or start the process without <code>--no-simulator</code>, or give it your files:{" "}
        <code>wattstream ingest meters/*.csv</code>. The <a href="/docs/">API docs</a> show the rest.
      </p>
    </section>
  );
}
