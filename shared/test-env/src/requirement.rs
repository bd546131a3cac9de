//! What it means when something is missing that a test needs. What must always hold: a skip is never silent, and where
//! everything is required it is a failure.

use std::{
    env,
    io::{self, Write},
};

/// The variable that forbids every skip, as `.ci/run` does.
const REQUIRE_ALL: &str = "WATTSTREAM_REQUIRE_ALL";

/// Whether a test or a check that has to go without something fails.
pub fn everything_is_required() -> bool {
    env::var_os(REQUIRE_ALL).is_some_and(|value| value == "1")
}

/// Says that a test goes without something, and how that is mended; the test returns then. Where everything is
/// required this panics instead.
#[track_caller]
pub fn skip(why: &str) {
    assert!(!everything_is_required(), "a skip counts as a failure under {REQUIRE_ALL}=1: {why}");
    // Not `println!`, whose output a test that passes never shows. A closed stderr leaves nowhere to say it.
    let _ = writeln!(io::stderr(), "SKIPPED: {why}");
}
