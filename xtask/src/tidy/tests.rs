//! Each rule on a planted violation and on a neighbour that is right.

use super::*;

const DOCS: &str = "//! What it is.\n";

/// The findings in a file, as `line: message`.
fn findings(path: &str, text: &str) -> Vec<String> {
    let findings = findings_in(&Source { path, text });
    findings
        .into_iter()
        .map(|finding| finding.strip_prefix(&format!("{path}:")).unwrap().to_owned())
        .collect()
}

#[test]
fn a_planted_violation_is_found_where_it_is() {
    let code = |line: &str| format!("{DOCS}\n{line}\n");
    let cases = [
        ("shared/wire/src/lib.rs", "use std::fmt;\n".to_owned(), "1: a file opens with"),
        ("shared/wire/src/lib.rs", "//!\n".to_owned(), "1: a file opens with"),
        ("services/x/src/utils.rs", DOCS.to_owned(), "1: name the file after"),
        ("services/x/tests/common.rs", DOCS.to_owned(), "1: name the file after"),
        ("services/x/src/a/mod.rs", DOCS.to_owned(), "1: `foo.rs` beside the folder"),
        ("docs/start.md", format!("cd {}/main\n", concat!("/wo", "rk")), "1: a path of one machine"),
        (
            "services/x/src/a.rs",
            code(&format!("let p = \"{}/.cache\";", concat!("/ro", "ot"))),
            "3: a path of one",
        ),
        (".ci/run", format!("export HOME={}/me\n", concat!("/ho", "me")), "1: a path of one machine"),
        ("services/x/src/a.rs", code("    #[ignore = \"slow\"]"), "3: an ignored test"),
        ("services/x/src/a.rs", code(concat!("// TO", "DO: more")), "3: finish it"),
        ("web/app.js", concat!("/*FIX", "ME*/\n").to_owned(), "1: finish it"),
        ("shared/domain/src/a.rs", code("use std::fs;"), "3: a pure crate"),
        ("shared/wire/src/a/b.rs", code("let now = SystemTime::now();"), "3: a pure crate"),
        ("shared/wire/src/a.rs", code("io::stdout().flush()"), "3: a pure crate"),
        ("shared/x/Cargo.toml", "[package]\nname = \"x\"\n".to_owned(), "1: add `[lints]`"),
        ("shared/x/Cargo.toml", format!("{LINTS}serde = \"1.0\"\n"), "4: versions stand in"),
        ("shared/x/Cargo.toml", format!("{LINTS}serde = {{ version = \"1.0\" }}\n"), "4: versions stand in"),
    ];
    for (path, text, expected) in cases {
        let found = findings(path, &text);
        assert!(
            found.len() == 1 && found[0].starts_with(expected),
            "{path}: {text}expected {expected}\n{found:?}"
        );
    }
}

const LINTS: &str = "[lints]\nworkspace = true\n\n";

#[test]
fn a_neighbour_that_is_right_is_left_alone() {
    let cases = [
        ("shared/wire/src/lib.rs", format!("{DOCS}use std::fmt;\n")),
        ("services/x/src/a/model.rs", DOCS.to_owned()),
        (
            "docs/start.md",
            concat!("cd ../wo", "rk/notes, then https://example.com/wo", "rk/notes and target/ro", "ot/x\n")
                .to_owned(),
        ),
        ("docs/start.md", concat!("We leave no TO", "DO behind.\n").to_owned()),
        ("services/x/src/a.rs", format!("{DOCS}// mastodon and todo!() are clippy's\nuse std::fs;\n")),
        ("shared/domain/src/a.rs", format!("{DOCS}#[cfg(test)]\nmod tests {{\n    use std::fs;\n}}\n")),
        ("shared/wire/src/a.rs", format!("{DOCS}use std::io::{{self, BufRead}};\n")),
        ("shared/domain/src/a/tests.rs", format!("{DOCS}use std::fs;\n")),
        ("Cargo.toml", "serde = { version = \"1.0\" }\n".to_owned()),
        (
            "shared/x/Cargo.toml",
            format!("{LINTS}name = \"x\"\nversion.workspace = true\nserde.workspace = true\n"),
        ),
    ];
    for (path, text) in cases {
        assert_eq!(findings(path, &text), [""; 0], "{path}: {text}");
    }
}

#[test]
fn files_are_found_at_any_depth_except_what_is_made_or_fetched() {
    let folder = tempfile::tempdir().unwrap();
    for path in ["a.rs", ".ci/run", "b/c/d.rs", "target/e.rs", "b/node_modules/f.js"] {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }
    let found = files_below(folder.path(), DEPTH_MAX).unwrap();
    let mut found: Vec<_> = found.iter().map(|path| path.strip_prefix(folder.path()).unwrap()).collect();
    found.sort_unstable();
    assert_eq!(found, [".ci/run", "a.rs", "b/c/d.rs"].map(Path::new));
}

#[test]
fn bytes_that_are_no_text_are_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("picture.png");
    fs::write(&path, [0x89, 0xff, 0xfe]).unwrap();
    assert_eq!(text_of(&path).unwrap(), None);
}

#[test]
fn what_is_made_or_fetched_is_not_looked_at_and_what_is_beside_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let workspace = Workspace { root: folder.path().to_owned() };
    let wrong = format!("gitdir: {}/main/.git/worktrees/x\n", concat!("/wo", "rk"));
    fs::write(folder.path().join(".git"), &wrong).unwrap();
    fs::create_dir(folder.path().join("target")).unwrap();
    fs::write(folder.path().join("target/notes.md"), &wrong).unwrap();
    check(&workspace).unwrap();
    fs::write(folder.path().join("notes.md"), &wrong).unwrap();
    assert!(check(&workspace).unwrap_err().to_string().contains("notes.md:1: a path of one machine"));
}
