//! `wattstream tap`: readings on stdout, as they are processed. What must always hold: a line is a reading as the API wrote it,
//! digit for digit; what was missed is told of on stderr; a connection that breaks is made again, one that was never there is
//! an error.

mod events;
mod polling;

use std::io::{self, Write};
use std::thread::sleep;
use std::time::Duration;

use anyhow::Context;
use serde::Deserialize;

use crate::cli::TapArgs;
use crate::client::{Client, ClientError, NOT_ACCEPTABLE};
use events::{Event, Events};

/// Where readings are told of.
const LIVE: &str = "/live";

/// How long to wait before the next connection, until the API says otherwise.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// What a reading is chosen by.
#[derive(Deserialize)]
struct Marks {
    site_id: String,
    anomaly: bool,
}

/// Prints readings until somebody has seen enough.
pub(crate) fn tap(args: &TapArgs) -> anyhow::Result<()> {
    let tap = Tap { client: Client::new(&args.url, &args.access)?, args };
    match tap.follow() {
        Err(error) if cannot_stream(&error) => tap.poll(),
        other => other,
    }
}

struct Tap<'a> {
    client: Client,
    args: &'a TapArgs,
}

/// Where in the stream this is.
struct Place {
    last_event_id: Option<String>,
    retry_after: Duration,
}

/// How a connection came to its end.
enum End {
    Never(ClientError),
    Later(String),
}

impl Tap<'_> {
    /// Prints what a stream of events tells, over as many connections as it takes.
    fn follow(&self) -> anyhow::Result<()> {
        let mut place = Place { last_event_id: None, retry_after: RETRY_AFTER };
        let mut has_connected = false;
        loop {
            let why = match self.connect(&mut place)? {
                End::Never(error) if !has_connected || is_final(&error) => return Err(error.into()),
                End::Never(error) => error.to_string(),
                End::Later(why) => {
                    has_connected = true;
                    why
                }
            };
            let why = first_line(&why);
            anstream::eprintln!("{why}; connecting again in {} s", place.retry_after.as_secs_f64());
            sleep(place.retry_after);
        }
    }

    /// Prints the events of one connection. An error is one of stdout.
    fn connect(&self, place: &mut Place) -> anyhow::Result<End> {
        // The API tells of one site or of all; of several, this side chooses.
        let parameters: &[_] = match &self.args.sites[..] {
            [site] => &[("site_id", site.as_str())],
            _ => &[],
        };
        let body = match self.client.events(LIVE, parameters, place.last_event_id.as_deref()) {
            Ok(body) => body,
            Err(error) => return Ok(End::Never(error)),
        };
        for event in Events::of(body)? {
            match event {
                Ok(event) => self.take(event, place)?,
                Err(error) => return Ok(End::Later(format!("the stream broke off: {error}"))),
            }
        }
        Ok(End::Later("the stream ended".to_owned()))
    }

    fn take(&self, event: Event, place: &mut Place) -> anyhow::Result<()> {
        if let Some(after) = event.retry {
            place.retry_after = Duration::from_millis(after);
        }
        // An id that is empty means: from now on.
        if let Some(id) = event.id {
            place.last_event_id = Some(id).filter(|id| !id.is_empty());
        }
        let data = event.data.unwrap_or_default();
        match event.event.as_deref() {
            Some("record") => self.print(&data)?,
            Some("reset") => warn_of_missed(&data),
            // Events that are newer than this program.
            _ => {}
        }
        Ok(())
    }

    /// Asks again and again what is new.
    fn poll(&self) -> anyhow::Result<()> {
        anstream::eprintln!(
            "{} cannot stream; asking every {} s",
            self.client.base(),
            polling::EVERY.as_secs()
        );
        let mut poll = polling::Poll::of(&self.args.sites);
        self.print_news(&poll.ask(&self.client)?)?;
        loop {
            sleep(polling::EVERY);
            match poll.ask(&self.client) {
                Ok(news) => self.print_news(&news)?,
                Err(error) if is_final(&error) => return Err(error.into()),
                Err(error) => anstream::eprintln!("{}; asking again", first_line(&error.to_string())),
            }
        }
    }

    fn print_news(&self, news: &polling::News) -> anyhow::Result<()> {
        if news.has_missed {
            warn_of_missed(r#"{"reason":"more readings came than one answer holds"}"#);
        }
        news.records.iter().try_for_each(|record| self.print(record.get()))
    }

    /// Prints a reading, when it is asked for.
    fn print(&self, record: &str) -> anyhow::Result<()> {
        let Marks { site_id, anomaly } =
            serde_json::from_str(record).with_context(|| format!("this is no reading: {record}"))?;
        let sites = &self.args.sites;
        let is_asked_for = sites.is_empty() || sites.iter().any(|site| site.as_str() == site_id);
        if is_asked_for && (anomaly || !self.args.anomalies) {
            write_line(record)?;
        }
        Ok(())
    }
}

/// In JSON a line break stands between tokens only: in a text it is escaped.
fn write_line(record: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}", record.replace(['\r', '\n'], " "))?;
    out.flush()
}

/// Without the hint that follows: the process was there a moment ago.
fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

fn warn_of_missed(data: &str) {
    #[derive(Deserialize)]
    struct Reset {
        reason: String,
    }
    let reason = serde_json::from_str(data)
        .map_or_else(|_| "no reason was given".to_owned(), |reset: Reset| reset.reason);
    anstream::eprintln!("warning: some readings were missed: {reason}; `wattstream records SITE` has them");
}

/// Whether the API has readings for who asks again and again, and none for who listens.
fn cannot_stream(error: &anyhow::Error) -> bool {
    let status = error.downcast_ref().and_then(ClientError::status);
    matches!(status, Some(404 | NOT_ACCEPTABLE))
}

/// Whether the answer would be the same however often it is asked for.
fn is_final(error: &ClientError) -> bool {
    matches!(error.status(), Some(400..=407 | 410..=428))
}
