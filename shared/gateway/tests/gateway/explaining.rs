//! The runtime in memory as one that can be told why a request is decided as it is.

use edgekeeper_gateway::explanation::Steps;
use edgekeeper_gateway::runtime::{FetchError, Inbound, Outbound, Runtime, Unavailable, Unshared};

use crate::memory::{Memory, like_memory};

/// The runtime in memory, and one request's steps.
#[derive(Clone)]
pub(crate) struct Explaining {
    pub(crate) memory: Memory,
    pub(crate) steps: Steps,
}

impl Explaining {
    /// Whose steps nobody wants yet.
    pub(crate) fn new(memory: Memory) -> Self {
        let steps = Steps::default();
        Self { memory, steps }
    }

    /// Whose steps are wanted from the start.
    pub(crate) fn wanted(memory: Memory) -> Self {
        let explaining = Self::new(memory);
        explaining.steps.want();
        explaining
    }
}

impl Runtime for Explaining {
    type Shared = Unshared;

    const WEBSOCKETS: bool = true;

    const SCHEDULE: bool = true;

    const SETTLE: u64 = 0;

    const EXPLAINS: bool = true;

    like_memory!(memory);

    fn shared(&self) -> Option<&Unshared> {
        None
    }

    fn steps(&self) -> Option<&Steps> {
        Some(&self.steps)
    }
}
