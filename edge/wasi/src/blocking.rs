//! Waiting in place: this world has no futures of its own.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use edgekeeper_pipe::timer;

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
