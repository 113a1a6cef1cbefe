//! Splits a pattern into literal text and the regular expressions in its angle brackets.

use std::fmt;

use super::ast::{Groups, Node};
use super::original;
use super::regex::Parser;

/// A pattern that cannot be compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternError {
    /// Where in the pattern, in bytes from its start.
    pub offset: usize,
    /// What is wrong there and what to do about it.
    pub message: String,
    /// What Oathkeeper says about such a pattern, to each request that it would have to match; `None` if it can read it.
    pub original: Option<String>,
}

impl PatternError {
    pub(super) fn new(offset: usize, message: impl Into<String>) -> PatternError {
        PatternError {
            offset,
            message: message.into(),
            original: None,
        }
    }

    /// The same, knowing what Oathkeeper says.
    pub(super) fn original(mut self, says: impl Into<String>) -> PatternError {
        self.original = Some(says.into());
        self
    }
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} (at character {} of the pattern)",
            self.message,
            self.offset.saturating_add(1)
        )
    }
}

impl std::error::Error for PatternError {}

/// A part of a pattern.
pub(super) enum Piece {
    /// Text outside angle brackets. Never empty.
    Text(String),
    /// An outermost `<...>` with the capture group that it is.
    Regex(Node),
}

/// Splits and parses a pattern.
///
/// Brackets are paired as Oathkeeper pairs them, which counts every `<` and `>`. Where that fails, those of `(?<=`,
/// `(?<!` and `(?>` are left out of the count, so that look-behind and atomic groups can be written plainly. What
/// Oathkeeper can read is thus never read otherwise.
///
/// `strict` reads nothing that Oathkeeper does not read.
pub(super) fn parse(pattern: &str, strict: bool) -> Result<(Vec<Piece>, Groups), PatternError> {
    let read_it = read(pattern, false, strict);
    if strict {
        return read_it;
    }
    read_it.or_else(|error| read(pattern, true, false).map_err(|_| error))
}

fn read(pattern: &str, plainly: bool, strict: bool) -> Result<(Vec<Piece>, Groups), PatternError> {
    let mut pieces = Vec::new();
    let mut groups = Groups::default();
    if strict {
        original::check_balance(pattern)?;
    }
    let mut open = Vec::new();
    let mut text = String::new();
    for (offset, c) in pattern.char_indices() {
        let (before, after) = pattern.split_at_checked(offset).unwrap_or_default();
        let of_a_group = before.ends_with("(?")
            && (after.starts_with("<=") || after.starts_with("<!") || after.starts_with('>'));
        if plainly && of_a_group && !open.is_empty() {
            continue;
        }
        match (c, open.as_slice()) {
            ('<', outer) => {
                if outer.is_empty() && !text.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut text)));
                }
                open.push(offset);
            }
            ('>', []) => {
                return Err(PatternError::new(
                    offset,
                    "`>` without a `<` before it; a regular expression is written `<...>`, and a `>` inside it needs \
                     its own `<`, or write it as \\x3E inside the brackets",
                ));
            }
            ('>', &[start]) => {
                let start = start.saturating_add(1);
                let regex = pattern.get(start..offset).unwrap_or_default();
                if strict {
                    original::check_alone(pattern, regex, start)?;
                }
                pieces.push(Piece::Regex(
                    Parser::new(regex, start, strict, &mut groups).parse()?,
                ));
                open.clear();
            }
            ('>', _) => {
                open.pop();
            }
            (_, []) => text.push(c),
            _ => {}
        }
    }
    if let Some(&start) = open.first() {
        return Err(PatternError::new(
            start,
            "`<` is never closed; add `>` where the regular expression ends, or write a literal `<` inside it as \\x3C",
        ));
    }
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    Ok((pieces, groups))
}
