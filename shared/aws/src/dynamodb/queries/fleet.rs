//! What the API asks over all sites: the methods of [`FleetQueries`](wattstream_engine::ports::FleetQueries).

use std::ops::RangeInclusive;

use wattstream_domain::{OpenSilence, Phase, SiteId, SiteState};
use wattstream_engine::Result;
use wattstream_engine::ports::{Page, SiteQuery, Tables};

use super::fleet_question;
use crate::deadline;
use crate::dynamodb::reads::{Order, Question, text};
use crate::dynamodb::schema::{FLEET_INDEX, FLEETS, PHASE, SILENCE_AFTER, SITE_ID};
use crate::dynamodb::{DynamoDb, decode};

/// Text that stands after every site's id.
const AFTER_EVERY_SITE: &str = "~";

impl DynamoDb {
    /// One page of the states of the sites, ascending by id, each exact to its last row. The list of their ids is an index,
    /// which follows the table within a moment.
    pub async fn site_page(&self, query: SiteQuery) -> Result<Page<SiteState, SiteId>> {
        deadline::keep("reading a page of sites", self.read_site_page(query)).await
    }

    /// The open silences of the sites from one to another, both included, ascending by site.
    pub async fn silences_of(&self, sites: RangeInclusive<SiteId>) -> Result<Vec<OpenSilence>> {
        // No site's id has a character before `#`, which ends the id in a silence's place; `$` is the one after it.
        let places = [format!("{}#", sites.start()), format!("{}$", sites.end())];
        let question = Question {
            table: &self.tables.silences,
            index: None,
            partition: (PHASE, text(&Phase::Opened.name())),
            range: (!sites.is_empty()).then(|| (SILENCE_AFTER, places.each_ref().map(text))),
            order: Order::Ascending,
            items_max: if sites.is_empty() { 0 } else { usize::MAX },
        };
        self.ask_one(question, decode::silence, "reading silences").await
    }

    async fn read_site_page(&self, query: SiteQuery) -> Result<Page<SiteState, SiteId>> {
        let sites = self.listed_from(&query).await?;
        let Page { entries: sites, next_start } = Page::of(sites, query.limit, |site_id| *site_id);
        let snapshots = self.snapshots(&sites).await?;
        let states = snapshots.into_iter().flatten().map(|snapshot| snapshot.state).collect();
        Ok(Page { entries: self.with_tails(states).await?, next_start })
    }

    /// The ids that a question asks for, ascending: those of its page and the one after it, and perhaps more.
    async fn listed_from(&self, query: &SiteQuery) -> Result<Vec<SiteId>> {
        // Which ids have a text in them only the ids can tell, and no fleet knows how many of a page are its own.
        let items_max = if query.contains.is_empty() { query.limit.saturating_add(1) } else { usize::MAX };
        let range = query.start.map(|start| (SITE_ID, [text(&start), text(&AFTER_EVERY_SITE)]));
        let of_fleet = |fleet| Question {
            index: Some(FLEET_INDEX),
            range: range.clone(),
            ..fleet_question(&self.tables.sites, fleet, Order::Ascending, items_max)
        };
        let questions: Vec<_> = (0..FLEETS).map(of_fleet).collect();
        let mut sites = self.ask_all(&questions, decode::site_id, "listing the sites").await?.concat();
        sites.retain(|&site_id| query.asks_for(site_id));
        sites.sort_unstable();
        Ok(sites)
    }
}
