//! The ports of a store that has faults.

use wattstream_domain::{
    Alert, HourRow, OpenSilence, Position, Row, RowWrite, SequenceNumber, ShardId, SiteId, SiteState,
};
use wattstream_engine::ports::{
    Alerts, Checkpoint, Checkpoints, Commit, DeadLetters, Failures, GivenUp, HourQuery, NewRecord, OnFailure,
    Page, Producer, Queries, RowQuery, RowRange, Shard, ShardMark, ShardRead, Silences, Sites, Snapshot,
    Stream, Tables,
};
use wattstream_engine::{DeadLetter, Result};

use super::{Fault, Faulty};

impl<P: Tables> Tables for Faulty<P> {
    async fn snapshots(&self, sites: &[SiteId]) -> Result<Vec<Option<Snapshot>>> {
        self.reach().await?;
        self.inner.snapshots(sites).await
    }

    async fn rows(&self, ranges: &[RowRange]) -> Result<Vec<Vec<Row>>> {
        self.reach().await?;
        self.inner.rows(ranges).await
    }

    async fn put_rows(&self, rows: &[RowWrite]) -> Failures {
        let Some(fault) = self.faults.next() else { return self.inner.put_rows(rows).await };
        let failures = self.inner.put_rows(&applied(rows, fault)).await;
        self.fail_sites(fault, rows.iter().map(|write| write.row.site_id), failures).await
    }

    async fn put_hours(&self, hours: &[HourRow]) -> Failures {
        let Some(fault) = self.faults.next() else { return self.inner.put_hours(hours).await };
        let failures = self.inner.put_hours(&applied(hours, fault)).await;
        self.fail_sites(fault, hours.iter().map(|row| row.site_id), failures).await
    }

    async fn commit(&self, commits: &[Commit<'_>]) -> Failures {
        let Some(fault) = self.faults.next() else { return self.inner.commit(commits).await };
        let failures = self.inner.commit(&applied(commits, fault)).await;
        self.fail_sites(fault, commits.iter().map(|commit| commit.state.site_id), failures).await
    }

    async fn shard_mark(&self, shard: ShardId) -> Result<Option<ShardMark>> {
        self.reach().await?;
        self.inner.shard_mark(shard).await
    }

    async fn put_shard_mark(&self, mark: &ShardMark) -> Result<()> {
        self.write(self.inner.put_shard_mark(mark)).await
    }
}

impl<P: DeadLetters> DeadLetters for Faulty<P> {
    async fn put(&self, letters: &[DeadLetter]) -> Result<()> {
        let Some(fault) = self.faults.next() else { return self.inner.put(letters).await };
        self.inner.put(&applied(letters, fault)).await?;
        self.faults.answer(fault).await;
        let is_done = (0..letters.len()).all(|index| fault.succeeds(index));
        if is_done { Ok(()) } else { Err(fault.error()) }
    }
}

impl<P: Alerts> Alerts for Faulty<P> {
    async fn publish(&self, alerts: &[Alert]) -> Vec<Result<()>> {
        let outage = self.faults.lock().are_alerts_down.then_some(Fault::BEFORE);
        let fault = self.faults.next();
        let Some(fault) = outage.or(fault) else { return self.inner.publish(alerts).await };
        let mut results = self.inner.publish(&applied(alerts, fault)).await.into_iter();
        self.faults.answer(fault).await;
        let answer = |index| {
            let result = if fault.applies(index) { results.next() } else { None };
            if fault.succeeds(index) { result.unwrap_or(Ok(())) } else { Err(fault.error()) }
        };
        (0..alerts.len()).map(answer).collect()
    }
}

impl<P: Producer> Producer for Faulty<P> {
    async fn append(&self, records: Vec<NewRecord>) -> Result<()> {
        let Some(fault) = self.faults.next() else { return self.inner.append(records).await };
        let is_done = (0..records.len()).all(|index| fault.succeeds(index));
        self.inner.append(applied(&records, fault)).await?;
        self.faults.answer(fault).await;
        if is_done { Ok(()) } else { Err(fault.error()) }
    }
}

impl<P: Stream> Stream for Faulty<P> {
    async fn shards(&self) -> Result<Vec<Shard>> {
        self.reach().await?;
        self.inner.shards().await
    }

    async fn read(&self, shard: ShardId, after: Option<SequenceNumber>, limit: usize) -> Result<ShardRead> {
        self.reach().await?;
        self.inner.read(shard, after, limit).await
    }

