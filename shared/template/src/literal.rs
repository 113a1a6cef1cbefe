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
    unescape(inner, quote)
}

fn unescape(inner: &str, quote: Option<char>) -> Result<String, String> {
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
            '\\' => u32::from(escape),
            // Each of the quotes is escaped within its own kind only.
            '\'' | '"' if Some(escape) == quote => u32::from(escape),
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
    let bad = || format!("illegal number syntax: {source:?}");
    if source.ends_with('i') {
        return Err(format!("{}; imaginary numbers are not available", bad()));
    }
    // Go looks for these letters in `-0xE1` as well, though not in `0xE1`.
    let hex = source.starts_with("0x") || source.starts_with("0X");
    let looks_float = source.contains(['.', 'e', 'E', 'p', 'P']);
    if let Some(int) = integer(source) {
        return done(Some(int), int as f64, looks_float && !hex);
    }
    if looks_float && integer_unsigned(source).is_none() {
        let float = float(source)
            .filter(|float| float.is_finite())
            .ok_or_else(bad)?;
        return done(integer_valued(float), float, true);
    }
    // One bit more than an int has is no error until it is used.
    match integer_unsigned(source) {
        Some(unsigned) => done(None, unsigned as f64, false),
        None if float(source).is_some() => Err(format!("integer overflow: {source:?}")),
        None => Err(bad()),
    }
}

