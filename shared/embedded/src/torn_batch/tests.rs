//! A batch that a power cut tore is left out; what was acknowledged before it stays.

use crate::fixture::Fixture;
use crate::{OpenError, Store};
use std::fs;
use std::path::{Path, PathBuf};

const PAGE_BYTES: usize = 4_096;
const RECORDS: u8 = 5;

/// Bytes that no compression makes shorter.
fn noise(seed: u8, length: usize) -> Vec<u8> {
    let next =
        |state: u64| state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    let states = std::iter::successors(Some(u64::from(seed)), |&state| Some(next(state)));
    states.map(|state| state.to_be_bytes()[0]).skip(1).take(length).collect()
}

/// The folder of a store that has taken some records of this length, and its journal as far as it is written.
async fn written(data_bytes: usize) -> (Fixture, PathBuf, Vec<u8>) {
    let mut fixture = Fixture::with_shards(1);
    for n in 0..RECORDS {
        fixture.append("a", noise(n, data_bytes)).await;
    }
    fixture.close();
    let journal = fixture.dir().join("store/0.jnl");
    let mut content = fs::read(&journal).unwrap();
    content.truncate(content.iter().rposition(|&byte| byte != 0).unwrap() + 1);
    (fixture, journal, content)
}

/// The records that are found when the journal holds `content`, or what is said when it is opened.
async fn opened_with(fixture: &mut Fixture, journal: &Path, content: &[u8]) -> Result<Vec<u8>, OpenError> {
    fs::write(journal, content).unwrap();
    drop(Store::open(fixture.dir(), fixture.settings(None))?);
    fixture.reopen();
    let log = fixture.log(0).await;
    fixture.close();
    let whole = |n: u8| noise(n, log[usize::from(n)].data.len());
    Ok((0..).zip(&log).inspect(|(n, record)| assert_eq!(record.data, whole(*n))).map(|(n, _)| n).collect())
}

#[tokio::test]
async fn a_journal_that_ends_anywhere_opens_with_what_was_whole() {
    let (mut fixture, journal, content) = written(300).await;
    let mut found = 0;
    for length in (0..=content.len()).step_by(97).chain([content.len()]) {
        // Nothing at all is no store: the count of shards is the first thing written.
        let Ok(records) = opened_with(&mut fixture, &journal, &content[..length]).await else {
            panic!("a journal of {length} bytes was refused");
        };
        assert!(records.len() >= found, "{length} bytes");
        found = records.len();
    }
    assert_eq!(found, usize::from(RECORDS));
}

#[tokio::test]
async fn a_last_write_with_a_hole_is_discarded_and_nothing_else() {
    for data_bytes in [1_000, 5 * PAGE_BYTES] {
        let (mut fixture, journal, content) = written(data_bytes).await;
        let last_batch = content.len() - data_bytes;
        for hole in (last_batch / PAGE_BYTES + 1)..(content.len() / PAGE_BYTES) {
            let mut torn = content.clone();
            torn[hole * PAGE_BYTES..(hole + 1) * PAGE_BYTES].fill(0);
            let found = opened_with(&mut fixture, &journal, &torn).await.unwrap();
            assert_eq!(found.len(), usize::from(RECORDS) - 1, "{data_bytes}, page {hole}");
        }
    }
}

#[tokio::test]
async fn damage_before_the_last_write_is_refused_and_left_as_it_is() {
    let (mut fixture, journal, mut content) = written(5 * PAGE_BYTES).await;
    content[6 * PAGE_BYTES] ^= 1;
    let error = opened_with(&mut fixture, &journal, &content).await.unwrap_err();
    assert!(error.to_string().contains("is damaged"), "{error}");
    assert!(fs::read(&journal).unwrap().starts_with(&content), "not a byte has changed");
}
