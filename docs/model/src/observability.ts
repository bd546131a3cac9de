// What it costs to watch the functions: metrics, and the log lines that carry them.
//
// What must always hold: each metric of docs/metrics.md is told here to be of certain functions or of none, and a test
// compares the two; so a new metric cannot be forgotten in the bill.

const NAMESPACE = "wattstream";

export const FUNCTIONS = ["stream-consumer", "silent-sites", "query-api", "simulator"] as const;
export type FunctionName = (typeof FUNCTIONS)[number];

/** How many values of its labels a metric has, in a fleet that is well. What is counted only when something fails is 0. */
type Series = Readonly<Partial<Record<FunctionName, number>>>;

const ONE_MACHINE_ONLY: Series = {};
const ONLY_WHEN_SOMETHING_FAILS: Series = {};

/** Series of each metric, function by function, in the order of docs/metrics.md. */
export const SERIES: Readonly<Record<string, Series>> = {
  wattstream_build_info: { "stream-consumer": 1, "silent-sites": 1, "query-api": 1, simulator: 1 },
  // In order, late, duplicate, revision, folded before, rejected: all six, because each happens on some day.
  wattstream_records_read_total: { "stream-consumer": 6 },
  wattstream_records_rejected_total: { "stream-consumer": 3 },
  wattstream_batches_total: { "stream-consumer": 2 },
  wattstream_batch_duration_seconds: { "stream-consumer": 1 },
  wattstream_batch_records: { "stream-consumer": 1 },
  wattstream_commit_conflicts_total: ONLY_WHEN_SOMETHING_FAILS,
  wattstream_site_states_total: { "stream-consumer": 2 },
  wattstream_shard_lag_ms: ONE_MACHINE_ONLY,
  wattstream_shard_records_total: ONE_MACHINE_ONLY,
  wattstream_event_source_retries_total: ONE_MACHINE_ONLY,
  wattstream_event_source_bisections_total: ONE_MACHINE_ONLY,
  wattstream_dead_letters_total: { "stream-consumer": 1 },
  // Four rules and both phases; silence and both phases.
  wattstream_alerts_published_total: { "stream-consumer": 8, "silent-sites": 2 },
  wattstream_alert_publish_failures_total: ONLY_WHEN_SOMETHING_FAILS,
  wattstream_silent_sites: { "silent-sites": 1 },
  wattstream_log_appended_records_total: ONE_MACHINE_ONLY,
  wattstream_log_appended_bytes_total: ONE_MACHINE_ONLY,
  wattstream_log_sync_seconds: ONE_MACHINE_ONLY,
  wattstream_archive_objects_total: ONE_MACHINE_ONLY,
  wattstream_archive_bytes_total: ONE_MACHINE_ONLY,
  wattstream_archive_records_total: ONE_MACHINE_ONLY,
  // Six routes that answer, with two statuses each; their durations.
  wattstream_http_requests_total: { "query-api": 12 },
  wattstream_http_request_duration_seconds: { "query-api": 6 },
  wattstream_simulator_readings_total: { simulator: 1 },
};

/** CloudWatch metrics of the functions that are there without a simulator. */
export function metricCount(): number {
  const ofRealFleets = FUNCTIONS.filter((name) => name !== "simulator");
  const counts = Object.values(SERIES).flatMap((series) => ofRealFleets.map((name) => series[name] ?? 0));
  return counts.reduce((sum, count) => sum + count, 0);
}

const REQUEST_ID = "8f507cfc-xmpl-4697-b07a-ac58fc914c95";

/** A line of CloudWatch's embedded metric format for metrics that share their labels. */
function line(
  functionName: FunctionName,
  labels: Readonly<Record<string, string>>,
  metrics: readonly string[],
): string {
  const dimensions = ["function", ...Object.keys(labels)];
  const definitions = metrics.map((name) => ({ Name: name, Unit: "Seconds" }));
  const values = Object.fromEntries(metrics.map((name) => [name, [0.0123]]));
  return `${JSON.stringify({
    _aws: {
      Timestamp: 1_764_000_000_000,
      CloudWatchMetrics: [{ Namespace: NAMESPACE, Dimensions: [dimensions], Metrics: definitions }],
    },
    function: functionName,
    ...labels,
    request_id: REQUEST_ID,
    ...values,
  })}\n`;
}

/** What the consumer writes about a steady batch: all in order, states at hand. */
const BATCH_LINES = [
  line("stream-consumer", { outcome: "in_order" }, ["wattstream_records_read_total"]),
  line("stream-consumer", { outcome: "processed" }, ["wattstream_batches_total"]),
  line("stream-consumer", { source: "cache" }, ["wattstream_site_states_total"]),
  line("stream-consumer", {}, ["wattstream_batch_duration_seconds", "wattstream_batch_records"]),
];

const REQUEST_LINES = [
  line("query-api", { method: "GET", route: "/records/{site_id}", status: "200" }, ["wattstream_http_requests_total"]),
  line("query-api", { method: "GET", route: "/records/{site_id}" }, ["wattstream_http_request_duration_seconds"]),
];

function bytesOf(lines: readonly string[]): number {
  return lines.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
}

export const BATCH_LOG_BYTES = bytesOf(BATCH_LINES);
export const API_LOG_BYTES = bytesOf(REQUEST_LINES);
