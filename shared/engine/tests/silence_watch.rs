//! A site falls silent, and perhaps speaks again, while the watch meets every trouble at every call.
//!
//! Goal: no crash point of a look is left to chance, and neither is any way in which the looks of two instances can fall
//! between each other. Method: count the calls of an undisturbed look, then look again for each call and each fault, let the
//! site speak or not, look once more with trouble, and have undisturbed looks tell the rest. The fleet keeps book and
//! compares. `properties.rs` tries any course.

use std::future::{Future, poll_fn};
use std::num::NonZeroU32;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use futures::FutureExt;
use wattstream_domain::{
    Alert, Heard, HourRow, OpenSilence, Phase, Position, Row, SiteId, SiteState, Subject, Timestamp,
};
use wattstream_engine::ports::{Alerts, HourQuery, Page, Queries, RowQuery, Silences, Sites, Snapshot};
use wattstream_engine::{DeadLetter, Kind, Result, SilenceCounts, SilencePorts, SilenceWatch};
use wattstream_testkit::silences::Fleet;
use wattstream_testkit::{Fault, MemoryStore, Site, at};

const SIX: NonZeroU32 = NonZeroU32::new(6).unwrap();

/// The intervals that the looks count which settle a fleet.
const AS_SETTLED: NonZeroU32 = NonZeroU32::new(3).unwrap();

/// Six intervals of a fleet's sites, and a few more.
const LONG_MINUTES: i64 = 120;

/// Every second entry of a call.
const ODD: u32 = 0x5555_5555;

/// Ways in which a call fails that leave nothing, everything or a part of it behind.
const FAULTS: [Fault; 8] = [
    Fault::BEFORE,
    Fault::AFTER,
    Fault::CRASH_BEFORE,
    Fault::CRASH_AFTER,
    Fault::Error { applied: ODD, answered: u32::MAX, kind: Kind::Retry },
    Fault::Error { applied: u32::MAX, answered: ODD, kind: Kind::Retry },
    Fault::Crash { applied: ODD },
    Fault::Crash { applied: !ODD },
];

/// The calls of a look that finds three sites silent: silences, states, each site alone, put, publish, put.
const CALLS: usize = 8;

/// Which sites of the fleet report: none, the first, all.
const SPEAKING: [u8; 3] = [0, 1, u8::MAX];

fn points() -> impl Iterator<Item = (usize, Fault)> {
    (0..CALLS).flat_map(|call| FAULTS.map(|fault| (call, fault)))
}

/// A fleet of which no site has been heard for a while.
fn silent_fleet() -> Fleet {
    let mut fleet = Fleet::new();
    fleet.report(LONG_MINUTES, 0);
    fleet
}

#[test]
fn a_look_makes_as_many_calls_as_these_tests_disturb() {
    let mut fleet = silent_fleet();
    fleet.faults.clear();
    let counts = fleet.look(SIX).unwrap().unwrap();
    assert_eq!(counts, SilenceCounts { open: 3, opened: 3, ..SilenceCounts::default() });
    assert_eq!(fleet.faults.calls(), CALLS);
    // With nothing new to tell, a look only reads: the silences and the states.
    fleet.faults.clear();
    let counts = fleet.look(SIX).unwrap().unwrap();
    assert_eq!(counts, SilenceCounts { open: 3, ..SilenceCounts::default() });
    assert_eq!(fleet.faults.calls(), 2);
    // The ends of three: publish, remove.
    fleet.report(30, u8::MAX);
    fleet.faults.clear();
    let counts = fleet.look(SIX).unwrap().unwrap();
    assert_eq!(counts, SilenceCounts { closed: 3, ..SilenceCounts::default() });
    assert_eq!(fleet.faults.calls(), 4);
    fleet.settle().unwrap();
}

#[test]
fn a_fault_at_any_call_of_one_look_and_of_the_next_changes_nothing_that_is_told() {
    for first in points() {
        for speaking in SPEAKING {
            for second in points() {
                let mut fleet = silent_fleet();
                fleet.faults.follow_script([first]);
                fleet.look(SIX).unwrap();
                fleet.report(30, speaking);
                fleet.faults.follow_script([second]);
                fleet.look(SIX).unwrap();
                let outcome = fleet.settle();
                assert_eq!(outcome, Ok(()), "{first:?}, then {speaking:b} spoke, then {second:?}");
            }
        }
    }
}

