//! The operator's files.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use edgekeeper_policy::compile::{MAX_FILE_BYTES, Sources};

/// Reads files as they are named, relative to the working directory.
pub(crate) struct FileSystem;

impl Sources for FileSystem {
    fn read(&self, path: &str) -> Result<String, String> {
        // Of a longer one enough to be refused for it.
        let bytes = bytes(Path::new(path), MAX_FILE_BYTES.saturating_add(1))
            .map_err(|error| reason(&error))?;
        if bytes.len() > MAX_FILE_BYTES {
            return Ok(String::from_utf8_lossy(&bytes).into_owned());
        }
        text(bytes)
    }
}

/// A document of ours, or one of Kratos', is not longer.
const LARGEST: usize = 256 << 20;

/// How long a pipe may take.
const PIPE_PATIENCE: Duration = Duration::from_secs(30);

/// Reads a whole file as text.
///
/// # Errors
/// Says why it cannot be read, to stand behind the file's name.
pub(crate) fn read(path: &Path) -> Result<String, String> {
    let bytes = bytes(path, LARGEST.saturating_add(1)).map_err(|error| reason(&error))?;
    if bytes.len() > LARGEST {
        return Err(format!("it has more than {} MB", LARGEST >> 20));
    }
    text(bytes)
}

/// What is in a file, `most` bytes of it: a device can have no end.
fn bytes(path: &Path, most: usize) -> io::Result<Vec<u8>> {
    let read = move |path: &Path| {
        let mut bytes = Vec::new();
        let most = u64::try_from(most).unwrap_or(u64::MAX);
        fs::File::open(path)?.take(most).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    if !is_pipe(path) {
        return read(path);
    }
    // Nobody may ever write into it.
    let (tell, told) = mpsc::channel();
    let path = path.to_owned();
    thread::spawn(move || tell.send(read(&path)));
    told.recv_timeout(PIPE_PATIENCE).unwrap_or_else(|_| {
        let seconds = PIPE_PATIENCE.as_secs();
        let message = format!("it is a pipe, and not at its end within {seconds} seconds");
        Err(io::Error::new(io::ErrorKind::TimedOut, message))
    })
}

#[cfg(unix)]
fn is_pipe(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    fs::metadata(path).is_ok_and(|there| there.file_type().is_fifo())
}

#[cfg(not(unix))]
fn is_pipe(_path: &Path) -> bool {
    false
}

/// # Errors
/// Says where it is no text, and what to do.
fn text(bytes: Vec<u8>) -> Result<String, String> {
    // Of UTF-16, what these files begin with has a zero in each pair of bytes. It may be UTF-8 at the same time.
    let is_wide = matches!(
        bytes.as_slice(),
        [0xff, 0xfe, ..]
            | [0xfe, 0xff, ..]
            | [0, 1..=0xff, 0, 1..=0xff, ..]
            | [1..=0xff, 0, 1..=0xff, 0, ..]
    );
    if is_wide {
        return Err("it is not UTF-8 text, but UTF-16; save it as UTF-8".to_owned());
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let (before, rest) = error.as_bytes().split_at_checked(valid).unwrap_or_default();
        let byte = rest.first().copied().unwrap_or_default();
        let lines = String::from_utf8_lossy(before);
        let line = lines.matches('\n').count().saturating_add(1);
        let column = lines.rsplit('\n').next().unwrap_or_default();
        let column = column.chars().count().saturating_add(1);
        format!(
            "it is not UTF-8 text, by the byte 0x{byte:02X} at {line}:{column}; save it as UTF-8"
        )
    })
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
        io::ErrorKind::NotADirectory => "a part of its path is a file".to_owned(),
        _ => error.to_string(),
    }
}

/// Prints a line. Whoever reads may have gone, as `head` does; that is no failure of ours.
pub(crate) fn print(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_utf_8_is_told_with_its_place() {
        for (bytes, expected) in [
            (&b"a: \xc3\xa9\n"[..], Ok("a: é\n")),
            (b"", Ok("")),
            (b"\xef\xbb\xbfa", Ok("\u{feff}a")),
            (b"a\0", Ok("a\0")),
            (
                b"a: 1\nb: caf\xe9\n",
                Err("it is not UTF-8 text, by the byte 0xE9 at 2:7; save it as UTF-8"),
            ),
            (
                b"\xc3\xa9\xc3",
                Err("it is not UTF-8 text, by the byte 0xC3 at 1:2; save it as UTF-8"),
            ),
            (
                b"\xff\xfea\0",
                Err("it is not UTF-8 text, but UTF-16; save it as UTF-8"),
            ),
            (
                b"\xfe\xff\0a",
                Err("it is not UTF-8 text, but UTF-16; save it as UTF-8"),
            ),
            (
                b"[\0\n\0{\0",
                Err("it is not UTF-8 text, but UTF-16; save it as UTF-8"),
            ),
            (
                b"\0[\0\n",
                Err("it is not UTF-8 text, but UTF-16; save it as UTF-8"),
            ),
        ] {
            let found = text(bytes.to_vec());
            assert_eq!(found.as_deref().map_err(String::as_str), expected);
        }
    }

    #[cfg(unix)]
    #[test]
    fn of_a_device_without_an_end_no_more_is_read_than_counts() {
        let read = FileSystem.read("/dev/zero").unwrap();
        assert_eq!(read.len(), MAX_FILE_BYTES + 1);
        assert_eq!(
            super::read(Path::new("/dev/zero")),
            Err("it has more than 256 MB".to_owned())
        );
    }
}
