//! `GET /summary`: everything that is known of every site, in one answer. What must always hold: the totals are the sums
//! of the sites in the same answer, in integers.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::Uri;
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use utoipa::ToSchema;
use wattstream_domain::{EnergySum, Rule, SiteState, Timestamp, Totals};
use wattstream_engine::ports::{Queries, SITES_EXACT_MAX, Sites};

use crate::json::{Kwh, Utc, by_rule};
use crate::parameters::Parameters;
use crate::problem::Problem;
use crate::state::AppState;

/// The most sites of a summary that is folded up to the last record. Over more of them, a store that keeps snapshots
/// answers from the snapshots alone, and the answer says `as_of`.
pub const SUMMARY_SITES_EXACT_MAX: usize = SITES_EXACT_MAX;

pub(crate) fn routes<Q: Queries, P: Send + Sync + 'static>(state: &Arc<AppState<Q, P>>) -> Router {
    Router::new().route("/summary", get(summary::<Q, P>)).with_state(Arc::clone(state))
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

/// Totals of every site and of all sites together
///
/// Exact to the last record that was processed, unless `as_of` says otherwise.
#[utoipa::path(
    get,
    path = "/summary",
    tag = "sites",
    responses((status = 200, description = "Every site", body = Summary), Problem)
)]
pub(crate) async fn summary<Q: Queries, P>(
    State(state): State<Arc<AppState<Q, P>>>,
    uri: Uri,
) -> Result<Json<Summary>, Problem> {
    Parameters::of(&uri, &[])?;
    Ok(Json(Summary::of(&state.queries.sites().await?)))
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
