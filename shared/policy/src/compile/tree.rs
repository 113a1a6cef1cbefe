//! A YAML or JSON document with the place of every value, for files that are no part of a policy.

use serde_json::{Map, Value as Json};

use super::diagnostic::Diagnostic;
use super::node::{Node, Span, Value};
use super::report::Report;

/// Where something stands in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// From 1.
    pub line: u32,
    /// In characters, from 1.
    pub column: u32,
}

/// A value with its place. It nests at most 64 levels deep.
#[derive(Debug, Clone, PartialEq)]
pub struct Tree {
    /// Where it begins.
    pub place: Place,
    /// What it is.
    pub content: Content,
}

/// JSON's values; numbers keep their text, tables their order. No table has a key twice.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// Nothing.
    Null,
    /// `true` or `false`.
    Flag(bool),
    /// A number, as it was written.
    Number(String),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Tree>),
    /// Keys, each with its place, and their values.
    Table(Vec<(String, Place, Tree)>),
}

impl Tree {
    /// Reads a document as the compiler reads its own: a name that ends in `.json`, or a text that begins as JSON does, is JSON,
    /// all else YAML. The name stands in what is found.
    ///
    /// ```
    /// use edgekeeper_policy::compile::Tree;
    ///
    /// let found = Tree::read("a.yml", "a: 1\na: 2\n").unwrap_err();
    /// assert_eq!((found[0].line, found[0].message.as_str()), (2, "the key `a` is here a second time"));
    /// ```
    ///
    /// # Errors
    /// Everything that keeps it from being one document.
    pub fn read(name: &str, text: &str) -> Result<Self, Vec<Diagnostic>> {
        let mut report = Report::default();
        let file = report.add_file(name, text);
        let node = super::parse(text, name, file, &mut report);
        let (found, failed) = report.finish();
        match node {
            Some(node) if !failed => Ok(Self::of(node)),
            _ => Err(found),
        }
    }

    fn of(node: Node) -> Self {
        let content = match node.value {
            Value::Null => Content::Null,
            Value::Flag(flag) => Content::Flag(flag),
            Value::Number(number) => Content::Number(number),
            Value::Text(text) => Content::Text(text),
            Value::List(items) => Content::List(items.into_iter().map(Self::of).collect()),
            Value::Table(entries) => Content::Table(
                entries
                    .into_iter()
                    .map(|(key, value)| (key.name, Place::of(key.span), Self::of(value)))
                    .collect(),
            ),
        };
        Self {
            place: Place::of(node.span),
            content,
        }
    }

    /// The same as JSON. A number that JSON does not have is `null`.
    #[must_use]
    pub fn json(&self) -> Json {
        match &self.content {
            Content::Null => Json::Null,
            Content::Flag(flag) => Json::Bool(*flag),
            Content::Number(number) => number
                .parse::<i64>()
                .map(Json::from)
                .or_else(|_| number.parse::<u64>().map(Json::from))
                .or_else(|_| number.parse::<f64>().map(Json::from))
                .unwrap_or(Json::Null),
            Content::Text(text) => Json::String(text.clone()),
            Content::List(items) => Json::Array(items.iter().map(Self::json).collect()),
            Content::Table(entries) => Json::Object(
                entries
                    .iter()
                    .map(|(name, _, value)| (name.clone(), value.json()))
                    .collect::<Map<_, _>>(),
            ),
        }
    }
}

impl Place {
    fn of(span: Span) -> Self {
        Self {
            line: span.line,
            column: span.column,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_places_and_become_json() {
        let tree = Tree::read("a.yml", "a:\n  - {b: 1.5, c: ~}\n  - yes\n").unwrap();
        assert_eq!(
            tree.json(),
            serde_json::json!({"a": [{"b": 1.5, "c": null}, "yes"]})
        );
        let Content::Table(entries) = &tree.content else {
            panic!("no table: {tree:?}");
        };
        let Content::List(items) = &entries[0].2.content else {
            panic!("no list: {tree:?}");
        };
        assert_eq!((items[1].place.line, items[1].place.column), (3, 5));
    }

    #[test]
    fn what_is_no_document_is_told_with_its_place() {
        for (name, text, place) in [
            ("a.yml", "a: [1\nb: 2\n", None),
            ("a.json", "{\"a\": 1,}", Some((1, 8))),
            ("a.yml", "a: &a [*a]", Some((1, 8))),
        ] {
            let found = Tree::read(name, text).unwrap_err();
            assert!(found[0].line > 0, "{found:?}");
            if let Some(place) = place {
                assert_eq!((found[0].line, found[0].column), place, "{text}");
            }
        }
    }
}
