//! A runtime in memory: its clock is set by hand, its Kratos is a script, its timers are steps of a small executor.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use edgekeeper_gateway::explanation::Steps;
use edgekeeper_gateway::runtime::{
    FetchError, Inbound, Outbound, RequestBody, Runtime, Unavailable, Unshared,
};
use http::{HeaderMap, HeaderName, HeaderValue};

/// 2023-11-14T22:13:20Z, in Unix seconds: when every test begins.
pub(crate) const NOW: u64 = 1_700_000_000;

/// A secret under which keys are sealed.
pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// The secret of whoever asks the API.
pub(crate) const API_SECRET: &str = "fedcba9876543210";

/// The secret of whoever revokes.
pub(crate) const REVOCATION_SECRET: &str = "a secret of revocations, 32 bytes";

/// What the operator signs with.
pub(crate) const OPERATOR_SECRET: &str = "an operator secret of 32 bytes, at least";

/// A future of a test.
pub(crate) type Task<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// What Kratos, or whatever stands in its place, does when it is asked.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    outcome: Result<Inbound, FetchError>,
    /// Milliseconds it takes.
    takes: u64,
}

impl Reply {
    pub(crate) fn new(status: u16, body: impl Into<String>) -> Self {
        Self {
            outcome: Ok(Inbound {
                status,
                headers: HeaderMap::new(),
                body: Some(body.into().into_bytes()),
            }),
            takes: 0,
        }
    }

    pub(crate) fn fails(error: FetchError) -> Self {
        Self {
            outcome: Err(error),
            takes: 0,
        }
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(inbound) = &mut self.outcome {
            inbound.headers.insert(
                HeaderName::from_static(name),
                HeaderValue::from_str(value).unwrap(),
            );
        }
        self
    }

    pub(crate) fn takes(self, milliseconds: u64) -> Self {
        Self {
            takes: milliseconds,
            ..self
        }
    }
}

#[derive(Default)]
struct World {
    now: Cell<u64>,
    timers: RefCell<BTreeSet<u64>>,
    random: Cell<u64>,
    no_random: Cell<bool>,
    secret: RefCell<Option<String>>,
    /// A part of the URL, a part of a credential header, and the reply; the latest that fits is given.
    script: RefCell<Vec<(String, String, Reply)>>,
    /// Replies that are given before the script is looked at, in order.
    next: RefCell<VecDeque<Reply>>,
    asked: RefCell<Vec<Outbound>>,
    store: RefCell<BTreeMap<String, String>>,
    store_fails: Cell<bool>,
    store_is_full: Cell<bool>,
    lists_fail: Cell<bool>,
    /// Milliseconds that each use of the store takes.
    store_takes: Cell<u64>,
    reads: Cell<usize>,
    lists: Cell<usize>,
    writes: Cell<usize>,
    later: RefCell<VecDeque<Task<'static, ()>>>,
    log: RefCell<Vec<String>>,
    steps: Steps,
    /// The setting `EXPLAIN`, and how often it was read.
    explain: RefCell<String>,
    settings_read: Cell<usize>,
}

/// The runtime. Clones share one world.
#[derive(Clone)]
pub(crate) struct Memory(Rc<World>);

impl Memory {
    pub(crate) fn new() -> Self {
        let world = World::default();
        world.now.set(NOW * 1_000);
        world.store_takes.set(1);
        *world.secret.borrow_mut() = Some(SECRET.to_owned());
        Self(Rc::new(world))
    }

    /// Sets the clock back, as its keeper may.
    pub(crate) fn set_back_seconds(&self, seconds: u64) {
        self.0.now.set(self.0.now.get() - seconds * 1_000);
        self.0.timers.borrow_mut().clear();
    }

    /// Moves the clock forward.
    pub(crate) fn pass_seconds(&self, seconds: u64) {
        self.0.now.set(self.0.now.get() + seconds * 1_000);
    }

    /// Moves the clock forward by a little.
    pub(crate) fn pass_milliseconds(&self, milliseconds: u64) {
        self.0.now.set(self.0.now.get() + milliseconds);
    }

