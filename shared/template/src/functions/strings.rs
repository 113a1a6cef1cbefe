//! sprig: strings. Positions and lengths count bytes, as in Go; where Go would cut a character in
//! two, the character is left out.

use std::borrow::Cow;

use super::{
    Function, Outcome, Param, Scope, exact, int, lists, strings_of, text, variadic, words, wrong,
};
use crate::Missing;
use crate::format::{MAX_OUTPUT, quoted, too_long};
use crate::value::{Value, sorted};

const STR: &[Param] = &[Param::Str];
const STR2: &[Param] = &[Param::Str, Param::Str];
const STR3: &[Param] = &[Param::Str, Param::Str, Param::Str];
const INT_STR: &[Param] = &[Param::Int, Param::Str];

/// A function from one string to another.
macro_rules! mapped {
    ($name:literal, $map:expr) => {
        exact($name, STR, |_, args| {
            let [text] = strings_of(args)?;
            let map: fn(&str) -> String = $map;
            Ok(Value::string(map(text)))
        })
    };
}

/// A question about two strings.
macro_rules! asked {
    ($name:literal, $ask:expr) => {
        exact($name, STR2, |_, args| {
            let [part, text] = strings_of(args)?;
            let ask: fn(&str, &str) -> bool = $ask;
            Ok(Value::Bool(ask(text, part)))
        })
    };
}

/// A part of the second string, found by the first.
macro_rules! trimmed {
    ($name:literal, $trim:expr) => {
        exact($name, STR2, |_, args| {
            let [part, text] = strings_of(args)?;
            let trim: for<'t> fn(&'t str, &str) -> &'t str = $trim;
            Ok(Value::string(trim(text, part)))
        })
    };
}

