//! Deliveries of a log to the processor: cut anywhere, repeated, failing at any call, taken over by other instances.
//!
//! [`deliver`] plays the event source. It moves on when a batch was processed, goes back to the lowest record that was
//! not, and delivers a parent shard to its end before the children.
//!
//! What must always hold: however a log is delivered, the tables at its end are those of [`deliver_in_order`]
//! ([`compare`]); and a record that is acknowledged is in the tables or among the dead letters.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU8;

use futures::FutureExt;
use proptest::collection::{SizeRange, vec};
use proptest::prelude::*;
use wattstream_domain::{Alert, AlertId, Outbox, Row, SequenceNumber, ShardId, SiteId, SiteState, Timestamp};
use wattstream_engine::ports::{Consumer, InstanceId};
use wattstream_engine::{
    Batch, BatchReply, Error, Kind, Processor, ProcessorSettings, SnapshotPolicy, StreamRecord, state_hash,
};

use crate::fault::{Fault, Faults, Faulty};
use crate::logs::Log;
use crate::memory::{Contents, MemoryStore};
use crate::oracle::{Oracle, Violation};
use crate::shards::ShardLog;

/// How a log is delivered: first as the deliveries say, then the rest without trouble.
#[derive(Clone, Debug)]
pub struct Course {
    /// The instances that take turns, at least one.
    pub instances: Vec<Setting>,
    /// The deliveries that meet trouble.
    pub deliveries: Vec<Delivery>,
}

/// The settings of an instance.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// When it stores states.
    pub snapshot_policy: SnapshotPolicy,
    /// Whether it remembers states.
    pub is_cache_on: bool,
}

/// One batch, and what happens to it. Numbers are taken modulo what there is.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The shard, among those that can be read.
    pub shard: u8,
    /// How many records.
    pub records: u8,
    /// By how many records the checkpoint is set back first.
    pub rewound_records: u8,
    /// Who gets it.
    pub instance: u8,
    /// Whether that is a new process.
    pub is_restarted: bool,
    /// Whether the checkpoint stays where it is although the batch was processed.
    pub is_repeated: bool,
    /// What goes wrong.
    pub trouble: Trouble,
}

/// What goes wrong in a delivery.
#[derive(Clone, Debug)]
pub enum Trouble {
    /// These calls, counted from the first of the delivery.
    Script(Vec<(usize, Fault)>),
    /// Calls by chance.
    Chance {
        /// What decides.
        seed: u64,
        /// How many calls of a thousand.
        per_thousand: u32,
    },
}

impl Trouble {
    /// From here on this goes wrong.
    pub fn start(&self, faults: &Faults) {
        match self {
            Self::Script(script) => faults.follow_script(script.iter().copied()),
            Self::Chance { seed, per_thousand } => faults.follow_chance(*seed, *per_thousand),
        }
    }
}

/// Courses of so many deliveries.
pub fn courses(deliveries: impl Into<SizeRange>) -> impl Strategy<Value = Course> {
    (vec(settings(), 1..4), vec(delivery(), deliveries))
        .prop_map(|(instances, deliveries)| Course { instances, deliveries })
}

/// Any settings.
pub fn settings() -> impl Strategy<Value = Setting> {
    let policy = prop_oneof![
        Just(SnapshotPolicy::EveryBatch),
        Just(SnapshotPolicy::WhenNeeded),
        (2..5_u8).prop_map(|n| SnapshotPolicy::OneBatchIn(NonZeroU8::new(n).expect("2 to 4 are above zero"))),
    ];
    (policy, any::<bool>())
        .prop_map(|(snapshot_policy, is_cache_on)| Setting { snapshot_policy, is_cache_on })
}

fn delivery() -> impl Strategy<Value = Delivery> {
    let rewound_records = prop_oneof![9 => Just(0_u8), 1 => 1..6_u8];
    let place = (any::<u8>(), 1..9_u8, rewound_records, any::<u8>());
    let fate = (prop::bool::weighted(0.1), prop::bool::weighted(0.1), trouble());
    (place, fate).prop_map(
        |((shard, records, rewound_records, instance), (is_restarted, is_repeated, trouble))| Delivery {
            shard,
            records,
            rewound_records,
            instance,
            is_restarted,
            is_repeated,
            trouble,
        },
    )
}

/// Any trouble: a few calls by script, or any by chance.
pub(crate) fn trouble() -> impl Strategy<Value = Trouble> {
    prop_oneof![
        2 => vec((0..12_usize, fault()), 0..3).prop_map(Trouble::Script),
        1 => (any::<u64>(), 0..300_u32).prop_map(|(seed, per_thousand)| Trouble::Chance { seed, per_thousand }),
    ]
}

/// Any fault.
pub fn fault() -> impl Strategy<Value = Fault> {
    let mask = || prop_oneof![Just(0), Just(u32::MAX), any::<u32>()];
    let kind = prop_oneof![4 => Just(Kind::Retry), 1 => Just(Kind::Conflict)];
    prop_oneof![
        3 => (mask(), mask(), kind).prop_map(|(applied, answered, kind)| Fault::Error { applied, answered, kind }),
        1 => mask().prop_map(|applied| Fault::Crash { applied }),
    ]
}

