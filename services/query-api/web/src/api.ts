// The shapes of the API's answers that the page and the charts read, as golden/openapi.json has them.
// What must always hold: a name here is a name there; energies are kWh, instants are RFC 3339 in UTC, and null is "unknown".

export type Severity = "error" | "warning";

/** Sums over readings. `efficiency` is net divided by generated, null when nothing was generated. */
export interface Totals {
  records: number;
  anomalies: number;
  anomalies_by_rule: Record<string, number>;
  energy_generated_kwh: number;
  energy_consumed_kwh: number;
  net_energy_kwh: number;
  efficiency: number | null;
  first_seen: string | null;
  last_seen: string | null;
}

export interface OpenEpisode {
  rule: string;
  severity: Severity;
  opened_at: string;
  last_at: string;
  readings: number;
  score: number;
}

/** An element of `/sites`. */
export interface Site extends Totals {
  site_id: string;
  interval_ms: number | null;
  silent_since: string | null;
  open_episodes: OpenEpisode[];
}

/** `/sites/{site_id}`. */
export interface SiteDetail extends Site {
  last_reading: Reading | null;
}

export interface SitePage {
  sites: Site[];
  next: string | null;
}

/** `/summary`. */
export interface Summary {
  as_of: string | null;
  site_count: number;
  totals: Totals;
  sites: (Totals & { site_id: string })[];
}

/** What the charts of sites read: an element of `/sites` or of `/summary`, or the sums of a range. */
export type SiteTotals = Pick<
  Site,
  | "site_id"
  | "anomalies"
  | "anomalies_by_rule"
  | "energy_generated_kwh"
  | "energy_consumed_kwh"
  | "net_energy_kwh"
  | "efficiency"
>;

/** A point of a curve; its energies are null where there is no reading. */
export interface Point {
  start: string;
  energy_generated_kwh: number | null;
  energy_consumed_kwh: number | null;
  net_energy_kwh: number | null;
  records: number;
  anomalies: number;
}

export type Resolution = "raw" | "hour" | "day" | "month";

/** `/series` and `/series/{site_id}`, which alone has a `site_id`, `first_seen` and `last_seen`. */
export interface Series {
  site_id?: string;
  resolution: Resolution;
  start: string;
  end: string;
  points: Point[];
}

export interface Finding {
  rule: string;
  severity: Severity;
  channel: "generated" | "consumed" | null;
  score: number;
  expected_kwh: number | null;
}

/** An element of `/records/{site_id}`, `/anomalies` and `/live`. */
export interface Reading {
  site_id: string;
  timestamp: string;
  energy_generated_kwh: number;
  energy_consumed_kwh: number;
  net_energy_kwh: number;
  anomaly: boolean;
  findings: Finding[];
  revision: number;
}

export interface AnomalyPage {
  start: string;
  end: string;
  anomalies: Reading[];
  next: string | null;
}

/** An element of `/episodes`: a run of anomalous readings, or a silence, whose `rule` is null. */
export interface Episode {
  kind: "episode" | "silence";
  site_id: string;
  rule: string | null;
  severity: Severity;
  opened_at: string;
  closed_at: string | null;
  last_at: string;
  readings: number | null;
  score: number | null;
}

export interface EpisodePage {
  episodes: Episode[];
  next: string | null;
}

/** RFC 9457, the body of every error. */
export interface ProblemBody {
  type: string;
  title: string;
  status: number;
  detail: string;
}
