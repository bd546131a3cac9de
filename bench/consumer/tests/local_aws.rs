//! The comparison itself, on little: all consumers make the same items. Nothing is asserted of their speed.

use wattstream_consumer_bench::compare;
use wattstream_test_env::local_aws::python;

#[test]
fn ours_the_naive_one_and_the_one_in_python_make_the_same_items_of_an_event() {
    let Some(python) = python() else { return };
    let comparison = compare(500, 1, python).expect("the consumers agree");
    assert!(comparison.ours_ns > 0.0 && comparison.naive_ns > 0.0 && comparison.python_ns > 0.0);
}
