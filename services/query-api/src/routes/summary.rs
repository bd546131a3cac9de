//! `GET /summary`: everything that is known of every site, in one answer. What must always hold: the totals are the sums
//! of the sites in the same answer, in integers; an answer is given again only while no state has changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use axum::routing::get;
use bytes::Bytes;
use serde::Serialize;
use tokio::sync::Mutex;
use utoipa::ToSchema;
use wattstream_domain::{EnergySum, Rule, SiteState, Timestamp, Totals};
use wattstream_engine::ports::{Queries, SITES_EXACT_MAX, Sites};

use crate::format::{self, Cell, CsvRow, Format, Listing};
use crate::json::{JsonRow, Kwh, Utc, by_rule};
use crate::parameters::{Parameter, Parameters, documented};
use crate::problem::Problem;
use crate::state::AppState;

/// The most sites of a summary that is folded up to the last record. Over more of them, a store that keeps snapshots
/// answers from the snapshots alone, and the answer says `as_of`.
pub const SUMMARY_SITES_EXACT_MAX: usize = SITES_EXACT_MAX;

const PARAMETERS: &[Parameter] = &[format::PARAMETER];
documented!(SummaryParameters, PARAMETERS);

pub(crate) fn routes<Q: Queries, P: Send + Sync + 'static>(state: &Arc<AppState<Q, P>>) -> Router {
    let desk = Arc::new(Desk { state: Arc::clone(state), newest: Mutex::default() });
    Router::new().route("/summary", get(summary::<Q, P>)).with_state(desk)
}

/// Where summaries are written, and the newest one lies. Everybody who watches a fleet asks for the same one.
pub(crate) struct Desk<Q, P> {
    state: Arc<AppState<Q, P>>,
    newest: Mutex<Option<Written>>,
}

/// A summary as it was answered.
struct Written {
    format: Format,
    /// Of the states, from before they were read.
    version: u64,
    body: Bytes,
}

impl<Q: Queries, P> Desk<Q, P> {
    /// The summary in a form, written anew when a state has changed. Who comes while one is being written waits for it.
    async fn written(&self, format: Format) -> Result<Bytes, Problem> {
        let Some(version) = self.state.queries.states_version() else { return self.write(format).await };
        let mut newest = self.newest.lock().await;
        if let Some(kept) = newest.as_ref().filter(|kept| kept.format == format && kept.version >= version) {
            return Ok(kept.body.clone());
        }
        // Who has waited gets one that was begun after they asked.
        let version = self.state.queries.states_version().unwrap_or(version);
        let body = self.write(format).await?;
        *newest = Some(Written { format, version, body: body.clone() });
        Ok(body)
    }

    async fn write(&self, format: Format) -> Result<Bytes, Problem> {
        Ok(format.written(&Summary::of(&self.state.queries.sites().await?)))
    }
}

/// Every site, and all of them together.
#[derive(Serialize, ToSchema)]
pub(crate) struct Summary {
    /// Null when the answer is exact to the last record. Otherwise each site is as it was last stored, whole up to its own
    /// `last_seen`, and this is the earliest of those: every reading up to this instant is in the answer.
    #[schema(required)]
    as_of: Option<Utc>,
    /// How many sites have sent a reading.
    site_count: usize,
    /// All sites together.
    totals: TotalsBody,
    /// The id of every site, ascending.
    site_ids: Vec<String>,
    /// The sites, in the same order.
    sites: Vec<SiteSummary>,
}

/// One site.
#[derive(Serialize, ToSchema)]
pub(crate) struct SiteSummary {
    /// Its id.
    #[schema(example = "site-alpha-pv-farm-01")]
    site_id: String,
    #[serde(flatten)]
    totals: TotalsBody,
}

/// Sums over distinct readings, each in its latest version.
#[derive(Serialize, ToSchema)]
#[schema(as = Totals)]
pub(crate) struct TotalsBody {
    /// Distinct readings: one a site and instant.
    records: u64,
    /// Readings with at least one finding.
    anomalies: u64,
    /// Readings with a finding of each rule. A reading can break several.
    anomalies_by_rule: BTreeMap<&'static str, u64>,
    /// The generated energy.
    energy_generated_kwh: Kwh,
    /// The consumed energy.
    energy_consumed_kwh: Kwh,
    /// Generated minus consumed.
    net_energy_kwh: Kwh,
    /// Net divided by generated: the share of the generation that was left over; negative when more was consumed than
    /// generated. Null when nothing was generated.
    #[schema(example = 0.28, required)]
    efficiency: Option<f64>,
    /// The instant of the earliest reading; null when there is none.
    #[schema(required)]
    first_seen: Option<Utc>,
    /// The instant of the newest reading; null when there is none.
    #[schema(required)]
    last_seen: Option<Utc>,
    /// Records that repeated a stored reading.
    duplicates: u64,
    /// Readings that came after a later one.
    late: u64,
    /// Readings that a later record gave other values.
    revisions: u64,
}

impl TotalsBody {
    /// Its columns, in the order of [`TotalsBody::cells`].
    pub(crate) const COLUMNS: [&'static str; 15] = [
        "records",
        "anomalies",
        "anomalies_by_rule.negative_energy",
        "anomalies_by_rule.high_limit",
        "anomalies_by_rule.repeated_value",
        "anomalies_by_rule.missing_interval",
        "energy_generated_kwh",
        "energy_consumed_kwh",
        "net_energy_kwh",
        "efficiency",
        "first_seen",
        "last_seen",
        "duplicates",
        "late",
        "revisions",
    ];

