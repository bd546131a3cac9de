//! `GET /series/{site_id}` and `GET /series`: energies over time, of a site and of all sites together. What must always hold:
//! - Points are at equal steps of the calendar, and a step without readings is null, never zero. Raw points are where the
//!   readings are, with one null point in each gap.
//! - Sums are exact: the closed hours and the open one, each once.
//! - An answer has at most [`POINTS_MAX`] points, whatever the range.

pub(crate) mod fleet;
mod points;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use axum::routing::get;
use serde::Serialize;
use utoipa::ToSchema;
use wattstream_domain::{HourSums, Resolution, Row, SiteState, Sums, Timestamp, Totals};
use wattstream_engine::ports::{FleetQueries, HourQuery, Queries, RowQuery};

use crate::format::{self, Format, Listing};
use crate::json::{self, Utc};
use crate::parameters::{Form, Parameter, Parameters, documented};
use crate::problem::{Problem, ProblemType};
use crate::state::AppState;
use crate::time_range::{END, END_DATE, START, START_DATE, TimeRange};

use super::sites::site_named;
use points::{PointBody, raw_points, summed_points};

/// The most points of an answer whose resolution was not asked for: a chart a screen wide shows no more.
const POINTS_AUTO_MAX: usize = 2_000;

/// The most points of an answer: more than a year of hours, and some 2 MB of JSON.
const POINTS_MAX: usize = 10_000;

/// The hours that are in memory at one time while they are summed.
const HOURS_AT_ONCE_MAX: usize = 10_000;

const AUTO: &str = "auto";
const RAW: &str = "raw";

const RESOLUTION: Parameter = Parameter {
    name: "resolution",
    description: "The step from point to point: `raw` (the readings), or UTC hours, days or months. `auto` is the finest with at \
                  most 2000 points. Any other may have up to 10000.",
    form: Form::Choice(SITE_RESOLUTIONS),
};
const SITE_RESOLUTIONS: &[&str] =
    &[AUTO, RAW, Resolution::Hour.name(), Resolution::Day.name(), Resolution::Month.name()];

const PARAMETERS: &[Parameter] = &[START, END, START_DATE, END_DATE, RESOLUTION, format::PARAMETER];
documented!(SeriesParameters, PARAMETERS);

pub(crate) fn routes<Q: FleetQueries, P: Send + Sync + 'static>(state: &Arc<AppState<Q, P>>) -> Router {
    Router::new()
        .route("/series", get(fleet::of_all_sites::<Q, P>))
        .route("/series/{site_id}", get(of_site::<Q, P>))
        .with_state(Arc::clone(state))
}

/// The energies of a site over time.
#[derive(Serialize, ToSchema)]
pub(crate) struct SiteSeries {
    /// The site.
    #[schema(example = "site-alpha-pv-farm-01")]
    site_id: String,
    /// `raw`, `hour`, `day` or `month`.
    #[schema(example = "hour")]
    resolution: &'static str,
    /// The first instant that the points are about: the beginning of the first step, which may lie before the `start` that
    /// was asked for.
    start: Utc,
    /// The first instant that they are not about.
    end: Utc,
    /// The site's earliest reading; null when there is none.
    #[schema(required)]
    first_seen: Option<Utc>,
    /// The site's newest reading; null when there is none.
    #[schema(required)]
    last_seen: Option<Utc>,
    /// The points, ascending.
    #[serde(serialize_with = "json::rows")]
    points: Vec<PointBody>,
}

/// The energies of a site over time
///
/// One point for each step between `start` and `end`, widened to whole steps; without them, from the site's first reading to
/// its last. A step without readings is null. With `resolution=raw` each reading is a point, and there is one null point in
/// each gap that is longer than one and a half of the site's usual interval.
#[utoipa::path(
    get,
    path = "/series/{site_id}",
    tag = "sites",
    params(("site_id" = String, Path, description = "The site", example = "site-alpha-pv-farm-01"), SeriesParameters),
    responses((status = 200, description = "The points", content((SiteSeries = "application/json"), (String = "application/x-ndjson"), (String = "text/csv"))), Problem)
)]
pub(crate) async fn of_site<Q: Queries, P>(
    State(state): State<Arc<AppState<Q, P>>>,
    Path(site_id): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let parameters = Parameters::of(&uri, PARAMETERS)?;
    let format = Format::of(&parameters, &headers)?;
    let asked = Asked::of(parameters.choice(RESOLUTION.name, SITE_RESOLUTIONS)?);
    let range = TimeRange::of(&parameters, (state.clock)())?;
    // The site before its hours: an hour that closes in between is in both, and never in neither.
    let site = site_named(&*state.queries, &site_id).await?;
    let mut series = SiteSeries::empty(&site, &range, asked);
    if let Some(span) = Span::of(&range, Seen::of(&site.totals)) {
        let Curve { resolution, span, points } = curve(&*state.queries, &site, span, asked).await?;
        series = SiteSeries { resolution, start: Utc(span.first), end: Utc(span.end()), points, ..series };
    }
    Ok(format.answer(HeaderMap::new(), &series))
}