    /// What is said when a URL and a credential that contain these are asked about.
    pub(crate) fn script(&self, url: &str, credential: &str, reply: Reply) {
        self.0
            .script
            .borrow_mut()
            .push((url.to_owned(), credential.to_owned(), reply));
    }

    /// What is said next, whatever is asked, before [`Self::script`] is looked at.
    pub(crate) fn next(&self, replies: impl IntoIterator<Item = Reply>) {
        self.0.next.borrow_mut().extend(replies);
    }

    /// Everything that was asked of the network, in order.
    pub(crate) fn asked(&self) -> Vec<Outbound> {
        self.0.asked.borrow().clone()
    }

    /// How often something was asked of the network.
    pub(crate) fn questions(&self) -> usize {
        self.0.asked.borrow().len()
    }

    pub(crate) fn reads(&self) -> usize {
        self.0.reads.get()
    }

    pub(crate) fn writes(&self) -> usize {
        self.0.writes.get()
    }

    pub(crate) fn set_secret(&self, secret: Option<&str>) {
        *self.0.secret.borrow_mut() = secret.map(str::to_owned);
    }

    pub(crate) fn set_explain(&self, value: &str) {
        *self.0.explain.borrow_mut() = value.to_owned();
    }

    /// How often the setting `EXPLAIN` was read.
    pub(crate) fn settings_read(&self) -> usize {
        self.0.settings_read.get()
    }

    pub(crate) fn set_random_fails(&self, fails: bool) {
        self.0.no_random.set(fails);
    }

    pub(crate) fn set_store_fails(&self, fails: bool) {
        self.0.store_fails.set(fails);
    }

    pub(crate) fn set_store_takes(&self, milliseconds: u64) {
        self.0.store_takes.set(milliseconds);
    }

    pub(crate) fn set_store_is_full(&self, full: bool) {
        self.0.store_is_full.set(full);
    }

    pub(crate) fn set_lists_fail(&self, fails: bool) {
        self.0.lists_fail.set(fails);
    }

    /// How often the store was asked which names there are.
    pub(crate) fn lists(&self) -> usize {
        self.0.lists.get()
    }

    pub(crate) fn store(&self) -> std::cell::RefMut<'_, BTreeMap<String, String>> {
        self.0.store.borrow_mut()
    }

    /// The lines written since the last look.
    pub(crate) fn take_log(&self) -> Vec<String> {
        std::mem::take(&mut self.0.log.borrow_mut())
    }

    /// How much work waits until after the response.
    pub(crate) fn waiting(&self) -> usize {
        self.0.later.borrow().len()
    }

    /// Does the work that waits until after the response.
    pub(crate) fn run_later(&self) {
        let tasks: Vec<_> = self.0.later.borrow_mut().drain(..).collect();
        self.run_all(tasks);
    }

    /// Runs one future to its end.
    pub(crate) fn run<T>(&self, future: impl Future<Output = T>) -> T {
        self.run_all(vec![Box::pin(future)]).remove(0)
    }

    /// Runs futures side by side, one step of each in turn. The clock moves only when all wait for a timer.
    pub(crate) fn run_all<T>(&self, futures: Vec<Task<'_, T>>) -> Vec<T> {
        let mut running: Vec<(Option<Task<'_, T>>, Option<T>)> = futures
            .into_iter()
            .map(|future| (Some(future), None))
            .collect();
        loop {
            let mut finished_one = false;
            for (future, result) in &mut running {
                let Some(waiting) = future else { continue };
                if let Poll::Ready(value) = step(waiting) {
                    *result = Some(value);
                    *future = None;
                    finished_one = true;
                }
            }
            if running.iter().all(|(future, _)| future.is_none()) {
                return running
                    .into_iter()
                    .filter_map(|(_, result)| result)
                    .collect();
            }
            if !finished_one {
                self.next_timer();
            }
        }
    }

    fn next_timer(&self) {
        let next = self.0.timers.borrow_mut().pop_first();
        let next = next.expect("all requests wait for each other: a deadlock");
        self.0.now.set(self.0.now.get().max(next));
    }
}

/// One step of a future.
pub(crate) fn step<T>(future: &mut Task<'_, T>) -> Poll<T> {
    future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
}

