//! `GET /episodes`: runs of anomalous readings and silences, the newest first. What must always hold: each is listed once, as it
//! ended or, while it has not, as it is now; following `next` gives every one that is asked for.
//!
//! They are told from the alerts. An end tells of its whole episode. A begin is listed when its episode is still open, which the
//! state of its site knows; otherwise its end is, or is about to be.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use axum::routing::get;
use serde::Serialize;
use utoipa::ToSchema;
use wattstream_domain::{Alert, Episode, OpenSilence, Phase, Silence, SiteId, SiteState, Subject, Timestamp};
use wattstream_engine::ports::{AlertPlace, AlertQuery, FleetQueries};

use crate::cursor::{self, RangePlace};
use crate::format::{self, Cell, CsvRow, Format, Listing};
use crate::json::{JsonRow, Multiple, Utc};
use crate::parameters::{Form, LIMIT, Limit, Parameter, Parameters, documented};
use crate::problem::Problem;
use crate::state::AppState;
use crate::time_range::{END, END_DATE, START, START_DATE, TimeRange};

use super::anomalies::{ANY, Filter, RULE, SEVERITY, SITE, question, site_asked_for};

/// Each open one on a page may cost a look at its site.
const EPISODES: Limit = Limit { default: 100, max: 200 };

/// The most alerts that are looked at for one page.
const EXAMINED_MAX: usize = 10_000;

/// Alerts that are read at once.
const READ_AT_ONCE: usize = 1_000;

const OPEN: &str = "open";
const CLOSED: &str = "closed";
const STATES: &[&str] = &[ANY, OPEN, CLOSED];

const PARAMETERS: &[Parameter] = &[
    START,
    END,
    START_DATE,
    END_DATE,
    SITE,
    RULE,
    SEVERITY,
    Parameter {
        name: "state",
        description: "Only those that are still open, or those that are over.",
        form: Form::Choice(STATES),
    },
    Parameter { name: LIMIT, description: "The most episodes on the page.", form: Form::Limit(&EPISODES) },
    cursor::PARAMETER,
    format::PARAMETER,
];
documented!(EpisodeParameters, PARAMETERS);

pub(crate) fn routes<Q: FleetQueries, P: Send + Sync + 'static>(state: &Arc<AppState<Q, P>>) -> Router {
    Router::new().route("/episodes", get(episodes::<Q, P>)).with_state(Arc::clone(state))
}

/// Part of the episodes.
#[derive(Serialize, ToSchema)]
pub(crate) struct EpisodePage {
    /// The first instant asked for.
    start: Utc,
    /// The first instant not asked for.
    end: Utc,
    /// The episodes; the one that ended last, or that began last and has not ended, comes first.
    episodes: Vec<EpisodeBody>,
    /// The cursor of the next page; null when this is the last.
    #[schema(required)]
    next: Option<String>,
}

/// A run of readings of one site that break one rule, or a silence of a site.
#[derive(Serialize, ToSchema)]
#[schema(as = Episode)]
pub(crate) struct EpisodeBody {
    /// `episode` or `silence`.
    #[schema(example = "episode")]
    kind: &'static str,
    /// The site.
    #[schema(example = "site-alpha-pv-farm-01")]
    site_id: String,
    /// The rule that the readings break; null for a silence.
    #[schema(example = "negative_energy", required)]
    rule: Option<&'static str>,
    /// `error` or `warning`.
    #[schema(example = "error")]
    severity: &'static str,
    /// Its first reading; of a silence, when the site began to count as silent.
    opened_at: Utc,
    /// The reading that ended it; of a silence, when the site was found to speak again. Null while it is open.
    #[schema(required)]
    closed_at: Option<Utc>,
    /// Its newest reading; of a silence, the last one before it.
    last_at: Utc,
    /// How many readings belong to it; null for a silence.
    #[schema(required)]
    readings: Option<u64>,
    /// The strongest score among them; null for a silence.
    #[schema(required)]
    score: Option<Multiple>,
}

