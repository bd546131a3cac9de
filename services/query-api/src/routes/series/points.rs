//! Points of a curve.

use serde::Serialize;
use utoipa::ToSchema;
use wattstream_domain::{EnergySum, Resolution, Row, Sums, Timestamp};

use super::Span;
use crate::format::{Cell, CsvRow};
use crate::json::{JsonRow, Kwh, Utc, object};

/// A point of a curve: a reading, or all of a step.
#[derive(Serialize, ToSchema)]
#[schema(as = Point)]
pub(crate) struct PointBody {
    /// The beginning of its step.
    start: Utc,
    /// The generated energy; null when there is no reading.
    #[schema(required)]
    energy_generated_kwh: Option<Kwh>,
    /// The consumed energy; null when there is no reading.
    #[schema(required)]
    energy_consumed_kwh: Option<Kwh>,
    /// Generated minus consumed; null when there is no reading.
    #[schema(required)]
    net_energy_kwh: Option<Kwh>,
    /// How many readings it has.
    records: u64,
    /// How many of them have findings.
    anomalies: u64,
}

impl PointBody {
    /// A step without readings.
    fn gap(start: Timestamp) -> Self {
        Self {
            start: Utc(start),
            energy_generated_kwh: None,
            energy_consumed_kwh: None,
            net_energy_kwh: None,
            records: 0,
            anomalies: 0,
        }
    }

    /// A step with these readings, or with none.
    pub(super) fn of_step(start: Timestamp, sums: Option<&Sums>) -> Self {
        sums.map_or_else(|| Self::gap(start), |sums| Self::of(start, sums))
    }

    fn of(start: Timestamp, sums: &Sums) -> Self {
        let known = |sum: EnergySum| Some(Kwh::from(sum));
        Self {
            start: Utc(start),
            energy_generated_kwh: known(sums.generated),
            energy_consumed_kwh: known(sums.consumed),
            net_energy_kwh: known(sums.net()),
            records: sums.records,
            anomalies: sums.anomalies,
        }
    }
}

impl JsonRow for PointBody {
    const JSON_BYTES: usize = 160;

    fn write_json(&self, out: &mut Vec<u8>) {
        object!(
            out,
            "start": self.start,
            "energy_generated_kwh": self.energy_generated_kwh,
            "energy_consumed_kwh": self.energy_consumed_kwh,
            "net_energy_kwh": self.net_energy_kwh,
            "records": self.records,
            "anomalies": self.anomalies,
        );
    }
}

impl CsvRow for PointBody {
    const COLUMNS: &'static [&'static str] =
        &["start", "energy_generated_kwh", "energy_consumed_kwh", "net_energy_kwh", "records", "anomalies"];

    fn cells(&self) -> Vec<Cell> {
        vec![
            Cell::plain(self.start),
            Cell::optional(self.energy_generated_kwh),
            Cell::optional(self.energy_consumed_kwh),
            Cell::optional(self.net_energy_kwh),
            Cell::plain(self.records),
            Cell::plain(self.anomalies),
        ]
    }
}

impl From<&Row> for PointBody {
    fn from(row: &Row) -> Self {
        let measure = &row.version.measure;
        let sums = Sums {
            records: 1,
            anomalies: u64::from(row.version.is_anomalous()),
            generated: measure.generated.into(),
            consumed: measure.consumed.into(),
        };
        Self::of(row.timestamp, &sums)
    }
}

/// A point for each bucket of a span. The sums are those of some of its buckets, ascending.
pub(super) fn summed_points(
    span: Span,
    resolution: Resolution,
    sums: &[(Timestamp, Sums)],
) -> Vec<PointBody> {
    let mut sums = sums.iter().peekable();
    let mut points = Vec::with_capacity(span.count(resolution));
    points.extend(starts(span, resolution).map(|start| {
        let known = sums.next_if(|(bucket, _)| *bucket == start);
        PointBody::of_step(start, known.map(|(_, sums)| sums))
    }));
    points
}

/// The beginnings of the buckets of a span.
pub(super) fn starts(span: Span, resolution: Resolution) -> impl Iterator<Item = Timestamp> {
    let starts = std::iter::successors(Some(span.first), move |start| resolution.after(*start));
    starts.take_while(move |start| *start <= span.last)
}

/// A point for each reading, and one without readings where the next one would have been due in each longer gap. Without a
/// usual interval nobody knows what a gap is.
pub(super) fn raw_points(rows: &[Row], interval_ms: Option<i64>) -> Vec<PointBody> {
    let mut points = Vec::with_capacity(rows.len());
    let mut before: Option<Timestamp> = None;
    for row in rows {
        if let (Some(before), Some(interval_ms)) = (before, interval_ms)
            // Longer than one and a half of the interval, in whole numbers.
            && 2 * row.timestamp.ms_since(before) > 3 * interval_ms
        {
            points.push(PointBody::gap(before.saturating_add_ms(interval_ms)));
        }
        points.push(PointBody::from(row));
        before = Some(row.timestamp);
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_written_as_serde_writes_it() {
        let sum = EnergySum::from_milliwatt_hours;
        let sums = Sums { records: 12, anomalies: 3, generated: sum(1_250_000), consumed: sum(7_000_001) };
        let huge = Sums { records: u64::MAX, anomalies: 0, generated: sum(i128::MAX / 2), consumed: sum(-1) };
        for sums in [None, Some(&sums), Some(&huge), Some(&Sums::default())] {
            let point = PointBody::of_step(Timestamp::MAX, sums);
            let mut written = Vec::new();
            point.write_json(&mut written);
            assert_eq!(String::from_utf8(written).unwrap(), serde_json::to_string(&point).unwrap());
        }
    }
}
