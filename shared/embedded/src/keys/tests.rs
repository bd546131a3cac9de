//! Keys are injective, and their order is the order of what they stand for.

use super::*;
use proptest::prelude::*;
use wattstream_domain::{Episode, Phase, Rule, Score, Subject};

fn site_ids() -> impl Strategy<Value = SiteId> {
    // Few characters, so that one id is often the beginning of another.
    "[-.:A_z]{1,4}|[A-Za-z0-9_.:-]{60,64}".prop_map(|text| text.parse().unwrap())
}

fn timestamps() -> impl Strategy<Value = Timestamp> {
    (0..=Timestamp::MAX.unix_ms()).prop_map(|unix_ms| Timestamp::from_unix_ms(unix_ms).unwrap())
}

fn positions() -> impl Strategy<Value = Position> {
    let sequences = "0|[1-9][0-9]{0,3}|[1-9][0-9]{0,128}".prop_map(|text| text.parse().unwrap());
    (0..3_u64, sequences, prop_oneof![0..3_u64, any::<u64>()]).prop_map(|(shard, sequence, sub_sequence)| {
        Position { shard: ShardId(shard), sequence, sub_sequence }
    })
}

proptest! {
    #[test]
    fn instants_order_by_site_and_then_by_time(
        (site_a, at_a) in (site_ids(), timestamps()), (site_b, at_b) in (site_ids(), timestamps()),
    ) {
        prop_assert_eq!(instant(site_a, at_a).cmp(&instant(site_b, at_b)), (site_a, at_a).cmp(&(site_b, at_b)));
        prop_assert_eq!(parse_instant(&instant(site_a, at_a)), Some(at_a));
        prop_assert_eq!(parse_instant_of_site(&instant(site_a, at_a)), Some((site_a, at_a)));
    }

    #[test]
    fn a_range_of_instants_holds_its_site_and_its_time_only(
        (site, start, end) in (site_ids(), timestamps(), timestamps()), (other, at) in (site_ids(), timestamps()),
    ) {
        let is_inside = instants(site, &(start..=end)).contains(&instant(other, at));
        prop_assert_eq!(is_inside, other == site && (start..=end).contains(&at));
    }

    #[test]
    fn sites_are_read_back_and_keep_their_order(a in site_ids(), b in site_ids()) {
        prop_assert_eq!(parse_site(&site(a)), Some(a));
        prop_assert_eq!(site(a).cmp(&site(b)), a.cmp(&b));
    }

    #[test]
    fn records_order_by_shard_and_then_by_number(a: (u64, u64), b: (u64, u64)) {
        let key = |(shard, sequence): (u64, u64)| record(ShardId(shard), sequence);
        prop_assert_eq!(key(a).cmp(&key(b)), a.cmp(&b));
        prop_assert_eq!(parse_record(&key(a)), Some(a.1));
    }

    #[test]
    fn positions_are_read_back_and_order_as_numbers(a in positions(), b in positions()) {
        prop_assert_eq!(parse_position(&position(&a)), Some(a));
        let in_order = |p: Position| (p.shard, p.sequence, p.sub_sequence);
        prop_assert_eq!(position(&a).cmp(&position(&b)), in_order(a).cmp(&in_order(b)));
    }

    #[test]
    fn bytes_that_are_no_key_are_recognised(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        if let Some(parsed) = parse_position(&bytes) {
            // Leading zeros are the only second spelling, and no key of ours has them.
            prop_assert!(position(&parsed).len() <= bytes.len());
        }
        let _ = (parse_instant(&bytes), parse_site(&bytes), parse_record(&bytes), parse_alert(&bytes));
        if let Some((site_id, at)) = parse_instant_of_site(&bytes) {
            prop_assert_eq!(instant(site_id, at), bytes);
        }
    }

    #[test]
    fn alerts_order_by_time_and_name_their_site(
        (site_a, at_a) in (site_ids(), timestamps()), (site_b, at_b) in (site_ids(), timestamps()), number: u64,
    ) {
        let (a, b) = (alert_of(site_a, at_a, number), alert_of(site_b, at_b, number));
        prop_assert_eq!(parse_alert(&alert(&a)), Some(site_a));
        prop_assert_eq!(alert(&a) == alert(&b), a == b);
        if at_a != at_b {
            prop_assert_eq!(alert(&a).cmp(&alert(&b)), at_a.cmp(&at_b));
        }
    }
}

fn alert_of(site_id: SiteId, at: Timestamp, number: u64) -> Alert {
    let episode = Episode {
        rule: Rule::HighLimit,
        number,
        opened_at: at,
        last_at: at,
        readings: 1,
        score: Score::THRESHOLD,
        quiet_readings: 0,
    };
    Alert { site_id, phase: Phase::Opened, at, subject: Subject::Episode(episode) }
}
