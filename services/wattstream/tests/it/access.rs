//! A process that others can reach answers to who has a token.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use ureq::Agent;

use crate::process::{Process, path, run, run_ok, wattstream};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// A file with these lines, of its owner alone.
fn token_file(folder: &Path, lines: &str) -> PathBuf {
    let file = folder.join("tokens");
    fs::write(&file, lines).unwrap();
    set_mode(&file, 0o600);
    file
}

fn set_mode(file: &Path, mode: u32) {
    #[cfg(unix)]
    fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
}

/// The command with this input; its exit code and what it said.
fn run_with_input(arguments: &[&str], input: &str) -> (Option<i32>, String) {
    let mut command = wattstream(arguments);
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_process_on_every_address_answers_to_who_has_a_token() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = token_file(folder.path(), &format!("# who may ask\nlaptop: {TOKEN}\n{TOKEN}-of-another\n"));
    let (tokens, data_dir) = (path(&tokens), folder.path().join("data"));
    let flags = ["--no-simulator", "--data-dir", path(&data_dir), "--token-file", tokens];
    let process = Process::start_at("0.0.0.0", &flags);

    for public in ["/", "/page.js", "/docs/", "/healthz"] {
        assert_eq!(process.get(public).0, 200, "{public}");
    }
    let (status, problem) = process.get("/summary");
    assert!(status == 401 && problem.contains("--token-file"), "{status} {problem}");
    assert_eq!(process.get_as(Some("another-token-altogether"), "/summary").0, 401);
    let of_another = format!("{TOKEN}-of-another");
    for token in [TOKEN, &of_another] {
        for private in ["/summary", "/metrics", "/readyz"] {
            assert_eq!(process.get_as(Some(token), private).0, 200, "{private}");
        }
    }

    let csv =
        "site_id,timestamp,energy_generated_kwh,energy_consumed_kwh\nhome-01,2025-06-20T00:00:00Z,1,2\n";
    let ingest = ["ingest", "-", "--url", &process.url];
    let (code, stderr) = run_with_input(&ingest, csv);
    assert!(code == Some(1) && stderr.contains("asks for a token"), "{stderr}");
    let (code, stderr) = run_with_input(&[&ingest[..], &["--token-file", tokens]].concat(), csv);
    assert!(code == Some(0) && stderr.contains("1 readings accepted"), "{stderr}");
    process.wait_until("the reading is in the tables", |process| {
        process.get_as(Some(TOKEN), "/summary").1.contains("home-01")
    });

    let refused = run(&["records", "home-01", "--url", &process.url]);
    let stderr = String::from_utf8_lossy(&refused.stderr);
    assert!(refused.status.code() == Some(1) && stderr.contains("WATTSTREAM_TOKEN_FILE"), "{stderr}");
    let asked = ["records", "home-01", "--url", &process.url, "--token-file", tokens];
    assert!(run_ok(&asked).contains("2025-06-20"));
    let mut by_environment = wattstream(&["dead-letters", "list", "--url", &process.url]);
    assert!(by_environment.env("WATTSTREAM_TOKEN_FILE", tokens).output().unwrap().status.success());
    process.stop();
}

#[cfg(unix)]
#[test]
fn a_token_file_that_others_can_read_or_that_holds_no_token_starts_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = token_file(folder.path(), TOKEN);
    let data_dir = folder.path().join("data");
    let listen =
        ["up", "--listen", "0.0.0.0:0", "--data-dir", path(&data_dir), "--token-file", path(&tokens)];
    let said = |arguments: &[&str]| {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    set_mode(&tokens, 0o644);
    let stderr = said(&listen);
    assert!(stderr.contains(&format!("chmod 600 {}", path(&tokens))), "{stderr}");
    // Whoever sends one is told the same.
    let stderr = said(&["summary", "--url", "http://127.0.0.1:1", "--token-file", path(&tokens)]);
    assert!(stderr.contains("chmod 600"), "{stderr}");
    let tokens = token_file(folder.path(), "short\n");
    let stderr = said(&listen);
    assert!(stderr.contains(&format!("{}, line 1", path(&tokens))) && !stderr.contains("short"), "{stderr}");
    assert!(!data_dir.exists(), "nothing was begun");
}

