//! The contract of the ports, on the store in memory.

use super::MemoryStore;
use crate::contract;

async fn empty_store() -> MemoryStore {
    MemoryStore::default()
}

#[tokio::test]
async fn tables_keep_their_contract() {
    contract::tables(empty_store).await;
}

#[tokio::test]
async fn dead_letters_keep_their_contract() {
    contract::dead_letters(empty_store).await;
}

#[tokio::test]
async fn alerts_keep_their_contract() {
    contract::alerts(empty_store).await;
}

#[tokio::test]
async fn checkpoints_keep_their_contract() {
    contract::checkpoints(empty_store).await;
}

#[tokio::test]
async fn the_stream_keeps_its_contract() {
    contract::stream(empty_store).await;
    contract::stream_wakes(empty_store).await;
}

#[tokio::test]
async fn live_queries_keep_their_contract() {
    contract::live_queries(empty_store).await;
}

#[tokio::test]
async fn queries_keep_their_contract() {
    contract::queries(empty_store).await;
}

#[tokio::test]
async fn fleet_queries_keep_their_contract() {
    contract::fleet_queries(empty_store).await;
}

#[tokio::test]
async fn silences_keep_their_contract() {
    contract::silences(empty_store).await;
}
