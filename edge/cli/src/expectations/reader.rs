//! Reads a document's parts into types, and tells everything that it cannot.

use edgekeeper_policy::compile::{Content, Place, Tree, name};

/// Collects what is wrong with one file.
#[derive(Debug)]
pub(super) struct Reader {
    path: String,
    found: Vec<(Place, String)>,
}

/// One entry of a table.
pub(super) type Entry<'t> = (&'t str, Place, &'t Tree);

impl Reader {
    pub(super) fn new(path: &str) -> Self {
        Self {
            path: path.to_owned(),
            found: Vec::new(),
        }
    }

    /// Tells what was found at a place, and what is allowed there.
    pub(super) fn refuse(&mut self, place: Place, message: &str, help: &str) {
        let Place { line, column } = place;
        let text = format!(
            "{}:{line}:{column}: error: {message}\n  help: {help}",
            self.path
        );
        // What stands in a file must not move the terminal's cursor.
        let text = text
            .chars()
            .map(|c| {
                if c.is_control() && c != '\n' {
                    '�'
                } else {
                    c
                }
            })
            .collect();
        self.found.push((place, text));
    }

    /// What was found, in the order of the file; nothing, if nothing was.
    pub(super) fn finish(mut self) -> Option<String> {
        self.found.sort();
        let texts: Vec<String> = self.found.into_iter().map(|(_, text)| text).collect();
        (!texts.is_empty()).then(|| texts.join("\n"))
    }

    /// A table of any keys.
    pub(super) fn map<'t>(&mut self, tree: &'t Tree, what: &str) -> Option<Vec<Entry<'t>>> {
        let Content::Table(entries) = &tree.content else {
            self.wrong(tree, what, "it is a table of names and values");
            return None;
        };
        let entries = entries.iter();
        let entries = entries.map(|(key, place, value)| (key.as_str(), *place, value));
        Some(entries.collect())
    }

    /// A table of known keys.
    pub(super) fn table<'t>(
        &mut self,
        tree: &'t Tree,
        what: &str,
        keys: &[&str],
    ) -> Option<Vec<Entry<'t>>> {
        if !matches!(tree.content, Content::Table(_)) {
            let keys = name::list(keys.iter().copied(), ", ");
            self.wrong(tree, what, &format!("it is a table with the keys {keys}"));
            return None;
        }
        if let Content::Table(entries) = &tree.content {
            for (key, place, _) in entries {
                if !keys.contains(&key.as_str()) {
                    let help = allowed(key, keys);
                    self.refuse(*place, &format!("{what} has no key `{key}`"), &help);
                }
            }
        }
        self.map(tree, what)
    }

    pub(super) fn list<'t>(&mut self, tree: &'t Tree, what: &str) -> Option<&'t [Tree]> {
        if let Content::List(items) = &tree.content {
            return Some(items);
        }
        self.wrong(tree, what, "it is a list");
        None
    }

    pub(super) fn text<'t>(&mut self, tree: &'t Tree, what: &str) -> Option<&'t str> {
        let help = match &tree.content {
            Content::Text(text) => return Some(text),
            Content::Number(_) | Content::Flag(_) => "it is a text; put it in quotes",
            _ => "it is a text",
        };
        self.wrong(tree, what, help);
        None
    }

    pub(super) fn flag(&mut self, tree: &Tree, what: &str) -> Option<bool> {
        if let Content::Flag(flag) = tree.content {
            return Some(flag);
        }
        self.wrong(tree, what, "write `true` or `false`, without quotes");
        None
    }

    /// A status of HTTP.
    pub(super) fn status(&mut self, tree: &Tree, what: &str) -> Option<u16> {
        let status = match &tree.content {
            Content::Number(text) => text.parse().ok(),
            _ => None,
        };
        let status = status.filter(|status| (100..600).contains(status));
        if status.is_none() {
            self.wrong(tree, what, "write a status from 100 to 599, without quotes");
        }
        status
    }

    fn wrong(&mut self, tree: &Tree, what: &str, help: &str) {
        let found = match &tree.content {
            Content::Null => "nothing",
            Content::Flag(true) => "`true`",
            Content::Flag(false) => "`false`",
            // It may be a secret.
            Content::Number(_) => "a number",
            Content::Text(_) => "a text",
            Content::List(_) => "a list",
            Content::Table(_) => "a table",
        };
        self.refuse(tree.place, &format!("{what} cannot be {found}"), help);
    }
}

fn allowed(key: &str, keys: &[&str]) -> String {
    let names = || keys.iter().copied();
    format!(
        "{}allowed are {}",
        name::hint(key, names()),
        name::list(names(), ", ")
    )
}
