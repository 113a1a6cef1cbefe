//! Work that is held to a time.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use crate::runtime::Runtime;

/// The outcome of work, unless it takes longer than so many milliseconds. What is still under way then is dropped.
pub(crate) async fn within<R: Runtime, T>(
    runtime: &R,
    patience: u64,
    work: impl Future<Output = T>,
) -> Option<T> {
    let mut work = pin!(work);
    // Not started before the work has made somebody wait.
    let mut timer = pin!(async { runtime.sleep(patience).await });
    poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Pending => timer.as_mut().poll(context).map(|()| None),
        Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
    })
    .await
}
