//! Where the files come from, and which one an address in a file means.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Reads an operator's files. The compiler itself touches no file system.
pub trait Sources {
    /// Reads a whole file as text.
    ///
    /// # Errors
    /// Says why it cannot be read, to stand behind the file's name: `no such file`.
    fn read(&self, path: &str) -> Result<String, String>;
}

impl Sources for BTreeMap<String, String> {
    fn read(&self, path: &str) -> Result<String, String> {
        self.get(path)
            .cloned()
            .ok_or_else(|| "no such file".to_owned())
    }
}

/// No configuration is this long; what is, is not read into memory several times over.
pub const MAX_FILE_BYTES: usize = 16 << 20;

/// All files of rules together are not longer, but for the last one.
pub(super) const MAX_RULES_BYTES: usize = 48 << 20;

/// A file's text without the mark of its encoding, and with `\n` where only `\r` ends a line, as YAML has it: so every reader
/// counts the same lines.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut following = text.bytes().skip(1).chain(std::iter::once(0));
    let has_lone = text
        .bytes()
        .any(|byte| following.next() != Some(b'\n') && byte == b'\r');
    if !has_lone {
        return Cow::Borrowed(text);
    }
    // Line ends of two characters stay: columns count both.
    let mut unified = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        let is_lone = c == '\r' && characters.peek() != Some(&'\n');
        unified.push(if is_lone { '\n' } else { c });
    }
    Cow::Owned(unified)
}

/// What an entry of `access_rules.repositories` stands for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Repository {
    /// A file at this path.
    File(String),
    /// Rules that stand in the configuration itself.
    Inline(String),
}

/// Why a repository cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RepositoryError {
    pub(super) message: String,
    pub(super) help: String,
}

/// Reads an entry of `access_rules.repositories`.
///
/// Relative paths are relative to the configuration's folder, where Oathkeeper is started as a rule;
/// absolute ones are looked up under `root`, if there is one.
pub(super) fn repository(
    address: &str,
    config: &str,
    root: Option<&str>,
) -> Result<Repository, RepositoryError> {
    let refuse = |message: String, help: &str| {
        Err(RepositoryError {
            message,
            help: help.to_owned(),
        })
    };
    if let Some(encoded) = address.strip_prefix("inline://") {
        return match decode_inline(encoded) {
            Some(text) => Ok(Repository::Inline(text)),
            None => refuse(
                "`inline://` is not followed by Base64 of a text".to_owned(),
                "encode the rules with `base64 -w0 access-rules.json` and put the result behind `inline://`",
            ),
        };
    }
    let path = match address.split_once("://") {
        None => address,
        Some(("file", path)) => path,
        Some((scheme @ ("http" | "https" | "s3" | "gs" | "azblob"), _)) => {
            return refuse(
                format!("rules from `{scheme}://` are not here yet: `{address}`"),
                "put the rules into a file beside the configuration and name it as `file://./access-rules.json`",
            );
        }
        Some((scheme, _)) => {
            return refuse(
                format!("`{scheme}` is not a kind of repository: `{address}`"),
                "write `file://./access-rules.json`, a plain path, or `inline://` and Base64",
            );
        }
    };
    if path.trim_start_matches("./").is_empty() {
        return refuse(
            format!("`{address}` names no file"),
            "write a path, such as `file://./access-rules.json`",
        );
    }
    if path.starts_with('/') {
        let root = root
            .map(|root| root.trim_end_matches('/'))
            .unwrap_or_default();
        return Ok(Repository::File(format!("{root}{path}")));
    }
    let path = path.strip_prefix("./").unwrap_or(path);
    Ok(Repository::File(match config.rsplit_once('/') {
        Some((folder, _)) => format!("{folder}/{path}"),
        None => path.to_owned(),
    }))
}

fn decode_inline(encoded: &str) -> Option<String> {
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    [alphabet::STANDARD, alphabet::URL_SAFE]
        .iter()
        .find_map(|alphabet| {
            GeneralPurpose::new(alphabet, config)
                .decode(encoded.trim())
                .ok()
        })
        .and_then(|bytes| String::from_utf8(bytes).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_as_in_yaml_and_columns_stay() {
        for (text, expected) in [
            ("a\nb", "a\nb"),
            ("\u{feff}a", "a"),
            ("a\r\nb\r\n", "a\r\nb\r\n"),
            ("a\rb\r", "a\nb\n"),
            ("é\r\r\nb\rc", "é\n\r\nb\nc"),
            ("", ""),
        ] {
            assert_eq!(plain(text), expected, "{text:?}");
        }
    }

    #[test]
    fn addresses_become_paths_as_the_operator_expects() {
        for (address, root, expected) in [
            ("file://./rules.json", None, "conf/rules.json"),
            ("file://rules.json", None, "conf/rules.json"),
            ("rules.json", None, "conf/rules.json"),
            ("file:///etc/rules.json", None, "/etc/rules.json"),
            (
                "file:///etc/rules.json",
                Some("/srv/root/"),
                "/srv/root/etc/rules.json",
            ),
            ("/etc/rules.json", Some("root"), "root/etc/rules.json"),
        ] {
            assert_eq!(
                repository(address, "conf/oathkeeper.yml", root),
                Ok(Repository::File(expected.to_owned())),
                "{address}"
            );
        }
        assert_eq!(
            repository("./a.json", "oathkeeper.yml", None),
            Ok(Repository::File("a.json".to_owned()))
        );
    }

    #[test]
    fn inline_rules_come_with_or_without_padding() {
        for encoded in ["W10=", "W10"] {
            assert_eq!(
                repository(&format!("inline://{encoded}"), "c", None),
                Ok(Repository::Inline("[]".to_owned()))
            );
        }
        assert!(repository("inline://*", "c", None).is_err());
        assert!(repository("inline:///w==", "c", None).is_err(), "not UTF-8");
    }

    #[test]
    fn what_is_not_here_yet_is_named() {
        for scheme in ["http", "https", "s3", "gs", "azblob", "ftp"] {
            let error = repository(&format!("{scheme}://a/b"), "c", None).unwrap_err();
            assert!(
                error.message.contains(&format!("{scheme}://a/b")),
                "{error:?}"
            );
        }
    }
}