impl EpisodeBody {
    fn of_episode(site_id: SiteId, episode: &Episode, closed_at: Option<Timestamp>) -> Self {
        Self {
            kind: "episode",
            site_id: site_id.to_string(),
            rule: Some(episode.rule.name()),
            severity: episode.rule.severity().name(),
            opened_at: Utc(episode.opened_at),
            closed_at: closed_at.map(Utc),
            last_at: Utc(episode.last_at),
            readings: Some(episode.readings),
            score: Some(Multiple(episode.score)),
        }
    }

    fn of_silence(site_id: SiteId, silence: &Silence, closed_at: Option<Timestamp>) -> Self {
        Self {
            kind: "silence",
            site_id: site_id.to_string(),
            rule: None,
            severity: Subject::Silence(*silence).severity().name(),
            opened_at: Utc(silence.silent_at),
            closed_at: closed_at.map(Utc),
            last_at: Utc(silence.last_seen),
            readings: None,
            score: None,
        }
    }
}

impl JsonRow for EpisodeBody {}

impl CsvRow for EpisodeBody {
    const COLUMNS: &'static [&'static str] =
        &["kind", "site_id", "rule", "severity", "opened_at", "closed_at", "last_at", "readings", "score"];

    fn cells(&self) -> Vec<Cell> {
        vec![
            Cell::text(self.kind),
            Cell::text(&self.site_id),
            Cell::optional(self.rule),
            Cell::text(self.severity),
            Cell::plain(self.opened_at),
            Cell::optional(self.closed_at),
            Cell::plain(self.last_at),
            Cell::optional(self.readings),
            Cell::optional(self.score),
        ]
    }
}

impl Listing for EpisodePage {
    type Row = EpisodeBody;

    fn rows(&self) -> &[EpisodeBody] {
        &self.episodes
    }
}

/// The episodes of all sites
///
/// Runs of anomalous readings and silences. `start` and `end` ask for when they ended, or began while they are open. A page may
/// have fewer than its limit, or none, and still have a next one: 10000 alerts are looked at for a page.
#[utoipa::path(
    get,
    path = "/episodes",
    tag = "sites",
    params(EpisodeParameters),
    responses(
        (status = 200, description = "A page of episodes", content((EpisodePage = "application/json"), (String = "application/x-ndjson"), (String = "text/csv")),
            headers(("link" = String, description = "The address of the next page, `rel=\"next\"`"))),
        Problem
    )
)]
pub(crate) async fn episodes<Q: FleetQueries, P>(
    State(state): State<Arc<AppState<Q, P>>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let parameters = Parameters::of(&uri, PARAMETERS)?;
    let format = Format::of(&parameters, &headers)?;
    let limit = parameters.limit(&EPISODES)?;
    let wanted = parameters.choice("state", STATES)?;
    let question = format!("{}\n{wanted}", question(&uri, &parameters));
    let (range, place) = cursor::range_page(&parameters, &question, (state.clock)())?;
    let TimeRange { start, end } = range;
    let from = place.map(|RangePlace { at, entry, .. }| AlertPlace { at, id: entry });
    let query = AlertQuery { start, end, from, limit: READ_AT_ONCE };
    let mut search = Search {
        queries: &*state.queries,
        filter: Filter::of(&parameters)?,
        site_id: site_asked_for(&*state.queries, &parameters).await?,
        wanted,
        sites: HashMap::new(),
    };
    let (episodes, from) = search.run(query, limit).await?;
    let next = from.map(|AlertPlace { at, id }| RangePlace { range, at, entry: id }.seal(&question));
    let headers = cursor::links(&uri, next.as_deref());
    Ok(format.answer(headers, &EpisodePage { start: Utc(start), end: Utc(end), episodes, next }))
}

/// The sites that are looked at at one time.
const SITES_AT_ONCE_MAX: usize = 16;

/// What is asked for, and what was found out about sites on the way.
struct Search<'a, Q> {
    queries: &'a Q,
    filter: Filter,
    site_id: Option<SiteId>,
    wanted: &'static str,
    sites: HashMap<SiteId, (Option<SiteState>, Vec<OpenSilence>)>,
}

