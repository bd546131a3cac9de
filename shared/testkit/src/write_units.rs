//! What a request to DynamoDB costs in write units, worked out from its body.
//!
//! Sizes follow the developer guide's "DynamoDB item sizes and formats": an item is its names and values, a text its
//! UTF-8, a number about a byte for two digits and one more. A put costs a unit for each KiB begun, twice that in a
//! transaction, and as much again for what an index holds of the item.
//!
//! What must always hold: this is a function of the request. So a put counts as that of a new item; where it replaces a
//! bigger one AWS counts that, and where an index has the same entry already it counts nothing. Updates and deletes say
//! nothing of the item's size, and are only counted.

use std::collections::BTreeMap;
use std::iter::Sum;
use std::ops::AddAssign;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value};

use crate::faulty_aws::{Operation, Request, Service};

/// A write unit writes up to so many bytes.
const UNIT_BYTES: u64 = 1024;

/// What a transaction costs for each unit: it is prepared and committed.
const TRANSACTION_FACTOR: u64 = 2;

/// What a list or a map takes besides its elements, and what each element takes besides itself.
const COLLECTION_BYTES: u64 = 3;
const ELEMENT_BYTES: u64 = 1;

/// A global secondary index. It holds the items that have all of its keys.
#[derive(Clone, Debug)]
pub struct Index {
    /// Whose items it holds.
    pub table: String,
    /// The attributes of its key.
    pub keys: Vec<String>,
    /// What it holds of an item.
    pub projection: Projection,
}

/// What an index holds of an item.
#[derive(Clone, Debug)]
pub enum Projection {
    /// Everything.
    All,
    /// These attributes: the keys of the table and of the index, and whatever else is projected.
    Only(Vec<String>),
}

/// What was written, in units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriteUnits {
    /// For items of the table.
    pub table: u64,
    /// For its indexes, as if each item were new to them.
    pub indexes: u64,
    /// Updates and deletes, whose units the request does not tell.
    pub unknown: u64,
}

impl AddAssign for WriteUnits {
    fn add_assign(&mut self, other: Self) {
        self.table += other.table;
        self.indexes += other.indexes;
        self.unknown += other.unknown;
    }
}

impl Sum for WriteUnits {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |mut sum, units| {
            sum += units;
            sum
        })
    }
}

/// What requests cost, by table. Those that are no writes to DynamoDB cost nothing.
pub fn of_requests<'a>(
    requests: impl IntoIterator<Item = &'a Request>,
    indexes: &[Index],
) -> BTreeMap<String, WriteUnits> {
    let mut tables: BTreeMap<String, WriteUnits> = BTreeMap::new();
    for request in requests {
        for (table, units) in of_request(&request.operation, &request.body, indexes) {
            *tables.entry(table).or_default() += units;
        }
    }
    tables
}

/// What one request costs, by table.
pub fn of_request(operation: &Operation, body: &[u8], indexes: &[Index]) -> BTreeMap<String, WriteUnits> {
    let mut tables: BTreeMap<String, WriteUnits> = BTreeMap::new();
    let request: Value = serde_json::from_slice(body).unwrap_or_default();
    for write in writes(operation, &request) {
        *tables.entry(write.table.to_owned()).or_default() += write.units(indexes);
    }
    tables
}

/// One item that is written.
struct Write<'a> {
    table: &'a str,
    /// None for an update or a delete.
    item: Option<&'a Map<String, Value>>,
    factor: u64,
}

fn writes<'a>(operation: &Operation, request: &'a Value) -> Vec<Write<'a>> {
    if operation.service != Service::DynamoDb {
        return Vec::new();
    }
    let writes: Option<Vec<Write<'_>>> = match operation.name.as_ref() {
        "PutItem" | "UpdateItem" | "DeleteItem" => single(request, 1).map(|write| vec![write]),
        "BatchWriteItem" => batch(request),
        "TransactWriteItems" => transaction(request),
        _ => None,
    };
    writes.unwrap_or_default()
}

fn single(request: &Value, factor: u64) -> Option<Write<'_>> {
    let table = request.get("TableName")?.as_str()?;
    Some(Write { table, item: request.get("Item").and_then(Value::as_object), factor })
}

