//! The gateway's [`Runtime`] on Spin.

use std::future::Future;
use std::io::Write;
use std::time::Duration;

use edgekeeper_gateway::explanation::Steps;
use edgekeeper_gateway::problem;
use edgekeeper_gateway::runtime::{
    FetchError, Inbound, Outbound, Runtime, SharedCache, Unavailable,
};
use spin_sdk::time;
use spin_sdk::wasip3::random::random::get_random_bytes;
use spin_sdk::wasip3::spawn;

use crate::store::KeyValue;
use crate::{fetch, instance, store};

/// One request's view of the world.
#[derive(Debug, Clone, Default)]
pub(crate) struct Spin {
    steps: Steps,
}

impl Runtime for Spin {
    type Shared = KeyValue;

    edgekeeper_component::component_host!(get_random_bytes);

    // Its stores take two steps, and a busy machine its time between them.
    const SETTLE: u64 = 2;

    /// Spin's variables are lower case.
    async fn secret(&self, name: &str) -> Option<String> {
        let secret = instance::variable(&name.to_ascii_lowercase()).await;
        secret.unwrap_or_else(|reason| {
            log_problem("secret", &reason);
            None
        })
    }

    async fn fetch(&self, request: Outbound) -> Result<Inbound, FetchError> {
        fetch::whole(request).await
    }

    async fn has_store(&self) -> bool {
        store::is_there().await
    }

    async fn get(&self, key: &str) -> Result<Option<String>, Unavailable> {
        KeyValue.get(key).await
    }

    async fn put(&self, key: &str, value: &str) -> Result<(), Unavailable> {
        KeyValue.set(key, value).await
    }

    async fn add(&self, key: &str, value: &str) -> Result<bool, Unavailable> {
        KeyValue.add(key, value).await
    }

    async fn delete(&self, key: &str) -> Result<(), Unavailable> {
        KeyValue.delete(key).await
    }

    async fn names(&self, prefix: &str) -> Result<Vec<String>, Unavailable> {
        store::names(prefix).await
    }

    fn shared(&self) -> Option<&KeyValue> {
        Some(&KeyValue)
    }

    async fn sleep(&self, milliseconds: u64) {
        time::sleep(Duration::from_millis(milliseconds)).await;
    }

    /// The instance stays until it is done; the response does not wait for it.
    fn later(&self, task: impl Future<Output = ()> + 'static) {
        spawn(task);
    }

    fn log(&self, line: &str) {
        log(line);
    }
}

/// Writes one line about something that Spin does not give.
pub(crate) fn log_problem(what: &str, reason: &str) {
    log(&problem::line(what, reason));
}

fn log(line: &str) {
    // In one piece, so that lines of several instances do not mix. There is nowhere to say that it failed.
    drop(std::io::stdout().write_all(format!("{line}\n").as_bytes()));
}
