//! sprig: maps.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::{Function, NO_TYPE, Outcome, Param, Scope, exact, text, variadic, wrong};
use crate::Missing;
use crate::format::too_deep;
use crate::value::{Items, MAX_DEPTH, Map, Value, sorted};

const MAP: &[Param] = &[Param::Map];
const MAP_KEY: &[Param] = &[Param::Map, Param::Str];

pub(super) const FUNCTIONS: &[Function] = &[
    variadic("dict", &[], Param::Any, dict),
    exact("get", MAP_KEY, |_, args| {
        let [map, key] = args else { return wrong() };
        Ok(map.get(text(key)).unwrap_or_else(|| Value::from("")))
    }),
    exact("hasKey", MAP_KEY, |_, args| {
        let [map, key] = args else { return wrong() };
        Ok(Value::Bool(map.get(text(key)).is_some()))
    }),
    exact("set", &[Param::Map, Param::Str, Param::Any], |_, args| {
        let [map, key, value] = args else {
            return wrong();
        };
        own(map)?
            .entries
            .borrow_mut()
            .insert(text(key).to_owned(), value.clone());
        Ok(map.clone())
    }),
    exact("unset", MAP_KEY, |_, args| {
        let [map, key] = args else { return wrong() };
        if map.is_nil() {
            return Ok(map.clone());
        }
        let removed = own(map)?.entries.borrow_mut().remove(text(key));
        drop(removed);
        Ok(map.clone())
    }),
    variadic("pluck", &[Param::Str], Param::Map, |scope, args| {
        let Some((key, maps)) = args.split_first() else {
            return wrong();
        };
        let found = maps.iter().filter_map(|map| map.get(text(key))).collect();
        scope.list(found)
    }),
    variadic("keys", &[], Param::Map, |scope, args| {
        let entries = args.iter().filter_map(Value::entries).flatten();
        let keys = entries.map(|(key, _)| Value::Str(key)).collect();
        scope.list_of(Items::Strings, keys)
    }),
    exact("values", MAP, |scope, args| {
        let entries = args.iter().filter_map(Value::entries).flatten();
        let values = entries.map(|(_, value)| value).collect();
        scope.list(values)
    }),
    variadic("pick", MAP, Param::Str, |scope, args| {
        let Some((map, keys)) = args.split_first() else {
            return wrong();
        };
        let mut picked = keys
            .iter()
            .filter_map(|key| Some((text(key).to_owned(), map.get(text(key))?)));
        Ok(scope.map(sorted(&mut picked), false))
    }),
    variadic("omit", MAP, Param::Str, |scope, args| {
        let Some((map, keys)) = args.split_first() else {
            return wrong();
        };
        let mut kept =
            entries_of(map).filter(|(key, _)| !keys.iter().any(|omitted| text(omitted) == key));
        Ok(scope.map(sorted(&mut kept), false))
    }),
    variadic("merge", MAP, Param::Map, |scope, args| {
        merge(scope, args, false)
    }),
    variadic("mustMerge", MAP, Param::Map, |scope, args| {
        merge(scope, args, false)
    }),
    variadic("mergeOverwrite", MAP, Param::Map, |scope, args| {
        merge(scope, args, true)
    }),
    variadic("mustMergeOverwrite", MAP, Param::Map, |scope, args| {
        merge(scope, args, true)
    }),
    exact("deepCopy", &[Param::Any], copy),
    exact("mustDeepCopy", &[Param::Any], copy),
    variadic("dig", &[], Param::Any, dig),
];

fn entries_of<'a>(map: &Value<'a>) -> impl Iterator<Item = (String, Value<'a>)> {
    map.entries()
        .unwrap_or_default()
        .into_iter()
        .map(|(key, value)| (key.into_owned(), value))
}

/// The map, if the template made it. In Go `set .Extra …` changes the session for all that follows.
fn own<'v, 'a>(value: &'v Value<'a>) -> Result<&'v Rc<Map<'a>>, String> {
    match value {
        Value::Map(map) if map.owned_by_template && !map.of_strings => Ok(map),
        Value::NilMap => Err("assignment to entry in nil map".to_owned()),
        _ => Err("session data is read-only here; change a copy: merge (dict) .Extra".to_owned()),
    }
}

