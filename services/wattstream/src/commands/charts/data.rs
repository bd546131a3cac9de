//! What the charts show, as the API says it. What must always hold: a range is asked of the API and never guessed; whatever is left
//! out of a chart is told.

use std::collections::BTreeMap;

use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};

use super::Raw;
use crate::cli::{ChartsArgs, Theme};
use crate::client::{Client, ClientError};

/// The anomalies of one answer: as many as the API gives.
const ANOMALIES_ON_PAGE: &str = "1000";
/// The most answers that are counted through for the anomalies of a range.
const ANOMALY_PAGES_MAX: usize = 100;

/// Totals of a site, as the dashboard's charts take them.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct SiteTotals {
    pub(super) site_id: String,
    pub(super) anomalies: u64,
    anomalies_by_rule: BTreeMap<String, u64>,
    energy_generated_kwh: f64,
    energy_consumed_kwh: f64,
    net_energy_kwh: f64,
    efficiency: Option<f64>,
}

#[derive(Serialize)]
struct OfSites<'a> {
    theme: &'static str,
    chart: &'a str,
    sites: &'a [SiteTotals],
}

#[derive(Serialize)]
struct OverTime {
    theme: &'static str,
    chart: &'static str,
    series: Raw,
    anomalies: Vec<Raw>,
}

#[derive(Deserialize)]
struct AnomalyPage {
    anomalies: Vec<Raw>,
    next: Option<String>,
}

/// The API, and what it is asked about.
pub(super) struct Data<'a> {
    client: Client,
    args: &'a ChartsArgs,
}

impl<'a> Data<'a> {
    pub(super) fn new(args: &'a ChartsArgs) -> anyhow::Result<Self> {
        Ok(Self { client: Client::new(&args.url, &args.access)?, args })
    }

    /// The totals of each site that is asked for: of the range, or of all time when there is none.
    pub(super) fn sites(&self, progress: &ProgressBar) -> anyhow::Result<Vec<SiteTotals>> {
        #[derive(Deserialize)]
        struct Summary {
            sites: Vec<SiteTotals>,
        }
        let Summary { mut sites } = self.client.get("/summary", &[])?;
        let asked = &self.args.sites;
        if let Some(unknown) = asked.iter().find(|id| !sites.iter().any(|site| site.site_id == id.as_str())) {
            // Its answer names those that may be meant.
            let _: Raw = self.client.get(&format!("/sites/{unknown}"), &[])?;
        }
        sites.retain(|site| asked.is_empty() || asked.iter().any(|id| id.as_str() == site.site_id));
        if self.range().next().is_none() {
            return Ok(sites);
        }
        let by_rule = self.anomalies_by_rule()?;
        progress.set_length(sites.len() as u64);
        for site in &mut sites {
            *site = self.of_range(site, by_rule.get(&site.site_id))?;
            progress.inc(1);
        }
        Ok(sites)
    }

    /// What the script draws for a chart that compares sites.
    pub(super) fn request_of_sites(&self, chart: &str, sites: &[SiteTotals]) -> String {
        json(&OfSites { theme: self.theme(), chart, sites })
    }

    /// The energies of all sites over time; none when some sites are asked for, whose sum the API does not know.
    pub(super) fn request_of_fleet(&self) -> Result<Option<String>, ClientError> {
        if !self.args.sites.is_empty() {
            return Ok(None);
        }
        self.over_time("/series", None).map(Some)
    }

    /// The energies of a site over time.
    pub(super) fn request_of_site(&self, site_id: &str) -> Result<String, ClientError> {
        self.over_time(&format!("/series/{site_id}"), Some(site_id))
    }

    fn over_time(&self, path: &str, site_id: Option<&str>) -> Result<String, ClientError> {
        let series = self.client.get(path, &self.range().collect::<Vec<_>>())?;
        let AnomalyPage { anomalies, next } = self.anomaly_page(site_id, None)?;
        if next.is_some() {
            let whose = site_id.unwrap_or("all sites");
            anstream::eprintln!("{whose}: of the anomalies, the newest {} are on the curve", anomalies.len());
        }
        Ok(json(&OverTime { theme: self.theme(), chart: "energy-over-time", series, anomalies }))
    }

