//! The event of a schedule, which EventBridge Scheduler hands to a function: the input that is set up with the schedule, in which
//! the scheduler has filled the time in.
//!
//! ```text
//!   set up with  {"scheduled_time":"<aws.scheduler.scheduled-time>"}
//!   handed over  {"scheduled_time":"2026-06-20T08:05:00Z"}
//! ```

use serde::Deserialize;
use wattstream_domain::Timestamp;

use crate::time::parse_timestamp;

/// Why an event tells no time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the schedule's input must be {{\"scheduled_time\":\"<aws.scheduler.scheduled-time>\"}}, an instant in RFC 3339: {0}"
)]
pub struct ScheduledTimeError(String);

#[derive(Deserialize)]
struct Tick {
    scheduled_time: String,
}

/// When the call was to be made. It is the same when the call is made late, or again.
pub fn parse_scheduled_time(event: &str) -> Result<Timestamp, ScheduledTimeError> {
    let tick: Tick = serde_json::from_str(event).map_err(|error| ScheduledTimeError(error.to_string()))?;
    let text = tick.scheduled_time;
    parse_timestamp(&text).map_err(|error| ScheduledTimeError(format!("{text:?}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_schedule_is_read_whatever_else_its_input_holds() {
        let time = parse_timestamp("2026-06-20T08:05:00Z").unwrap();
        for event in [
            r#"{"scheduled_time":"2026-06-20T08:05:00Z"}"#,
            r#"{"version":1,"scheduled_time":"2026-06-20T10:05:00+02:00"}"#,
        ] {
            assert_eq!(parse_scheduled_time(event), Ok(time), "{event}");
        }
    }

    #[test]
    fn an_event_without_a_time_is_refused_with_what_it_must_be() {
        for event in [
            "{}",
            "[]",
            "",
            r#"{"scheduled_time":"<aws.scheduler.scheduled-time>"}"#,
            r#"{"scheduled_time":5}"#,
        ] {
            let error = parse_scheduled_time(event).unwrap_err().to_string();
            assert!(error.contains("<aws.scheduler.scheduled-time>"), "{error}");
        }
    }
}
