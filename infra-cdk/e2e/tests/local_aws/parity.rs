//! The deployed API beside one machine, byte for byte, and beside sums that were counted here.

use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::value::RawValue;
use wattstream_aws::AccessKey;

use crate::api::Api;
use crate::input::Input;
use crate::one_machine::OneMachine;
use crate::sums::{SiteSums, Sums, milliwatt_hours};

/// A limit for hangs, not a measurement. The schedule of the simulator calls once a minute.
const PATIENCE: Duration = Duration::from_mins(4);
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Every reading there can be, in pages, of which most sites have several.
const EVERYTHING: &str = "start=2000-01-01&end=2099-01-01&limit=250";

#[derive(Deserialize)]
struct Summary<'a> {
    site_ids: Vec<String>,
    #[serde(borrow)]
    sites: Vec<SiteSummary<'a>>,
}

#[derive(Deserialize)]
struct SiteSummary<'a> {
    site_id: String,
    records: u64,
    anomalies: u64,
    #[serde(borrow)]
    energy_generated_kwh: &'a RawValue,
    #[serde(borrow)]
    energy_consumed_kwh: &'a RawValue,
}

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    records: Vec<Energies<'a>>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Energies<'a> {
    #[serde(borrow)]
    energy_generated_kwh: &'a RawValue,
    #[serde(borrow)]
    energy_consumed_kwh: &'a RawValue,
}

/// Waits until sites that only the scheduled simulator can have sent are in the tables, and names them.
pub(crate) fn wait_for_scheduled_fleet(api: &Api, caller: &AccessKey, input: &Input) -> BTreeSet<String> {
    let started = Instant::now();
    loop {
        let text = api.text(caller, "/summary");
        let site_ids = parse::<Summary>(&text).site_ids.into_iter();
        let fleet: BTreeSet<_> = site_ids.filter(|site| !input.has(site)).collect();
        if !fleet.is_empty() {
            return fleet;
        }
        assert!(started.elapsed() < PATIENCE, "the schedule has called no simulator; the summary is {text}");
        sleep(LOOK_EVERY);
    }
}

/// Makes sure that the deployed API and one machine give the same answers, and that those add up.
pub(crate) fn check(api: &Api, caller: &AccessKey, one_machine: &OneMachine, sums: &Sums) {
    let summary = same("/summary", api, caller, one_machine);
    let summary: Summary = parse(&summary);
    let told: Vec<_> = summary.sites.iter().map(|site| (&*site.site_id, sums_of(site))).collect();
    let counted: Vec<_> = sums.sites.iter().map(|(site, sums)| (&**site, *sums)).collect();
    for (told, counted) in told.iter().zip(&counted) {
        assert_eq!(told, counted, "the summary on the left, sums of the payloads on the right");
    }
    assert_eq!(told.len(), counted.len(), "sites");
    for site in &summary.sites {
        let pages = same_pages(&format!("/records/{}", site.site_id), api, caller, one_machine);
        assert_eq!(sums_of_pages(&pages), sums.sites[&site.site_id], "the pages of {}", site.site_id);
        let pages = same_pages(&format!("/anomalies/{}", site.site_id), api, caller, one_machine);
        assert_eq!(sums_of_pages(&pages).records, site.anomalies, "the anomalies of {}", site.site_id);
    }
    let anomalies: u64 = summary.sites.iter().map(|site| site.anomalies).sum();
    assert!(anomalies > 0, "faults were planted into every site");
}

/// The answer that both give.
fn same(path: &str, api: &Api, caller: &AccessKey, one_machine: &OneMachine) -> String {
    let (deployed, expected) = (api.text(caller, path), one_machine.text(path));
    if deployed != expected {
        let at = deployed.bytes().zip(expected.bytes()).take_while(|(one, other)| one == other).count();
        let around = |text: &str| text[at.saturating_sub(120)..].chars().take(240).collect::<String>();
        panic!(
            "{path} differs from byte {at} on\ndeployed:    {}\none machine: {}",
            around(&deployed),
            around(&expected)
        );
    }
    deployed
}

/// Every page from the first, each of which both give.
fn same_pages(path: &str, api: &Api, caller: &AccessKey, one_machine: &OneMachine) -> Vec<String> {
    let mut pages = vec![same(&format!("{path}?{EVERYTHING}"), api, caller, one_machine)];
    while let Some(next) = pages.last().and_then(|page| parse::<Page>(page).next) {
        pages.push(same(&format!("{path}?{EVERYTHING}&cursor={next}"), api, caller, one_machine));
    }
    pages
}

fn sums_of(site: &SiteSummary) -> SiteSums {
    let energies = Energies {
        energy_generated_kwh: site.energy_generated_kwh,
        energy_consumed_kwh: site.energy_consumed_kwh,
    };
    energies.sums(site.records)
}

fn sums_of_pages(pages: &[String]) -> SiteSums {
    let mut all = SiteSums::default();
    for page in pages {
        for record in parse::<Page>(page).records {
            let SiteSums { records, generated, consumed } = record.sums(1);
            all.records += records;
            all.generated += generated;
            all.consumed += consumed;
        }
    }
    all
}

impl Energies<'_> {
    fn sums(&self, records: u64) -> SiteSums {
        let exact = |number: &RawValue| {
            milliwatt_hours(number.get()).unwrap_or_else(|| panic!("{number} is no energy"))
        };
        let [generated, consumed] = [self.energy_generated_kwh, self.energy_consumed_kwh].map(exact);
        SiteSums { records, generated, consumed }
    }
}

fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> T {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}
