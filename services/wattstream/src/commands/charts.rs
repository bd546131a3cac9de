//! `wattstream charts`: the charts of the dashboard as files. What must always hold: a chart is drawn by the dashboard's own
//! functions, in a file as on the page; a file asks nobody for anything; what comes from the data is never markup.

mod data;
mod page;
mod picture;

use std::fs;
use std::path::Path;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::value::RawValue;

use crate::cli::{ChartsArgs, Theme};
use data::{Data, SiteTotals};
use picture::Pen;

/// The script that draws, in a page and in [`Pen`]: built from `services/query-api/web/src/files` by `npm run build:charts`.
const SCRIPT: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../query-api/web/charts/charts.js"));

/// The most sites that get a chart of their own without being named: a page holds the whole script, some 600 kB.
const SITES_DRAWN_MAX: usize = 50;

/// A chart, before it is drawn.
struct Chart {
    /// The name of its files, without an ending.
    file: String,
    title: String,
    /// What the script draws: JSON.
    request: String,
}

/// Writes the charts.
pub(crate) fn charts(args: &ChartsArgs) -> anyhow::Result<()> {
    let data = Data::new(args)?;
    let progress = progress();
    let mut sites = data.sites(&progress)?;
    fs::create_dir_all(&args.out).with_context(|| format!("making {}", args.out.display()))?;
    let desk = Desk { pen: Pen::new()?, out: &args.out, theme: args.theme };
    let mut written = Vec::new();
    for chart in overview(&data, &sites)? {
        written.push(desk.write(chart)?);
    }
    let overview_charts = written.len();
    let left_out = choose(&mut sites, args);
    progress.reset();
    progress.set_length(sites.len() as u64);
    for site in &sites {
        progress.set_message(site.site_id.clone());
        written.push(desk.write(of_site(&data, &site.site_id)?)?);
        progress.inc(1);
    }
    progress.finish_and_clear();
    let (of_all, of_sites) = written.split_at(overview_charts);
    desk.put("index.html", &page::index(of_all, of_sites, args.theme))?;
    if left_out > 0 {
        anstream::eprintln!(
            "the {SITES_DRAWN_MAX} sites with the most anomalies have a chart of their own; {left_out} have none: name them with --site"
        );
    }
    anstream::eprintln!("{} charts: {}", written.len(), args.out.join("index.html").display());
    Ok(())
}

/// The charts that compare sites, and that of all of them over time, which there is only when all are asked for.
fn overview(data: &Data<'_>, sites: &[SiteTotals]) -> anyhow::Result<Vec<Chart>> {
    let of_sites = |file: &str, title: &str| Chart {
        file: file.to_owned(),
        title: title.to_owned(),
        request: data.request_of_sites(file, sites),
    };
    let mut charts = vec![of_sites("anomaly-distribution", "Anomalies by site and rule")];
    if let Some(request) = data.request_of_fleet()? {
        let (file, title) = ("generation-consumption".to_owned(), "Generation and consumption".to_owned());
        charts.push(Chart { file, title, request });
    }
    charts.push(of_sites("net-energy", "Net energy by site"));
    charts.push(of_sites("efficiency", "Efficiency by site"));
    Ok(charts)
}

fn of_site(data: &Data<'_>, site_id: &str) -> anyhow::Result<Chart> {
    Ok(Chart {
        file: format!("site-{}", page::file_name(site_id)),
        title: format!("Generation and consumption of {site_id}"),
        request: data.request_of_site(site_id)?,
    })
}

/// Keeps those that get a chart of their own, by id; how many do not.
fn choose(sites: &mut Vec<SiteTotals>, args: &ChartsArgs) -> usize {
    let all = sites.len();
    if args.sites.is_empty() && all > SITES_DRAWN_MAX {
        sites.sort_by(|one, other| {
            other.anomalies.cmp(&one.anomalies).then_with(|| one.site_id.cmp(&other.site_id))
        });
        sites.truncate(SITES_DRAWN_MAX);
        sites.sort_by(|one, other| one.site_id.cmp(&other.site_id));
    }
    all - sites.len()
}

/// Where charts are drawn and put down.
struct Desk<'a> {
    pen: Pen,
    out: &'a Path,
    theme: Theme,
}

/// A chart that lies in the folder.
struct Written {
    file: String,
    title: String,
    svg: String,
}

impl Desk<'_> {
    fn write(&self, chart: Chart) -> anyhow::Result<Written> {
        let Chart { file, title, request } = chart;
        let svg = self.pen.draw(&request).with_context(|| format!("drawing {file}"))?;
        self.put(&format!("{file}.svg"), &svg)?;
        self.put(&format!("{file}.html"), &page::chart(&title, &file, &request, self.theme))?;
        Ok(Written { file, title, svg })
    }

    fn put(&self, name: &str, text: &str) -> anyhow::Result<()> {
        let path = self.out.join(name);
        fs::write(&path, text).with_context(|| format!("writing {}", path.display()))
    }
}

/// How many sites are done, on a terminal only.
fn progress() -> ProgressBar {
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{bar:32} {pos}/{len} sites  {msg}  {eta} left") {
        bar.set_style(style);
    }
    bar
}

/// A part of an answer, as the API wrote it.
type Raw = Box<RawValue>;