#[test]
fn a_site_that_falls_silent_again_before_anybody_looked_has_two_silences() {
    for point in points() {
        let mut fleet = silent_fleet();
        fleet.faults.clear();
        fleet.look(AS_SETTLED).unwrap();
        fleet.report(30, u8::MAX);
        // The gap of two hours is a habit now, for a while.
        fleet.report(10 * LONG_MINUTES, 0);
        fleet.faults.follow_script([point]);
        fleet.look(AS_SETTLED).unwrap();
        assert_eq!(fleet.settle(), Ok(()), "{point:?}");
        let contents = fleet.store.contents();
        assert_eq!((contents.silences.len(), contents.alerts.len()), (3, 9), "{point:?}");
        let mut alerts: Vec<_> = contents.alerts.into_values().collect();
        alerts.sort_by_key(|alert| (alert.site_id, alert.at, alert.id()));
        let phases: Vec<_> = alerts.iter().map(|alert| alert.phase).collect();
        let of_a_site = [Phase::Opened, Phase::Closed, Phase::Opened];
        assert_eq!(phases, [of_a_site; 3].concat(), "an end stands before the next begin: {point:?}");
    }
}

#[test]
fn an_outage_of_the_topic_delays_what_is_told_and_loses_nothing() {
    let mut fleet = silent_fleet();
    fleet.faults.clear();
    fleet.faults.set_alerts_down(true);
    let counts = fleet.look(SIX).unwrap().unwrap();
    assert_eq!(counts, SilenceCounts { open: 3, waiting: 3, ..SilenceCounts::default() });
    fleet.report(30, 1);
    fleet.look(SIX).unwrap();
    assert!(fleet.store.contents().alerts.is_empty());
    fleet.faults.set_alerts_down(false);
    let counts = fleet.look(SIX).unwrap().unwrap();
    assert_eq!(counts, SilenceCounts { open: 2, opened: 3, closed: 1, waiting: 0 });
    fleet.settle().unwrap();
}

/// A store of which every call waits for its turn, so that a test can let another instance in between any two.
#[derive(Clone)]
struct Stepwise(MemoryStore);

/// A store whose list of states is what it was once, as snapshots are that are stored rarely.
struct Lagging {
    store: Stepwise,
    listed: Vec<SiteState>,
}

impl Queries for Lagging {
    async fn sites(&self) -> Result<Sites> {
        Ok(Sites { states: self.listed.clone(), is_exact: false })
    }

    async fn site(&self, site_id: SiteId) -> Result<Option<SiteState>> {
        self.store.site(site_id).await
    }

    async fn row_page(&self, query: RowQuery) -> Result<Page<Row>> {
        self.store.row_page(query).await
    }

    async fn hour_page(&self, query: HourQuery) -> Result<Page<HourRow>> {
        self.store.hour_page(query).await
    }

    async fn newest_alerts(&self, limit: usize) -> Result<Vec<Alert>> {
        self.store.newest_alerts(limit).await
    }

    async fn dead_letter_page(&self, after: Option<Position>, limit: usize) -> Result<Vec<DeadLetter>> {
        self.store.dead_letter_page(after, limit).await
    }
}

/// Is pending once.
async fn turn() {
    let mut has_waited = false;
    let wait = |context: &mut Context<'_>| {
        context.waker().wake_by_ref();
        if std::mem::replace(&mut has_waited, true) { Poll::Ready(()) } else { Poll::Pending }
    };
    poll_fn(wait).await;
}

impl Queries for Stepwise {
    async fn sites(&self) -> Result<Sites> {
        turn().await;
        self.0.sites().await
    }

    async fn site(&self, site_id: SiteId) -> Result<Option<SiteState>> {
        turn().await;
        self.0.site(site_id).await
    }

    async fn row_page(&self, query: RowQuery) -> Result<Page<Row>> {
        self.0.row_page(query).await
    }

    async fn hour_page(&self, query: HourQuery) -> Result<Page<HourRow>> {
        self.0.hour_page(query).await
    }

    async fn newest_alerts(&self, limit: usize) -> Result<Vec<Alert>> {
        self.0.newest_alerts(limit).await
    }

    async fn dead_letter_page(&self, after: Option<Position>, limit: usize) -> Result<Vec<DeadLetter>> {
        self.0.dead_letter_page(after, limit).await
    }
}

impl Silences for Stepwise {
    async fn open_silences(&self) -> Result<Vec<OpenSilence>> {
        turn().await;
        self.0.open_silences().await
    }

    async fn put_silences(&self, silences: &[OpenSilence]) -> Result<()> {
        turn().await;
        self.0.put_silences(silences).await
    }

    async fn remove_silences(&self, silences: &[OpenSilence]) -> Result<()> {
        turn().await;
        self.0.remove_silences(silences).await
    }
}

impl Alerts for Stepwise {
    async fn publish(&self, alerts: &[Alert]) -> Vec<Result<()>> {
        turn().await;
        self.0.publish(alerts).await
    }
}

