//! JSON Schemas of the operator's files, made of the tables they are checked with.
//!
//! A schema says what a table says: keys, types, enumerations, units, and what no file can do without. It is that of the
//! default mode. Whatever else the compiler refuses (an unknown rule, a host that is none, two ways to one origin) it does
//! not know, so what it refuses does not build, and what it accepts may still not.

mod config;
mod description;
mod edge;
mod form;
mod handlers;
mod rules;
#[cfg(test)]
mod tests;

use serde_json::{Value, json};

/// A kind of file, for which there is a JSON Schema (draft 2020-12).
///
/// ```
/// use edgekeeper_policy::compile::Schema;
///
/// assert_eq!(Schema::Edge.file_name(), "edge.schema.json");
/// assert!(Schema::Edge.to_json().contains("\"stale_while_revalidate\""));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schema {
    /// `edge.yml`.
    Edge,
    /// Oathkeeper's configuration, as it is read here.
    Config,
    /// A file of access rules, as it is read here.
    Rules,
}

impl Schema {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Edge, Self::Config, Self::Rules];

    /// The file in `docs/schema`.
    #[must_use]
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Edge => "edge.schema.json",
            Self::Config => "oathkeeper.schema.json",
            Self::Rules => "access-rules.schema.json",
        }
    }

    /// The schema as text, for a file: indented, with a line break at the end.
    #[must_use]
    pub fn to_json(self) -> String {
        format!("{:#}\n", self.value())
    }

    fn value(self) -> Value {
        let (id, title, description, mut schema) = match self {
            Self::Edge => (
                "edge",
                "edge.yml",
                "What Edgekeeper is told that Oathkeeper has no words for. Every key is optional.",
                edge::schema(),
            ),
            Self::Config => (
                "oathkeeper",
                "oathkeeper.yml",
                "The configuration of Ory Oathkeeper v26.2.0, as Edgekeeper reads it in its default mode.",
                config::schema(),
            ),
            Self::Rules => (
                "access-rules",
                "Access rules",
                "A list of access rules of Ory Oathkeeper v26.2.0, as Edgekeeper reads them in its default mode.",
                rules::schema(),
            ),
        };
        for (key, value) in [
            (
                "$schema",
                json!("https://json-schema.org/draft/2020-12/schema"),
            ),
            // A name, not a place: the file lies in each copy of the project.
            ("$id", json!(format!("urn:edgekeeper:schema:{id}"))),
            ("title", json!(title)),
            ("description", json!(description)),
        ] {
            form::set(&mut schema, key, value);
        }
        schema
    }
}
