//! What an instance reads in the store now and then for all its requests: who reads it, when it came, and when it last failed.
//!
//! One request reads at a time, and the others go by what it finds. A store that failed is left alone for a moment.

use std::cell::Cell;
use std::future::Future;
use std::rc::Rc;

use crate::runtime::Runtime;

/// How long one reading may take, in milliseconds.
pub(crate) const PATIENCE: u64 = 2_000;

/// How long a request that waits for another's reading sleeps before it looks again, in milliseconds.
pub(crate) const LOOK_AGAIN: u64 = 5;

/// How long a store that failed is left alone, in milliseconds.
const TRY_AGAIN: u64 = 1_000;

/// When something was read. All times are in Unix milliseconds.
#[derive(Debug, Default)]
pub(crate) struct News {
    /// When that was asked for which came last.
    latest: Cell<Option<u64>>,
    /// When a reading last failed, unless one has come since.
    failed: Cell<Option<u64>>,
    /// Since when somebody reads. A request that is cut off may never say that it is done.
    reading: Cell<Option<u64>>,
    /// Since when it is to be read behind a response.
    planned: Cell<Option<u64>>,
}

/// When something last came, and when it last failed: another outcome than before is another request's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outcome {
    latest: Option<u64>,
    failed: Option<u64>,
}

impl News {
    /// When that was asked for which came last.
    pub(crate) fn latest(&self) -> Option<u64> {
        self.latest.get()
    }

    /// When reading failed, unless it has gone well since.
    pub(crate) fn failed(&self) -> Option<u64> {
        self.failed.get()
    }

    /// How the last reading ended.
    pub(crate) fn outcome(&self) -> Outcome {
        Outcome {
            latest: self.latest.get(),
            failed: self.failed.get(),
        }
    }

    /// What was asked for at an instant has come.
    pub(crate) fn came(&self, asked: u64) {
        self.latest.set(Some(asked));
        self.failed.set(None);
    }

    /// It did not come.
    pub(crate) fn fail(&self, now: u64) {
        self.failed.set(Some(now));
    }

    fn has_just_failed(&self, now: u64) -> bool {
        self.failed
            .get()
            .is_some_and(|at| now.abs_diff(at) < TRY_AGAIN)
    }

    /// The right to read; `None` while somebody else reads, or when it has just failed.
    pub(crate) fn begin(self: &Rc<Self>, now: u64) -> Option<Reading> {
        let is_taken = self
            .reading
            .get()
            .is_some_and(|since| now.abs_diff(since) <= PATIENCE);
        (!is_taken && !self.has_just_failed(now)).then(|| self.begin_at_once(now))
    }

    /// The right to read, whoever else does.
    pub(crate) fn begin_at_once(self: &Rc<Self>, now: u64) -> Reading {
        self.reading.set(Some(now));
        Reading {
            news: Rc::clone(self),
            since: now,
        }
    }

    /// Has it read behind the response, unless that is planned already or it has just failed. Whoever needs it before does not
    /// wait for this: the response may take long.
    pub(crate) fn read_later<R: Runtime, F: Future<Output = ()>>(
        self: &Rc<Self>,
        runtime: &R,
        now: u64,
        read: impl FnOnce(R, Reading) -> F + 'static,
    ) {
        let is_planned = self
            .planned
            .get()
            .is_some_and(|since| now.abs_diff(since) <= PATIENCE);
        if is_planned || self.has_just_failed(now) {
            return;
        }
        self.planned.set(Some(now));
        let before = self.outcome();
        let (news, own) = (Rc::clone(self), runtime.clone());
        runtime.later(async move {
            news.planned.set(None);
            if news.outcome() != before {
                return;
            }
            if let Some(reading) = news.begin(own.now()) {
                read(own, reading).await;
            }
        });
    }
}

/// That somebody reads; given back when it is dropped, also when the request is cut off.
#[derive(Debug)]
pub(crate) struct Reading {
    news: Rc<News>,
    since: u64,
}

impl Drop for Reading {
    fn drop(&mut self) {
        if self.news.reading.get() == Some(self.since) {
            self.news.reading.set(None);
        }
    }
}
