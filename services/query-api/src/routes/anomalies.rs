//! `GET /anomalies`: the anomalous readings of all sites, the newest first. What must always hold: following `next` from the first
//! page gives every one that is asked for once; a request looks at no more than [`EXAMINED_MAX`] of them, however few fit.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use axum::routing::get;
use serde::Serialize;
use utoipa::ToSchema;
use wattstream_domain::{Row, Rule, Severity, SiteId};
use wattstream_engine::ports::{AnomalyQuery, FleetQueries, Page, ReadingPlace};

use crate::cursor::{self, RangePlace};
use crate::format::{self, Format, Listing};
use crate::json::{self, Utc};
use crate::parameters::{Form, LIMIT, Limit, Parameter, Parameters, documented};
use crate::problem::Problem;
use crate::state::AppState;
use crate::time_range::{END, END_DATE, START, START_DATE, TimeRange};

use super::records::RecordBody;
use super::sites::{SITE_ID, site_named};

const ANOMALIES: Limit = Limit { default: 100, max: 1_000 };

/// The most anomalies that are looked at for one page. A page that finds fewer than its limit among them ends there, and says
/// where the next one begins.
const EXAMINED_MAX: usize = 10_000;

/// Anomalies that are read at once.
const READ_AT_ONCE: usize = 1_000;

pub(super) const ANY: &str = "any";

pub(super) const SITE: Parameter =
    Parameter { name: "site_id", description: "Only those of this site.", form: Form::Pattern(SITE_ID) };
pub(super) const RULE: Parameter =
    Parameter { name: "rule", description: "Only those that break this rule.", form: Form::Choice(RULES) };
const RULES: &[&str] = &[
    ANY,
    Rule::NegativeEnergy.name(),
    Rule::HighLimit.name(),
    Rule::RepeatedValue.name(),
    Rule::MissingInterval.name(),
];
pub(super) const SEVERITY: Parameter = Parameter {
    name: "severity",
    description: "Only those of this severity: `error` is in need of a substitute, `warning` is usable and worth a look.",
    form: Form::Choice(SEVERITIES),
};
const SEVERITIES: &[&str] = &[ANY, Severity::Error.name(), Severity::Warning.name()];

const PARAMETERS: &[Parameter] = &[
    START,
    END,
    START_DATE,
    END_DATE,
    SITE,
    RULE,
    SEVERITY,
    Parameter { name: LIMIT, description: "The most readings on the page.", form: Form::Limit(&ANOMALIES) },
    cursor::PARAMETER,
    format::PARAMETER,
];
documented!(AnomalyParameters, PARAMETERS);

pub(crate) fn routes<Q: FleetQueries, P: Send + Sync + 'static>(state: &Arc<AppState<Q, P>>) -> Router {
    Router::new().route("/anomalies", get(anomalies::<Q, P>)).with_state(Arc::clone(state))
}

/// Part of the anomalous readings of all sites.
#[derive(Serialize, ToSchema)]
pub(crate) struct AnomalyPage {
    /// The first instant asked for.
    start: Utc,
    /// The first instant not asked for.
    end: Utc,
    /// The readings, the newest first; those of one instant descending by site.
    #[serde(serialize_with = "json::rows")]
    anomalies: Vec<RecordBody>,
    /// The cursor of the next page; null when this is the last.
    #[schema(required)]
    next: Option<String>,
}

impl Listing for AnomalyPage {
    type Row = RecordBody;

    fn rows(&self) -> &[RecordBody] {
        &self.anomalies
    }
}

/// Which findings are asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Filter {
    rule: Option<Rule>,
    severity: Option<&'static str>,
}

impl Filter {
    pub(super) fn of(parameters: &Parameters) -> Result<Self, Problem> {
        let severity = parameters.choice(SEVERITY.name, SEVERITIES)?;
        Ok(Self {
            rule: Rule::from_name(parameters.choice(RULE.name, RULES)?),
            severity: Some(severity).filter(|severity| *severity != ANY),
        })
    }

