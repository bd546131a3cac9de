//! The checks of one machine: can `up` use its folder and its address, or does a process use them already?

use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use serde::Deserialize;
use wattstream_embedded::{OpenError, Store};

use super::Finding;
use crate::cli::{AccessArgs, DoctorArgs};
use crate::client::Client;
use crate::pipeline::store_settings;

/// What tells a wattstream from other servers.
#[derive(Deserialize)]
struct Health {
    version: String,
}

pub(super) fn findings(args: &DoctorArgs) -> Vec<Finding> {
    vec![data_folder(&args.data_dir), address(args.listen)]
}

/// Opens the store as `up` would, and closes it again.
fn data_folder(dir: &Path) -> Finding {
    const SUBJECT: &str = "data folder";
    let shown = dir.display();
    if !Store::exists(dir) {
        return Finding::passed(SUBJECT, format!("{shown} holds nothing yet: `up` makes what it needs"));
    }
    match Store::open(dir, store_settings(None)) {
        Ok(store) => Finding::passed(
            SUBJECT,
            format!("{shown} holds a store of {} shards that nobody uses", store.shard_count()),
        ),
        Err(OpenError::InUse { .. }) => {
            Finding::passed(SUBJECT, format!("{shown} is in use by a process that runs"))
        }
        Err(error) => Finding::failed(SUBJECT, error.to_string(), "name another folder with --data-dir"),
    }
}

/// Whether somebody can listen there, or a wattstream does.
fn address(listen: SocketAddr) -> Finding {
    const SUBJECT: &str = "address";
    let Err(error) = TcpListener::bind(listen) else {
        return Finding::passed(SUBJECT, format!("{listen} is free"));
    };
    let url = format!("http://{listen}");
    let client = Client::new(&url, &AccessArgs::default());
    let answer = client.ok().and_then(|client| client.get::<Health>("/healthz", &[]).ok());
    match answer {
        Some(Health { version }) => {
            Finding::passed(SUBJECT, format!("wattstream {version} answers on {url}"))
        }
        None => Finding::failed(
            SUBJECT,
            format!("nobody can listen on {listen}: {error}"),
            "name another address with --listen, or end the process that has it",
        ),
    }
}
