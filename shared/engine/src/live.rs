//! [`LiveFeed`]: the newest readings of this process, for whoever follows them as they come.
//!
//! ```text
//!   Tables, after a batch ──► publish ──► ring of the newest events ──► LiveFollower, at its own pace
//! ```
//!
//! What must always hold:
//! - **Whoever publishes never waits for whoever follows**: a follower reads the ring when it is ready. One that was overtaken by the
//!   ring is told that it has missed something, and goes on from now.
//! - **A follower that is told nothing of the kind has missed nothing** since the event that it goes on after.
//! - Memory has a bound, whatever is published and however many follow.
//! - Nothing outlives the process: the tables are what lasts. An event's id of another start is known as such.

use std::collections::VecDeque;
use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::{BuildHasher, Hasher};
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use wattstream_domain::{Row, SiteId};

use crate::{Error, Kind, Result};

/// The newest events that are held: some 3 MB, and a minute and a half of 100 readings a second.
pub const LIVE_EVENTS_HELD_MAX: usize = 10_000;

/// The most followers at one time. Each costs its process a connection and a copy of what it is told.
pub const LIVE_FOLLOWERS_MAX: usize = 256;

/// The events that a follower has in hand at one time.
const EVENTS_IN_HAND_MAX: usize = 64;

/// The readings as they come into the tables. A clone is another handle of the same feed.
#[derive(Clone)]
pub struct LiveFeed(Arc<Shared>);

struct Shared {
    /// Tells this feed from that of any other start.
    start: u64,
    ring: Mutex<Ring>,
    /// Whether the feed has ended. It is sent again, unchanged, whenever something was published.
    is_closed: watch::Sender<bool>,
}

/// The newest events: those with the numbers from `end - rows.len()` on, up to and without `end`.
#[derive(Default)]
struct Ring {
    rows: VecDeque<Row>,
    end: u64,
}

/// How far a follower has come: it names the event up to which it knows everything. What it looks like is nobody's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiveEventId {
    start: u64,
    /// The number of the event after it.
    next: u64,
}

/// What a follower is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveEvent {
    /// Where to go on after it.
    pub id: LiveEventId,
    /// What is told.
    pub told: Told,
}

/// What an event tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// A reading, as the tables have had it since a moment ago: new, late or revised.
    Reading(Box<Row>),
    /// The follower has missed something: what it knows is to be loaded anew. The feed goes on from now.
    Missed(Missed),
}

/// Why a follower has missed something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missed {
    /// What comes after the event that it named is not held, or not any more.
    NotHeld,
    /// It took events more slowly than they came.
    TooSlow,
}

impl LiveFeed {
    /// A feed in which nothing has happened yet.
    pub fn new() -> Self {
        let start = RandomState::new().build_hasher().finish();
        Self(Arc::new(Shared { start, ring: Mutex::default(), is_closed: watch::Sender::new(false) }))
    }

    /// Tells everybody of these readings. It waits for nobody.
    pub fn publish(&self, rows: Vec<Row>) {
        if rows.is_empty() {
            return;
        }
        self.ring().extend(rows);
        self.wake();
    }

    /// Tells everybody that there were readings which are not told.
    pub fn publish_gap(&self) {
        let mut ring = self.ring();
        ring.rows.clear();
        ring.end += 1;
        drop(ring);
        self.wake();
    }

    /// Follows the feed, all of it or one site, after an event or from now on. An id that is none of this feed's, or none at all, is
    /// told as something missed. With [`LIVE_FOLLOWERS_MAX`] followers there is no room for another.
    pub fn follow(&self, site_id: Option<SiteId>, after: Option<&str>) -> Result<LiveFollower> {
        let woken = self.0.is_closed.subscribe();
        if self.0.is_closed.receiver_count() > LIVE_FOLLOWERS_MAX {
            return Err(Error::bare(
                Kind::Retry,
                "following the live feed, which has all the followers that it takes",
            ));
        }
        let ring = self.ring();
        let after = after.map(|id| self.place_after(&ring, id));
        let next = after.flatten().unwrap_or(ring.end);
        let missed = (after == Some(None)).then_some(Missed::NotHeld);
        drop(ring);
        Ok(LiveFollower { feed: self.clone(), woken, site_id, next, missed, in_hand: VecDeque::new() })
    }

