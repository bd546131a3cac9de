//! How a start fails, with scripts in the place of servers: what the real ones do is in `tests/local_aws.rs`.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use super::super::installation::PINS;
use super::*;

/// An installation whose Python is a shell script, and whose kinesis-local is nothing.
fn with_script_for_python(folder: &Path, script: &str) -> Installation {
    let unfinished = PINS.begin(folder.to_owned()).unwrap();
    for program in ["venv/bin/python", "node_modules/kinesis-local/main.js"] {
        let program = folder.join(program);
        fs::create_dir_all(program.parent().unwrap()).unwrap();
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&program, PermissionsExt::from_mode(0o700)).unwrap();
    }
    Installation::find(unfinished.finish().unwrap()).unwrap()
}

#[test]
fn a_server_that_dies_at_its_start_is_told_with_its_last_words() {
    let folder = tempfile::tempdir().unwrap();
    let installation = with_script_for_python(folder.path(), "echo one; echo two >&2; exit 7");
    let error = Server::start(&installation, Program::Moto).unwrap_err().to_string();
    assert_eq!(error, "moto did not start: it ended with exit status: 7\n    one\n    two\n");
}

#[test]
fn a_server_whose_port_was_taken_is_started_again_with_another() {
    let folder = tempfile::tempdir().unwrap();
    let script = r#"
        tried="$(dirname "$0")/tried"
        [ -e "$tried" ] || { echo "$GATEWAY_PORT" > "$tried"; echo "[Errno 98] Address already in use"; exit 1; }
        echo "Running on http://127.0.0.1:$GATEWAY_PORT"; exec sleep 1000"#;
    let installation = with_script_for_python(folder.path(), script);
    let server = Server::start(&installation, Program::Ministack).unwrap();
    let first_port = fs::read_to_string(folder.path().join("venv/bin/tried")).unwrap();
    assert_ne!(server.url(), format!("http://127.0.0.1:{}", first_port.trim()));
}

#[test]
fn ports_that_are_always_taken_end_the_attempts() {
    let folder = tempfile::tempdir().unwrap();
    let script = r#"echo x >> "$(dirname "$0")/tried"; echo "already in use"; exit 1"#;
    let installation = with_script_for_python(folder.path(), script);
    let error = Server::start(&installation, Program::Ministack).unwrap_err();
    assert!(error.port_was_taken(), "{error}");
    let tried = fs::read_to_string(folder.path().join("venv/bin/tried")).unwrap();
    assert_eq!(tried.lines().count(), PORT_ATTEMPTS_MAX);
}

#[test]
fn a_server_sees_no_setting_of_this_process() {
    let folder = tempfile::tempdir().unwrap();
    let installation = with_script_for_python(folder.path(), "env; exit 1");
    let error = Server::start(&installation, Program::Moto).unwrap_err().last_words;
    // Cargo sets this one for every test; the shell sets three of its own.
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
    let names = error.lines().filter_map(|line| line.trim().split_once('=')).map(|(name, _)| name);
    let known = ["PATH", "TMPDIR", "PYTHONUNBUFFERED", "PWD", "SHLVL", "_", "OLDPWD"];
    let unknown: Vec<_> = names.filter(|name| !known.contains(name)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn what_a_server_started_ends_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let script = r#"
        sleep 1000 & echo $! > "$(dirname "$0")/worker"
        echo "Running on http://127.0.0.1:1"; exec sleep 1000"#;
    let installation = with_script_for_python(folder.path(), script);
    let server = Server::start(&installation, Program::Moto).unwrap();
    let worker = fs::read_to_string(folder.path().join("venv/bin/worker")).unwrap();
    assert!(is_alive(worker.trim()));
    drop(server);
    while is_alive(worker.trim()) {
        thread::yield_now();
    }
}

/// A process that ended and that nobody has waited for yet counts as ended.
fn is_alive(pid: &str) -> bool {
    let state = Command::new("ps").args(["-o", "stat=", "-p", pid]).output().expect("ps is there").stdout;
    !state.is_empty() && !state.starts_with(b"Z")
}
