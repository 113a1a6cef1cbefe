//! Waiting in place: this world has no futures of its own.

use std::time::Duration;

use wasi::clocks::monotonic_clock::subscribe_duration;
use wasi::http::types::OutgoingBody;
use wasi::io::poll::{Pollable, poll};
use wasi::io::streams::StreamError;

/// Something to poll that is ready after this time.
#[must_use]
pub fn timer(duration: Duration) -> Pollable {
    subscribe_duration(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
}

/// Writes all bytes to a body whose stream nobody has taken yet.
///
/// # Errors
/// When the other side is gone.
pub fn write(body: &OutgoingBody, mut bytes: &[u8]) -> Result<(), StreamError> {
    let stream = body.write().map_err(|()| StreamError::Closed)?;
    while !bytes.is_empty() {
        let room = usize::try_from(stream.check_write()?).unwrap_or(usize::MAX);
        if room == 0 {
            stream.subscribe().block();
            continue;
        }
        let (now, rest) = bytes.split_at(room.min(bytes.len()));
        stream.write(now)?;
        bytes = rest;
    }
    Ok(())
}

/// Waits until one of these is ready, if there is any.
pub(crate) fn any<const N: usize>(pollables: [Option<&Pollable>; N]) {
    let pollables: Vec<&Pollable> = pollables.into_iter().flatten().collect();
    if !pollables.is_empty() {
        poll(&pollables);
    }
}
