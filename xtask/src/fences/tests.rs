//! A fence must catch what is planted: on printed trees and manifests, and once on a real workspace that cargo itself
//! resolves.

use std::fs;

use super::*;

const PURE_TREE: &str = "\
0wattstream-domain v0.1.0 (/some/where/shared/domain)
1arrayvec v0.7.8
1thiserror v2.0.21
2thiserror-impl v2.0.21 (proc-macro)
3syn v3.0.10
4unicode-ident v1.0.27
3unicode-ident v1.0.27
";

fn domain_fence() -> Fence {
    Fence { name: "domain is pure", around: Some("wattstream-domain"), rule: Rule::Only(DOMAIN) }
}

fn breaches(fence: &Fence, tree: &str) -> Vec<String> {
    breaches_of(fence, &Tree::parse(tree).unwrap())
}

#[test]
fn a_tree_of_allowed_crates_breaks_no_fence() {
    assert_eq!(breaches(&domain_fence(), PURE_TREE), [""; 0]);
}

#[test]
fn a_planted_crate_is_told_with_the_path_to_it_and_without_what_it_brings() {
    let tree = format!("{PURE_TREE}1handy v1.2.0\n2tokio v1.54.0\n3mio v1.0.1\n1tokio v1.54.0 (*)\n");
    let mut fence = domain_fence();
    assert_eq!(
        breaches(&fence, &tree),
        [
            "- domain is pure: the last of wattstream-domain -> handy 1.2.0 is not on the fence's list",
            "- domain is pure: the last of wattstream-domain -> tokio 1.54.0 is not on the fence's list",
        ]
    );
    fence.rule = Rule::Never(&["tokio", "mio"]);
    assert_eq!(
        breaches(&fence, &tree),
        ["- domain is pure: the last of wattstream-domain -> handy 1.2.0 -> tokio 1.54.0 is banned there"]
    );
}

#[test]
fn a_ban_is_on_a_name_a_beginning_or_an_old_version() {
    const CASES: &[(&str, &str, &str, bool)] = &[
        ("tokio", "tokio", "1.54.0", true),
        ("tokio", "tokio-util", "0.7.1", false),
        ("aws-*", "aws-sdk-dynamodb", "1.90.0", true),
        ("aws-*", "aws-config", "1.8.0", true),
        ("aws-*", "awaws-x", "1.0.0", false),
        ("hyper 0.*", "hyper", "0.14.32", true),
        ("hyper 0.*", "hyper", "1.8.0", false),
        ("hyper 0.*", "hyper-util", "0.1.0", false),
        ("rustls 0.21.*", "rustls", "0.21.12", true),
        ("rustls 0.21.*", "rustls", "0.23.40", false),
    ];
    for (pattern, name, version, expected) in CASES {
        assert_eq!(matches(pattern, name, version), *expected, "{pattern} on {name} {version}");
    }
}

#[test]
fn a_line_that_is_not_understood_is_an_error() {
    for line in ["arrayvec v0.7.8", "1arrayvec", "1arrayvec 0.7.8", "1 v0.7.8", "12"] {
        let error = Tree::parse(line).err().map(|error| error.to_string());
        assert_eq!(error, Some(format!("a line of cargo tree: {line:?}")));
    }
}

#[test]
fn a_crate_with_an_owner_is_named_by_its_owner_or_by_tests_only() {
    let manifests = Manifests::parse(
        r#"{"packages": [
            {"name": "wattstream-telemetry", "dependencies": [{"name": "metrics", "kind": null}]},
            {"name": "wattstream-engine", "dependencies": [
                {"name": "metrics", "kind": null},
                {"name": "wattstream-testkit", "kind": "dev"}]},
            {"name": "wattstream", "dependencies": [{"name": "wattstream-testkit", "kind": null}]}
        ]}"#,
    )
    .unwrap();
    assert_eq!(
        owners_breached(&manifests, OWNED),
        [
            "- wattstream-engine may not depend on metrics: emit an event of wattstream_telemetry",
            "- wattstream may not depend on wattstream-testkit: it is for tests: name it under [dev-dependencies]",
        ]
    );
}

#[test]
fn a_fence_around_nothing_is_an_error_unless_its_crate_is_to_come() {
    let manifests =
        Manifests::parse(r#"{"packages": [{"name": "wattstream-aws", "dependencies": []}]}"#).unwrap();
    let mut fence = domain_fence();
    let error = is_to_come(&fence, &manifests, &["wattstream-aws"]).unwrap_err().to_string();
    assert!(error.contains("wattstream-domain, which is no crate of this workspace"), "{error}");

    fence.around = Some("wattstream-aws");
    assert!(!is_to_come(&fence, &manifests, &["wattstream-aws"]).unwrap(), "it has come: the fence stands");
    let nothing = Manifests::parse(r#"{"packages": []}"#).unwrap();
    assert!(is_to_come(&fence, &nothing, &["wattstream-aws"]).unwrap());
}

#[test]
fn a_violation_planted_in_a_real_workspace_is_caught_on_any_platform_but_not_in_tests() {
    let folder = tempfile::tempdir().unwrap();
    let plant = |name: &str, dependencies: &str| {
        let package = folder.path().join(name);
        fs::create_dir_all(package.join("src")).unwrap();
        fs::write(package.join("src/lib.rs"), "").unwrap();
        let head = format!("[package]\nname = \"{name}\"\nversion = \"1.2.3\"\nedition = \"2024\"\n");
        fs::write(package.join("Cargo.toml"), head + dependencies).unwrap();
    };
    fs::write(folder.path().join("Cargo.toml"), "[workspace]\nresolver = \"3\"\nmembers = [\"*\"]\n")
        .unwrap();
    plant("wattstream-domain", "[target.'cfg(windows)'.dependencies]\nhandy = { path = \"../handy\" }\n");
    plant("handy", "[dependencies]\ntokio = { path = \"../tokio\" }\n");
    plant("tokio", "[dev-dependencies]\nwattstream-domain = { path = \"../wattstream-domain\" }\n");

    let workspace = Workspace { root: folder.path().to_owned() };
    let fence = Fence { rule: Rule::Never(&["tokio", "wattstream-domain"]), ..domain_fence() };
    assert_eq!(
        breaches_of(&fence, &Tree::read(&workspace, fence.around).unwrap()),
        ["- domain is pure: the last of wattstream-domain -> handy 1.2.3 -> tokio 1.2.3 is banned there"]
    );
    assert!(Manifests::read(&workspace).unwrap().has("handy"));
}
