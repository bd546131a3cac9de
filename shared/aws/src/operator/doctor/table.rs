//! A table as it is, against its definition.

use aws_sdk_dynamodb::types::{
    AttributeDefinition, GlobalSecondaryIndexDescription, KeySchemaElement, KeyType as KeyRole,
    TableDescription,
};

use super::ACTIVE;
use crate::dynamodb::{IndexDefinition, KeyAttribute, KeyType, Projection, TableDefinition};

/// What DynamoDB tells of a table, as far as it is compared. Keys are texts: `site_id (S), timestamp (S)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SeenTable {
    pub(super) status: String,
    pub(super) key: String,
    pub(super) indexes: Vec<SeenIndex>,
}

/// An index of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SeenIndex {
    name: String,
    status: String,
    key: String,
    projection: String,
}

impl From<&TableDescription> for SeenTable {
    fn from(table: &TableDescription) -> Self {
        let attributes = table.attribute_definitions();
        Self {
            status: table.table_status().map_or(String::new(), |status| status.as_str().to_owned()),
            key: seen_key(table.key_schema(), attributes),
            indexes: table
                .global_secondary_indexes()
                .iter()
                .map(|index| seen_index(index, attributes))
                .collect(),
        }
    }
}

fn seen_index(index: &GlobalSecondaryIndexDescription, attributes: &[AttributeDefinition]) -> SeenIndex {
    let projection = index.projection().and_then(|projection| projection.projection_type());
    SeenIndex {
        name: index.index_name().unwrap_or_default().to_owned(),
        status: index.index_status().map_or(String::new(), |status| status.as_str().to_owned()),
        key: seen_key(index.key_schema(), attributes),
        projection: projection.map_or(String::new(), |projection| projection.as_str().to_owned()),
    }
}

/// The partition key, and then the sort key.
fn seen_key(schema: &[KeySchemaElement], attributes: &[AttributeDefinition]) -> String {
    let of_role = |role: KeyRole| schema.iter().filter(move |element| *element.key_type() == role);
    let text = |element: &KeySchemaElement| {
        let name = element.attribute_name();
        let attribute = attributes.iter().find(|attribute| attribute.attribute_name() == name);
        format!("{name} ({})", attribute.map_or("?", |attribute| attribute.attribute_type().as_str()))
    };
    of_role(KeyRole::Hash).chain(of_role(KeyRole::Range)).map(text).collect::<Vec<_>>().join(", ")
}

fn defined_key(partition_key: KeyAttribute, sort_key: Option<KeyAttribute>) -> String {
    let text = |KeyAttribute { name, kind }: KeyAttribute| match kind {
        KeyType::S => format!("{name} (S)"),
        KeyType::N => format!("{name} (N)"),
    };
    [Some(partition_key), sort_key].into_iter().flatten().map(text).collect::<Vec<_>>().join(", ")
}

/// What of a table is not as it is defined. Indexes beside those that are defined do no harm.
pub(super) fn differences(definition: &TableDefinition, seen: &SeenTable) -> Vec<String> {
    let mut differences = Vec::new();
    if seen.status != ACTIVE {
        differences.push(format!("it is {}", seen.status));
    }
    let key = defined_key(definition.partition_key, definition.sort_key);
    if seen.key != key {
        differences.push(format!("its key is {}, not {key}", seen.key));
    }
    for index in &definition.indexes {
        match seen.indexes.iter().find(|seen| seen.name == index.name) {
            Some(seen) => differences.extend(differences_of_index(index, seen)),
            None => differences.push(format!("its index {} is missing", index.name)),
        }
    }
    differences
}

fn differences_of_index(definition: &IndexDefinition, seen: &SeenIndex) -> Vec<String> {
    let projection = match definition.projection {
        Projection::All => "ALL",
        Projection::KeysOnly => "KEYS_ONLY",
    };
    let key = defined_key(definition.partition_key, Some(definition.sort_key));
    let compared = [
        ("status", &seen.status[..], ACTIVE),
        ("key", &seen.key[..], &key[..]),
        ("projection", &seen.projection[..], projection),
    ];
    let different = compared.into_iter().filter(|(_, seen, wanted)| seen != wanted);
    different
        .map(|(what, seen, wanted)| {
            format!("the {what} of its index {} is {seen}, not {wanted}", definition.name)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamodb::{TableNames, table_definitions};

    fn readings() -> (TableDefinition, SeenTable) {
        let [definition, ..] = table_definitions(&TableNames::with_prefix(""));
        let index = |name: &str, key: &str| SeenIndex {
            name: name.to_owned(),
            status: ACTIVE.to_owned(),
            key: key.to_owned(),
            projection: "ALL".to_owned(),
        };
        let anomalies = index("anomalies", "site_id (S), anomaly_at (S)");
        let of_fleet = index("fleet_anomalies", "anomaly_fleet (N), anomaly_place (S)");
        let key = "site_id (S), timestamp (S)".to_owned();
        (definition, SeenTable { status: ACTIVE.to_owned(), key, indexes: vec![anomalies, of_fleet] })
    }

    #[test]
    fn a_table_that_is_as_defined_differs_in_nothing() {
        let (definition, seen) = readings();
        assert_eq!(differences(&definition, &seen), [""; 0]);
    }

    #[test]
    fn every_difference_is_told() {
        let (definition, seen) = readings();
        let told = |seen: &SeenTable| differences(&definition, seen).join("; ");
        let creating = SeenTable { status: "CREATING".to_owned(), ..seen.clone() };
        assert_eq!(told(&creating), "it is CREATING");
        let by_number = SeenTable { key: "site_id (S), timestamp (N)".to_owned(), ..seen.clone() };
        assert_eq!(told(&by_number), "its key is site_id (S), timestamp (N), not site_id (S), timestamp (S)");
        let bare = SeenTable { indexes: Vec::new(), ..seen.clone() };
        assert_eq!(told(&bare), "its index anomalies is missing; its index fleet_anomalies is missing");
        let with_index = |change: fn(&mut SeenIndex)| {
            let mut seen = seen.clone();
            change(&mut seen.indexes[0]);
            told(&seen)
        };
        let status = with_index(|index| index.status = "CREATING".to_owned());
        assert_eq!(status, "the status of its index anomalies is CREATING, not ACTIVE");
        let key = with_index(|index| index.key = "site_id (S)".to_owned());
        assert_eq!(key, "the key of its index anomalies is site_id (S), not site_id (S), anomaly_at (S)");
        let projection = with_index(|index| index.projection = "KEYS_ONLY".to_owned());
        assert_eq!(projection, "the projection of its index anomalies is KEYS_ONLY, not ALL");
    }
}
