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
        Value::Int(i) => out.push_str(&i.to_string()),
        Value::Float(f) => out.push_str(&float_g(*f)),
        Value::Str(s) => out.push_str(s),
        Value::Object(object) if !object.is_map() => match (object.text(), object.content()) {
            (Some(text), _) => out.push_str(&text),
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

fn special(value: f64) -> Option<&'static str> {
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

fn with_exponent(value: f64, digits: &str, exponent: i32) -> String {
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
    let mut out = String::with_capacity(text.len().saturating_add(2));
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\x07' => out.push_str("\\a"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x0b' => out.push_str("\\v"),
            c if is_print(c) => out.push(c),
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
    out.push('"');
    out
}

/// Go's `strconv.QuoteRune`.
fn quoted_char(c: char) -> String {
    match c {
        '\'' => "'\\''".to_owned(),
        '"' => "'\"'".to_owned(),
        c => format!("'{}'", quoted(&c.to_string()).trim_matches('"')),
    }
}

/// Go's `unicode.IsPrint`, without the tables of unassigned characters.
pub(crate) fn is_print(c: char) -> bool {
    let invisible = matches!(u32::from(c),
        0xad | 0x600..=0x605 | 0x61c | 0x6dd | 0x70f | 0x180e | 0x200b..=0x200f | 0x202a..=0x202e
        | 0x2060..=0x206f | 0xe000..=0xf8ff | 0xfeff | 0xfff0..=0xfffb | 0xe0000..=0xe0fff
        | 0xf0000..=0x0010_ffff);
    c == ' ' || !(c.is_control() || c.is_whitespace() || invisible)
}

/// A verb's flags, width and precision.
#[derive(Default)]
struct Spec {
    minus: bool,
    plus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    width: usize,
    precision: Option<usize>,
}

/// Go's `fmt.Sprintf` with the verbs templates use.
pub(crate) fn sprintf(format: &str, args: &[Value<'_>], nil: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = args.iter();
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut spec = Spec::default();
        while let Some(&flag) = chars.peek() {
            match flag {
                '-' => spec.minus = true,
                '+' => spec.plus = true,
                '#' => spec.sharp = true,
                ' ' => spec.space = true,
                '0' => spec.zero = true,
                _ => break,
            }
            chars.next();
        }
        spec.width = if chars.next_if_eq(&'*').is_some() {
            match rest.next() {
                Some(Value::Int(width)) => {
                    spec.minus |= *width < 0;
                    usize::try_from(width.unsigned_abs()).unwrap_or(usize::MAX)
                }
                _ => {
                    out.push_str("%!(BADWIDTH)");
                    0
                }
            }
        } else {
            decimal(&mut chars).unwrap_or(0)
        };
        if chars.next_if_eq(&'.').is_some() {
            spec.precision = Some(decimal(&mut chars).unwrap_or(0));
        }
        if spec.width > MAX_OUTPUT || spec.precision.is_some_and(|p| p > 1000) {
            return Err("width or precision in the format is too large".to_owned());
        }
        match chars.next() {
            None => out.push_str("%!(NOVERB)"),
            Some('%') => out.push('%'),
            Some('[') => {
                return Err("argument numbers in the format (%[1]d) are not available".to_owned());
            }
            Some(verb) => match rest.next() {
                None => {
                    let _ = write!(out, "%!{verb}(MISSING)");
                }
                Some(value) => {
                    let text = formatted(verb, value, &spec, nil, MAX_DEPTH)?;
                    out.push_str(&text);
                }
            },
        }
        if out.len() > MAX_OUTPUT {
            return Err(too_long());
        }
    }
    let extra: Vec<_> = rest.collect();
    if !extra.is_empty() {
        out.push_str("%!(EXTRA ");
        for (i, value) in extra.iter().enumerate() {
            if i > 0 {
                out.push_str(", ");
            }
            match value {
                Value::Null => out.push_str("<nil>"),
                value => {
                    let _ = write!(out, "{}={}", value.type_name(), display(value)?);
                }
            }
        }
        out.push(')');
    }
    Ok(out)
}

fn decimal(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<usize> {
    let mut value = None;
    while let Some(digit) = chars.peek().and_then(|c| c.to_digit(10)) {
        chars.next();
        value = Some(
            value
                .unwrap_or(0usize)
                .saturating_mul(10)
                .saturating_add(digit as usize),
        );
    }
    value
}

fn formatted(
    verb: char,
    value: &Value<'_>,
    spec: &Spec,
    nil: &str,
    depth: usize,
) -> Result<String, String> {
    let below = depth.checked_sub(1).ok_or_else(too_deep)?;
    if matches!(value, Value::Null) {
        return Ok(match verb {
            _ if nil.is_empty() => pad(String::new(), spec, false),
            'v' => pad("<nil>".to_owned(), spec, false),
            'T' => "<nil>".to_owned(),
            _ => format!("%!{verb}(<nil>)"),
        });
    }
    if verb == 'T' {
        return Ok(pad(value.type_name().to_owned(), spec, false));
    }
    if let Some(items) = value.items() {
        let mut parts = Vec::new();
        for item in &items {
            parts.push(formatted(verb, item, spec, "<nil>", below)?);
        }
        return Ok(format!("[{}]", parts.join(" ")));
    }
    if let Some(entries) = value.entries() {
        let mut parts = Vec::new();
        for (key, item) in entries {
            let key = formatted(verb, &Value::Str(key), spec, "<nil>", below)?;
            parts.push(format!(
                "{key}:{}",
                formatted(verb, &item, spec, "<nil>", below)?
            ));
        }
        return Ok(format!("map[{}]", parts.join(" ")));
    }
    let text = match (verb, value) {
        ('v' | 't', Value::Bool(b)) => pad(b.to_string(), spec, false),
        ('v' | 'd', Value::Int(i)) => integer(i.to_string(), spec),
        ('x', Value::Int(i)) => integer(radix(*i, format!("{:x}", i.unsigned_abs())), spec),
        ('X', Value::Int(i)) => integer(radix(*i, format!("{:X}", i.unsigned_abs())), spec),
        ('o', Value::Int(i)) => integer(radix(*i, format!("{:o}", i.unsigned_abs())), spec),
        ('b', Value::Int(i)) => integer(radix(*i, format!("{:b}", i.unsigned_abs())), spec),
        ('c' | 'q', Value::Int(i)) => {
            let c = u32::try_from(*i)
                .ok()
                .and_then(char::from_u32)
                .unwrap_or('\u{fffd}');
            let text = if verb == 'c' {
                c.to_string()
            } else {
                quoted_char(c)
            };
            pad(text, spec, false)
        }
        ('v' | 'g' | 'e' | 'f' | 'F', Value::Float(f)) => {
            pad(float(verb, *f, spec), spec, f.is_finite())
        }
        ('G' | 'E', Value::Float(f)) => {
            let text = float(verb.to_ascii_lowercase(), *f, spec);
            pad(text.replace('e', "E"), spec, f.is_finite())
        }
        ('v' | 's', Value::Str(s)) => pad(cut(s, spec), spec, false),
        ('q', Value::Str(s)) => {
            let s = cut(s, spec);
            pad(
                if spec.sharp && !s.contains('`') {
                    format!("`{s}`")
                } else {
                    quoted(&s)
                },
                spec,
                false,
            )
        }
        ('x', Value::Str(s)) => pad(s.bytes().map(|b| format!("{b:02x}")).collect(), spec, false),
        ('X', Value::Str(s)) => pad(s.bytes().map(|b| format!("{b:02X}")).collect(), spec, false),
        ('v' | 's', Value::Object(_)) => pad(display(value)?, spec, false),
        _ => format!("%!{verb}({}={})", value.type_name(), display(value)?),
    };
    Ok(text)
}

fn radix(value: i64, digits: String) -> String {
    if value < 0 {
        format!("-{digits}")
    } else {
        digits
    }
}

fn cut(text: &str, spec: &Spec) -> String {
    match spec.precision {
        Some(count) => text.chars().take(count).collect(),
        None => text.to_owned(),
    }
}

fn integer(digits: String, spec: &Spec) -> String {
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(digits) => ("-", digits.to_owned()),
        None if spec.plus => ("+", digits),
        None if spec.space => (" ", digits),
        None => ("", digits),
    };
    let precise = format!("{digits:0>width$}", width = spec.precision.unwrap_or(0));
    pad(format!("{sign}{precise}"), spec, spec.precision.is_none())
}

fn float(verb: char, value: f64, spec: &Spec) -> String {
    let sign = if value.is_sign_positive() && spec.plus {
        "+"
    } else if value.is_sign_positive() && spec.space {
        " "
    } else {
        ""
    };
    if let Some(text) = special(value) {
        return format!(
            "{sign}{}",
            text.trim_start_matches(if sign.is_empty() { '+' } else { '\0' })
        );
    }
    let text = match (verb, spec.precision) {
        ('f' | 'F', precision) => format!("{value:.*}", precision.unwrap_or(6)),
        ('e', precision) => {
            let text = format!("{value:.*e}", precision.unwrap_or(6));
            let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
            let exponent: i32 = exponent.parse().unwrap_or(0);
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
        }
        (_, None) => float_g(value),
        (_, Some(precision)) => {
            let precision = precision.max(1);
            let text = format!("{value:.*e}", precision.saturating_sub(1));
            let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
            let exponent: i32 = exponent.parse().unwrap_or(0);
            let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
            if exponent < -4 || i64::from(exponent) >= precision as i64 {
                with_exponent(value, digits.trim_end_matches('0'), exponent)
            } else {
                let places = i64::from(exponent)
                    .saturating_neg()
                    .saturating_add(precision as i64);
                let places = usize::try_from(places.saturating_sub(1)).unwrap_or(0);
                let text = format!("{value:.places$}");
                if text.contains('.') {
                    text.trim_end_matches('0').trim_end_matches('.').to_owned()
                } else {
                    text
                }
            }
        }
    };
    format!("{sign}{text}")
}

/// Pads to the width; zeros go between sign and digits.
fn pad(text: String, spec: &Spec, numeric: bool) -> String {
    let missing = spec.width.saturating_sub(text.chars().count());
    if missing == 0 {
        return text;
    }
    if spec.minus {
        return format!("{text}{}", " ".repeat(missing));
    }
    if spec.zero && numeric {
        let digits = text.trim_start_matches(['+', '-', ' ']);
        let sign = text.strip_suffix(digits).unwrap_or("");
        return format!("{sign}{}{digits}", "0".repeat(missing));
    }
    let filler = if spec.zero { "0" } else { " " };
    format!("{}{text}", filler.repeat(missing))
}
