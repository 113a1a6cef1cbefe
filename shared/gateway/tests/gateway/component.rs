//! The runtime in memory as Spin and `wasi:http` are: instances share a store, nothing runs on a schedule, and no
//! protocol is switched. Without claims it shares as Workers do.

use std::future::Future;
use std::rc::Rc;

use edgekeeper_gateway::Gateway;
use edgekeeper_gateway::runtime::{
    FetchError, Inbound, Outbound, Runtime, SHARED_PREFIX, SharedCache, Unavailable,
};

use crate::memory::Memory;
use crate::policy::Document;

/// The runtime. Clones share one world.
#[derive(Clone)]
pub(crate) struct Component<const CLAIMS: bool = true>(pub(crate) Memory);

impl<const CLAIMS: bool> Runtime for Component<CLAIMS> {
    type Shared = Self;

    const WEBSOCKETS: bool = false;

    const SCHEDULE: bool = false;

    const SETTLE: u64 = 2;

    fn now(&self) -> u64 {
        self.0.now()
    }

    fn random(&self, bytes: &mut [u8]) -> Result<(), Unavailable> {
        self.0.random(bytes)
    }

    async fn secret(&self, name: &str) -> Option<String> {
        self.0.secret(name).await
    }

    async fn fetch(&self, request: Outbound) -> Result<Inbound, FetchError> {
        self.0.fetch(request).await
    }

    async fn get(&self, key: &str) -> Result<Option<String>, Unavailable> {
        Runtime::get(&self.0, key).await
    }

    async fn put(&self, key: &str, value: &str) -> Result<(), Unavailable> {
        self.0.put(key, value).await
    }

    async fn delete(&self, key: &str) -> Result<(), Unavailable> {
        self.0.delete(key).await
    }

    async fn names(&self, prefix: &str) -> Result<Vec<String>, Unavailable> {
        Runtime::names(&self.0, prefix).await
    }

    fn shared(&self) -> Option<&Self> {
        Some(self)
    }

    fn sleep(&self, milliseconds: u64) -> impl Future<Output = ()> {
        self.0.sleep(milliseconds)
    }

    fn later(&self, task: impl Future<Output = ()> + 'static) {
        self.0.later(task);
    }

    fn log(&self, line: &str) {
        self.0.log(line);
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
