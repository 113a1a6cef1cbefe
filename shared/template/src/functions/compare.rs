//! `eq`, `ne`, `lt`, `le`, `gt`, `ge`: only values of one kind compare.

use std::cmp::Ordering;

use super::{Function, Outcome, Param, Scope, exact, variadic, wrong};
use crate::Missing;
use crate::value::Value;

const TWO: &[Param] = &[Param::Any, Param::Any];

pub(super) const FUNCTIONS: &[Function] = &[
    variadic("eq", &[Param::Any], Param::Any, eq),
    exact("ne", TWO, |scope, args| {
        let [a, b] = args else { return wrong() };
        Ok(Value::Bool(!equal(scope, a, b)?))
    }),
    exact("lt", TWO, |_, args| ordered(args, Ordering::is_lt)),
    exact("le", TWO, |_, args| ordered(args, Ordering::is_le)),
    exact("gt", TWO, |_, args| ordered(args, Ordering::is_gt)),
    exact("ge", TWO, |_, args| ordered(args, Ordering::is_ge)),
];

/// True if the first equals any of the others.
fn eq<'a>(scope: &mut Scope<'a>, args: &[Value<'a>]) -> Outcome<'a> {
    let Some((first, others)) = args.split_first() else {
        return wrong();
    };
    if others.is_empty() {
        return Err("missing argument for comparison".to_owned());
    }
    for other in others {
        if equal(scope, first, other)? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

fn equal<'a>(scope: &Scope<'a>, a: &Value<'a>, b: &Value<'a>) -> Result<bool, String> {
    if let (Some(a), Some(b)) = (a.whole(), b.whole()) {
        return Ok(a == b);
    }
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => Ok(a == b),
        (Value::Float(a), Value::Float(b)) => Ok(a == b),
        (Value::Str(a), Value::Str(b)) => Ok(a == b),
        (Value::Null, Value::Null) => Ok(true),
        // A missing value is empty: equal to the empty string, to zero and to false.
        (Value::Null, other) | (other, Value::Null) if scope.missing == Missing::Empty => {
            Ok((matches!(other, Value::Str(_)) || other.is_nil()) && !other.is_true())
        }
        (Value::Null, other) | (other, Value::Null) => Ok(other.is_nil()),
        _ if basic(a) || basic(b) => Err(incompatible(a, b)),
        _ if a.kind_name() == b.kind_name() && (a.is_nil() || b.is_nil()) => {
            Ok(a.is_nil() && b.is_nil())
        }
        (Value::Object(a), Value::Object(b)) if a.is_pointer() && b.is_pointer() => {
            Ok(std::ptr::addr_eq(*a, *b))
        }
        _ => Err(format!(
            "non-comparable types {}, {}",
            a.type_name(),
            b.type_name()
        )),
    }
}

fn basic(value: &Value<'_>) -> bool {
    matches!(
        value,
        Value::Bool(_)
            | Value::Int(_)
            | Value::Int64(_)
            | Value::Byte(_)
            | Value::Float(_)
            | Value::Str(_)
    )
}

fn incompatible(a: &Value<'_>, b: &Value<'_>) -> String {
    format!(
        "incompatible types for comparison: {} and {}",
        a.type_name(),
        b.type_name()
    )
}

fn ordered<'a>(args: &[Value<'a>], wanted: fn(Ordering) -> bool) -> Outcome<'a> {
    let [a, b] = args else { return wrong() };
    if let (Some(a), Some(b)) = (a.whole(), b.whole()) {
        return Ok(Value::Bool(wanted(a.cmp(&b))));
    }
    let ordering = match (a, b) {
        (Value::Float(a), Value::Float(b)) => a.partial_cmp(b),
        (Value::Str(a), Value::Str(b)) => Some(a.cmp(b)),
        _ if basic(a) && basic(b) && !matches!((a, b), (Value::Bool(_), Value::Bool(_))) => {
            return Err(incompatible(a, b));
        }
        _ => return Err("invalid type for comparison".to_owned()),
    };
    Ok(Value::Bool(ordering.is_some_and(wanted)))
}
