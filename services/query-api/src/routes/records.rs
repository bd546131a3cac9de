//! `GET /records/{site_id}` and `GET /anomalies/{site_id}`: the readings of a site, page by page. What must always hold:
//! following `next` from the first page gives every reading of the range once, in ascending order; a page is bounded,
//! whatever the range.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use axum::routing::get;
use serde::Serialize;
use utoipa::ToSchema;
use wattstream_domain::{Row, SiteId};
use wattstream_engine::ports::{Queries, RowQuery};

use crate::cursor::{self, RangePlace};
use crate::format::{self, Cell, CsvRow, Format, Listing};
use crate::json::{self, FindingBody, JsonRow, Kwh, Site, Utc, object};
use crate::parameters::{Form, LIMIT, Limit, Parameter, Parameters, documented};
use crate::problem::Problem;
use crate::state::AppState;
use crate::time_range::{END, END_DATE, START, START_DATE, TimeRange};

use super::sites::{known_site, unknown_site};

/// The number of readings on a page.
/// The most are a year of hours, or some 5 MB of JSON.
pub(crate) const RECORDS: Limit = Limit { default: 100, max: 10_000 };

const PARAMETERS: &[Parameter] = &[
    START,
    END,
    START_DATE,
    END_DATE,
    Parameter { name: LIMIT, description: "The most readings on the page.", form: Form::Limit(&RECORDS) },
    cursor::PARAMETER,
    format::PARAMETER,
];
documented!(RecordParameters, PARAMETERS);

pub(crate) fn routes<Q: Queries, P: Send + Sync + 'static>(state: &Arc<AppState<Q, P>>) -> Router {
    Router::new()
        .route("/records/{site_id}", get(records::<Q, P>))
        .route("/anomalies/{site_id}", get(anomalies::<Q, P>))
        .with_state(Arc::clone(state))
}

/// Part of a site's readings.
#[derive(Serialize, ToSchema)]
pub(crate) struct RecordPage {
    /// The site.
    #[schema(example = "site-alpha-pv-farm-01")]
    site_id: String,
    /// The first instant asked for.
    start: Utc,
    /// The first instant not asked for.
    end: Utc,
    /// The readings, ascending by timestamp.
    #[serde(serialize_with = "json::rows")]
    records: Vec<RecordBody>,
    /// The cursor of the next page; null when this is the last.
    #[schema(required)]
    next: Option<String>,
    /// The site's earliest reading, when the page is empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    first_seen: Option<Utc>,
    /// The site's newest reading, when the page is empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_seen: Option<Utc>,
}

/// A reading in its latest version.
#[derive(Serialize, ToSchema)]
#[schema(as = Record)]
pub(crate) struct RecordBody {
    /// Its site.
    #[schema(value_type = String, example = "site-alpha-pv-farm-01")]
    site_id: Site,
    /// The start of its metering interval.
    timestamp: Utc,
    /// The generated energy.
    energy_generated_kwh: Kwh,
    /// The consumed energy.
    energy_consumed_kwh: Kwh,
    /// Generated minus consumed.
    net_energy_kwh: Kwh,
    /// Whether detection has findings.
    anomaly: bool,
    /// What detection found.
    findings: Vec<FindingBody>,
    /// How many times a later record gave it other values.
    revision: u32,
}

impl From<&Row> for RecordBody {
    fn from(row: &Row) -> Self {
        let measure = &row.version.measure;
        Self {
            site_id: Site(row.site_id),
            timestamp: Utc(row.timestamp),
            energy_generated_kwh: measure.generated.into(),
            energy_consumed_kwh: measure.consumed.into(),
            net_energy_kwh: measure.net().into(),
            anomaly: row.version.is_anomalous(),
            findings: row.version.findings.iter().map(FindingBody::from).collect(),
            revision: row.version.revision,
        }
    }
}

impl JsonRow for RecordBody {
    fn write_json(&self, out: &mut Vec<u8>) {
        object!(
            out,
            "site_id": self.site_id,
            "timestamp": self.timestamp,
            "energy_generated_kwh": self.energy_generated_kwh,
            "energy_consumed_kwh": self.energy_consumed_kwh,
            "net_energy_kwh": self.net_energy_kwh,
            "anomaly": self.anomaly,
            "findings": self.findings,
            "revision": u64::from(self.revision),
        );
    }
}

impl CsvRow for RecordBody {
    const COLUMNS: &'static [&'static str] = &[
        "site_id",
        "timestamp",
        "energy_generated_kwh",
        "energy_consumed_kwh",
        "net_energy_kwh",
        "anomaly",
        "findings",
        "revision",
    ];

    /// Findings are the names of their rules.
    fn cells(&self) -> Vec<Cell> {
        let rules: Vec<&str> = self.findings.iter().map(FindingBody::rule).collect();
        vec![
            Cell::text(self.site_id.0),
            Cell::plain(self.timestamp),
            Cell::plain(self.energy_generated_kwh),
            Cell::plain(self.energy_consumed_kwh),
            Cell::plain(self.net_energy_kwh),
            Cell::plain(self.anomaly),
            Cell::text(rules.join(" ")),
            Cell::plain(self.revision),
        ]
    }
}

