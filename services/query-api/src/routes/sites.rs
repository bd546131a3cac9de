//! `GET /sites` and `GET /sites/{site_id}`: how each site is. What must always hold: following `next` from the first page
//! gives every site once, ascending by id; each is exact to its last row, however many there are.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use utoipa::ToSchema;
use wattstream_domain::{Episode, OpenSilence, SiteId, SiteState};
use wattstream_engine::ports::{FleetQueries, Queries, RowQuery, SITES_EXACT_MAX, SiteQuery};

use crate::cursor;
use crate::format::{self, Cell, CsvRow, Format, Listing};
use crate::json::{JsonRow, Multiple, Utc};
use crate::near::{nearest, suggestion};
use crate::parameters::{CURSOR, Form, LIMIT, Limit, Parameter, Parameters, documented};
use crate::problem::{Problem, ProblemType, quote};
use crate::state::AppState;

use super::records::RecordBody;
use super::summary::{TotalsBody, site_columns};

/// The number of sites on a page: at most as many as are brought up to their last row at once.
const SITES: Limit = Limit { default: 100, max: SITES_EXACT_MAX };

/// What the id of a site looks like.
pub(super) const SITE_ID: &str = "^[A-Za-z0-9_.:-]{1,64}$";

const SEARCH: Parameter = Parameter {
    name: "search",
    description: "Only sites whose id has this text in it, whatever the case of its letters.",
    form: Form::Text,
};
const PARAMETERS: &[Parameter] = &[
    SEARCH,
    Parameter { name: LIMIT, description: "The most sites on the page.", form: Form::Limit(&SITES) },
    cursor::PARAMETER,
    format::PARAMETER,
];
documented!(SiteParameters, PARAMETERS);

pub(crate) fn routes<Q: FleetQueries, P: Send + Sync + 'static>(state: &Arc<AppState<Q, P>>) -> Router {
    Router::new()
        .route("/sites", get(sites::<Q, P>))
        .route("/sites/{site_id}", get(site::<Q, P>))
        .with_state(Arc::clone(state))
}

/// Part of the sites.
#[derive(Serialize, ToSchema)]
pub(crate) struct SitePage {
    /// The sites, ascending by id.
    sites: Vec<SiteBody>,
    /// The cursor of the next page; null when this is the last.
    #[schema(required)]
    next: Option<String>,
}

/// One site, and its newest reading.
#[derive(Serialize, ToSchema)]
pub(crate) struct SiteDetail {
    #[serde(flatten)]
    site: SiteBody,
    /// The newest reading; null when it is not there.
    #[schema(required)]
    last_reading: Option<RecordBody>,
}

/// What is known of a site.
#[derive(Serialize, ToSchema)]
#[schema(as = Site)]
pub(crate) struct SiteBody {
    /// Its id.
    #[schema(example = "site-alpha-pv-farm-01")]
    site_id: String,
    #[serde(flatten)]
    totals: TotalsBody,
    /// The interval that its readings usually keep, in milliseconds; null while it is not known.
    #[schema(example = 900_000, required)]
    interval_ms: Option<i64>,
    /// Since when it counts as silent; null when it does not, or when nobody looks for silent sites.
    #[schema(required)]
    silent_since: Option<Utc>,
    /// The runs of anomalous readings that have not ended, at most one a rule.
    open_episodes: Vec<OpenEpisode>,
}

/// A run of readings of one site that break one rule, and that has not ended.
#[derive(Serialize, ToSchema)]
pub(crate) struct OpenEpisode {
    /// The rule.
    #[schema(example = "negative_energy")]
    rule: &'static str,
    /// `error` or `warning`.
    #[schema(example = "error")]
    severity: &'static str,
    /// Its first reading.
    opened_at: Utc,
    /// Its newest reading so far.
    last_at: Utc,
    /// How many readings belong to it so far.
    readings: u64,
    /// The strongest score among them.
    score: Multiple,
}

impl SiteBody {
    /// A site, and what is known of silences; those of other sites are passed over.
    fn of(site: &SiteState, silences: &[OpenSilence]) -> Self {
        let is_standing = |open: &&OpenSilence| open.site_id == site.site_id && !open.silence.is_over(site);
        Self {
            site_id: site.site_id.to_string(),
            totals: TotalsBody::of(&site.totals, site.duplicates),
            interval_ms: site.detector.cadence.interval_ms(),
            silent_since: silences.iter().find(is_standing).map(|open| Utc(open.silence.silent_at)),
            open_episodes: site.episodes.open.iter().map(OpenEpisode::from).collect(),
        }
    }
}

impl From<&Episode> for OpenEpisode {
    fn from(episode: &Episode) -> Self {
        Self {
            rule: episode.rule.name(),
            severity: episode.rule.severity().name(),
            opened_at: Utc(episode.opened_at),
            last_at: Utc(episode.last_at),
            readings: episode.readings,
            score: Multiple(episode.score),
        }
    }
}

impl JsonRow for SiteBody {}

