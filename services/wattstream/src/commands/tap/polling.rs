//! What is new, by asking again and again. What must always hold: a version of a reading is told once, the oldest first; what was
//! there before the first question is not told, as it would not be by a stream; and when an answer has nothing of the one before,
//! something may have been missed between them.

use std::collections::HashSet;
use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;
use wattstream_domain::SiteId;

use super::LIVE;
use crate::client::{Client, ClientError, Tagged};

/// How often.
pub(super) const EVERY: Duration = Duration::from_secs(5);

/// The newest readings known, the newest first.
#[derive(Deserialize)]
struct Answer {
    records: Vec<Box<RawValue>>,
}

/// What one version of a reading is known by.
#[derive(Deserialize, PartialEq, Eq, Hash)]
struct Version {
    site_id: String,
    timestamp: String,
    revision: u32,
}

/// What has come since the question before.
#[derive(Default)]
pub(super) struct News {
    /// The oldest first.
    pub(super) records: Vec<Box<RawValue>>,
    pub(super) has_missed: bool,
}

/// Asks about some sites, each by itself, or about all of them together.
pub(super) struct Poll(Vec<Question>);

#[derive(Default)]
struct Question {
    site_id: Option<String>,
    etag: Option<String>,
    /// What the newest answer had; none before the first.
    told: Option<HashSet<Version>>,
}

impl Poll {
    pub(super) fn of(sites: &[SiteId]) -> Self {
        let about = |site_id| Question { site_id, ..Question::default() };
        if sites.is_empty() {
            return Self(vec![about(None)]);
        }
        Self(sites.iter().map(|site| about(Some(site.to_string()))).collect())
    }

    /// Asks once.
    pub(super) fn ask(&mut self, client: &Client) -> Result<News, ClientError> {
        let mut news = News::default();
        for question in &mut self.0 {
            let parameters: Vec<_> =
                question.site_id.iter().map(|site_id| ("site_id", &site_id[..])).collect();
            let answer = client.get_newer(LIVE, &parameters, question.etag.as_deref())?;
            let Some(Tagged { document: Answer { records }, etag }) = answer else { continue };
            question.etag = etag;
            question.take(records, &mut news);
        }
        Ok(news)
    }
}

impl Question {
    fn take(&mut self, records: Vec<Box<RawValue>>, news: &mut News) {
        let versions = records.into_iter().filter_map(|record| {
            let version: Version = serde_json::from_str(record.get()).ok()?;
            Some((version, record))
        });
        let versions: Vec<_> = versions.collect();
        if let Some(told) = &self.told {
            let is_told = |version: &Version| told.contains(version);
            news.has_missed |= !told.is_empty() && !versions.iter().any(|(version, _)| is_told(version));
            let fresh = versions.iter().rev().filter(|(version, _)| !is_told(version));
            news.records.extend(fresh.map(|(_, record)| record.clone()));
        }
        self.told = Some(versions.into_iter().map(|(version, _)| version).collect());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(minute: u32, revision: u32) -> Box<RawValue> {
        let text = format!(
            r#"{{"site_id":"a","timestamp":"2025-06-20T00:{minute:02}:00.000Z","revision":{revision},"anomaly":false}}"#
        );
        RawValue::from_string(text).unwrap()
    }

    fn take(question: &mut Question, minutes: &[(u32, u32)]) -> (Vec<String>, bool) {
        let mut news = News::default();
        question
            .take(minutes.iter().map(|&(minute, revision)| record(minute, revision)).collect(), &mut news);
        let minute = |record: &RawValue| record.get().split("T00:").nth(1).unwrap()[..2].to_owned();
        (news.records.iter().map(|record| minute(record)).collect(), news.has_missed)
    }

    #[test]
    fn a_version_is_told_once_and_the_oldest_first() {
        let mut question = Question::default();
        assert_eq!(
            take(&mut question, &[(2, 0), (1, 0)]),
            (vec![], false),
            "what was there before is not new"
        );
        assert_eq!(take(&mut question, &[(4, 0), (3, 0), (2, 0)]), (vec!["03".into(), "04".into()], false));
        assert_eq!(take(&mut question, &[(4, 1), (3, 0)]), (vec!["04".into()], false), "a revision is news");
    }

    #[test]
    fn an_answer_without_anything_of_the_one_before_may_have_missed_something() {
        let mut question = Question::default();
        assert!(!take(&mut question, &[]).1);
        assert!(!take(&mut question, &[(1, 0)]).1, "before the first reading there was none to miss");
        assert!(take(&mut question, &[(9, 0), (8, 0)]).1);
    }
}