    /// Whether a remark of a rule, or of none, is asked for.
    pub(super) fn takes(&self, rule: Option<Rule>, severity: Severity) -> bool {
        self.rule.is_none_or(|asked| rule == Some(asked))
            && self.severity.is_none_or(|asked| asked == severity.name())
    }

    fn takes_row(&self, row: &Row) -> bool {
        row.version.findings.iter().any(|finding| self.takes(Some(finding.rule), finding.rule.severity()))
    }
}

/// The anomalous readings of all sites
///
/// Those with `start <= timestamp < end`, the newest first. A page may have fewer readings than its limit, or none, and still have
/// a next one: of many anomalies that the filter leaves out, 10000 are looked at for a page.
#[utoipa::path(
    get,
    path = "/anomalies",
    tag = "sites",
    params(AnomalyParameters),
    responses(
        (status = 200, description = "A page of anomalous readings", content((AnomalyPage = "application/json"), (String = "application/x-ndjson"), (String = "text/csv")),
            headers(("link" = String, description = "The address of the next page, `rel=\"next\"`"))),
        Problem
    )
)]
pub(crate) async fn anomalies<Q: FleetQueries, P>(
    State(state): State<Arc<AppState<Q, P>>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let parameters = Parameters::of(&uri, PARAMETERS)?;
    let format = Format::of(&parameters, &headers)?;
    let (limit, filter) = (parameters.limit(&ANOMALIES)?, Filter::of(&parameters)?);
    let question = question(&uri, &parameters);
    let (range, place) = cursor::range_page(&parameters, &question, (state.clock)())?;
    let query = AnomalyQuery {
        site_id: site_asked_for(&*state.queries, &parameters).await?,
        start: range.start,
        end: range.end,
        from: place.map(reading_at).transpose()?,
        limit: READ_AT_ONCE,
    };
    let page = examine(&*state.queries, query, &filter, limit).await?;
    let next = page.next_start.map(|from| place_of(range, from).seal(&question));
    let headers = cursor::links(&uri, next.as_deref());
    let anomalies = page.entries.iter().map(RecordBody::from).collect();
    let page = AnomalyPage { start: Utc(range.start), end: Utc(range.end), anomalies, next };
    Ok(format.answer(headers, &page))
}

/// What a cursor is bound to.
pub(super) fn question(uri: &Uri, parameters: &Parameters) -> String {
    let filter = [SITE, RULE, SEVERITY].map(|parameter| parameters.get(parameter.name).unwrap_or_default());
    format!("{}\n{}\n{}", uri.path(), TimeRange::as_written(parameters), filter.join("\n"))
}

/// The site that is asked for, when one is.
pub(super) async fn site_asked_for<Q: FleetQueries>(
    queries: &Q,
    parameters: &Parameters,
) -> Result<Option<SiteId>, Problem> {
    match parameters.get(SITE.name) {
        Some(name) => Ok(Some(site_named(queries, name).await?.site_id)),
        None => Ok(None),
    }
}

/// The first readings that the filter takes, and where to go on.
async fn examine<Q: FleetQueries>(
    queries: &Q,
    mut query: AnomalyQuery,
    filter: &Filter,
    limit: usize,
) -> Result<Page<Row, ReadingPlace>, Problem> {
    let mut found = Page::empty();
    for _ in 0..EXAMINED_MAX / READ_AT_ONCE {
        let page = queries.anomaly_page(query).await?;
        for row in page.entries.into_iter().filter(|row| filter.takes_row(row)) {
            if found.entries.len() == limit {
                found.next_start = Some(ReadingPlace::of(&row));
                return Ok(found);
            }
            found.entries.push(row);
        }
        found.next_start = page.next_start;
        if page.next_start.is_none() {
            break;
        }
        query.from = page.next_start;
    }
    Ok(found)
}

fn place_of(range: TimeRange, ReadingPlace { timestamp, site_id }: ReadingPlace) -> RangePlace {
    RangePlace { range, at: timestamp, entry: site_id.to_string() }
}

fn reading_at(RangePlace { at, entry, .. }: RangePlace) -> Result<ReadingPlace, Problem> {
    let site_id = SiteId::new(&entry).map_err(|_| Problem::internal())?;
    Ok(ReadingPlace { timestamp: at, site_id })
}
