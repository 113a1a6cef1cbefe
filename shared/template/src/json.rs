//! JSON as Go's `encoding/json` writes it.

use std::fmt::Write as _;

use crate::format::{MAX_OUTPUT, too_deep, too_long};
use crate::value::{MAX_DEPTH, Value};

/// How a document is laid out.
#[derive(Clone, Copy)]
pub(crate) struct Layout {
    /// `<`, `>` and `&` become `\u003c` and so on.
    pub(crate) escape_html: bool,
    /// Two spaces a level.
    pub(crate) pretty: bool,
}

pub(crate) fn encode(value: &Value<'_>, layout: Layout) -> Result<String, String> {
    let mut out = String::new();
    write_value(&mut out, value, layout, 0)?;
    Ok(out)
}

fn write_value(
    out: &mut String,
    value: &Value<'_>,
    layout: Layout,
    depth: usize,
) -> Result<(), String> {
    if depth >= MAX_DEPTH {
        return Err(too_deep());
    }
    if out.len() > MAX_OUTPUT {
        return Err(too_long());
    }
    let below = depth.saturating_add(1);
    match value {
        nil if nil.is_nil() => out.push_str("null"),
        Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Value::Int(i) | Value::Int64(i) => out.push_str(&i.to_string()),
        Value::Byte(b) => out.push_str(&b.to_string()),
        Value::Float(f) => out.push_str(&number(*f)?),
        Value::Str(s) => {
            out.push('"');
            escape(out, s, layout.escape_html);
            out.push('"');
        }
        Value::Object(object) if !object.fields().is_empty() => {
            let fields = object.fields();
            out.push('{');
            for (i, (field, name)) in fields.iter().enumerate() {
                key(out, i, name, below, layout);
                let item = object.field(field).unwrap_or(Value::Null).plain();
                write_value(out, &item, layout, below)?;
            }
            close(out, fields.len(), depth, layout);
            out.push('}');
        }
        Value::Object(object) => match object.content() {
            Some(content) => write_value(out, &content.plain(), layout, depth)?,
            None => return Err(format!("json: unsupported type: {}", object.type_name())),
        },
        other => {
            if let Some(items) = other.items() {
                let last = items.len();
                out.push('[');
                for (i, item) in items.iter().enumerate() {
                    separate(out, i, below, layout);
                    write_value(out, item, layout, below)?;
                }
                close(out, last, depth, layout);
                out.push(']');
            } else if let Some(entries) = other.entries() {
                let last = entries.len();
                out.push('{');
                for (i, (name, item)) in entries.iter().enumerate() {
                    key(out, i, name, below, layout);
                    write_value(out, item, layout, below)?;
                }
                close(out, last, depth, layout);
                out.push('}');
            }
        }
    }
    Ok(())
}

fn separate(out: &mut String, index: usize, depth: usize, layout: Layout) {
    if index > 0 {
        out.push(',');
    }
    if layout.pretty {
        out.push('\n');
        out.push_str(&"  ".repeat(depth));
    }
}

fn key(out: &mut String, index: usize, name: &str, depth: usize, layout: Layout) {
    separate(out, index, depth, layout);
    out.push('"');
    escape(out, name, layout.escape_html);
    out.push_str(if layout.pretty { "\": " } else { "\":" });
}

fn close(out: &mut String, count: usize, depth: usize, layout: Layout) {
    if layout.pretty && count > 0 {
        out.push('\n');
        out.push_str(&"  ".repeat(depth));
    }
}

/// A float as `encoding/json` writes it: an exponent below 1e-6 and from 1e21.
fn number(value: f64) -> Result<String, String> {
    if !value.is_finite() {
        return Err("json: unsupported value: not a finite number".to_owned());
    }
    let size = value.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{value:e}");
        return Ok(if text.contains("e-") {
            text
        } else {
            text.replace('e', "e+")
        });
    }
    Ok(format!("{value}"))
}

/// The inside of a JSON string.
pub(crate) fn escape(out: &mut String, text: &str, html: bool) {
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '\0'..='\x1f' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            '<' | '>' | '&' if html => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
}