/// Every look of these tests comes to its end within so many turns.
const TURNS_MAX: usize = 20;

/// Lets a look take so many turns; whether it has come to its end.
fn step(mut look: Pin<&mut impl Future<Output = Result<SilenceCounts>>>, turns: usize) -> bool {
    let mut context = Context::from_waker(Waker::noop());
    (0..turns).any(|_| match look.as_mut().poll(&mut context) {
        Poll::Ready(counts) => {
            counts.expect("nothing goes wrong");
            true
        }
        Poll::Pending => false,
    })
}

/// A site that has reported at these minutes.
fn home(minutes: impl Iterator<Item = i64>) -> SiteState {
    minutes.fold(Site::new("home-01"), |site, minute| site.sends(minute, 5, 1)).state
}

fn keep(store: &MemoryStore, state: SiteState) {
    store.with(|contents| contents.sites.insert(state.site_id, Snapshot { state, version: 1 }));
}

fn phases(store: &MemoryStore) -> Vec<(i64, Phase)> {
    let alerts = store.contents().alerts.into_values();
    let mut phases: Vec<_> = alerts
        .map(|alert| {
            let Subject::Silence(silence) = alert.subject else { panic!("{alert:?}") };
            (silence.last_seen.ms_since(at(0)) / 60_000, alert.phase)
        })
        .collect();
    phases.sort_unstable();
    phases
}

#[test]
fn two_instances_that_look_at_once_tell_of_one_silence_and_of_its_end() {
    let regular = || (0..20).map(|step| step * 15);
    let heard = |minute| Heard { since: Timestamp::MIN, until: at(minute) };
    let last_seen = 19 * 15;
    // One begins, the site speaks after some turns or does not, the other begins and is let through after some more.
    for (before, between) in (0..TURNS_MAX).flat_map(|before| (0..TURNS_MAX).map(move |n| (before, n))) {
        for (is_known, is_speaking) in [(false, false), (false, true), (true, true)] {
            let store = MemoryStore::default();
            keep(&store, home(regular()));
            let ports = SilencePorts {
                queries: Stepwise(store.clone()),
                silences: Stepwise(store.clone()),
                alerts: Stepwise(store.clone()),
            };
            let watch = SilenceWatch::new(ports, SIX);
            if is_known {
                assert!(step(pin!(watch.check(heard(400))), TURNS_MAX));
            }
            let (mut one, mut other) = (pin!(watch.check(heard(410))), pin!(watch.check(heard(420))));
            let is_one_done = step(one.as_mut(), before);
            if is_speaking {
                keep(&store, home(regular().chain([405])));
            }
            let is_other_done = step(other.as_mut(), between);
            assert!(is_one_done || step(one, TURNS_MAX));
            assert!(is_other_done || step(other, TURNS_MAX));
            // Whatever they left to each other, the next look brings to its end.
            let ports =
                SilencePorts { queries: store.clone(), silences: store.clone(), alerts: store.clone() };
            SilenceWatch::new(ports, SIX).check(heard(430)).now_or_never().unwrap().unwrap();
            let (opened, closed) = ((last_seen, Phase::Opened), (last_seen, Phase::Closed));
            let told = phases(&store);
            let is_as_it_should_be = match (is_known, is_speaking) {
                (_, false) => told == [opened],
                (true, true) => told == [opened, closed],
                // It may have spoken before anybody noticed.
                (false, true) => told == [opened, closed] || told.is_empty(),
            };
            assert!(is_as_it_should_be, "{before}, {between}, {is_known}, {is_speaking}: {told:?}");
            assert_eq!(store.contents().silences.len(), usize::from(!is_speaking), "{before}, {between}");
        }
    }
}

#[test]
fn a_site_is_found_silent_once_though_the_list_of_states_lags_behind_its_last_reading() {
    let regular = |readings| (0..readings).map(|step| step * 15);
    let store = MemoryStore::default();
    keep(&store, home(regular(20)));
    let stepwise = Stepwise(store.clone());
    let queries = Lagging { store: stepwise.clone(), listed: vec![home(regular(17))] };
    let ports = SilencePorts { queries, silences: stepwise.clone(), alerts: stepwise };
    let watch = SilenceWatch::new(ports, SIX);
    for minute in [500, 510, 520] {
        let heard = Heard { since: Timestamp::MIN, until: at(minute) };
        assert!(step(pin!(watch.check(heard)), TURNS_MAX));
        assert_eq!(phases(&store), [(19 * 15, Phase::Opened)]);
        assert_eq!(store.contents().silences.len(), 1);
    }
}
