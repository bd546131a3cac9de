//! The outbox: alerts leave a site's state when they have been published, and not before.

use wattstream_domain::Alert;

use super::Processor;
use super::write::FoldedSite;
use crate::alerting;
use crate::ports::{Alerts, DeadLetters, Failures, Tables};

impl<T: Tables, D: DeadLetters, A: Alerts> Processor<T, D, A> {
    /// Publishes the waiting alerts of every site that was written. What is not taken waits for the site's next batch:
    /// an outage of the topic neither blocks the stream nor loses an alert.
    pub(super) async fn publish_alerts(&self, sites: &mut [FoldedSite], failures: &Failures) {
        let mut written: Vec<&mut FoldedSite> = sites
            .iter_mut()
            .filter(|site| {
                !site.state.outbox.alerts.is_empty() && !failures.contains_key(&site.state.site_id)
            })
            .collect();
        let alerts: Vec<Alert> =
            written.iter().flat_map(|site| site.state.outbox.alerts.iter().cloned()).collect();
        let mut is_taken = alerting::publish(&self.alerts, &alerts).await.into_iter();
        for site in &mut written {
            let waiting = site.state.outbox.alerts.len();
            site.state.outbox.alerts.retain(|_| !is_taken.next().unwrap_or(false));
            site.holds_published_alerts |= site.state.outbox.alerts.len() < waiting;
        }
    }
}