fn dict<'a>(scope: &mut Scope<'a>, args: &[Value<'a>]) -> Outcome<'a> {
    let mut entries = BTreeMap::new();
    for pair in args.chunks(2) {
        let [key, rest @ ..] = pair else { continue };
        let value = rest.first().cloned().unwrap_or_else(|| Value::from(""));
        entries.insert(scope.show(key)?.into_owned(), value);
    }
    Ok(scope.map(entries, false))
}

/// Fills the first map with what the others have and it lacks (or, overwriting, has otherwise).
fn merge<'a>(scope: &mut Scope<'a>, args: &[Value<'a>], overwrite: bool) -> Outcome<'a> {
    let Some((target, sources)) = args.split_first() else {
        return wrong();
    };
    let target = match target {
        Value::NilMap if sources.iter().any(|source| !source.is_nil()) => {
            scope.map(BTreeMap::new(), false)
        }
        Value::NilMap => return Ok(Value::NilMap),
        target => target.clone(),
    };
    let map = own(&target)?;
    for source in sources {
        let mut entries = map.entries.borrow().clone();
        merge_into(scope, &mut entries, source, overwrite, MAX_DEPTH)?;
        let old = map.entries.replace(entries);
        drop(old);
    }
    Ok(target)
}

fn merge_into<'a>(
    scope: &mut Scope<'a>,
    target: &mut BTreeMap<String, Value<'a>>,
    source: &Value<'a>,
    overwrite: bool,
    depth: usize,
) -> Result<(), String> {
    let below = depth.checked_sub(1).ok_or_else(too_deep)?;
    for (key, value) in entries_of(source) {
        scope.spend(1)?;
        match target.get(&key) {
            // As in Go, nil takes a value away but does not make a key.
            _ if matches!(value, Value::Null) && !overwrite => {}
            Some(existing) if existing.is_map() && value.is_map() => {
                let mut entries = sorted(&mut entries_of(existing));
                merge_into(scope, &mut entries, &value, overwrite, below)?;
                let merged = scope.map(entries, false);
                target.insert(key, merged);
            }
            Some(existing) if existing.is_true() && !overwrite => {}
            _ => {
                target.insert(key, value);
            }
        }
    }
    Ok(())
}

fn copy<'a>(scope: &mut Scope<'a>, args: &[Value<'a>]) -> Outcome<'a> {
    match args {
        [Value::Null] if scope.missing == Missing::Go => Err(NO_TYPE.to_owned()),
        [value] => deep_copy(scope, value, MAX_DEPTH),
        _ => wrong(),
    }
}

fn deep_copy<'a>(scope: &mut Scope<'a>, value: &Value<'a>, depth: usize) -> Outcome<'a> {
    let below = depth.checked_sub(1).ok_or_else(too_deep)?;
    scope.spend(1)?;
    if value.is_nil() {
        return Ok(value.clone());
    }
    if let Some(items) = value.items() {
        let mut copies = Vec::new();
        for item in &items {
            copies.push(deep_copy(scope, item, below)?);
        }
        if let Value::List(list) = value {
            return scope.list_of(list.of, copies);
        }
        return scope.list(copies);
    }
    if value.is_map() {
        let mut copies = BTreeMap::new();
        for (key, item) in entries_of(value) {
            copies.insert(key, deep_copy(scope, &item, below)?);
        }
        return Ok(scope.map(copies, false));
    }
    Ok(value.clone())
}

/// `dig "a" "b" default map`.
fn dig<'a>(scope: &mut Scope<'a>, args: &[Value<'a>]) -> Outcome<'a> {
    let ([keys @ .., default, map], 3..) = (args, args.len()) else {
        return Err("dig needs at least three arguments".to_owned());
    };
    let go = scope.missing == Missing::Go;
    if go && !fits(map, go) {
        return Err(not_a(map, "map[string]interface {}"));
    }
    if let Some(other) = keys.iter().find(|key| !matches!(key, Value::Str(_))) {
        return Err(not_a(other, "string"));
    }
    let mut value = map.clone();
    for key in keys.iter().map(text) {
        if !fits(&value, go) {
            if !go && matches!(value, Value::Null) {
                return Ok(default.clone());
            }
            return Err(not_a(&value, "map[string]interface {}"));
        }
        match value.get(key) {
            Some(next) => value = next,
            None => return Ok(default.clone()),
        }
    }
    Ok(value)
}

/// Whether Go would take it for a `map[string]interface {}`.
fn fits(value: &Value<'_>, go: bool) -> bool {
    match value {
        Value::Map(map) => !map.of_strings,
        Value::Object(_) => !go && value.is_map(),
        value => value.is_map(),
    }
}

fn not_a(value: &Value<'_>, wanted: &str) -> String {
    let found = match value {
        Value::Null => "nil",
        value => value.type_name(),
    };
    format!("interface conversion: interface {{}} is {found}, not {wanted}")
}
