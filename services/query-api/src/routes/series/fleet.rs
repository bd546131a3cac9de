//! `GET /series`: all sites together over time.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use wattstream_domain::{Resolution, Timestamp};
use wattstream_engine::ports::{FleetBucket, FleetQueries, FleetQuery, FleetSeries, Queries};

use super::points::{PointBody, starts};
use super::{AUTO, POINTS_AUTO_MAX, RESOLUTION, Seen, Span};
use crate::format::{self, Cell, CsvRow, Format, Listing};
use crate::json::{self, JsonRow, Utc};
use crate::parameters::{Form, Parameter, Parameters, documented};
use crate::problem::{Problem, ProblemType};
use crate::state::AppState;
use crate::time_range::{END, END_DATE, START, START_DATE, TimeRange};

const FLEET_RESOLUTION: Parameter = Parameter {
    name: RESOLUTION.name,
    description: "The step from point to point: UTC hours, days or months. `auto` is the finest with at most 2000 points. Any \
                  other may have up to 10000.",
    form: Form::Choice(FLEET_RESOLUTIONS),
};
const FLEET_RESOLUTIONS: &[&str] =
    &[AUTO, Resolution::Hour.name(), Resolution::Day.name(), Resolution::Month.name()];

const PARAMETERS: &[Parameter] = &[START, END, START_DATE, END_DATE, FLEET_RESOLUTION, format::PARAMETER];
documented!(FleetParameters, PARAMETERS);

/// All sites together over time.
#[derive(Serialize, ToSchema)]
pub(crate) struct FleetCurve {
    /// `hour`, `day` or `month`.
    #[schema(example = "hour")]
    resolution: &'static str,
    /// The beginning of the first step, which may lie before the `start` that was asked for.
    start: Utc,
    /// The first instant that the points are not about.
    end: Utc,
    /// Null when the sums are exact to the last record. Otherwise every reading up to this instant is in them.
    #[schema(required)]
    as_of: Option<Utc>,
    /// The points, ascending.
    #[serde(serialize_with = "json::rows")]
    points: Vec<FleetPoint>,
}

/// All sites together in one step.
#[derive(Serialize, ToSchema)]
pub(crate) struct FleetPoint {
    #[serde(flatten)]
    point: PointBody,
    /// How many sites have a reading in it.
    sites: u64,
}

impl FleetPoint {
    fn of(start: Timestamp, bucket: Option<&FleetBucket>) -> Self {
        Self {
            point: PointBody::of_step(start, bucket.map(|bucket| &bucket.sums)),
            sites: bucket.map_or(0, |bucket| bucket.sites),
        }
    }
}

/// All sites together over time
///
/// One point for each step between `start` and `end`, widened to whole steps; without them, from the first reading to the last.
/// A step without readings is null. On AWS the hours of all sites are added up for the answer, and at most 200000 of them.
#[utoipa::path(
    get,
    path = "/series",
    tag = "sites",
    params(FleetParameters),
    responses((status = 200, description = "The points", content((FleetCurve = "application/json"), (String = "application/x-ndjson"), (String = "text/csv"))), Problem)
)]
pub(crate) async fn of_all_sites<Q: FleetQueries, P>(
    State(state): State<Arc<AppState<Q, P>>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let parameters = Parameters::of(&uri, PARAMETERS)?;
    let format = Format::of(&parameters, &headers)?;
    let asked = Resolution::from_name(parameters.choice(RESOLUTION.name, FLEET_RESOLUTIONS)?);
    let range = TimeRange::of(&parameters, (state.clock)())?;
    let seen = seen(&*state.queries, &range).await?;
    let Some(span) = Span::of(&range, seen) else {
        return Ok(format.answer(HeaderMap::new(), &FleetCurve::empty(&range, asked)));
    };
    let resolution = match asked {
        Some(resolution) => span.with(resolution)?,
        None => span.finest(POINTS_AUTO_MAX),
    };
    let span = span.widened(resolution);
    let query = FleetQuery { resolution, start: span.first, end: span.end() };
    let (buckets, as_of) = match state.queries.fleet_series(query).await? {
        FleetSeries::Sums { buckets, as_of } => (buckets, as_of),
        FleetSeries::TooLong { site_hours, site_hours_max } => {
            return Err(too_long(site_hours, site_hours_max));
        }
    };
    let curve = FleetCurve {
        resolution: resolution.name(),
        start: Utc(span.first),
        end: Utc(span.end()),
        as_of: as_of.map(Utc),
        points: starts(span, resolution).map(|start| FleetPoint::of(start, buckets.get(&start))).collect(),
    };
    Ok(format.answer(HeaderMap::new(), &curve))
}

impl JsonRow for FleetPoint {
    const JSON_BYTES: usize = 180;
}

impl CsvRow for FleetPoint {
    const COLUMNS: &'static [&'static str] = &[
        "start",
        "energy_generated_kwh",
        "energy_consumed_kwh",
        "net_energy_kwh",
        "records",
        "anomalies",
        "sites",
    ];

    fn cells(&self) -> Vec<Cell> {
        let mut cells = self.point.cells();
        cells.push(Cell::plain(self.sites));
        cells
    }
}

impl Listing for FleetCurve {
    type Row = FleetPoint;

    fn rows(&self) -> &[FleetPoint] {
        &self.points
    }
}

impl FleetCurve {
    fn empty(range: &TimeRange, asked: Option<Resolution>) -> Self {
        Self {
            resolution: asked.unwrap_or(Resolution::Hour).name(),
            start: Utc(range.start),
            end: Utc(range.end),
            as_of: None,
            points: Vec::new(),
        }
    }
}

/// What was seen of any site. A range with two ends of its own does not ask.
async fn seen<Q: Queries>(queries: &Q, range: &TimeRange) -> Result<Seen, Problem> {
    if range.start > Timestamp::MIN && range.end < Timestamp::MAX {
        return Ok(Seen::default());
    }
    let sites = queries.sites().await?.states;
    Ok(Seen {
        first: sites.iter().filter_map(|site| site.totals.first_seen).min(),
        last: sites.iter().filter_map(|site| site.totals.last_seen).max(),
    })
}

fn too_long(site_hours: u64, site_hours_max: u64) -> Problem {
    let detail = format!(
        "All sites together have {site_hours} hours in this range, and at most {site_hours_max} are added up for one answer. Ask \
         for a shorter range, or for sites one by one with GET /series/{{site_id}}."
    );
    Problem::new(ProblemType::RangeTooLong, detail).about(START.name)
}
