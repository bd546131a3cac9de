//! The API over the tables, the queue and the stream on AWS. What must always hold: it is the router of one machine; only whom
//! the gateway's authorizer has let through may ask; a probe comes to an end before its client goes away.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;
use wattstream_aws::{AwsQueries, KinesisProducer, deadline};
use wattstream_domain::{SiteId, Timestamp};
use wattstream_engine::Result;
use wattstream_engine::ports::Queries;

use crate::access::Access;
use crate::gateway::Gateway;
use crate::router;
use crate::state::{AppState, Check, Clock, Probe, REQUEST_TIMEOUT, Readiness};

/// The longest that `GET /readyz` waits for AWS, whose answer takes milliseconds when it is well.
pub const PROBE_TIME_MAX: Duration = Duration::from_secs(3);

/// A site whose state is asked for to see whether the tables answer; it need not exist.
const PROBE_SITE: &str = "readyz";

/// The API as a Lambda function behind API Gateway.
pub fn on_aws(queries: AwsQueries, producer: KinesisProducer) -> Gateway {
    let (queries, producer) = (Arc::new(queries), Arc::new(producer));
    Gateway::new(router(AppState {
        probe: probe(Arc::clone(&queries), Arc::clone(&producer)),
        queries,
        producer,
        clock: clock(),
        render_metrics: None,
        access: Access::Gateway,
        request_timeout: REQUEST_TIMEOUT,
        // The gateway counts requests and answers the pages of other origins.
        rate_limit: None,
        origins: Vec::new(),
    }))
}

fn clock() -> Clock {
    Box::new(|| {
        let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::MIN.saturating_add_ms(i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX))
    })
}

/// Whether what is read can be read, and what is sent be taken. How far the consumer lags is not this function's to know: the
/// age of its iterator is a metric of Lambda's.
fn probe(queries: Arc<AwsQueries>, producer: Arc<KinesisProducer>) -> Probe {
    let site_id: SiteId = PROBE_SITE.parse().expect("it is a site's id");
    Box::new(move || {
        let (queries, producer) = (Arc::clone(&queries), Arc::clone(&producer));
        Box::pin(async move {
            let asked = async { tokio::join!(queries.site(site_id), producer.check()) };
            let (site, stream) = deadline::within(Instant::now() + PROBE_TIME_MAX, asked).await;
            let tables = check("tables", &site.map(drop), "answer", "do not answer");
            let stream = check("stream", &stream, "takes records", "takes no records");
            Readiness { checks: vec![tables, stream] }
        })
    })
}

/// What came of asking. The error is for the log alone.
fn check(name: &'static str, outcome: &Result<()>, well: &str, unwell: &str) -> Check {
    if let Err(error) = outcome {
        tracing::warn!(name, %error, "A check of readiness failed.");
    }
    Check { name, is_ok: outcome.is_ok(), detail: if outcome.is_ok() { well } else { unwell }.to_owned() }
}
