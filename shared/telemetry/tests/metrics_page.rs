//! `docs/metrics.md` is the metric table as a page. The test fails when they differ; run it with
//! `WATTSTREAM_UPDATE_GOLDEN=1` to write the page anew.

use std::{
    env,
    fmt::{self, Write},
    fs,
    path::Path,
};

use wattstream_telemetry::{Definition, Kind, Metric};

const HEAD: &str = "\
# Metrics

What `GET /metrics` shows, in the Prometheus text format. The table behind this page is
`shared/telemetry/src/metric.rs`; `WATTSTREAM_UPDATE_GOLDEN=1 cargo test -p wattstream-telemetry` writes the page from it.

Counters begin at zero with the process. Histograms have `_bucket`, `_sum` and `_count` series. No label grows with the
number of sites.

| Name | Kind | Unit | Labels | Meaning |
|---|---|---|---|---|
";

#[test]
fn the_page_shows_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/metrics.md");
    let expected = page().unwrap();
    if env::var_os("WATTSTREAM_UPDATE_GOLDEN").is_some_and(|value| value == "1") {
        fs::write(&path, &expected).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, expected, "docs/metrics.md is out of date; run again with WATTSTREAM_UPDATE_GOLDEN=1");
}

fn page() -> Result<String, fmt::Error> {
    let mut page = HEAD.to_owned();
    for row in Metric::all().map(Metric::definition) {
        let Definition { name, kind, unit, help, .. } = row;
        let labels = row.labels.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ");
        writeln!(page, "| `{name}` | {} | {} | {labels} | {help} |", kind.name(), unit.as_str())?;
    }
    page.push_str("\n## Upper bounds of the histograms\n\n| Name | Bounds |\n|---|---|\n");
    for row in Metric::all().map(Metric::definition) {
        if let Kind::Histogram { buckets } = row.kind {
            let bounds = buckets.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            writeln!(page, "| `{}` | {bounds} |", row.name)?;
        }
    }
    Ok(page)
}
