// A card: a heading, what it shows, and ways to take it along. What must always hold: a card is always in one of five states, and each
// says what it is: loading, failed (with a way to try again), empty (with the reason), shown, and shown while something newer is awaited.

import type { ComponentChildren } from "preact";
import { useId, useState } from "preact/hooks";
import { curlOf, errorText, fetchOk } from "../client";
import type { Query } from "./query";

interface Props {
  title: string;
  note?: string | undefined;
  query: Query<unknown>;
  /** Why there is nothing to show; null when there is something. */
  empty?: ComponentChildren | null;
  /** The path that gives what is shown, for CSV and curl. */
  path?: string | null;
  /** Makes a picture of it. */
  picture?: (() => Blob) | null;
  /** The same as a table, for those who do not see the chart. */
  table?: (() => ComponentChildren) | null;
  class?: string;
  controls?: ComponentChildren;
  children: ComponentChildren;
  skeletonPx?: number;
}

export function Card(props: Props) {
  const id = useId();
  const [isTable, setTable] = useState(false);
  const { query, table } = props;
  const isShown = query.data !== null && !props.empty;
  return (
    <section class={`card ${props.class ?? ""}`} aria-labelledby={id} aria-busy={query.isLoading}>
      <div class="card-head">
        <div>
          <h2 id={id}>{props.title}</h2>
          {props.note && isShown ? <p class="note">{props.note}</p> : null}
        </div>
        <div class="card-tools">
          {props.controls}
          {table && isShown ? (
            <button type="button" class="quiet" aria-pressed={isTable} onClick={() => setTable(!isTable)}>
              Table
            </button>
          ) : null}
          {isShown ? <Take title={props.title} path={props.path} picture={props.picture} /> : null}
        </div>
      </div>
      <Body {...props} isTable={isTable} />
    </section>
  );
}

function Body({ query, empty, children, skeletonPx, table, isTable }: Props & { isTable: boolean }) {
  if (query.data === null && query.error)
    return (
      <div class="state" role="alert">
        <p>{query.error}</p>
        <button type="button" onClick={query.retry}>
          Try again
        </button>
      </div>
    );
  if (query.data === null)
    return <div class="skeleton" style={{ height: `${skeletonPx ?? 240}px` }} aria-hidden="true" />;
  if (empty) return <div class="state">{empty}</div>;
  return (
    <div class={query.isLoading ? "fading" : ""}>
      {query.error ? (
        <p class="failed-refresh" role="status">
          Not up to date: {query.error}{" "}
          <button type="button" class="link" onClick={query.retry}>
            Try again
          </button>
        </p>
      ) : null}
      {isTable && table ? <div class="table-view">{table()}</div> : children}
    </div>
  );
}

interface TakeProps {
  title: string;
  path: string | null | undefined;
  picture: (() => Blob) | null | undefined;
}

/** The buttons that take a card along. */
function Take({ title, path, picture }: TakeProps) {
  const [said, say] = useState("");
  const tell = (text: string) => {
    say(text);
    setTimeout(() => say(""), 2_500);
  };
  const name = title.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
  const csv = path ? `${path}${path.includes("?") ? "&" : "?"}format=csv` : null;
  return (
    <>
      <span class="said" role="status">
        {said}
      </span>
      {csv ? (
        <button
          type="button"
          class="quiet"
          aria-label={`CSV: ${title}`}
          onClick={() => saveCsv(csv, `${name}.csv`).catch((error) => tell(errorText(error)))}
        >
          CSV
        </button>
      ) : null}
      {picture ? (
        <button type="button" class="quiet" aria-label={`PNG: ${title}`} onClick={() => save(picture(), `${name}.png`)}>
          PNG
        </button>
      ) : null}
      {path ? (
        <button
          type="button"
          class="quiet"
          aria-label={`Copy as curl: ${title}`}
          onClick={() =>
            copy(curlOf(path)).then(
              () => tell("copied"),
              () => tell(curlOf(path)),
            )
          }
        >
          curl
        </button>
      ) : null}
    </>
  );
}

async function copy(text: string): Promise<void> {
  await navigator.clipboard.writeText(text);
}

async function saveCsv(path: string, name: string): Promise<void> {
  save(await (await fetchOk(path, undefined, "text/csv")).blob(), name);
}

const REVOKE_AFTER_MS = 30_000;

function save(content: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), REVOKE_AFTER_MS);
}
