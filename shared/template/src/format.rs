//! How Go prints values: `%v`, `%q`, floats, `printf`.

use std::fmt::Write as _;

use crate::value::{MAX_DEPTH, Value};

/// Longest text a template or one function may produce, in bytes.
pub(crate) const MAX_OUTPUT: usize = 64 * 1024;

/// Go's `%v`. Values nested too deep or output too long end in an error.
pub(crate) fn display(value: &Value<'_>) -> Result<String, String> {
    let mut out = String::new();
    write_value(&mut out, value, MAX_DEPTH)?;
    Ok(out)
}

fn write_value(out: &mut String, value: &Value<'_>, depth: usize) -> Result<(), String> {
    let below = depth.checked_sub(1).ok_or_else(too_deep)?;
    if out.len() > MAX_OUTPUT {
        return Err(too_long());
    }
    match value {
        Value::Null => out.push_str("<nil>"),
        Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Value::Int(i) | Value::Int64(i) => out.push_str(&i.to_string()),
        Value::Byte(b) => out.push_str(&b.to_string()),
        Value::Float(f) => out.push_str(&float_g(*f)),
        Value::Str(s) => out.push_str(s),
        Value::Object(object) if !object.is_map() => match (object.text(), object.content()) {
            (Some(text), _) => out.push_str(&text),
            (None, _) if !object.fields().is_empty() => {
                out.push_str(if object.is_pointer() { "&{" } else { "{" });
                for (i, (field, _)) in object.fields().iter().enumerate() {
                    if i > 0 {
                        out.push(' ');
                    }
                    write_value(
                        out,
                        &object.field(field).unwrap_or(Value::Null).plain(),
                        below,
                    )?;
                }
                out.push('}');
            }
            (None, Some(content)) => write_value(out, &content.plain(), below)?,
            (None, None) => out.push_str(object.type_name()),
        },
        other => {
            if let Some(items) = other.items() {
                out.push('[');
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        out.push(' ');
                    }
                    write_value(out, item, below)?;
                }
                out.push(']');
            } else if let Some(entries) = other.entries() {
                out.push_str("map[");
                for (i, (key, item)) in entries.iter().enumerate() {
                    if i > 0 {
                        out.push(' ');
                    }
                    out.push_str(key);
                    out.push(':');
                    write_value(out, item, below)?;
                }
                out.push(']');
            }
        }
    }
    Ok(())
}

pub(crate) fn too_deep() -> String {
    format!("lists and maps lie in one another more than {MAX_DEPTH} levels deep")
}

pub(crate) fn too_long() -> String {
    format!("the output is longer than {MAX_OUTPUT} bytes")
}

/// The shortest decimal digits that give this float back, and the exponent of the first.
fn shortest(value: f64) -> (String, i32) {
    let text = format!("{value:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    (
        mantissa.chars().filter(char::is_ascii_digit).collect(),
        exponent.parse().unwrap_or(0),
    )
}

pub(crate) fn special(value: f64) -> Option<&'static str> {
    if value.is_nan() {
        Some("NaN")
    } else if value == f64::INFINITY {
        Some("+Inf")
    } else if value == f64::NEG_INFINITY {
        Some("-Inf")
    } else {
        None
    }
}

/// Go's `%v` of a float64: shortest digits, an exponent below 1e-4 and from 1e6.
pub(crate) fn float_g(value: f64) -> String {
    if let Some(text) = special(value) {
        return text.to_owned();
    }
    let (digits, exponent) = shortest(value);
    if (-4..6).contains(&exponent) {
        return format!("{value}");
    }
    with_exponent(value, &digits, exponent)
}

pub(crate) fn with_exponent(value: f64, digits: &str, exponent: i32) -> String {
    let mut out = String::new();
    if value.is_sign_negative() {
        out.push('-');
    }
    let mut chars = digits.chars();
    out.extend(chars.next());
    if !chars.as_str().is_empty() {
        out.push('.');
        out.push_str(chars.as_str());
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    let _ = write!(out, "e{sign}{:02}", exponent.unsigned_abs());
    out
}

/// Go's `strconv.Quote`.
pub(crate) fn quoted(text: &str) -> String {
    quoted_in(text, '"', false)
}

/// Go's `strconv.Quote` and `QuoteRune`, and their `ToASCII` kin.
pub(crate) fn quoted_in(text: &str, quote: char, ascii: bool) -> String {
    let mut out = String::with_capacity(text.len().saturating_add(2));
    out.push(quote);
    for c in text.chars() {
        match c {
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            '\\' => out.push_str("\\\\"),
            '\x07' => out.push_str("\\a"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x0b' => out.push_str("\\v"),
            c if is_print(c) && (!ascii || c.is_ascii()) => out.push(c),
            c => {
                let code = u32::from(c);
                let _ = match code {
                    0..=0x7f => write!(out, "\\x{code:02x}"),
                    0x80..=0xffff => write!(out, "\\u{code:04x}"),
                    _ => write!(out, "\\U{code:08x}"),
                };
            }
        }
    }
    out.push(quote);
    out
}

/// Go's `unicode.IsPrint`, without the tables of unassigned characters.
pub(crate) fn is_print(c: char) -> bool {
    let invisible = matches!(u32::from(c),
        0xad | 0x600..=0x605 | 0x61c | 0x6dd | 0x70f | 0x180e | 0x200b..=0x200f | 0x202a..=0x202e
        | 0x2060..=0x206f | 0xe000..=0xf8ff | 0xfeff | 0xfff0..=0xfffb | 0xe0000..=0xe0fff
        | 0xf0000..=0x0010_ffff);
    c == ' ' || !(c.is_control() || c.is_whitespace() || invisible)
}
