//! A progress bar over the bytes of all files, on a terminal only.

use std::io::Read;
use std::path::PathBuf;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressBarIter, ProgressStyle};

/// How far the reading of files has come.
#[derive(Clone, Debug)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// A bar on stderr over the sizes of `files`; a spinner when one has none, as stdin has.
    pub(crate) fn over(files: &[PathBuf]) -> Self {
        let sizes: Option<Vec<u64>> = files
            .iter()
            .map(|file| std::fs::metadata(file).ok().filter(std::fs::Metadata::is_file).map(|m| m.len()))
            .collect();
        let (bar, template) = match sizes {
            Some(sizes) => (
                ProgressBar::new(sizes.iter().sum()),
                "{bar:32} {percent:>3}%  {bytes}/{total_bytes}  {msg}  {eta} left",
            ),
            None => (ProgressBar::new_spinner(), "{spinner} {bytes}  {msg}"),
        };
        // A template that does not parse would be a bar without its words, which is no reason to stop.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }

    /// No bar at all.
    #[cfg(test)]
    pub(crate) fn hidden() -> Self {
        Self(ProgressBar::hidden())
    }

    /// Counts the bytes that are read through the result.
    pub(crate) fn wrap<R: Read>(&self, reader: R) -> ProgressBarIter<R> {
        self.0.wrap_read(reader)
    }

    /// Says how many readings have been taken so far.
    pub(crate) fn set_readings(&self, readings: u64) {
        self.0.set_message(format!("{readings} readings"));
    }

    /// Prints a line above the bar.
    pub(crate) fn print(&self, line: &str) {
        self.0.suspend(|| anstream::eprintln!("{line}"));
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
    }
}
