//! [`Silences`]: those that have begun and whose end has not been told.

use std::ops::RangeInclusive;

use fjall::Readable;
use wattstream_domain::{OpenSilence, SiteId, Timestamp};
use wattstream_engine::Result;
use wattstream_engine::ports::Silences;
use wattstream_wire::stored::{decode_open_silence, encode_open_silence};

use crate::error::{Damage, damaged, storage};
use crate::keys;
use crate::store::Store;

const READING: &str = "reading silences";

impl Silences for Store {
    async fn open_silences(&self) -> Result<Vec<OpenSilence>> {
        self.snapshot().iter(&self.keyspaces().silences).map(parse).collect()
    }

    async fn put_silences(&self, silences: &[OpenSilence]) -> Result<()> {
        // Synced, because somebody outside of the store is told next: a power cut must not forget whom to tell of the end.
        let mut batch = self.batch_synced();
        for open in silences {
            let mut value = Vec::new();
            encode_open_silence(open, &mut value);
            batch.insert(&self.keyspaces().silences, key(open), value);
        }
        batch.commit().map_err(storage("keeping silences"))
    }

    async fn remove_silences(&self, silences: &[OpenSilence]) -> Result<()> {
        let mut batch = self.batch();
        for open in silences {
            batch.remove(&self.keyspaces().silences, key(open));
        }
        batch.commit().map_err(storage("removing silences"))
    }
}

impl Store {
    /// The open silences of the sites from one to another, both included.
    pub(crate) fn read_silences_of(&self, sites: &RangeInclusive<SiteId>) -> Result<Vec<OpenSilence>> {
        let first = keys::instant(*sites.start(), Timestamp::MIN);
        let last = keys::instant(*sites.end(), Timestamp::MAX);
        if first > last {
            return Ok(Vec::new());
        }
        self.snapshot().range(&self.keyspaces().silences, first..=last).map(parse).collect()
    }
}

fn key(open: &OpenSilence) -> Vec<u8> {
    keys::instant(open.site_id, open.silence.last_seen)
}

fn parse(entry: fjall::Guard) -> Result<OpenSilence> {
    let (key, value) = entry.into_inner().map_err(storage(READING))?;
    let place = keys::parse_instant_of_site(&key);
    let (site_id, last_seen) =
        place.ok_or_else(|| damaged(READING)(Damage::Key { keyspace: "silences", key: key.to_vec() }))?;
    decode_open_silence(site_id, last_seen, &value).map_err(|error| damaged(READING)(error.into()))
}

#[cfg(test)]
mod tests;
