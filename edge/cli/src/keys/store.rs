//! Where the stored keys are: a folder, or a file that was fetched from another store.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use edgekeeper_folder::{Durability, Store};
use edgekeeper_token::entry::KeyEntry;
use edgekeeper_token::imported::entry::ImportedEntry;
use serde_json::Value;

use crate::files;

/// The names of signing keys begin with it.
const KEYS: &str = "keys/";

/// The names of imported sets begin with it.
const SETS: &str = "jwks/";

/// How to get at the store.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct Place {
    /// The folder that wasmtime opens for the gateway (`--dir FOLDER::…`)
    #[arg(long, value_name = "DIR")]
    pub(super) state: Option<PathBuf>,

    /// A file with the entries of another store, as `npx wrangler kv bulk get` prints them or `kv bulk put` takes them
    #[arg(long, value_name = "FILE")]
    pub(super) from: Option<PathBuf>,
}

/// What was found there.
#[derive(Debug, Default)]
pub(super) struct Stored {
    /// The signing keys, oldest period first.
    pub(super) keys: Vec<KeyEntry>,
    /// The sets that were imported.
    pub(super) imported: Vec<ImportedEntry>,
    /// What cannot be read, and why.
    pub(super) problems: Vec<String>,
}

impl Place {
    /// Where it is, for a message.
    pub(super) fn shown(&self) -> String {
        let path = self.state.as_deref().or(self.from.as_deref());
        path.unwrap_or(Path::new("")).display().to_string()
    }

    /// Reads all keys and sets.
    ///
    /// # Errors
    /// When the place itself cannot be read. Single entries that cannot are [`Stored::problems`].
    pub(super) fn read(&self) -> Result<Stored, String> {
        let entries = match (&self.state, &self.from) {
            (Some(folder), _) => in_folder(folder)?,
            (None, Some(file)) => in_file(file)?,
            (None, None) => BTreeMap::new(),
        };
        let mut stored = Stored::default();
        for (name, value) in &entries {
            if name.starts_with(KEYS) {
                match KeyEntry::parse(name, value) {
                    Ok(entry) => stored.keys.push(entry),
                    Err(error) => stored.problems.push(error.to_string()),
                }
            } else if name.starts_with(SETS) {
                match ImportedEntry::parse(name, value) {
                    Ok(entry) => stored.imported.push(entry),
                    Err(error) => stored.problems.push(error.to_string()),
                }
            }
        }
        stored.keys.sort_by_key(KeyEntry::period);
        Ok(stored)
    }
}

/// Writes an entry over the one of its name, whole or not at all.
///
/// # Errors
/// When the folder cannot be written.
pub(super) fn write(folder: &Path, name: &str, value: &str) -> Result<(), String> {
    let written = Store::new(folder).write(name, value, Durability::Durable);
    written.map_err(|error| format!("error: {error}"))
}

fn in_folder(folder: &Path) -> Result<BTreeMap<String, String>, String> {
    let store = Store::new(folder);
    if !store.is_there() {
        return Err(format!("error: `{}` is not a folder", folder.display()));
    }
    let mut entries = BTreeMap::new();
    for prefix in [KEYS, SETS] {
        let names = store
            .names_in(prefix)
            .map_err(|error| format!("error: {error}"))?;
        for name in names {
            let value = store
                .read(&name)
                .map_err(|error| format!("error: {error}"))?;
            entries.extend(value.map(|value| (name, value)));
        }
    }
    if entries.is_empty() {
        return Err(format!(
            "error: `{0}` has no keys\n  help: name the folder that has `keys` in it; there is none before the gateway has made its first key",
            folder.display()
        ));
    }
    Ok(entries)
}

fn in_file(path: &Path) -> Result<BTreeMap<String, String>, String> {
    let shown = path.display();
    let text =
        files::read(path).map_err(|reason| format!("error: `{shown}` cannot be read: {reason}"))?;
    // After what it has found, `wrangler kv bulk get` prints that it has.
    let first = serde_json::Deserializer::from_str(&text)
        .into_iter::<Value>()
        .next();
    let found = match first {
        Some(Ok(Value::Object(object))) => object.into_iter().map(by_name).collect(),
        Some(Ok(Value::Array(listed))) => listed.into_iter().map(in_list).collect(),
        _ => None,
    };
    let entries: BTreeMap<String, String> = found.ok_or_else(|| {
        format!(
            "error: `{shown}` is not a file of entries\n  help: `npx wrangler kv bulk get` writes one: {{\"keys/692\":{{\"value\":\"…\"}}}}; or write what `kv bulk put` takes: [{{\"key\":\"keys/692\",\"value\":\"…\"}}]"
        )
    })?;
    if entries.is_empty() {
        return Err(format!(
            "error: `{shown}` has no entries\n  help: `npx wrangler kv key list --prefix keys/` lists their names"
        ));
    }
    Ok(entries)
}

fn by_name((name, value): (String, Value)) -> Option<(String, String)> {
    let text = match &value {
        Value::Object(fields) => fields.get("value")?.as_str(),
        other => other.as_str(),
    };
    Some((name, text?.to_owned()))
}

fn in_list(item: Value) -> Option<(String, String)> {
    let text = |member| item.get(member)?.as_str().map(str::to_owned);
    Some((text("key")?, text("value")?))
}
