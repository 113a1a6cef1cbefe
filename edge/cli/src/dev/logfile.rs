//! A file that a gateway writes its log into.

use std::fs::{self, File};
use std::io::{self, Read, Seek as _};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

/// How often is looked for more.
const OFTEN: Duration = Duration::from_millis(200);

/// Reads a file from its beginning, and never ends: at the end it waits for more. A file that got shorter, or another in its place, is
/// read from its beginning.
pub(super) struct Logfile {
    path: PathBuf,
    file: File,
    read: u64,
}

impl Logfile {
    /// Opens it.
    ///
    /// # Errors
    /// When there is no such file.
    pub(super) fn open(path: PathBuf) -> io::Result<Self> {
        let file = File::open(&path)?;
        if file.metadata()?.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        Ok(Self {
            path,
            file,
            read: 0,
        })
    }

    /// Opens what is now there under its name, if that is another file.
    fn look(&mut self) -> io::Result<()> {
        let Ok(there) = fs::metadata(&self.path) else {
            // It comes back.
            return Ok(());
        };
        if is_same(&there, &self.file.metadata()?) {
            if there.len() < self.read {
                self.file.rewind()?;
                self.read = 0;
            }
        } else if let Ok(file) = File::open(&self.path) {
            self.file = file;
            self.read = 0;
        }
        Ok(())
    }
}

#[cfg(unix)]
fn is_same(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn is_same(_one: &fs::Metadata, _other: &fs::Metadata) -> bool {
    true
}

impl Read for Logfile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.file.read(buffer)?;
            if read > 0 {
                let more = u64::try_from(read).unwrap_or(u64::MAX);
                self.read = self.read.saturating_add(more);
                return Ok(read);
            }
            thread::sleep(OFTEN);
            self.look()?;
        }
    }
}