impl Listing for SiteSeries {
    type Row = PointBody;

    fn rows(&self) -> &[PointBody] {
        &self.points
    }
}

impl SiteSeries {
    /// No point.
    fn empty(site: &SiteState, range: &TimeRange, asked: Asked) -> Self {
        Self {
            site_id: site.site_id.to_string(),
            resolution: asked.name(),
            start: Utc(range.start),
            end: Utc(range.end),
            first_seen: site.totals.first_seen.map(Utc),
            last_seen: site.totals.last_seen.map(Utc),
            points: Vec::new(),
        }
    }
}

/// The resolution that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Auto,
    Raw,
    Summed(Resolution),
}

impl Asked {
    fn of(name: &str) -> Self {
        match Resolution::from_name(name) {
            Some(resolution) => Self::Summed(resolution),
            None if name == RAW => Self::Raw,
            None => Self::Auto,
        }
    }

    /// The name of the resolution of an answer without points.
    const fn name(self) -> &'static str {
        match self {
            Self::Auto | Self::Raw => RAW,
            Self::Summed(resolution) => resolution.name(),
        }
    }
}

/// The earliest and the newest reading.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    first: Option<Timestamp>,
    last: Option<Timestamp>,
}

impl Seen {
    fn of(totals: &Totals) -> Self {
        Self { first: totals.first_seen, last: totals.last_seen }
    }
}

/// The instants that a curve is about, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    first: Timestamp,
    last: Timestamp,
}

impl Span {
    /// A range, and where it has no end of its own, that of what was seen; `None` when nothing lies between.
    fn of(range: &TimeRange, seen: Seen) -> Option<Self> {
        let first = if range.start == Timestamp::MIN { seen.first? } else { range.start };
        let last = if range.end == Timestamp::MAX { seen.last? } else { range.end.saturating_add_ms(-1) };
        (first <= last && range.start < range.end).then_some(Self { first, last })
    }

    /// The whole buckets that it touches.
    fn widened(self, resolution: Resolution) -> Self {
        let first = resolution.start_of(self.first);
        let after = resolution.after(resolution.start_of(self.last));
        Self { first, last: after.map_or(Timestamp::MAX, |after| after.saturating_add_ms(-1)) }
    }

    /// The first instant after it, or the last of all.
    fn end(self) -> Timestamp {
        self.last.saturating_add_ms(1)
    }

    fn count(self, resolution: Resolution) -> usize {
        resolution.count(self.first, self.last)
    }

    /// The finest resolution of at most so many points. Months always fit: there are 1,560 of them.
    fn finest(self, points_max: usize) -> Resolution {
        let fits = |resolution: &Resolution| self.count(*resolution) <= points_max;
        Resolution::ALL.into_iter().find(fits).unwrap_or(Resolution::Month)
    }

    /// The resolution, when it has not too many points here.
    fn with(self, resolution: Resolution) -> Result<Resolution, Problem> {
        if self.count(resolution) <= POINTS_MAX {
            return Ok(resolution);
        }
        Err(self.too_long(resolution.name(), &self.count(resolution).to_string()))
    }

    fn too_long(self, resolution: &str, points: &str) -> Problem {
        let detail = format!(
            "resolution={resolution} has {points} points from {} to {}, and an answer has at most {POINTS_MAX}. Ask for \
             resolution={}, or for a shorter range.",
            self.first,
            self.last,
            self.finest(POINTS_MAX)
        );
        Problem::new(ProblemType::RangeTooLong, detail).about(RESOLUTION.name)
    }
}

/// The points of an answer.
struct Curve {
    resolution: &'static str,
    span: Span,
    points: Vec<PointBody>,
}

async fn curve<Q: Queries>(
    queries: &Q,
    site: &SiteState,
    span: Span,
    asked: Asked,
) -> Result<Curve, Problem> {
    let resolution = match asked {
        Asked::Summed(resolution) => span.with(resolution)?,
        Asked::Raw => {
            let points = readings(queries, site, span, POINTS_MAX).await?;
            let points = points.ok_or_else(|| span.too_long(RAW, &format!("more than {POINTS_MAX}")))?;
            return Ok(Curve { resolution: RAW, span, points });
        }
        Asked::Auto => {
            if may_be_raw(site, span)
                && let Some(points) = readings(queries, site, span, POINTS_AUTO_MAX).await?
            {
                return Ok(Curve { resolution: RAW, span, points });
            }
            span.finest(POINTS_AUTO_MAX)
        }
    };
    let span = span.widened(resolution);
    let sums = sums(queries, site, span, resolution).await?;
    Ok(Curve { resolution: resolution.name(), span, points: summed_points(span, resolution, &sums) })
}

/// Whether it is worth to look for few enough readings: whatever the interval, a site has no more than it has in all.
fn may_be_raw(site: &SiteState, span: Span) -> bool {
    let Totals { records, first_seen: Some(first), last_seen: Some(last), .. } = site.totals else {
        return false;
    };
    let covered_ms = last.min(span.last).ms_since(first.max(span.first)).max(0);
    let expected =
        site.detector.cadence.interval_ms().map_or(0, |interval_ms| covered_ms / interval_ms.max(1));
    // Gaps and a changed interval make it an estimate.
    let is_far_more = usize::try_from(expected).is_ok_and(|expected| expected > 2 * POINTS_AUTO_MAX);
    records <= POINTS_AUTO_MAX as u64 || !is_far_more
}

