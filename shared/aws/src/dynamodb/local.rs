//! Tables on a local AWS, for tests and for trying things out. In the cloud the CDK app creates them, with what a local AWS has
//! no use for: encryption, backups, protection from deletion.

use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::operation::create_table::builders::CreateTableFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType as KeyRole,
    Projection as SdkProjection, ProjectionType, ScalarAttributeType,
};
use wattstream_engine::{Error, Kind, Result};

use super::DynamoDb;
use super::schema::{IndexDefinition, KeyAttribute, KeyType, Projection, TableDefinition, table_definitions};
use crate::error::classify;

const CREATING: &str = "creating a table";

impl DynamoDb {
    /// Creates the tables on a local AWS, where they are there at once. One that exists is an error.
    pub async fn create_tables(&self) -> Result<()> {
        for definition in table_definitions(&self.tables) {
            let request = describe(self.client.create_table(), &definition);
            let request = request.map_err(|error| Error::new(Kind::Broken, CREATING, error))?;
            request.send().await.map_err(|error| classify(CREATING, error))?;
        }
        Ok(())
    }
}

fn describe(
    request: CreateTableFluentBuilder,
    definition: &TableDefinition,
) -> std::result::Result<CreateTableFluentBuilder, BuildError> {
    let mut request = request
        .table_name(&definition.name)
        .billing_mode(BillingMode::PayPerRequest)
        .set_key_schema(Some(key_schema(definition.partition_key, definition.sort_key)?));
    for key in key_attributes(definition) {
        request = request.attribute_definitions(attribute(key)?);
    }
    for index in &definition.indexes {
        request = request.global_secondary_indexes(describe_index(index)?);
    }
    Ok(request)
}

/// Every attribute that is part of a key, once.
fn key_attributes(definition: &TableDefinition) -> Vec<KeyAttribute> {
    let of_indexes = definition.indexes.iter().flat_map(|index| [index.partition_key, index.sort_key]);
    let of_table = [Some(definition.partition_key), definition.sort_key].into_iter().flatten();
    let mut keys: Vec<_> = of_table.chain(of_indexes).collect();
    keys.sort_unstable_by_key(|key| key.name);
    keys.dedup();
    keys
}

fn describe_index(index: &IndexDefinition) -> std::result::Result<GlobalSecondaryIndex, BuildError> {
    let projection = match index.projection {
        Projection::All => ProjectionType::All,
        Projection::KeysOnly => ProjectionType::KeysOnly,
    };
    GlobalSecondaryIndex::builder()
        .index_name(index.name)
        .set_key_schema(Some(key_schema(index.partition_key, Some(index.sort_key))?))
        .projection(SdkProjection::builder().projection_type(projection).build())
        .build()
}

fn key_schema(
    partition_key: KeyAttribute,
    sort_key: Option<KeyAttribute>,
) -> std::result::Result<Vec<KeySchemaElement>, BuildError> {
    let element =
        |key: KeyAttribute, role| KeySchemaElement::builder().attribute_name(key.name).key_type(role).build();
    let partition_key = element(partition_key, KeyRole::Hash);
    let sort_key = sort_key.map(|key| element(key, KeyRole::Range));
    [Some(partition_key), sort_key].into_iter().flatten().collect()
}

fn attribute(key: KeyAttribute) -> std::result::Result<AttributeDefinition, BuildError> {
    let kind = match key.kind {
        KeyType::S => ScalarAttributeType::S,
        KeyType::N => ScalarAttributeType::N,
    };
    AttributeDefinition::builder().attribute_name(key.name).attribute_type(kind).build()
}
