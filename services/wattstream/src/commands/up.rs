//! `wattstream up`: simulator, stream, consumer, store, archive and API in one process.

mod fleet;
mod status;
mod webhook;

use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wattstream_embedded::{OpenError, Store};
use wattstream_engine::LiveFeed;
use wattstream_engine::ports::{LiveQueries, Queries};
use wattstream_query_api::{
    Access, AppState, Check, Origin, REQUEST_TIMEOUT, RateLimit, Readiness, TokenFile, Tokens, router,
};
use wattstream_telemetry::event::ProcessStarted;
use wattstream_telemetry::{LogFormat, PrometheusExporter, init_logging, install_prometheus};

use crate::cli::{RateLimitChoice, UpArgs};
use crate::pipeline::{self, AlertSettings, LagProbe, Pipeline, system_clock};
use crate::stop::asked_to_stop;

use fleet::LiveFleet;
use status::{Figures, StatusLine};
pub(crate) use webhook::LocalAlerts;

/// A shard that lags by more than this makes the process not ready.
const READY_LAG_MS_MAX: u64 = 60_000;

/// How long requests in flight are waited for when the process is asked to stop.
const ANSWERS_WAIT_MAX: Duration = Duration::from_secs(5);

/// Runs until Ctrl-C or SIGTERM; what was acknowledged is kept.
pub(crate) fn up(args: &UpArgs) -> anyhow::Result<()> {
    init_logging(&args.log, LogFormat::Human)?;
    let exporter = install_prometheus()?;
    ProcessStarted { version: env!("CARGO_PKG_VERSION") }.emit();
    let access = access(args)?;
    if args.fresh {
        throw_away(&args.data_dir)?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    // The address comes first: a busy one is found out before anything is written.
    let terms = Terms { access, rate_limit: rate_limit(args), origins: args.cors_origins.clone() };
    let door = Door { listener: runtime.block_on(bind(args.listen))?, terms };
    let alerts =
        AlertSettings { webhook: args.webhook.clone(), silent_after: NonZeroU32::new(args.silent_after) };
    let pipeline = Pipeline::open_with(&args.data_dir, args.shards, alerts)?;
    let served = runtime.block_on(serve(args, &pipeline, door, Arc::new(exporter)));
    pipeline.stop()?;
    served
}

/// Where requests come in, and whose.
struct Door {
    listener: TcpListener,
    terms: Terms,
}

/// Who may ask, how often, and from whose pages.
struct Terms {
    access: Access,
    rate_limit: Option<RateLimit>,
    origins: Vec<Origin>,
}

/// How many requests a client may send. Who has the machine has it to themselves; who shares it by tokens is counted.
fn rate_limit(args: &UpArgs) -> Option<RateLimit> {
    match args.rate_limit {
        Some(RateLimitChoice::Off) => None,
        Some(RateLimitChoice::At(limit)) => Some(limit),
        None => args.token_file.as_ref().map(|_| RateLimit::DEFAULT),
    }
}

/// Who may ask: who has a token, when there is a file of them; otherwise everybody, and so nobody from outside.
fn access(args: &UpArgs) -> anyhow::Result<Access> {
    if let Some(file) = &args.token_file {
        return Ok(Access::Tokens(Tokens::from(&TokenFile::read(file)?)));
    }
    if args.listen.ip().is_loopback() {
        return Ok(Access::Open);
    }
    bail!(
        "--listen {}: without tokens the API answers everybody, and so on the loopback only; name who may ask with \
         --token-file FILE, a token a line, or listen on 127.0.0.1",
        args.listen
    )
}

/// Removes what an earlier run left, unless another process is using it. Nothing but a store's own folders is touched.
fn throw_away(data_dir: &Path) -> anyhow::Result<()> {
    if !Store::exists(data_dir) {
        return Ok(());
    }
    let settings = pipeline::store_settings(None);
    if let Err(error @ OpenError::InUse { .. }) = Store::open(data_dir, settings) {
        return Err(error.into());
    }
    for folder in ["store", "archive"] {
        let folder = data_dir.join(folder);
        fs::remove_dir_all(&folder).with_context(|| format!("removing {}", folder.display()))?;
    }
    Ok(())
}

async fn bind(listen: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(listen).await.with_context(|| {
        format!("cannot listen on {listen}; another address goes with --listen, and port 0 takes a free one")
    })
}

async fn serve(
    args: &UpArgs,
    pipeline: &Pipeline,
    door: Door,
    exporter: Arc<PrometheusExporter>,
) -> anyhow::Result<()> {
    let address = door.listener.local_addr()?;
    let (tasks, cancelled) = (TaskTracker::new(), CancellationToken::new());
    let store = pipeline.store().clone();
    let fleet = if args.no_simulator {
        None
    } else {
        Some(LiveFleet::new(args, system_clock()(), &store.sites().await?.states)?)
    };
    announce(args, address, fleet.as_ref())?;
    if let Some(fleet) = fleet {
        tasks.spawn(fleet.run(store.clone(), cancelled.clone()));
    }
    tasks.spawn(watch(store.clone(), pipeline.lag_probe(), Arc::clone(&exporter), cancelled.clone()));
    tasks.close();
    let Door { listener, terms } = door;
    let app = router(app_state(store.clone(), pipeline.lag_probe(), exporter, terms));
    let served = answer(listener, app, &store).await;
    cancelled.cancel();
    tasks.wait().await;
    served.context("serving the API")
}

/// Answers until asked to stop, and then until the requests in flight are answered, for a while. Streams of events end at once:
/// otherwise they would be waited for. A client that takes nothing of its answer is not waited for either.
async fn answer(listener: TcpListener, app: axum::Router, store: &Store) -> std::io::Result<()> {
    let (stopping, app) = (CancellationToken::new(), app.into_make_service_with_connect_info::<SocketAddr>());
    let asked = {
        let (stopping, store) = (stopping.clone(), store.clone());
        async move {
            asked_to_stop().await;
            store.live_feed().into_iter().for_each(LiveFeed::close);
            stopping.cancel();
        }
    };
    let cut_off = async {
        stopping.cancelled().await;
        tokio::time::sleep(ANSWERS_WAIT_MAX).await;
    };
    tokio::select! {
        served = axum::serve(listener, app).with_graceful_shutdown(asked) => served,
        () = cut_off => {
            tracing::warn!("Some clients had not taken their answers when the process stopped.");
            Ok(())
        }
    }
}

fn app_state(
    store: Store,
    lag: LagProbe,
    exporter: Arc<PrometheusExporter>,
    terms: Terms,
) -> AppState<Store, Store> {
    let queries = Arc::new(store);
    AppState {
        producer: Arc::clone(&queries),
        queries,
        clock: Box::new({
            let clock = system_clock();
            move || clock()
        }),
        render_metrics: Some(Box::new(move || exporter.render())),
        probe: Box::new(move || {
            let lag_ms = lag.lag_ms();
            let check = Check {
                name: "stream",
                is_ok: lag_ms <= READY_LAG_MS_MAX,
                detail: format!("the slowest shard is {lag_ms} ms behind"),
            };
            Box::pin(async move { Readiness { checks: vec![check] } })
        }),
        access: terms.access,
        request_timeout: REQUEST_TIMEOUT,
        rate_limit: terms.rate_limit,
        origins: terms.origins,
    }
}

/// Prints the address on stdout, for programs, and a banner on stderr, for people.
fn announce(args: &UpArgs, address: SocketAddr, fleet: Option<&LiveFleet>) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "http://{address}")?;
    out.flush()?;
    anstream::eprintln!();
    anstream::eprintln!("  wattstream {}", env!("CARGO_PKG_VERSION"));
    anstream::eprintln!();
    anstream::eprintln!("  sites, live   http://{address}/");
    anstream::eprintln!("  API           http://{address}/docs");
    anstream::eprintln!("  data          {} (kept; --fresh starts over)", args.data_dir.display());
    if let Some(file) = &args.token_file {
        anstream::eprintln!("  access        with a token of {}", file.display());
    }
    match fleet {
        Some(fleet) => {
            let minutes = args.interval.as_secs_f64() / 60.0;
            anstream::eprintln!("  fleet         {} sites, a reading every {minutes} min each", args.sites);
            if let Some(fault) = fleet.fault {
                anstream::eprintln!("  watch for     {fault}, soon");
            }
        }
        None => {
            anstream::eprintln!("  readings      POST http://{address}/readings, or wattstream ingest --url");
        }
    }
    anstream::eprintln!();
    anstream::eprintln!("  Ctrl-C stops; everything is kept.");
    anstream::eprintln!();
    Ok(())
}

/// Keeps the status line and the metrics going until cancelled.
async fn watch(store: Store, lag: LagProbe, exporter: Arc<PrometheusExporter>, cancelled: CancellationToken) {
    let mut line = StatusLine::new();
    loop {
        tokio::select! {
            () = tokio::time::sleep(line.interval()) => {}
            () = cancelled.cancelled() => break,
        }
        exporter.run_upkeep();
        match store.fold_sites(Figures::default(), Figures::with).await {
            Ok(figures) => line.show(Figures { lag_ms: lag.lag_ms(), ..figures }),
            Err(error) => tracing::warn!(%error, "The figures of the status line could not be read."),
        }
    }
    line.finish();
}
