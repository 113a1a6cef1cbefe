//! The key-value store: a folder that the host opens for the component, one file for each entry.
//!
//! A value is written to a file of its own and then takes its name, so whoever reads gets the old value or the new one,
//! whole, also when the writer is cut off half-way. What is cut off leaves a temporary file; no entry has a name like it,
//! and [`Store::names_in`] takes it away after an hour.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use edgekeeper_gateway::runtime::Unavailable;

/// The most that is read of an entry, in bytes; the gateway writes half of that at most.
const LARGEST: u64 = 1 << 20;

/// How the name of a temporary file begins. No part of an entry's name does.
const TEMPORARY: &str = ".new-";

/// After how long a temporary file is left over and not in use.
const LEFT_OVER: Duration = Duration::from_secs(3600);

/// Whether a value is to outlive a crash of the machine.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// It may get lost.
    Cache,
    /// It is on the disk before it has its name.
    Durable,
}

/// The folder.
#[derive(Debug)]
pub(crate) struct Store {
    folder: PathBuf,
}

impl Store {
    pub(crate) fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    /// Whether there is a folder. Without one, a deployment does without a store.
    pub(crate) fn is_there(&self) -> bool {
        self.folder.is_dir()
    }

    /// Reads an entry.
    ///
    /// # Errors
    /// When the folder or the entry cannot be read.
    pub(crate) fn read(&self, name: &str) -> Result<Option<String>, Unavailable> {
        let path = self.path(name)?;
        let mut file = match File::open(&path) {
            Ok(file) => file,
            // Without the folder nothing is known about what it holds.
            Err(error) if error.kind() == ErrorKind::NotFound && self.is_there() => {
                return Ok(None);
            }
            Err(error) => return Err(self.failed("read", name, &error)),
        };
        let mut bytes = Vec::new();
        Read::by_ref(&mut file)
            .take(LARGEST.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|error| self.failed("read", name, &error))?;
        if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > LARGEST {
            return Err(not_ours(&path, "is larger than 1 MiB"));
        }
        String::from_utf8(bytes)
            .map(Some)
            .map_err(|_| not_ours(&path, "is not text"))
    }

    /// Writes an entry.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub(crate) fn write(
        &self,
        name: &str,
        value: &str,
        durability: Durability,
    ) -> Result<(), Unavailable> {
        let path = self.path(name)?;
        self.temporary(&path, value, durability)
            .and_then(|temporary| taking_away(&temporary, fs::rename(&temporary, &path)))
            .map_err(|error| self.failed("written", name, &error))
    }

    /// Writes an entry where there is none, and says whether it did. A second name for a whole file is given to one of
    /// those who ask and refused to all others; a file made under its own name would be seen before it is full.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub(crate) fn add(
        &self,
        name: &str,
        value: &str,
        durability: Durability,
    ) -> Result<bool, Unavailable> {
        let path = self.path(name)?;
        if path.exists() {
            return Ok(false);
        }
        let temporary = self
            .temporary(&path, value, durability)
            .map_err(|error| self.failed("written", name, &error))?;
        match taking_away(&temporary, link(&temporary, &path)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(self.failed("written", name, &error)),
        }
    }

    /// Removes an entry. One that is not there is removed.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub(crate) fn remove(&self, name: &str) -> Result<(), Unavailable> {
        match fs::remove_file(self.path(name)?) {
            Err(error) if error.kind() != ErrorKind::NotFound || !self.is_there() => {
                Err(self.failed("removed", name, &error))
            }
            _ => Ok(()),
        }
    }

    /// The names of all entries of a folder in the store; its name ends with `/`.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub(crate) fn names_in(&self, prefix: &str) -> Result<Vec<String>, Unavailable> {
        let failed = |error| self.failed("listed", prefix, &error);
        let entries = match fs::read_dir(self.path(prefix.trim_end_matches('/'))?) {
            Err(error) if error.kind() == ErrorKind::NotFound && self.is_there() => {
                return Ok(Vec::new());
            }
            entries => entries.map_err(failed)?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(failed)?;
            let file = entry.file_name();
            let Some(file) = file.to_str() else { continue };
            if file.starts_with(TEMPORARY) {
                remove_left_over(&entry.path());
            } else if is_name(file) {
                names.push(format!("{prefix}{file}"));
            }
        }
        Ok(names)
    }

    fn path(&self, name: &str) -> Result<PathBuf, Unavailable> {
        if name.split('/').all(is_name) {
            Ok(self.folder.join(name))
        } else {
            Err(Unavailable(format!("`{name}` is not the name of an entry")))
        }
    }

    /// A new file beside this one, with the whole value.
    fn temporary(&self, path: &Path, value: &str, durability: Durability) -> io::Result<PathBuf> {
        let folder = path.parent().unwrap_or(&self.folder);
        let random = wasi::random::random::get_random_u64();
        let temporary = folder.join(format!("{TEMPORARY}{random:016x}"));
        let open = || {
            OpenOptions::new()
                .write(true)
                .create_new(true)
                .open(&temporary)
        };
        let mut file = match open() {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                make_folder(folder)?;
                open()?
            }
            opened => opened?,
        };
        let written = file.write_all(value.as_bytes()).and_then(|()| {
            if durability == Durability::Durable {
                file.sync_all()
            } else {
                Ok(())
            }
        });
        match written {
            Ok(()) => Ok(temporary),
            Err(error) => {
                drop(fs::remove_file(&temporary));
                Err(error)
            }
        }
    }

    fn failed(&self, what: &str, name: &str, error: &io::Error) -> Unavailable {
        let folder = self.folder.display();
        Unavailable(if self.is_there() {
            format!(
                "`{name}` cannot be {what} in the store {folder}: {error}; the folder must be one that the host's user \
                 may read and write, with room on its disk"
            )
        } else {
            format!(
                "`{name}` cannot be {what}: there is no store, because the host has opened no folder as {folder}; with \
                 wasmtime say `--dir FOLDER::{folder}`"
            )
        })
    }
}

/// One part of a name. Nothing else gets into a path, so none leads out of the folder.
fn is_name(part: &str) -> bool {
    !part.is_empty()
        && part
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// Somebody else may make it at the same moment.
fn make_folder(folder: &Path) -> io::Result<()> {
    match fs::create_dir(folder) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Gives a file its final name, unless that is taken.
fn link(temporary: &Path, path: &Path) -> io::Result<()> {
    match fs::hard_link(temporary, path) {
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::PermissionDenied | ErrorKind::Unsupported
            ) =>
        {
            // A disk whose files have one name only. Two who add at the same moment are then both told that they did.
            fs::rename(temporary, path)
        }
        linked => linked,
    }
}

/// After a file was to get its final name, whether it did or not.
fn taking_away<T>(temporary: &Path, result: io::Result<T>) -> io::Result<T> {
    // Renamed it is not there any more; else one that stays is left over and goes in an hour.
    drop(fs::remove_file(temporary));
    result
}

fn remove_left_over(path: &Path) {
    let age = fs::metadata(path)
        .and_then(|metadata| metadata.modified())
        .ok()
        .and_then(|written| SystemTime::now().duration_since(written).ok());
    if age.is_some_and(|age| age > LEFT_OVER) {
        // Whoever comes next tries again.
        drop(fs::remove_file(path));
    }
}

fn not_ours(path: &Path, what: &str) -> Unavailable {
    Unavailable(format!(
        "{} {what}, which nothing that the gateway writes is; remove it",
        path.display()
    ))
}
