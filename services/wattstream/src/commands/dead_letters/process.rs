//! Dead letters of a running process, over HTTP.

use std::io::Write;

use anyhow::Context;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;

use crate::cli::{DeadLettersCommand, QueryArgs};
use crate::client::Client;
use crate::output::{self, Column, Entry};

const COLUMNS: &[Column] = &[
    ("id", "id"),
    ("arrived_at", "arrived at"),
    ("reason", "reason"),
    ("payload_bytes", "bytes"),
    ("detail", "detail"),
];

#[derive(Deserialize)]
struct Page {
    dead_letters: Vec<Entry>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Letter {
    payload_base64: String,
}

/// What a call that takes letters out of the box answers.
#[derive(Deserialize)]
struct Sweep {
    dead_letters: u64,
    next: Option<String>,
}

/// Lists, shows, redrives or purges dead letters.
pub(super) fn dead_letters(command: &DeadLettersCommand) -> anyhow::Result<()> {
    let query = &command.place().query;
    match command {
        DeadLettersCommand::List(_) => list(query),
        DeadLettersCommand::Show { id, .. } => show(id, query),
        DeadLettersCommand::Redrive { id, .. } => {
            let client = Client::new(&query.url, &query.access)?;
            let letters = match id {
                Some(id) => {
                    client.post::<Sweep>(&format!("/dead-letters/{id}/redrive"), &[], JSON, b"")?.dead_letters
                }
                None => sweep(|parameters| client.post("/dead-letters/redrive", parameters, JSON, b""))?,
            };
            anstream::eprintln!("{letters} dead letters are on the stream again");
            Ok(())
        }
        DeadLettersCommand::Purge { id, .. } => {
            let client = Client::new(&query.url, &query.access)?;
            let letters = match id {
                Some(id) => client.delete::<Sweep>(&format!("/dead-letters/{id}"), &[])?.dead_letters,
                None => sweep(|parameters| client.delete("/dead-letters", parameters))?,
            };
            anstream::eprintln!("{letters} dead letters deleted");
            Ok(())
        }
    }
}

const JSON: &str = "application/json";

fn list(query: &QueryArgs) -> anyhow::Result<()> {
    let client = Client::new(&query.url, &query.access)?;
    let mut letters = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let page: Page = client.get("/dead-letters", &cursor_parameter(cursor.as_deref()))?;
        letters.extend(page.dead_letters);
        cursor = page.next;
        if cursor.is_none() {
            return Ok(output::print(&letters, COLUMNS, query.format)?);
        }
    }
}

fn show(id: &str, query: &QueryArgs) -> anyhow::Result<()> {
    let letter: Letter = Client::new(&query.url, &query.access)?.get(&format!("/dead-letters/{id}"), &[])?;
    let payload = BASE64_STANDARD.decode(letter.payload_base64).context("reading the payload")?;
    // Bytes, not text: nothing is added and no colour is stripped.
    let mut out = std::io::stdout();
    out.write_all(&payload)?;
    Ok(out.flush()?)
}

/// Calls until every letter has been looked at; how many were taken out of the box.
fn sweep(
    mut call: impl FnMut(&[(&str, &str)]) -> Result<Sweep, crate::client::ClientError>,
) -> anyhow::Result<u64> {
    // A letter that is rejected again comes back with a new position; only those of before this call are taken.
    let until = crate::pipeline::system_clock()().to_string();
    let (mut letters, mut cursor) = (0, None::<String>);
    loop {
        let mut parameters = cursor_parameter(cursor.as_deref());
        parameters.push(("until", &until));
        let swept = call(&parameters)?;
        letters += swept.dead_letters;
        cursor = swept.next;
        if cursor.is_none() {
            return Ok(letters);
        }
    }
}

fn cursor_parameter(cursor: Option<&str>) -> Vec<(&str, &str)> {
    cursor.map(|cursor| ("cursor", cursor)).into_iter().collect()
}
