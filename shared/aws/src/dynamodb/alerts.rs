//! [`Alerts`] in a table, so that they can be shown; a topic tells people of them.
//!
//! What must always hold: one id is there once. Its item stands under its instant and its id, so that storing it again
//! changes nothing.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use wattstream_domain::{Alert, AlertId};
use wattstream_engine::ports::Alerts;
use wattstream_engine::{Error, Result};

use super::queries::fleet_question;
use super::reads::Order;
use super::schema::FLEETS;
use super::{DynamoDb, decode};

impl Alerts for DynamoDb {
    async fn publish(&self, alerts: &[Alert]) -> Vec<Result<()>> {
        // A batch must not name a key twice.
        let distinct: BTreeMap<AlertId, &Alert> = alerts.iter().map(|alert| (alert.id(), alert)).collect();
        let items: Vec<&Alert> = distinct.values().copied().collect();
        let outcomes = self.write_in_batches(&self.tables.alerts, &items).await;
        let mut outcomes: BTreeMap<AlertId, Result<()>> = distinct.into_keys().zip(outcomes).collect();
        alerts.iter().map(|alert| take_answer(&mut outcomes, &alert.id())).collect()
    }
}

impl DynamoDb {
    /// The newest alerts of all sites, the newest first, at most `limit`.
    pub async fn newest_alerts(&self, limit: usize) -> Result<Vec<Alert>> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let of_fleet = |fleet| fleet_question(&self.tables.alerts, fleet, Order::Descending, limit);
        let questions: Vec<_> = (0..FLEETS).map(of_fleet).collect();
        let mut alerts = self.ask_all(&questions, decode::alert, "reading alerts").await?.concat();
        alerts.sort_by_cached_key(|alert| Reverse((alert.at, alert.id())));
        alerts.truncate(limit);
        Ok(alerts)
    }
}

/// The answer for an id; an error is handed out once, and for further alerts of that id another of its kind.
fn take_answer(outcomes: &mut BTreeMap<AlertId, Result<()>>, id: &AlertId) -> Result<()> {
    let Some(outcome) = outcomes.get_mut(id) else { return Ok(()) };
    let Err(error) = outcome else { return Ok(()) };
    let again = Error::bare(error.kind(), "storing an alert again that was not stored");
    std::mem::replace(outcome, Err(again))
}
