//! What one value is expected to be.

use std::fmt;

use edgekeeper_policy::compile::{Content, Tree};
use regex::Regex;
use serde_json::Value;

use super::reader::Reader;

/// What a text is to be: `absent`, `/a regular expression/`, or the very text.
#[derive(Debug, Clone)]
pub(super) enum Wanted {
    Absent,
    Pattern(Regex),
    Exactly(String),
}

/// What a claim of a token is to be: a text as for headers, or the very value.
#[derive(Debug, Clone)]
pub(super) enum WantedClaim {
    Text(Wanted),
    Value(Value),
}

impl Wanted {
    pub(super) fn read(tree: &Tree, what: &str, reader: &mut Reader) -> Option<Self> {
        let text = reader.text(tree, what)?;
        if text == "absent" {
            return Some(Self::Absent);
        }
        let pattern = text
            .strip_prefix('/')
            .and_then(|rest| rest.strip_suffix('/'));
        let Some(pattern) = pattern else {
            return Some(Self::Exactly(text.to_owned()));
        };
        match Regex::new(pattern) {
            Ok(pattern) => Some(Self::Pattern(pattern)),
            Err(error) => {
                let error = error.to_string();
                // The lines before draw the pattern with a caret.
                let error = error.lines().last().unwrap_or_default();
                let error = error.trim_start_matches("error: ");
                reader.refuse(
                    tree.place,
                    &format!("the pattern of {what} cannot be read: {error}"),
                    "between the slashes stands a regular expression, such as `/^https:\\/\\/login\\./`",
                );
                None
            }
        }
    }

    /// Whether one of the values is as expected, or none is there where none is to be.
    pub(super) fn fits<'v>(&self, mut values: impl Iterator<Item = &'v str>) -> bool {
        match self {
            Self::Absent => values.next().is_none(),
            Self::Pattern(pattern) => values.any(|value| pattern.is_match(value)),
            Self::Exactly(text) => values.any(|value| value == text),
        }
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("absent"),
            Self::Pattern(pattern) => write!(f, "/{}/", pattern.as_str()),
            Self::Exactly(text) => write!(f, "`{text}`"),
        }
    }
}

impl WantedClaim {
    pub(super) fn read(tree: &Tree, what: &str, reader: &mut Reader) -> Option<Self> {
        match &tree.content {
            Content::Text(_) => Wanted::read(tree, what, reader).map(Self::Text),
            _ => Some(Self::Value(tree.json())),
        }
    }

    pub(super) fn fits(&self, found: Option<&Value>) -> bool {
        match (self, found) {
            (Self::Text(Wanted::Absent), found) => found.is_none(),
            (Self::Text(wanted), Some(Value::String(text))) => {
                wanted.fits(std::iter::once(text.as_str()))
            }
            (Self::Value(wanted), Some(found)) => wanted == found,
            (Self::Text(_), Some(_)) | (_, None) => false,
        }
    }
}

impl fmt::Display for WantedClaim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(wanted) => wanted.fmt(f),
            Self::Value(value) => write!(f, "`{value}`"),
        }
    }
}
