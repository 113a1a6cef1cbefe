//! The store of the second tier, each use held to a time.
//!
//! It spares Kratos a question. A store that hangs would cost more than that question, so a request goes on without it.

use std::future::Future;

use crate::patience::within;
use crate::runtime::{Runtime, SharedCache, Unavailable};

/// How long one use of the store may take, in milliseconds.
const PATIENCE: u64 = 500;

/// How long it may take to write that a session has ended, in milliseconds. It is rare, and more than a question is lost
/// when others do not hear of it.
const PATIENCE_FOR_MARKS: u64 = 2_000;

/// How long it may take to claim a question, in milliseconds: a store without a step for that looks, writes, waits as long again
/// and looks, and whoever gives up asks what another asks already.
const PATIENCE_FOR_CLAIMS: u64 = 2_000;

/// A runtime's [`SharedCache`].
pub(crate) struct Bounded<'a, R: Runtime> {
    runtime: &'a R,
    store: &'a R::Shared,
}

impl<'a, R: Runtime> Bounded<'a, R> {
    /// `None` where instances share nothing.
    pub(crate) fn of(runtime: &'a R) -> Option<Self> {
        let store = runtime.shared()?;
        Some(Self { runtime, store })
    }

    pub(crate) async fn get(&self, name: &str) -> Result<Option<String>, Unavailable> {
        self.within(PATIENCE, self.store.get(name)).await
    }

    pub(crate) async fn set(&self, name: &str, value: &str) -> Result<(), Unavailable> {
        self.within(PATIENCE, self.store.set(name, value)).await
    }

    pub(crate) async fn set_mark(&self, name: &str, value: &str) -> Result<(), Unavailable> {
        self.within(PATIENCE_FOR_MARKS, self.store.set(name, value))
            .await
    }

    pub(crate) async fn add(&self, name: &str, value: &str) -> Result<bool, Unavailable> {
        self.within(PATIENCE_FOR_CLAIMS, self.store.add(name, value))
            .await
    }

    pub(crate) async fn delete(&self, name: &str) -> Result<(), Unavailable> {
        self.within(PATIENCE, self.store.delete(name)).await
    }

    /// What is still under way when the time is up is dropped; the store may do it all the same.
    async fn within<T>(
        &self,
        patience: u64,
        work: impl Future<Output = Result<T, Unavailable>>,
    ) -> Result<T, Unavailable> {
        within(self.runtime, patience, work)
            .await
            .unwrap_or_else(|| Err(too_slow(patience)))
    }
}

fn too_slow(patience: u64) -> Unavailable {
    Unavailable(format!("the store did not answer within {patience} ms"))
}
