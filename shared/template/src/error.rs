//! What can go wrong while a template is read or rendered.

use std::fmt;

/// The template's text is not a template this crate accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParseError {
    /// Line in the template's text, from 1.
    pub line: usize,
    /// Column in that line, in characters, from 1.
    pub column: usize,
    /// What was found and what is allowed.
    pub message: String,
    /// The same as Go says it: `template: name:1: function "x" not defined`.
    pub go: String,
}

impl ParseError {
    pub(crate) fn new(name: &str, text: &str, pos: usize, go: &str, advice: &str) -> ParseError {
        let before = text.get(..pos).unwrap_or(text);
        let line = before.matches('\n').count().saturating_add(1);
        let column = before
            .rsplit('\n')
            .next()
            .unwrap_or("")
            .chars()
            .count()
            .saturating_add(1);
        let message = if advice.is_empty() {
            go.to_owned()
        } else {
            format!("{go}: {advice}")
        };
        ParseError {
            line,
            column,
            message,
            go: format!("template: {name}:{line}: {go}"),
        }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "template line {}, column {}: {}",
            self.line, self.column, self.message
        )
    }
}

impl std::error::Error for ParseError {}

/// Rendering stopped. Shown in the words of Go's `text/template`, with the place in the text.
///
/// It names fields and types, never the values a request or session brought along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderError {
    message: String,
}

impl RenderError {
    /// `context` is the expression that failed, as Go prints it; `executing` the (sub)template's name.
    pub(crate) fn at(
        name: &str,
        executing: &str,
        text: &str,
        pos: usize,
        context: &str,
        what: &str,
    ) -> RenderError {
        let before = text.get(..pos).unwrap_or(text);
        let line = before.matches('\n').count().saturating_add(1);
        let column = before.rsplit('\n').next().unwrap_or("").len();
        let executing = crate::format::quoted(executing);
        RenderError {
            message: format!(
                "template: {name}:{line}:{column}: executing {executing} at <{context}>: {what}"
            ),
        }
    }
}

impl fmt::Display for RenderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for RenderError {}