impl Listing for RecordPage {
    type Row = RecordBody;

    fn rows(&self) -> &[RecordBody] {
        &self.records
    }
}

/// The readings of a site
///
/// Those with `start <= timestamp < end`, ascending. A site that has nothing in the range answers with an empty list and
/// says when its readings begin and end.
#[utoipa::path(
    get,
    path = "/records/{site_id}",
    tag = "sites",
    params(("site_id" = String, Path, description = "The site", example = "site-alpha-pv-farm-01"), RecordParameters),
    responses(
        (status = 200, description = "A page of readings", content((RecordPage = "application/json"), (String = "application/x-ndjson"), (String = "text/csv")),
            headers(("link" = String, description = "The address of the next page, `rel=\"next\"`"))),
        Problem
    )
)]
pub(crate) async fn records<Q: Queries, P>(
    State(state): State<Arc<AppState<Q, P>>>,
    Path(site_id): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    page_of(&state, &site_id, (&uri, &headers), Selection::Everything).await
}

/// The anomalous readings of a site
///
/// Those readings of `/records/{site_id}` that detection has findings about, with the same parameters.
#[utoipa::path(
    get,
    path = "/anomalies/{site_id}",
    tag = "sites",
    params(("site_id" = String, Path, description = "The site", example = "site-alpha-pv-farm-01"), RecordParameters),
    responses(
        (status = 200, description = "A page of anomalous readings", content((RecordPage = "application/json"), (String = "application/x-ndjson"), (String = "text/csv")),
            headers(("link" = String, description = "The address of the next page, `rel=\"next\"`"))),
        Problem
    )
)]
pub(crate) async fn anomalies<Q: Queries, P>(
    State(state): State<Arc<AppState<Q, P>>>,
    Path(site_id): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    page_of(&state, &site_id, (&uri, &headers), Selection::Anomalies).await
}

/// Which readings are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Selection {
    Everything,
    Anomalies,
}

async fn page_of<Q: Queries, P>(
    state: &AppState<Q, P>,
    site: &str,
    (uri, asked): (&Uri, &HeaderMap),
    selection: Selection,
) -> Result<Response, Problem> {
    let parameters = Parameters::of(uri, PARAMETERS)?;
    let format = Format::of(&parameters, asked)?;
    let limit = parameters.limit(&RECORDS)?;
    let question = format!("{}\n{}", uri.path(), TimeRange::as_written(&parameters));
    let (range, place) = cursor::range_page(&parameters, &question, (state.clock)())?;
    let Ok(site_id) = SiteId::new(site) else {
        return Err(unknown_site(&*state.queries, site).await);
    };
    let query = RowQuery {
        site_id,
        start: place.map_or(range.start, |place| place.at),
        end: range.end,
        anomalous_only: selection == Selection::Anomalies,
        limit,
    };
    let page = state.queries.row_page(query).await?;
    let known =
        if page.entries.is_empty() { Some(known_site(&*state.queries, site_id).await?) } else { None };
    let place_at = |at| RangePlace { range, at, entry: String::new() };
    let next = page.next_start.map(|at| place_at(at).seal(&question));
    let headers = cursor::links(uri, next.as_deref());
    let body = RecordPage {
        site_id: site_id.to_string(),
        start: Utc(range.start),
        end: Utc(range.end),
        records: page.entries.iter().map(RecordBody::from).collect(),
        next,
        first_seen: known.as_ref().and_then(|site| site.totals.first_seen).map(Utc),
        last_seen: known.as_ref().and_then(|site| site.totals.last_seen).map(Utc),
    };
    Ok(format.answer(headers, &body))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use wattstream_domain::{
        Channel, Energy, Finding, Measure, Position, Rule, Score, SequenceNumber, ShardId, Timestamp, Version,
    };

    proptest! {
        #[test]
        fn a_record_is_written_as_serde_writes_it(
            generated in -1_000_000_000_000..1_000_000_000_000_i64,
            consumed in -1_000_000..1_000_000_i64,
            unix_ms in 0..4_102_444_800_000_i64,
            findings in 0..3_usize,
            revision: u32,
        ) {
            let energy = |milliwatt_hours| Energy::from_milliwatt_hours(milliwatt_hours).unwrap();
            let finding = Finding {
                rule: Rule::HighLimit,
                channel: Some(Channel::Generated),
                score: Score(1_250),
                expected: Some(energy(consumed)),
            };
            let row = Row {
                site_id: "site-alpha_1.a:b".parse().unwrap(),
                timestamp: Timestamp::from_unix_ms(unix_ms).unwrap(),
                version: Version {
                    measure: Measure { generated: energy(generated), consumed: energy(consumed) },
                    position: Position {
                        shard: ShardId(0),
                        sequence: "1".parse::<SequenceNumber>().unwrap(),
                        sub_sequence: 0,
                    },
                    revision,
                    findings: vec![finding; findings],
                },
                before: None,
            };
            let (record, mut written) = (RecordBody::from(&row), Vec::new());
            record.write_json(&mut written);
            prop_assert_eq!(String::from_utf8(written).unwrap(), serde_json::to_string(&record).unwrap());
        }
    }
}
