//! The command line: what can be asked, and how it is spelt.
//!
//! Data goes to stdout, everything else to stderr. Exit codes: 0, 1 for a failure while running, 2 for a command that
//! makes no sense (clap's own).

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use wattstream_domain::{SILENT_AFTER_MIN, SiteId};
use wattstream_query_api::{Origin, RateLimit, RateLimitError};

/// Where a process answers when nobody says otherwise.
pub(crate) const URL_DEFAULT: &str = "http://127.0.0.1:8080";

/// How often `top` may ask.
const INTERVAL_MIN: Duration = Duration::from_millis(100);

/// Names the file of tokens, for the process that asks for one and for those who send one.
const TOKEN_FILE_ENV: &str = "WATTSTREAM_TOKEN_FILE";

/// Event-sourced stream processing for energy telemetry: simulator, stream, consumer, store, archive and API in one
/// process, with no account and nothing else to install.
#[derive(Debug, Parser)]
#[command(name = "wattstream", version, args_conflicts_with_subcommands = true, max_term_width = 100)]
#[command(after_help = "Examples:
  wattstream                                     a simulated fleet, live on http://127.0.0.1:8080
  wattstream ingest meters/*.csv.gz              your own readings
  wattstream summary --format json               totals of every site")]
pub struct Cli {
    /// What to do; `up` when nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The flags of `up`.
    #[command(flatten)]
    pub up: UpArgs,
}

/// A verb of the command line.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the whole pipeline, with a simulated fleet unless told otherwise
    #[command(after_help = "Examples:
  wattstream up --sites 100 --speed 60           a hundred sites, an hour a minute
  wattstream up --no-simulator --listen 127.0.0.1:0
  wattstream up --listen 0.0.0.0:8080 --token-file tokens
  wattstream up --fresh --seed 7 --backfill 7d")]
    Up(UpArgs),
    /// Read CSV or NDJSON files, plain or gzipped, into a data folder or a running process
    #[command(after_help = "Examples:
  wattstream ingest meters/*.csv.gz
  zcat export.ndjson.gz | wattstream ingest - --url http://127.0.0.1:8080

A CSV file begins with a header: site_id,timestamp,energy_generated_kwh,energy_consumed_kwh
in any order; other columns are kept in the archive. A bad line is rejected and named, never fatal.")]
    Ingest(IngestArgs),
    /// Rebuild every table from the raw bytes of an archive
    #[command(after_help = "Examples:
  wattstream replay --from data/archive --data-dir rebuilt && wattstream verify --data-dir rebuilt
  wattstream replay --from s3://my-archive --data-dir rebuilt")]
    Replay(ReplayArgs),
    /// Check the tables against each other and against the archive, and print the state's hash
    #[command(after_help = "Example:
  wattstream verify --data-dir data              exit 1 and a list when anything differs")]
    Verify(VerifyArgs),
    /// Run the detector over files and write a score for every reading
    #[command(after_help = "Example:
  wattstream detect meters/*.csv --output scores.csv

A score of 1.0 is where a rule begins to flag.")]
    Detect(DetectArgs),
    /// Totals of every site
    #[command(after_help = "Examples:
  wattstream summary
  wattstream summary --format json | jq .totals
  wattstream summary --stack outputs.json        a stack on AWS")]
    Summary(QueryArgs),
    /// Readings of one site
    #[command(after_help = "Examples:
  wattstream records home-01 --start now-24h
  wattstream records home-01 --start 2025-06-01 --end 2025-07-01 --format csv > june.csv")]
    Records(SiteArgs),
    /// Readings of one site that detection flagged
    #[command(after_help = "Example:
  wattstream anomalies home-01 --start now-7d")]
    Anomalies(SiteArgs),
    /// Write the charts of all sites, and one of each site, as files for a browser and as pictures
    #[command(after_help = "Examples:
  wattstream charts --out charts                 and open charts/index.html
  wattstream charts --out june --start 2025-06-01 --end 2025-07-01 --theme dark
  wattstream charts --out one --site home-01 --stack outputs.json

An HTML file can be zoomed and asked for values; it holds everything it needs and asks no other host for anything. The
SVG beside it is a picture of the same chart. Times are UTC. Of more than 50 sites, those with the most anomalies get a
chart of their own; --site names others.")]
    Charts(ChartsArgs),
    /// Print readings as they are processed, one JSON object a line
    #[command(after_help = "Examples:
  wattstream tap | jq .net_energy_kwh
  wattstream tap --site home-01 --site home-02 --anomalies
  wattstream tap --stack outputs.json            a stack on AWS, asked every 5 seconds

It begins with the next reading. After a lost connection it goes on where it was; when the process no longer has what
came in between, a warning on stderr says so. Where the API cannot stream, as on AWS, it is asked again and again; a
reading is printed once. Ctrl-C ends it.")]
    Tap(TapArgs),
    /// Watch the pipeline: rate, lag, shards, rejects, and the newest anomalies
    #[command(after_help = "Examples:
  wattstream top                                 q quits, ? tells of the other keys
  wattstream top --stack outputs.json            a stack on AWS, every 5 seconds
  wattstream top --format json | jq .lag_ms      a line an interval, for programs

Where stdout is no terminal, it is a line an interval. On AWS, lag and rates of the shards are in CloudWatch; what the
API there does not have is left out, and in JSON it is null.")]
    Top(TopArgs),
    /// Open the dashboard and the docs of a stack on AWS in a browser: sign what it asks, and pass it on
    #[command(after_help = "Example:
  wattstream proxy --stack outputs.json          and open http://127.0.0.1:8081

The API of a stack is behind IAM, and a browser cannot sign. The proxy signs each request with the credentials of the
environment: whoever can reach it asks as you. So it listens on the loopback only, answers only to its own address,
and lets no other site write. Ctrl-C ends it.")]
    Proxy(ProxyArgs),
    /// Payloads that could not be processed: of a running process, or in queues on AWS
    #[command(subcommand)]
    DeadLetters(DeadLettersCommand),
    /// Check what wattstream needs and say how to mend it: the data folder, or with --aws what is in the cloud
    #[command(after_help = "Examples:
  wattstream doctor                              the data folder and the address of `up`
  wattstream doctor --aws                        credentials, region and the CDK's bootstrap
  wattstream doctor --aws --stack outputs.json   and the resources of a stack

Nothing on AWS is changed. The exit code is 1 when anything is wrong.")]
    Doctor(DoctorArgs),
    /// Print the completions of a shell
    #[command(after_help = "Example:
  wattstream completions bash > /etc/bash_completion.d/wattstream")]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// The flags of `up`.
#[derive(Args, Clone, Debug)]
pub struct UpArgs {
    /// Folder that holds everything
    #[arg(long, value_name = "DIR", default_value = "data", env = "WATTSTREAM_DATA_DIR")]
    pub data_dir: PathBuf,
    /// Address of the API; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080", env = "WATTSTREAM_LISTEN")]
    pub listen: SocketAddr,
    /// Answer only to who sends a token of this file; another address than the loopback needs it
    #[arg(long, value_name = "FILE", env = TOKEN_FILE_ENV)]
    pub token_file: Option<PathBuf>,
    /// Origin of a page that may read the API, such as https://energy.example.com; may be given several times
    #[arg(long = "cors-origin", value_name = "ORIGIN")]
    pub cors_origins: Vec<Origin>,
    /// Requests that a token, or an address without one, may send, such as 100/s, or off; 1000/s with --token-file, else off
    #[arg(long, value_name = "RATE", value_parser = parse_rate_limit)]
    pub rate_limit: Option<RateLimitChoice>,
    /// Sites of the simulated fleet
    #[arg(long, value_name = "N", default_value_t = 12)]
    pub sites: usize,
    /// Metering interval of the fleet, such as 5m
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = parse_duration)]
    pub interval: Duration,
    /// How many times faster than the wall clock the fleet lives
    #[arg(long, value_name = "X", default_value = "1")]
    pub speed: NonZeroU32,
    /// Shards of the stream; fixed when the data folder is made [default: 4]
    #[arg(long, value_name = "N")]
    pub shards: Option<u32>,
    /// Take readings from elsewhere only
    #[arg(long)]
    pub no_simulator: bool,
    /// Throw the data folder away first
    #[arg(long)]
    pub fresh: bool,
    /// Seed of the fleet: one seed, one fleet
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// How much past the fleet brings along
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = parse_duration)]
    pub backfill: Duration,
    /// Post every alert as JSON to this address
    #[arg(long, value_name = "URL")]
    pub webhook: Option<String>,
    /// Raise an alert when a site has sent nothing for K of its own intervals; 0 never does
    #[arg(long, value_name = "K", default_value = "6", value_parser = parse_silent_after)]
    pub silent_after: u32,
    /// What to log: a level, or targets and levels
    #[arg(long, value_name = "FILTER", default_value = "warn", env = "WATTSTREAM_LOG")]
    pub log: String,
}

/// The flags of `ingest`.
#[derive(Args, Clone, Debug)]
pub struct IngestArgs {
    /// Files to read; - is stdin
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Folder to write to, when no process runs on it
    #[arg(
        long,
        value_name = "DIR",
        default_value = "data",
        env = "WATTSTREAM_DATA_DIR",
        conflicts_with_all = ["url", "stack"]
    )]
    pub data_dir: PathBuf,
    /// A running process to send to instead
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// What it may ask for.
    #[command(flatten)]
    pub access: AccessArgs,
    /// Shards of the stream, when the data folder is made [default: 4]
    #[arg(long, value_name = "N", conflicts_with_all = ["url", "stack"])]
    pub shards: Option<u32>,
}

/// The flags of `replay`.
#[derive(Args, Clone, Debug)]
pub struct ReplayArgs {
    /// An archive, in a folder or in S3: the folder that holds raw/
    #[arg(long, value_name = "DIR|s3://BUCKET/PREFIX")]
    pub from: ArchivePlace,
    /// New folder to rebuild into
    #[arg(long, value_name = "DIR")]
    pub data_dir: PathBuf,
    /// Shards of the new stream [default: 4]
    #[arg(long, value_name = "N")]
    pub shards: Option<u32>,
}

/// Where an archive is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArchivePlace {
    /// In a folder.
    Folder(PathBuf),
    /// In S3.
    Bucket {
        /// The bucket.
        bucket: String,
        /// The folder in it, without slashes around; empty for the whole bucket.
        prefix: String,
    },
}

impl FromStr for ArchivePlace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some(place) = text.strip_prefix("s3://") else { return Ok(Self::Folder(text.into())) };
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        if bucket.is_empty() {
            return Err("an archive in S3 is s3://BUCKET or s3://BUCKET/PREFIX".into());
        }
        Ok(Self::Bucket { bucket: bucket.to_owned(), prefix: prefix.trim_matches('/').to_owned() })
    }
}

impl fmt::Display for ArchivePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => write!(f, "{}", folder.display()),
            Self::Bucket { bucket, prefix } => write!(f, "s3://{bucket}/{prefix}"),
        }
    }
}

/// The flags of `verify`.
#[derive(Args, Clone, Debug)]
pub struct VerifyArgs {
    /// Folder to check
    #[arg(long, value_name = "DIR", default_value = "data", env = "WATTSTREAM_DATA_DIR")]
    pub data_dir: PathBuf,
}

/// The flags of `detect`.
#[derive(Args, Clone, Debug)]
pub struct DetectArgs {
    /// Files to read; - is stdin
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// File to write; - is stdout
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub output: PathBuf,
}

/// What a process may ask for before it answers.
#[derive(Args, Clone, Debug, Default)]
pub struct AccessArgs {
    /// File whose first token is sent, when the process asks for one
    #[arg(long, value_name = "FILE", env = TOKEN_FILE_ENV)]
    pub token_file: Option<PathBuf>,
    /// Sign the requests with the credentials of the environment, for an API on AWS; no token is sent then
    #[arg(long)]
    pub iam: bool,
    /// Ask the API of a stack on AWS, signed unless a token is given; `cdk deploy --outputs-file FILE` writes the file
    #[arg(long, value_name = "FILE", conflicts_with = "url")]
    pub stack: Option<PathBuf>,
}

/// What every question to a running process has.
#[derive(Args, Clone, Debug)]
pub struct QueryArgs {
    /// The process to ask
    #[arg(long, value_name = "URL", default_value = URL_DEFAULT, env = "WATTSTREAM_URL")]
    pub url: String,
    /// What it may ask for.
    #[command(flatten)]
    pub access: AccessArgs,
    /// How to print the answer
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

/// The flags of `top`.
#[derive(Args, Clone, Debug)]
pub struct TopArgs {
    /// How often to look, such as 1s or 500ms [default: 1s; 5s on AWS]
    #[arg(long, value_name = "TIME", value_parser = parse_interval)]
    pub interval: Option<Duration>,
    /// The process, and the form of the lines where stdout is no terminal.
    #[command(flatten)]
    pub query: QueryArgs,
}

/// The flags of `charts`.
#[derive(Args, Clone, Debug)]
pub struct ChartsArgs {
    /// Folder to write to; files of the same names are replaced
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// From this time on: 2025-06-20, 2025-06-20T12:00:00Z or now-24h
    #[arg(long, value_name = "TIME")]
    pub start: Option<String>,
    /// Up to, but not including, this time
    #[arg(long, value_name = "TIME")]
    pub end: Option<String>,
    /// Only this site; can be given several times
    #[arg(long = "site", value_name = "ID")]
    pub sites: Vec<SiteId>,
    /// How the charts look
    #[arg(long, value_enum, default_value_t = Theme::Light)]
    pub theme: Theme,
    /// The process to ask
    #[arg(long, value_name = "URL", default_value = URL_DEFAULT, env = "WATTSTREAM_URL")]
    pub url: String,
    /// What it may ask for.
    #[command(flatten)]
    pub access: AccessArgs,
}

/// How charts look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Theme {
    /// For paper
    Light,
    /// For dark rooms
    Dark,
}

/// The flags of `proxy`.
#[derive(Args, Clone, Debug)]
pub struct ProxyArgs {
    /// The stack: the file that `cdk deploy --outputs-file FILE` has written
    #[arg(long, value_name = "FILE")]
    pub stack: PathBuf,
    /// Address to answer on, of the loopback; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8081")]
    pub listen: SocketAddr,
}

/// The flags of `tap`.
#[derive(Args, Clone, Debug)]
pub struct TapArgs {
    /// The process to ask
    #[arg(long, value_name = "URL", default_value = URL_DEFAULT, env = "WATTSTREAM_URL")]
    pub url: String,
    /// What it may ask for.
    #[command(flatten)]
    pub access: AccessArgs,
    /// Only readings of this site; can be given several times
    #[arg(long = "site", value_name = "ID")]
    pub sites: Vec<SiteId>,
    /// Only readings that detection flagged
    #[arg(long)]
    pub anomalies: bool,
}

/// A question about one site.
#[derive(Args, Clone, Debug)]
pub struct SiteArgs {
    /// The site
    pub site_id: SiteId,
    /// From this time on: 2025-06-20, 2025-06-20T12:00:00Z or now-24h
    #[arg(long, value_name = "TIME")]
    pub start: Option<String>,
    /// Up to, but not including, this time
    #[arg(long, value_name = "TIME")]
    pub end: Option<String>,
    /// The most readings to print; all of them when not given
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// The process and the form of the answer.
    #[command(flatten)]
    pub query: QueryArgs,
}

/// The flags of `doctor`.
#[derive(Args, Clone, Debug)]
pub struct DoctorArgs {
    /// Look at AWS instead of this machine
    #[arg(long)]
    pub aws: bool,
    /// The data folder to look at
    #[arg(long, value_name = "DIR", default_value = "data", env = "WATTSTREAM_DATA_DIR")]
    pub data_dir: PathBuf,
    /// The address that `up` is to answer on
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080", env = "WATTSTREAM_LISTEN")]
    pub listen: SocketAddr,
    /// How to print the answer
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
    /// What a stack's resources are called.
    #[command(flatten)]
    pub stack: StackArgs,
}

/// What the resources of a stack are called: the variables are those of the Lambda functions.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Resources on AWS")]
pub struct StackArgs {
    /// The file that `cdk deploy --outputs-file FILE` has written: it names what the other flags leave open
    #[arg(long, value_name = "FILE")]
    pub stack: Option<PathBuf>,
    /// The Kinesis stream
    #[arg(long, value_name = "NAME", env = "WATTSTREAM_STREAM")]
    pub stream: Option<String>,
    /// The DynamoDB table of readings
    #[arg(long, value_name = "NAME", env = "WATTSTREAM_READINGS_TABLE")]
    pub readings_table: Option<String>,
    /// The table of hours
    #[arg(long, value_name = "NAME", env = "WATTSTREAM_HOURS_TABLE")]
    pub hours_table: Option<String>,
    /// The table of sites
    #[arg(long, value_name = "NAME", env = "WATTSTREAM_SITES_TABLE")]
    pub sites_table: Option<String>,
    /// The table of shards
    #[arg(long, value_name = "NAME", env = "WATTSTREAM_SHARDS_TABLE")]
    pub shards_table: Option<String>,
    /// The table of alerts
    #[arg(long, value_name = "NAME", env = "WATTSTREAM_ALERTS_TABLE")]
    pub alerts_table: Option<String>,
    /// The table of open silences
    #[arg(long, value_name = "NAME", env = "WATTSTREAM_SILENCES_TABLE")]
    pub silences_table: Option<String>,
    /// The SNS topic of alerts
    #[arg(long, value_name = "ARN", env = "WATTSTREAM_ALERTS_TOPIC_ARN")]
    pub alerts_topic_arn: Option<String>,
    /// The SQS queue of dead letters
    #[arg(long, value_name = "URL", env = "WATTSTREAM_DEAD_LETTERS_QUEUE_URL")]
    pub queue_url: Option<String>,
    /// The SQS queue to which Lambda reports batches that it gave up, when it is another one
    #[arg(long, value_name = "URL", env = "WATTSTREAM_ON_FAILURE_QUEUE_URL")]
    pub on_failure_queue_url: Option<String>,
}

/// A verb about dead letters.
#[derive(Debug, Subcommand)]
pub enum DeadLettersCommand {
    /// List them, with their reasons
    #[command(after_help = "Examples:
  wattstream dead-letters list
  wattstream dead-letters list --stack outputs.json
  wattstream dead-letters list --queue-url $DEAD_LETTERS --on-failure-queue-url $ON_FAILURE

A process lists them by their place in the stream, queues the newest first.")]
    List(DeadLettersArgs),
    /// Print the payload of one, byte for byte
    #[command(
        after_help = "A batch that Lambda gave up is read from its stream once more, and printed a payload a line; what the
stream no longer has is told of, with exit code 1."
    )]
    Show {
        /// Its id, as `list` prints it
        id: String,
        /// Where they are.
        #[command(flatten)]
        place: DeadLettersArgs,
    },
    /// Put them, or one, on the stream again
    #[command(after_help = "Examples:
  wattstream dead-letters redrive shardId-000000000000:42:0
  wattstream dead-letters redrive --stack outputs.json
  wattstream dead-letters redrive --queue-url $DEAD_LETTERS --stream readings

A dead letter goes away only after the stream has taken its payload. To redrive one twice is harmless: the
second time its readings are known to be duplicates and change nothing.

A batch that Lambda gave up is read from its own stream once more. Records that the stream no longer has are
lost to it: they are listed, the exit code is 1, and the report stays in its queue until it is purged. Their
bytes are in the archive, in the folders of the hours of arrival.")]
    Redrive {
        /// Only this one
        id: Option<String>,
        /// The Kinesis stream that the payloads of --queue-url go to; a batch goes to its own
        #[arg(long, value_name = "NAME", env = "WATTSTREAM_STREAM")]
        stream: Option<String>,
        /// Where they are.
        #[command(flatten)]
        place: DeadLettersArgs,
    },
    /// Delete them, or one, for good
    Purge {
        /// Only this one
        id: Option<String>,
        /// Where they are.
        #[command(flatten)]
        place: DeadLettersArgs,
    },
}

impl DeadLettersCommand {
    /// Where the dead letters are.
    pub(crate) fn place(&self) -> &DeadLettersArgs {
        match self {
            Self::List(place)
            | Self::Show { place, .. }
            | Self::Redrive { place, .. }
            | Self::Purge { place, .. } => place,
        }
    }
}

/// Where dead letters are: with a running process, or in queues on AWS.
#[derive(Args, Clone, Debug)]
pub struct DeadLettersArgs {
    /// The process, and the form of the answer.
    #[command(flatten)]
    pub query: QueryArgs,
    /// The queues.
    #[command(flatten)]
    pub queues: QueueArgs,
}

/// Queues on AWS that are looked through in the place of a process.
#[derive(Args, Clone, Debug)]
pub struct QueueArgs {
    /// The SQS queue of dead letters on AWS, instead of a process
    #[arg(long, value_name = "URL", conflicts_with_all = ["url", "stack"])]
    pub queue_url: Option<String>,
    /// The SQS queue to which Lambda reports batches that it gave up, when it is another one
    #[arg(long, value_name = "URL", conflicts_with_all = ["url", "stack"])]
    pub on_failure_queue_url: Option<String>,
}

impl QueueArgs {
    /// Whether any is named.
    pub(crate) fn is_named(&self) -> bool {
        self.queue_url.is_some() || self.on_failure_queue_url.is_some()
    }
}

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Table,
    /// As the API answers
    Json,
    /// For spreadsheets
    Csv,
}

/// What `--rate-limit` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateLimitChoice {
    /// Nobody is counted.
    Off,
    /// Everybody is.
    At(RateLimit),
}

fn parse_rate_limit(text: &str) -> Result<RateLimitChoice, String> {
    if text == "off" {
        return Ok(RateLimitChoice::Off);
    }
    text.parse().map(RateLimitChoice::At).map_err(|error: RateLimitError| format!("{error}, or off for none"))
}

/// Parses a span of time such as `30s`, `5m`, `24h` or `7d`.
fn parse_duration(text: &str) -> Result<Duration, String> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err("a time is a number and s, m, h or d, such as 5m".into()),
    };
    let number: u64 = number.parse().map_err(|_| "a time is a number and s, m, h or d, such as 5m")?;
    number.checked_mul(seconds).map(Duration::from_secs).ok_or_else(|| "that is too long".into())
}

/// Parses how often something is looked at: a span of time, or milliseconds.
fn parse_interval(text: &str) -> Result<Duration, String> {
    let interval = match text.strip_suffix("ms").map(str::parse) {
        Some(Ok(milliseconds)) => Duration::from_millis(milliseconds),
        _ => parse_duration(text)?,
    };
    if interval < INTERVAL_MIN {
        return Err(format!("at least {} ms: more often nobody can look", INTERVAL_MIN.as_millis()));
    }
    Ok(interval)
}

/// Parses the number of intervals after which a site counts as silent.
fn parse_silent_after(text: &str) -> Result<u32, String> {
    let intervals: Option<u32> = text.parse().ok();
    intervals.filter(|&intervals| intervals == 0 || intervals >= SILENT_AFTER_MIN).ok_or_else(|| {
        format!(
            "a number of intervals from {SILENT_AFTER_MIN} on, or 0 for never: between two readings of any site there are two"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_bare_call_is_up_with_its_flags() {
        let cli = Cli::parse_from(["wattstream", "--sites", "3", "--interval", "1m"]);
        assert!(cli.command.is_none());
        assert_eq!((cli.up.sites, cli.up.interval), (3, Duration::from_secs(60)));
    }

    #[test]
    fn dead_letters_are_with_a_process_or_in_queues_and_never_in_both() {
        let parse = |flags: &str| {
            Cli::try_parse_from(
                ["wattstream", "dead-letters", "list"].into_iter().chain(flags.split_whitespace()),
            )
        };
        let is_in_queues = |flags: &str| match parse(flags).unwrap().command {
            Some(Command::DeadLetters(command)) => command.place().queues.is_named(),
            other => panic!("{other:?}"),
        };
        assert!(!is_in_queues("") && !is_in_queues("--url http://127.0.0.1:1"));
        assert!(is_in_queues("--queue-url a") && is_in_queues("--on-failure-queue-url b"));
        assert!(parse("--queue-url a --url http://127.0.0.1:1").is_err());
        assert!(parse("--queue-url a --stack outputs.json").is_err());
        assert!(parse("--stack outputs.json --url http://127.0.0.1:1").is_err());
    }

    #[test]
    fn an_archive_is_in_a_folder_or_in_a_bucket() {
        let bucket = |bucket: &str, prefix: &str| ArchivePlace::Bucket {
            bucket: bucket.into(),
            prefix: prefix.into(),
        };
        assert_eq!("data/archive".parse(), Ok(ArchivePlace::Folder("data/archive".into())));
        for (text, place) in [
            ("s3://mine", bucket("mine", "")),
            ("s3://mine/", bucket("mine", "")),
            ("s3://mine/a/b/", bucket("mine", "a/b")),
        ] {
            assert_eq!(text.parse(), Ok(place), "{text}");
        }
        assert!("s3://".parse::<ArchivePlace>().is_err() && "s3:///a".parse::<ArchivePlace>().is_err());
    }

    #[test]
    fn a_time_has_a_number_and_a_unit() {
        assert_eq!(parse_duration("24h"), Ok(Duration::from_secs(86_400)));
        for text in ["", "h", "5", "5 m", "-5m", "5y", "99999999999999999999d"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_interval_is_a_time_or_milliseconds_and_not_too_short() {
        assert_eq!(parse_interval("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse_interval("2s"), Ok(Duration::from_secs(2)));
        for text in ["0s", "99ms", "ms", "1.5s", "-1s"] {
            assert!(parse_interval(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_silence_has_three_intervals_or_is_not_looked_for() {
        assert_eq!((parse_silent_after("0"), parse_silent_after("3")), (Ok(0), Ok(3)));
        assert_eq!(Cli::parse_from(["wattstream"]).up.silent_after, 6);
        for text in ["", "1", "2", "-3", "six", "4294967296"] {
            assert!(parse_silent_after(text).is_err(), "{text}");
        }
    }
}
