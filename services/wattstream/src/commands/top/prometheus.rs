//! What `/metrics` says, as far as it is asked: the value of each series, by name and the label that tells it apart.

/// A value of `/metrics`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Series<'a> {
    pub(super) name: &'a str,
    /// The value of the label that was asked for; empty when the series has none of that name.
    pub(super) label: &'a str,
    pub(super) value: f64,
}

/// The series whose names begin with `prefix`, each with its value of `label`. The text is that of our own exporter: no label
/// of it has a quote or a brace in its value. Lines of another form are passed over.
pub(super) fn series<'a>(text: &'a str, prefix: &str, label: &str) -> Vec<Series<'a>> {
    let lines = text.lines().filter(|line| line.starts_with(prefix));
    lines.filter_map(|line| parse(line, label)).collect()
}

/// The sum of all series of one name.
pub(super) fn sum(text: &str, name: &str) -> f64 {
    series(text, name, "").iter().filter(|series| series.name == name).map(|series| series.value).sum()
}

fn parse<'a>(line: &'a str, label: &str) -> Option<Series<'a>> {
    let (head, value) = line.rsplit_once(' ')?;
    let (name, labels) = head.split_once('{').unwrap_or((head, ""));
    let value = value.parse().ok()?;
    let mut pairs = labels.trim_end_matches('}').split(',').filter_map(|pair| pair.split_once('='));
    let found = pairs.find(|(name, _)| *name == label).map(|(_, value)| value.trim_matches('"'));
    Some(Series { name, label: found.unwrap_or_default(), value })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# HELP a_total Something.\n# TYPE a_total counter\na_total{outcome=\"late\"} 2\n\
        a_total{shard=\"s-1\",outcome=\"in_order\"} 40\na_total_more 7\nodd\nlag_ms{shard=\"s-1\"} 1.5\n";

    #[test]
    fn a_sum_is_that_of_one_name_and_of_all_its_labels() {
        assert_eq!((sum(TEXT, "a_total"), sum(TEXT, "a_total_more"), sum(TEXT, "none")), (42.0, 7.0, 0.0));
    }

    #[test]
    fn a_series_is_told_apart_by_the_label_that_is_asked_for() {
        let found = series(TEXT, "a_total", "outcome");
        let labels: Vec<_> = found.iter().map(|series| (series.label, series.value)).collect();
        assert_eq!(labels, [("late", 2.0), ("in_order", 40.0), ("", 7.0)]);
        assert_eq!(series(TEXT, "lag_ms", "shard"), [Series { name: "lag_ms", label: "s-1", value: 1.5 }]);
    }
}
