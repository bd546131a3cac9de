//! What a fleet looks like and what its meters say, with and without faults.

use std::collections::{HashMap, HashSet};

use proptest::prelude::*;
use wattstream_domain::{Energy, HOUR_MS};

use super::*;
use crate::Emission;
use crate::moment::Moment;
use crate::sun::Sun;

const FIVE_MINUTES_MS: u32 = 300_000;
const HOURLY_MS: u32 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// 2026-06-15T00:00:00Z, a Monday.
const MONDAY: i64 = 1_781_481_600_000;
/// 2026-01-01T00:00:00Z.
const NEW_YEAR: i64 = 1_767_225_600_000;

fn at(unix_ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(unix_ms).unwrap()
}

fn settings(seed: u64, sites: usize) -> FleetSettings {
    FleetSettings { seed, sites, interval_ms: FIVE_MINUTES_MS, faults_per_site_week: 0 }
}

fn faultless(seed: u64, sites: usize) -> Fleet {
    Fleet::new(settings(seed, sites)).unwrap()
}

fn hourly(seed: u64, sites: usize) -> Fleet {
    Fleet::new(FleetSettings { interval_ms: HOURLY_MS, ..settings(seed, sites) }).unwrap()
}

fn faulty(seed: u64) -> Fleet {
    Fleet::new(FleetSettings { faults_per_site_week: 14, ..settings(seed, 12) }).unwrap()
}

fn sites_of(fleet: &Fleet, kind: SiteKind) -> impl Iterator<Item = usize> {
    (0..fleet.sites().len()).filter(move |&index| fleet.sites()[index].kind == kind)
}

fn measure(fleet: &Fleet, site_index: usize, unix_ms: i64) -> Measure {
    fleet.reading(site_index, at(unix_ms)).unwrap().measure
}

/// Consumed milliwatt-hours between two local hours of the `day`th day after Monday, at hourly intervals.
fn consumed(fleet: &Fleet, site_index: usize, day: i64, hours: std::ops::Range<i64>) -> i64 {
    let midnight = MONDAY + day * DAY_MS - fleet.sites()[site_index].place.utc_offset_hours() * HOUR_MS;
    hours.map(|hour| measure(fleet, site_index, midnight + hour * HOUR_MS).consumed.milliwatt_hours()).sum()
}

#[test]
fn the_first_sites_show_one_of_each_kind() {
    for seed in 0..20 {
        let fleet = faultless(seed, 4);
        let names: Vec<&str> = fleet.sites().iter().map(|site| site.id.as_str()).collect();
        assert_eq!(names, ["pv-farm-alentejo-01", "home-fontana-01", "office-berlin-01", "plant-lyon-01"]);
    }
}

#[test]
fn a_hundred_thousand_sites_have_names_of_their_own() {
    let fleet = faultless(7, SITES_MAX);
    let names: HashSet<SiteId> = fleet.sites().iter().map(|site| site.id).collect();
    assert_eq!(names.len(), SITES_MAX);
}

#[test]
fn a_larger_fleet_begins_with_the_sites_of_a_smaller_one() {
    assert_eq!(faultless(3, 50).sites(), &faultless(3, 500).sites()[..50]);
}

#[test]
fn some_sites_of_a_dozen_both_generate_and_consume() {
    let with_pv = |kind: SiteKind| {
        let fleet = faultless(1, 12);
        sites_of(&fleet, kind).map(|index| fleet.sites()[index].pv_array.is_some()).collect::<Vec<_>>()
    };
    assert_eq!(with_pv(SiteKind::PvFarm), [true, true]);
    for kind in [SiteKind::Home, SiteKind::Office, SiteKind::Plant] {
        assert!(with_pv(kind).contains(&true) && with_pv(kind).contains(&false), "{kind:?}");
    }
}

#[test]
fn sites_report_spread_over_the_interval() {
    let fleet = faultless(1, 12);
    let mut delays_ms: Vec<u32> = fleet.sites().iter().map(|site| site.report_delay_ms).collect();
    delays_ms.sort_unstable();
    let longest_gap_ms = delays_ms.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
    assert!(longest_gap_ms <= 45_000, "{delays_ms:?}");
    assert!(delays_ms.iter().all(|&delay_ms| delay_ms < FIVE_MINUTES_MS && delay_ms.is_multiple_of(1_000)));
}

