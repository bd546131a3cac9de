//! A local AWS whose answers go wrong: an HTTP proxy between real clients and an emulator.
//!
//! ```text
//!   AWS SDK, Lambda ──► FaultyAws ──► DynamoDB, SNS, SQS (ministack)
//!                        │    └─────► Kinesis (kinesis-local)
//!                        └ a plan of faults, and a list of what was asked
//! ```
//!
//! A process is pointed at it by its environment ([`FaultyAws::environment`]), a client by its address ([`FaultyAws::url`]).
//!
//! - [`Fault`]: what goes wrong with a request. [`FaultyAws::follow_script`] says which requests, one by one;
//!   [`FaultyAws::follow_chance`] draws them by a seed and [`Weights`]; [`FaultyAws::take_down`] is an outage.
//! - [`Requests`]: what was asked, in order. It is what a test of costs counts, and its [`Coverage`] is what a test of
//!   faults demands.
//!
//! What must always hold:
//! - An answer is true. What it says was taken was applied by the service behind, and what it gives back was not.
//! - A request without a fault, and its answer, pass as they are, but for what belongs to the connection.
//! - Each request of a client is in the list, with what became of it, before its client learns anything.
//! - Nothing is kept but the plan and the list.

mod batch;
mod exchange;
mod fault;
mod operation;
mod page;
mod plan;
mod proxy;
mod refusal;
mod requests;

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use tokio::runtime;
use tokio::sync::oneshot;

use self::exchange::Exchange;
use self::plan::Plan;

pub use self::exchange::Upstreams;
pub use self::fault::{Fault, FaultKind};
pub use self::operation::{Operation, Scope, Service};
pub use self::plan::Weights;
pub use self::requests::{Coverage, Mark, Request, Requests};

/// The proxy. It runs on a thread of its own, whatever runtime a test has, and ends when this is dropped.
#[derive(Debug)]
pub struct FaultyAws {
    address: SocketAddr,
    state: Arc<State>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl FaultyAws {
    /// Starts a proxy on a free port of the loopback. Nothing goes wrong yet.
    ///
    /// ```no_run
    /// use wattstream_testkit::faulty_aws::{Fault, FaultyAws, Operation, Service, Upstreams};
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let upstreams = Upstreams::all_at("http://127.0.0.1:4566").with(Service::Kinesis, "http://127.0.0.1:4568");
    /// let aws = FaultyAws::start(upstreams)?;
    /// aws.follow_script([(Operation::BATCH_WRITE_ITEM, 0, Fault::Partial { taken: 0b101 })]);
    /// aws.take_down(Service::Sns, Fault::Unavailable);
    /// # Ok(())
    /// # }
    /// ```
    pub fn start(upstreams: Upstreams) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let state = Arc::new(State::default());
        let exchange = Arc::new(Exchange::new(upstreams, Arc::clone(&state)));
        let (stop, stopped) = oneshot::channel();
        let run = move || runtime.block_on(proxy::run(listener, exchange, stopped));
        let thread = thread::Builder::new().name("faulty-aws".to_owned()).spawn(run)?;
        Ok(Self { address, state, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it answers.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The variables that point a process here: the AWS SDK's own, and ours that allows them.
    pub fn environment(&self) -> [(&'static str, String); 6] {
        [
            ("AWS_ENDPOINT_URL", self.url()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "test".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
            ("WATTSTREAM_ALLOW_ENDPOINT_OVERRIDE", "1".to_owned()),
        ]
    }

    /// From here on no request fails, but for outages.
    pub fn clear(&self) {
        self.state.start(Plan::None);
    }

    /// From here on exactly these requests fail: the numbers are those among the requests of their operation, from 0. A
    /// fault that cannot happen to its operation does not.
    pub fn follow_script(&self, faults: impl IntoIterator<Item = (Operation, u64, Fault)>) {
        let faults = faults.into_iter().map(|(operation, number, fault)| ((operation, number), fault));
        self.state.start(Plan::Script(faults.collect()));
    }

    /// From here on requests fail by chance. What fails is a function of the seed, the operation, and the request's number
    /// among those of its operation.
    pub fn follow_chance(&self, seed: u64, weights: Weights) {
        self.state.start(Plan::Chance { seed, weights });
    }

    /// From here on all requests to a service, or for one operation, have this fault, whatever the plan says. An outage
    /// of the operation comes before one of its service.
    pub fn take_down(&self, scope: impl Into<Scope>, fault: Fault) {
        self.state.lock().down.insert(scope.into(), fault);
    }

    /// Ends what [`take_down`](Self::take_down) began for the same service or operation.
    pub fn bring_up(&self, scope: impl Into<Scope>) {
        self.state.lock().down.remove(&scope.into());
    }

    /// The place after the last request so far.
    pub fn mark(&self) -> Mark {
        Mark(self.state.lock().requests.len())
    }

    /// The requests that have arrived since.
    pub fn requests_since(&self, mark: Mark) -> Requests {
        Requests(self.state.lock().requests.get(mark.0..).unwrap_or_default().to_vec())
    }
}

impl Drop for FaultyAws {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the proxy has been reported where it happened.
            let _ = thread.join();
        }
    }
}

/// The plan and the list.
#[derive(Debug, Default)]
struct State(Mutex<Course>);

#[derive(Debug, Default)]
struct Course {
    plan: Plan,
    /// The number of each operation's next request under this plan.
    numbers: BTreeMap<Operation, u64>,
    down: BTreeMap<Scope, Fault>,
    requests: Vec<Request>,
}

impl State {
    fn start(&self, plan: Plan) {
        let mut course = self.lock();
        course.plan = plan;
        course.numbers.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Course> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Course {
    /// Enters a request into the list. Returns its place there, and what is to go wrong with it.
    fn arrived(&mut self, request: Request) -> (usize, Option<Fault>) {
        let number = self.numbers.entry(request.operation.clone()).or_default();
        let planned = self.plan.fault(&request.operation, *number);
        *number += 1;
        // From the back, where the outages of single operations are.
        let outage = self.down.iter().rev().find(|(scope, _)| scope.holds(&request.operation));
        let fault = outage.map(|(_, fault)| *fault).or(planned);
        self.requests.push(request);
        (self.requests.len() - 1, fault)
    }
}
