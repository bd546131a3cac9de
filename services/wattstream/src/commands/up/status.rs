//! What a person sees while the process runs: a banner once, then one live line on a terminal, a plain one now and then
//! elsewhere. All of it goes to stderr.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use wattstream_domain::SiteState;

/// How often the line is renewed on a terminal.
const LIVE_EVERY: Duration = Duration::from_secs(1);
/// How often a line is printed elsewhere.
const PLAIN_EVERY: Duration = Duration::from_secs(10);

/// The numbers of the line.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Figures {
    pub(super) sites: usize,
    pub(super) readings: u64,
    pub(super) anomalies: u64,
    pub(super) lag_ms: u64,
}

impl Figures {
    /// The figures with those of one more site.
    pub(super) fn with(self, state: &SiteState) -> Self {
        Self {
            sites: self.sites + 1,
            readings: self.readings + state.totals.records,
            anomalies: self.anomalies + state.totals.anomalies,
            ..self
        }
    }
}

/// The line, and where it is drawn.
pub(super) struct StatusLine {
    live: Option<ProgressBar>,
    last: Figures,
}

impl StatusLine {
    pub(super) fn new() -> Self {
        let live = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner:.yellow} {msg}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Self { live, last: Figures::default() }
    }

    /// How long until the next line is due.
    pub(super) fn interval(&self) -> Duration {
        if self.live.is_some() { LIVE_EVERY } else { PLAIN_EVERY }
    }

    /// Shows new figures; the rate is that since the last ones.
    pub(super) fn show(&mut self, figures: Figures) {
        let rate = (figures.readings.saturating_sub(self.last.readings)) / self.interval().as_secs().max(1);
        self.last = figures;
        let Figures { sites, readings, anomalies, lag_ms } = figures;
        let line =
            format!("{sites} sites  {readings} readings  {rate}/s  {anomalies} anomalies  lag {lag_ms} ms");
        match &self.live {
            Some(bar) => bar.set_message(line),
            None => anstream::eprintln!("{line}"),
        }
    }

    /// Takes the live line away.
    pub(super) fn finish(&self) {
        if let Some(bar) = &self.live {
            bar.finish_and_clear();
        }
    }
}
