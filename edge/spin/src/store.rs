//! The key-value store: signing keys, and what instances share of sessions.
//!
//! Spin's stores have no expiry. The values say themselves until when they count, and the gateway sweeps what has ended.

use std::time::{Duration, Instant};

use edgekeeper_gateway::runtime::{SHARED_PREFIX, SharedCache, Unavailable};
use spin_sdk::key_value::{Error, Store};
use spin_sdk::time::sleep;

/// The store's label in `spin.toml`.
const LABEL: &str = "default";

/// For how long what was read of an entry is taken for true before it is written, and how often it is read until then.
const UP_TO_DATE: Duration = Duration::from_millis(10);
const TRIES: usize = 5;

/// The store. It is opened for each use: what Spin keeps behind it stays open, and a store that was away comes back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeyValue;

impl SharedCache for KeyValue {
    async fn get(&self, name: &str) -> Result<Option<String>, Unavailable> {
        let value = open().await?.get(name).await.map_err(failed)?;
        value
            .map(|bytes| {
                String::from_utf8(bytes).map_err(|_| {
                    Unavailable(format!(
                        "the entry `{name}` of the key-value store `{LABEL}` is not text; delete it"
                    ))
                })
            })
            .transpose()
    }

    async fn set(&self, name: &str, value: &str) -> Result<(), Unavailable> {
        open().await?.set(name, value).await.map_err(failed)
    }

    /// Spin's stores cannot do that in one step. Of those who find nothing and write, the last one has it: whoever looked
    /// before this value was there has written, too, after as long again.
    async fn add(&self, name: &str, value: &str) -> Result<bool, Unavailable> {
        let mut began = Instant::now();
        for _ in 0..TRIES {
            began = Instant::now();
            if self.get(name).await?.is_some() {
                return Ok(false);
            }
            // An instance has many requests: what was seen while others had their turn is out of date.
            if began.elapsed() < UP_TO_DATE {
                break;
            }
        }
        self.set(name, value).await?;
        sleep(began.elapsed()).await;
        Ok(self.get(name).await?.as_deref() == Some(value))
    }

    async fn delete(&self, name: &str) -> Result<(), Unavailable> {
        open().await?.delete(name).await.map_err(failed)
    }

    async fn names(&self) -> Result<Vec<String>, Unavailable> {
        names(SHARED_PREFIX).await
    }
}

/// The names of all entries that begin with a prefix.
pub(crate) async fn names(prefix: &str) -> Result<Vec<String>, Unavailable> {
    let keys = open().await?.get_keys().await;
    let mut names = keys.collect().await.map_err(failed)?;
    names.retain(|name| name.starts_with(prefix));
    Ok(names)
}

/// Whether the application has one. Without, a deployment does without a store.
pub(crate) async fn is_there() -> bool {
    let opened = Store::open(LABEL).await;
    !matches!(opened, Err(Error::AccessDenied | Error::NoSuchStore))
}

async fn open() -> Result<Store, Unavailable> {
    Store::open(LABEL).await.map_err(failed)
}

fn failed(error: Error) -> Unavailable {
    Unavailable(match error {
        Error::AccessDenied => format!(
            "the component has no key-value store `{LABEL}`; write `key_value_stores = [\"{LABEL}\"]` under it in spin.toml"
        ),
        Error::NoSuchStore => format!(
            "there is no key-value store `{LABEL}`; the runtime configuration needs `[key_value_store.{LABEL}]`"
        ),
        Error::Other(reason) => format!("the key-value store `{LABEL}` failed: {reason}"),
        Error::StoreTableFull => format!("the key-value store `{LABEL}` is open too often"),
    })
}
