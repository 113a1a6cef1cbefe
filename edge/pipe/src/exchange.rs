//! Both bodies of a request, at the same time.

use std::time::Duration;

use wasi::io::poll::Pollable;

use crate::pipe::{Pipe, Progress};
use crate::wait::{any, timer};

/// How often a silent upstream's client is looked after: without something to write, nothing tells that it has gone.
const LOOK_AFTER: Duration = Duration::from_secs(5);

/// A request's body on its way up, while its answer is awaited and then comes down.
#[derive(Default)]
pub struct Exchange {
    upload: Option<Pipe>,
    end: Option<Pollable>,
}

/// The time for an exchange is over.
#[derive(Debug)]
pub struct Late;

impl Exchange {
    /// With the body of a request, if it has one. It takes as long as it takes.
    #[must_use]
    pub fn new(upload: Option<Pipe>) -> Self {
        Self { upload, end: None }
    }

    /// The same with an end to [`Self::until`], from now on.
    #[must_use]
    pub fn within(self, time: Duration) -> Self {
        Self {
            end: Some(timer(time)),
            ..self
        }
    }

    /// Sends the body until `answer` says something, which may be before the body's end. `ready` gives what to wait for.
    ///
    /// # Errors
    /// When it has not said anything within the time.
    pub fn until<T>(
        &mut self,
        mut answer: impl FnMut() -> Option<T>,
        ready: impl Fn() -> Pollable,
    ) -> Result<T, Late> {
        loop {
            // Asked for by itself: what comes without a pause never lets the end be the only one that is ready.
            if self.end.as_ref().is_some_and(Pollable::ready) {
                return Err(Late);
            }
            if let Some(answer) = answer() {
                return Ok(answer);
            }
            let head = ready();
            let body = self.step();
            any([Some(&head), body.as_ref(), self.end.as_ref()]);
        }
    }

    /// Moves both bodies until the answer's is through; what the upstream did not want of the request's is then left.
    pub fn run(mut self, mut download: Option<Pipe>) {
        while let Some(pipe) = download.take() {
            let answer = match pipe.step() {
                // Dropped before its end: the client sees that it broke off, and the upstream that nobody reads.
                Progress::Ended | Progress::Broken => return,
                Progress::Waits(pipe, ready) => {
                    download = Some(pipe);
                    ready
                }
            };
            let body = self.step();
            any([Some(&answer), body.as_ref(), Some(&timer(LOOK_AFTER))]);
        }
    }

    /// A step of a body that nobody waits for. When it breaks, whoever reads it answers for that.
    fn step(&mut self) -> Option<Pollable> {
        match self.upload.take().map(Pipe::step) {
            Some(Progress::Waits(pipe, ready)) => {
                self.upload = Some(pipe);
                Some(ready)
            }
            Some(Progress::Ended | Progress::Broken) | None => None,
        }
    }
}
