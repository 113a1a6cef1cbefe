//! Where an instance runs: the runtime, as Workers, Spin or a folder give it.

use std::future::Future;
use std::marker::PhantomData;
use std::rc::Rc;

use edgekeeper_gateway::runtime::{
    FetchError, Inbound, Outbound, Runtime, SHARED_PREFIX, SharedCache, Unavailable,
};

use crate::invariants::secrets;
use crate::store::Store;
use crate::world::{Owner, World};

/// The secret under which everything is sealed.
pub(crate) const KEYS_SECRET: &str = "sealed-under-SECRET-0123456789abcdef";

/// The secret of whoever may revoke.
pub(crate) const REVOCATION_SECRET: &str = "who-may-revoke-SECRET-0123456789abcdef";

/// What differs between runtimes.
pub(crate) trait Flavour: Clone + 'static {
    /// See [`Runtime::SCHEDULE`].
    const SCHEDULE: bool;
    /// See [`Runtime::SETTLE`].
    const SETTLE: u64;
    /// See [`SharedCache::CLAIMS`].
    const CLAIMS: bool;
    /// Whether the store adds in one step.
    const ONE_STEP: bool;
}

/// Workers: data centres, each with a cache, and a schedule.
#[derive(Clone)]
pub(crate) struct Isolates;

impl Flavour for Isolates {
    const SCHEDULE: bool = true;
    const SETTLE: u64 = 0;
    const CLAIMS: bool = false;
    const ONE_STEP: bool = false;
}

/// Spin: one store, which cannot add in one step.
#[derive(Clone)]
pub(crate) struct Components;

impl Flavour for Components {
    const SCHEDULE: bool = false;
    const SETTLE: u64 = 2;
    const CLAIMS: bool = true;
    const ONE_STEP: bool = false;
}

/// wasmtime: a folder, which can.
#[derive(Clone)]
pub(crate) struct Folder;

impl Flavour for Folder {
    const SCHEDULE: bool = false;
    const SETTLE: u64 = 0;
    const CLAIMS: bool = true;
    const ONE_STEP: bool = true;
}

/// One instance's place in the world.
#[derive(Clone)]
pub(crate) struct Machine<F> {
    pub(crate) world: Rc<World>,
    /// Another one after each restart.
    pub(crate) owner: Owner,
    /// Its data centre.
    pub(crate) place: usize,
    /// What its clock is ahead of the others', in milliseconds.
    pub(crate) ahead: i64,
    pub(crate) flavour: PhantomData<F>,
}

/// A read that took longer is out of date; see Spin's adapter.
const UP_TO_DATE: u64 = 100;

impl<F: Flavour> Machine<F> {
    async fn add_to_store(&self, name: &str, value: &str) -> Result<bool, Unavailable> {
        let (world, store) = (&self.world, &self.world.store);
        if F::ONE_STEP {
            return store.add(world, self.place, name, value).await;
        }
        let mut took = 0;
        for _ in 0..3 {
            let began = world.now();
            if store.get(world, self.place, name).await?.is_some() {
                return Ok(false);
            }
            took = world.now() - began;
            if took < UP_TO_DATE {
                break;
            }
        }
        store.set(world, self.place, name, Some(value)).await?;
        if F::SCHEDULE {
            return Ok(true);
        }
        world.sleep(took).await;
        let found = store.get(world, self.place, name).await?;
        Ok(found.as_deref() == Some(value))
    }
}

impl<F: Flavour> Runtime for Machine<F> {
    type Shared = Self;

    const WEBSOCKETS: bool = true;

    const SCHEDULE: bool = F::SCHEDULE;

    const SETTLE: u64 = F::SETTLE;

    fn now(&self) -> u64 {
        self.world.shown().saturating_add_signed(self.ahead)
    }

    fn random(&self, bytes: &mut [u8]) -> Result<(), Unavailable> {
        for chunk in bytes.chunks_mut(8) {
            let random = self.world.dice.next().to_be_bytes();
            chunk.copy_from_slice(&random[..chunk.len()]);
        }
        secrets::drawn(&self.world, bytes);
        Ok(())
    }

    async fn secret(&self, name: &str) -> Option<String> {
        let secret = match name {
            "KEYS_SECRET" => KEYS_SECRET,
            "REVOCATION_SECRET" => REVOCATION_SECRET,
            _ => return None,
        };
        Some(secret.to_owned())
    }

    async fn fetch(&self, request: Outbound) -> Result<Inbound, FetchError> {
        self.world
            .kratos
            .whoami(&self.world, self.owner, request)
            .await
    }

    async fn get(&self, key: &str) -> Result<Option<String>, Unavailable> {
        self.world.store.get(&self.world, self.place, key).await
    }

    async fn put(&self, key: &str, value: &str) -> Result<(), Unavailable> {
        let store = &self.world.store;
        store.set(&self.world, self.place, key, Some(value)).await
    }

    async fn add(&self, key: &str, value: &str) -> Result<bool, Unavailable> {
        self.add_to_store(key, value).await
    }

    async fn delete(&self, key: &str) -> Result<(), Unavailable> {
        let store = &self.world.store;
        store.set(&self.world, self.place, key, None).await
    }

    async fn names(&self, prefix: &str) -> Result<Vec<String>, Unavailable> {
        let store = &self.world.store;
        store.names(&self.world, self.place, prefix).await
    }

    fn shared(&self) -> Option<&Self> {
        Some(self)
    }

    fn sleep(&self, milliseconds: u64) -> impl Future<Output = ()> {
        self.world.sleep(milliseconds)
    }

    fn later(&self, task: impl Future<Output = ()> + 'static) {
        self.world.spawn(self.owner, task);
    }

    fn log(&self, line: &str) {
        secrets::logged(&self.world, line);
    }
}

impl<F: Flavour> Machine<F> {
    /// Where the second tier is: in the store, or in the cache of the data centre.
    fn tier(&self) -> &Store {
        if F::CLAIMS {
            &self.world.store
        } else {
            &self.world.caches[self.place]
        }
    }
}

impl<F: Flavour> SharedCache for Machine<F> {
    const CLAIMS: bool = F::CLAIMS;

    async fn get(&self, name: &str) -> Result<Option<String>, Unavailable> {
        self.tier().get(&self.world, self.place, name).await
    }

    async fn set(&self, name: &str, value: &str) -> Result<(), Unavailable> {
        let value = Some(value);
        self.tier().set(&self.world, self.place, name, value).await
    }

    async fn add(&self, name: &str, value: &str) -> Result<bool, Unavailable> {
        self.add_to_store(name, value).await
    }

    async fn delete(&self, name: &str) -> Result<(), Unavailable> {
        self.tier().set(&self.world, self.place, name, None).await
    }

    async fn names(&self) -> Result<Vec<String>, Unavailable> {
        if !F::CLAIMS {
            return Ok(Vec::new());
        }
        Runtime::names(self, SHARED_PREFIX).await
    }
}
