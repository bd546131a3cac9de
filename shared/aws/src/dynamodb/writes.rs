//! Putting items and removing them: in batches, and one by one under a condition.
//!
//! What must always hold: an item is taken, or its write has an error; what a batch sends back is sent again
//! ([`send_all`]).
//!
//! A request is made by the SDK from an input that is valid and holds next to nothing; an interceptor puts the body in its
//! place before the request is signed. It runs for every attempt, because the SDK repeats a request from the one that it
//! serialised; the body is shared between attempts and not copied.

use aws_sdk_dynamodb::types::WriteRequest;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use wattstream_domain::{Alert, Guard, HourRow, OpenSilence, Row, RowWrite};
use wattstream_engine::ports::{Commit, ShardMark};
use wattstream_engine::{Error, Kind, Result};

use super::decode::Item;
use super::json::{Members, array, object, string};
use super::schema::{ALERT_AT, FLEET, HOUR, POSITION, SILENCE_AFTER, SITE_ID, TIMESTAMP, VERSION, fleet_of};
use super::{DynamoDb, REQUESTS_IN_FLIGHT_MAX, encode, missing};
use crate::batches::{Limits, send_all, send_each};
use crate::error::classify;

/// BatchWriteItem takes 25 items and 16 MB; 25 items of the 400 KB that an item may have are less than that.
const BATCH_WRITE: Limits = Limits { entries: 25, bytes: usize::MAX, in_flight: REQUESTS_IN_FLIGHT_MAX };

/// The room that an item gets beforehand; a reading without findings takes about 350 bytes.
const ITEM_BYTES: usize = 512;

/// One entry of a BatchWriteItem: an item that is put over anything that is stored under its key, or a key whose item is
/// removed.
pub(super) trait Entry: Sync {
    /// The name of the request, and of what it holds.
    const REQUEST: [&'static str; 2] = ["PutRequest", "Item"];

    /// Writes the item, or the key.
    fn encode(&self, out: &mut Vec<u8>);

    /// Whether `item` stands under the same key.
    fn has_key_of(&self, item: &Item) -> bool;
}

/// What is to be stored no longer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Removed<T>(pub(super) T);

impl Entry for &Row {
    fn encode(&self, out: &mut Vec<u8>) {
        encode::reading(self, out);
    }

    fn has_key_of(&self, item: &Item) -> bool {
        is_text(item, SITE_ID, self.site_id.as_str()) && is_text(item, TIMESTAMP, &self.timestamp.to_string())
    }
}

impl Entry for HourRow {
    fn encode(&self, out: &mut Vec<u8>) {
        encode::hour(self, out);
    }

    fn has_key_of(&self, item: &Item) -> bool {
        is_text(item, SITE_ID, self.site_id.as_str()) && is_text(item, HOUR, &self.hour.to_string())
    }
}

impl Entry for &Alert {
    fn encode(&self, out: &mut Vec<u8>) {
        encode::alert(self, out);
    }

    fn has_key_of(&self, item: &Item) -> bool {
        let fleet = item.get(FLEET).and_then(|value| value.as_n().ok());
        fleet.is_some_and(|fleet| *fleet == fleet_of(self.site_id).to_string())
            && is_text(item, ALERT_AT, &encode::alert_at(self))
    }
}

impl Entry for &OpenSilence {
    fn encode(&self, out: &mut Vec<u8>) {
        encode::silence(self, out);
    }

    /// All of them are in one partition.
    fn has_key_of(&self, item: &Item) -> bool {
        is_text(item, SILENCE_AFTER, &encode::silence_after(self))
    }
}

impl Entry for Removed<&OpenSilence> {
    const REQUEST: [&'static str; 2] = ["DeleteRequest", "Key"];

    fn encode(&self, out: &mut Vec<u8>) {
        encode::silence_key(self.0, out);
    }

    fn has_key_of(&self, item: &Item) -> bool {
        self.0.has_key_of(item)
    }
}

fn is_text(item: &Item, attribute: &str, text: &str) -> bool {
    item.get(attribute).and_then(|value| value.as_s().ok()).is_some_and(|found| found == text)
}

impl DynamoDb {
    /// Writes entries with different keys, as many a request as go. Answers for each, in their order.
    pub(super) async fn write_in_batches<E: Entry>(&self, table: &str, entries: &[E]) -> Vec<Result<()>> {
        send_all(entries, BATCH_WRITE, |_| 0, |entries| self.write_batch(table, entries)).await
    }

