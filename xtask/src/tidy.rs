//! Rules of style that no compiler knows, checked on the text of the checkout. What must always hold: a finding names
//! file, line and what to do instead; all findings are told together; each rule has a test with a planted violation.
//!
//! The length of a function is clippy's to judge (`too-many-lines-threshold` in `clippy.toml`), its form rustfmt's.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};

use crate::workspace::Workspace;

/// A text file of the checkout.
struct Source<'a> {
    /// Relative to the root, with `/` between its parts.
    path: &'a str,
    text: &'a str,
}

struct Rule {
    /// What is wrong and what to do instead.
    message: &'static str,
    /// The lines that break the rule, counted from 1.
    broken_at: fn(&Source) -> Vec<usize>,
}

const RULES: &[Rule] = &[
    Rule {
        message: "a file opens with `//!`: what it is and what must always hold",
        broken_at: without_opening_docs,
    },
    Rule { message: "name the file after what it is about; this name is a drawer", broken_at: drawer_name },
    Rule { message: "`foo.rs` beside the folder `foo/` replaces this file", broken_at: mod_file },
    Rule { message: "a path of one machine; derive it or take it as a setting", broken_at: machine_path },
    Rule {
        message: "an ignored test rots; use a nextest profile, or skip it loudly",
        broken_at: ignored_test,
    },
    Rule { message: "finish it, or write it down as an issue", broken_at: unfinished },
    Rule { message: "a pure crate does no I/O and has no clock; take it as an argument", broken_at: impure },
    Rule {
        message: "add `[lints]` with `workspace = true`, or no lint of ours applies",
        broken_at: without_lints,
    },
    Rule {
        message: "versions stand in the root manifest; write `name.workspace = true`",
        broken_at: own_version,
    },
];

/// What holds what is made or fetched, not what is written: folders, and `.git` in a linked worktree, which is a file.
const SKIPPED: &[&str] = &[".git", "target", "data", "node_modules", "__pycache__", ".venv", "cdk.out"];

/// Folders of our own below the root; deeper than this nothing is looked for.
const DEPTH_MAX: usize = 16;

/// Checks every text file of the checkout.
pub(crate) fn check(workspace: &Workspace) -> anyhow::Result<()> {
    let mut findings = Vec::new();
    for path in files_below(&workspace.root, DEPTH_MAX)? {
        let Some(text) = text_of(&path)? else { continue };
        let relative =
            path.strip_prefix(&workspace.root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        findings.extend(findings_in(&Source { path: &relative, text: &text }));
    }
    if !findings.is_empty() {
        bail!("{} findings:\n{}", findings.len(), findings.join("\n"));
    }
    Ok(())
}

fn findings_in(source: &Source) -> Vec<String> {
    let findings = RULES.iter().flat_map(|rule| {
        (rule.broken_at)(source).into_iter().map(|line| format!("{}:{line}: {}", source.path, rule.message))
    });
    findings.collect()
}

fn files_below(folder: &Path, depth: usize) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let entry = entry?;
        if SKIPPED.iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        let kind = entry.file_type()?;
        if kind.is_file() {
            files.push(entry.path());
        } else if kind.is_dir() && depth > 0 {
            files.extend(files_below(&entry.path(), depth - 1)?);
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// The file's text; none when it holds something else, or is a scratch file that went away meanwhile.
fn text_of(path: &Path) -> anyhow::Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::NotFound) => Ok(None),
        Err(error) => Err(error).with_context(|| path.display().to_string()),
    }
}

fn without_opening_docs(source: &Source) -> Vec<usize> {
    if source.is_rust() && !source.text.starts_with("//! ") { vec![1] } else { Vec::new() }
}

fn drawer_name(source: &Source) -> Vec<usize> {
    const DRAWERS: &[&str] = &["util", "utils", "common", "helper", "helpers", "misc", "shared"];
    if source.is_rust() && DRAWERS.contains(&source.stem()) { vec![1] } else { Vec::new() }
}

fn mod_file(source: &Source) -> Vec<usize> {
    if source.is_rust() && source.stem() == "mod" { vec![1] } else { Vec::new() }
}

fn machine_path(source: &Source) -> Vec<usize> {
    // Put together here, so that this file does not break its own rule.
    const ROOTS: [&str; 3] = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/home", "/")];
    let is_absolute =
        |before: &str| !before.ends_with(|last: char| last.is_alphanumeric() || "._-}".contains(last));
    source.lines_where(|line| {
        ROOTS.iter().any(|root| line.match_indices(root).any(|(at, _)| is_absolute(&line[..at])))
    })
}

fn ignored_test(source: &Source) -> Vec<usize> {
    source.rust_lines_where(|line| line.trim_start().starts_with("#[ignore"))
}

fn unfinished(source: &Source) -> Vec<usize> {
    const MARKS: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
    const ENDINGS: [&str; 7] = ["rs", "toml", "sh", "py", "ts", "js", "html"];
    if !ENDINGS.contains(&source.ending()) {
        return Vec::new();
    }
    let is_mark = |word: &str| MARKS.contains(&word);
    source.lines_where(|line| line.split(|letter: char| !letter.is_alphanumeric()).any(is_mark))
}

/// Fences see only crates; the standard library's own doors are looked for here, up to a file's tests. The traits of
/// `std::io` are none: what they read from or write to is the caller's.
fn impure(source: &Source) -> Vec<usize> {
    const PURE: [&str; 2] = ["shared/domain/src/", "shared/wire/src/"];
    const DOORS: [&str; 9] = [
        "std::env",
        "std::fs",
        "std::net",
        "std::process",
        "std::thread",
        "Instant::now",
        "SystemTime",
        "io::std",
        "RandomState",
    ];
    if !PURE.iter().any(|folder| source.path.starts_with(folder)) || source.path.ends_with("/tests.rs") {
        return Vec::new();
    }
    let untested = source.text.split("#[cfg(test)]").next().unwrap_or_default();
    let untested = Source { path: source.path, text: untested };
    untested.rust_lines_where(|line| DOORS.iter().any(|door| line.contains(door)))
}

fn without_lints(source: &Source) -> Vec<usize> {
    if source.is_member_manifest() && !source.text.contains("[lints]\nworkspace = true") {
        vec![1]
    } else {
        Vec::new()
    }
}

fn own_version(source: &Source) -> Vec<usize> {
    if !source.is_member_manifest() {
        return Vec::new();
    }
    source.lines_where(|line| {
        let value = line.split_once('=').map_or("", |(_, value)| value.trim_start());
        value.starts_with('"')
            && value[1..].starts_with(|first: char| "=^~<>*".contains(first) || first.is_ascii_digit())
            || line.contains("version = \"")
    })
}

impl Source<'_> {
    fn is_rust(&self) -> bool {
        self.ending() == "rs"
    }

    /// A manifest that is not the root's.
    fn is_member_manifest(&self) -> bool {
        self.path.ends_with("/Cargo.toml")
    }

    fn ending(&self) -> &str {
        Path::new(self.path).extension().and_then(|ending| ending.to_str()).unwrap_or_default()
    }

    fn stem(&self) -> &str {
        Path::new(self.path).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default()
    }

    fn rust_lines_where(&self, is_wrong: impl Fn(&str) -> bool) -> Vec<usize> {
        if self.is_rust() { self.lines_where(is_wrong) } else { Vec::new() }
    }

    fn lines_where(&self, is_wrong: impl Fn(&str) -> bool) -> Vec<usize> {
        self.text.lines().zip(1..).filter(|(line, _)| is_wrong(line)).map(|(_, number)| number).collect()
    }
}

#[cfg(test)]
mod tests;
