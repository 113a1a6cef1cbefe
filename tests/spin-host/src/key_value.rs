//! Key-value stores: the host's side of `spin:key-value/key-value@3.0.0`.
//!
//! A store is a table in a file of sqlite, of the same form as Spin's, so that several
//! processes share it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use rusqlite::{Connection, OptionalExtension as _, params};
use wasmtime::component::{Accessor, FutureReader, Resource, StreamReader};

use crate::bindings::key_value::{Error, Host, HostStore, HostStoreWithStore};
use crate::instance::{Guest, GuestView};

/// How many stores an instance may have open, as in Spin.
const OPEN_STORES: usize = 256;

/// The most a value or a list of keys may take, as in Spin: 128 MiB.
const LONGEST_VALUE: usize = 128 * 1024 * 1024;

const TABLE: &str = "CREATE TABLE IF NOT EXISTS spin_key_value (
    store TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (store, key))";

/// Where a store lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In this process; it ends with it.
    Memory,
    /// In a file of sqlite.
    File(PathBuf),
}

/// What a test has gone wrong with a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Every call fails.
    Failing,
    /// Nothing can be written.
    Full,
    /// Every call takes that long.
    Slow(Duration),
}

/// A store as the runtime configuration has it.
#[derive(Debug)]
pub struct Store {
    label: String,
    place: Place,
    fault: Option<Fault>,
    connection: Mutex<Option<Connection>>,
}

impl Store {
    /// A store that opens its file when it is first used.
    #[must_use]
    pub fn new(label: &str, place: Place, fault: Option<Fault>) -> Self {
        Self {
            label: label.to_owned(),
            place,
            fault,
            connection: Mutex::default(),
        }
    }

    /// Where it lies.
    #[must_use]
    pub const fn place(&self) -> &Place {
        &self.place
    }

    /// Sets an entry; blocks.
    ///
    /// # Errors
    /// Those of sqlite.
    pub fn set(&self, key: &str, value: &[u8]) -> Result<()> {
        self.with_connection(|connection| {
            connection
                .prepare_cached(
                    "INSERT INTO spin_key_value (store, key, value) VALUES (?1, ?2, ?3)
                     ON CONFLICT (store, key) DO UPDATE SET value = ?3",
                )?
                .execute(params![self.label, key, value])
                .map(drop)
        })
    }

    fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        self.with_connection(|connection| {
            connection
                .prepare_cached("SELECT value FROM spin_key_value WHERE store = ?1 AND key = ?2")?
                .query_row(params![self.label, key], |row| row.get(0))
                .optional()
        })
    }

    fn delete(&self, key: &str) -> Result<()> {
        self.with_connection(|connection| {
            connection
                .prepare_cached("DELETE FROM spin_key_value WHERE store = ?1 AND key = ?2")?
                .execute(params![self.label, key])
                .map(drop)
        })
    }

    fn keys(&self) -> Result<Vec<String>> {
        self.with_connection(|connection| {
            connection
                .prepare_cached("SELECT key FROM spin_key_value WHERE store = ?1")?
                .query_map(params![self.label], |row| row.get(0))?
                .collect()
        })
    }

    fn with_connection<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T> {
        let mut connection = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let open = match connection.take() {
            Some(open) => open,
            None => self.open()?,
        };
        let result = work(connection.insert(open));
        Ok(result?)
    }

    fn open(&self) -> Result<Connection> {
        let connection = match &self.place {
            Place::Memory => Connection::open_in_memory()?,
            Place::File(file) => {
                if let Some(folder) = file.parent() {
                    std::fs::create_dir_all(folder).with_context(|| {
                        format!("cannot create the folder {}", folder.display())
                    })?;
                }
                Connection::open(file).with_context(|| format!("cannot open {}", file.display()))?
            }
        };
        connection.execute(TABLE, [])?;
        Ok(connection)
    }

    /// Does what the fault says, before a call that writes or does not.
    async fn suffer(&self, writes: bool) -> Result<(), Error> {
        match self.fault {
            Some(Fault::Failing) => Err(Error::Other(
                "the store fails, as the test wants".to_owned(),
            )),
            Some(Fault::Full) if writes => Err(Error::Other("database or disk is full".to_owned())),
            Some(Fault::Slow(delay)) => {
                tokio::time::sleep(delay).await;
                Ok(())
            }
            Some(Fault::Full) | None => Ok(()),
        }
    }
}

/// A store that a component has opened.
#[derive(Clone, Debug)]
pub struct OpenStore(Arc<Store>);

impl OpenStore {
    /// Runs a call of sqlite where it may block.
    async fn call<R: Send + 'static>(
        self,
        writes: bool,
        work: impl FnOnce(&Store) -> Result<R> + Send + 'static,
    ) -> Result<R, Error> {
        self.0.suffer(writes).await?;
        match tokio::task::spawn_blocking(move || work(&self.0)).await {
            Ok(result) => result.map_err(|error| Error::Other(format!("{error:#}"))),
            Err(error) => Err(Error::Other(error.to_string())),
        }
    }
}