/// A point for each reading and for each gap; `None` when they are more than `points_max`.
async fn readings<Q: Queries>(
    queries: &Q,
    site: &SiteState,
    span: Span,
    points_max: usize,
) -> Result<Option<Vec<PointBody>>, Problem> {
    let rows: Vec<Row> = queries
        .row_page(RowQuery {
            site_id: site.site_id,
            start: span.first,
            end: span.end(),
            anomalous_only: false,
            limit: points_max + 1,
        })
        .await?
        .entries;
    if rows.len() > points_max {
        return Ok(None);
    }
    let points = raw_points(&rows, site.detector.cadence.interval_ms());
    Ok(Some(points).filter(|points| points.len() <= points_max))
}

/// The sums of a site by bucket, ascending: its closed hours, and the open one as the site has it.
async fn sums<Q: Queries>(
    queries: &Q,
    site: &SiteState,
    span: Span,
    resolution: Resolution,
) -> Result<Vec<(Timestamp, Sums)>, Problem> {
    let open = site.open_hour.as_ref().map(|(hour, totals)| HourSums { hour: *hour, sums: totals.into() });
    let open = open.filter(|open| (span.first..=span.last).contains(&open.hour.start()));
    let mut buckets = Buckets { resolution, open, ascending: Vec::with_capacity(span.count(resolution)) };
    let mut start = Some(span.first);
    while let Some(from) = start {
        let (site_id, end, limit) = (site.site_id, span.end(), HOURS_AT_ONCE_MAX);
        let page = queries.hour_sums_page(HourQuery { site_id, start: from, end, limit }).await?;
        for closed in &page.entries {
            buckets.add_closed(closed);
        }
        start = page.next_start;
    }
    Ok(buckets.finish())
}

/// Hours that are added up by bucket, in the order of time.
struct Buckets {
    resolution: Resolution,
    /// The open hour, until it was added.
    open: Option<HourSums>,
    ascending: Vec<(Timestamp, Sums)>,
}

impl Buckets {
    /// Adds the next closed hour. The one that was open may have been closed since the site was read, and others after it: then the
    /// site's own sums count, once.
    fn add_closed(&mut self, closed: &HourSums) {
        match self.open.take_if(|open| open.hour <= closed.hour) {
            Some(open) if open.hour == closed.hour => self.add(&open),
            Some(open) => {
                self.add(&open);
                self.add(closed);
            }
            None => self.add(closed),
        }
    }

    fn add(&mut self, of: &HourSums) {
        let start = self.resolution.start_of(of.hour.start());
        match self.ascending.last_mut() {
            Some((bucket, sums)) if *bucket == start => *sums += of.sums,
            _ => self.ascending.push((start, of.sums)),
        }
    }

    fn finish(mut self) -> Vec<(Timestamp, Sums)> {
        if let Some(open) = self.open.take() {
            self.add(&open);
        }
        self.ascending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An hour of so many readings.
    fn hour(number: i64, records: u64) -> HourSums {
        let start = Timestamp::from_unix_ms(number * 3_600_000).unwrap();
        HourSums { hour: start.hour(), sums: Sums { records, ..Sums::default() } }
    }

    fn records(resolution: Resolution, open: Option<HourSums>, closed: &[HourSums]) -> Vec<(i64, u64)> {
        let mut buckets = Buckets { resolution, open, ascending: Vec::new() };
        for closed in closed {
            buckets.add_closed(closed);
        }
        let hour = |start: Timestamp| start.unix_ms() / 3_600_000;
        buckets.finish().into_iter().map(|(start, sums)| (hour(start), sums.records)).collect()
    }

    #[test]
    fn the_open_hour_counts_once_wherever_it_lies() {
        let closed = [hour(1, 10), hour(2, 20), hour(4, 40)];
        let of = |open| records(Resolution::Hour, open, &closed);
        assert_eq!(of(None), [(1, 10), (2, 20), (4, 40)]);
        assert_eq!(of(Some(hour(5, 7))), [(1, 10), (2, 20), (4, 40), (5, 7)]);
        assert_eq!(of(Some(hour(4, 7))), [(1, 10), (2, 20), (4, 7)], "it was closed since");
        assert_eq!(of(Some(hour(2, 7))), [(1, 10), (2, 7), (4, 40)], "and another one after it");
        assert_eq!(of(Some(hour(3, 7))), [(1, 10), (2, 20), (3, 7), (4, 40)]);
        assert_eq!(records(Resolution::Hour, Some(hour(3, 7)), &[]), [(3, 7)]);
    }

    #[test]
    fn hours_of_a_bucket_add_up() {
        let closed = [hour(1, 10), hour(23, 20), hour(24, 40)];
        assert_eq!(records(Resolution::Day, Some(hour(23, 7)), &closed), [(0, 17), (24, 40)]);
    }
}
