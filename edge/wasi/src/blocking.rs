//! Waiting in place: this world has no futures of its own.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use wasi::clocks::monotonic_clock::subscribe_duration;
use wasi::http::types::OutgoingBody;
use wasi::io::poll::Pollable;
use wasi::io::streams::StreamError;

/// How long a future that is not ready is left alone.
const PAUSE: Duration = Duration::from_millis(1);

/// Runs a future of the core. What it awaits waits in place, so it is ready at the first poll. One that only makes way
/// for others is polled again after a pause: there is nobody to wake it.
pub(crate) fn wait<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        timer(PAUSE).block();
    }
}

/// Something to poll that is ready after this time.
pub(crate) fn timer(duration: Duration) -> Pollable {
    subscribe_duration(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
}

/// Writes all bytes to a body whose stream nobody has taken yet.
///
/// # Errors
/// When the other side is gone.
pub(crate) fn write(body: &OutgoingBody, mut bytes: &[u8]) -> Result<(), StreamError> {
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