/// Waits until an instant, and for one turn of the others at least.
struct Timer {
    world: Rc<World>,
    until: u64,
    set: bool,
}

impl Future for Timer {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.set && self.world.now.get() >= self.until {
            return Poll::Ready(());
        }
        self.set = true;
        self.world.timers.borrow_mut().insert(self.until);
        Poll::Pending
    }
}

impl Runtime for Memory {
    type Shared = Unshared;

    const WEBSOCKETS: bool = true;

    const SCHEDULE: bool = true;

    const SETTLE: u64 = 0;

    /// So that every test can be run with and without: whether decisions are explained must change none of them.
    const EXPLAINS: bool = option_env!("EDGEKEEPER_EXPLAINS").is_some();

    fn shared(&self) -> Option<&Unshared> {
        None
    }

    fn now(&self) -> u64 {
        self.0.now.get()
    }

    fn random(&self, bytes: &mut [u8]) -> Result<(), Unavailable> {
        if self.0.no_random.get() {
            return Err(Unavailable("there is no source of randomness".to_owned()));
        }
        for byte in bytes {
            // Knuth's MMIX generator: every draw is different, every run the same.
            let next = self
                .0
                .random
                .get()
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            self.0.random.set(next);
            *byte = next.to_be_bytes()[0];
        }
        Ok(())
    }

    async fn secret(&self, name: &str) -> Option<String> {
        match name {
            "KEYS_SECRET" => self.0.secret.borrow().clone(),
            "API_SECRET" => Some(API_SECRET.to_owned()),
            "REVOCATION_SECRET" => Some(REVOCATION_SECRET.to_owned()),
            "SHORT" => Some("short".to_owned()),
            "OPERATOR_SECRET" => Some(OPERATOR_SECRET.to_owned()),
            "EXPLAIN" => {
                self.0.settings_read.set(self.0.settings_read.get() + 1);
                Some(self.0.explain.borrow().clone())
            }
            "MISSING" => None,
            _ => panic!("no other secret is asked for: {name}"),
        }
    }

    async fn fetch(&self, request: Outbound) -> Result<Inbound, FetchError> {
        self.0.asked.borrow_mut().push(request.clone());
        let next = self.0.next.borrow_mut().pop_front();
        let reply = next.unwrap_or_else(|| reply(&self.0.script.borrow(), &request));
        self.sleep(reply.takes.min(request.timeout)).await;
        if reply.takes > request.timeout {
            return Err(FetchError::Timeout);
        }
        let mut inbound = reply.outcome?;
        inbound.body = inbound.body.filter(|body| body.len() <= request.largest);
        Ok(inbound)
    }

    async fn get(&self, key: &str) -> Result<Option<String>, Unavailable> {
        // What arrives is what was there when the question did.
        let value = self.0.store.borrow().get(key).cloned();
        self.sleep(self.0.store_takes.get()).await;
        self.0.reads.set(self.0.reads.get() + 1);
        if self.0.store_fails.get() {
            return Err(Unavailable(
                "the key-value store does not answer".to_owned(),
            ));
        }
        Ok(value)
    }