impl CsvRow for SiteBody {
    const COLUMNS: &'static [&'static str] =
        &site_columns::<19>(&["interval_ms", "silent_since", "open_episodes"]);

    /// Open episodes are the names of their rules.
    fn cells(&self) -> Vec<Cell> {
        let rules: Vec<&str> = self.open_episodes.iter().map(|episode| episode.rule).collect();
        let mut cells = vec![Cell::text(&self.site_id)];
        cells.extend(self.totals.cells());
        cells.push(Cell::optional(self.interval_ms));
        cells.push(Cell::optional(self.silent_since));
        cells.push(Cell::text(rules.join(" ")));
        cells
    }
}

impl Listing for SitePage {
    type Row = SiteBody;

    fn rows(&self) -> &[SiteBody] {
        &self.sites
    }
}

/// The sites
///
/// Ascending by id, each exact to its last row.
#[utoipa::path(
    get,
    path = "/sites",
    tag = "sites",
    params(SiteParameters),
    responses(
        (status = 200, description = "A page of sites", content((SitePage = "application/json"), (String = "application/x-ndjson"), (String = "text/csv")),
            headers(("link" = String, description = "The address of the next page, `rel=\"next\"`"))),
        Problem
    )
)]
pub(crate) async fn sites<Q: FleetQueries, P>(
    State(state): State<Arc<AppState<Q, P>>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let parameters = Parameters::of(&uri, PARAMETERS)?;
    let format = Format::of(&parameters, &headers)?;
    let contains = parameters.get(SEARCH.name).unwrap_or_default().to_owned();
    let question = format!("{}\n{contains}", uri.path());
    let start = parameters.get(CURSOR).map(|cursor| cursor::open(&question, cursor)).transpose()?;
    let start = start.map(|id| SiteId::new(&id)).transpose().map_err(|_| Problem::internal())?;
    let query = SiteQuery { start, contains, limit: parameters.limit(&SITES)? };
    let page = state.queries.site_page(query).await?;
    let silences = match &page.entries[..] {
        [] => Vec::new(),
        [first, .., last] => state.queries.silences_of(first.site_id..=last.site_id).await?,
        [only] => state.queries.silences_of(only.site_id..=only.site_id).await?,
    };
    let next = page.next_start.map(|id| cursor::seal(&question, id.as_str()));
    let headers = cursor::links(&uri, next.as_deref());
    let sites = page.entries.iter().map(|site| SiteBody::of(site, &silences)).collect();
    Ok(format.answer(headers, &SitePage { sites, next }))
}

/// One site
#[utoipa::path(
    get,
    path = "/sites/{site_id}",
    tag = "sites",
    params(("site_id" = String, Path, description = "The site", example = "site-alpha-pv-farm-01")),
    responses((status = 200, description = "The site", body = SiteDetail), Problem)
)]
pub(crate) async fn site<Q: FleetQueries, P>(
    State(state): State<Arc<AppState<Q, P>>>,
    Path(site_id): Path<String>,
    uri: Uri,
) -> Result<Json<SiteDetail>, Problem> {
    Parameters::of(&uri, &[])?;
    let site = site_named(&*state.queries, &site_id).await?;
    let silences = state.queries.silences_of(site.site_id..=site.site_id).await?;
    let last_reading = last_reading(&*state.queries, &site).await?;
    Ok(Json(SiteDetail { site: SiteBody::of(&site, &silences), last_reading }))
}

async fn last_reading<Q: Queries>(queries: &Q, site: &SiteState) -> Result<Option<RecordBody>, Problem> {
    let Some(start) = site.totals.last_seen else { return Ok(None) };
    let end = start.saturating_add_ms(1);
    let query = RowQuery { site_id: site.site_id, start, end, anomalous_only: false, limit: 1 };
    Ok(queries.row_page(query).await?.entries.first().map(RecordBody::from))
}

/// The site that a path names.
pub(crate) async fn site_named<Q: Queries>(queries: &Q, name: &str) -> Result<SiteState, Problem> {
    match SiteId::new(name) {
        Ok(site_id) => known_site(queries, site_id).await,
        Err(_) => Err(unknown_site(queries, name).await),
    }
}

/// The state of a site, which must have sent something.
pub(crate) async fn known_site<Q: Queries>(queries: &Q, site_id: SiteId) -> Result<SiteState, Problem> {
    match queries.site(site_id).await? {
        Some(site) => Ok(site),
        None => Err(unknown_site(queries, site_id.as_str()).await),
    }
}

/// The problem of a site that has sent nothing, with the names of those that its name is like.
pub(crate) async fn unknown_site<Q: Queries>(queries: &Q, wanted: &str) -> Problem {
    let sites = match queries.sites().await {
        Ok(sites) => sites.states,
        Err(error) => return error.into(),
    };
    let near = nearest(wanted, sites.iter().map(|site| site.site_id.as_str()));
    let grammar = SiteId::new(wanted).err().map(|error| format!(" ({error})")).unwrap_or_default();
    let detail = format!(
        "No reading of a site {} has come in{grammar}.{} GET /sites lists every site.",
        quote(wanted),
        suggestion(&near)
    );
    Problem::new(ProblemType::UnknownSite, detail).about("site_id").near(near)
}
