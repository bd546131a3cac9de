//! One server of the local AWS, as a child process. What must always hold: it listens on the loopback only; an address
//! that is handed out is that of this very process; it ends with its [`Server`] and, whatever happens to that, with
//! this process.
//!
//! **Ports.** A server that can bind port 0 does, and announces what it got. ministack cannot, since it writes its port
//! into queue URLs: it gets a port that was free a moment ago, and when another process was faster, it says so and is
//! started again with another. Only the process itself announces its address, once it listens, so no other server that
//! happens to answer on that port can be taken for it.
//!
//! **Ends.** A signal at the parent's death cannot be asked for without unsafe code, and would follow the thread instead
//! of the process. So each server leads a process group of its own, together with a shell that reads from a pipe whose
//! other end this process holds, and nobody else. When this process ends in any way the pipe ends, and the shell kills
//! the group: the server and whatever it started.

mod log;

use std::{
    io::{self, Write},
    process::{Child, ChildStdin, Command, Stdio},
    thread,
    time::Duration,
};

use tempfile::TempDir;

use self::log::{Log, Silence};
use super::{installation::Installation, program::Program};

/// How long a server may take until it listens. Half a second is usual; this is a limit for hangs, on a machine that is
/// busy with other builds.
const START_LIMIT: Duration = Duration::from_secs(120);

/// How many ports are tried. A collision needs another process to take one of some 28,000 ports within half a second.
const PORT_ATTEMPTS_MAX: usize = 5;

/// What a server says whose port was taken, in any case of its letters.
const PORT_IS_TAKEN: &str = "already in use";

/// Becomes the program that its arguments name, after it has set up the watch that is told of in this file's head.
const GUARD: &str = r#"
exec 3<&0 </dev/null
{ read -r line <&3; kill -KILL 0; } >/dev/null 2>&1 &
exec "$@" 3<&-
"#;

/// A server that runs. It ends when this is dropped.
#[derive(Debug)]
pub struct Server {
    program: Program,
    url: String,
    child: Child,
    /// Held open for as long as the server shall live.
    lifeline: Option<ChildStdin>,
    log: Log,
    /// The server's working and temporary folder.
    _scratch: TempDir,
}

/// Why a server did not start, with its last words.
#[derive(Debug, thiserror::Error)]
#[error("{program} did not start: {why}\n{last_words}")]
pub struct StartError {
    program: Program,
    why: String,
    last_words: String,
}

impl Server {
    /// Starts a server and waits until it listens.
    pub fn start(installation: &Installation, program: Program) -> Result<Self, StartError> {
        let mut attempt = 1;
        loop {
            match Self::launch(installation, program) {
                Err(error) if error.port_was_taken() && attempt < PORT_ATTEMPTS_MAX => attempt += 1,
                result => return result,
            }
        }
    }

    fn launch(installation: &Installation, program: Program) -> Result<Self, StartError> {
        let mut server = Self::spawn(installation, program).map_err(|error| StartError {
            program,
            why: format!("its process could not be made: {error}"),
            last_words: String::new(),
        })?;
        match server.log.address(START_LIMIT) {
            Ok(url) => {
                server.url = url;
                Ok(server)
            }
            Err(silence) => Err(server.start_error(&silence)),
        }
    }

    fn spawn(installation: &Installation, program: Program) -> io::Result<Self> {
        let scratch = installation.scratch()?;
        let (output, writer) = io::pipe()?;
        let mut guard = guarded(&program.command(installation)?);
        guard.env("TMPDIR", scratch.path()).env("PYTHONUNBUFFERED", "1").current_dir(scratch.path());
        guard.stdin(Stdio::piped()).stdout(writer.try_clone()?).stderr(writer);
        let mut child = guard.spawn()?;
        // The pipe's end is the server's end only when the command no longer holds it.
        drop(guard);
        let lifeline = child.stdin.take();
        Ok(Self { program, url: String::new(), child, lifeline, log: Log::follow(output), _scratch: scratch })
    }

    /// Where it answers, such as `http://127.0.0.1:40001`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Which server it is.
    pub fn program(&self) -> Program {
        self.program
    }

    /// Waits until the server ends by itself, and tells its last words.
    pub fn wait(&mut self) -> io::Result<String> {
        self.log.wait_for_end();
        let status = self.child.wait()?;
        Ok(format!("{} ended with {status}\n{}", self.program, self.log.last_words()))
    }

    fn start_error(&mut self, silence: &Silence) -> StartError {
        let why = match silence {
            Silence::StillSilent => format!("it did not listen within {} s", START_LIMIT.as_secs()),
            Silence::Ended => match self.child.wait() {
                Ok(status) => format!("it ended with {status}"),
                Err(error) => format!("it ended: {error}"),
            },
        };
        StartError { program: self.program, why, last_words: self.log.last_words() }
    }
}

impl Drop for Server {
    /// The shell in the group kills what the server has started; nobody waits for that, but for the server itself.
    fn drop(&mut self) {
        drop(self.lifeline.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            let _ = writeln!(io::stderr(), "what {} said last:\n{}", self.program, self.log.last_words());
        }
    }
}

impl StartError {
    fn port_was_taken(&self) -> bool {
        self.last_words.to_ascii_lowercase().contains(PORT_IS_TAKEN)
    }
}

/// The same command behind [`GUARD`], in a process group of its own.
fn guarded(command: &Command) -> Command {
    let mut guard = Command::new("sh");
    guard.args(["-c", GUARD, "guard"]).arg(command.get_program()).args(command.get_args());
    guard.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut guard, 0);
    guard
}

#[cfg(test)]
mod tests;