/// The tables after one delivery of each record, one by one, with a snapshot every time.
pub fn deliver_in_order(log: &Log) -> Result<Contents, Violation> {
    let setting = Setting { snapshot_policy: SnapshotPolicy::EveryBatch, is_cache_on: false };
    let mut pipeline = Pipeline::new(log, vec![setting]);
    pipeline.deliver_rest(1)?;
    Ok(pipeline.store.contents())
}

/// The tables after a course of deliveries.
pub fn deliver(log: &Log, oracle: &Oracle, course: &Course) -> Result<Contents, Violation> {
    let mut pipeline = Pipeline::new(log, course.instances.clone());
    for delivery in &course.deliveries {
        pipeline.deliver_with_trouble(delivery, Some(oracle))?;
    }
    pipeline.deliver_rest(CALM_BATCH_RECORDS)?;
    Ok(pipeline.store.contents())
}

/// The records of a batch once the trouble is over.
const CALM_BATCH_RECORDS: usize = 7;

/// Whether two tables agree in everything but how they came about.
pub fn compare(expected: &Contents, actual: &Contents) -> Result<(), Violation> {
    Violation::check_entries("dead letters", &expected.dead_letters, &actual.dead_letters)?;
    Violation::check_entries("rows", &rows_without_before(expected), &rows_without_before(actual))?;
    Violation::check_entries("hours", &expected.hours, &actual.hours)?;
    Violation::check_entries("states", &states_without_outbox(expected), &states_without_outbox(actual))?;
    Violation::check_entries("alerts", &alerts(expected), &alerts(actual))?;
    Violation::check("state hash", &hash(expected.clone()), &hash(actual.clone()))
}

fn rows_without_before(contents: &Contents) -> BTreeMap<(SiteId, Timestamp), Row> {
    contents.rows.iter().map(|(key, row)| (*key, Row { before: None, ..row.clone() })).collect()
}

fn states_without_outbox(contents: &Contents) -> BTreeMap<SiteId, SiteState> {
    let states = contents.states().into_iter();
    states.map(|state| (state.site_id, SiteState { outbox: Outbox::default(), ..state })).collect()
}

/// The alerts, published or waiting.
fn alerts(contents: &Contents) -> BTreeMap<AlertId, Alert> {
    let waiting = contents.states().into_iter().flat_map(|state| state.outbox.alerts);
    let published = contents.alerts.values().cloned();
    waiting.chain(published).map(|alert| (alert.id(), alert)).collect()
}

fn hash(contents: Contents) -> String {
    let store = MemoryStore::new(contents);
    let hash = state_hash(&store).now_or_never().expect("a store in memory answers at once");
    hash.expect("a store in memory answers").to_string()
}

/// A processor over a store that has faults.
pub type FaultyProcessor = Processor<Faulty<MemoryStore>, Faulty<MemoryStore>, Faulty<MemoryStore>>;

/// Delivers a log to the instances of a processor, over one store.
#[derive(Debug)]
pub struct Pipeline<'a> {
    /// Where everything ends.
    pub store: MemoryStore,
    /// What goes wrong.
    pub faults: Faults,
    instances: Vec<Instance>,
    started: u64,
    shards: &'a [ShardLog],
    checkpoints: BTreeMap<ShardId, usize>,
    /// Shards whose descendants have begun: nothing is read from them again.
    finished: BTreeSet<ShardId>,
}

#[derive(Debug)]
struct Instance {
    setting: Setting,
    processor: FaultyProcessor,
}

impl<'a> Pipeline<'a> {
    /// A pipeline over an empty store, at the beginning of a log.
    pub fn new(log: &'a Log, settings: Vec<Setting>) -> Self {
        let mut pipeline = Self {
            store: MemoryStore::default(),
            faults: Faults::none(),
            instances: Vec::new(),
            started: 0,
            shards: &log.shards,
            checkpoints: log.shards.iter().map(|shard| (shard.id, 0)).collect(),
            finished: BTreeSet::new(),
        };
        for setting in settings {
            let instance = pipeline.start(setting);
            pipeline.instances.push(instance);
        }
        pipeline
    }

    /// Goes on with a longer log, of which the one so far is the beginning.
    pub fn extend(&mut self, log: &'a Log) {
        self.shards = &log.shards;
        for shard in self.shards {
            self.checkpoints.entry(shard.id).or_insert(0);
        }
    }

    /// Delivers what is left, parents first, in batches of so many records that every instance gets in turn. Nothing may
    /// fail.
    pub fn deliver_rest(&mut self, batch_records: usize) -> Result<(), Violation> {
        self.faults.clear();
        let mut turn = 0;
        for shard in self.shards {
            while self.checkpoint(shard) < shard.records.len() {
                let batch = batch_of(shard, self.checkpoint(shard), batch_records);
                turn += 1;
                let outcome = self.consume(turn, &batch);
                match outcome {
                    Some(Ok(reply)) if reply.failures.is_empty() => self.move_on(&batch),
                    other => return Err(Violation(format!("an undisturbed delivery came to {other:?}"))),
                }
            }
        }
        Ok(())
    }

