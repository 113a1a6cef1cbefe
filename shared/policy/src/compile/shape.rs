//! What a document may look like: known keys, types, enumerations.

use super::code::Code;
use super::duration::Duration;
use super::name;
use super::node::{Node, Value};
use super::report::Report;

/// In place of a time that does not come.
pub(super) const NEVER: &str = "never";

/// The form of a value, as far as a JSON Schema would tell it.
#[derive(Debug)]
pub(super) enum Shape {
    Anything,
    Flag,
    Text,
    Integer,
    Number,
    /// `15m`: a number and one unit.
    Duration,
    /// As [`Shape::Duration`], days too (`edge.yml` only).
    LongDuration,
    /// As [`Shape::LongDuration`], or `never`.
    LongDurationOrNever,
    /// One of these texts.
    Choice(&'static [&'static str]),
    List(&'static Shape),
    /// Any keys, values of one shape.
    Map(&'static Shape),
    /// These keys and no others.
    Keys(Keys),
}

/// The keys of a table.
pub(super) type Keys = &'static [(&'static str, &'static Shape)];

/// Checks a value and everything below it; `path` names it in messages and may be empty.
///
/// A value of `null` counts as not there and is always fine.
pub(super) fn check(node: &Node, shape: &Shape, path: &str, report: &mut Report) {
    check_except(node, shape, path, &[], report);
}

/// The first key, in the order of the file, that a shape does not know.
pub(super) fn unknown<'a>(node: &'a Node, shape: &Shape) -> Option<&'a str> {
    match (shape, &node.value) {
        (Shape::List(shape), Value::List(items)) => {
            items.iter().find_map(|item| unknown(item, shape))
        }
        (Shape::Map(shape), Value::Table(entries)) => {
            entries.iter().find_map(|(_, value)| unknown(value, shape))
        }
        (Shape::Keys(keys), Value::Table(entries)) => entries.iter().find_map(|(key, value)| {
            match keys.iter().find(|(known, _)| *known == key.name) {
                Some((_, shape)) => unknown(value, shape),
                None => Some(key.name.as_str()),
            }
        }),
        _ => None,
    }
}

/// Whether a table has a key that it does not know and that was most likely to be this one, so that a finding on the
/// unknown key has told already why this one is missing.
pub(super) fn is_mistyped(node: &Node, wanted: &str, keys: Keys, except: &[&str]) -> bool {
    let names = || keys.iter().map(|(name, _)| *name);
    node.entries().iter().any(|(key, _)| {
        let is_known = names()
            .chain(except.iter().copied())
            .any(|name| name == key.name);
        !is_known && name::closest(&key.name, names()) == Some(wanted)
    })
}

/// As [`check`], leaving out some keys of the outermost table.
pub(super) fn check_except(
    node: &Node,
    shape: &Shape,
    path: &str,
    except: &[&str],
    report: &mut Report,
) {
    match (shape, &node.value) {
        (_, Value::Null)
        | (Shape::Anything, _)
        | (Shape::Flag, Value::Flag(_))
        | (Shape::Text, Value::Text(_)) => {}
        (Shape::Flag, Value::Text(_)) if node.flag().is_some() => {}
        (Shape::Integer, Value::Number(_)) if node.integer().is_some() => {}
        (Shape::Number, Value::Number(_)) => {}
        (Shape::Duration, Value::Text(text)) if Duration::parse(text, false).is_some() => {}
        (Shape::LongDuration, Value::Text(text)) if Duration::parse(text, true).is_some() => {}
        (Shape::LongDurationOrNever, Value::Text(text))
            if text == NEVER || Duration::parse(text, true).is_some() => {}
        (Shape::Choice(allowed), Value::Text(text)) => {
            if !allowed.contains(&text.as_str()) {
                report.error(
                    Code::UNKNOWN_VALUE,
                    node.span,
                    format!("{} cannot be `{text}`", subject(path)),
                    format!(
                        "{}allowed are {}",
                        name::hint(text, allowed.iter().copied()),
                        name::list(allowed.iter().copied(), ", ")
                    ),
                );
            }
        }
        (Shape::List(shape), Value::List(items)) => {
            for item in items {
                if item.value == Value::Null {
                    report.error(
                        Code::EMPTY_ENTRY,
                        item.span,
                        format!("an entry of {} is empty", subject(path)),
                        "take it out, or say what it is",
                    );
                }
                check(item, shape, path, report);
            }
        }
        (Shape::Map(shape), Value::Table(entries)) => {
            for (key, value) in entries {
                check(value, shape, &below(path, &key.name), report);
            }
        }
        (Shape::Keys(keys), Value::Table(entries)) => {
            for (key, value) in entries {
                if except.contains(&key.name.as_str()) {
                    continue;
                }
                match keys.iter().find(|(known, _)| *known == key.name) {
                    Some((_, shape)) => check(value, shape, &below(path, &key.name), report),
                    None => report.error(
                        Code::UNKNOWN_KEY,
                        key.span,
                        unknown_key(&key.name, path),
                        allowed_keys(&key.name, keys),
                    ),
                }
            }
        }
        _ => report.error(
            Code::WRONG_TYPE,
            node.span,
            format!("{} cannot be {}", subject(path), describe(node, path)),
            expected(shape, node),
        ),
    }
}