    /// Waiting has no faults: it promises nothing.
    async fn wait(&self, shard: ShardId) {
        self.inner.wait(shard).await;
    }
}

impl<P: Checkpoints> Checkpoints for Faulty<P> {
    async fn checkpoint(&self, shard: ShardId) -> Result<Option<Checkpoint>> {
        self.reach().await?;
        self.inner.checkpoint(shard).await
    }

    async fn put_checkpoint(&self, shard: ShardId, checkpoint: Checkpoint) -> Result<()> {
        self.write(self.inner.put_checkpoint(shard, checkpoint)).await
    }
}

impl<P: Queries> Queries for Faulty<P> {
    async fn sites(&self) -> Result<Sites> {
        self.reach().await?;
        self.inner.sites().await
    }

    async fn site(&self, site_id: SiteId) -> Result<Option<SiteState>> {
        self.reach().await?;
        self.inner.site(site_id).await
    }

    async fn row_page(&self, query: RowQuery) -> Result<Page<Row>> {
        self.reach().await?;
        self.inner.row_page(query).await
    }

    async fn hour_page(&self, query: HourQuery) -> Result<Page<HourRow>> {
        self.reach().await?;
        self.inner.hour_page(query).await
    }

    async fn newest_alerts(&self, limit: usize) -> Result<Vec<Alert>> {
        self.reach().await?;
        self.inner.newest_alerts(limit).await
    }

    async fn dead_letter_page(&self, after: Option<Position>, limit: usize) -> Result<Vec<DeadLetter>> {
        self.reach().await?;
        self.inner.dead_letter_page(after, limit).await
    }
}

impl<P: Silences> Silences for Faulty<P> {
    async fn open_silences(&self) -> Result<Vec<OpenSilence>> {
        self.reach().await?;
        self.inner.open_silences().await
    }

    async fn put_silences(&self, silences: &[OpenSilence]) -> Result<()> {
        self.write_each(silences, async |applied| self.inner.put_silences(applied).await).await
    }

    async fn remove_silences(&self, silences: &[OpenSilence]) -> Result<()> {
        self.write_each(silences, async |applied| self.inner.remove_silences(applied).await).await
    }
}

impl<P: OnFailure> OnFailure for Faulty<P> {
    async fn report(&self, given_up: &GivenUp) -> Result<()> {
        self.write(self.inner.report(given_up)).await
    }
}

impl<P> Faulty<P> {
    /// A call that changes nothing: it gets through or it does not.
    async fn reach(&self) -> Result<()> {
        let Some(fault) = self.faults.next() else { return Ok(()) };
        self.faults.answer(fault).await;
        Err(fault.error())
    }

    /// A write of one whole. Without being awaited it is not applied.
    async fn write(&self, write: impl Future<Output = Result<()>>) -> Result<()> {
        let Some(fault) = self.faults.next() else { return write.await };
        if fault.applies(0) {
            write.await?;
        }
        self.faults.answer(fault).await;
        if fault.succeeds(0) { Ok(()) } else { Err(fault.error()) }
    }

    /// A write of many entries that has one answer: it has failed when one of them has.
    async fn write_each<T: Clone>(
        &self,
        entries: &[T],
        write: impl AsyncFnOnce(&[T]) -> Result<()>,
    ) -> Result<()> {
        let Some(fault) = self.faults.next() else { return write(entries).await };
        write(&applied(entries, fault)).await?;
        self.faults.answer(fault).await;
        let is_done = (0..entries.len()).all(|index| fault.succeeds(index));
        if is_done { Ok(()) } else { Err(fault.error()) }
    }

    /// The failures of a call by site: a site has failed when one of its entries has.
    async fn fail_sites(
        &self,
        fault: Fault,
        sites: impl Iterator<Item = SiteId> + Send,
        mut failures: Failures,
    ) -> Failures {
        let failed: Vec<SiteId> =
            sites.enumerate().filter(|(index, _)| !fault.succeeds(*index)).map(|(_, site)| site).collect();
        self.faults.answer(fault).await;
        for site in failed {
            failures.entry(site).or_insert_with(|| fault.error());
        }
        failures
    }
}

fn applied<T: Clone>(entries: &[T], fault: Fault) -> Vec<T> {
    entries
        .iter()
        .enumerate()
        .filter(|(index, _)| fault.applies(*index))
        .map(|(_, entry)| entry.clone())
        .collect()
}
