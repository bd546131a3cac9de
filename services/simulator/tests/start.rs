//! The real binary, started as Lambda would and with something missing.
#![cfg(feature = "lambda")]

use wattstream_testkit::lambda::error_of_start;

#[test]
fn a_start_with_missing_or_bad_variables_fails_with_one_message_that_names_them_all() {
    let variables = [("AWS_REGION", "eu-central-1"), ("WATTSTREAM_FLEET_SITES", "many")];
    let error = error_of_start(env!("CARGO_BIN_EXE_simulator"), &variables);
    for part in ["WATTSTREAM_STREAM is not set", "WATTSTREAM_FLEET_SITES is \"many\""] {
        assert!(error.contains(part), "{error}");
    }
}
