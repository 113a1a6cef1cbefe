//! Keeps a template that writes JSON from being broken by the values it prints.
//!
//! The template's own text decides where a string begins and ends. What an action prints inside a
//! string is escaped; what it prints elsewhere must be one whole JSON value. So no value can close
//! a string, add a claim, or continue a number.

use std::borrow::Cow;

use crate::json;

/// Where in a JSON document the output stands.
#[derive(Default)]
pub(crate) struct JsonPosition {
    in_string: bool,
    /// Characters of the template's text still belonging to a `\` in a string.
    escape: u8,
    /// The last character that is not white space, outside of strings.
    last: Option<char>,
}

impl JsonPosition {
    /// Follows the template's own text.
    pub(crate) fn literal(&mut self, text: &str) {
        for c in text.chars() {
            if self.in_string {
                match (self.escape, c) {
                    (0, '\\') => self.escape = 1,
                    (0, '"') => self.in_string = false,
                    (0, _) => {}
                    (1, 'u') => self.escape = 5,
                    (n, _) if n > 2 => self.escape = n.saturating_sub(1),
                    _ => self.escape = 0,
                }
            } else if c == '"' {
                self.in_string = true;
                self.escape = 0;
                self.last = Some(c);
            } else if !matches!(c, ' ' | '\t' | '\r' | '\n') {
                self.last = Some(c);
            }
        }
    }

    /// What to write for an action's output. `empty_is_null`: an empty output stands for `null`.
    pub(crate) fn action<'o>(
        &mut self,
        output: &'o str,
        empty_is_null: bool,
    ) -> Result<Cow<'o, str>, String> {
        if self.in_string {
            if self.escape > 0 {
                return Err(
                    "the text before this action ends in an unfinished \\ escape of a JSON string"
                        .to_owned(),
                );
            }
            let mut escaped = String::with_capacity(output.len());
            json::escape(&mut escaped, output, false);
            return Ok(Cow::Owned(escaped));
        }
        if !matches!(self.last, None | Some('{' | '[' | ',' | ':')) {
            return Err("no JSON value may stand here; a value follows `:`, `,` or `[`".to_owned());
        }
        self.last = Some('v');
        if empty_is_null && output.trim().is_empty() {
            return Ok(Cow::Borrowed("null"));
        }
        if serde_json::from_str::<serde_json::Value>(output).is_err() {
            return Err("the output is not one JSON value; outside of quotes use toJson, as in {{ .Subject | toJson }}".to_owned());
        }
        Ok(Cow::Borrowed(output))
    }
}
