//! Numbers: `%d`, `%x`, `%c`, `%f`, `%g` and their flags.

use std::fmt::Write as _;

use super::{Spec, bad_verb, fill, pad};
use crate::format::{float_g, is_print, quoted_in, special, with_exponent};
use crate::value::Value;

pub(super) fn integer(
    out: &mut String,
    verb: char,
    int: i64,
    value: &Value<'_>,
    spec: &Spec,
    depth: usize,
) -> Result<(), String> {
    let size = int.unsigned_abs();
    let digits = match verb {
        'v' | 'd' => size.to_string(),
        'b' => format!("{size:b}"),
        'o' | 'O' => format!("{size:o}"),
        'x' => format!("{size:x}"),
        'X' => format!("{size:X}"),
        'c' | 'q' => {
            let c = u32::try_from(int).ok().and_then(char::from_u32);
            let c = c.unwrap_or('\u{fffd}').to_string();
            if verb == 'c' {
                pad(out, &c, spec);
            } else {
                pad(out, &quoted_in(&c, '\'', spec.plus), spec);
            }
            return Ok(());
        }
        'U' => {
            unicode(out, int, spec);
            return Ok(());
        }
        _ => return bad_verb(out, verb, value, spec, depth),
    };
    let plain = Spec {
        zero: false,
        ..spec.clone()
    };
    if spec.precision == Some(0) && int == 0 {
        pad(out, "", &plain);
        return Ok(());
    }
    let signed = int < 0 || spec.plus || spec.space;
    let least = match (spec.precision, spec.width) {
        (Some(precision), _) => precision,
        (None, Some(width)) if spec.zero && !spec.minus => {
            width.saturating_sub(usize::from(signed))
        }
        _ => 0,
    };
    let digits = format!("{digits:0>least$}");
    let prefix = match verb {
        'b' if spec.sharp => "0b",
        'o' if spec.sharp && !digits.starts_with('0') => "0",
        'O' if spec.sharp && !digits.starts_with('0') => "0o0",
        'O' => "0o",
        'x' if spec.sharp => "0x",
        'X' if spec.sharp => "0X",
        'v' if spec.syntax && matches!(value, Value::Byte(_)) => {
            pad(out, &format!("{size:#x}"), &plain);
            return Ok(());
        }
        _ => "",
    };
    let sign = if int < 0 {
        "-"
    } else if spec.plus {
        "+"
    } else if spec.space {
        " "
    } else {
        ""
    };
    pad(out, &format!("{sign}{prefix}{digits}"), &plain);
    Ok(())
}

fn unicode(out: &mut String, int: i64, spec: &Spec) {
    let least = spec.precision.unwrap_or(4).max(4);
    let mut text = format!("U+{int:0>least$X}");
    if spec.sharp
        && let Some(c) = u32::try_from(int).ok().and_then(char::from_u32)
        && is_print(c)
    {
        let _ = write!(text, " '{c}'");
    }
    pad(
        out,
        &text,
        &Spec {
            zero: false,
            ..spec.clone()
        },
    );
}

/// `1.5e+06`: at least two digits of exponent.
fn exponent(text: &str) -> String {
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
}

/// Go's `%g` with so many digits.
fn general(value: f64, precision: usize) -> String {
    let precision = precision.max(1);
    let text = format!("{value:.*e}", precision.saturating_sub(1));
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let above = i64::try_from(precision).unwrap_or(i64::MAX);
    if exponent < -4 || i64::from(exponent) >= above {
        let kept = digits.trim_end_matches('0');
        return with_exponent(value, if kept.is_empty() { "0" } else { kept }, exponent);
    }
    let places = above.saturating_sub(1).saturating_sub(i64::from(exponent));
    let text = format!("{value:.*}", usize::try_from(places).unwrap_or(0));
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

pub(super) fn float(out: &mut String, verb: char, value: f64, spec: &Spec) {
    let mut text = match (special(value), verb, spec.precision) {
        (Some(text), ..) => text.to_owned(),
        (None, 'f' | 'F', precision) => format!("{value:.*}", precision.unwrap_or(6)),
        (None, 'e' | 'E', precision) => exponent(&format!("{value:.*e}", precision.unwrap_or(6))),
        (None, _, None) => float_g(value),
        (None, _, Some(precision)) => general(value, precision),
    };
    let mut sign = '+';
    for known in ['+', '-'] {
        if let Some(unsigned) = text.strip_prefix(known) {
            sign = known;
            text = unsigned.to_owned();
            break;
        }
    }
    if sign == '+' && spec.space && !spec.plus {
        sign = ' ';
    }
    let finite = value.is_finite();
    if finite && spec.sharp {
        text = with_point(&text, verb, spec.precision);
    }
    if matches!(verb, 'E' | 'G') && finite {
        text = text.replace('e', "E");
    }
    if value.is_nan() && !spec.plus && !spec.space {
        pad(
            out,
            &text,
            &Spec {
                zero: false,
                ..spec.clone()
            },
        );
    } else if !finite {
        let shown = if sign == '+' && value.is_infinite() && !spec.plus {
            // Infinity keeps its sign.
            format!("+{text}")
        } else {
            format!("{sign}{text}")
        };
        pad(
            out,
            &shown,
            &Spec {
                zero: false,
                ..spec.clone()
            },
        );
    } else if spec.plus || sign != '+' {
        let size = text.chars().count().saturating_add(1);
        match spec.width {
            Some(width) if spec.zero && !spec.minus && width > size => {
                out.push(sign);
                fill(out, width.saturating_sub(size), true);
                out.push_str(&text);
            }
            _ => pad(out, &format!("{sign}{text}"), spec),
        }
    } else {
        pad(out, &text, spec);
    }
}

/// The `#` flag: always a point, and for `%g` all the digits.
fn with_point(text: &str, verb: char, precision: Option<usize>) -> String {
    let mut wanted = match verb {
        'v' | 'g' | 'G' => precision.unwrap_or(6),
        _ => 0,
    };
    let (mantissa, tail) = match text.find('e') {
        Some(at) => text.split_at_checked(at).unwrap_or((text, "")),
        None => (text, ""),
    };
    let mut out = mantissa.to_owned();
    let significant = mantissa
        .chars()
        .filter(char::is_ascii_digit)
        .skip_while(|c| *c == '0')
        .count();
    wanted = wanted.saturating_sub(significant);
    if !mantissa.contains('.') {
        if mantissa == "0" {
            wanted = wanted.saturating_sub(1);
        }
        out.push('.');
    }
    fill(&mut out, wanted, true);
    out.push_str(tail);
    out
}
