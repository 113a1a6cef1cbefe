//! The runtime in memory as one that can be told why a request is decided as it is.

use edgekeeper_gateway::explanation::Steps;
use edgekeeper_gateway::runtime::{FetchError, Inbound, Outbound, Runtime, Unavailable, Unshared};

use crate::memory::Memory;

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

    fn shared(&self) -> Option<&Unshared> {
        None
    }

    fn now(&self) -> u64 {
        self.memory.now()
    }

    fn random(&self, bytes: &mut [u8]) -> Result<(), Unavailable> {
        self.memory.random(bytes)
    }

    async fn secret(&self, name: &str) -> Option<String> {
        self.memory.secret(name).await
    }

    async fn fetch(&self, request: Outbound) -> Result<Inbound, FetchError> {
        self.memory.fetch(request).await
    }

    async fn get(&self, key: &str) -> Result<Option<String>, Unavailable> {
        self.memory.get(key).await
    }

    async fn put(&self, key: &str, value: &str) -> Result<(), Unavailable> {
        self.memory.put(key, value).await
    }

    async fn delete(&self, key: &str) -> Result<(), Unavailable> {
        self.memory.delete(key).await
    }

    async fn names(&self, prefix: &str) -> Result<Vec<String>, Unavailable> {
        self.memory.names(prefix).await
    }

    async fn sleep(&self, milliseconds: u64) {
        self.memory.sleep(milliseconds).await;
    }

    fn later(&self, task: impl Future<Output = ()> + 'static) {
        self.memory.later(task);
    }

    fn log(&self, line: &str) {
        self.memory.log(line);
    }

    fn steps(&self) -> Option<&Steps> {
        Some(&self.steps)
    }
}