pub(super) const FUNCTIONS: &[Function] = &[
    mapped!("upper", words::upper),
    mapped!("lower", words::lower),
    mapped!("title", words::title),
    mapped!("untitle", words::untitle),
    mapped!("swapcase", words::swap_case),
    exact("initials", STR, |scope, args| {
        let [text] = strings_of(args)?;
        Ok(Value::string(words::initials(
            text,
            scope.missing == Missing::Go,
        )))
    }),
    mapped!("snakecase", |text| words::separated(text, '_')),
    mapped!("kebabcase", |text| words::separated(text, '-')),
    mapped!("camelcase", words::camel),
    mapped!("trim", |text| text.trim().to_owned()),
    exact("nospace", STR, |scope, args| {
        let [text] = strings_of(args)?;
        let none = |text: &str| -> String { text.chars().filter(|c| !c.is_whitespace()).collect() };
        if scope.missing == Missing::Go {
            // There each byte is taken for a character, if any of them is white space.
            let mangled = words::latin(text);
            let kept = none(&mangled);
            return Ok(Value::string(if kept == mangled {
                text.to_owned()
            } else {
                kept
            }));
        }
        Ok(Value::string(none(text)))
    }),
    exact("hello", &[], |_, _| Ok(Value::from("Hello!"))),
    mapped!("regexQuoteMeta", |text| {
        let mut out = String::with_capacity(text.len());
        for c in text.chars() {
            if r"\.+*?()|[]{}^$".contains(c) {
                out.push('\\');
            }
            out.push(c);
        }
        out
    }),
    asked!("contains", |text, part| text.contains(part)),
    asked!("hasPrefix", |text, part| text.starts_with(part)),
    asked!("hasSuffix", |text, part| text.ends_with(part)),
    trimmed!("trimAll", |text, set| text
        .trim_matches(|c| set.contains(c))),
    trimmed!("trimall", |text, set| text
        .trim_matches(|c| set.contains(c))),
    trimmed!("trimPrefix", |text, part| text
        .strip_prefix(part)
        .unwrap_or(text)),
    trimmed!("trimSuffix", |text, part| text
        .strip_suffix(part)
        .unwrap_or(text)),
    exact("repeat", INT_STR, repeat),
    exact("substr", &[Param::Int, Param::Int, Param::Str], substr),
    exact("trunc", INT_STR, trunc),
    exact("abbrev", INT_STR, abbrev),
    exact(
        "abbrevboth",
        &[Param::Int, Param::Int, Param::Str],
        abbrev_both,
    ),
    exact("wrap", INT_STR, |_, args| {
        let [width, whole] = args else { return wrong() };
        wrap(int(width), "\n", text(whole), false)
    }),
    exact(
        "wrapWith",
        &[Param::Int, Param::Str, Param::Str],
        |_, args| {
            let [width, end, whole] = args else {
                return wrong();
            };
            let end = Some(text(end)).filter(|end| !end.is_empty());
            wrap(int(width), end.unwrap_or("\n"), text(whole), true)
        },
    ),
    exact("indent", INT_STR, |_, args| indent(args, "")),
    exact("nindent", INT_STR, |_, args| indent(args, "\n")),
    exact("replace", STR3, replace),
    exact(
        "plural",
        &[Param::Str, Param::Str, Param::Int],
        |_, args| {
            let [one, many, count] = args else {
                return wrong();
            };
            Ok(if int(count) == 1 {
                one.clone()
            } else {
                many.clone()
            })
        },
    ),
    variadic("quote", &[], Param::Any, |scope, args| {
        around(scope, args, quoted)
    }),
    variadic("squote", &[], Param::Any, |scope, args| {
        around(scope, args, |text| format!("'{text}'"))
    }),
    variadic("cat", &[], Param::Any, |scope, args| {
        around(scope, args, str::to_owned)
    }),
    exact("toString", &[Param::Any], |scope, args| {
        let [value] = args else { return wrong() };
        Ok(Value::Str(scope.show(value)?))
    }),
    exact("join", &[Param::Str, Param::Any], |scope, args| {
        let [separator, list] = args else {
            return wrong();
        };
        Ok(Value::string(each(scope, list)?.join(text(separator))))
    }),
    exact("splitList", STR2, |scope, args| {
        let [separator, text] = strings_of(args)?;
        let parts = parts(text, separator, usize::MAX);
        lists::of_texts(scope, parts)
    }),
    exact("split", STR2, |scope, args| {
        let [separator, text] = strings_of(args)?;
        Ok(numbered(scope, parts(text, separator, usize::MAX)))
    }),
    exact(
        "splitn",
        &[Param::Str, Param::Int, Param::Str],
        |scope, args| {
            let [separator, count, whole] = args else {
                return wrong();
            };
            let count = int(count);
            let limit = if count < 0 {
                usize::MAX
            } else {
                usize::try_from(count).unwrap_or(usize::MAX)
            };
            Ok(numbered(scope, parts(text(whole), text(separator), limit)))
        },
    ),
];

/// The texts of a list's items without its nils, or the text of what is no list.
pub(super) fn each<'a>(scope: &Scope<'a>, value: &Value<'a>) -> Result<Vec<Cow<'a, str>>, String> {
    let items = match value {
        Value::Null => Vec::new(),
        value => value.items().unwrap_or_else(|| vec![value.clone()]),
    };
    items
        .iter()
        .filter(|item| !matches!(item, Value::Null))
        .map(|item| scope.show(item))
        .collect()
}

