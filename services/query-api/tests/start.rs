//! The real binary, started as Lambda would and with something missing.
#![cfg(feature = "lambda")]

use wattstream_testkit::lambda::error_of_start;

const BINARY: &str = env!("CARGO_BIN_EXE_query-api");

#[test]
fn a_start_with_missing_variables_fails_with_one_message_that_names_them_all() {
    let error = error_of_start(BINARY, &[("AWS_REGION", "eu-central-1")]);
    for name in [
        "WATTSTREAM_READINGS_TABLE",
        "WATTSTREAM_HOURS_TABLE",
        "WATTSTREAM_SITES_TABLE",
        "WATTSTREAM_ALERTS_TABLE",
        "WATTSTREAM_STREAM",
        "WATTSTREAM_DEAD_LETTERS_QUEUE_URL",
    ] {
        assert!(error.contains(&format!("{name} is not set")), "{error}");
    }
}