fn batch(request: &Value) -> Option<Vec<Write<'_>>> {
    let tables = request.get("RequestItems")?.as_object()?;
    let writes = tables.iter().flat_map(|(table, writes)| {
        let writes = writes.as_array().into_iter().flatten();
        writes.map(|write| {
            let item = write.get("PutRequest").and_then(|put| put.get("Item")).and_then(Value::as_object);
            Write { table: table.as_str(), item, factor: 1 }
        })
    });
    Some(writes.collect())
}

/// Checks of conditions cost as much as writes of the item that they look at.
fn transaction(request: &Value) -> Option<Vec<Write<'_>>> {
    let actions = request.get("TransactItems")?.as_array()?.iter().filter_map(Value::as_object);
    Some(actions.flat_map(Map::values).filter_map(|action| single(action, TRANSACTION_FACTOR)).collect())
}

impl Write<'_> {
    fn units(&self, indexes: &[Index]) -> WriteUnits {
        let Some((item, bytes)) = self.item.and_then(|item| Some((item, item_bytes(item)?))) else {
            return WriteUnits { unknown: 1, ..WriteUnits::default() };
        };
        let of_table = indexes.iter().filter(|index| index.table == self.table);
        let indexes: u64 = of_table.map(|index| index.units(item)).sum();
        WriteUnits { table: self.factor * units(bytes), indexes: self.factor * indexes, unknown: 0 }
    }
}

impl Index {
    fn units(&self, item: &Map<String, Value>) -> u64 {
        if !self.keys.iter().all(|key| item.contains_key(key)) {
            return 0;
        }
        let is_projected = |name: &String| match &self.projection {
            Projection::All => true,
            Projection::Only(names) => names.contains(name),
        };
        let attributes = item.iter().filter(|(name, _)| is_projected(name));
        attributes.map(|(name, value)| attribute_bytes(name, value)).sum::<Option<u64>>().map_or(0, units)
    }
}

fn units(bytes: u64) -> u64 {
    bytes.div_ceil(UNIT_BYTES).max(1)
}

/// The size of an item in DynamoDB's JSON. `None` when it is not in that form.
pub fn item_bytes(item: &Map<String, Value>) -> Option<u64> {
    item.iter().map(|(name, value)| attribute_bytes(name, value)).sum()
}

fn attribute_bytes(name: &str, value: &Value) -> Option<u64> {
    Some(bytes(name) + value_bytes(value)?)
}

/// The size of a value, such as `{"N":"12.5"}`.
fn value_bytes(value: &Value) -> Option<u64> {
    let (kind, value) = value.as_object().filter(|value| value.len() == 1)?.iter().next()?;
    let elements = || value.as_array().map(|elements| elements.iter());
    let sum = |of_element: fn(&str) -> Option<u64>| -> Option<u64> {
        elements()?.map(|element| of_element(element.as_str()?)).sum()
    };
    match kind.as_str() {
        "S" => Some(bytes(value.as_str()?)),
        "N" => number_bytes(value.as_str()?),
        "B" => binary_bytes(value.as_str()?),
        "BOOL" | "NULL" => Some(1),
        "SS" => sum(|text| Some(bytes(text))),
        "NS" => sum(number_bytes),
        "BS" => sum(binary_bytes),
        "L" => {
            let elements: Option<u64> =
                elements()?.map(|value| Some(ELEMENT_BYTES + value_bytes(value)?)).sum();
            Some(COLLECTION_BYTES + elements?)
        }
        "M" => {
            let elements = value.as_object()?.iter();
            let elements: Option<u64> =
                elements.map(|(name, value)| Some(ELEMENT_BYTES + attribute_bytes(name, value)?)).sum();
            Some(COLLECTION_BYTES + elements?)
        }
        _ => None,
    }
}

fn bytes(text: &str) -> u64 {
    text.len() as u64
}

fn binary_bytes(base64: &str) -> Option<u64> {
    Some(BASE64.decode(base64).ok()?.len() as u64)
}

/// A byte for every two digits, without zeros at either end, and one more.
fn number_bytes(number: &str) -> Option<u64> {
    let mantissa = number.split(['e', 'E']).next()?;
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let significant = digits.trim_matches('0');
    (!digits.is_empty()).then(|| bytes(significant).div_ceil(2) + 1)
}

#[cfg(test)]
mod tests;
