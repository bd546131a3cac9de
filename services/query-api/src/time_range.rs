//! Times and ranges in a query string. What must always hold: a range is half-open, `start <= t < end`; a text means
//! one instant or none, and what is not written in an accepted form is refused, never guessed.

use wattstream_domain::Timestamp;
use wattstream_wire::{TimestampTextError, parse_timestamp};

use crate::parameters::{Form, Parameter, Parameters};
use crate::problem::{Problem, ProblemType, quote};

/// What every accepted time looks like, and some others.
const INSTANT: &str = r"^(now(-[0-9]+[smhdw])?|[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt].+)?)$";

/// The parameters that a range is read from.
pub(crate) const START: Parameter = Parameter {
    name: "start",
    description: "The first instant asked for. RFC 3339 with an offset (`2025-06-20T00:00:00Z`; write a `+` as `%2B`), \
                  a date (`2025-06-20`, its midnight in UTC), `now`, or a time ago (`now-24h`; units s, m, h, d, w). \
                  Without it, from the first reading on.",
    form: Form::Pattern(INSTANT),
};
pub(crate) const END: Parameter = Parameter {
    name: "end",
    description: "The first instant not asked for, in the same forms: `end=2025-06-21` ends with the last reading of the \
                  20th. Without it, to the last reading.",
    form: Form::Pattern(INSTANT),
};
pub(crate) const START_DATE: Parameter =
    Parameter { name: "start_date", description: "Another name for `start`.", form: Form::Pattern(INSTANT) };
pub(crate) const END_DATE: Parameter =
    Parameter { name: "end_date", description: "Another name for `end`.", form: Form::Pattern(INSTANT) };

/// The instants with `start <= t < end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimeRange {
    /// The first.
    pub(crate) start: Timestamp,
    /// The first after it.
    pub(crate) end: Timestamp,
}

impl TimeRange {
    /// The range that `parameters` ask for.
    pub(crate) fn of(parameters: &Parameters, now: Timestamp) -> Result<Self, Problem> {
        let start = instant_of(parameters, &START, &START_DATE, now)?.unwrap_or(Timestamp::MIN);
        let end = instant_of(parameters, &END, &END_DATE, now)?.unwrap_or(Timestamp::MAX);
        if start > end {
            let detail = format!("start ({start}) is later than end ({end}). Swap them, or widen the range.");
            return Err(Problem::new(ProblemType::RangeReversed, detail).about(START.name));
        }
        Ok(Self { start, end })
    }

    /// The range as the client wrote it: what a cursor is bound to.
    pub(crate) fn as_written(parameters: &Parameters) -> String {
        let text = |name: &Parameter, alias: &Parameter| {
            parameters.get(name.name).or_else(|| parameters.get(alias.name)).unwrap_or_default().to_owned()
        };
        format!("{}\n{}", text(&START, &START_DATE), text(&END, &END_DATE))
    }
}

fn instant_of(
    parameters: &Parameters,
    name: &Parameter,
    alias: &Parameter,
    now: Timestamp,
) -> Result<Option<Timestamp>, Problem> {
    let (given, text) = match (parameters.get(name.name), parameters.get(alias.name)) {
        (None, None) => return Ok(None),
        (Some(text), Some(other)) if text != other => {
            let detail = format!(
                "{} and {} are two names for one time, and have two values. Give one of them.",
                name.name, alias.name
            );
            return Err(Problem::new(ProblemType::RepeatedParameter, detail).about(alias.name));
        }
        (Some(text), _) => (name.name, text),
        (None, Some(text)) => (alias.name, text),
    };
    instant(given, text, now).map(Some)
}

/// The instant that the parameter `name` means by `text`.
pub(crate) fn instant(name: &str, text: &str, now: Timestamp) -> Result<Timestamp, Problem> {
    parse_instant(text, now).map_err(|error| {
        let detail = format!("{name}={} {error}. Accepted are {ACCEPTED}.", quote(text));
        Problem::new(ProblemType::TimeInvalid, detail).about(name)
    })
}

const ACCEPTED: &str = "RFC 3339 with an offset (2025-06-20T00:00:00Z, or %2B02:00 instead of Z), a date (2025-06-20, its \
                        midnight in UTC), now, and a time ago (now-24h; units s, m, h, d, w)";

/// Why a text is not a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum TimeError {
    #[error(
        "has a space where its offset begins: an unescaped + means a space in an address. Write %2B, or use Z"
    )]
    UnescapedPlus,
    #[error("is no time ago: after now- come digits and one of s, m, h, d, w")]
    Ago,
    #[error("{0}")]
    Timestamp(TimestampTextError),
}

fn parse_instant(text: &str, now: Timestamp) -> Result<Timestamp, TimeError> {
    if let Some(ago) = text.strip_prefix("now") {
        return ago_ms(ago).map(|ms| now.saturating_add_ms(-ms)).ok_or(TimeError::Ago);
    }
    if is_date(text) {
        return parse_timestamp(&format!("{text}T00:00:00Z")).map_err(TimeError::Timestamp);
    }
    parse_timestamp(text).map_err(|error| {
        let is_unescaped = text.contains(' ') && parse_timestamp(&text.replace(' ', "+")).is_ok();
        if is_unescaped { TimeError::UnescapedPlus } else { TimeError::Timestamp(error) }
    })
}

/// Whether `text` has the shape of a date; whether the date exists is for the parser of timestamps to say.
fn is_date(text: &str) -> bool {
    const SHAPE: &[u8] = b"0000-00-00";
    text.len() == SHAPE.len()
        && text
            .bytes()
            .zip(SHAPE)
            .all(|(byte, shape)| if *shape == b'0' { byte.is_ascii_digit() } else { byte == b'-' })
}

/// The milliseconds of `-24h`; 0 for nothing.
fn ago_ms(text: &str) -> Option<i64> {
    if text.is_empty() {
        return Some(0);
    }
    let count_and_unit = text.strip_prefix('-')?;
    let (digits, unit) = count_and_unit.split_at_checked(count_and_unit.len().checked_sub(1)?)?;
    let unit_ms: i64 = match unit {
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        "w" => 604_800_000,
        _ => return None,
    };
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    // A count beyond u32 is some thousand years even in seconds: a mistake, not a range.
    is_number.then(|| digits.parse::<u32>().ok()).flatten().map(|count| i64::from(count) * unit_ms)
}

#[cfg(test)]
mod tests;
