//! The gateway's [`Runtime`] on WASI.

use std::cell::RefCell;
use std::future::Future;
use std::io::Write;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use edgekeeper_folder::{Durability, Store};
use edgekeeper_gateway::explanation::Steps;
use edgekeeper_gateway::problem;
use edgekeeper_gateway::runtime::{FetchError, Inbound, Outbound, Runtime, Unavailable};
use edgekeeper_pipe::timer;
use wasi::random::random::get_random_bytes;

use crate::{blocking, fetch};

type Task = Pin<Box<dyn Future<Output = ()>>>;

/// One request's view of the world.
#[derive(Clone)]
pub(crate) struct Wasi {
    store: Rc<Store>,
    later: Rc<RefCell<Vec<Task>>>,
    steps: Steps,
}

impl Wasi {
    pub(crate) fn new() -> Self {
        let folder = setting("STATE").unwrap_or_else(|| "/state".to_owned());
        Self {
            store: Rc::new(Store::new(folder)),
            later: Rc::default(),
            steps: Steps::default(),
        }
    }

    /// Does what was put off until the response was sent.
    pub(crate) fn finish_later(&self) {
        loop {
            let task = self.later.borrow_mut().pop();
            match task {
                Some(task) => blocking::wait(task),
                None => return,
            }
        }
    }
}

impl Runtime for Wasi {
    type Shared = Store;

    edgekeeper_component::component_host!(get_random_bytes);

    // A folder adds in one step.
    const SETTLE: u64 = 0;

    fn shared(&self) -> Option<&Store> {
        self.store.is_there().then_some(&*self.store)
    }

    async fn secret(&self, name: &str) -> Option<String> {
        setting(name)
    }

    async fn fetch(&self, request: Outbound) -> Result<Inbound, FetchError> {
        fetch::whole(request)
    }

    async fn has_store(&self) -> bool {
        self.store.is_there()
    }

    async fn get(&self, key: &str) -> Result<Option<String>, Unavailable> {
        self.store.read(key)
    }

    async fn put(&self, key: &str, value: &str) -> Result<(), Unavailable> {
        self.store.write(key, value, Durability::Durable)
    }

    async fn add(&self, key: &str, value: &str) -> Result<bool, Unavailable> {
        self.store.add(key, value, Durability::Durable)
    }

    async fn delete(&self, key: &str) -> Result<(), Unavailable> {
        self.store.remove(key)
    }

    async fn names(&self, prefix: &str) -> Result<Vec<String>, Unavailable> {
        self.store.names_in(prefix)
    }

    async fn sleep(&self, milliseconds: u64) {
        timer(Duration::from_millis(milliseconds)).block();
    }

    fn later(&self, task: impl Future<Output = ()> + 'static) {
        self.later.borrow_mut().push(Box::pin(task));
    }

    fn log(&self, line: &str) {
        log(line);
    }
}

/// A variable of the environment; one that is empty is not set.
pub(crate) fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Writes one line about something the adapter cannot do.
pub(crate) fn log_problem(what: &str, reason: &str) {
    log(&problem::line(what, reason));
}

fn log(line: &str) {
    // In one piece, so that lines of several instances do not mix. There is nowhere to say that it failed.
    drop(std::io::stderr().write_all(format!("{line}\n").as_bytes()));
}
