//! sprig: numbers. Whole numbers wrap around on overflow, as Go's do.

use std::num::IntErrorKind;

use super::{Function, Outcome, Param, Scope, exact, int, text, variadic, wrong};
use crate::format::display;
use crate::literal;
use crate::value::Value;

const ONE: &[Param] = &[Param::Any];
const TWO: &[Param] = &[Param::Any, Param::Any];

pub(super) const FUNCTIONS: &[Function] = &[
    exact("int", ONE, |_, args| {
        Ok(Value::Int(args.first().map_or(0, to_int)))
    }),
    exact("int64", ONE, |_, args| {
        Ok(Value::Int64(args.first().map_or(0, to_int)))
    }),
    exact("float64", ONE, |_, args| {
        Ok(Value::Float(args.first().map_or(0.0, to_float)))
    }),
    exact("atoi", &[Param::Str], |_, args| {
        let digits = args.first().map_or("", text);
        // Out of range, Go gives the nearest number there is.
        Ok(Value::Int(match digits.parse::<i64>() {
            Ok(int) => int,
            Err(error) => match error.kind() {
                IntErrorKind::PosOverflow => i64::MAX,
                IntErrorKind::NegOverflow => i64::MIN,
                _ => 0,
            },
        }))
    }),
    exact("toDecimal", ONE, |_, args| {
        let [value] = args else { return wrong() };
        Ok(Value::Int64(
            i64::from_str_radix(&display(value)?, 8).unwrap_or(0),
        ))
    }),
    exact("add1", ONE, |_, args| {
        Ok(Value::Int64(args.first().map_or(0, to_int).wrapping_add(1)))
    }),
    variadic("add", &[], Param::Any, |_, args| {
        Ok(Value::Int64(
            args.iter().map(to_int).fold(0, i64::wrapping_add),
        ))
    }),
    exact("sub", TWO, |_, args| {
        let [a, b] = args else { return wrong() };
        Ok(Value::Int64(to_int(a).wrapping_sub(to_int(b))))
    }),
    variadic("mul", ONE, Param::Any, |_, args| {
        Ok(Value::Int64(
            args.iter().map(to_int).fold(1, i64::wrapping_mul),
        ))
    }),
    exact("div", TWO, |_, args| divide(args, i64::wrapping_div)),
    exact("mod", TWO, |_, args| divide(args, i64::wrapping_rem)),
    variadic("max", ONE, Param::Any, largest),
    variadic("biggest", ONE, Param::Any, largest),
    variadic("min", ONE, Param::Any, |_, args| {
        Ok(Value::Int64(args.iter().map(to_int).min().unwrap_or(0)))
    }),
    variadic("maxf", ONE, Param::Any, |_, args| fold(args, f64::max)),
    variadic("minf", ONE, Param::Any, |_, args| fold(args, f64::min)),
    exact("ceil", ONE, |_, args| {
        Ok(Value::Float(args.first().map_or(0.0, to_float).ceil()))
    }),
    exact("floor", ONE, |_, args| {
        Ok(Value::Float(args.first().map_or(0.0, to_float).floor()))
    }),
    variadic("round", &[Param::Any, Param::Int], Param::Float, round),
];

fn divide<'a>(args: &[Value<'a>], operation: fn(i64, i64) -> i64) -> Outcome<'a> {
    let [a, b] = args else { return wrong() };
    match to_int(b) {
        0 => Err("runtime error: integer divide by zero".to_owned()),
        b => Ok(Value::Int64(operation(to_int(a), b))),
    }
}

fn largest<'a>(_: &mut Scope<'a>, args: &[Value<'a>]) -> Outcome<'a> {
    Ok(Value::Int64(args.iter().map(to_int).max().unwrap_or(0)))
}

fn fold<'a>(args: &[Value<'a>], pick: fn(f64, f64) -> f64) -> Outcome<'a> {
    Ok(Value::Float(
        args.iter().map(to_float).reduce(pick).unwrap_or(0.0),
    ))
}

/// Rounds to places after the point; from what fraction on it rounds up may be given.
fn round<'a>(_: &mut Scope<'a>, args: &[Value<'a>]) -> Outcome<'a> {
    let [value, places, rest @ ..] = args else {
        return wrong();
    };
    let up_from = match rest.first() {
        Some(Value::Float(fraction)) => *fraction,
        _ => 0.5,
    };
    let power = 10f64.powi(i32::try_from(int(places)).unwrap_or(i32::MAX));
    let digits = power * to_float(value);
    let rounded = if digits.fract() >= up_from {
        digits.ceil()
    } else {
        digits.floor()
    };
    Ok(Value::Float(rounded / power))
}

/// sprig's conversion: what is no number is 0.
pub(super) fn to_int(value: &Value<'_>) -> i64 {
    match value {
        Value::Int(int) | Value::Int64(int) => *int,
        Value::Byte(byte) => i64::from(*byte),
        Value::Float(float) => truncate(*float),
        Value::Bool(b) => i64::from(*b),
        Value::Str(text) => literal::integer(whole_part(text)).unwrap_or(0),
        _ => 0,
    }
}

/// A float out of range becomes the smallest number, as on Go's usual platforms.
fn truncate(float: f64) -> i64 {
    let limit = 9_223_372_036_854_775_808.0;
    if float >= -limit && float < limit {
        float as i64
    } else {
        i64::MIN
    }
}

/// What stands before the point of a decimal number.
fn whole_part(text: &str) -> &str {
    let Some((whole, fraction)) = text.split_once('.') else {
        return text;
    };
    let digits = whole.strip_prefix(['+', '-']).unwrap_or(whole);
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(digits) || !all_digits(fraction) {
        return text;
    }
    if digits.is_empty() { "0" } else { whole }
}

fn to_float(value: &Value<'_>) -> f64 {
    match value {
        Value::Int(int) | Value::Int64(int) => *int as f64,
        Value::Byte(byte) => f64::from(*byte),
        Value::Float(float) => *float,
        Value::Bool(b) => f64::from(u8::from(*b)),
        Value::Str(text) => literal::float(text).unwrap_or(0.0),
        _ => 0.0,
    }
}
