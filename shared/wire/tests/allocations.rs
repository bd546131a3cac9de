//! An event costs the same number of allocations however many records it has.

use allocation_counter::measure;
use wattstream_wire::kinesis_event;

/// The record of the golden event with other numbers.
fn event(records: u64) -> String {
    let golden = include_str!("../golden/kinesis_event.json").trim_end();
    let record = golden.trim_start_matches("{\"Records\":[").trim_end_matches("]}");
    let mut event = String::from("{\"Records\":[");
    for number in 0..records {
        let separator = if number == 0 { "" } else { "," };
        event.push_str(separator);
        event.push_str(&record.replace("136588898", &format!("{number:09}")));
    }
    event + "]}"
}

fn allocations(records: u64) -> u64 {
    let event = event(records);
    measure(|| {
        let event = kinesis_event::parse(event.as_bytes()).expect("the event is sound");
        assert_eq!(event.into_records().filter(|record| record.fault.is_none()).count() as u64, records);
    })
    .count_total
}

#[test]
fn a_record_costs_no_allocation_of_its_own() {
    let few = allocations(10);
    assert!(few < 20, "{few} allocations for ten records");
    assert_eq!(allocations(7_000), few);
}