fn opened<T>(
    accessor: &Accessor<T, Guest>,
    store: &Resource<OpenStore>,
) -> wasmtime::Result<OpenStore> {
    accessor.with(|mut access| Ok(access.get().table.get(store)?.clone()))
}

impl Host for GuestView<'_> {}

impl HostStore for GuestView<'_> {
    async fn drop(&mut self, store: Resource<OpenStore>) -> wasmtime::Result<()> {
        self.table.delete(store)?;
        *self.open_stores = self.open_stores.saturating_sub(1);
        Ok(())
    }
}

impl<T: Send> HostStoreWithStore<T> for Guest {
    async fn open(
        accessor: &Accessor<T, Self>,
        label: String,
    ) -> wasmtime::Result<Result<Resource<OpenStore>, Error>> {
        let component = accessor.with(|mut access| Arc::clone(access.get().component));
        if !component.key_value_stores.contains(&label) {
            return Ok(Err(Error::AccessDenied));
        }
        let Some(store) = component.stores.get(&label) else {
            return Ok(Err(Error::NoSuchStore));
        };
        if let Err(error) = store.suffer(false).await {
            return Ok(Err(error));
        }
        accessor.with(|mut access| {
            let guest = access.get();
            if *guest.open_stores >= OPEN_STORES {
                return Ok(Err(Error::StoreTableFull));
            }
            *guest.open_stores = guest.open_stores.saturating_add(1);
            Ok(Ok(guest.table.push(OpenStore(Arc::clone(store)))?))
        })
    }

    async fn get(
        accessor: &Accessor<T, Self>,
        store: Resource<OpenStore>,
        key: String,
    ) -> wasmtime::Result<Result<Option<Vec<u8>>, Error>> {
        let value = opened(accessor, &store)?
            .call(false, move |store| store.get(&key))
            .await;
        Ok(value.and_then(|value| match value {
            Some(value) if value.len() > LONGEST_VALUE => Err(Error::Other(format!(
                "the value has more than {LONGEST_VALUE} bytes"
            ))),
            value => Ok(value),
        }))
    }

    async fn set(
        accessor: &Accessor<T, Self>,
        store: Resource<OpenStore>,
        key: String,
        value: Vec<u8>,
    ) -> wasmtime::Result<Result<(), Error>> {
        let store = opened(accessor, &store)?;
        Ok(store.call(true, move |store| store.set(&key, &value)).await)
    }

    async fn delete(
        accessor: &Accessor<T, Self>,
        store: Resource<OpenStore>,
        key: String,
    ) -> wasmtime::Result<Result<(), Error>> {
        let store = opened(accessor, &store)?;
        Ok(store.call(true, move |store| store.delete(&key)).await)
    }

    async fn exists(
        accessor: &Accessor<T, Self>,
        store: Resource<OpenStore>,
        key: String,
    ) -> wasmtime::Result<Result<bool, Error>> {
        let store = opened(accessor, &store)?;
        Ok(store
            .call(false, move |store| Ok(store.get(&key)?.is_some()))
            .await)
    }

    async fn get_keys(
        accessor: &Accessor<T, Self>,
        store: Resource<OpenStore>,
    ) -> wasmtime::Result<(StreamReader<String>, FutureReader<Result<(), Error>>)> {
        let store = opened(accessor, &store)?;
        let (keys, result) = match store.call(false, Store::keys).await {
            Ok(keys) => (keys, Ok(())),
            Err(error) => (Vec::new(), Err(error)),
        };
        accessor.with(|mut access| {
            let keys = StreamReader::new(&mut access, keys)?;
            let result =
                FutureReader::new(&mut access, async move { wasmtime::error::Ok(result) })?;
            Ok((keys, result))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("spin-host-{name}-{}", std::process::id()));
        drop(std::fs::remove_dir_all(&folder));
        folder
    }

    #[test]
    fn two_connections_share_a_file_but_not_labels() {
        let folder = folder("shared");
        let place = Place::File(folder.join("deep/kv.db"));
        let first = Store::new("default", place.clone(), None);
        let second = Store::new("default", place.clone(), None);
        let other = Store::new("other", place, None);
        first.set("a", b"1").unwrap();
        first.set("a", b"2").unwrap();
        assert_eq!(second.get("a").unwrap().as_deref(), Some(b"2".as_slice()));
        assert_eq!(second.keys().unwrap(), ["a"]);
        assert_eq!(other.get("a").unwrap(), None);
        second.delete("a").unwrap();
        assert_eq!(first.get("a").unwrap(), None);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[tokio::test]
    async fn faults_break_what_they_say() {
        for (fault, read, write) in [
            (None, true, true),
            (Some(Fault::Failing), false, false),
            (Some(Fault::Full), true, false),
            (Some(Fault::Slow(Duration::from_millis(1))), true, true),
        ] {
            let store = OpenStore(Arc::new(Store::new("default", Place::Memory, fault)));
            let written = store.clone().call(true, |store| store.set("a", b"1")).await;
            assert_eq!(written.is_ok(), write, "{fault:?}");
            let value = store.call(false, |store| store.get("a")).await;
            assert_eq!(value.is_ok(), read, "{fault:?}");
        }
    }
}
