//! A folder of a test's own.

use std::fs;
use std::path::{Path, PathBuf};

/// An empty folder of this name with these files in it, each by its name.
pub(crate) fn with<T: AsRef<[u8]>>(name: &str, files: &[(&str, T)]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    for (file, content) in files {
        fs::write(folder.join(file), content).unwrap();
    }
    folder
}