    async fn write_batch<E: Entry>(&self, table: &str, entries: Vec<&E>) -> Result<Vec<Result<()>>> {
        let sent_back = self.send_batch(table, batch_body(table, &entries)).await?;
        of_each_entry(&entries, &sent_back)
    }

    /// The items, or keys, that the table did not take this time.
    async fn send_batch(&self, table: &str, body: Bytes) -> Result<Vec<Item>> {
        // The table is named in the input as well, because the SDK may choose the endpoint by it.
        let request = self.client.batch_write_item().request_items(table, Vec::<WriteRequest>::new());
        let answer = request.customize().mutate_request(replace_body(body)).send().await;
        let answer = answer.map_err(|error| classify("writing items", error))?;
        let sent_back = answer.unprocessed_items.ok_or_else(|| missing("UnprocessedItems"))?;
        let sent_back = sent_back.into_values().flatten();
        Ok(sent_back.filter_map(item_or_key).collect())
    }

    /// Puts rows, each if its guard holds. Answers for each, in their order.
    ///
    /// A write that went through but whose answer was lost meets itself when it is sent again, and is answered as a conflict.
    /// That is the right answer: whoever gets it loads again, finds what was written, and goes on from there.
    pub(super) async fn put_guarded(&self, writes: &[&RowWrite]) -> Vec<Result<()>> {
        let table = &self.tables.readings;
        self.put_each(table, writes, |write| {
            let item = |out: &mut Vec<u8>| encode::reading(&write.row, out);
            put_body(table, item, |request| match &write.guard {
                Guard::Any => {}
                Guard::Unchanged(None) => expect_nothing(POSITION, request),
                Guard::Unchanged(Some(position)) => {
                    expect(POSITION, request, |values| values.plain(EXPECTED, position));
                }
            })
        })
        .await
    }

