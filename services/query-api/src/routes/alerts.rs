//! `GET /alerts`: what people were told, the newest first.

use std::sync::Arc;

use axum::extract::State;
use axum::http::Uri;
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use utoipa::ToSchema;
use wattstream_domain::{Alert, Episode, Silence, Subject};
use wattstream_engine::ports::Queries;

use crate::json::{Multiple, Utc};
use crate::parameters::{Form, LIMIT, Limit, Parameter, Parameters, documented};
use crate::problem::Problem;
use crate::state::AppState;

const ALERTS: Limit = Limit { default: 100, max: 1_000 };

const PARAMETERS: &[Parameter] =
    &[Parameter { name: LIMIT, description: "The most alerts to list.", form: Form::Limit(&ALERTS) }];
documented!(AlertParameters, PARAMETERS);

pub(crate) fn routes<Q: Queries, P: Send + Sync + 'static>(state: &Arc<AppState<Q, P>>) -> Router {
    Router::new().route("/alerts", get(alerts::<Q, P>)).with_state(Arc::clone(state))
}

/// The newest alerts.
#[derive(Serialize, ToSchema)]
pub(crate) struct AlertList {
    /// The newest first.
    alerts: Vec<AlertBody>,
}

/// One end of an episode or of a silence; `kind` says of which.
#[derive(Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schema(as = Alert)]
pub(crate) enum AlertBody {
    /// A run of readings of one site that break one rule.
    Episode(EpisodeAlert),
    /// A site that sends nothing.
    Silence(SilenceAlert),
}

/// One end of an episode: a run of readings of one site that break one rule.
#[derive(Serialize, ToSchema)]
pub(crate) struct EpisodeAlert {
    /// The same for every delivery of the alert.
    #[schema(example = "site-alpha-pv-farm-01/7/negative_energy/opened")]
    alert_id: String,
    /// The site.
    #[schema(example = "site-alpha-pv-farm-01")]
    site_id: String,
    /// `opened` or `closed`.
    #[schema(example = "opened")]
    phase: &'static str,
    /// The rule that the readings break.
    #[schema(example = "negative_energy")]
    rule: &'static str,
    /// `error` or `warning`.
    #[schema(example = "error")]
    severity: &'static str,
    /// The reading that raised the alert.
    at: Utc,
    /// The episode's first reading.
    opened_at: Utc,
    /// The episode's newest reading so far.
    last_at: Utc,
    /// How many readings belonged to the episode when the alert was raised.
    readings: u64,
    /// The strongest score among them.
    score: Multiple,
}

/// One end of a silence: a site sends nothing for longer than is usual for it.
#[derive(Serialize, ToSchema)]
pub(crate) struct SilenceAlert {
    /// The same for every delivery of the alert.
    #[schema(example = "site-alpha-pv-farm-01/silence/2025-06-20T00:00:00.000Z/opened")]
    alert_id: String,
    /// The site.
    #[schema(example = "site-alpha-pv-farm-01")]
    site_id: String,
    /// `opened`, or `closed` when the site speaks again.
    #[schema(example = "opened")]
    phase: &'static str,
    /// `error`: the readings that do not come are in need of a substitute.
    #[schema(example = "error")]
    severity: &'static str,
    /// When the site began to count as silent, or was found to speak again.
    at: Utc,
    /// The newest reading before the silence.
    last_seen: Utc,
    /// The interval that the site kept until then, in milliseconds.
    #[schema(example = 900_000)]
    interval_ms: i64,
    /// When the site began to count as silent.
    silent_at: Utc,
}

impl From<&Alert> for AlertBody {
    fn from(alert: &Alert) -> Self {
        match &alert.subject {
            Subject::Episode(episode) => Self::Episode(EpisodeAlert::of(alert, episode)),
            Subject::Silence(silence) => Self::Silence(SilenceAlert::of(alert, silence)),
        }
    }
}

impl EpisodeAlert {
    fn of(alert: &Alert, episode: &Episode) -> Self {
        Self {
            alert_id: alert.id().to_string(),
            site_id: alert.site_id.to_string(),
            phase: alert.phase.name(),
            rule: episode.rule.name(),
            severity: alert.subject.severity().name(),
            at: Utc(alert.at),
            opened_at: Utc(episode.opened_at),
            last_at: Utc(episode.last_at),
            readings: episode.readings,
            score: Multiple(episode.score),
        }
    }
}

impl SilenceAlert {
    fn of(alert: &Alert, silence: &Silence) -> Self {
        Self {
            alert_id: alert.id().to_string(),
            site_id: alert.site_id.to_string(),
            phase: alert.phase.name(),
            severity: alert.subject.severity().name(),
            at: Utc(alert.at),
            last_seen: Utc(silence.last_seen),
            interval_ms: silence.interval_ms,
            silent_at: Utc(silence.silent_at),
        }
    }
}

/// The newest alerts of all sites
#[utoipa::path(
    get,
    path = "/alerts",
    tag = "sites",
    params(AlertParameters),
    responses((status = 200, description = "The newest first", body = AlertList), Problem)
)]
pub(crate) async fn alerts<Q: Queries, P>(
    State(state): State<Arc<AppState<Q, P>>>,
    uri: Uri,
) -> Result<Json<AlertList>, Problem> {
    let limit = Parameters::of(&uri, PARAMETERS)?.limit(&ALERTS)?;
    let alerts = state.queries.newest_alerts(limit).await?;
    Ok(Json(AlertList { alerts: alerts.iter().map(AlertBody::from).collect() }))
}
