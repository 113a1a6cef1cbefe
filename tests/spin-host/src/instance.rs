//! Instances of a component: what each of them has, and how long it lives.
//!
//! As in Spin, one instance answers several requests, some of them at the same time, and is
//! dropped when it was idle for a while.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::time::Sleep;
use wasmtime::component::{GuestTaskId, HasData, Linker, ResourceTable};
use wasmtime::{
    Cache, CacheConfig, Config, Engine, Store, StoreContextMut, StoreLimits, StoreLimitsBuilder,
};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::handler::{
    HandlerState, Instance, Proxy, ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus,
};
use wasmtime_wasi_http::p3::bindings::{ServicePre, http as wasi_http};
use wasmtime_wasi_http::{WasiHttp, WasiHttpCtx, WasiHttpCtxView};

use crate::allowed_hosts::AllowedHosts;
use crate::bindings;
use crate::key_value;
use crate::outbound::{Forbidden, Outbound};
use crate::variables::Values;

/// A component with everything the manifest and the deployment decide about it.
#[derive(Debug)]
pub struct Component {
    /// Its id in the manifest.
    pub id: String,
    /// The variables it sees.
    pub variables: Values,
    /// Its environment.
    pub environment: Vec<(String, String)>,
    /// Where it may send requests.
    pub allowed_hosts: AllowedHosts,
    /// The labels of the stores it may open.
    pub key_value_stores: BTreeSet<String>,
    /// The stores of the deployment.
    pub stores: Arc<BTreeMap<String, Arc<key_value::Store>>>,
    /// The folder it sees as `/`.
    pub files: Option<PathBuf>,
    /// Where the application listens, once it does.
    pub address: Arc<OnceLock<SocketAddr>>,
    /// What decides the lives of its instances.
    pub lifetime: Lifetime,
}

/// How instances live.
#[derive(Clone, Debug)]
pub struct Lifetime {
    /// Requests an instance answers in all.
    pub requests: usize,
    /// Requests it answers at the same time.
    pub concurrent: usize,
    /// How long an idle one is kept.
    pub idle: Duration,
    /// How long a request may take until the answer's headers.
    pub request: Option<Duration>,
    /// The most memory, in bytes.
    pub memory: usize,
    /// Whether what it prints is dropped.
    pub quiet: bool,
    /// What it sees of the headers it receives.
    pub received: Forbidden,
}

/// The state of one instance on the host's side.
pub struct State {
    table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    received: Outbound,
    made: Outbound,
    limits: StoreLimits,
    open_stores: usize,
    component: Arc<Component>,
}

/// Names the part of the state that Spin's own interfaces work on.
pub struct Guest;

/// The part of the state that Spin's own interfaces work on.
pub struct GuestView<'a> {
    /// Resources that the component holds.
    pub table: &'a mut ResourceTable,
    /// How many of them are stores.
    pub open_stores: &'a mut usize,
    /// The component.
    pub component: &'a Arc<Component>,
}

impl HasData for Guest {
    type Data<'a> = GuestView<'a>;
}

impl State {
    fn new(component: &Arc<Component>) -> wasmtime::Result<Self> {
        let mut wasi = WasiCtxBuilder::new();
        wasi.envs(&component.environment);
        if !component.lifetime.quiet {
            // Spin writes both to its own stderr.
            wasi.stdout(std::io::stderr()).stderr(std::io::stderr());
        }
        if let Some(folder) = &component.files {
            wasi.preopened_dir(folder, "/", FsPerms::ReadOnly)?;
        }
        Ok(Self {
            table: ResourceTable::new(),
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            received: Outbound::new(Arc::clone(component), component.lifetime.received),
            made: Outbound::new(Arc::clone(component), Forbidden::Listed),
            limits: StoreLimitsBuilder::new()
                .memory_size(component.lifetime.memory)
                .build(),
            open_stores: 0,
            component: Arc::clone(component),
        })
    }

    /// For messages that the component receives, and the requests it sends.
    fn received(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            ctx: &mut self.http,
            table: &mut self.table,
            hooks: &mut self.received,
        }
    }

    /// For headers that the component makes.
    fn made(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            ctx: &mut self.http,
            table: &mut self.table,
            hooks: &mut self.made,
        }
    }

    fn guest(&mut self) -> GuestView<'_> {
        GuestView {
            table: &mut self.table,
            open_stores: &mut self.open_stores,
            component: &self.component,
        }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