#[test]
fn impossible_fleets_are_refused() {
    let good = settings(1, 12);
    for (settings, error) in [
        (FleetSettings { sites: 0, ..good }, FleetError::Sites(0)),
        (FleetSettings { sites: SITES_MAX + 1, ..good }, FleetError::Sites(SITES_MAX + 1)),
        (FleetSettings { interval_ms: 999, ..good }, FleetError::Interval(999)),
        (FleetSettings { interval_ms: 1_500, ..good }, FleetError::Interval(1_500)),
        (
            FleetSettings { interval_ms: INTERVAL_MS_MAX + 1_000, ..good },
            FleetError::Interval(INTERVAL_MS_MAX + 1_000),
        ),
        (FleetSettings { faults_per_site_week: 169, ..good }, FleetError::FaultRate(169)),
    ] {
        assert_eq!(Fleet::new(settings).unwrap_err(), error);
    }
}

#[test]
fn faults_that_cannot_be_planted_are_refused() {
    let mut fleet = faultless(1, 4);
    let good = fleet.next_fault(FaultKind::UnitSlip, at(MONDAY)).unwrap();
    let nobody = SiteId::new("home-nowhere-01").unwrap();
    let start = at(MONDAY + 1);
    assert_eq!(fleet.plant(Fault { site_id: nobody, ..good }), Err(FleetError::UnknownSite(nobody)));
    assert_eq!(
        fleet.plant(Fault { start, ..good }),
        Err(FleetError::OffGrid { start, interval_ms: FIVE_MINUTES_MS })
    );
    for _ in 0..FAULTS_PLANTED_MAX {
        fleet.plant(good).unwrap();
    }
    assert_eq!(fleet.plant(good), Err(FleetError::TooManyFaults));
}

#[test]
fn there_is_no_reading_off_the_grid_or_of_an_absent_site() {
    let fleet = faultless(1, 4);
    assert_eq!(fleet.reading(0, at(MONDAY + 1)), None);
    assert_eq!(fleet.reading(4, at(MONDAY)), None);
}

#[test]
fn seeds_and_sites_and_instants_differ() {
    let fleet = faultless(1, 12);
    let here = measure(&fleet, 1, MONDAY);
    assert_ne!(measure(&faultless(2, 12), 1, MONDAY), here);
    assert_ne!(measure(&fleet, 4, MONDAY), here);
    assert_ne!(measure(&fleet, 1, MONDAY + i64::from(FIVE_MINUTES_MS)), here);
}

#[test]
fn nothing_is_generated_while_the_sun_is_down() {
    let fleet = faultless(5, 12);
    let (mut days, mut nights) = (0, 0);
    for (site_index, site) in fleet.sites().iter().enumerate() {
        for step in 0..2 * 288 {
            let start = at(MONDAY + step * i64::from(FIVE_MINUTES_MS));
            let is_up =
                |ms| Sun::seen_from(site.place, &Moment::of(start.saturating_add_ms(ms), site.place)).is_up();
            let generated = measure(&fleet, site_index, start.unix_ms()).generated;
            if site.pv_array.is_none() || !(is_up(0) || is_up(FIVE_MINUTES_MS.into())) {
                assert_eq!(generated, Energy::ZERO, "{} {start}", site.id);
                nights += 1;
            } else if generated > Energy::ZERO {
                days += 1;
            }
        }
    }
    assert!(days > 1_500 && nights > 1_500, "{days} {nights}");
}

