//! `wattstream doctor`: is everything there that wattstream needs? A line a check, and how to mend what is wrong.
//!
//! What must always hold: the exit code is 1 when anything is wrong, and 0 when nothing is; a check that could not be made is
//! shown as such.

#[cfg(feature = "aws")]
mod cloud;
mod machine;

use std::io::{self, Write};

use anyhow::bail;
use serde_json::json;

use crate::cli::{DoctorArgs, Format};
use crate::output::{self, Column};

const COLUMNS: &[Column] =
    &[("check", "check"), ("status", "status"), ("detail", "detail"), ("mend", "mend")];

/// What a check found.
struct Finding {
    subject: String,
    status: Status,
    detail: String,
    /// How to put it right, when it is wrong.
    mend: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Status {
    Passed,
    Failed,
    #[cfg_attr(not(feature = "aws"), expect(dead_code, reason = "on one machine every check can be made"))]
    Skipped,
}

/// Looks at this machine or at AWS; an error when anything is wrong there.
pub(crate) fn doctor(args: &DoctorArgs) -> anyhow::Result<()> {
    let findings = if args.aws { in_the_cloud(args)? } else { machine::findings(args) };
    match args.format {
        Format::Table => write_lines(&mut anstream::stdout().lock(), &findings)?,
        format => output::print(&findings.iter().map(entry_of).collect::<Vec<_>>(), COLUMNS, format)?,
    }
    match findings.iter().filter(|finding| finding.status == Status::Failed).count() {
        0 => Ok(()),
        1 => bail!("1 check failed"),
        failed => bail!("{failed} checks failed"),
    }
}

#[cfg(feature = "aws")]
fn in_the_cloud(args: &DoctorArgs) -> anyhow::Result<Vec<Finding>> {
    cloud::findings(&args.stack)
}

#[cfg(not(feature = "aws"))]
fn in_the_cloud(_args: &DoctorArgs) -> anyhow::Result<Vec<Finding>> {
    Err(crate::without_aws("the checks of --aws"))
}

impl Finding {
    fn passed(subject: &str, detail: String) -> Self {
        Self { subject: subject.to_owned(), status: Status::Passed, detail, mend: None }
    }

    fn failed(subject: &str, detail: String, mend: &str) -> Self {
        Self { subject: subject.to_owned(), status: Status::Failed, detail, mend: Some(mend.to_owned()) }
    }
}

impl Status {
    fn mark(self) -> char {
        match self {
            Self::Passed => '✓',
            Self::Failed => '✗',
            Self::Skipped => '-',
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

fn entry_of(finding: &Finding) -> output::Entry {
    let Finding { subject, status, detail, mend } = finding;
    output::entry(json!({ "check": subject, "status": status.name(), "detail": detail, "mend": mend }))
}

fn write_lines(out: &mut impl Write, findings: &[Finding]) -> io::Result<()> {
    let width = findings.iter().map(|finding| finding.subject.chars().count()).max().unwrap_or_default();
    for Finding { subject, status, detail, mend } in findings {
        writeln!(out, "{} {subject:width$}  {detail}", status.mark())?;
        if let Some(mend) = mend {
            writeln!(out, "  {:width$}  mend it: {mend}", "")?;
        }
    }
    Ok(())
}
