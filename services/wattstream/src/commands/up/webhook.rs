//! Alerts on one machine: kept in the store, and posted to a webhook when there is one.
//!
//! An alert that the webhook does not take counts as not published, and so waits in its site's outbox, or among the
//! silences: the webhook gets it with the site's next batch, or with the next look for silent sites, under the same id. A
//! webhook that is away is left alone for a while, so that it does not slow the stream down.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use ureq::Agent;
use wattstream_domain::Alert;
use wattstream_embedded::Store;
use wattstream_engine::ports::Alerts;
use wattstream_engine::{Error, Kind, Result};
use wattstream_wire::encode_alert_message;

const JSON: &str = "application/json";

/// How long the webhook may take to answer.
const TIMEOUT: Duration = Duration::from_secs(2);
/// How long a webhook that failed is left alone.
const PAUSE: Duration = Duration::from_secs(30);

/// The store, and the webhook behind it. A clone is another handle of both.
#[derive(Clone, Debug)]
pub(crate) struct LocalAlerts {
    store: Store,
    webhook: Option<Arc<Webhook>>,
}

#[derive(Debug)]
struct Webhook {
    url: String,
    agent: Agent,
    paused_until: Mutex<Option<Instant>>,
}

impl LocalAlerts {
    /// Keeps alerts in `store` and posts them to `url`.
    pub(crate) fn new(store: Store, url: Option<String>) -> Self {
        let webhook = url.map(|url| Webhook {
            url,
            agent: Agent::config_builder().timeout_global(Some(TIMEOUT)).build().into(),
            paused_until: Mutex::new(None),
        });
        Self { store, webhook: webhook.map(Arc::new) }
    }
}

impl Alerts for LocalAlerts {
    async fn publish(&self, alerts: &[Alert]) -> Vec<Result<()>> {
        let stored = self.store.publish(alerts).await;
        let Some(webhook) = &self.webhook else { return stored };
        alerts.iter().zip(stored).map(|(alert, stored)| stored.and_then(|()| webhook.post(alert))).collect()
    }
}

impl Webhook {
    fn post(&self, alert: &Alert) -> Result<()> {
        let mut paused_until = self.paused_until.lock().unwrap_or_else(PoisonError::into_inner);
        if paused_until.is_some_and(|until| Instant::now() < until) {
            return Err(Error::bare(Kind::Retry, "waiting for a webhook that failed"));
        }
        let posted = self.agent.post(&self.url).content_type(JSON).send(encode_alert_message(alert));
        *paused_until = posted.is_err().then(|| Instant::now() + PAUSE);
        posted.map(|_| ()).map_err(|error| Error::new(Kind::Retry, "posting an alert to the webhook", error))
    }
}
