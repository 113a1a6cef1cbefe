//! Where the parser stands in a regular expression.

use super::super::syntax::PatternError;

/// What is left to read of a regular expression.
pub(super) struct Cursor<'p> {
    rest: std::str::Chars<'p>,
    /// Reads all that is not unsafe as the engine does.
    pub(super) strict: bool,
    /// Where the expression ends in the pattern, in bytes.
    end: usize,
}

impl<'p> Cursor<'p> {
    /// `start` is where `regex` stands in the pattern, in bytes.
    pub(super) fn new(regex: &'p str, start: usize, strict: bool) -> Cursor<'p> {
        Cursor {
            rest: regex.chars(),
            strict,
            end: start.saturating_add(regex.len()),
        }
    }

    pub(super) fn rest(&self) -> &'p str {
        self.rest.as_str()
    }

    /// Goes on at `rest`, which is an end of what was left.
    pub(super) fn skip_to(&mut self, rest: &'p str) {
        self.rest = rest.chars();
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest.clone().next()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        self.rest.next()
    }

    /// Reads `text` if it comes next.
    pub(super) fn eat(&mut self, text: &str) -> bool {
        match self.rest().strip_prefix(text) {
            Some(rest) => {
                self.skip_to(rest);
                true
            }
            None => false,
        }
    }

    /// Reads the letters, digits and `_` of a group's name, as far as they go.
    pub(super) fn name(&mut self) -> String {
        let mut name = String::new();
        while let Some(c) = self.peek().filter(|c| c.is_alphanumeric() || *c == '_') {
            name.push(c);
            self.next();
        }
        name
    }

    /// Where the next character stands in the pattern, in bytes.
    pub(super) fn offset(&self) -> usize {
        self.end.saturating_sub(self.rest().len())
    }

    /// An error about what comes next.
    pub(super) fn error(&self, message: impl Into<String>) -> PatternError {
        PatternError::new(self.offset(), message)
    }
}
