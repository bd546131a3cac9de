//! The service behind the proxy: it takes whatever it is asked, and remembers it.

use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime;
use tokio::sync::oneshot;

/// One request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) target: String,
    pub(crate) path: String,
    pub(crate) host: String,
    pub(crate) authorization: String,
    pub(crate) body: Vec<u8>,
}

/// The service, on a thread of its own. It ends with this.
pub(crate) struct Upstream {
    pub(crate) url: String,
    service: Arc<Service>,
    _stop: oneshot::Sender<()>,
}

#[derive(Default)]
struct Service {
    course: Mutex<Course>,
    has_changed: Condvar,
}

#[derive(Default)]
struct Course {
    asked: Vec<Asked>,
    refuses: bool,
    holds: bool,
}

impl Upstream {
    pub(crate) fn start() -> Self {
        let service = Arc::new(Service::default());
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
        listener.set_nonblocking(true).expect("a socket can be non-blocking");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let router = Router::new().fallback(answer).with_state(Arc::clone(&service));
        let (stop, stopped) = oneshot::channel::<()>();
        thread::spawn(move || {
            let runtime = runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
            runtime.expect("a runtime starts").block_on(async {
                let listener = TcpListener::from_std(listener).expect("it is non-blocking");
                tokio::select! {
                    served = axum::serve(listener, router) => served.expect("it serves"),
                    _ = stopped => {}
                }
            });
        });
        Self { url, service, _stop: stop }
    }

    /// What it was asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.service.lock().asked.clone()
    }

    /// From here on it refuses.
    pub(crate) fn refuse_everything(&self) {
        self.service.lock().refuses = true;
    }

    /// Holds all answers back until the guard is dropped.
    pub(crate) fn hold_answers(&self) -> Gate<'_> {
        self.service.lock().holds = true;
        Gate(&self.service)
    }

    /// Waits for the first request.
    pub(crate) fn wait_until_asked(&self) {
        drop(self.service.wait_while(|course| course.asked.is_empty()));
    }
}

/// Holds answers back.
pub(crate) struct Gate<'a>(&'a Service);

impl Drop for Gate<'_> {
    fn drop(&mut self) {
        self.0.lock().holds = false;
        self.0.has_changed.notify_all();
    }
}

impl Service {
    fn lock(&self) -> MutexGuard<'_, Course> {
        self.course.lock().expect("nobody panics with it")
    }

    fn wait_while(&self, condition: impl Fn(&Course) -> bool) -> MutexGuard<'_, Course> {
        let course = self.has_changed.wait_while(self.lock(), |course| condition(course));
        course.expect("nobody panics with it")
    }
}

async fn answer(State(service): State<Arc<Service>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let header =
        |name: &str| headers.get(name).map_or("", |value| value.to_str().expect("plain text")).to_owned();
    let asked = Asked {
        target: header("x-amz-target"),
        path: uri.path_and_query().map_or_else(String::new, ToString::to_string),
        host: header("host"),
        authorization: header("authorization"),
        body: body.to_vec(),
    };
    let target = asked.target.clone();
    service.lock().asked.push(asked);
    service.has_changed.notify_all();
    let waiting = Arc::clone(&service);
    let refuses = tokio::task::spawn_blocking(move || waiting.wait_while(|course| course.holds).refuses);
    if refuses.await.expect("it does not panic") {
        return (StatusCode::BAD_REQUEST, "refused").into_response();
    }
    ([("x-amz-crc32", "42")], answer_to(&target, &body)).into_response()
}

fn answer_to(target: &str, body: &[u8]) -> String {
    let Ok(request) = serde_json::from_slice::<Value>(body) else { return published(body) };
    match target {
        "DynamoDB_20120810.BatchWriteItem" => json!({ "UnprocessedItems": {} }).to_string(),
        "DynamoDB_20120810.Query" => json!({ "Items": vec!["an item"; 20], "Count": 20 }).to_string(),
        "Kinesis_20131202.PutRecords" => {
            let records = request["Records"].as_array().expect("records").iter();
            let taken: Vec<Value> = records
                .map(|record| json!({ "SequenceNumber": record["PartitionKey"], "ShardId": "s" }))
                .collect();
            json!({ "FailedRecordCount": 0, "Records": taken }).to_string()
        }
        _ => "{}".to_owned(),
    }
}

fn published(body: &[u8]) -> String {
    let fields = form_urlencoded::parse(body).filter(|(field, _)| field.ends_with(".Id"));
    let members: Vec<String> = fields.map(|(_, id)| format!("<member><Id>{id}</Id></member>")).collect();
    let members = members.concat();
    format!(
        "<PublishBatchResponse><PublishBatchResult><Failed/><Successful>{members}</Successful></PublishBatchResult>\
         </PublishBatchResponse>"
    )
}
