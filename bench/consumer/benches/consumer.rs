//! What a consumer costs from a Kinesis event to the bodies of the requests that write its readings: processor time per
//! record of ours, of a naive one in Rust and of one in Python, in one run.
//!
//! `cargo bench -p wattstream-consumer-bench`, after `cargo xtask local-aws install`, which brings Python's part
//!
//! What must always hold: all of them make the same items of the same event, or nothing is printed. Ours does more: it
//! folds states, judges every rule and sums hours.

use wattstream_consumer_bench::{Comparison, compare};
use wattstream_test_env::local_aws::{Installation, folder};

/// Rounds of each; the best one counts, because whatever else runs on the machine can only add to it.
const ROUNDS: usize = 60;

/// Records of an event.
const RECORDS: [usize; 2] = [500, 5_000];

fn main() -> anyhow::Result<()> {
    for records in RECORDS {
        let python = Installation::find(folder())?.python();
        print(records, &compare(records, ROUNDS, python)?);
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "this is the program's result")]
fn print(records: usize, comparison: &Comparison) {
    let Comparison { ours_ns, naive_ns, python_ns } = comparison;
    println!("{records} records: the same items from all of them");
    for (name, ns) in [("ours", ours_ns), ("naive Rust", naive_ns), ("Python", python_ns)] {
        println!("  {name:12} {ns:10.0} ns a record, ours is 1/{:.1} of it", ns / ours_ns);
    }
}