/// Go's `ParseFloat(text, 64)`, where out of range is no number.
pub(crate) fn float(text: &str) -> Option<f64> {
    let (negative, body) = match text.strip_prefix('-') {
        Some(body) => (true, body),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = body.to_ascii_lowercase();
    let size = if let Some(hex) = lower.strip_prefix("0x") {
        if !underscores_fit(&lower) {
            return None;
        }
        hex_float(hex)?
    } else {
        if body.starts_with(['+', '-']) || !underscores_fit(body) {
            return None;
        }
        let float = decimal(&lower.replace('_', ""))?;
        if float.is_infinite() && lower.contains(|c: char| c.is_ascii_digit()) {
            return None;
        }
        float
    };
    Some(if negative { -size } else { size })
}

/// A decimal number without a sign, in lower case; the nearest float to it.
fn decimal(text: &str) -> Option<f64> {
    match text {
        "inf" | "infinity" => return Some(f64::INFINITY),
        "nan" => return Some(f64::NAN),
        _ => {}
    }
    let (mantissa, exponent) = match text.split_once('e') {
        Some((mantissa, exponent)) => (mantissa, self::exponent(exponent)?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let are_digits = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if !are_digits(whole)
        || !are_digits(fraction)
        || mantissa.len() <= mantissa.matches('.').count()
    {
        return None;
    }
    let whole = whole.trim_start_matches('0');
    let fraction = fraction.trim_end_matches('0');
    if whole.is_empty() && fraction.is_empty() {
        return Some(0.0);
    }
    let float = minimal_lexical::parse_float::<f64, _, _>(
        whole.as_bytes().iter(),
        fraction.as_bytes().iter(),
        exponent,
    );
    Some(float)
}

/// What follows an `e`. Beyond these bounds any number that is written out is 0 or out of range.
fn exponent(text: &str) -> Option<i32> {
    const BOUND: i64 = 1 << 24;
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits = digits.trim_start_matches('0');
    let size = match digits {
        "" => 0,
        digits => digits.parse().unwrap_or(BOUND).min(BOUND),
    };
    i32::try_from(if negative {
        size.saturating_neg()
    } else {
        size
    })
    .ok()
}

/// `1.8p3` after its `0x`: the exponent, of two, must be there.
fn hex_float(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once('p')?;
    let exponent: i32 = exponent.replace('_', "").parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}").replace('_', "");
    if digits.is_empty() {
        return None;
    }
    let mut value = 0.0;
    for digit in digits.chars() {
        value = value * 16.0 + f64::from(digit.to_digit(16)?);
    }
    let places = i32::try_from(fraction.replace('_', "").len()).ok()?;
    let float = value * 2f64.powi(exponent.checked_sub(places.checked_mul(4)?)?);
    float.is_finite().then_some(float)
}

/// A float that is a whole number an `int` can hold.
pub(crate) fn integer_valued(float: f64) -> Option<i64> {
    let int = float as i64;
    (int as f64 == float && float.abs() < 9.2e18).then_some(int)
}

/// Go's `ParseInt(text, 0, 64)`: a sign, a base prefix (a leading 0 is octal), underscores.
pub(crate) fn integer(text: &str) -> Option<i64> {
    i64::try_from(wide_integer(text)?).ok()
}

/// Go's `ParseUint(text, 0, 64)`, which knows no sign.
fn integer_unsigned(text: &str) -> Option<u64> {
    if text.starts_with(['+', '-']) {
        return None;
    }
    u64::try_from(wide_integer(text)?).ok()
}

fn wide_integer(text: &str) -> Option<i128> {
    if !underscores_fit(text) {
        return None;
    }
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
    let body = body.replace('_', "");
    if body.starts_with(['+', '-']) {
        return None;
    }
    let value = i128::from_str_radix(&body, radix).ok()?;
    if negative {
        value.checked_neg()
    } else {
        Some(value)
    }
}

/// Go's rule: an underscore stands between digits, or after the prefix of a base.
fn underscores_fit(text: &str) -> bool {
    let lower = text.trim_start_matches(['+', '-']).to_ascii_lowercase();
    let (mut before_is_digit, body, hex) = match lower.get(..2) {
        Some("0x") => (true, lower.get(2..), true),
        Some("0b" | "0o") => (true, lower.get(2..), false),
        _ => (false, Some(lower.as_str()), false),
    };
    let mut after_underscore = false;
    for c in body.unwrap_or("").chars() {
        let is_digit = c.is_ascii_digit() || hex && c.is_ascii_hexdigit();
        if c == '_' && !before_is_digit || after_underscore && !is_digit {
            return false;
        }
        after_underscore = c == '_';
        before_is_digit = is_digit;
    }
    !after_underscore
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the standard library reads, where it reads the same notation.
    fn expected(text: &str) -> Option<u64> {
        let float: f64 = text.parse().ok()?;
        float.is_finite().then(|| float.to_bits())
    }

    #[test]
    fn a_float_is_the_nearest_to_what_is_written() {
        for text in [
            "0",
            "0.0",
            "00.100",
            "1.",
            ".5",
            "1e0",
            "1E+3",
            "1e-3",
            "123456789012345678901234567890",
            // Halfway between two floats, just above and just below.
            "9007199254740993",
            "9007199254740993.0000000000000000000001",
            "9007199254740992.9999999999999",
            // The largest and the smallest, and what is beyond.
            "1.7976931348623157e308",
            "1.7976931348623158e308",
            "1.7976931348623159e308",
            "1e309",
            "2.2250738585072011e-308",
            "2.2250738585072014e-308",
            "5e-324",
            "2.4703282292062327e-324",
            "2.4703282292062328e-324",
            "1e-400",
            "0e999999999999",
            "1e-999999999999",
            "1e999999999999",
            // No numbers.
            "",
            ".",
            "e1",
            "1e",
            "1e+",
            "1e1.5",
            "1.2.3",
            "1 ",
            "0x",
            "a",
            "--1",
            "+-1",
            "1e--1",
        ] {
            assert_eq!(float(text).map(f64::to_bits), expected(text), "{text}");
            let negative = format!("-{text}");
            assert_eq!(
                float(&negative).map(f64::to_bits),
                expected(&negative),
                "{negative}"
            );
        }
        let long = format!("0.{}1e{}", "0".repeat(400), 401);
        assert_eq!(float(&long), Some(1.0));
        let long = format!("1{}e-400", "0".repeat(400));
        assert_eq!(float(&long), Some(1.0));
    }

    #[test]
    fn any_float_that_is_written_is_read_back() {
        // xorshift64 (Marsaglia): any bits will do, the same in each run.
        let mut bits = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..200_000 {
            bits ^= bits << 13;
            bits ^= bits >> 7;
            bits ^= bits << 17;
            let value = f64::from_bits(bits);
            if !value.is_finite() {
                continue;
            }
            for text in [
                format!("{value:e}"),
                format!("{value:.3e}"),
                format!("{:.20e}", value),
            ] {
                assert_eq!(float(&text).map(f64::to_bits), expected(&text), "{text}");
            }
        }
    }

    #[test]
    fn words_for_what_is_no_number_are_read_as_go_does() {
        for text in ["inf", "Infinity", "+INF"] {
            assert_eq!(float(text), Some(f64::INFINITY), "{text}");
        }
        assert_eq!(float("-inf"), Some(f64::NEG_INFINITY));
        assert!(float("NaN").unwrap().is_nan());
        assert_eq!(float("in"), None);
    }
}
