//! What an operator may choose about the event source, in Lambda's own ranges.
//!
//! Source of names, ranges and Lambda's defaults: AWS Lambda API, `CreateEventSourceMapping`, for a Kinesis stream. What
//! is not here has one fixed value: the starting position is `TRIM_HORIZON`, the parallelization factor 1,
//! `ReportBatchItemFailures` on; there are no tumbling windows and no filters.

use std::time::Duration;

/// The most records of a batch (`BatchSize`).
pub const BATCH_RECORDS_MAX: usize = 10_000;

/// The longest batching window (`MaximumBatchingWindowInSeconds`).
pub const BATCH_WINDOW_MAX: Duration = Duration::from_mins(5);

/// The most bytes of a batch: Lambda's limit for the payload of a synchronous invocation, 6 MB of 1,024 KiB.
pub const BATCH_BYTES_MAX: usize = 6 * 1_024 * 1_024;

/// The most retries that can be asked for; `None` asks for no limit (`MaximumRetryAttempts`).
pub const RETRY_ATTEMPTS_MAX: u32 = 10_000;

/// The least of the ages at which records can be given up (`MaximumRecordAgeInSeconds`).
pub const RECORD_AGE_MIN: Duration = Duration::from_mins(1);

/// The greatest of the ages at which records can be given up (`MaximumRecordAgeInSeconds`).
pub const RECORD_AGE_MAX: Duration = Duration::from_hours(7 * 24);

/// The longest that the consumer may take for a batch (the function's `Timeout`).
pub const INVOCATION_TIMEOUT_MAX: Duration = Duration::from_mins(15);

/// What an operator may choose about the event source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventSourceSettings {
    /// The most records of a batch, 1 to [`BATCH_RECORDS_MAX`]; Lambda's default is 100.
    pub batch_records_max: usize,
    /// How long records are gathered for a batch, counted from the end of the batch before, 0 to [`BATCH_WINDOW_MAX`];
    /// Lambda's default is 0. Lambda counts in whole seconds.
    pub batch_window: Duration,
    /// The most bytes of a batch in the form that Lambda delivers, 1 to [`BATCH_BYTES_MAX`]. A single record beyond it
    /// is delivered alone.
    pub batch_bytes_max: usize,
    /// How often a failed slice of a batch is delivered again before it is given up, 0 to [`RETRY_ATTEMPTS_MAX`];
    /// `None`, Lambda's default, for as long as it takes.
    pub retry_attempts_max: Option<u32>,
    /// Whether a batch that fails whole is halved, to close in on the record at fault; Lambda's default is `false`.
    pub bisect_on_error: bool,
    /// The age beyond which a record is given up instead of delivered, [`RECORD_AGE_MIN`] to [`RECORD_AGE_MAX`];
    /// `None`, Lambda's default, for no limit.
    pub record_age_max: Option<Duration>,
    /// How long the consumer may take for a batch, above 0 and up to [`INVOCATION_TIMEOUT_MAX`]. A batch that takes
    /// longer has failed whole.
    pub invocation_timeout: Duration,
    /// How long a shutdown waits for the batches in flight, up to [`INVOCATION_TIMEOUT_MAX`].
    pub shutdown_wait_max: Duration,
    /// Any number, different for processes that must not retry in step.
    pub jitter_seed: u64,
}

/// Which setting is out of its range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventSourceSettingsError {
    /// `batch_records_max`.
    #[error("batch_records_max is {0}: choose 1 to {BATCH_RECORDS_MAX} records")]
    BatchRecords(usize),
    /// `batch_window`.
    #[error("batch_window is {0:?}: choose 0 to {BATCH_WINDOW_MAX:?}")]
    BatchWindow(Duration),
    /// `batch_bytes_max`.
    #[error("batch_bytes_max is {0}: choose 1 to {BATCH_BYTES_MAX} bytes")]
    BatchBytes(usize),
    /// `retry_attempts_max`.
    #[error("retry_attempts_max is {0}: choose 0 to {RETRY_ATTEMPTS_MAX}, or none for no limit")]
    RetryAttempts(u32),
    /// `record_age_max`.
    #[error("record_age_max is {0:?}: choose {RECORD_AGE_MIN:?} to {RECORD_AGE_MAX:?}, or none for no limit")]
    RecordAge(Duration),
    /// `invocation_timeout`.
    #[error("invocation_timeout is {0:?}: choose more than 0 and up to {INVOCATION_TIMEOUT_MAX:?}")]
    InvocationTimeout(Duration),
    /// `shutdown_wait_max`.
    #[error("shutdown_wait_max is {0:?}: choose up to {INVOCATION_TIMEOUT_MAX:?}")]
    ShutdownWait(Duration),
}

