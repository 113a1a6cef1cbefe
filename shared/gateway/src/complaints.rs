//! How often the log says that something still fails: not for every request.

use std::cell::Cell;

/// How much later it is said again, in milliseconds.
const EVERY: u64 = 60_000;

/// When something was last complained about.
#[derive(Debug, Default)]
pub(crate) struct Complaints(Cell<Option<u64>>);

impl Complaints {
    /// Whether to complain at an instant (Unix milliseconds). If so, that was the last time.
    pub(crate) fn are_due(&self, now: u64) -> bool {
        let last = self.0.get();
        let due = last.is_none_or(|at| now.abs_diff(at) >= EVERY);
        if due {
            self.0.set(Some(now));
        }
        due
    }

    /// It works again: the next failure is news.
    pub(crate) fn end(&self) {
        self.0.set(None);
    }
}
