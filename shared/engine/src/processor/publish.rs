//! The outbox: alerts leave a site's state when they have been published, and not before.

use std::collections::BTreeMap;

use wattstream_domain::{Alert, Phase};
use wattstream_telemetry::event::{AlertPhase, AlertPublishFailed, AlertsPublished};

use super::Processor;
use super::write::FoldedSite;
use crate::Result;
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
        if alerts.is_empty() {
            return;
        }
        let results = self.alerts.publish(&alerts).await;
        report(&alerts, &results);
        let mut is_published = results.iter().map(Result::is_ok);
        for site in &mut written {
            let waiting = site.state.outbox.alerts.len();
            site.state.outbox.alerts.retain(|_| !is_published.next().unwrap_or(false));
            site.holds_published_alerts |= site.state.outbox.alerts.len() < waiting;
        }
    }
}

fn report(alerts: &[Alert], results: &[Result<()>]) {
    let mut published: BTreeMap<(&'static str, Phase), u64> = BTreeMap::new();
    for (alert, _) in alerts.iter().zip(results).filter(|(_, result)| result.is_ok()) {
        *published.entry((alert.episode.rule.name(), alert.phase)).or_default() += 1;
    }
    for ((rule, phase), alerts) in published {
        let phase = match phase {
            Phase::Opened => AlertPhase::Opened,
            Phase::Closed => AlertPhase::Closed,
        };
        AlertsPublished { rule, phase, alerts }.emit();
    }
    let mut errors = results.iter().filter_map(|result| result.as_ref().err());
    if let Some(error) = errors.next() {
        AlertPublishFailed { alerts: 1 + errors.count() as u64, error }.emit();
    }
}
