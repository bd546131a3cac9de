//! The real binary, started as Lambda would and with something missing.

use wattstream_testkit::lambda::error_of_start;

const BINARY: &str = env!("CARGO_BIN_EXE_silent-sites");

#[test]
fn a_start_with_missing_or_bad_variables_fails_with_one_message_that_names_them_all() {
    let error = error_of_start(BINARY, &[("AWS_REGION", "eu-central-1"), ("WATTSTREAM_SILENT_AFTER", "0")]);
    for mistake in [
        "WATTSTREAM_STREAM is not set",
        "WATTSTREAM_SITES_TABLE is not set",
        "WATTSTREAM_SILENCES_TABLE is not set",
        "WATTSTREAM_ALERTS_TOPIC_ARN is not set",
        "WATTSTREAM_SILENT_AFTER is \"0\"",
    ] {
        assert!(error.contains(mistake), "{error}");
    }
}
