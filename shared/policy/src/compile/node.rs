//! A document as a tree that knows where each of its parts stands.

use std::collections::HashMap;

/// A place in one of the files that were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Span {
    /// Index of the file in the report.
    pub(super) file: usize,
    /// From 1; 0 for the file as a whole.
    pub(super) line: u32,
    /// In characters, from 1.
    pub(super) column: u32,
}

/// How a text was written, which decides where in the file a position inside of it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// Without quotes, or not a text at all.
    Plain,
    /// Without quotes, in a file in which `yes` and `off` are flags where one is expected.
    Switch,
    /// In single quotes, where `''` is one quote.
    SingleQuoted,
    /// In double quotes, with escapes.
    DoubleQuoted,
    /// A block after `|`.
    Literal,
    /// A block after `>`; its lines are joined, so a position inside cannot be found again.
    Folded,
}

/// A value with its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) span: Span,
    pub(super) style: Style,
}

/// JSON's values; numbers keep their text.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    Flag(bool),
    Number(String),
    Text(String),
    List(Vec<Node>),
    Table(Vec<(Key, Node)>),
}

/// A key with its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Key {
    pub(super) name: String,
    pub(super) span: Span,
}

/// A table that is being read. However many keys it has, one that is there already is found at once.
#[derive(Debug, Default)]
pub(super) struct Entries {
    list: Vec<(Key, Node)>,
    /// Where each key is in the list; of a table with a few keys there is none here.
    places: HashMap<String, usize>,
}

/// So many keys are looked through faster than looked up.
const FEW_KEYS: usize = 32;

impl Entries {
    /// The key that is there already.
    pub(super) fn known(&self, name: &str) -> Option<&Key> {
        let place = self.place(name)?;
        self.list.get(place).map(|(key, _)| key)
    }

    fn known_mut(&mut self, name: &str) -> Option<&mut (Key, Node)> {
        let place = self.place(name)?;
        self.list.get_mut(place)
    }

    fn place(&self, name: &str) -> Option<usize> {
        if self.places.is_empty() {
            self.list.iter().position(|(key, _)| key.name == name)
        } else {
            self.places.get(name).copied()
        }
    }

    /// Adds a value under a key that is not there yet.
    pub(super) fn push(&mut self, key: Key, node: Node) {
        self.list.push((key, node));
        if self.list.len() > FEW_KEYS {
            let missing = self.list.iter().enumerate().skip(self.places.len());
            self.places
                .extend(missing.map(|(place, (key, _))| (key.name.clone(), place)));
        }
    }

    pub(super) fn into_list(self) -> Vec<(Key, Node)> {
        self.list
    }
}

impl Node {
    pub(super) fn new(value: Value, span: Span) -> Self {
        Self {
            value,
            span,
            style: Style::Plain,
        }
    }