    async fn put(&self, key: &str, value: &str) -> Result<(), Unavailable> {
        self.sleep(self.0.store_takes.get()).await;
        self.0.writes.set(self.0.writes.get() + 1);
        if self.0.store_is_full.get() {
            return Err(Unavailable("the key-value store is full".to_owned()));
        }
        if self.0.store_fails.get() {
            return Err(Unavailable(
                "the key-value store does not answer".to_owned(),
            ));
        }
        self.0
            .store
            .borrow_mut()
            .insert(key.to_owned(), value.to_owned());
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<(), Unavailable> {
        self.sleep(self.0.store_takes.get()).await;
        if self.0.store_fails.get() {
            return Err(Unavailable(
                "the key-value store does not answer".to_owned(),
            ));
        }
        self.0.store.borrow_mut().remove(key);
        Ok(())
    }

    async fn names(&self, prefix: &str) -> Result<Vec<String>, Unavailable> {
        self.sleep(self.0.store_takes.get()).await;
        self.0.lists.set(self.0.lists.get() + 1);
        if self.0.store_fails.get() || self.0.lists_fail.get() {
            return Err(Unavailable(
                "the key-value store does not answer".to_owned(),
            ));
        }
        let store = self.0.store.borrow();
        Ok(store
            .keys()
            .filter(|name| name.starts_with(prefix))
            .cloned()
            .collect())
    }

    fn sleep(&self, milliseconds: u64) -> impl Future<Output = ()> {
        Timer {
            world: Rc::clone(&self.0),
            until: self.0.now.get() + milliseconds,
            set: false,
        }
    }

    fn later(&self, task: impl Future<Output = ()> + 'static) {
        self.0.later.borrow_mut().push_back(Box::pin(task));
    }

    fn log(&self, line: &str) {
        self.0.log.borrow_mut().push(line.to_owned());
    }

    fn steps(&self) -> Option<&Steps> {
        self.0.steps.want();
        Some(&self.0.steps)
    }
}

/// The scripted reply; without one, Kratos knows no session.
fn reply(script: &[(String, String, Reply)], request: &Outbound) -> Reply {
    let credentials: Vec<&str> = ["x-session-token", "cookie", "authorization"]
        .into_iter()
        .filter_map(|name| request.headers.get(name)?.to_str().ok())
        .collect();
    script
        .iter()
        .rev()
        .find(|(url, credential, _)| {
            request.url.contains(url.as_str())
                && (credential.is_empty()
                    || credentials
                        .iter()
                        .any(|sent| sent.contains(credential.as_str())))
        })
        .map_or_else(
            || Reply::new(401, r#"{"error":{"id":"session_inactive","code":401}}"#),
            |(_, _, reply)| reply.clone(),
        )
}

/// No connection.
pub(crate) const fn unreachable() -> FetchError {
    FetchError::Unreachable
}

/// No answer in time.
pub(crate) const fn timeout() -> FetchError {
    FetchError::Timeout
}

impl Memory {
    /// The clock, in Unix milliseconds.
    pub(crate) fn milliseconds(&self) -> u64 {
        self.0.now.get()
    }
}

impl Memory {
    /// Lets the next timer run out.
    pub(crate) fn tick(&self) {
        self.next_timer();
    }
}

/// The body of a client's request.
#[derive(Debug, Clone)]
pub(crate) struct Body(pub(crate) Result<Vec<u8>, FetchError>);

impl RequestBody for Body {
    async fn read(&self, largest: usize) -> Result<Option<Vec<u8>>, FetchError> {
        let body = self.0.clone()?;
        Ok((body.len() <= largest).then_some(body))
    }
}

/// What a runtime does that stands on [`Memory`] as the memory does it: `$memory` is the field.
macro_rules! like_memory {
    ($memory:tt) => {
        fn now(&self) -> u64 {
            Runtime::now(&self.$memory)
        }

        fn random(&self, bytes: &mut [u8]) -> Result<(), Unavailable> {
            Runtime::random(&self.$memory, bytes)
        }

        async fn secret(&self, name: &str) -> Option<String> {
            Runtime::secret(&self.$memory, name).await
        }

        async fn fetch(&self, request: Outbound) -> Result<Inbound, FetchError> {
            Runtime::fetch(&self.$memory, request).await
        }

        async fn get(&self, key: &str) -> Result<Option<String>, Unavailable> {
            Runtime::get(&self.$memory, key).await
        }

        async fn put(&self, key: &str, value: &str) -> Result<(), Unavailable> {
            Runtime::put(&self.$memory, key, value).await
        }

        async fn delete(&self, key: &str) -> Result<(), Unavailable> {
            Runtime::delete(&self.$memory, key).await
        }

        async fn names(&self, prefix: &str) -> Result<Vec<String>, Unavailable> {
            Runtime::names(&self.$memory, prefix).await
        }

        fn sleep(&self, milliseconds: u64) -> impl Future<Output = ()> {
            Runtime::sleep(&self.$memory, milliseconds)
        }

        fn later(&self, task: impl Future<Output = ()> + 'static) {
            Runtime::later(&self.$memory, task);
        }

        fn log(&self, line: &str) {
            Runtime::log(&self.$memory, line);
        }
    };
}
pub(crate) use like_memory;
