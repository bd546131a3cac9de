//! Which servers there are, and how each is started. What must always hold: it listens on nothing but the loopback, on
//! ports that were free.

use std::{
    fmt::{self, Display, Formatter},
    io,
    net::TcpListener,
    process::Command,
};

use super::installation::{Installation, without_settings};

/// Over all streams: far more than the 50 that kinesis-local allows unless it is told otherwise.
const KINESIS_SHARDS_MAX: &str = "10000";

/// kinesis-local keeps a stream in CREATING, UPDATING or DELETING for half a second each.
const KINESIS_STATE_CHANGES: [&str; 5] = [
    "CREATE_STREAM_DURATION",
    "DELETE_STREAM_DURATION",
    "MERGE_SHARDS_DURATION",
    "SPLIT_SHARD_DURATION",
    "UPDATE_SHARD_COUNT_DURATION",
];

/// Long enough for a test to see such a state, short enough not to wait for it.
const KINESIS_STATE_CHANGE_TAKES: &str = "10ms";

/// A server of the local AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// DynamoDB, SNS, SQS, S3, Lambda and more.
    Ministack,
    /// Kinesis.
    KinesisLocal,
    /// A second opinion on DynamoDB, SNS and SQS.
    Moto,
}

impl Program {
    /// Every server, in the order in which they are shown.
    pub const ALL: [Self; 3] = [Self::Ministack, Self::KinesisLocal, Self::Moto];

    /// What it takes the place of.
    pub fn services(self) -> &'static str {
        match self {
            Self::Ministack => "DynamoDB, SNS, SQS, S3, Lambda",
            Self::KinesisLocal => "Kinesis",
            Self::Moto => "a second opinion on DynamoDB, SNS, SQS",
        }
    }

    /// How it is started: with nothing of this process's settings, on the loopback only.
    pub(super) fn command(self, installation: &Installation) -> io::Result<Command> {
        let mut command = match self {
            Self::KinesisLocal => without_settings("node".as_ref()),
            Self::Ministack | Self::Moto => without_settings(&installation.interpreter()),
        };
        match self {
            // It would also open port 8883 for MQTT and one for SFTP, on every interface.
            Self::Ministack => command
                .arg(installation.start_ministack())
                .envs([("BIND_HOST", "127.0.0.1"), ("IOT_MTLS_ENABLED", "0"), ("SFTP_ENABLED", "0")])
                .env("GATEWAY_PORT", free_port()?.to_string()),
            Self::Moto => command.args(["-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]),
            Self::KinesisLocal => command
                .arg("--require")
                .arg(installation.loopback())
                .arg(installation.kinesis_local())
                .env("KINESIS_MOCK_CERT_PATH", installation.kinesis_local_certificate())
                .env("SHARD_LIMIT", KINESIS_SHARDS_MAX)
                .envs(KINESIS_STATE_CHANGES.map(|name| (name, KINESIS_STATE_CHANGE_TAKES))),
        };
        Ok(command)
    }
}

impl Display for Program {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ministack => "ministack",
            Self::KinesisLocal => "kinesis-local",
            Self::Moto => "moto",
        })
    }
}

/// A port of the loopback that nobody listens on at this moment.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
