//! Asking for items: by key, and by range within a partition.
//!
//! What must always hold: nothing scans; an answer that stops early, at 1 MB or at keys that were not looked up, is asked on
//! until it is whole; whatever is read from a table is read consistently. Only an index cannot be.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use wattstream_domain::{ShardId, SiteId};
use wattstream_engine::{Error, Kind, Result};

use super::decode::{Item, ItemError};
use super::schema::{SHARD, SITE_ID};
use super::{DynamoDb, REQUESTS_IN_FLIGHT_MAX, missing};
use crate::batches::{Limits, send_all, send_each};
use crate::error::classify;

/// BatchGetItem takes 100 keys. It stops by itself at 16 MB, and says so.
const BATCH_GET: Limits = Limits { entries: 100, bytes: usize::MAX, in_flight: REQUESTS_IN_FLIGHT_MAX };

/// A question for the items of one partition.
#[derive(Clone, Debug)]
pub(super) struct Question<'a> {
    /// The table.
    pub(super) table: &'a str,
    /// The index, when not the table itself is asked.
    pub(super) index: Option<&'static str>,
    /// The attribute that is the partition key, and the partition.
    pub(super) partition: (&'static str, AttributeValue),
    /// The attribute that is the sort key, and its first and last value, when not the whole partition is asked for.
    pub(super) range: Option<(&'static str, [AttributeValue; 2])>,
    /// The order of the items.
    pub(super) order: Order,
    /// The most items to return.
    pub(super) items_max: usize,
}

/// The order of items by their sort key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Ascending,
    Descending,
}

impl DynamoDb {
    /// What `decode` makes of the items of each question, in the order of the questions.
    pub(super) async fn ask_all<T>(
        &self,
        questions: &[Question<'_>],
        decode: fn(&Item) -> std::result::Result<T, ItemError>,
        doing: &'static str,
    ) -> Result<Vec<Vec<T>>> {
        let ask = |question| self.ask(question, doing);
        let answers = send_each(questions, REQUESTS_IN_FLIGHT_MAX, ask).await;
        let decoded = |items: Vec<Item>| {
            items.iter().map(|item| decode(item).map_err(|error| error.while_doing(doing))).collect()
        };
        answers.into_iter().map(|items| items.and_then(decoded)).collect()
    }

    /// As [`ask_all`](Self::ask_all), for one question.
    pub(super) async fn ask_one<T>(
        &self,
        question: Question<'_>,
        decode: fn(&Item) -> std::result::Result<T, ItemError>,
        doing: &'static str,
    ) -> Result<Vec<T>> {
        Ok(self.ask_all(&[question], decode, doing).await?.pop().unwrap_or_default())
    }

    /// The items of a question, page by page.
    async fn ask(&self, question: &Question<'_>, doing: &'static str) -> Result<Vec<Item>> {
        let mut items = Vec::new();
        let mut start = None;
        while items.len() < question.items_max {
            let wanted = question.items_max - items.len();
            let page = self.query(question, wanted).set_exclusive_start_key(start).send().await;
            let page = page.map_err(|error| classify(doing, error))?;
            items.extend(page.items.ok_or_else(|| missing("Items"))?);
            start = page.last_evaluated_key.filter(|key| !key.is_empty());
            if start.is_none() {
                break;
            }
        }
        items.truncate(question.items_max);
        Ok(items)
    }

    fn query(&self, question: &Question<'_>, items_max: usize) -> QueryFluentBuilder {
        let (partition, value) = &question.partition;
        let query = self
            .client
            .query()
            .table_name(question.table)
            .set_index_name(question.index.map(str::to_owned))
            .consistent_read(question.index.is_none())
            .scan_index_forward(question.order == Order::Ascending)
            .set_limit(i32::try_from(items_max).ok())
            .expression_attribute_names("#partition", *partition)
            .expression_attribute_values(":partition", value.clone());
        let Some((sort, [first, last])) = &question.range else {
            return query.key_condition_expression("#partition = :partition");
        };
        query
            .key_condition_expression("#partition = :partition AND #sort BETWEEN :first AND :last")
            .expression_attribute_names("#sort", *sort)
            .expression_attribute_values(":first", first.clone())
            .expression_attribute_values(":last", last.clone())
    }

    /// The items of these sites, in their order.
    pub(super) async fn site_items(&self, sites: &[SiteId]) -> Result<Vec<Option<Item>>> {
        send_all(sites, BATCH_GET, |_| 0, |sites| self.get_sites(sites)).await.into_iter().collect()
    }

    async fn get_sites(&self, sites: Vec<&SiteId>) -> Result<Vec<Result<Option<Item>>>> {
        let keys = sites.iter().map(|site_id| Item::from([(SITE_ID.to_owned(), text(*site_id))]));
        let keys = KeysAndAttributes::builder().set_keys(Some(keys.collect())).consistent_read(true).build();
        let keys = keys.map_err(|error| Error::new(Kind::Broken, "asking for sites", error))?;
        let answer = self.client.batch_get_item().request_items(&self.tables.sites, keys).send().await;
        let answer = answer.map_err(|error| classify("reading sites", error))?;
        let found = answer.responses.ok_or_else(|| missing("Responses"))?;
        let mut found = by_site(found.into_values().flatten());
        let put_off = answer.unprocessed_keys.into_iter().flat_map(HashMap::into_values);
        let mut put_off = by_site(put_off.flat_map(|keys| keys.keys));
        let of_site = |site_id: &&SiteId| match found.remove(site_id.as_str()) {
            None if put_off.remove(site_id.as_str()).is_some() => Err(Error::bare(Kind::Retry, PUT_OFF)),
            item => Ok(item),
        };
        Ok(sites.iter().map(of_site).collect())
    }

    /// The item of a shard.
    pub(super) async fn shard_item(&self, shard: ShardId) -> Result<Option<Item>> {
        let mut items = send_each(&[shard], 1, |shard| self.get_shard(shard)).await;
        items.pop().unwrap_or(Ok(None))
    }

    async fn get_shard(&self, shard: &ShardId) -> Result<Option<Item>> {
        let request = self.client.get_item().table_name(&self.tables.shards).consistent_read(true);
        let answer = request.key(SHARD, text(shard)).send().await;
        answer.map(|answer| answer.item).map_err(|error| classify("reading the mark of a shard", error))
    }
}

const PUT_OFF: &str = "reading a site, which DynamoDB put off";

fn by_site(items: impl Iterator<Item = Item>) -> HashMap<String, Item> {
    let keyed = |item: Item| Some((item.get(SITE_ID)?.as_s().ok()?.clone(), item));
    items.filter_map(keyed).collect()
}

/// A text as the value of an attribute.
pub(super) fn text(value: &impl ToString) -> AttributeValue {
    AttributeValue::S(value.to_string())
}
