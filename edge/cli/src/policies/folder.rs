//! A gateway's folder.

use std::path::{Path, PathBuf};

use edgekeeper_folder::{Durability, Store as FolderStore};

use super::entries::Store;
use super::failure::Failure;

pub(super) struct Folder {
    path: PathBuf,
    store: FolderStore,
}

impl Folder {
    /// # Errors
    /// Where there is none.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let store = FolderStore::new(path);
        if !store.is_there() {
            return Err(Failure::Arguments(format!(
                "error: `{}` is not a folder\n  help: name the one that the gateway is started with (`wasmtime serve --dir FOLDER::…`)",
                path.display()
            )));
        }
        Ok(Self {
            path: path.to_owned(),
            store,
        })
    }
}

impl Store for Folder {
    fn shown(&self) -> String {
        format!("the folder {}", self.path.display())
    }

    fn is_slow(&self) -> bool {
        false
    }

    fn get(&self, name: &str) -> Result<Option<String>, String> {
        self.store
            .read(name)
            .map_err(|error| format!("error: {error}"))
    }

    fn put(&self, name: &str, value: &str) -> Result<(), String> {
        let written = self.store.write(name, value, Durability::Durable);
        written.map_err(|error| format!("error: {error}"))
    }

    fn delete(&self, name: &str) {
        // One that stays is in nobody's way.
        drop(self.store.remove(name));
    }
}
