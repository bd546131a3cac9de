//! Where log lines go and what they look like. What must always hold: lines go to stderr, because stdout is for data;
//! a bad filter is an error that says which, never a silent default; colour appears on a terminal only.

use std::io::{self, IsTerminal};

use tracing::Subscriber;
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::ParseError,
    fmt::{self, MakeWriter},
    layer::SubscriberExt,
    util::{SubscriberInitExt, TryInitError},
};

/// The form of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For a person: time, level, message, fields; coloured when stderr is a terminal and `NO_COLOR` is unset.
    Human,
    /// For a machine: one JSON object a line, fields at its top level.
    Json,
}

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum LoggingError {
    /// The filter is not a list of `target=level`.
    #[error(
        "log filter {filter:?} is not understood; write for example `info` or `warn,wattstream_engine=debug`"
    )]
    Filter {
        /// The filter as given.
        filter: String,
        /// What the parser says.
        source: ParseError,
    },
    /// Something else has set the process's subscriber.
    #[error("logging was already set up in this process; call init_logging once, from main")]
    AlreadyInstalled(#[source] TryInitError),
}

/// Sends the whole process's log lines to stderr. `filter` is in the syntax of `tracing_subscriber::EnvFilter`
/// (`info`, `warn,wattstream_engine=debug`); an empty one lets errors through only.
pub fn init_logging(filter: &str, format: LogFormat) -> Result<(), LoggingError> {
    init_logging_to(io::stderr, filter, format)
}

/// [`init_logging`] with another writer in stderr's place, such as one that steps around a live status line.
pub fn init_logging_to<W>(writer: W, filter: &str, format: LogFormat) -> Result<(), LoggingError>
where
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    subscriber(writer, filter, format)?.try_init().map_err(LoggingError::AlreadyInstalled)
}

fn subscriber<W>(writer: W, filter: &str, format: LogFormat) -> Result<impl Subscriber, LoggingError>
where
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(filter)
        .map_err(|source| LoggingError::Filter { filter: filter.to_owned(), source })?;
    let lines = fmt::layer().with_writer(writer);
    let lines = match format {
        // The layer itself honours NO_COLOR; a pipe or a file is what remains to be ruled out.
        LogFormat::Human if io::stderr().is_terminal() => lines.boxed(),
        LogFormat::Human => lines.with_ansi(false).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    Ok(tracing_subscriber::registry().with(filter).with(lines))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing::subscriber::with_default;

    use super::*;

    /// Log lines kept in memory.
    #[derive(Clone, Default)]
    struct Captured(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Captured {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn lines_of(filter: &str, format: LogFormat, work: impl FnOnce()) -> String {
        let captured = Captured::default();
        let writer = captured.clone();
        with_default(subscriber(move || writer.clone(), filter, format).unwrap(), work);
        let bytes = captured.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_human_line_has_level_message_and_fields_without_colour_off_a_terminal() {
        let lines =
            lines_of("info", LogFormat::Human, || tracing::warn!(records = 3, "Records were rejected."));
        assert!(lines.contains("WARN"), "{lines}");
        assert!(lines.contains("Records were rejected. records=3"), "{lines}");
        assert!(io::stderr().is_terminal() || !lines.contains('\u{1b}'), "{lines}");
    }

    #[test]
    fn a_json_line_has_its_fields_at_the_top_level() {
        let lines =
            lines_of("info", LogFormat::Json, || tracing::warn!(records = 3, "Records were rejected."));
        assert!(lines.contains(r#""records":3"#), "{lines}");
        assert!(lines.contains(r#""message":"Records were rejected.""#), "{lines}");
        assert!(lines.contains(r#""level":"WARN""#), "{lines}");
        assert!(!lines.contains(r#""fields""#), "{lines}");
    }

    #[test]
    fn the_filter_decides_by_target_and_level() {
        let lines = lines_of("warn,wattstream_engine=debug", LogFormat::Human, || {
            tracing::info!("Hidden.");
            tracing::debug!(target: "wattstream_engine::batch", "Shown.");
        });
        assert!(!lines.contains("Hidden."), "{lines}");
        assert!(lines.contains("Shown."), "{lines}");
    }

    #[test]
    fn a_filter_that_is_not_understood_is_named() {
        let error = subscriber(io::sink, "wattstream=loud", LogFormat::Human).err().unwrap();
        assert!(error.to_string().starts_with("log filter \"wattstream=loud\" is not understood"), "{error}");
    }
}
