//! The real binary, started as Lambda would and with something missing.

use wattstream_testkit::lambda::error_of_start;

const BINARY: &str = env!("CARGO_BIN_EXE_stream-consumer");

#[test]
fn a_start_with_missing_variables_fails_with_one_message_that_names_them_all() {
    let error = error_of_start(BINARY, &[("AWS_REGION", "eu-central-1")]);
    for name in [
        "WATTSTREAM_READINGS_TABLE",
        "WATTSTREAM_HOURS_TABLE",
        "WATTSTREAM_SITES_TABLE",
        "WATTSTREAM_SHARDS_TABLE",
        "WATTSTREAM_ALERTS_TABLE",
        "WATTSTREAM_ALERTS_TOPIC_ARN",
        "WATTSTREAM_DEAD_LETTERS_QUEUE_URL",
    ] {
        assert!(error.contains(&format!("{name} is not set")), "{error}");
    }
}

#[test]
fn a_start_without_a_region_or_with_a_filter_that_is_not_understood_says_so() {
    assert!(error_of_start(BINARY, &[]).contains("set AWS_REGION"));
    let error = error_of_start(BINARY, &[("WATTSTREAM_LOG", "wattstream=loud")]);
    assert!(error.starts_with("log filter \"wattstream=loud\" is not understood"), "{error}");
}
