//! The outbox: alerts leave a site's state when they have been published, and not before.

use wattstream_domain::Alert;

use super::Processor;
use super::write::FoldedSite;
use crate::alerting;
use crate::ports::{Alerts, Commit, DeadLetters, Failures, Tables};

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
        written.retain(|site| site.holds_published_alerts);
        self.forget_published(&mut written).await;
    }

    /// Stores the states again that published alerts have left. Otherwise whoever loads one, another instance or this one
    /// after a failure, would publish those alerts again. It is no failure of the batch when this fails: then the site's
    /// next batch loads what is stored, and sees to it.
    async fn forget_published(&self, sites: &mut [&mut FoldedSite]) {
        let commits: Vec<Commit<'_>> =
            sites.iter().map(|site| Commit { state: &site.state, expected_version: site.version }).collect();
        if commits.is_empty() {
            return;
        }
        let failures = self.tables.commit(&commits).await;
        for site in sites.iter_mut().filter(|site| !failures.contains_key(&site.state.site_id)) {
            site.version += 1;
            site.holds_published_alerts = false;
        }
    }
}
