//! Go's `text/template` as Ory Oathkeeper uses it, with the pure functions of sprig.
//!
//! Header, cookie, claims and payload templates in access rules are written in this language. A
//! template is parsed once and rendered for each request:
//!
//! ```
//! use edgekeeper_template::{Style, Template, Value};
//!
//! let session = serde_json::json!({ "Subject": "alice", "Extra": { "roles": ["admin", "dev"] } });
//! let template = Template::parse("orders:X-Roles", r#"{{ .Extra.roles | join "," }}"#)?;
//! assert_eq!(template.render(&Value::Json(&session), Style::default())?, "admin,dev");
//! assert_eq!(template.paths(), [["Extra", "roles"]]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What differs from Oathkeeper
//!
//! * [`Missing::Empty`] and [`Output::Json`] remove two traps; [`Style`] says which. With
//!   [`Missing::Go`] and [`Output::Text`] the output is Oathkeeper's.
//! * Functions that read the environment, the clock, randomness or the network are refused when the
//!   template is parsed, as are regular expressions and cryptography. So are unknown functions,
//!   wrong numbers of arguments and templates that are not defined: all of these Oathkeeper finds
//!   out when a request comes.
//! * A template cannot change the session (`set .Extra …`).
//! * Strings are UTF-8: `trunc` and its like leave a character out where Go would cut it in two.
//! * Every render is bounded: output (64 KiB), steps, nesting.
//! * Error messages name types where Go would print a value.
//!
//! Everything else is as in Go to the letter, errors included: `tests/originals/templates` compares
//! thousands of templates with Go's own answers, and its README lists what differs.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::string_slice,
        clippy::arithmetic_side_effects
    )
)]

mod error;
mod escape;
mod field;
mod format;
mod functions;
mod json;
pub mod letter_case;
mod lexer;
mod literal;
mod node;
mod parse;
mod paths;
mod printf;
mod render;
mod value;

pub use error::{ParseError, RenderError};
pub use value::{List, Map, Object, Value};

/// What a value that is not there means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Missing {
    /// As in Oathkeeper: a missing key prints `<no value>`, and looking further into it is an error.
    Go,
    /// A missing value or null prints nothing, at any depth, and is "", 0, false or no items where
    /// a function wants such a thing.
    #[default]
    Empty,
}

/// What the template's text is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Output {
    /// Plain text; values are written as they are.
    #[default]
    Text,
    /// A JSON document. What an action prints within quotes is escaped; elsewhere it must be one
    /// whole JSON value, or rendering fails. With [`Missing::Empty`], nothing becomes `null` there.
    Json,
}

/// How to render.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// What a value that is not there means.
    pub missing: Missing,
    /// What the template's text is.
    pub output: Output,
}

/// A parsed template.
#[derive(Debug)]
pub struct Template {
    name: String,
    text: String,
    tree: parse::Tree,
}

impl Template {
    /// Reads a template. The name, such as `rule-id:X-Email`, is for error messages.
    ///
    /// # Errors
    /// The text is no template, or uses a function that does not exist here.
    pub fn parse(name: &str, text: &str) -> Result<Template, ParseError> {
        let tree = parse::parse(name, text)?;
        Ok(Template {
            name: name.to_owned(),
            text: text.to_owned(),
            tree,
        })
    }

    /// Renders with `data` as the dot and `$`.
    ///
    /// # Errors
    /// The data lacks what the template needs, a function failed, or a limit was reached.
    pub fn render(&self, data: &Value<'_>, style: Style) -> Result<String, RenderError> {
        render::render(&self.name, &self.text, &self.tree, data, style)
    }

    /// Every path of fields read from the root, such as `["Extra", "email"]`, sorted, each once.
    ///
    /// `index .Extra "email"` and `with .Extra` followed by `.email` count; what depends on a loop
    /// or a computed key is known only as far as it is written down.
    #[must_use]
    pub fn paths(&self) -> Vec<Vec<String>> {
        paths::paths(&self.tree)
    }
}
