//! The servers of the local AWS as they are installed: each answers, ends with the test, and keeps the rules of AWS that
//! the adapters rely on, but for those that it is known to break.

use std::{
    env,
    io::{BufRead, BufReader},
    net::TcpStream,
    panic::catch_unwind,
    process::{Command, Stdio},
    thread,
};

use wattstream_test_env::local_aws::{self, Server};

/// The answer to an operation of one of the services that speak JSON, without an SDK.
fn answer_to(server: &Server, service: &str, target: &str) -> String {
    let scope = format!("test/20261124/{}/{service}/aws4_request", local_aws::REGION);
    let mut answer = ureq::post(server.url())
        .header("x-amz-target", target)
        .header("x-amz-date", "20261124T000000Z")
        .header(
            "authorization",
            format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"),
        )
        .content_type("application/x-amz-json-1.1")
        .send("{}")
        .expect("the server answers");
    answer.body_mut().read_to_string().expect("a text").replace(' ', "")
}

/// Nothing listens there. Asked until it is so: a connection may still find a socket whose process is ending.
fn wait_until_refused(url: &str) {
    let address = url.strip_prefix("http://").expect("an address");
    while TcpStream::connect(address).is_ok() {
        thread::yield_now();
    }
}

#[test]
fn ministack_answers_and_is_gone_when_it_is_dropped() {
    let Some(server) = local_aws::ministack() else { return };
    assert_eq!(answer_to(&server, "dynamodb", "DynamoDB_20120810.ListTables"), r#"{"TableNames":[]}"#);
    let url = server.url().to_owned();
    drop(server);
    wait_until_refused(&url);
}

#[test]
fn moto_answers_and_is_gone_when_it_is_dropped() {
    let Some(server) = local_aws::moto() else { return };
    assert_eq!(answer_to(&server, "dynamodb", "DynamoDB_20120810.ListTables"), r#"{"TableNames":[]}"#);
    let url = server.url().to_owned();
    drop(server);
    wait_until_refused(&url);
}

#[test]
fn kinesis_local_answers_and_is_gone_when_it_is_dropped() {
    let Some(server) = local_aws::kinesis_local() else { return };
    let streams = answer_to(&server, "kinesis", "Kinesis_20131202.ListStreams");
    assert_eq!(streams, r#"{"HasMoreStreams":false,"StreamNames":[]}"#);
    let url = server.url().to_owned();
    drop(server);
    wait_until_refused(&url);
}

#[test]
fn a_test_that_panics_leaves_no_server() {
    let Some(server) = local_aws::ministack() else { return };
    let url = server.url().to_owned();
    let outcome = catch_unwind(move || {
        let _server = server;
        panic!("as a test does whose assertion fails");
    });
    assert!(outcome.is_err());
    wait_until_refused(&url);
}

/// Plays two parts: the test, and in a process of its own the one that is killed.
#[test]
fn a_test_that_is_killed_leaves_no_server() {
    const VICTIM: &str = "WATTSTREAM_TEST_IS_THE_VICTIM";
    let Some(server) = local_aws::ministack() else { return };
    if env::var_os(VICTIM).is_some() {
        println!("{}", server.url());
        loop {
            thread::park();
        }
    }
    let mut victim = Command::new(env::current_exe().expect("this test's path"))
        .args(["--exact", "a_test_that_is_killed_leaves_no_server", "--nocapture"])
        .env(VICTIM, "1")
        .stdout(Stdio::piped())
        .spawn()
        .expect("this test starts");
    let lines = BufReader::new(victim.stdout.take().expect("stdout is piped")).lines();
    let said = lines.map(|line| line.expect("a text")).find(|line| line.contains("http://"));
    let url = said.expect("the victim tells its server's address");
    let url = &url[url.find("http://").unwrap_or_default()..];
    assert!(TcpStream::connect(url.trim_start_matches("http://")).is_ok());
    victim.kill().expect("the victim is there");
    victim.wait().expect("the victim is killed");
    wait_until_refused(url);
}

#[test]
fn two_servers_of_one_kind_know_nothing_of_each_other() {
    let (Some(one), Some(other)) = (local_aws::moto(), local_aws::moto()) else { return };
    assert_ne!(one.url(), other.url());
}

#[test]
fn the_python_of_the_tests_has_what_their_scripts_import() {
    let Some(mut python) = local_aws::python() else { return };
    let script = "import boto3, aws_kinesis_agg.aggregator, aws_lambda_powertools, pydantic";
    let output = python.args(["-c", script]).output().expect("Python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn check_rules(server: &Server, services: &[&str]) {
    let Some(mut python) = local_aws::python() else { return };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/local_aws/rules.py");
    let peer = server.program().to_string();
    python.arg(script).arg(&peer).arg(server.url()).args(services);
    let output = python.output().expect("Python starts");
    assert!(output.status.success(), "{peer}:\n{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn ministack_keeps_and_breaks_the_rules_that_it_is_known_to() {
    let Some(server) = local_aws::ministack() else { return };
    check_rules(&server, &["dynamodb", "sqs", "sns"]);
}

#[test]
fn moto_keeps_and_breaks_the_rules_that_it_is_known_to() {
    let Some(server) = local_aws::moto() else { return };
    check_rules(&server, &["dynamodb", "sqs", "sns"]);
}

#[test]
fn kinesis_local_keeps_and_breaks_the_rules_that_it_is_known_to() {
    let Some(server) = local_aws::kinesis_local() else { return };
    check_rules(&server, &["kinesis"]);
}
