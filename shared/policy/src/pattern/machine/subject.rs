//! The text that is matched, read from any position in either direction.

use super::super::instruction::{Assertion, Direction};

/// The text that is matched. Positions are in bytes.
#[derive(Clone, Copy)]
pub(super) struct Subject<'t>(&'t str);

impl<'t> Subject<'t> {
    pub(super) fn new(text: &'t str) -> Subject<'t> {
        Subject(text)
    }

    pub(super) fn as_str(self) -> &'t str {
        self.0
    }

    /// The position behind a literal text, if that stands here.
    pub(super) fn after(self, position: usize, text: &str, direction: Direction) -> Option<usize> {
        let text = text.as_bytes();
        match direction {
            Direction::Forward => {
                let rest = self.0.as_bytes().get(position..)?;
                rest.starts_with(text)
                    .then(|| position.saturating_add(text.len()))
            }
            Direction::Back => {
                let rest = self.0.as_bytes().get(..position)?;
                rest.ends_with(text)
                    .then(|| position.saturating_sub(text.len()))
            }
        }
    }

    /// The character beside a position, and the position on its other side.
    pub(super) fn char_at(self, position: usize, direction: Direction) -> Option<(char, usize)> {
        match direction {
            Direction::Forward => {
                let c = self.0.get(position..)?.chars().next()?;
                Some((c, position.saturating_add(c.len_utf8())))
            }
            Direction::Back => {
                let c = self.0.get(..position)?.chars().next_back()?;
                Some((c, position.saturating_sub(c.len_utf8())))
            }
        }
    }

    pub(super) fn holds(self, assertion: Assertion, position: usize) -> bool {
        let before = || self.char_at(position, Direction::Back).map(|(c, _)| c);
        let after = || self.char_at(position, Direction::Forward).map(|(c, _)| c);
        let boundary = || before().is_some_and(is_word) != after().is_some_and(is_word);
        match assertion {
            Assertion::TextStart => position == 0,
            Assertion::TextEnd => position == self.0.len(),
            Assertion::LineStart => before().is_none_or(|c| c == '\n'),
            Assertion::LineEnd => after().is_none_or(|c| c == '\n'),
            Assertion::WordBoundary => boundary(),
            Assertion::NoWordBoundary => !boundary(),
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}