    /// Its cells.
    pub(crate) fn cells(&self) -> Vec<Cell> {
        let counts = [self.records, self.anomalies].map(Cell::plain);
        let by_rule = Rule::ALL.map(|rule| Cell::optional(self.anomalies_by_rule.get(rule.name())));
        let energies =
            [self.energy_generated_kwh, self.energy_consumed_kwh, self.net_energy_kwh].map(Cell::plain);
        let seen = [self.first_seen, self.last_seen].map(Cell::optional);
        let repeats = [self.duplicates, self.late, self.revisions].map(Cell::plain);
        let efficiency = [Cell::optional(self.efficiency)];
        counts
            .into_iter()
            .chain(by_rule)
            .chain(energies)
            .chain(efficiency)
            .chain(seen)
            .chain(repeats)
            .collect()
    }
}

impl JsonRow for SiteSummary {}

impl CsvRow for SiteSummary {
    const COLUMNS: &'static [&'static str] = &site_columns::<16>(&[]);

    fn cells(&self) -> Vec<Cell> {
        let mut cells = vec![Cell::text(&self.site_id)];
        cells.extend(self.totals.cells());
        cells
    }
}

/// `site_id`, the columns of totals, and more.
pub(crate) const fn site_columns<const N: usize>(more: &[&'static str]) -> [&'static str; N] {
    let mut columns = ["site_id"; N];
    let mut index = 1;
    while index < N {
        columns[index] = if index <= TotalsBody::COLUMNS.len() {
            TotalsBody::COLUMNS[index - 1]
        } else {
            more[index - 1 - TotalsBody::COLUMNS.len()]
        };
        index += 1;
    }
    columns
}

impl Listing for Summary {
    type Row = SiteSummary;

    fn rows(&self) -> &[SiteSummary] {
        &self.sites
    }
}

/// Totals of every site and of all sites together
///
/// Exact to the last record that was processed, unless `as_of` says otherwise. As CSV or NDJSON, the sites alone.
#[utoipa::path(
    get,
    path = "/summary",
    tag = "sites",
    params(SummaryParameters),
    responses((status = 200, description = "Every site", content((Summary = "application/json"), (String = "application/x-ndjson"), (String = "text/csv"))), Problem)
)]
pub(crate) async fn summary<Q: Queries, P>(
    State(desk): State<Arc<Desk<Q, P>>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let format = Format::of(&Parameters::of(&uri, PARAMETERS)?, &headers)?;
    Ok(format.answer_written(HeaderMap::new(), desk.written(format).await?))
}

impl Summary {
    fn of(sites: &Sites) -> Self {
        let Sites { states, is_exact } = sites;
        let mut fleet = Fleet::default();
        for site in states {
            fleet.add(site);
        }
        Self {
            as_of: if *is_exact { None } else { whole_until(states).map(Utc) },
            site_count: states.len(),
            totals: TotalsBody::of(&fleet.totals, fleet.duplicates),
            site_ids: states.iter().map(|site| site.site_id.to_string()).collect(),
            sites: states.iter().map(SiteSummary::of).collect(),
        }
    }
}

/// The instant up to which all of these are whole. A site that has fallen silent holds it back: of a snapshot alone nobody knows
/// whether rows have come after it.
fn whole_until(states: &[SiteState]) -> Option<Timestamp> {
    states.iter().filter_map(|state| state.totals.last_seen).min()
}

impl SiteSummary {
    fn of(site: &SiteState) -> Self {
        Self { site_id: site.site_id.to_string(), totals: TotalsBody::of(&site.totals, site.duplicates) }
    }
}

impl TotalsBody {
    pub(crate) fn of(totals: &Totals, duplicates: u64) -> Self {
        Self {
            records: totals.records,
            anomalies: totals.anomalies,
            anomalies_by_rule: by_rule(&totals.anomalies_by_rule),
            energy_generated_kwh: totals.generated.into(),
            energy_consumed_kwh: totals.consumed.into(),
            net_energy_kwh: totals.net().into(),
            efficiency: efficiency(totals),
            first_seen: totals.first_seen.map(Utc),
            last_seen: totals.last_seen.map(Utc),
            duplicates,
            late: totals.late,
            revisions: totals.revisions,
        }
    }
}

/// Net divided by generated. It is a ratio for people, and so the one double of an answer.
fn efficiency(totals: &Totals) -> Option<f64> {
    (totals.generated > EnergySum::ZERO).then(|| totals.net().to_kwh_f64() / totals.generated.to_kwh_f64())
}

/// All sites together.
#[derive(Default)]
struct Fleet {
    totals: Totals,
    duplicates: u64,
}

impl Fleet {
    fn add(&mut self, site: &SiteState) {
        let (sum, totals) = (&mut self.totals, &site.totals);
        sum.records += totals.records;
        sum.generated += totals.generated;
        sum.consumed += totals.consumed;
        sum.anomalies += totals.anomalies;
        for rule in Rule::ALL {
            sum.anomalies_by_rule[rule.index()] += totals.anomalies_by_rule[rule.index()];
        }
        sum.late += totals.late;
        sum.revisions += totals.revisions;
        sum.first_seen = either(sum.first_seen, totals.first_seen, Timestamp::min);
        sum.last_seen = either(sum.last_seen, totals.last_seen, Timestamp::max);
        self.duplicates += site.duplicates;
    }
}

fn either(
    one: Option<Timestamp>,
    other: Option<Timestamp>,
    choose: fn(Timestamp, Timestamp) -> Timestamp,
) -> Option<Timestamp> {
    match (one, other) {
        (Some(one), Some(other)) => Some(choose(one, other)),
        (one, other) => one.or(other),
    }
}
