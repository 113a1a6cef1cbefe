//! The files of a component, copied to a folder that it sees as `/`, read-only.

use std::path::{Component as Part, Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use crate::manifest::FileMount;

/// A folder of copies. It goes when this does.
#[derive(Debug)]
pub struct Mounts(PathBuf);

impl Mounts {
    /// Copies the files of a component, if it has any. Sources are relative to `application`.
    ///
    /// # Errors
    /// A source does not exist, is a pattern, or a file cannot be copied.
    pub fn copy(id: &str, files: &[FileMount], application: &Path) -> Result<Option<Self>> {
        if files.is_empty() {
            return Ok(None);
        }
        let folder = std::env::temp_dir().join(format!("spin-host-{}-{id}", std::process::id()));
        // What a killed process of the same number left.
        drop(std::fs::remove_dir_all(&folder));
        std::fs::create_dir(&folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
        let mounts = Self(folder);
        for file in files {
            let (source, destination) = match file {
                FileMount::Path(path) => (path, path),
                FileMount::Placement {
                    source,
                    destination,
                } => (source, destination),
            };
            let target = mounts.0.join(inside(destination)?);
            copy(&application.join(source), &target).with_context(|| {
                format!(
                    "files: {source:?} (this host knows names of files and folders, no patterns)"
                )
            })?;
        }
        Ok(Some(mounts))
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.0
    }
}

impl Drop for Mounts {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            eprintln!("cannot remove {}: {error}", self.0.display());
        }
    }
}

/// The path without its root.
fn inside(destination: &Path) -> Result<PathBuf> {
    let mut path = PathBuf::new();
    for part in destination.components() {
        ensure!(
            part != Part::ParentDir,
            "files: {destination:?} leaves the component's folder"
        );
        if let Part::Normal(name) = part {
            path.push(name);
        }
    }
    Ok(path)
}

fn copy(source: &Path, target: &Path) -> Result<()> {
    let mut left = vec![(source.to_owned(), target.to_owned())];
    while let Some((source, target)) = left.pop() {
        if source.is_dir() {
            std::fs::create_dir_all(&target)?;
            for entry in std::fs::read_dir(&source)? {
                let entry = entry?;
                left.push((entry.path(), target.join(entry.file_name())));
            }
        } else {
            if let Some(folder) = target.parent() {
                std::fs::create_dir_all(folder)?;
            }
            std::fs::copy(&source, &target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_files_and_folders_and_takes_them_away_again() {
        let application =
            std::env::temp_dir().join(format!("spin-host-application-{}", std::process::id()));
        std::fs::create_dir_all(application.join("folder/deep")).unwrap();
        std::fs::write(application.join("policy.json"), "1").unwrap();
        std::fs::write(application.join("folder/deep/file"), "2").unwrap();
        let place = |source: &str, destination: &str| FileMount::Placement {
            source: source.into(),
            destination: destination.into(),
        };
        let files = [
            FileMount::Path("policy.json".into()),
            place("folder", "/other"),
            place("policy.json", "/a/b"),
        ];
        let mounts = Mounts::copy("mounts", &files, &application)
            .unwrap()
            .unwrap();
        let folder = mounts.folder().to_owned();
        for (path, content) in [("policy.json", "1"), ("other/deep/file", "2"), ("a/b", "1")] {
            assert_eq!(
                std::fs::read_to_string(folder.join(path)).unwrap(),
                content,
                "{path}"
            );
        }
        drop(mounts);
        assert!(!folder.exists());

        assert!(
            Mounts::copy("missing", &[FileMount::Path("*.json".into())], &application).is_err()
        );
        assert!(Mounts::copy("outside", &[place("policy.json", "/../x")], &application).is_err());
        assert!(Mounts::copy("none", &[], &application).unwrap().is_none());
        std::fs::remove_dir_all(application).unwrap();
    }
}
