//! How long each part took, told while it goes on: the test takes a minute or two.

use std::io::{self, Write};
use std::time::Instant;

pub(crate) struct Progress {
    started: Instant,
    last: Instant,
}

impl Progress {
    pub(crate) fn start() -> Self {
        let now = Instant::now();
        Self { started: now, last: now }
    }

    /// Tells that this was done, and in what time since the last was.
    pub(crate) fn tell(&mut self, done: &str) {
        let now = Instant::now();
        let (took, all) = (now - self.last, now - self.started);
        self.last = now;
        let (took, all) = (took.as_secs_f64(), all.as_secs_f64());
        // A closed stderr leaves nowhere to tell it.
        let _ = writeln!(io::stderr(), "e2e: {done} in {took:.1} s, {all:.1} s in all");
    }
}