impl<Q: FleetQueries> Search<'_, Q> {
    /// The first episodes that are asked for, and where to go on.
    async fn run(
        &mut self,
        mut query: AlertQuery,
        limit: usize,
    ) -> Result<(Vec<EpisodeBody>, Option<AlertPlace>), Problem> {
        let mut found = Vec::new();
        for _ in 0..EXAMINED_MAX / READ_AT_ONCE {
            let page = self.queries.alert_page(query.clone()).await?;
            let asked: Vec<&Alert> = page.entries.iter().filter(|alert| self.asks_for(alert)).collect();
            let mut rest = asked.as_slice();
            while let Some(first) = rest.first() {
                // Whether an alert makes an episode may cost a look at its site: not for one that has no room.
                let room = limit - found.len();
                if room == 0 {
                    return Ok((found, Some(AlertPlace::of(first))));
                }
                let some;
                (some, rest) = rest.split_at(rest.len().min(room).min(SITES_AT_ONCE_MAX));
                self.look_at_sites_of(some).await?;
                found.extend(some.iter().filter_map(|alert| self.episode_of(alert)));
            }
            let Some(next) = page.next_start else { return Ok((found, None)) };
            query.from = Some(next);
        }
        Ok((found, query.from))
    }

    fn asks_for(&self, alert: &Alert) -> bool {
        let rule = match &alert.subject {
            Subject::Episode(episode) => Some(episode.rule),
            Subject::Silence(_) => None,
        };
        let is_of_state = match alert.phase {
            Phase::Opened => self.wanted != CLOSED,
            Phase::Closed => self.wanted != OPEN,
        };
        is_of_state
            && self.site_id.is_none_or(|site_id| site_id == alert.site_id)
            && self.filter.takes(rule, alert.subject.severity())
    }

    /// What an alert tells of: an end of its whole episode, a begin of one that is open.
    fn episode_of(&self, alert: &Alert) -> Option<EpisodeBody> {
        let site_id = alert.site_id;
        match (alert.phase, &alert.subject) {
            (Phase::Closed, Subject::Episode(episode)) => {
                Some(EpisodeBody::of_episode(site_id, episode, Some(alert.at)))
            }
            (Phase::Closed, Subject::Silence(silence)) => {
                Some(EpisodeBody::of_silence(site_id, silence, Some(alert.at)))
            }
            (Phase::Opened, Subject::Episode(begun)) => {
                let (state, _) = self.sites.get(&site_id)?;
                let mut open = state.iter().flat_map(|state| &state.episodes.open);
                let open = open.find(|open| open.number == begun.number);
                open.map(|open| EpisodeBody::of_episode(site_id, open, None))
            }
            (Phase::Opened, Subject::Silence(silence)) => {
                let (state, silences) = self.sites.get(&site_id)?;
                let is_open = silences.iter().any(|open| {
                    let is_over = state.as_ref().is_some_and(|state| open.silence.is_over(state));
                    open.silence.last_seen == silence.last_seen && !is_over
                });
                is_open.then(|| EpisodeBody::of_silence(site_id, silence, None))
            }
        }
    }

    /// Finds out how the sites are of alerts that begin something, unless it is known already.
    async fn look_at_sites_of(&mut self, alerts: &[&Alert]) -> Result<(), Problem> {
        let begun = alerts.iter().filter(|alert| alert.phase == Phase::Opened).map(|alert| alert.site_id);
        let unknown: BTreeSet<SiteId> = begun.filter(|site_id| !self.sites.contains_key(site_id)).collect();
        let queries = self.queries;
        let looks = unknown.into_iter().map(|site_id| async move {
            let (silences, state) =
                tokio::try_join!(queries.silences_of(site_id..=site_id), queries.site(site_id))?;
            Ok::<_, Problem>((site_id, (state, silences)))
        });
        self.sites.extend(futures::future::try_join_all(looks).await?);
        Ok(())
    }
}
