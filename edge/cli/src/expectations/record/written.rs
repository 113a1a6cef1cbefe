//! The file that expectations are written into.

use std::collections::BTreeSet;

use serde_json::Value;

use super::attempt::Recorded;
use super::someone::Someone;
use crate::expectations::file::{self, Document};

/// A file of nothing but what was recorded. `notes` are comments at its end, a line each.
pub(super) fn new(recorded: &[Recorded], notes: &[String]) -> String {
    let mut text = String::from(
        "# Recorded from a gateway's log by `edgekeeper test --record`: what it did, and what these rules do today. docs/test.md\n",
    );
    let someones = someones(recorded);
    if !someones.is_empty() {
        text.push_str("sessions:\n");
        text.push_str(&entries(someones, "  "));
    }
    text.push_str("tests:\n");
    text.push_str(&items(recorded, notes, "  "));
    text
}

/// The text of a file with what was recorded behind its own tests. Nothing else of it changes.
///
/// # Errors
/// Says what is to be otherwise in the file, so that it can be written to.
pub(super) fn appended(
    text: &str,
    document: &Document,
    recorded: &[Recorded],
    notes: &[String],
) -> Result<String, String> {
    let lines: Vec<&str> = text.lines().collect();
    let tests = block(&lines, "tests")?
        .ok_or_else(|| "it has no line `tests:`; write the tests below one".to_owned())?;
    let is_key = |line: &&str| {
        line.starts_with(|c: char| c.is_alphanumeric() || "\"'.?{&!".contains(c))
            || line.starts_with("---")
    };
    if lines.iter().skip(tests.saturating_add(1)).any(is_key) {
        return Err("something comes after `tests`; move that before it".to_owned());
    }
    let indent = indent_below(&lines, tests).unwrap_or("  ");
    for someone in someones(recorded) {
        let own = document.sessions.get(someone.name());
        if own.is_some_and(|own| *own != session(someone)) {
            return Err(format!(
                "its session `{}` is not the one that recorded tests are about; call yours otherwise",
                someone.name()
            ));
        }
    }
    let wanted: BTreeSet<Someone> = someones(recorded)
        .into_iter()
        .filter(|someone| !document.sessions.contains_key(someone.name()))
        .collect();
    let sessions = block(&lines, "sessions")?;
    let mut written = String::new();
    // With their own line ends.
    for (number, line) in text.split_inclusive('\n').enumerate() {
        if number == tests && sessions.is_none() && !wanted.is_empty() {
            written.push_str("sessions:\n");
            written.push_str(&entries(wanted.clone(), "  "));
        }
        written.push_str(line);
        if !line.ends_with('\n') {
            written.push('\n');
        }
        if sessions == Some(number) {
            let indent = indent_below(&lines, number).unwrap_or("  ");
            written.push_str(&entries(wanted.clone(), indent));
        }
    }
    written.push_str(&items(recorded, notes, indent));
    Ok(written)
}

/// What whoami answers of somebody.
fn session(someone: Someone) -> Option<Value> {
    let text = format!(
        "sessions:\n  {}\ntests:\n- {{ request: GET https://a.test/, expect: {{ allow: true }} }}\n",
        someone.entry()
    );
    let mut document = file::parse("recorded", &text).ok()?;
    document.sessions.remove(someone.name()).flatten()
}

/// The line of a key whose value stands below it.
fn block(lines: &[&str], key: &str) -> Result<Option<usize>, String> {
    let value = |line: &str| {
        let rest = line.strip_prefix(key)?.trim_start().strip_prefix(':')?;
        Some(rest.trim().to_owned())
    };
    let found = lines
        .iter()
        .enumerate()
        .find_map(|(number, line)| Some((number, value(line)?)));
    match found {
        None => Ok(None),
        Some((number, rest)) if rest.is_empty() || rest.starts_with('#') => Ok(Some(number)),
        Some((number, _)) => Err(format!(
            "in line {} something stands behind `{key}:`; write that below it, each on a line of its own",
            number.saturating_add(1)
        )),
    }
}

/// What is before the first entry below a line.
fn indent_below<'l>(lines: &[&'l str], number: usize) -> Option<&'l str> {
    let below = lines.iter().skip(number.saturating_add(1));
    let first = below
        .copied()
        .find(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'))?;
    first.get(..first.len().saturating_sub(first.trim_start().len()))
}

fn someones(recorded: &[Recorded]) -> BTreeSet<Someone> {
    recorded.iter().filter_map(|test| test.someone).collect()
}

fn entries(someones: BTreeSet<Someone>, indent: &str) -> String {
    let mut text = format!(
        "{indent}# Made up, for everybody who was signed in. What else your rules read of a session is to be added.\n"
    );
    if someones.is_empty() {
        text.clear();
    }
    for someone in someones {
        text.push_str(&format!("{indent}{}\n", someone.entry()));
    }
    text
}

fn items(recorded: &[Recorded], notes: &[String], indent: &str) -> String {
    let mut text: String = recorded.iter().map(|test| test.item(indent)).collect();
    for note in notes {
        text.push_str(&format!("{indent}# {note}\n"));
    }
    text
}