/// Each argument that is not nil, dressed, with spaces between.
fn around<'a>(scope: &Scope<'a>, args: &[Value<'a>], dress: fn(&str) -> String) -> Outcome<'a> {
    let mut parts = Vec::new();
    for arg in args.iter().filter(|arg| !matches!(arg, Value::Null)) {
        parts.push(dress(&scope.show(arg)?));
    }
    Ok(Value::string(parts.join(" ")))
}

fn count(value: i64) -> Result<usize, String> {
    let count = usize::try_from(value).map_err(|_| "strings: negative Repeat count".to_owned())?;
    if count > MAX_OUTPUT {
        Err(too_long())
    } else {
        Ok(count)
    }
}

fn repeat<'a>(_: &mut Scope<'a>, args: &[Value<'a>]) -> Outcome<'a> {
    let [times, part] = args else { return wrong() };
    let part = text(part);
    if part.is_empty() && int(times) >= 0 {
        return Ok(Value::from(""));
    }
    let times = count(int(times))?;
    if times.saturating_mul(part.len()) > MAX_OUTPUT {
        return Err(too_long());
    }
    Ok(Value::string(part.repeat(times)))
}

fn indent<'a>(args: &[Value<'a>], before: &str) -> Outcome<'a> {
    let [spaces, whole] = args else {
        return wrong();
    };
    let spaces = count(int(spaces))?;
    let whole = text(whole);
    let lines = whole.matches('\n').count().saturating_add(1);
    if lines.saturating_mul(spaces).saturating_add(whole.len()) > MAX_OUTPUT {
        return Err(too_long());
    }
    let pad = " ".repeat(spaces);
    Ok(Value::string(format!(
        "{before}{pad}{}",
        whole.replace('\n', &format!("\n{pad}"))
    )))
}

