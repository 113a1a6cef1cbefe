//! The operator's files.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use edgekeeper_policy::compile::Sources;

/// Reads files as they are named, relative to the working directory.
pub(crate) struct FileSystem;

impl Sources for FileSystem {
    fn read(&self, path: &str) -> Result<String, String> {
        let bytes = fs::read(path).map_err(|error| reason(&error))?;
        String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())
    }
}

/// Writes a whole file or none: readers see the old content until the new one is complete.
///
/// # Errors
/// Says which file could not be written and why.
pub(crate) fn write(path: &Path, content: &[u8], mode: u32) -> Result<(), String> {
    let name = path
        .file_name()
        .ok_or_else(|| format!("error: `{}` does not name a file to write", path.display()))?;
    // In the same folder, so that the rename stays on one file system.
    let mut temporary = name.to_owned();
    temporary.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(temporary);
    let result = create(&temporary, mode)
        .and_then(|mut file| file.write_all(content).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&temporary, path));
    result.map_err(|error| {
        let _ = fs::remove_file(&temporary);
        format!(
            "error: `{}` cannot be written: {}",
            path.display(),
            reason(&error)
        )
    })
}

#[cfg(unix)]
fn create(path: &Path, mode: u32) -> io::Result<fs::File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
}

#[cfg(not(unix))]
fn create(path: &Path, _mode: u32) -> io::Result<fs::File> {
    fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
}

/// An I/O error without its number.
pub(crate) fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file or folder".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        _ => error.to_string(),
    }
}

/// Prints a line. Whoever reads may have gone, as `head` does; that is no failure of ours.
pub(crate) fn print(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}
