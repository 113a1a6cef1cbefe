//! The key-value store: a folder that the host opens for the component, one file for each entry.
//!
//! A value is written to a file of its own and then takes its name, so whoever reads gets the old value or the new one,
//! whole, also when the writer is cut off half-way. What is cut off leaves a temporary file; no entry has a name like it,
//! and [`Store::names_in`] takes it away after an hour.

use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use edgekeeper_gateway::policies;
use edgekeeper_gateway::runtime::{SHARED_PREFIX, SharedCache, Unavailable};

/// The most that is read of an entry, in bytes: a policy document of [`policies::LARGEST`]. Nothing else is nearly as large.
const LARGEST: u64 = policies::LARGEST as u64;

/// How the name of a temporary file begins. No part of an entry's name does.
const TEMPORARY: &str = ".new-";

/// After how long a temporary file is left over and not in use.
const LEFT_OVER: Duration = Duration::from_secs(3600);

/// Whether a value is to outlive a crash of the machine.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// It may get lost.
    Cache,
    /// It is on the disk before it has its name.
    Durable,
}

/// The folder.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
}

impl Store {
    /// The store in this folder, which the host has to have made.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    /// Whether there is a folder. Without one, a deployment does without a store.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.folder.is_dir()
    }

    /// Reads an entry.
    ///
    /// # Errors
    /// When the folder or the entry cannot be read.
    pub fn read(&self, name: &str) -> Result<Option<String>, Unavailable> {
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
            return Err(not_ours(&path, "is larger than 8 MiB"));
        }
        String::from_utf8(bytes)
            .map(Some)
            .map_err(|_| not_ours(&path, "is not text"))
    }

    /// Writes an entry.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn write(
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
    pub fn add(
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
    pub fn remove(&self, name: &str) -> Result<(), Unavailable> {
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
    pub fn names_in(&self, prefix: &str) -> Result<Vec<String>, Unavailable> {
        let failed = |error| self.failed("listed", prefix, &error);
        let entries = match fs::read_dir(self.path(prefix.trim_end_matches('/'))?) {
            Err(error) if error.kind() == ErrorKind::NotFound && self.is_there() => {
                return Ok(Vec::new());
            }
            entries => entries.map_err(failed)?,
        };
        let (mut names, mut temporary) = (Vec::new(), Vec::new());
        for entry in entries {
            let entry = entry.map_err(failed)?;
            let file = entry.file_name();
            let Some(file) = file.to_str() else { continue };
            if file.starts_with(TEMPORARY) {
                temporary.push(entry.path());
            } else if is_name(file) {
                names.push(format!("{prefix}{file}"));
            }
        }
        let entries = names.iter().map(|name| self.folder.join(name));
        remove_left_over(&temporary, entries);
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
        // Each of them is seeded with randomness of the host; two that are the same would fail, not mix.
        let random = RandomState::new().build_hasher().finish();
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

/// What instances share is a cache, so none of it waits for the disk.
impl SharedCache for Store {
    async fn get(&self, name: &str) -> Result<Option<String>, Unavailable> {
        self.read(name)
    }

    async fn set(&self, name: &str, value: &str) -> Result<(), Unavailable> {
        self.write(name, value, Durability::Cache)
    }

    async fn add(&self, name: &str, value: &str) -> Result<bool, Unavailable> {
        Self::add(self, name, value, Durability::Cache)
    }

    async fn delete(&self, name: &str) -> Result<(), Unavailable> {
        self.remove(name)
    }

    async fn names(&self) -> Result<Vec<String>, Unavailable> {
        self.names_in(SHARED_PREFIX)
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

/// Removes temporary files that are left over. The machine's clock can be ahead of the disk's, and the disk's newest file can be from
/// before a clock was set back: a file that is in use is old by one of the two at most.
fn remove_left_over(temporary: &[PathBuf], entries: impl Iterator<Item = PathBuf>) {
    let written = |path: &PathBuf| fs::metadata(path).and_then(|file| file.modified()).ok();
    let is_old = |path: &&PathBuf, now: SystemTime| {
        let age = written(path).and_then(|written| now.duration_since(written).ok());
        age.is_some_and(|age| age > LEFT_OVER)
    };
    let now = SystemTime::now();
    let old: Vec<&PathBuf> = temporary.iter().filter(|path| is_old(path, now)).collect();
    if old.is_empty() {
        // Usually all of them are in use, and a look at every entry would be for nothing.
        return;
    }
    let files = temporary.iter().cloned().chain(entries);
    let Some(newest) = files.filter_map(|path| written(&path)).max() else {
        return;
    };
    for path in old.into_iter().filter(|path| is_old(path, newest)) {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of its own, away when the test ends.
    struct Folder(PathBuf);

    impl Folder {
        fn new() -> Self {
            let random = RandomState::new().build_hasher().finish();
            let path = std::env::temp_dir().join(format!("edgekeeper-store-{random:016x}"));
            fs::create_dir(&path).unwrap();
            Self(path)
        }

        fn store(&self) -> Store {
            Store::new(&self.0)
        }

        fn files(&self, folder: &str) -> Vec<String> {
            let mut names: Vec<_> = fs::read_dir(self.0.join(folder))
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            drop(fs::remove_dir_all(&self.0));
        }
    }

    #[test]
    fn what_is_written_is_read_and_nothing_else_is_left_in_the_folder() {
        let folder = Folder::new();
        let store = folder.store();
        assert_eq!(store.read("keys/1"), Ok(None));
        for value in ["first", "second", ""] {
            store.write("keys/1", value, Durability::Durable).unwrap();
            assert_eq!(store.read("keys/1"), Ok(Some(value.to_owned())));
        }
        assert_eq!(folder.files("keys"), ["1"]);
        store.remove("keys/1").unwrap();
        store.remove("keys/1").unwrap();
        assert_eq!(store.read("keys/1"), Ok(None));
    }

    #[test]
    fn only_one_of_many_who_add_an_entry_did_and_its_value_stays() {
        let folder = Folder::new();
        let barrier = std::sync::Barrier::new(16);
        let added: Vec<String> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..16)
                .map(|number| {
                    let (store, barrier) = (folder.store(), &barrier);
                    scope.spawn(move || {
                        let value = format!("by {number}").repeat(10_000);
                        barrier.wait();
                        let did = store.add("sessions/a", &value, Durability::Cache);
                        did.unwrap().then_some(value)
                    })
                })
                .collect();
            let results = threads.into_iter().map(|thread| thread.join().unwrap());
            results.flatten().collect()
        });
        assert_eq!(added.len(), 1);
        assert_eq!(
            folder.store().read("sessions/a").unwrap(),
            added.first().cloned()
        );
        assert_eq!(folder.files("sessions"), ["a"]);
    }

    #[test]
    fn whoever_reads_while_it_is_written_gets_a_whole_value() {
        let folder = Folder::new();
        let store = folder.store();
        let values = ["a".repeat(200_000), "b".repeat(300_000)];
        store
            .write("sessions/a", &values[0], Durability::Cache)
            .unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for number in 0..200 {
                    let value = &values[number % 2];
                    folder
                        .store()
                        .write("sessions/a", value, Durability::Cache)
                        .unwrap();
                }
            });
            for _ in 0..200 {
                let read = store.read("sessions/a").unwrap().unwrap();
                assert!(
                    values.contains(&read),
                    "{} bytes are half a value",
                    read.len()
                );
            }
        });
    }

    #[test]
    fn a_name_that_could_lead_elsewhere_is_no_name() {
        let folder = Folder::new();
        fs::write(folder.0.with_extension("outside"), "x").unwrap();
        let store = Store::new(folder.0.join("inner"));
        for name in [
            "",
            "/",
            "..",
            "../x",
            "keys/../../x",
            "/etc/passwd",
            "keys/",
            "/keys/1",
            "keys//1",
            ".new-1",
            "keys/.",
            "KEYS/1",
            "keys\\1",
            "keys/1.json",
            "keys/ä",
            "keys/1\0",
            "keys/1\n",
            "c:",
            "sessions/a b",
        ] {
            let refused = Unavailable(format!("`{name}` is not the name of an entry"));
            assert_eq!(store.read(name), Err(refused.clone()), "{name:?}");
            assert_eq!(
                store.write(name, "x", Durability::Cache),
                Err(refused.clone()),
                "{name:?}"
            );
            assert_eq!(
                store.add(name, "x", Durability::Cache),
                Err(refused.clone()),
                "{name:?}"
            );
            assert_eq!(store.remove(name), Err(refused), "{name:?}");
        }
        drop(fs::remove_file(folder.0.with_extension("outside")));
    }

    #[test]
    fn names_are_those_of_entries_and_what_was_left_over_goes_after_an_hour() {
        let folder = Folder::new();
        let store = folder.store();
        assert_eq!(store.names_in("sessions/"), Ok(Vec::new()));
        for name in ["sessions/a-1", "sessions/b", "keys/7"] {
            store.write(name, "x", Durability::Cache).unwrap();
        }
        let sessions = folder.0.join("sessions");
        let hour = Duration::from_secs(3600);
        for (file, age) in [
            (".new-old", hour * 2),
            (".new-fresh", hour / 2),
            ("README.md", hour * 2),
        ] {
            let file = File::create(sessions.join(file)).unwrap();
            file.set_modified(SystemTime::now() - age).unwrap();
        }
        let mut names = store.names_in("sessions/").unwrap();
        names.sort();
        assert_eq!(names, ["sessions/a-1", "sessions/b"]);
        assert_eq!(
            folder.files("sessions"),
            [".new-fresh", "README.md", "a-1", "b"]
        );
    }

    /// What a writer works on is taken away by nobody, however far this machine's clock and the disk's are apart.
    #[test]
    fn a_clock_that_is_wrong_takes_no_file_away_from_its_writer() {
        let hours = |n: u32| Duration::from_secs(3600) * n;
        let now = SystemTime::now();
        for (what, entry, temporary) in [
            ("ahead of the disk's", now - hours(2), now - hours(2)),
            ("set back", now + hours(2), now),
            (
                "set back, and the disk's as well",
                now + hours(5),
                now + hours(2),
            ),
        ] {
            let folder = Folder::new();
            let store = folder.store();
            store.write("sessions/a", "x", Durability::Cache).unwrap();
            for (file, written) in [("a", entry), (".new-b", temporary)] {
                let file = folder.0.join("sessions").join(file);
                let file = File::create(file).unwrap();
                file.set_modified(written).unwrap();
            }
            store.names_in("sessions/").unwrap();
            assert_eq!(folder.files("sessions"), [".new-b", "a"], "{what}");
        }
    }

    #[test]
    fn what_the_gateway_cannot_have_written_is_not_read() {
        let folder = Folder::new();
        let store = folder.store();
        fs::create_dir(folder.0.join("keys")).unwrap();
        fs::write(folder.0.join("keys/1"), vec![b'x'; 8 << 20]).unwrap();
        assert_eq!(store.read("keys/1").unwrap().unwrap().len(), 8 << 20);
        for (bytes, reason) in [
            (vec![b'x'; (8 << 20) + 1], "is larger than 8 MiB"),
            (vec![0xff], "is not text"),
        ] {
            fs::write(folder.0.join("keys/1"), bytes).unwrap();
            let error = store.read("keys/1").unwrap_err().0;
            assert!(
                error.contains(reason) && error.contains("keys/1"),
                "{error}"
            );
        }
    }

    #[test]
    fn without_a_folder_nothing_is_known_and_the_text_says_what_to_do() {
        let folder = Folder::new();
        let store = Store::new(folder.0.join("none"));
        assert!(!store.is_there());
        let errors = [
            store.read("keys/1").unwrap_err(),
            store.write("keys/1", "x", Durability::Durable).unwrap_err(),
            store.add("keys/1", "x", Durability::Durable).unwrap_err(),
            store.remove("keys/1").unwrap_err(),
            store.names_in("keys/").unwrap_err(),
        ];
        for Unavailable(text) in errors {
            assert!(
                text.contains("--dir FOLDER::") && text.contains("none"),
                "{text}"
            );
        }
    }

    #[test]
    fn a_folder_that_cannot_be_used_is_said_to_be_one() {
        let folder = Folder::new();
        fs::write(folder.0.join("keys"), "not a folder").unwrap();
        let store = folder.store();
        let errors = [
            store.read("keys/1").unwrap_err(),
            store.write("keys/1", "x", Durability::Durable).unwrap_err(),
            store.add("keys/1", "x", Durability::Durable).unwrap_err(),
            store.names_in("keys/").unwrap_err(),
        ];
        for Unavailable(text) in errors {
            assert!(text.contains("may read and write"), "{text}");
        }
    }
}
