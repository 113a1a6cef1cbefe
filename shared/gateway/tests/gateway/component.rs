//! The runtime in memory as Spin and `wasi:http` are: instances share a store, nothing runs on a schedule, and no
//! protocol is switched. Without claims it shares as Workers do.

use std::future::Future;
use std::rc::Rc;

use edgekeeper_gateway::Gateway;
use edgekeeper_gateway::runtime::{
    FetchError, Inbound, Outbound, Runtime, SHARED_PREFIX, SharedCache, Unavailable,
};

use crate::memory::{Memory, like_memory};
use crate::policy::Document;

/// The runtime. Clones share one world.
#[derive(Clone)]
pub(crate) struct Component<const CLAIMS: bool = true>(pub(crate) Memory);

impl<const CLAIMS: bool> Runtime for Component<CLAIMS> {
    type Shared = Self;

    const WEBSOCKETS: bool = false;

    const SCHEDULE: bool = false;

    const SETTLE: u64 = 2;

    like_memory!(0);

    fn shared(&self) -> Option<&Self> {
        Some(self)
    }
}

impl<const CLAIMS: bool> SharedCache for Component<CLAIMS> {
    const CLAIMS: bool = CLAIMS;

    const EXPIRES: bool = !CLAIMS;

    async fn get(&self, name: &str) -> Result<Option<String>, Unavailable> {
        Runtime::get(self, name).await
    }

    async fn set(&self, name: &str, value: &str) -> Result<(), Unavailable> {
        self.put(name, value).await
    }

    /// In one step, as a folder can; the store of the keys takes two.
    async fn add(&self, name: &str, value: &str) -> Result<bool, Unavailable> {
        assert!(CLAIMS, "nothing is claimed where no claim counts");
        let found = Runtime::get(self, name).await?;
        let there = self.0.store().contains_key(name);
        if found.is_some() || there {
            return Ok(false);
        }
        self.0.store().insert(name.to_owned(), value.to_owned());
        let written = self.put(name, value).await;
        if written.is_err() {
            self.0.store().remove(name);
        }
        written.map(|()| true)
    }

    async fn delete(&self, name: &str) -> Result<(), Unavailable> {
        self.0.delete(name).await
    }

    async fn names(&self) -> Result<Vec<String>, Unavailable> {
        assert!(CLAIMS, "what expires by itself is not swept");
        let names = self.0.store().keys().cloned().collect::<Vec<_>>();
        Ok(names
            .into_iter()
            .filter(|name| name.starts_with(SHARED_PREFIX))
            .collect())
    }
}

/// A deployment: as many instances as are asked for, in one world.
pub(crate) struct Deployment<const CLAIMS: bool = true> {
    pub(crate) runtime: Component<CLAIMS>,
    document: Box<dyn Fn() -> Document>,
}

impl Deployment {
    pub(crate) fn new(document: impl Fn() -> Document + 'static) -> Self {
        Self::on(document)
    }
}

impl Deployment<false> {
    pub(crate) fn without_claims(document: impl Fn() -> Document + 'static) -> Self {
        Self::on(document)
    }
}

impl<const CLAIMS: bool> Deployment<CLAIMS> {
    fn on(document: impl Fn() -> Document + 'static) -> Self {
        Self {
            runtime: Component(Memory::new()),
            document: Box::new(document),
        }
    }

    /// An instance that remembers nothing.
    pub(crate) fn instance(&self) -> Rc<Gateway> {
        (self.document)().gateway()
    }

    pub(crate) fn world(&self) -> &Memory {
        &self.runtime.0
    }
}
