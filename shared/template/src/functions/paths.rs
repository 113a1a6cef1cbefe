//! sprig: slash-separated paths. The functions for the operating system's are the same on Go's servers.

use super::{Function, Param, exact, strings_of};
use crate::value::Value;

const STR: &[Param] = &[Param::Str];

/// A function from a path to another text.
macro_rules! mapped {
    ($name:literal, $map:expr) => {
        exact($name, STR, |_, args| {
            let [path] = strings_of(args)?;
            let map: fn(&str) -> String = $map;
            Ok(Value::string(map(path)))
        })
    };
}

/// Whether a path begins at the root.
macro_rules! absolute {
    ($name:literal) => {
        exact($name, STR, |_, args| {
            let [path] = strings_of(args)?;
            Ok(Value::Bool(path.starts_with('/')))
        })
    };
}

pub(super) const FUNCTIONS: &[Function] = &[
    mapped!("base", base),
    mapped!("osBase", base),
    mapped!("dir", dir),
    mapped!("osDir", dir),
    mapped!("clean", clean),
    mapped!("osClean", clean),
    mapped!("ext", ext),
    mapped!("osExt", ext),
    absolute!("isAbs"),
    absolute!("osIsAbs"),
];

fn base(path: &str) -> String {
    let trimmed = path.trim_end_matches('/');
    match trimmed.rsplit('/').next() {
        _ if path.is_empty() => ".".to_owned(),
        Some(last) if !last.is_empty() => last.to_owned(),
        _ => "/".to_owned(),
    }
}

fn dir(path: &str) -> String {
    let end = path.rfind('/').map_or(0, |at| at.saturating_add(1));
    clean(path.get(..end).unwrap_or(""))
}

fn ext(path: &str) -> String {
    let last = path.rsplit('/').next().unwrap_or("");
    let dot = last.rfind('.').unwrap_or(last.len());
    last.get(dot..).unwrap_or("").to_owned()
}

/// Without `.`, `..` and doubled slashes, as far as that goes.
fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}