/// What a value is, without telling a secret.
fn describe(node: &Node, path: &str) -> String {
    let is_secret = ["secret", "password", "basic", "authorization_header"]
        .iter()
        .any(|name| path.ends_with(name));
    if is_secret && node.text().is_some() {
        return "a text".to_owned();
    }
    node.describe()
}

fn unknown_key(key: &str, path: &str) -> String {
    if path.is_empty() {
        format!("there is no key `{key}`")
    } else {
        format!("`{path}` has no key `{key}`")
    }
}

fn allowed_keys(key: &str, keys: Keys) -> String {
    if keys.is_empty() {
        return "there is nothing to configure here; take it out".to_owned();
    }
    let names = || keys.iter().map(|(name, _)| *name);
    format!(
        "{}allowed are {}",
        name::hint(key, names()),
        name::list(names(), ", ")
    )
}

fn subject(path: &str) -> String {
    if path.is_empty() {
        "the document".to_owned()
    } else {
        format!("`{path}`")
    }
}

fn below(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

fn expected(shape: &Shape, node: &Node) -> String {
    match shape {
        Shape::Anything => String::new(),
        Shape::Flag => "write `true` or `false`, without quotes".to_owned(),
        Shape::Text => match &node.value {
            Value::Number(text) => format!("it is a text; put it in quotes: `\"{text}\"`"),
            Value::Flag(flag) => format!("it is a text; put it in quotes: `\"{flag}\"`"),
            _ => "it is a text".to_owned(),
        },
        Shape::Integer => "write a whole number, without quotes".to_owned(),
        Shape::Number => "write a number, without quotes".to_owned(),
        Shape::Duration => "write one whole number and one of the units `ns`, `us`, `ms`, `s`, `m`, `h`, such as `15m` (90 seconds are `90s`, not `1m30s`)".to_owned(),
        Shape::LongDuration => "write one whole number and one of the units `ms`, `s`, `m`, `h`, `d`, such as `15m` (90 seconds are `90s`, not `1m30s`)".to_owned(),
        Shape::LongDurationOrNever => "write one whole number and one of the units `s`, `m`, `h`, `d`, such as `30s`, or `never`".to_owned(),
        Shape::Choice(allowed) => format!("allowed are {}", name::list(allowed.iter().copied(), ", ")),
        Shape::List(_) => match &node.value {
            Value::Text(text) if !text.contains('\n') => format!("it is a list; write `[\"{text}\"]`"),
            _ => "it is a list".to_owned(),
        },
        Shape::Map(_) => "it is a table of names and values".to_owned(),
        Shape::Keys(keys) => format!("it is a table with the keys {}", name::list(keys.iter().map(|(name, _)| *name), ", ")),
    }
}
