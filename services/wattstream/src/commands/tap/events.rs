//! The events of a connection, one after the other. What must always hold: a connection on which nothing comes, not even a
//! heartbeat, ends: half of a connection can be gone without the other half being told.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use futures::{FutureExt, StreamExt, stream};
use sse_stream::SseByteStream;

pub(super) use sse_stream::Sse as Event;

/// After this long without a byte a connection counts as gone: three heartbeats.
const SILENCE_MAX: Duration = Duration::from_secs(45);
/// The most bytes that are read at once.
const CHUNK_BYTES: usize = 16 * 1024;
/// Chunks that wait to be printed. A slow reader of stdout holds up the connection and not this process.
const CHUNKS_WAITING_MAX: usize = 16;

/// Waits for each event.
pub(super) struct Events(SseByteStream<stream::Iter<Chunks>>);

impl Events {
    /// The events of a body. It is read by a thread of its own, which ends with the connection.
    pub(super) fn of(body: impl Read + Send + 'static) -> io::Result<Self> {
        Self::within(body, SILENCE_MAX)
    }

    fn within(mut body: impl Read + Send + 'static, silence_max: Duration) -> io::Result<Self> {
        let (sender, chunks) = sync_channel(CHUNKS_WAITING_MAX);
        thread::Builder::new().name("events".into()).spawn(move || read_all(&mut body, &sender))?;
        Ok(Self(SseByteStream::new(stream::iter(Chunks { chunks, silence_max }))))
    }
}

impl Iterator for Events {
    type Item = Result<Event, sse_stream::Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().now_or_never().expect("the chunks are waited for, so the decoder never has to")
    }
}

fn read_all(body: &mut impl Read, sender: &SyncSender<io::Result<Bytes>>) {
    let mut buffer = vec![0; CHUNK_BYTES];
    loop {
        let chunk = match body.read(&mut buffer) {
            Ok(0) => return,
            Ok(length) => Ok(Bytes::copy_from_slice(&buffer[..length])),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        let is_last = chunk.is_err();
        if sender.send(chunk).is_err() || is_last {
            return;
        }
    }
}

struct Chunks {
    chunks: Receiver<io::Result<Bytes>>,
    silence_max: Duration,
}

impl Iterator for Chunks {
    type Item = io::Result<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.chunks.recv_timeout(self.silence_max) {
            Ok(chunk) => Some(chunk),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => {
                let silence = format!("nothing came for {} s", self.silence_max.as_secs_f64());
                Some(Err(io::Error::new(io::ErrorKind::TimedOut, silence)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives its chunks one by one, and then nothing for ever, or the end.
    struct Body {
        chunks: Vec<&'static [u8]>,
        is_silent: bool,
    }

    impl Read for Body {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.chunks.is_empty() {
                if !self.is_silent {
                    return Ok(0);
                }
                loop {
                    thread::park();
                }
            }
            let chunk = self.chunks.remove(0);
            buffer[..chunk.len()].copy_from_slice(chunk);
            Ok(chunk.len())
        }
    }

    #[test]
    fn events_come_whole_however_they_are_cut() {
        let chunks: Vec<&[u8]> = vec![
            b"retry: 2000\n\nevent: rec",
            b"ord\nid: 7\nda",
            b"ta: {\"a\":\"\xc3",
            b"\xa4\"}\n\n: beat\n\nevent: record\n",
        ];
        let events: Vec<_> =
            Events::of(Body { chunks, is_silent: false }).unwrap().map(Result::unwrap).collect();
        assert_eq!(events.len(), 2, "half an event is none: {events:?}");
        assert_eq!(events[0].retry, Some(2_000));
        let record = &events[1];
        assert_eq!((record.event.as_deref(), record.id.as_deref()), (Some("record"), Some("7")));
        assert_eq!(record.data.as_deref(), Some("{\"a\":\"ä\"}"));
    }

    #[test]
    fn a_connection_without_a_heartbeat_ends() {
        let body = Body { chunks: vec![b"event: record\ndata: 1\n\n"], is_silent: true };
        let mut events = Events::within(body, Duration::from_millis(50)).unwrap();
        assert!(events.next().unwrap().is_ok());
        let error = events.next().unwrap().unwrap_err();
        assert!(error.to_string().contains("nothing came for 0.05 s"), "{error}");
        assert!(events.next().is_none());
    }
}
