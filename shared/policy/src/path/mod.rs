//! GJSON paths: where in a JSON answer a value is, as in Oathkeeper's `subject_from` and `extra_from`.
//!
//! | path | gives |
//! |---|---|
//! | `identity.traits.email` | the value under these keys |
//! | `fav\.movie` | the key `fav.movie`: a backslash takes the meaning from the next character |
//! | `roles.0` | the first element of an array |
//! | `roles.#` | how many elements it has |
//! | `friends.#.first` | this key of every element that has it |
//! | `child*.?` | the first key that fits: `*` is any text, `?` one character |
//! | `friends.#(last=="Murphy").first` | the first element that fits; `#(...)#` all of them |
//! | `roles.#(%"dev-*")` | elements themselves are compared when no key is named |
//! | `friends.#.first\|0` | the path after the bar is taken from the whole result before it |
//! | `@this` | the whole document |
//!
//! Comparisons are `==` (or `=`), `!=`, `<`, `<=`, `>`, `>=`, `%` (fits the wildcards) and `!%`; `~true`, `~false`,
//! `~null` and `~*` stand for anything true, false, null, or there. A value of another kind than the one it is
//! compared with does not fit, not even with `!=`.
//!
//! What differs from Oathkeeper, and why: other modifiers (`@reverse`), literals (`!"x"`) and multipaths (`{a,b}`,
//! `[a,b]`) are refused, as they build values instead of finding them. The document is parsed first, so of two equal
//! keys the last one counts, and wildcards try an object's keys in alphabetical order.
//!
//! ```
//! use edgekeeper_policy::path::GjsonPath;
//! use serde_json::json;
//!
//! let session = json!({"identity": {"traits": {"email": "a@example.com", "roles": ["dev", "ops"]}}});
//! let email = GjsonPath::parse("identity.traits.email")?;
//! assert_eq!(email.eval(&session).as_deref(), Some(&json!("a@example.com")));
//! let role = GjsonPath::parse(r#"identity.traits.roles.#(=="ops")"#)?;
//! assert_eq!(role.eval(&session).as_deref(), Some(&json!("ops")));
//! assert_eq!(GjsonPath::parse("identity.name")?.eval(&session), None);
//! # Ok::<(), edgekeeper_policy::path::PathError>(())
//! ```

mod expression;
mod query;
mod syntax;
mod wildcard;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::expression::Expression;

/// A GJSON path, checked. Its serde form is its text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GjsonPath {
    source: String,
    expression: Expression,
}

impl GjsonPath {
    /// Reads a path.
    ///
    /// # Errors
    /// [`PathError`] with the place and what to do.
    pub fn parse(path: &str) -> Result<GjsonPath, PathError> {
        Ok(GjsonPath {
            source: path.to_owned(),
            expression: syntax::parse(path)?,
        })
    }

    /// `identity.traits.email`: where Kratos' own quickstart schema keeps the e-mail address.
    #[must_use]
    pub fn default_email() -> GjsonPath {
        let keys = ["identity", "traits", "email"];
        GjsonPath {
            source: keys.join("."),
            expression: Expression::of_keys(&keys),
        }
    }

    /// Finds the value. `None` if there is none; a JSON null that is there is `Some(Null)`.
    #[must_use]
    pub fn eval<'v>(&self, value: &'v Value) -> Option<Cow<'v, Value>> {
        self.expression.eval(value)
    }

    /// The path as it was written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }
}

impl fmt::Display for GjsonPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

impl TryFrom<String> for GjsonPath {
    type Error = PathError;

    fn try_from(path: String) -> Result<GjsonPath, PathError> {
        let expression = syntax::parse(&path)?;
        Ok(GjsonPath {
            source: path,
            expression,
        })
    }
}

impl From<GjsonPath> for String {
    fn from(path: GjsonPath) -> String {
        path.source
    }
}

/// A path that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathError {
    /// Where in the path, in bytes from its start.
    pub offset: usize,
    /// What is wrong there and what to do about it.
    pub message: String,
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} (at character {} of the path)",
            self.message,
            self.offset.saturating_add(1)
        )
    }
}

impl std::error::Error for PathError {}