/// The engine that compiles and runs components. With a folder, what it compiled is kept there.
///
/// # Errors
/// The folder cannot be used.
pub fn engine(cache: Option<&Path>) -> Result<Engine> {
    let mut config = Config::new();
    config.wasm_component_model_async(true);
    if let Some(folder) = cache {
        let mut settings = CacheConfig::new();
        settings.with_directory(folder);
        config.cache(Some(Cache::new(settings)?));
    }
    Ok(Engine::new(&config)?)
}

/// Makes the instances of one component.
pub struct Factory {
    service: ServicePre<State>,
    component: Arc<Component>,
    traps: Arc<AtomicU64>,
}

impl Factory {
    /// Compiles the component in `file`, or takes it from the cache.
    ///
    /// # Errors
    /// It is no component, or imports what this host does not offer.
    pub fn new(
        engine: &Engine,
        file: &Path,
        component: Component,
        traps: &Arc<AtomicU64>,
    ) -> Result<Self> {
        let compiled = wasmtime::component::Component::from_file(engine, file)?;
        let mut linker = Linker::new(engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        wasmtime_wasi::p3::add_to_linker(&mut linker)?;
        wasi_http::client::add_to_linker::<State, WasiHttp>(&mut linker, State::received)?;
        wasi_http::types::add_to_linker::<State, WasiHttp>(&mut linker, State::made)?;
        bindings::key_value::add_to_linker::<State, Guest>(&mut linker, State::guest)?;
        bindings::variables::add_to_linker::<State, Guest>(&mut linker, State::guest)?;
        Ok(Self {
            service: ServicePre::new(linker.instantiate_pre(&compiled)?)?,
            component: Arc::new(component),
            traps: Arc::clone(traps),
        })
    }

    /// The component's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.component.id
    }
}

impl HandlerState for Factory {
    type StoreData = State;
    type WorkerExpiration = Expiration;
    type WorkerState = Worker;

    async fn instantiate(&self) -> wasmtime::Result<Instance<State, Expiration, Worker>> {
        let mut store = Store::new(self.service.engine(), State::new(&self.component)?);
        store.limiter(|state| &mut state.limits);
        let service = self.service.instantiate_async(&mut store).await?;
        let lifetime = &self.component.lifetime;
        Ok(Instance {
            store,
            proxy: Proxy::P3(service),
            view: State::received,
            expiration: Expiration {
                idle: lifetime.idle,
                request: lifetime.request,
                sleep: Box::pin(tokio::time::sleep(lifetime.idle)),
            },
            state: Worker {
                component: Arc::clone(&self.component),
                traps: Arc::clone(&self.traps),
            },
        })
    }
}

/// When an instance is dropped though it could go on.
pub struct Expiration {
    idle: Duration,
    request: Option<Duration>,
    sleep: Pin<Box<Sleep>>,
}

impl WorkerExpiration for Expiration {
    fn poll(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        status: WorkerStatus,
        start: Instant,
    ) -> Poll<()> {
        let limit = match status {
            WorkerStatus::Idle => Some(self.idle),
            WorkerStatus::Requests | WorkerStatus::PostReturn => self.request,
        };
        let Some(deadline) = limit.and_then(|limit| start.checked_add(limit)) else {
            return Poll::Pending;
        };
        if self.sleep.deadline() != deadline.into() {
            self.sleep.as_mut().reset(deadline.into());
        }
        self.sleep.as_mut().poll(context)
    }
}

/// One instance at work.
pub struct Worker {
    component: Arc<Component>,
    traps: Arc<AtomicU64>,
}

impl WorkerState for Worker {
    type StoreData = State;
    type RequestData = ();

    fn should_accept_request(&self, concurrent: usize, total: usize) -> ShouldAccept {
        if total >= self.component.lifetime.requests {
            ShouldAccept::Never
        } else if concurrent >= self.component.lifetime.concurrent {
            ShouldAccept::No
        } else {
            ShouldAccept::Yes
        }
    }

    fn on_request_start(
        &self,
        _: StoreContextMut<'_, State>,
        (): (),
        _: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + 'static + Send + Sync>> {
        match self.component.lifetime.request {
            Some(limit) => Box::pin(tokio::time::sleep(limit)),
            None => Box::pin(std::future::pending()),
        }
    }

    fn drop(&self, store: Store<State>, result: wasmtime::Result<()>) {
        if let Err(error) = result {
            let count = self.traps.fetch_add(1, Ordering::Relaxed).saturating_add(1);
            eprintln!(
                "trap: number {count}, component {:?}: {}",
                self.component.id,
                error.root_cause()
            );
            eprintln!("{error:?}");
        }
        drop(store);
    }
}
