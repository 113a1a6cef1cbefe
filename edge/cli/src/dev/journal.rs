//! The last decisions, for every page that is open.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// No more decisions are kept. The page keeps as many.
pub(super) const MOST: usize = 1_000;

/// No more bytes are kept, however few decisions that is.
const MOST_BYTES: usize = 16 << 20;

/// Keeps the last decisions and wakes who waits for the next. However slow a reader is, nothing is kept for it.
#[derive(Debug)]
pub(super) struct Journal {
    /// Tells this run of the command from the one before, whose numbers say nothing here.
    pub(super) run: String,
    inner: Mutex<Inner>,
    more: Condvar,
}

#[derive(Debug, Default)]
struct Inner {
    kept: VecDeque<Arc<str>>,
    bytes: usize,
    /// How many there ever were, which is the number of the last.
    count: u64,
}

/// What came after a place.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct News {
    /// How many had come and are gone.
    pub(super) missed: u64,
    /// The number of the first event.
    pub(super) first: u64,
    pub(super) events: Vec<Arc<str>>,
}

impl Journal {
    pub(super) fn new(run: String) -> Self {
        Self {
            run,
            inner: Mutex::default(),
            more: Condvar::new(),
        }
    }

    /// Adds a decision.
    pub(super) fn push(&self, event: String) {
        let mut inner = self.lock();
        inner.count = inner.count.saturating_add(1);
        inner.bytes = inner.bytes.saturating_add(event.len());
        inner.kept.push_back(event.into());
        while inner.kept.len() > MOST || inner.bytes > MOST_BYTES {
            let Some(gone) = inner.kept.pop_front() else {
                break;
            };
            inner.bytes = inner.bytes.saturating_sub(gone.len());
        }
        drop(inner);
        self.more.notify_all();
    }

    /// What came after number `seen`; with nothing new it waits, and after `patience` gives nothing.
    pub(super) fn after(&self, seen: u64, patience: Duration) -> News {
        let inner = self.lock();
        let waited = self
            .more
            .wait_timeout_while(inner, patience, |inner| inner.count <= seen);
        let (inner, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let held = u64::try_from(inner.kept.len()).unwrap_or(u64::MAX);
        let gone = inner.count.saturating_sub(held);
        let skip = usize::try_from(seen.saturating_sub(gone)).unwrap_or(usize::MAX);
        News {
            missed: gone.saturating_sub(seen),
            first: seen.max(gone).saturating_add(1),
            events: inner.kept.iter().skip(skip).cloned().collect(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn news(journal: &Journal, seen: u64) -> (u64, u64, usize) {
        let news = journal.after(seen, Duration::ZERO);
        (news.missed, news.first, news.events.len())
    }

    #[test]
    fn a_reader_gets_what_it_has_not_seen_and_is_told_what_is_gone() {
        let journal = Journal::new(String::new());
        assert_eq!(news(&journal, 0), (0, 1, 0));
        for number in 1..=1_200 {
            journal.push(number.to_string());
        }
        assert_eq!(news(&journal, 0), (200, 201, 1_000));
        assert_eq!(news(&journal, 150), (50, 201, 1_000));
        assert_eq!(news(&journal, 1_199), (0, 1_200, 1));
        assert_eq!(&*journal.after(1_199, Duration::ZERO).events[0], "1200");
        assert_eq!(news(&journal, 1_200), (0, 1_201, 0));
    }

    #[test]
    fn large_decisions_do_not_take_more_than_their_share() {
        let journal = Journal::new(String::new());
        for _ in 0..40 {
            journal.push("x".repeat(1 << 20));
        }
        assert_eq!(news(&journal, 0), (24, 25, 16));
        assert_eq!(journal.lock().bytes, MOST_BYTES);
    }
}