    /// Puts states, each over the version that it follows. A lost answer is a conflict here too.
    pub(super) async fn put_commits(&self, commits: &[Commit<'_>]) -> Vec<Result<()>> {
        let table = &self.tables.sites;
        self.put_each(table, commits, |commit| commit_request(table, commit)).await
    }

    /// Puts the mark of a shard over the last one.
    pub(super) async fn put_mark(&self, mark: &ShardMark) -> Result<()> {
        let table = &self.tables.shards;
        let body = |mark: &ShardMark| put_body(table, |out| encode::shard(mark, out), |_| {});
        self.put_each(table, std::slice::from_ref(mark), body).await.into_iter().collect()
    }

    async fn put_each<E>(&self, table: &str, entries: &[E], body: impl Fn(&E) -> Bytes) -> Vec<Result<()>> {
        send_each(entries, REQUESTS_IN_FLIGHT_MAX, |entry| self.send_put(table, body(entry))).await
    }

    async fn send_put(&self, table: &str, body: Bytes) -> Result<()> {
        let request = self.client.put_item().table_name(table);
        let answer = request.customize().mutate_request(replace_body(body)).send().await;
        answer.map(drop).map_err(|error| classify("writing an item", error))
    }
}

fn item_or_key(write: WriteRequest) -> Option<Item> {
    let item = write.put_request.map(|put| put.item);
    item.or_else(|| write.delete_request.map(|delete| delete.key))
}

/// Which of the entries were taken.
fn of_each_entry<E: Entry>(entries: &[&E], sent_back: &[Item]) -> Result<Vec<Result<()>>> {
    let is_taken = |entry: &&E| !sent_back.iter().any(|back| entry.has_key_of(back));
    let outcomes: Vec<_> = entries
        .iter()
        .map(|entry| if is_taken(entry) { Ok(()) } else { Err(Error::bare(Kind::Retry, SENT_BACK)) })
        .collect();
    let recognised = outcomes.iter().filter(|outcome| outcome.is_err()).count();
    if recognised == sent_back.len() {
        return Ok(outcomes);
    }
    let source = format!("{} items came back, {recognised} of them had been sent", sent_back.len());
    Err(Error::new(Kind::Retry, "reading what a batch sent back", source))
}

const SENT_BACK: &str = "writing an item, which DynamoDB sent back";

/// The bodies of the requests that put these rows: what [`DynamoDb`] sends, for who wants to see or to measure it.
pub fn row_requests(table: &str, rows: &[&Row]) -> Vec<Bytes> {
    put_requests(table, rows)
}

/// The bodies of the requests that put these hours; as [`row_requests`].
pub fn hour_requests(table: &str, hours: &[HourRow]) -> Vec<Bytes> {
    put_requests(table, hours)
}

fn put_requests<E: Entry>(table: &str, items: &[E]) -> Vec<Bytes> {
    let body = |items: &[E]| batch_body(table, &items.iter().collect::<Vec<_>>());
    items.chunks(BATCH_WRITE.entries).map(body).collect()
}

/// The body of the request that stores a state over the version that it follows; as [`row_requests`].
pub fn commit_request(table: &str, commit: &Commit<'_>) -> Bytes {
    put_body(
        table,
        |out| encode::site(commit, out),
        |request| match &commit.expected_version {
            0 => expect_nothing(VERSION, request),
            version => expect(VERSION, request, |values| values.number(EXPECTED, version)),
        },
    )
}

/// The body of a BatchWriteItem.
fn batch_body<E: Entry>(table: &str, entries: &[&E]) -> Bytes {
    let mut body = Vec::with_capacity(entries.len() * ITEM_BYTES);
    object(&mut body, |request| {
        request.member("RequestItems", |out| {
            object(out, |tables| {
                tables.foreign_member(table, |out| {
                    array(out, entries, |out, entry| write_request(*entry, out));
                });
            });
        });
    });
    body.into()
}

fn write_request<E: Entry>(entry: &E, out: &mut Vec<u8>) {
    let [request, content] = E::REQUEST;
    object(out, |write| {
        write.member(request, |out| object(out, |members| members.member(content, |out| entry.encode(out))));
    });
}

/// The body of a PutItem.
fn put_body(table: &str, item: impl FnOnce(&mut Vec<u8>), condition: impl FnOnce(&mut Members<'_>)) -> Bytes {
    let mut body = Vec::with_capacity(2 * ITEM_BYTES);
    object(&mut body, |request| {
        request.member("TableName", |out| string(out, table));
        request.member("Item", item);
        condition(request);
    });
    body.into()
}

/// The placeholder of the value that a condition expects.
const EXPECTED: &str = ":expected";

/// The condition that no item is stored: every item has the attribute.
fn expect_nothing(attribute: &str, request: &mut Members<'_>) {
    request.member("ConditionExpression", |out| string(out, "attribute_not_exists(#attribute)"));
    name_attribute(attribute, request);
}

/// The condition that an item is stored whose attribute has a value.
fn expect(attribute: &str, request: &mut Members<'_>, value: impl FnOnce(&mut Members<'_>)) {
    request.member("ConditionExpression", |out| string(out, "#attribute = :expected"));
    name_attribute(attribute, request);
    request.member("ExpressionAttributeValues", |out| object(out, value));
}

/// Names go into expressions through placeholders, because `position` and its like are reserved words.
fn name_attribute(attribute: &str, request: &mut Members<'_>) {
    request.member("ExpressionAttributeNames", |out| {
        object(out, |names| names.member("#attribute", |out| string(out, attribute)));
    });
}

fn replace_body(body: Bytes) -> impl Fn(&mut HttpRequest) + Send + Sync + 'static {
    move |request| {
        request.headers_mut().insert("content-length", body.len().to_string());
        *request.body_mut() = SdkBody::from(body.clone());
    }
}
