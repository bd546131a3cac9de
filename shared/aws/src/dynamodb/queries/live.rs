//! What is newest: the method of [`LiveQueries`](wattstream_engine::ports::LiveQueries) that asks the tables.

use std::cmp::Reverse;

use wattstream_domain::{Row, SiteId, Timestamp};
use wattstream_engine::Result;
use wattstream_engine::ports::{AnomalyQuery, ReadingPlace, SiteQuery};

use crate::deadline;
use crate::dynamodb::reads::{Order, Question, text};
use crate::dynamodb::schema::SITE_ID;
use crate::dynamodb::{DynamoDb, decode};

/// The sites that are asked for the newest readings of all. Each is a query, of half a read unit for a few readings.
const LIVE_SITES_MAX: usize = 100;

impl DynamoDb {
    /// The newest rows, the newest first: of a site; or of the first `LIVE_SITES_MAX` sites by id, of each its share and one more,
    /// and the newest anomalies of all. With few sites that send alike, those are the newest of all.
    pub async fn newest_rows(&self, site_id: Option<SiteId>, limit: usize) -> Result<Vec<Row>> {
        deadline::keep("reading the newest readings", async {
            match site_id {
                Some(site_id) => {
                    let question = self.newest_of(site_id, limit);
                    self.ask_one(question, decode::reading, "reading readings").await
                }
                None => self.newest_of_all(limit).await,
            }
        })
        .await
    }

    async fn newest_of_all(&self, limit: usize) -> Result<Vec<Row>> {
        let listed = SiteQuery { start: None, contains: String::new(), limit: LIVE_SITES_MAX };
        let mut sites = self.listed_from(&listed).await?;
        sites.truncate(LIVE_SITES_MAX);
        let share = limit.div_ceil(sites.len().max(1)) + 1;
        let questions: Vec<_> =
            sites.iter().map(|&site_id| self.newest_of(site_id, share.min(limit))).collect();
        let mut rows = self.ask_all(&questions, decode::reading, "reading readings").await?.concat();
        let every =
            AnomalyQuery { site_id: None, start: Timestamp::MIN, end: Timestamp::MAX, from: None, limit };
        rows.extend(self.anomaly_page(every).await?.entries);
        rows.sort_by_key(|row| Reverse(ReadingPlace::of(row)));
        rows.dedup_by_key(|row| ReadingPlace::of(row));
        rows.truncate(limit);
        Ok(rows)
    }

    fn newest_of(&self, site_id: SiteId, items_max: usize) -> Question<'_> {
        Question {
            table: &self.tables.readings,
            index: None,
            partition: (SITE_ID, text(&site_id)),
            range: None,
            order: Order::Descending,
            items_max,
        }
    }
}