    /// The value under a key. A key without a value (`null`) counts as not there, as in Oathkeeper's decoding.
    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        self.entries()
            .iter()
            .find(|(key, node)| key.name == name && node.value != Value::Null)
            .map(|(_, node)| node)
    }

    /// The value at the end of several keys.
    pub(super) fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |node, name| node.get(name))
    }

    /// The place of a key, or of the whole when it is not there.
    pub(super) fn key_span(&self, name: &str) -> Span {
        self.entries()
            .iter()
            .find(|(key, _)| key.name == name)
            .map_or(self.span, |(key, _)| key.span)
    }

    pub(super) fn entries(&self) -> &[(Key, Self)] {
        match &self.value {
            Value::Table(entries) => entries,
            _ => &[],
        }
    }

    pub(super) fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn flag(&self) -> Option<bool> {
        match &self.value {
            Value::Flag(flag) => Some(*flag),
            Value::Text(text) if self.style == Style::Switch => old_flag(text),
            _ => None,
        }
    }

    /// The same document in YAML 1.1, in which Oathkeeper reads rules and not its configuration.
    // As deep as the document, which its reader limits.
    pub(super) fn with_old_flags(mut self) -> Self {
        let value = match self.value {
            Value::Text(text) if self.style == Style::Plain => {
                if old_flag(&text).is_some() {
                    self.style = Style::Switch;
                }
                Value::Text(text)
            }
            Value::List(items) => {
                Value::List(items.into_iter().map(Self::with_old_flags).collect())
            }
            Value::Table(entries) => Value::Table(
                entries
                    .into_iter()
                    .map(|(key, node)| (key, node.with_old_flags()))
                    .collect(),
            ),
            value => value,
        };
        Self { value, ..self }
    }

    pub(super) fn integer(&self) -> Option<i64> {
        match &self.value {
            Value::Number(number) => number.parse().ok(),
            _ => None,
        }
    }

    /// The text under a key; empty when it is not there.
    pub(super) fn text_at(&self, name: &str) -> String {
        self.get(name)
            .and_then(Self::text)
            .unwrap_or_default()
            .to_owned()
    }

    /// The flag under a key, or what it is without.
    pub(super) fn flag_at(&self, name: &str, default: bool) -> bool {
        self.get(name).and_then(Self::flag).unwrap_or(default)
    }

    /// The list under a key; empty when it is not there.
    pub(super) fn items_at(&self, name: &str) -> &[Self] {
        self.get(name).map(Self::items).unwrap_or_default()
    }

    /// The texts of the list under a key.
    pub(super) fn texts_at(&self, name: &str) -> Vec<String> {
        self.items_at(name)
            .iter()
            .filter_map(|item| item.text().map(str::to_owned))
            .collect()
    }

    /// What it is, for a person.
    pub(super) fn describe(&self) -> String {
        match &self.value {
            Value::Null => "nothing".to_owned(),
            Value::Flag(flag) => format!("`{flag}`"),
            Value::Number(number) => format!("the number `{number}`"),
            Value::Text(text) if text.chars().count() <= 80 && !text.contains('\n') => {
                format!("the text `{text}`")
            }
            Value::Text(_) => "a text".to_owned(),
            Value::List(_) => "a list".to_owned(),
            Value::Table(_) => "a table of keys".to_owned(),
        }
    }

    /// A handler's global configuration with its rule's laid over it: tables merge, everything else replaces.
    pub(super) fn merge(base: &Self, over: &Self) -> Self {
        let (Value::Table(base_entries), Value::Table(over_entries)) = (&base.value, &over.value)
        else {
            return if over.value == Value::Null {
                base.clone()
            } else {
                over.clone()
            };
        };
        let mut entries = Entries::default();
        for (key, node) in base_entries {
            entries.push(key.clone(), node.clone());
        }
        for (key, node) in over_entries {
            match entries.known_mut(&key.name) {
                Some(entry) => *entry = (key.clone(), Self::merge(&entry.1, node)),
                None => entries.push(key.clone(), node.clone()),
            }
        }
        Self::new(Value::Table(entries.into_list()), over.span)
    }
}

/// Flags of YAML 1.1 that YAML 1.2 takes for texts (<https://yaml.org/type/bool.html>).
fn old_flag(text: &str) -> Option<bool> {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(line: u32) -> Span {
        Span {
            file: 0,
            line,
            column: 1,
        }
    }

    fn table(entries: Vec<(&str, Node)>) -> Node {
        let entries = entries
            .into_iter()
            .map(|(name, node)| {
                (
                    Key {
                        name: name.to_owned(),
                        span: node.span,
                    },
                    node,
                )
            })
            .collect();
        Node::new(Value::Table(entries), span(0))
    }

    fn text(text: &str, line: u32) -> Node {
        Node::new(Value::Text(text.to_owned()), span(line))
    }

    #[test]
    fn a_key_that_is_there_is_found_in_small_tables_and_in_large_ones() {
        let mut entries = Entries::default();
        for line in 0..200_000 {
            let name = format!("k{line}");
            assert_eq!(entries.known(&name), None);
            let key = Key {
                name,
                span: span(line),
            };
            entries.push(key, text("x", line));
            let half = format!("k{}", line / 2);
            assert_eq!(entries.known(&half).unwrap().span.line, line / 2);
        }
        assert_eq!(entries.into_list().len(), 200_000);
    }

    #[test]
    fn tables_merge_and_lists_replace_and_places_stay() {
        let list = |line| Node::new(Value::List(vec![text("x", line)]), span(line));
        let base = table(vec![
            ("a", text("1", 1)),
            ("t", table(vec![("x", text("1", 2)), ("y", text("1", 3))])),
            ("l", list(4)),
        ]);
        let over = table(vec![
            ("t", table(vec![("y", text("2", 13))])),
            ("l", list(14)),
            ("a", Node::new(Value::Null, span(15))),
        ]);
        let merged = Node::merge(&base, &over);
        assert_eq!(merged.at(&["t", "x"]).unwrap().span.line, 2);
        assert_eq!(merged.at(&["t", "y"]).unwrap().span.line, 13);
        assert_eq!(merged.get("l").unwrap().span.line, 14);
        assert_eq!(
            merged.text_at("a"),
            "1",
            "a key without a value does not take one away"
        );
    }
}