#[test]
fn pv_peaks_within_two_hours_of_solar_noon() {
    let fleet = hourly(1, 48);
    for farm in sites_of(&fleet, SiteKind::PvFarm) {
        let place = fleet.sites()[farm].place;
        let of_hour = |hour: i64| -> i64 {
            let days = (0..28).map(|day| MONDAY + day * DAY_MS);
            days.map(|day| measure(&fleet, farm, day + hour * HOUR_MS).generated.milliwatt_hours()).sum()
        };
        let peak_hour = (0..24).max_by_key(|&hour| of_hour(hour)).unwrap();
        #[expect(clippy::cast_precision_loss, reason = "an hour of the day")]
        let from_noon_hours = (peak_hour as f64 + 0.5 + place.longitude_deg / 15.0).rem_euclid(24.0) - 12.0;
        assert!(from_noon_hours.abs() < 2.0, "{}: {from_noon_hours}", fleet.sites()[farm].id);
    }
}

#[test]
fn a_farm_yields_what_farms_yield_at_its_latitude() {
    let fleet = hourly(1, 200);
    let mut yields: HashMap<&str, f64> = HashMap::new();
    for farm in sites_of(&fleet, SiteKind::PvFarm) {
        let site = &fleet.sites()[farm];
        if yields.contains_key(site.place.name) {
            continue;
        }
        let hours = (0..365 * 24).map(|hour| NEW_YEAR + hour * HOUR_MS);
        let year_mwh: i64 = hours.map(|hour| measure(&fleet, farm, hour).generated.milliwatt_hours()).sum();
        #[expect(clippy::cast_precision_loss, reason = "a ratio to look at")]
        let kwh_per_kwp = year_mwh as f64 / 1e6 / site.pv_array.unwrap().peak_kw;
        yields.insert(site.place.name, kwh_per_kwp);
    }
    assert_eq!(yields.len(), SiteKind::PvFarm.places().len());
    assert!(yields.values().all(|kwh_per_kwp| (850.0..2_100.0).contains(kwh_per_kwp)), "{yields:?}");
    assert!(yields["brandenburg"] < yields["provence"], "{yields:?}");
    assert!(yields["provence"] < yields["alentejo"] && yields["alentejo"] < yields["mojave"], "{yields:?}");
}

#[test]
fn homes_are_busiest_in_the_evening() {
    let fleet = hourly(1, 48);
    for home in sites_of(&fleet, SiteKind::Home) {
        let of_hours = |from: i64| (0..7).map(|day| consumed(&fleet, home, day, from..from + 3)).sum::<i64>();
        let (night, evening) = (of_hours(1), of_hours(18));
        assert!(evening > 3 * night / 2, "{}: {night} {evening}", fleet.sites()[home].id);
    }
}

#[test]
fn homes_get_up_later_on_weekends() {
    let fleet = hourly(1, 120);
    let of_hours = |days: [i64; 2], hours: std::ops::Range<i64>| -> i64 {
        let homes = sites_of(&fleet, SiteKind::Home);
        homes.map(|home| days.map(|day| consumed(&fleet, home, day, hours.clone())).iter().sum::<i64>()).sum()
    };
    let (workdays, weekend) = ([0, 1], [5, 6]);
    assert!(of_hours(workdays, 6..8) > of_hours(weekend, 6..8));
    assert!(of_hours(workdays, 9..16) < of_hours(weekend, 9..16));
}

#[test]
fn offices_work_by_day_and_rest_on_weekends() {
    let fleet = hourly(1, 48);
    for office in sites_of(&fleet, SiteKind::Office) {
        let name = fleet.sites()[office].id;
        let workday = consumed(&fleet, office, 1, 0..24);
        assert!(workday > 3 * consumed(&fleet, office, 6, 0..24) / 2, "{name}");
        assert!(consumed(&fleet, office, 1, 10..13) > 2 * consumed(&fleet, office, 1, 1..4), "{name}");
    }
}

#[test]
fn plants_run_all_day_and_rest_on_sundays() {
    let fleet = hourly(1, 48);
    for plant in sites_of(&fleet, SiteKind::Plant) {
        let name = fleet.sites()[plant].id;
        let (shift, night) = (consumed(&fleet, plant, 1, 9..12), consumed(&fleet, plant, 1, 1..4));
        assert!(night > shift / 3, "{name}: {night} {shift}");
        assert!(consumed(&fleet, plant, 1, 0..24) > consumed(&fleet, plant, 6, 0..24), "{name}");
    }
}

