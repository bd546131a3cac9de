//! A function: settings, and the environments that it runs in.
//!
//! What must always hold: an environment has one invocation at a time; when all are busy another one starts, as on Lambda.
//! Which of the idle ones gets an invocation is not said, here as there.

use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use axum::body::Bytes;

use super::environment::{Environment, FunctionError};
use super::process::{Log, Process};

/// The most bytes of a synchronous request, and of its response: 6 MB of 1,024 KiB (AWS Lambda guide, "Lambda quotas").
const PAYLOAD_BYTES_MAX: usize = 6 * 1_024 * 1_024;

/// What a function is made of.
#[derive(Clone, Debug)]
pub struct FunctionSettings {
    /// The program, which Lambda calls `bootstrap`.
    pub binary: PathBuf,
    /// Its environment variables, besides those that Lambda sets.
    pub variables: Vec<(String, String)>,
    /// How long an invocation may take, and a start.
    pub timeout: Duration,
}

/// A function that can be invoked.
#[derive(Debug)]
pub struct Function {
    settings: FunctionSettings,
    log: Log,
    course: Mutex<Course>,
}

#[derive(Debug, Default)]
struct Course {
    idle: Vec<Environment>,
    processes: Vec<Weak<Process>>,
    starts: Vec<Duration>,
    invocations: u64,
}

impl Function {
    /// A function that nobody has invoked.
    pub fn new(settings: FunctionSettings) -> Self {
        Self { settings, log: Log::default(), course: Mutex::default() }
    }

    /// Invokes it with a payload, and returns its response. When this is dropped meanwhile, the process is killed.
    pub async fn invoke(&self, payload: impl Into<Bytes>) -> Result<Bytes, FunctionError> {
        let payload = payload.into();
        check_size(&payload)?;
        let (request_id, idle) = {
            let mut course = self.lock();
            course.invocations += 1;
            // The number that the place of an id in a list would have: enough to tell invocations apart in a log.
            (format!("00000000-0000-4000-8000-{:012}", course.invocations), course.idle.pop())
        };
        let environment = match idle {
            Some(environment) => environment,
            None => self.start().await?,
        };
        let answer = environment.invoke(request_id, payload, self.settings.timeout).await;
        if matches!(answer, Ok(_) | Err(FunctionError::Unhandled { .. })) {
            self.lock().idle.push(environment);
        }
        answer.and_then(|response| check_size(&response).map(|()| response))
    }

    /// Ends all its processes, and returns everything that they have written, line by line.
    pub async fn last_words(&self) -> Vec<String> {
        let processes: Vec<_> = self.lock().processes.iter().filter_map(Weak::upgrade).collect();
        self.kill();
        for process in processes {
            process.end().await;
        }
        self.log.lines()
    }

    /// What its processes have written so far, line by line, each line whole. What one has written just now may be missing.
    pub fn log(&self) -> Vec<String> {
        self.log.lines()
    }

    /// How long each start took, from the start of the process to its first question for an invocation.
    pub fn starts(&self) -> Vec<Duration> {
        self.lock().starts.clone()
    }

    /// The most memory that each of its living processes has had at a time, in bytes: `VmHWM` of proc(5).
    pub fn memory_peaks(&self) -> Vec<u64> {
        self.lock()
            .processes
            .iter()
            .filter_map(Weak::upgrade)
            .filter_map(|process| process.memory_peak())
            .collect()
    }

    /// Ends all its processes as `kill -9` does, whatever they are at.
    pub fn kill(&self) {
        let (processes, idle) = {
            let mut course = self.lock();
            (std::mem::take(&mut course.processes), std::mem::take(&mut course.idle))
        };
        for process in processes.iter().filter_map(Weak::upgrade) {
            process.kill();
        }
        drop(idle);
    }

    async fn start(&self) -> Result<Environment, FunctionError> {
        let environment = Environment::start(self.command(), &self.log, self.settings.timeout).await?;
        let mut course = self.lock();
        course.starts.push(environment.start_took);
        course.processes.push(Arc::downgrade(environment.process()));
        Ok(environment)
    }

    /// The process with the environment that Lambda gives it (AWS Lambda guide, "Defined runtime environment variables").
    fn command(&self) -> Command {
        let mut command = Command::new(&self.settings.binary);
        command
            .env_clear()
            .envs([
                ("AWS_LAMBDA_FUNCTION_NAME", "wattstream"),
                ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
                ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
                ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/wattstream"),
                ("AWS_LAMBDA_LOG_STREAM_NAME", "2025/06/20/[$LATEST]0"),
                ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
                ("PATH", "/usr/local/bin:/usr/bin:/bin"),
            ])
            .envs(self.settings.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    fn lock(&self) -> MutexGuard<'_, Course> {
        self.course.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn check_size(payload: &Bytes) -> Result<(), FunctionError> {
    if payload.len() > PAYLOAD_BYTES_MAX { Err(FunctionError::TooLarge(payload.len())) } else { Ok(()) }
}
