//! `wattstream` on this machine, fed with the payloads that the stream has: what it answers is what the deployed API must.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use ureq::Agent;

use crate::wattstream::Wattstream;

pub(crate) struct OneMachine {
    process: Child,
    url: String,
    /// The hash of its tables.
    pub(crate) state: String,
    agent: Agent,
}

impl OneMachine {
    /// Takes a file of payloads in, and answers from then on.
    pub(crate) fn fed(wattstream: &Wattstream, payloads: &Path, scratch: &Path) -> Self {
        let data_dir = scratch.join("one-machine");
        let [payloads, folder] =
            [payloads, &data_dir].map(|path| path.to_str().expect("test folders have plain names"));
        wattstream.run(&["ingest", payloads, "--data-dir", folder, "--shards", "1"]);
        let state = wattstream.verified_state(&data_dir);
        // Which sites are silent is for the deployed watch to say, and for the clock.
        let up =
            ["up", "--no-simulator", "--silent-after", "0", "--listen", "127.0.0.1:0", "--data-dir", folder];
        let mut process = wattstream.command(&up).stdout(Stdio::piped()).spawn().expect("the program starts");
        let mut first_line = String::new();
        let stdout = process.stdout.take().expect("stdout is piped");
        BufReader::new(stdout).read_line(&mut first_line).expect("stdout is text");
        Self { process, url: first_line.trim().to_owned(), state, agent: Agent::new_with_defaults() }
    }

    /// The document that a question is answered with, as text.
    pub(crate) fn text(&self, path: &str) -> String {
        let answer = self.agent.get(format!("{}{path}", self.url)).call();
        let mut answer = answer.unwrap_or_else(|error| panic!("one machine, {path}: {error}"));
        answer.body_mut().with_config().limit(u64::MAX).read_to_string().expect("a text")
    }
}

impl Drop for OneMachine {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