#[test]
fn heating_makes_a_northern_winter_dearer() {
    let fleet = hourly(1, 120);
    let leeds =
        sites_of(&fleet, SiteKind::Home).find(|&home| fleet.sites()[home].place.name == "leeds").unwrap();
    let (january, june) = (consumed(&fleet, leeds, -22 * 7, 0..168), consumed(&fleet, leeds, 0, 0..168));
    assert!(january > june * 11 / 10, "{january} {june}");
}

#[test]
fn an_hour_is_about_its_twelve_intervals() {
    let (fine, coarse) = (faultless(1, 12), hourly(1, 12));
    for site_index in 0..12 {
        let noon = MONDAY + 11 * HOUR_MS;
        let of_fine = |step: i64| measure(&fine, site_index, noon + step * i64::from(FIVE_MINUTES_MS));
        let parts: i64 = (0..12).map(|step| of_fine(step).consumed.milliwatt_hours()).sum();
        let whole = measure(&coarse, site_index, noon).consumed.milliwatt_hours();
        assert!((parts - whole).abs() < whole / 4, "{site_index}: {parts} {whole}");
    }
}

#[test]
fn each_kind_of_fault_comes_by_itself_and_only_as_often_as_set() {
    let fleet = faulty(1);
    let weeks = fleet.scheduled_faults(at(MONDAY), at(MONDAY + 14 * DAY_MS)).collect::<Vec<_>>();
    for kind in FaultKind::ALL {
        assert!(weeks.iter().any(|fault| fault.kind == kind), "{kind}");
    }
    // 12 sites, 2 weeks, 14 faults a site-week, less or more those at the edges.
    assert!((312..=348).contains(&weeks.len()), "{}", weeks.len());
    assert_eq!(faultless(1, 12).scheduled_faults(at(MONDAY), at(MONDAY + DAY_MS)).count(), 0);
}

/// A faultless fleet, the same with one fault from `MONDAY` noon at its home with PV, and that site's index.
fn planted(kind: FaultKind, intervals: u32) -> (Fleet, Fleet, usize) {
    let (truth, mut fleet, home) = (faultless(1, 4), faultless(1, 4), 1);
    let start = at(MONDAY + 20 * HOUR_MS);
    fleet.plant(Fault { site_id: fleet.sites()[home].id, kind, start, intervals }).unwrap();
    (truth, fleet, home)
}

/// What the home sends of the `step`th interval after the fault began: how many intervals late, and what.
fn sent(fleet: &Fleet, home: usize, step: i64) -> Vec<(i64, Measure)> {
    let start = at(MONDAY + 20 * HOUR_MS + step * i64::from(FIVE_MINUTES_MS));
    let in_time = start.unix_ms() + i64::from(FIVE_MINUTES_MS + fleet.sites()[home].report_delay_ms);
    let due = fleet.due(at(MONDAY + 19 * HOUR_MS), at(MONDAY + 24 * HOUR_MS));
    let is_it = |it: &Emission| it.reading.timestamp == start && it.reading.site_id == fleet.sites()[home].id;
    let late = |it: Emission| (it.at.unix_ms() - in_time) / i64::from(FIVE_MINUTES_MS);
    due.filter(is_it).map(|it| (late(it), it.reading.measure)).collect()
}

