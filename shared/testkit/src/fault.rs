//! Faults, and a store that has them.
//!
//! Every call of a port is a numbered point at which it can fail. A fault says which of the call's entries are applied
//! all the same, which of those are answered for, and whether the caller gets an answer at all: so one type covers a
//! failure before the write, a lost reply, a partial failure, and the death of the process in the middle.
//!
//! What must always hold: a call without a fault is passed on as it is; an entry that is reported as written was
//! written.

mod ports;

use std::collections::BTreeMap;
use std::future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use wattstream_engine::{Error, Kind};

/// What goes wrong with one call. Bit `i` of a mask stands for the call's entry `i`; a call that is one whole has the
/// entry 0. Masks repeat after 32 entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The call answers with an error.
    Error {
        /// The entries that are applied.
        applied: u32,
        /// The entries that are reported as written, if they were applied.
        answered: u32,
        /// The kind of the error: [`Kind::Retry`] or [`Kind::Conflict`].
        kind: Kind,
    },
    /// The call never answers: the process dies, or the caller stops waiting.
    Crash {
        /// The entries that are applied.
        applied: u32,
    },
}

impl Fault {
    /// Nothing is applied.
    pub const BEFORE: Self = Self::Error { applied: 0, answered: 0, kind: Kind::Retry };
    /// Everything is applied, and the reply is lost.
    pub const AFTER: Self = Self::Error { applied: u32::MAX, answered: 0, kind: Kind::Retry };
    /// Somebody else is writing; nothing is applied.
    pub const CONFLICT: Self = Self::Error { applied: 0, answered: 0, kind: Kind::Conflict };
    /// The call was applied, its reply lost, and its repetition finds its own write.
    pub const OWN_CONFLICT: Self = Self::Error { applied: u32::MAX, answered: 0, kind: Kind::Conflict };
    /// The process dies before the call is applied.
    pub const CRASH_BEFORE: Self = Self::Crash { applied: 0 };
    /// The process dies after the call was applied.
    pub const CRASH_AFTER: Self = Self::Crash { applied: u32::MAX };

    fn applies(self, entry: usize) -> bool {
        let (Self::Error { applied, .. } | Self::Crash { applied }) = self;
        bit(applied, entry)
    }

    fn succeeds(self, entry: usize) -> bool {
        let Self::Error { answered, .. } = self else { return false };
        self.applies(entry) && bit(answered, entry)
    }

    fn error(self) -> Error {
        let kind = match self {
            Self::Error { kind, .. } => kind,
            Self::Crash { .. } => Kind::Retry,
        };
        Error::bare(kind, "calling a store that has faults")
    }
}

/// Whether a mask has entry `entry`; masks repeat after 32 entries.
pub(crate) fn bit(mask: u32, entry: usize) -> bool {
    mask >> (entry % 32) & 1 == 1
}

/// Which calls fail. A clone is another handle of the same plan, to be changed while a [`Faulty`] store runs by it.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    plan: Plan,
    calls: usize,
    has_crashed: bool,
    are_alerts_down: bool,
}

#[derive(Debug, Default)]
enum Plan {
    #[default]
    None,
    Script(BTreeMap<usize, Fault>),
    Random {
        random: Box<ChaCha8Rng>,
        per_thousand: u32,
    },
}

impl Faults {
    /// No call fails.
    pub fn none() -> Self {
        Self::default()
    }

    /// From here on no call fails; calls are counted from 0 again.
    pub fn clear(&self) {
        self.start(Plan::None);
    }

    /// From here on exactly these calls fail, counted from 0; a later fault of one call takes the place of an earlier.
    pub fn follow_script(&self, faults: impl IntoIterator<Item = (usize, Fault)>) {
        self.start(Plan::Script(faults.into_iter().collect()));
    }

    /// From here on so many calls of a thousand fail, in any way.
    pub fn follow_chance(&self, seed: u64, per_thousand: u32) {
        let random = Box::new(ChaCha8Rng::seed_from_u64(seed));
        self.start(Plan::Random { random, per_thousand });
    }

    /// Whether publishing alerts fails, whatever the plan says.
    pub fn set_alerts_down(&self, are_alerts_down: bool) {
        self.lock().are_alerts_down = are_alerts_down;
    }

    /// How many calls were made since the plan began.
    pub fn calls(&self) -> usize {
        self.lock().calls
    }

    /// Whether a call never answered since the plan began.
    pub fn has_crashed(&self) -> bool {
        self.lock().has_crashed
    }

    /// Counts a call and says what goes wrong with it.
    fn next(&self) -> Option<Fault> {
        let mut state = self.lock();
        let call = state.calls;
        state.calls += 1;
        match &mut state.plan {
            Plan::None => None,
            Plan::Script(faults) => faults.get(&call).copied(),
            Plan::Random { random, per_thousand } => {
                (random.random_range(0..1_000) < *per_thousand).then(|| any_fault(random))
            }
        }
    }

    /// Leaves the caller waiting for ever when the fault is a crash.
    async fn answer(&self, fault: Fault) {
        if matches!(fault, Fault::Crash { .. }) {
            self.lock().has_crashed = true;
            future::pending::<()>().await;
        }
    }

    fn start(&self, plan: Plan) {
        let mut state = self.lock();
        let are_alerts_down = state.are_alerts_down;
        *state = State { plan, are_alerts_down, ..State::default() };
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn any_fault(random: &mut ChaCha8Rng) -> Fault {
    let mut mask = || [0, u32::MAX, random.random()][random.random_range(0..3)];
    let (applied, answered) = (mask(), mask());
    match random.random_range(0..8) {
        0 => Fault::Crash { applied },
        1 => Fault::Error { applied, answered, kind: Kind::Conflict },
        _ => Fault::Error { applied, answered, kind: Kind::Retry },
    }
}

/// A store whose calls fail by a plan.
#[derive(Clone, Debug)]
pub struct Faulty<P> {
    inner: P,
    faults: Faults,
}

impl<P> Faulty<P> {
    /// A store that has these faults.
    pub fn new(inner: P, faults: Faults) -> Self {
        Self { inner, faults }
    }
}