fn replace<'a>(_: &mut Scope<'a>, args: &[Value<'a>]) -> Outcome<'a> {
    let [old, new, whole] = strings_of(args)?;
    let times = if old.is_empty() {
        whole.len().saturating_add(1)
    } else {
        whole.matches(old).count()
    };
    if times.saturating_mul(new.len()).saturating_add(whole.len()) > MAX_OUTPUT.saturating_mul(2) {
        return Err(too_long());
    }
    Ok(Value::string(whole.replace(old, new)))
}

/// The bytes from start to end, without halves of characters.
fn cut(whole: &str, start: usize, end: usize) -> &str {
    let ceil = (start..=whole.len())
        .find(|at| whole.is_char_boundary(*at))
        .unwrap_or(whole.len());
    let floor = whole.floor_char_boundary(end);
    whole.get(ceil..floor).unwrap_or("")
}

fn substr<'a>(_: &mut Scope<'a>, args: &[Value<'a>]) -> Outcome<'a> {
    let [start, end, whole] = args else {
        return wrong();
    };
    let (start, end, whole) = (int(start), int(end), text(whole));
    let len = whole.len();
    let bound = |at: i64| usize::try_from(at).ok().filter(|at| *at <= len);
    let outside = |what: String| Err(format!("runtime error: slice bounds out of range [{what}"));
    let to = match bound(end) {
        Some(to) => to,
        None if start >= 0 => len,
        None if end < 0 => return outside(format!(":{end}]")),
        None => return outside(format!(":{end}] with length {len}")),
    };
    match usize::try_from(start.max(0)) {
        Ok(from) if from <= to => Ok(Value::string(cut(whole, from, to))),
        _ => outside(format!("{start}:{to}]")),
    }
}

fn trunc<'a>(_: &mut Scope<'a>, args: &[Value<'a>]) -> Outcome<'a> {
    let [size, whole] = args else { return wrong() };
    let whole = text(whole);
    let size_bytes = usize::try_from(int(size).unsigned_abs()).unwrap_or(usize::MAX);
    if size_bytes >= whole.len() {
        return Ok(Value::string(whole));
    }
    Ok(Value::string(if int(size) < 0 {
        cut(whole, whole.len().saturating_sub(size_bytes), whole.len())
    } else {
        cut(whole, 0, size_bytes)
    }))
}

/// Shortens to a width with `...`; widths below 4 change nothing.
fn abbrev<'a>(_: &mut Scope<'a>, args: &[Value<'a>]) -> Outcome<'a> {
    let [width, whole] = args else { return wrong() };
    let whole = text(whole);
    match usize::try_from(int(width)) {
        Ok(width) if width >= 4 && whole.len() > width => Ok(Value::string(format!(
            "{}...",
            cut(whole, 0, width.saturating_sub(3))
        ))),
        _ => Ok(Value::string(whole)),
    }
}

/// Shortens to a width from both ends, the left end from an offset on.
fn abbrev_both<'a>(_: &mut Scope<'a>, args: &[Value<'a>]) -> Outcome<'a> {
    let [left, right, whole] = args else {
        return wrong();
    };
    let whole = text(whole);
    let (left, right) = (int(left), int(right));
    if right < 4 || left > 0 && right < 7 {
        return Ok(Value::string(whole));
    }
    let width = usize::try_from(right).unwrap_or(usize::MAX);
    let kept = width.saturating_sub(3);
    let len = whole.len();
    if len <= width {
        return Ok(Value::string(whole));
    }
    // An offset that leaves less than the width moves to the left.
    let offset = usize::try_from(left).unwrap_or(0).min(len);
    let offset = offset.min(len.saturating_sub(kept));
    let front =
        |from: usize, kept: usize| format!("{}...", cut(whole, from, from.saturating_add(kept)));
    Ok(Value::string(if offset <= 4 {
        front(0, kept)
    } else if offset.saturating_add(kept) < len {
        format!("...{}", front(offset, kept.saturating_sub(3)))
    } else {
        format!("...{}", cut(whole, len.saturating_sub(kept), len))
    }))
}

/// Lines of at most a width in bytes, broken at spaces; longer words are broken if asked for.
fn wrap<'a>(width: i64, end: &str, whole: &str, break_words: bool) -> Outcome<'a> {
    let width = usize::try_from(width).unwrap_or(1).max(1);
    let mut rest = whole;
    let mut out = String::new();
    while rest.len() > width {
        if let Some(after) = rest.strip_prefix(' ') {
            rest = after;
            continue;
        }
        let bytes = rest.as_bytes();
        let mut within = bytes.iter().take(width.saturating_add(1));
        let space = within.rposition(|byte| *byte == b' ').or_else(|| {
            let beyond = || bytes.iter().skip(width).position(|byte| *byte == b' ');
            if break_words {
                None
            } else {
                beyond().map(|at| at.saturating_add(width))
            }
        });
        let (line, after) = match space {
            Some(space) => (rest.get(..space), rest.get(space.saturating_add(1)..)),
            None if break_words => {
                let at = rest
                    .floor_char_boundary(width)
                    .max(rest.chars().next().map_or(1, char::len_utf8));
                (rest.get(..at), rest.get(at..))
            }
            None => break,
        };
        out.push_str(line.unwrap_or(""));
        out.push_str(end);
        if out.len() > MAX_OUTPUT {
            return Err(too_long());
        }
        rest = after.unwrap_or("");
    }
    out.push_str(rest);
    Ok(Value::string(out))
}

/// Go's `strings.SplitN`: an empty separator splits into characters, a limit of 0 gives nothing.
fn parts(whole: &str, separator: &str, limit: usize) -> Vec<String> {
    if limit == 0 {
        return Vec::new();
    }
    if !separator.is_empty() {
        return whole.splitn(limit, separator).map(str::to_owned).collect();
    }
    let mut parts: Vec<String> = Vec::new();
    let mut rest = whole.chars();
    while let Some(c) = rest.clone().next() {
        if parts.len().saturating_add(1) == limit {
            parts.push(rest.as_str().to_owned());
            break;
        }
        parts.push(c.to_string());
        rest.next();
    }
    parts
}

/// Go's map of `_0`, `_1`, …
fn numbered<'a>(scope: &mut Scope<'a>, parts: Vec<String>) -> Value<'a> {
    let entries = parts.into_iter().enumerate();
    let mut named = entries.map(|(i, part)| (format!("_{i}"), Value::from(part)));
    scope.map(sorted(&mut named), true)
}