impl EventSourceSettings {
    /// Names the first setting that is out of its range.
    pub(crate) fn check(&self) -> Result<(), EventSourceSettingsError> {
        use EventSourceSettingsError as Bad;
        if !(1..=BATCH_RECORDS_MAX).contains(&self.batch_records_max) {
            return Err(Bad::BatchRecords(self.batch_records_max));
        }
        if self.batch_window > BATCH_WINDOW_MAX {
            return Err(Bad::BatchWindow(self.batch_window));
        }
        if !(1..=BATCH_BYTES_MAX).contains(&self.batch_bytes_max) {
            return Err(Bad::BatchBytes(self.batch_bytes_max));
        }
        if let Some(attempts) = self.retry_attempts_max.filter(|&attempts| attempts > RETRY_ATTEMPTS_MAX) {
            return Err(Bad::RetryAttempts(attempts));
        }
        let ages = RECORD_AGE_MIN..=RECORD_AGE_MAX;
        if let Some(age) = self.record_age_max.filter(|age| !ages.contains(age)) {
            return Err(Bad::RecordAge(age));
        }
        if self.invocation_timeout.is_zero() || self.invocation_timeout > INVOCATION_TIMEOUT_MAX {
            return Err(Bad::InvocationTimeout(self.invocation_timeout));
        }
        if self.shutdown_wait_max > INVOCATION_TIMEOUT_MAX {
            return Err(Bad::ShutdownWait(self.shutdown_wait_max));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use EventSourceSettingsError as Bad;

    /// Lambda's defaults.
    fn settings() -> EventSourceSettings {
        EventSourceSettings {
            batch_records_max: 100,
            batch_window: Duration::ZERO,
            batch_bytes_max: BATCH_BYTES_MAX,
            retry_attempts_max: None,
            bisect_on_error: false,
            record_age_max: None,
            invocation_timeout: Duration::from_secs(3),
            shutdown_wait_max: Duration::from_secs(3),
            jitter_seed: 0,
        }
    }

    const TICK: Duration = Duration::from_nanos(1);
    const TOO_YOUNG: Duration = RECORD_AGE_MIN.saturating_sub(TICK);

    #[test]
    fn every_setting_is_held_to_lambdas_range() {
        type Set = fn(&mut EventSourceSettings);
        let cases: &[(Set, Result<(), Bad>)] = &[
            (|_| {}, Ok(())),
            (|s| s.batch_records_max = 0, Err(Bad::BatchRecords(0))),
            (|s| s.batch_records_max = 1, Ok(())),
            (|s| s.batch_records_max = 10_000, Ok(())),
            (|s| s.batch_records_max = 10_001, Err(Bad::BatchRecords(10_001))),
            (|s| s.batch_window = BATCH_WINDOW_MAX, Ok(())),
            (|s| s.batch_window = BATCH_WINDOW_MAX + TICK, Err(Bad::BatchWindow(BATCH_WINDOW_MAX + TICK))),
            (|s| s.batch_bytes_max = 0, Err(Bad::BatchBytes(0))),
            (|s| s.batch_bytes_max = 1, Ok(())),
            (|s| s.batch_bytes_max = BATCH_BYTES_MAX + 1, Err(Bad::BatchBytes(BATCH_BYTES_MAX + 1))),
            (|s| s.retry_attempts_max = Some(0), Ok(())),
            (|s| s.retry_attempts_max = Some(10_000), Ok(())),
            (|s| s.retry_attempts_max = Some(10_001), Err(Bad::RetryAttempts(10_001))),
            (|s| s.record_age_max = Some(RECORD_AGE_MIN), Ok(())),
            (|s| s.record_age_max = Some(RECORD_AGE_MAX), Ok(())),
            (|s| s.record_age_max = Some(TOO_YOUNG), Err(Bad::RecordAge(TOO_YOUNG))),
            (|s| s.record_age_max = Some(RECORD_AGE_MAX + TICK), Err(Bad::RecordAge(RECORD_AGE_MAX + TICK))),
            (|s| s.invocation_timeout = Duration::ZERO, Err(Bad::InvocationTimeout(Duration::ZERO))),
            (
                |s| s.invocation_timeout = INVOCATION_TIMEOUT_MAX + TICK,
                Err(Bad::InvocationTimeout(INVOCATION_TIMEOUT_MAX + TICK)),
            ),
            (|s| s.shutdown_wait_max = Duration::ZERO, Ok(())),
            (
                |s| s.shutdown_wait_max = INVOCATION_TIMEOUT_MAX + TICK,
                Err(Bad::ShutdownWait(INVOCATION_TIMEOUT_MAX + TICK)),
            ),
        ];
        for (set, expected) in cases {
            let mut settings = settings();
            set(&mut settings);
            assert_eq!(settings.check(), *expected, "{settings:?}");
        }
    }

    #[test]
    fn a_bad_setting_is_named_with_its_range() {
        let error = EventSourceSettings { batch_records_max: 0, ..settings() }.check().unwrap_err();
        assert_eq!(error.to_string(), "batch_records_max is 0: choose 1 to 10000 records");
    }
}
