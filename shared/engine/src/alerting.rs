//! Handing alerts to the topic, and telling what became of them.

use std::collections::BTreeMap;

use wattstream_domain::{Alert, Phase};
use wattstream_telemetry::event::{AlertPhase, AlertPublishFailed, AlertsPublished};

use crate::Result;
use crate::ports::Alerts;

/// Publishes alerts. Answers for each, in their order, whether it was taken.
pub(crate) async fn publish(topic: &impl Alerts, alerts: &[Alert]) -> Vec<bool> {
    if alerts.is_empty() {
        return Vec::new();
    }
    let results = topic.publish(alerts).await;
    report(alerts, &results);
    let mut is_taken = results.iter().map(Result::is_ok);
    alerts.iter().map(|_| is_taken.next().unwrap_or(false)).collect()
}

fn report(alerts: &[Alert], results: &[Result<()>]) {
    let mut published: BTreeMap<(&'static str, Phase), u64> = BTreeMap::new();
    for (alert, _) in alerts.iter().zip(results).filter(|(_, result)| result.is_ok()) {
        *published.entry((alert.subject.name(), alert.phase)).or_default() += 1;
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
