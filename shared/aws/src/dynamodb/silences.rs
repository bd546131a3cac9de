//! [`Silences`]: the silences that have begun, all of them in one partition, because a check of the sites reads them all.
//!
//! What must always hold: a silence stands under its place, its site and the newest reading before it; the places that one
//! request names are distinct.

use std::collections::BTreeMap;

use wattstream_domain::{OpenSilence, Phase};
use wattstream_engine::Result;
use wattstream_engine::ports::Silences;

use super::reads::{Order, Question, text};
use super::schema::PHASE;
use super::writes::Removed;
use super::{DynamoDb, decode, encode};

impl Silences for DynamoDb {
    async fn open_silences(&self) -> Result<Vec<OpenSilence>> {
        let question = Question {
            table: &self.tables.silences,
            index: None,
            partition: (PHASE, text(&Phase::Opened.name())),
            range: None,
            order: Order::Ascending,
            items_max: usize::MAX,
        };
        self.ask_one(question, decode::silence, "reading silences").await
    }

    async fn put_silences(&self, silences: &[OpenSilence]) -> Result<()> {
        let outcomes = self.write_in_batches(&self.tables.silences, &distinct(silences)).await;
        outcomes.into_iter().collect()
    }

    async fn remove_silences(&self, silences: &[OpenSilence]) -> Result<()> {
        let removed: Vec<_> = distinct(silences).into_iter().map(Removed).collect();
        self.write_in_batches(&self.tables.silences, &removed).await.into_iter().collect()
    }
}

/// The last silence of each place.
fn distinct(silences: &[OpenSilence]) -> Vec<&OpenSilence> {
    let places: BTreeMap<String, &OpenSilence> =
        silences.iter().map(|open| (encode::silence_after(open), open)).collect();
    places.into_values().collect()
}