#[test]
fn each_fault_does_what_its_name_says_while_it_lasts() {
    for kind in FaultKind::ALL {
        let (truth, fleet, home) = planted(kind, 4);
        let true_measure = |step: i64| sent(&truth, home, step)[0].1;
        for step in [-1, 4] {
            assert_eq!(sent(&fleet, home, step), [(0, true_measure(step))], "{kind} {step}");
        }
        for step in 0..4 {
            let Measure { generated, consumed } = true_measure(step);
            let scaled = |energy: Energy, factor| {
                Energy::from_milliwatt_hours(energy.milliwatt_hours() * factor).unwrap()
            };
            let sent = sent(&fleet, home, step);
            let name = format!("{kind} {step}: {sent:?}");
            match kind {
                FaultKind::NegativeEnergy => {
                    assert!(consumed > Energy::ZERO);
                    assert_eq!(sent, [(0, Measure { generated, consumed: scaled(consumed, -1) })], "{name}");
                }
                FaultKind::UnitSlip => {
                    let measure =
                        Measure { generated: scaled(generated, 1_000), consumed: scaled(consumed, 1_000) };
                    assert!(generated > Energy::ZERO);
                    assert_eq!(sent, [(0, measure)], "{name}");
                }
                FaultKind::StuckMeter => assert_eq!(sent, [(0, true_measure(0))], "{name}"),
                FaultKind::Outage => assert_eq!(sent, [], "{name}"),
                FaultKind::Late => assert_eq!(sent, [(3, true_measure(step))], "{name}"),
                FaultKind::Duplicate => {
                    assert_eq!(sent, [(0, true_measure(step)), (1, true_measure(step))], "{name}");
                }
                FaultKind::Revised => {
                    assert_eq!(sent.len(), 2, "{name}");
                    assert_eq!(sent[1], (2, true_measure(step)), "{name}");
                    assert!(sent[0].0 == 0 && sent[0].1 != sent[1].1, "{name}");
                }
            }
        }
    }
}

#[test]
fn the_next_fault_shows_within_the_minute() {
    for seed in 0..50 {
        let mut fleet = faulty(seed);
        let now = at(MONDAY + i64::from(u32::try_from(seed).unwrap()) * 61_000);
        let fault = fleet.next_fault(FaultKind::NegativeEnergy, now).unwrap();
        fleet.plant(fault).unwrap();
        let mut soon = fleet.due(now, now.saturating_add_ms(60_000));
        let is_it =
            |it: Emission| it.reading.site_id == fault.site_id && it.reading.measure.consumed.is_negative();
        assert!(soon.any(is_it), "seed {seed}");
    }
}

#[test]
fn a_planted_fault_takes_the_place_of_a_scheduled_one() {
    let mut fleet = faulty(1);
    let outage = |fault: &Fault| fault.kind == FaultKind::Outage;
    let outage = fleet.scheduled_faults(at(MONDAY), at(MONDAY + 7 * DAY_MS)).find(outage).unwrap();
    let site_index = fleet.sites().iter().position(|site| site.id == outage.site_id).unwrap();
    assert_eq!(fleet.reading(site_index, outage.start), None);
    fleet.plant(Fault { kind: FaultKind::NegativeEnergy, intervals: 1, ..outage }).unwrap();
    assert!(measure(&fleet, site_index, outage.start.unix_ms()).consumed.is_negative());
    assert_eq!(fleet.reading(site_index, outage.start.saturating_add_ms(FIVE_MINUTES_MS.into())), None);
}

#[test]
fn the_last_emission_of_an_interval_is_its_reading() {
    let fleet = faulty(4);
    let (from, to) = (at(MONDAY), at(MONDAY + 2 * DAY_MS));
    let mut last: HashMap<(SiteId, Timestamp), Measure> = HashMap::new();
    for Emission { reading, .. } in fleet.due(from, to) {
        last.insert((reading.site_id, reading.timestamp), reading.measure);
    }
    let (settled_from, settled_to) = (MONDAY, MONDAY + 2 * DAY_MS - HOUR_MS);
    let starts = (settled_from..settled_to).step_by(FIVE_MINUTES_MS as usize).map(at);
    for (start, site_index) in starts.flat_map(|start| (0..12).map(move |index| (start, index))) {
        let reading = fleet.reading(site_index, start).map(|reading| reading.measure);
        assert_eq!(
            last.get(&(fleet.sites()[site_index].id, start)).copied(),
            reading,
            "{site_index} {start}"
        );
    }
}

