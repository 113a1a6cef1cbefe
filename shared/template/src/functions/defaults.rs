//! sprig: defaults, types and `fail`.

use super::{Function, Outcome, Param, Scope, exact, text, variadic, wrong};
use crate::value::{MAX_DEPTH, Value};

pub(super) const FUNCTIONS: &[Function] = &[
    variadic("default", &[Param::Any], Param::Any, default),
    exact("empty", &[Param::Any], |_, args| {
        Ok(Value::Bool(!args.first().is_some_and(Value::is_true)))
    }),
    variadic("coalesce", &[], Param::Any, |_, args| {
        Ok(args
            .iter()
            .find(|v| v.is_true())
            .cloned()
            .unwrap_or(Value::Null))
    }),
    variadic("all", &[], Param::Any, |_, args| {
        Ok(Value::Bool(args.iter().all(Value::is_true)))
    }),
    variadic("any", &[], Param::Any, |_, args| {
        Ok(Value::Bool(args.iter().any(Value::is_true)))
    }),
    exact("ternary", &[Param::Any, Param::Any, Param::Bool], ternary),
    exact("fail", &[Param::Str], |_, args| {
        Err(args.first().map_or("", text).to_owned())
    }),
    exact("typeOf", &[Param::Any], |_, args| {
        Ok(Value::from(args.first().map_or("", Value::type_name)))
    }),
    exact("typeIs", &[Param::Str, Param::Any], |_, args| {
        let [name, value] = args else { return wrong() };
        Ok(Value::Bool(text(name) == value.type_name()))
    }),
    exact("typeIsLike", &[Param::Str, Param::Any], |_, args| {
        let [name, value] = args else { return wrong() };
        let (name, found) = (text(name), value.type_name());
        Ok(Value::Bool(
            name == found || found.strip_prefix('*') == Some(name),
        ))
    }),
    exact("kindOf", &[Param::Any], |_, args| {
        Ok(Value::from(args.first().map_or("", Value::kind_name)))
    }),
    exact("kindIs", &[Param::Str, Param::Any], |_, args| {
        let [name, value] = args else { return wrong() };
        Ok(Value::Bool(text(name) == value.kind_name()))
    }),
    exact("deepEqual", &[Param::Any, Param::Any], |_, args| {
        let [a, b] = args else { return wrong() };
        Ok(Value::Bool(a.deep_equal(b, MAX_DEPTH)))
    }),
];

fn default<'a>(_: &mut Scope<'a>, args: &[Value<'a>]) -> Outcome<'a> {
    match args {
        [_, given, ..] if given.is_true() => Ok(given.clone()),
        [default, ..] => Ok(default.clone()),
        [] => wrong(),
    }
}

fn ternary<'a>(_: &mut Scope<'a>, args: &[Value<'a>]) -> Outcome<'a> {
    match args {
        [yes, _, Value::Bool(true)] => Ok(yes.clone()),
        [_, no, _] => Ok(no.clone()),
        _ => wrong(),
    }
}
