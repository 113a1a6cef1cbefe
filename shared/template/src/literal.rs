//! Go's string, character and number literals.

use crate::node::Number;

/// The text of `"…"` or `` `…` ``.
pub(crate) fn unquote(source: &str) -> Result<String, String> {
    let mut chars = source.chars();
    let quote = chars.next();
    chars.next_back();
    let inner = chars.as_str();
    if quote == Some('`') {
        return Ok(inner.replace('\r', ""));
    }
    unescape(inner)
}

fn unescape(inner: &str) -> Result<String, String> {
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let escape = chars.next().unwrap_or('\\');
        let value = match escape {
            'a' => 0x07,
            'b' => 0x08,
            'f' => 0x0c,
            'n' => 0x0a,
            'r' => 0x0d,
            't' => 0x09,
            'v' => 0x0b,
            '\\' | '\'' | '"' => u32::from(escape),
            'x' => byte(digits(&mut chars, 2, 16)?)?,
            'u' => digits(&mut chars, 4, 16)?,
            'U' => digits(&mut chars, 8, 16)?,
            '0'..='7' => {
                let first = escape.to_digit(8).unwrap_or(0);
                byte(
                    first
                        .saturating_mul(64)
                        .saturating_add(digits(&mut chars, 2, 8)?),
                )?
            }
            other => {
                return Err(format!(
                    "invalid syntax; \\{other} is no escape; a backslash is \\\\"
                ));
            }
        };
        out.push(char::from_u32(value).ok_or("invalid syntax; no such Unicode character")?);
    }
    Ok(out)
}

fn digits(chars: &mut std::str::Chars<'_>, count: usize, radix: u32) -> Result<u32, String> {
    let mut value = 0u32;
    for _ in 0..count {
        let digit = chars
            .next()
            .and_then(|c| c.to_digit(radix))
            .ok_or_else(|| format!("invalid syntax; an escape needs {count} digits"))?;
        value = value.saturating_mul(radix).saturating_add(digit);
    }
    Ok(value)
}

/// A single byte above 0x7f would not be UTF-8, which headers and JSON here always are.
fn byte(value: u32) -> Result<u32, String> {
    if value < 0x80 {
        return Ok(value);
    }
    Err("invalid syntax; a byte escape above \\x7f is not UTF-8, write \\u00e9".to_owned())
}

/// A number or character constant.
pub(crate) fn number(source: &str) -> Result<Number, String> {
    let done = |int: Option<i64>, float: f64, is_float: bool| {
        Ok(Number {
            source: source.to_owned(),
            int,
            float,
            is_float,
        })
    };
    if source.starts_with('\'') {
        let text = unquote(source)?;
        let mut chars = text.chars();
        let (Some(c), None) = (chars.next(), chars.next()) else {
            return Err(format!("malformed character constant: {source}"));
        };
        let code = i64::from(u32::from(c));
        return done(Some(code), f64::from(u32::from(c)), false);
    }
    let lower = source.to_ascii_lowercase();
    let hex = lower.contains('x');
    if !hex && lower.contains(['.', 'e']) {
        let float: f64 = plain_digits(&lower)?
            .parse()
            .map_err(|_| format!("bad number syntax: {source:?}"))?;
        if !float.is_finite() {
            return Err(format!("bad number syntax: {source:?}: out of range"));
        }
        return done(integer_valued(float), float, true);
    }
    match integer(&lower) {
        Some(int) => done(Some(int), int as f64, false),
        None if plain_digits(&lower)?
            .trim_start_matches(['+', '-'])
            .parse::<f64>()
            .is_ok() =>
        {
            Err(format!("integer overflow: {source:?}"))
        }
        None => Err(format!("bad number syntax: {source:?}")),
    }
}

/// A float that is a whole number an `int` can hold.
pub(crate) fn integer_valued(float: f64) -> Option<i64> {
    let int = float as i64;
    (int as f64 == float && float.abs() < 9.2e18).then_some(int)
}

/// Go's `ParseInt(text, 0, 64)`: a sign, a base prefix (a leading 0 is octal), underscores.
pub(crate) fn integer(text: &str) -> Option<i64> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = rest.to_ascii_lowercase();
    let (radix, body) = if let Some(body) = lower.strip_prefix("0x") {
        (16, body)
    } else if let Some(body) = lower.strip_prefix("0b") {
        (2, body)
    } else if let Some(body) = lower.strip_prefix("0o") {
        (8, body)
    } else if lower.len() > 1 && lower.starts_with('0') {
        (8, lower.trim_start_matches('0'))
    } else {
        (10, lower.as_str())
    };
    if body.is_empty() {
        return (radix == 8 && lower.bytes().all(|b| b == b'0') && !lower.is_empty()).then_some(0);
    }
    let body = plain_digits(body).ok()?;
    if body.starts_with(['+', '-']) {
        return None;
    }
    let value = i128::from_str_radix(&body, radix).ok()?;
    i64::try_from(if negative {
        value.checked_neg()?
    } else {
        value
    })
    .ok()
}

/// Underscores may only stand between digits.
fn plain_digits(text: &str) -> Result<String, String> {
    if text.starts_with('_') && text.len() == 1 || text.ends_with('_') || text.contains("__") {
        return Err(format!("bad number syntax: {text:?}"));
    }
    Ok(text.replace('_', ""))
}