#[test]
fn one_scheduled_interval_hears_each_faultless_site_once() {
    let fleet = faultless(1, 100);
    let now = at(MONDAY + 12_345);
    let heard: Vec<Emission> = fleet.due(now, now.saturating_add_ms(FIVE_MINUTES_MS.into())).collect();
    assert_eq!(heard.len(), 100);
    assert_eq!(heard.iter().map(|it| it.reading.site_id).collect::<HashSet<_>>().len(), 100);
    assert!(heard.is_sorted_by_key(|it| it.at));
    assert!(heard.iter().all(|it| it.at.ms_since(it.reading.timestamp) >= FIVE_MINUTES_MS.into()));
}

#[test]
fn the_ends_of_time_are_ends_and_not_errors() {
    let fleet = faulty(1);
    assert_eq!(fleet.due(Timestamp::MIN, at(i64::from(FIVE_MINUTES_MS))).count(), 0);
    assert!(fleet.due(Timestamp::MIN, at(HOUR_MS)).count() > 100);
    let last_hour = Timestamp::MAX.saturating_add_ms(-HOUR_MS);
    assert!((100..160).contains(&fleet.due(last_hour, Timestamp::MAX).count()));
    assert_eq!(fleet.due(Timestamp::MAX, Timestamp::MIN).count(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn cutting_time_anywhere_changes_nothing(
        seed: u64,
        sites in 1_usize..30,
        interval_s in prop::sample::select(vec![1_u32, 7, 60, 300, 900, 3_600, 86_400]),
        start in 0..Timestamp::MAX.unix_ms(),
        cuts in prop::collection::vec(0.0..1.0, 0..6),
        cut_at_emission: prop::sample::Index,
    ) {
        let interval_ms = interval_s * 1_000;
        let settings = FleetSettings { seed, sites, interval_ms, faults_per_site_week: FAULTS_PER_SITE_WEEK_MAX };
        let (fleet, again) = (Fleet::new(settings).unwrap(), Fleet::new(settings).unwrap());
        let span_ms = 8 * i64::from(interval_ms);
        let mut cuts: Vec<Timestamp> = cuts.iter().map(|share| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "any instant will do")]
            let offset_ms = (span_ms as f64 * share) as i64;
            at(start).saturating_add_ms(offset_ms)
        }).collect();
        let end = at(start).saturating_add_ms(span_ms);
        let whole: Vec<Emission> = fleet.due(at(start), end).collect();
        cuts.extend([at(start), end]);
        cuts.extend((!whole.is_empty()).then(|| cut_at_emission.get(&whole).at));
        cuts.sort_unstable();
        let parts: Vec<Emission> = cuts.windows(2).flat_map(|cut| again.due(cut[0], cut[1]).collect::<Vec<_>>()).collect();
        prop_assert_eq!(&whole, &parts);
        prop_assert!(whole.is_sorted_by_key(|it| it.at));
    }

    #[test]
    fn without_a_fault_energy_is_never_negative_and_always_consumed(
        seed: u64, site_index in 0_usize..60, unix_s in 0_i64..4_102_444_800, interval_s in 1_u32..=86_400,
    ) {
        let settings = FleetSettings { interval_ms: interval_s * 1_000, ..settings(seed, 60) };
        let start = at(unix_s / i64::from(interval_s) * i64::from(interval_s) * 1_000);
        let Measure { generated, consumed } = Fleet::new(settings).unwrap().reading(site_index, start).unwrap().measure;
        prop_assert!(generated >= Energy::ZERO && consumed > Energy::ZERO);
    }

    #[test]
    fn with_faults_only_a_turned_sign_makes_energy_negative(seed: u64, unix_ms in 0_i64..4_000_000_000_000) {
        let fleet = faulty(seed);
        let start = at(unix_ms - unix_ms % i64::from(FIVE_MINUTES_MS));
        for site_index in 0..12 {
            let Some(reading) = fleet.reading(site_index, start) else { continue };
            let spell = fleet.spell(site_index, start.unix_ms() / i64::from(FIVE_MINUTES_MS));
            let is_turned = spell.is_some_and(|spell| spell.kind == FaultKind::NegativeEnergy);
            prop_assert_eq!(reading.measure.consumed.is_negative(), is_turned);
            prop_assert!(!reading.measure.generated.is_negative());
        }
    }
}