    /// The same site, with the sums of the range.
    fn of_range(
        &self,
        site: &SiteTotals,
        by_rule: Option<&BTreeMap<String, u64>>,
    ) -> Result<SiteTotals, ClientError> {
        #[derive(Deserialize)]
        struct Point {
            energy_generated_kwh: Option<f64>,
            energy_consumed_kwh: Option<f64>,
            anomalies: u64,
        }
        #[derive(Deserialize)]
        struct Series {
            points: Vec<Point>,
        }
        let path = format!("/series/{}", site.site_id);
        let Series { points } = self.client.get(&path, &self.range().collect::<Vec<_>>())?;
        let generated: f64 = points.iter().filter_map(|point| point.energy_generated_kwh).sum();
        let consumed: f64 = points.iter().filter_map(|point| point.energy_consumed_kwh).sum();
        Ok(SiteTotals {
            site_id: site.site_id.clone(),
            anomalies: points.iter().map(|point| point.anomalies).sum(),
            anomalies_by_rule: by_rule.cloned().unwrap_or_default(),
            energy_generated_kwh: generated,
            energy_consumed_kwh: consumed,
            net_energy_kwh: generated - consumed,
            efficiency: (generated > 0.0).then(|| (generated - consumed) / generated),
        })
    }

    /// How many readings of each site broke each rule in the range.
    fn anomalies_by_rule(&self) -> anyhow::Result<BTreeMap<String, BTreeMap<String, u64>>> {
        #[derive(Deserialize)]
        struct Finding {
            rule: String,
        }
        #[derive(Deserialize)]
        struct Anomaly {
            site_id: String,
            findings: Vec<Finding>,
        }
        let mut counts: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
        let mut cursor = None;
        for _ in 0..ANOMALY_PAGES_MAX {
            let AnomalyPage { anomalies, next } = self.anomaly_page(None, cursor.as_deref())?;
            for anomaly in &anomalies {
                let Anomaly { site_id, findings } = serde_json::from_str(anomaly.get())?;
                let of_site = counts.entry(site_id).or_default();
                for Finding { rule } in findings {
                    *of_site.entry(rule).or_default() += 1;
                }
            }
            cursor = next;
            if cursor.is_none() {
                return Ok(counts);
            }
        }
        anstream::eprintln!(
            "the anomalies by rule are those of the newest {ANOMALY_PAGES_MAX} pages of {ANOMALIES_ON_PAGE}: the range has more"
        );
        Ok(counts)
    }

    fn anomaly_page(&self, site_id: Option<&str>, cursor: Option<&str>) -> Result<AnomalyPage, ClientError> {
        let mut parameters: Vec<_> = self.range().collect();
        parameters.push(("limit", ANOMALIES_ON_PAGE));
        parameters.extend(site_id.map(|site_id| ("site_id", site_id)));
        parameters.extend(cursor.map(|cursor| ("cursor", cursor)));
        self.client.get("/anomalies", &parameters)
    }

    fn range(&self) -> impl Iterator<Item = (&str, &str)> {
        let ChartsArgs { start, end, .. } = self.args;
        let given = [("start", start.as_deref()), ("end", end.as_deref())];
        given.into_iter().filter_map(|(name, value)| value.map(|value| (name, value)))
    }

    fn theme(&self) -> &'static str {
        name_of(self.args.theme)
    }
}

/// The theme as the script knows it.
pub(super) fn name_of(theme: Theme) -> &'static str {
    match theme {
        Theme::Light => "light",
        Theme::Dark => "dark",
    }
}

fn json(request: &impl Serialize) -> String {
    serde_json::to_string(request).expect("what came from JSON can be written as JSON")
}
