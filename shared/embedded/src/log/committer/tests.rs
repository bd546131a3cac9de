//! What was answered survives a power cut, whenever it comes: the real committer over a journal in memory that loses what
//! was not synced.

use std::io;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};
use tokio::sync::Semaphore;

use super::*;

/// A bug that lives longer than this has survived.
#[cfg(wattstream_mutants)]
const CASES_MAX: u32 = 10_000;

const SHARDS: u32 = 2;

/// A group of appends, each of so many records, and what happens to the power.
#[derive(Clone, Debug)]
struct Step {
    appends: Vec<usize>,
    power: Power,
}

#[derive(Clone, Copy, Debug)]
enum Power {
    /// It stays.
    On,
    /// It goes while the group is written: its caller is not answered, and any of its entries may be there.
    CutDuring,
    /// It goes after the group was answered.
    CutAfter,
}

fn steps() -> impl Strategy<Value = (Vec<Step>, Vec<prop::sample::Index>)> {
    let power = prop_oneof![3 => Just(Power::On), 1 => Just(Power::CutDuring), 1 => Just(Power::CutAfter)];
    let step = (vec(0..4_usize, 1..4), power).prop_map(|(appends, power)| Step { appends, power });
    (vec(step, 1..12), vec(any::<prop::sample::Index>(), 12))
}

/// A journal whose unsynced end a power cut may take.
#[derive(Default)]
struct MemoryJournal {
    durable: BTreeMap<[u8; 16], Vec<u8>>,
    unsynced: Vec<Entry>,
    is_power_lost: bool,
}

impl Journal for MemoryJournal {
    fn write(&mut self, entries: Vec<Entry>, durability: PersistMode) -> fjall::Result<()> {
        self.unsynced.extend(entries);
        if self.is_power_lost {
            return Err(fjall::Error::Io(io::Error::other("the power is gone")));
        }
        if durability == PersistMode::SyncAll {
            self.durable.extend(self.unsynced.drain(..));
        }
        Ok(())
    }
}

impl MemoryJournal {
    /// What is there when the power is back: whatever was synced, and any beginning of the rest.
    fn after_a_cut(mut self, survivors: prop::sample::Index) -> Self {
        let survivors = survivors.index(self.unsynced.len() + 1);
        self.durable.extend(self.unsynced.drain(..).take(survivors));
        Self { durable: self.durable, ..Self::default() }
    }

    /// The last number of a shard.
    fn end(&self, shard: ShardId) -> u64 {
        let all = keys::record(shard, 0)..=keys::record(shard, u64::MAX);
        self.durable.range(all).next_back().map_or(0, |(key, _)| keys::parse_record(key).expect("a number"))
    }
}

fn committer(journal: MemoryJournal) -> Committer<MemoryJournal> {
    let ranges = HashRanges::even(SHARDS);
    Committer {
        last_sequences: ranges.shards().map(|shard| (shard, journal.end(shard))).collect(),
        appended: Arc::new(ranges.shards().map(|shard| (shard, Notify::new())).collect()),
        journal,
        ranges,
        last_arrival: Timestamp::MIN,
        clock: Arc::new(|| Timestamp::MIN),
    }
}

/// Runs the steps, and returns the payload that was answered and is not there, if there is one.
fn first_loss(steps: &[Step], survivors: &[prop::sample::Index]) -> Option<String> {
    let mut committer = committer(MemoryJournal::default());
    let mut answered: Vec<String> = Vec::new();
    let mut payloads = (0..).map(|number: u64| number.to_string());
    for (step, &survivors) in steps.iter().zip(survivors) {
        let room = Arc::new(Semaphore::new(step.appends.len()));
        let mut waiting = Vec::new();
        let mut group = Vec::new();
        for &records in &step.appends {
            let sent: Vec<String> = payloads.by_ref().take(records).collect();
            let record = |data: &String| NewRecord { partition_key: data.clone(), data: data.clone().into() };
            let (answer, answers) = oneshot::channel();
            let room = Arc::clone(&room).try_acquire_owned().expect("there is room for each");
            group.push(Append { records: sent.iter().map(record).collect(), answer, room });
            waiting.push((sent, answers));
        }
        committer.journal.is_power_lost = matches!(step.power, Power::CutDuring);
        committer.settle(group);
        for (sent, mut answers) in waiting {
            if answers.try_recv().expect("every append is answered").is_ok() {
                answered.extend(sent);
            }
        }
        if !matches!(step.power, Power::On) {
            committer = self::committer(committer.journal.after_a_cut(survivors));
        }
    }
    let journal = &committer.journal;
    let mut there: Vec<String> = journal
        .durable
        .values()
        .chain(journal.unsynced.iter().map(|(_, value)| value))
        .map(|value| record::decode(1, value.clone().into()).expect("a record").data)
        .map(|data| String::from_utf8(data.to_vec()).expect("a payload"))
        .collect();
    there.sort_unstable();
    answered.into_iter().find(|payload| there.binary_search(payload).is_err())
}

/// Tries the property until it fails; returns the loss.
fn loss_within(cases: u32) -> Option<String> {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&steps(), |(steps, survivors)| {
        first_loss(&steps, &survivors).map_or(Ok(()), |lost| Err(TestCaseError::fail(lost)))
    });
    match outcome {
        Ok(()) => None,
        Err(TestError::Fail(lost, case)) => Some(format!("{lost} was lost: {case:?}")),
        Err(TestError::Abort(reason)) => panic!("no case was made: {reason}"),
    }
}

#[test]
fn what_was_answered_survives_a_power_cut() {
    assert_eq!(loss_within(1_000), None);
}

#[cfg(wattstream_mutants)]
#[test]
fn an_answer_before_the_sync_is_caught() {
    mutant::plant(Some(Mutant::AcknowledgeBeforeSync));
    let loss = loss_within(CASES_MAX);
    mutant::plant(None);
    assert!(loss.is_some(), "nobody noticed within {CASES_MAX} cases");
}
