//! `GET /alerts`: what people were told, the newest first.

use std::sync::Arc;

use axum::extract::State;
use axum::http::Uri;
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use utoipa::ToSchema;
use wattstream_domain::Alert;
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

/// One end of an episode: a run of readings of one site that break one rule.
#[derive(Serialize, ToSchema)]
#[schema(as = Alert)]
pub(crate) struct AlertBody {
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

impl From<&Alert> for AlertBody {
    fn from(alert: &Alert) -> Self {
        let Alert { site_id, phase, at, episode } = alert;
        Self {
            alert_id: alert.id().to_string(),
            site_id: site_id.to_string(),
            phase: phase.name(),
            rule: episode.rule.name(),
            severity: episode.rule.severity().name(),
            at: Utc(*at),
            opened_at: Utc(episode.opened_at),
            last_at: Utc(episode.last_at),
            readings: episode.readings,
            score: Multiple(episode.score),
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