/// The status and these headers of the answer to a GET with these headers.
fn ask(process: &Process, path: &str, sent: &[(&str, &str)], names: [&str; 2]) -> (u16, [String; 2]) {
    let agent: Agent = Agent::config_builder().http_status_as_error(false).build().into();
    let request = agent.get(format!("{}{path}", process.url));
    let answer =
        sent.iter().fold(request, |request, (name, value)| request.header(*name, *value)).call().unwrap();
    let header =
        |name| answer.headers().get(name).map_or(String::new(), |value| value.to_str().unwrap().to_owned());
    (answer.status().as_u16(), names.map(header))
}

#[test]
fn a_process_counts_requests_when_asked_to_and_where_tokens_share_it() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = token_file(folder.path(), TOKEN);
    let data_dir = |name: &str| folder.path().join(name);
    let limits = ["ratelimit-policy", "retry-after"];
    let start = |name: &str, flags: &[&str]| {
        let data_dir = data_dir(name);
        Process::start_with(&[&["--no-simulator", "--data-dir", path(&data_dir)], flags].concat())
    };
    let alone = start("alone", &[]);
    assert_eq!(ask(&alone, "/summary", &[], limits), (200, [String::new(), String::new()]));
    let shared = start("shared", &["--token-file", path(&tokens)]);
    assert_eq!(
        ask(&shared, "/summary", &[], limits),
        (401, ["\"requests\";q=2000;w=2".to_owned(), String::new()])
    );
    let off = start("off", &["--token-file", path(&tokens), "--rate-limit", "off"]);
    assert_eq!(ask(&off, "/summary", &[], limits).1[0], "");

    let narrow = start("narrow", &["--rate-limit", "1/s"]);
    let refused =
        (0..1_000).map(|_| ask(&narrow, "/summary", &[], limits)).find(|(status, _)| *status == 429);
    let (_, [policy, retry_after]) = refused.expect("more than one a second came");
    assert_eq!((&*policy, &*retry_after), ("\"requests\";q=2;w=2", "1"));
    assert_eq!(ask(&narrow, "/healthz", &[], limits).0, 200);
    let wrong = run(&["up", "--rate-limit", "1/m"]);
    assert!(
        wrong.status.code() == Some(2) && String::from_utf8_lossy(&wrong.stderr).contains("such as 100/s")
    );
}

#[test]
fn a_page_of_a_named_origin_reads_a_process_with_tokens() {
    const ORIGINS: [&str; 2] = ["https://energy.example.com", "http://localhost:3000"];
    let folder = tempfile::tempdir().unwrap();
    let (tokens, data_dir) = (token_file(folder.path(), TOKEN), folder.path().join("data"));
    let origins = ["--cors-origin", ORIGINS[0], "--cors-origin", ORIGINS[1]];
    let flags = ["--no-simulator", "--data-dir", path(&data_dir), "--token-file", path(&tokens)];
    let process = Process::start_with(&[&flags[..], &origins].concat());
    let bearer = format!("Bearer {TOKEN}");
    let names = ["access-control-allow-origin", "content-type"];
    for origin in ORIGINS {
        let sent = [("origin", origin), ("sec-fetch-site", "cross-site"), ("authorization", &*bearer)];
        let (status, [allowed, _]) = ask(&process, "/summary", &sent, names);
        assert_eq!((status, &*allowed), (200, origin));
    }
    let sent = [("origin", "https://evil.example"), ("authorization", &*bearer)];
    assert_eq!(ask(&process, "/summary", &sent, names).1[0], "");
    let wrong = run(&["up", "--cors-origin", "*"]);
    assert!(
        wrong.status.code() == Some(2) && String::from_utf8_lossy(&wrong.stderr).contains("an origin is")
    );
}
