//! A body on its way from one side to the other.

use http::HeaderMap;
use http::header::CONTENT_LENGTH;
use wasi::http::types::{IncomingBody, OutgoingBody};
use wasi::io::poll::Pollable;
use wasi::io::streams::{InputStream, OutputStream, StreamError};

/// The most to move at once, in bytes. What waits in memory is this, in each direction.
const CHUNK: u64 = 64 * 1024;

/// How many chunks move before the other direction has its turn.
const ROUNDS: usize = 16;

/// One body and where it goes. Streams stand before the bodies they belong to: the host wants them dropped first.
///
/// Dropped before it has ended, the far side sees a broken connection and no end.
pub struct Pipe {
    input: InputStream,
    output: OutputStream,
    incoming: IncomingBody,
    outgoing: OutgoingBody,
    /// What was read to find out whether there is a body at all.
    first: Vec<u8>,
    /// Bytes that may still come, where the headers announce how many.
    left: Option<u64>,
}

/// A body that has not been given somewhere to go.
pub struct Source {
    input: InputStream,
    incoming: IncomingBody,
    first: Vec<u8>,
    left: Option<u64>,
}

/// The sender broke off, or did not keep to what it announced.
#[derive(Debug)]
pub struct Broken;

/// How far a pipe is after a step.
pub enum Progress {
    /// Not at the end; there is more to do when this is ready.
    Waits(Pipe, Pollable),
    /// Everything has arrived.
    Ended,
    /// One of the two sides broke off.
    Broken,
}

impl Source {
    /// A body; `None` when it is known to be empty. The host does not say otherwise which messages have one.
    ///
    /// # Errors
    /// When the sender has already broken off, or has sent more than its headers announce: of a message with a length
    /// and with chunks the host shows the length and gives the chunks (RFC 9112 section 6.3, a way to smuggle).
    pub fn open(incoming: IncomingBody, headers: &HeaderMap) -> Result<Option<Self>, Broken> {
        let left = headers
            .get(CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok()?.parse().ok());
        let input = incoming.stream().map_err(|()| Broken)?;
        match input.read(CHUNK) {
            Err(StreamError::Closed) => Ok(None),
            Err(StreamError::LastOperationFailed(_)) => Err(Broken),
            Ok(first) if left.is_some_and(|left| length(&first) > left) => Err(Broken),
            Ok(first) => Ok(Some(Self {
                input,
                incoming,
                first,
                left,
            })),
        }
    }

    /// Gives it somewhere to go; `None` when somebody else writes there.
    #[must_use]
    pub fn into(self, outgoing: OutgoingBody) -> Option<Pipe> {
        Some(Pipe {
            output: outgoing.write().ok()?,
            outgoing,
            input: self.input,
            incoming: self.incoming,
            first: self.first,
            left: self.left,
        })
    }
}

impl Pipe {
    /// Moves what can be moved without waiting.
    #[must_use]
    pub fn step(mut self) -> Progress {
        for _ in 0..ROUNDS {
            let Ok(room) = self.output.check_write() else {
                return Progress::Broken;
            };
            if room == 0 {
                let ready = self.output.subscribe();
                return Progress::Waits(self, ready);
            }
            let moved = match self.left {
                _ if !self.first.is_empty() => self.write_first(room),
                Some(0) => match self.input.read(1) {
                    Ok(byte) if !byte.is_empty() => return Progress::Broken,
                    nothing => nothing.map(|_| 0),
                },
                left => {
                    let most = room.min(CHUNK).min(left.unwrap_or(CHUNK));
                    self.output.splice(&self.input, most)
                }
            };
            match moved {
                Ok(0) => {
                    let ready = self.input.subscribe();
                    return Progress::Waits(self, ready);
                }
                Ok(bytes) => self.left = self.left.map(|left| left.saturating_sub(bytes)),
                Err(StreamError::Closed) if self.output.check_write().is_ok() => {
                    return self.finish();
                }
                Err(_) => return Progress::Broken,
            }
        }
        let ready = self.output.subscribe();
        Progress::Waits(self, ready)
    }

    fn write_first(&mut self, room: u64) -> Result<u64, StreamError> {
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        let rest = self.first.split_off(room.min(self.first.len()));
        let now = std::mem::replace(&mut self.first, rest);
        self.output.write(&now)?;
        Ok(length(&now))
    }

    fn finish(self) -> Progress {
        let Self {
            input,
            output,
            incoming,
            outgoing,
            ..
        } = self;
        drop((input, output));
        drop(incoming);
        match OutgoingBody::finish(outgoing, None) {
            Ok(()) => Progress::Ended,
            // Its length was not the announced one.
            Err(_) => Progress::Broken,
        }
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
