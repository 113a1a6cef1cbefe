//! The runtime configuration: the stores and variables of one deployment.
//!
//! Store types `spin` (sqlite, as Spin) and, of this host only, `failing`, `full` and `slow`:
//! faults that tests put between a component and its store.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::key_value::{Fault, Place, Store};
use crate::variables::{self, Provider, Values};

/// The label of the store that every deployment has.
pub const DEFAULT_STORE: &str = "default";

/// The file of the default store in the folder of the state, as Spin names it.
const DEFAULT_STORE_FILE: &str = "sqlite_key_value.db";

/// What a deployment decides.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuntimeConfig {
    #[serde(default, rename = "key_value_store")]
    stores: BTreeMap<String, StoreConfig>,
    #[serde(default, rename = "variables_provider")]
    providers: Vec<ProviderConfig>,
    state_dir: Option<String>,
    #[serde(skip)]
    folder: PathBuf,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum StoreConfig {
    Spin {
        path: Option<PathBuf>,
    },
    Failing {},
    Full {
        path: Option<PathBuf>,
    },
    Slow {
        delay_ms: u64,
        path: Option<PathBuf>,
    },
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum ProviderConfig {
    Static { values: Values },
    Env { prefix: Option<String> },
}

impl RuntimeConfig {
    /// Reads the file, if there is one.
    ///
    /// # Errors
    /// It cannot be read, or holds what this host does not know.
    pub fn read(file: Option<&Path>) -> Result<Self> {
        let Some(file) = file else {
            return Ok(Self::default());
        };
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("cannot read the runtime configuration {}", file.display()))?;
        let mut config: Self = toml::from_str(&text)
            .with_context(|| format!("runtime configuration {}", file.display()))?;
        config.folder = std::path::absolute(file)?
            .parent()
            .map(Path::to_owned)
            .unwrap_or_default();
        Ok(config)
    }

    /// The folder of the state: the argument's, this file's, or `.spin` beside the manifest.
    /// An empty name is none.
    #[must_use]
    pub fn state_dir(&self, argument: Option<&str>, application: &Path) -> Option<PathBuf> {
        match argument.or(self.state_dir.as_deref()) {
            Some("") => None,
            Some(path) => Some(path.into()),
            None => Some(application.join(".spin")),
        }
    }

    /// The stores by their label, with the default one where the file does not set it.
    #[must_use]
    pub fn stores(&self, state_dir: Option<&Path>) -> BTreeMap<String, Store> {
        let default_place = || match state_dir {
            Some(folder) => Place::File(folder.join(DEFAULT_STORE_FILE)),
            None => Place::Memory,
        };
        let place = |label: &str, path: &Option<PathBuf>| match path {
            Some(path) => Place::File(self.folder.join(path)),
            None if label == DEFAULT_STORE => default_place(),
            None => Place::Memory,
        };
        let mut stores: BTreeMap<String, Store> = self
            .stores
            .iter()
            .map(|(label, config)| {
                let (place, fault) = match config {
                    // Spin keeps a store of this type without a path in memory, whatever its label.
                    StoreConfig::Spin { path: None } => (Place::Memory, None),
                    StoreConfig::Spin { path } => (place(label, path), None),
                    StoreConfig::Failing {} => (Place::Memory, Some(Fault::Failing)),
                    StoreConfig::Full { path } => (place(label, path), Some(Fault::Full)),
                    StoreConfig::Slow { delay_ms, path } => (
                        place(label, path),
                        Some(Fault::Slow(Duration::from_millis(*delay_ms))),
                    ),
                };
                (label.clone(), Store::new(label, place, fault))
            })
            .collect();
        stores
            .entry(DEFAULT_STORE.to_owned())
            .or_insert_with(|| Store::new(DEFAULT_STORE, default_place(), None));
        stores
    }

    /// Where variables come from, the environment last.
    #[must_use]
    pub fn providers(&self) -> Vec<Provider> {
        let spin_prefix = || "SPIN_VARIABLE".to_owned();
        self.providers
            .iter()
            .map(|provider| match provider {
                ProviderConfig::Static { values } => variables::provider(values.clone()),
                ProviderConfig::Env { prefix } => {
                    variables::environment(prefix.clone().unwrap_or_else(spin_prefix))
                }
            })
            .chain([variables::environment(spin_prefix())])
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<RuntimeConfig, toml::de::Error> {
        toml::from_str(text)
    }

    #[test]
    fn the_default_store_lies_in_the_folder_of_the_state() {
        let config = parse("").unwrap();
        let folder = config.state_dir(None, Path::new("/app"));
        assert_eq!(folder.as_deref(), Some(Path::new("/app/.spin")));
        let stores = config.stores(folder.as_deref());
        assert_eq!(
            *stores["default"].place(),
            Place::File("/app/.spin/sqlite_key_value.db".into())
        );
        assert_eq!(config.state_dir(Some(""), Path::new("/app")), None);
        assert_eq!(*config.stores(None)["default"].place(), Place::Memory);
    }

    #[test]
    fn a_store_lies_where_the_file_says_relative_to_the_file() {
        let mut config =
            parse("[key_value_store.default]\ntype = \"spin\"\npath = \"kv.db\"").unwrap();
        config.folder = "/conf".into();
        assert_eq!(
            *config.stores(None)["default"].place(),
            Place::File("/conf/kv.db".into())
        );
    }

    #[test]
    fn what_it_does_not_know_is_refused() {
        for (text, named) in [
            ("[key_value_store.default]\ntype = \"redis\"", "redis"),
            (
                "[key_value_store.default]\ntype = \"spin\"\nurl = \"x\"",
                "url",
            ),
            ("[[variables_provider]]\ntype = \"vault\"", "vault"),
            ("[llm_compute]\n", "llm_compute"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
    }
}