    /// Delivers one batch that may meet trouble, when a shard has one.
    pub fn deliver_with_trouble(
        &mut self,
        delivery: &Delivery,
        oracle: Option<&Oracle>,
    ) -> Result<(), Violation> {
        let Some(shard) = self.choose_shard(delivery) else { return Ok(()) };
        let start = self.checkpoint(shard).saturating_sub(usize::from(delivery.rewound_records));
        if start == shard.records.len() {
            return Ok(());
        }
        self.checkpoints.insert(shard.id, start);
        self.finished.extend(self.ancestors(shard).map(|ancestor| ancestor.id));
        let batch = batch_of(shard, start, usize::from(delivery.records));
        let turn = usize::from(delivery.instance);
        if delivery.is_restarted {
            self.restart(turn);
        }
        delivery.trouble.start(&self.faults);
        let outcome = self.consume(turn, &batch);
        let acknowledged = acknowledged(&batch, outcome);
        if let Some(oracle) = oracle {
            self.store.with(|contents| {
                let mut acknowledged = acknowledged.iter();
                acknowledged
                    .try_for_each(|record| oracle.check_settled(batch.shard, record.sequence, contents))
            })?;
        }
        if !delivery.is_repeated {
            self.move_on(&Batch { shard: batch.shard, records: acknowledged });
        }
        Ok(())
    }

    /// Processes a batch. `None` when a call crashed: then a new process takes the place of the instance.
    pub fn consume(&mut self, turn: usize, batch: &Batch) -> Option<Result<BatchReply, Error>> {
        let instance = turn % self.instances.len();
        // The ports answer at once or never: polling once tells which. Dropping the future is the crash.
        let outcome = self.instances[instance].processor.consume(batch).now_or_never();
        assert!(outcome.is_some() || self.faults.has_crashed(), "only a crash keeps a batch from its end");
        if outcome.is_none() {
            self.restart(instance);
        }
        outcome
    }

    fn start(&mut self, setting: Setting) -> Instance {
        self.started += 1;
        let store = Faulty::new(self.store.clone(), self.faults.clone());
        let settings = ProcessorSettings {
            instance: InstanceId(format!("instance-{}", self.started)),
            snapshot_policy: setting.snapshot_policy,
            is_cache_on: setting.is_cache_on,
        };
        Instance { setting, processor: Processor::new(store.clone(), store.clone(), store, settings) }
    }

    fn restart(&mut self, turn: usize) {
        let index = turn % self.instances.len();
        self.instances[index] = self.start(self.instances[index].setting);
    }

    /// A shard whose ancestors were read to their end and whose descendants have not begun.
    fn choose_shard(&self, delivery: &Delivery) -> Option<&'a ShardLog> {
        let readable: Vec<&ShardLog> = self
            .shards
            .iter()
            .filter(|shard| self.ancestors(shard).all(|ancestor| self.is_drained(ancestor)))
            .filter(|shard| !self.finished.contains(&shard.id))
            .filter(|shard| !shard.records.is_empty())
            .collect();
        readable.get(usize::from(delivery.shard) % readable.len().max(1)).copied()
    }

    /// Parents, their parents, and so on. Shards without a record hand the order on like any other.
    fn ancestors(&self, shard: &ShardLog) -> impl Iterator<Item = &'a ShardLog> + use<'a> {
        let mut ids: BTreeSet<ShardId> = shard.parents.iter().copied().collect();
        let mut ancestors = Vec::new();
        for shard in self.shards.iter().rev() {
            if ids.contains(&shard.id) {
                ids.extend(&shard.parents);
                ancestors.push(shard);
            }
        }
        ancestors.into_iter()
    }

    fn is_drained(&self, shard: &ShardLog) -> bool {
        self.checkpoint(shard) == shard.records.len()
    }

    fn checkpoint(&self, shard: &ShardLog) -> usize {
        self.checkpoints[&shard.id]
    }

    /// Moves the checkpoint behind the last of these records.
    fn move_on(&mut self, batch: &Batch) {
        let shard = self.shards.iter().find(|shard| shard.id == batch.shard);
        if let (Some(shard), Some(last)) = (shard, batch.records.last()) {
            let checkpoint = shard.records.partition_point(|record| record.sequence <= last.sequence);
            self.checkpoints.insert(batch.shard, checkpoint);
        }
    }
}

fn batch_of(shard: &ShardLog, start: usize, records: usize) -> Batch {
    let end = shard.records.len().min(start + records);
    Batch { shard: shard.id, records: shard.records[start..end].to_vec() }
}

/// The records before the lowest failure; none when the whole batch failed.
fn acknowledged(batch: &Batch, outcome: Option<Result<BatchReply, Error>>) -> Vec<StreamRecord> {
    let Some(Ok(reply)) = outcome else { return Vec::new() };
    let lowest: Option<SequenceNumber> = reply.failures.into_iter().min();
    let records = batch.records.iter();
    records.take_while(|record| lowest.is_none_or(|lowest| record.sequence < lowest)).cloned().collect()
}
