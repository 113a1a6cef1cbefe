//! Go's own functions, with Oathkeeper's `print` and `printIndex`.

use std::fmt::Write as _;

use super::{Function, NO_TYPE, Outcome, Param, Run, Scope, exact, text, variadic, wrong};
use crate::Missing;
use crate::format::{display, is_print};
use crate::printf::sprintf;
use crate::value::Value;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "and",
        params: &[Param::Any],
        rest: Some(Param::Any),
        run: Run::And,
    },
    Function {
        name: "or",
        params: &[Param::Any],
        rest: Some(Param::Any),
        run: Run::Or,
    },
    exact("not", &[Param::Any], not),
    exact("len", &[Param::Any], len),
    variadic("index", &[Param::Any], Param::Any, index),
    exact("print", &[Param::Any], print),
    exact("printIndex", &[Param::Any, Param::Int], print_index),
    variadic("printf", &[Param::Str], Param::Any, printf),
    variadic("println", &[], Param::Any, println),
    variadic("html", &[], Param::Any, html),
    variadic("js", &[], Param::Any, js),
    variadic("urlquery", &[], Param::Any, urlquery),
];

fn not<'a>(_: &mut Scope<'a>, args: &[Value<'a>]) -> Outcome<'a> {
    Ok(Value::Bool(!args.first().is_some_and(Value::is_true)))
}

fn len<'a>(scope: &mut Scope<'a>, args: &[Value<'a>]) -> Outcome<'a> {
    let [value] = args else { return wrong() };
    match value {
        Value::Null if scope.missing == Missing::Empty => Ok(Value::Int(0)),
        Value::Null if scope.boxed_nil => Err("len of nil pointer".to_owned()),
        Value::Null => Err(NO_TYPE.to_owned()),
        value => match value.len() {
            Some(len) => Ok(Value::Int(i64::try_from(len).unwrap_or(i64::MAX))),
            None => Err(format!("len of type {}", pointed_to(value))),
        },
    }
}

/// The type behind a pointer.
fn pointed_to(value: &Value<'_>) -> &'static str {
    value.type_name().trim_start_matches('*')
}

fn index<'a>(scope: &mut Scope<'a>, args: &[Value<'a>]) -> Outcome<'a> {
    let Some((item, keys)) = args.split_first() else {
        return wrong();
    };
    let mut item = item.clone();
    if matches!(item, Value::Null) && scope.missing == Missing::Go {
        return Err("index of untyped nil".to_owned());
    }
    for key in keys {
        if matches!(item, Value::Null) {
            if scope.missing == Missing::Empty {
                return Ok(Value::Null);
            }
            return Err("index of nil pointer".to_owned());
        }
        if item.is_map() {
            item = match key {
                Value::Str(key) => item
                    .get(key)
                    .unwrap_or_else(|| item.zero_entry(scope.missing)),
                Value::Null => return Err("value is nil; should be of type string".to_owned()),
                other => {
                    return Err(format!(
                        "value has type {}; should be string",
                        other.type_name()
                    ));
                }
            };
            continue;
        }
        let (Some(len), false) = (item.len(), item.is_map()) else {
            if scope.missing == Missing::Empty && !matches!(item, Value::Object(_)) {
                return Ok(Value::Null);
            }
            return Err(format!("can't index item of type {}", pointed_to(&item)));
        };
        let position = match (key, key.whole()) {
            (_, Some(position)) => position,
            (Value::Null, _) => return Err("cannot index slice/array with nil".to_owned()),
            (other, _) => {
                return Err(format!(
                    "cannot index slice/array with type {}",
                    other.type_name()
                ));
            }
        };
        let found = usize::try_from(position)
            .ok()
            .filter(|p| *p < len)
            .and_then(|p| match &item {
                Value::Str(text) => text.as_bytes().get(p).map(|byte| Value::Byte(*byte)),
                list => list.items().and_then(|items| items.into_iter().nth(p)),
            });
        item = match found {
            Some(found) => found,
            None if scope.missing == Missing::Empty => Value::Null,
            // Go's own check lets the position just past the end through to the next one.
            None if usize::try_from(position) == Ok(len) => {
                let what = if matches!(item, Value::Str(_)) {
                    "string"
                } else {
                    "slice"
                };
                return Err(format!("reflect: {what} index out of range"));
            }
            None => return Err(format!("index out of range: {position}")),
        };
    }
    Ok(item)
}

/// Oathkeeper's `print`: one argument, and nothing for nil.
fn print<'a>(_: &mut Scope<'a>, args: &[Value<'a>]) -> Outcome<'a> {
    match args {
        [Value::Null] => Ok(Value::from("")),
        [value] => Ok(Value::string(display(value)?)),
        _ => wrong(),
    }
}

/// Oathkeeper's `printIndex`: nothing where the list is too short.
fn print_index<'a>(_: &mut Scope<'a>, args: &[Value<'a>]) -> Outcome<'a> {
    let [list, Value::Int(position)] = args else {
        return wrong();
    };
    let Some(items) = list.items() else {
        return Ok(Value::from(""));
    };
    let Ok(position) = usize::try_from(*position) else {
        return Err("reflect: slice index out of range".to_owned());
    };
    match items.get(position) {
        Some(item) => Ok(Value::string(display(item)?)),
        None => Ok(Value::from("")),
    }
}

fn printf<'a>(scope: &mut Scope<'a>, args: &[Value<'a>]) -> Outcome<'a> {
    let Some((format, args)) = args.split_first() else {
        return wrong();
    };
    let nil = (scope.missing == Missing::Empty).then_some("");
    Ok(Value::string(sprintf(text(format), args, nil)?))
}

fn println<'a>(scope: &mut Scope<'a>, args: &[Value<'a>]) -> Outcome<'a> {
    let mut parts = Vec::new();
    for arg in args {
        parts.push(scope.show(arg)?);
    }
    let mut out = parts.join(" ");
    out.push('\n');
    Ok(Value::string(out))
}

/// Go's `fmt.Sprint`: a space between two operands when neither is a string.
fn sprint<'a>(scope: &Scope<'a>, args: &[Value<'a>]) -> Result<String, String> {
    let mut out = String::new();
    let mut after_string = true;
    for arg in args {
        let is_string = matches!(arg, Value::Str(_) | Value::Null);
        if !after_string && !is_string {
            out.push(' ');
        }
        match arg {
            Value::Null if scope.missing == Missing::Go => out.push_str("<no value>"),
            Value::Object(_) => out.push_str(scope.show(arg)?.trim_start_matches('&')),
            arg => out.push_str(&scope.show(arg)?),
        }
        after_string = is_string;
    }
    Ok(out)
}

fn html<'a>(scope: &mut Scope<'a>, args: &[Value<'a>]) -> Outcome<'a> {
    let mut out = String::new();
    for c in sprint(scope, args)?.chars() {
        match c {
            '\0' => out.push('\u{fffd}'),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c => out.push(c),
        }
    }
    Ok(Value::string(out))
}

fn js<'a>(scope: &mut Scope<'a>, args: &[Value<'a>]) -> Outcome<'a> {
    let mut out = String::new();
    for c in sprint(scope, args)?.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\'' => out.push_str("\\'"),
            '"' => out.push_str("\\\""),
            c if matches!(c, '<' | '>' | '&' | '=' | '\0'..='\x1f')
                || !is_print(c) && c != '\x7f' =>
            {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    Ok(Value::string(out))
}

fn urlquery<'a>(scope: &mut Scope<'a>, args: &[Value<'a>]) -> Outcome<'a> {
    let mut out = String::new();
    for byte in sprint(scope, args)?.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            b' ' => out.push('+'),
            byte => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    Ok(Value::string(out))
}
