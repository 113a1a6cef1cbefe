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
    source: Source,
    output: OutputStream,
    outgoing: OutgoingBody,
}

/// A body that has not been given somewhere to go.
pub struct Source {
    /// Where more comes from; `None` for a body that is held in memory.
    input: Option<(InputStream, IncomingBody)>,
    /// What goes first: the whole of a body in memory, or what was read to find out whether there is a body at all.
    first: Vec<u8>,
    /// How many bytes of that have gone.
    gone: usize,
    /// Bytes that may still come, where the headers announce how many.
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

/// Why nothing more moves.
enum Stop {
    End,
    Broken,
}

impl From<StreamError> for Stop {
    fn from(error: StreamError) -> Self {
        match error {
            StreamError::Closed => Self::End,
            StreamError::LastOperationFailed(_) => Self::Broken,
        }
    }
}

impl Source {
    /// A body that comes in; `None` when it is known to be empty. The host does not say otherwise which messages have one.
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
                input: Some((input, incoming)),
                first,
                gone: 0,
                left,
            })),
        }
    }

    /// A body that is held in memory; `None` when it is empty.
    #[must_use]
    pub fn held(body: Vec<u8>) -> Option<Self> {
        (!body.is_empty()).then_some(Self {
            input: None,
            first: body,
            gone: 0,
            left: None,
        })
    }

    /// Gives it somewhere to go; `None` when somebody else writes there.
    #[must_use]
    pub fn into(self, outgoing: OutgoingBody) -> Option<Pipe> {
        Some(Pipe {
            source: self,
            output: outgoing.write().ok()?,
            outgoing,
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
            match self.advance(room) {
                Ok(None) => {}
                Ok(Some(ready)) => return Progress::Waits(self, ready),
                Err(Stop::End) if self.output.check_write().is_ok() => return self.finish(),
                Err(_) => return Progress::Broken,
            }
        }
        let ready = self.output.subscribe();
        Progress::Waits(self, ready)
    }

    /// Moves what there is room for; with nothing to move, what there is to wait for.
    fn advance(&mut self, room: u64) -> Result<Option<Pollable>, Stop> {
        let Source {
            input,
            first,
            gone,
            left,
        } = &mut self.source;
        let moved = if first.is_empty() {
            let (input, _) = input.as_ref().ok_or(Stop::End)?;
            let moved = match *left {
                Some(0) if input.read(1)?.is_empty() => 0,
                Some(0) => return Err(Stop::Broken),
                left => {
                    let most = room.min(CHUNK).min(left.unwrap_or(CHUNK));
                    self.output.splice(input, most)?
                }
            };
            if moved == 0 {
                return Ok(Some(input.subscribe()));
            }
            moved
        } else {
            let room = usize::try_from(room).unwrap_or(usize::MAX);
            let now = first.get(*gone..).unwrap_or_default();
            let now = now.get(..room).unwrap_or(now);
            self.output.write(now)?;
            let moved = length(now);
            *gone = gone.saturating_add(now.len());
            if *gone >= first.len() {
                *first = Vec::new();
            }
            moved
        };
        *left = left.map(|left| left.saturating_sub(moved));
        Ok(None)
    }

    fn finish(self) -> Progress {
        let Self {
            source,
            output,
            outgoing,
        } = self;
        drop(output);
        drop(source);
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