    /// Ends the feed for whoever follows it, now or later: the process is about to stop.
    pub fn close(&self) {
        self.0.is_closed.send_replace(true);
    }

    fn place_after(&self, ring: &Ring, id: &str) -> Option<u64> {
        let id: LiveEventId = id.parse().ok()?;
        (id.start == self.0.start && ring.holds(id.next)).then_some(id.next)
    }

    fn id(&self, next: u64) -> LiveEventId {
        LiveEventId { start: self.0.start, next }
    }

    fn wake(&self) {
        self.0.is_closed.send_modify(|_| {});
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.0.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for LiveFeed {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for LiveFeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveFeed")
            .field("followers", &self.0.is_closed.receiver_count())
            .finish_non_exhaustive()
    }
}

impl Ring {
    fn extend(&mut self, rows: Vec<Row>) {
        self.end += rows.len() as u64;
        let excess = (self.rows.len() + rows.len()).saturating_sub(LIVE_EVENTS_HELD_MAX);
        let held = self.rows.len().min(excess);
        self.rows.drain(..held);
        self.rows.extend(rows.into_iter().skip(excess - held));
    }

    fn first(&self) -> u64 {
        self.end - self.rows.len() as u64
    }

    /// Whether everything from this number on is held, and nothing before it is asked for that is yet to come.
    fn holds(&self, next: u64) -> bool {
        (self.first()..=self.end).contains(&next)
    }

    /// The held events from a number on.
    fn from(&self, next: u64) -> impl Iterator<Item = (u64, &Row)> {
        let skipped = usize::try_from(next - self.first()).unwrap_or(usize::MAX);
        (next..).zip(self.rows.iter().skip(skipped))
    }
}

/// Somebody who follows the feed.
#[derive(Debug)]
pub struct LiveFollower {
    feed: LiveFeed,
    woken: watch::Receiver<bool>,
    site_id: Option<SiteId>,
    /// The number of the first event that was not read yet.
    next: u64,
    missed: Option<Missed>,
    in_hand: VecDeque<LiveEvent>,
}

impl LiveFollower {
    /// The place from which it goes on, to be named as `after` by whoever is cut off before the first event.
    pub fn place(&self) -> LiveEventId {
        self.feed.id(self.next)
    }

    /// The next event, once there is one; `None` when the feed has ended.
    pub async fn next(&mut self) -> Option<LiveEvent> {
        loop {
            // Seen before the ring is read, so that what is published after that wakes.
            if *self.woken.borrow_and_update() {
                return None;
            }
            if self.in_hand.is_empty() {
                self.read();
            }
            if let Some(event) = self.in_hand.pop_front() {
                return Some(event);
            }
            self.woken.changed().await.ok()?;
        }
    }

    /// Takes the next events into its hand.
    fn read(&mut self) {
        let ring = self.feed.ring();
        let too_slow = (!ring.holds(self.next)).then_some(Missed::TooSlow);
        if let Some(missed) = self.missed.take().or(too_slow) {
            self.next = ring.end;
            self.in_hand.push_back(LiveEvent { id: self.feed.id(self.next), told: Told::Missed(missed) });
            return;
        }
        for (number, row) in ring.from(self.next) {
            self.next = number + 1;
            if self.site_id.is_none_or(|site_id| site_id == row.site_id) {
                self.in_hand.push_back(LiveEvent {
                    id: self.feed.id(self.next),
                    told: Told::Reading(Box::new(row.clone())),
                });
            }
            if self.in_hand.len() == EVENTS_IN_HAND_MAX {
                return;
            }
        }
    }
}

impl fmt::Display for LiveEventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}-{}", self.start, self.next)
    }
}

/// The text is no id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the id of a live event")]
pub struct LiveEventIdError;

impl FromStr for LiveEventId {
    type Err = LiveEventIdError;

    fn from_str(text: &str) -> std::result::Result<Self, LiveEventIdError> {
        let (start, next) = text.split_once('-').ok_or(LiveEventIdError)?;
        let start = u64::from_str_radix(start, 16).map_err(|_| LiveEventIdError)?;
        let next = next.parse().map_err(|_| LiveEventIdError)?;
        Ok(Self { start, next })
    }
}

#[cfg(test)]
mod tests;
