//! sprig: lists.

use super::{Function, Outcome, Param, Scope, exact, int, strings, variadic, wrong};
use crate::Missing;
use crate::value::{Items, MAX_DEPTH, Value};

/// Go asks nil for its type.
const NIL: &str = "runtime error: invalid memory address or nil pointer dereference";

const ONE: &[Param] = &[Param::Any];
const TWO: &[Param] = &[Param::Any, Param::Any];
const INTS: &[Param] = &[Param::Int, Param::Int, Param::Int];

pub(super) const FUNCTIONS: &[Function] = &[
    variadic("list", &[], Param::Any, |scope, args| {
        scope.list(args.to_vec())
    }),
    variadic("tuple", &[], Param::Any, |scope, args| {
        scope.list(args.to_vec())
    }),
    exact("first", ONE, first),
    exact("mustFirst", ONE, first),
    exact("last", ONE, last),
    exact("mustLast", ONE, last),
    exact("rest", ONE, rest),
    exact("mustRest", ONE, rest),
    exact("initial", ONE, initial),
    exact("mustInitial", ONE, initial),
    exact("append", TWO, append),
    exact("mustAppend", TWO, append),
    exact("push", TWO, append),
    exact("mustPush", TWO, append),
    exact("prepend", TWO, prepend),
    exact("mustPrepend", TWO, prepend),
    variadic("concat", &[], Param::Any, concat),
    exact("reverse", ONE, reverse),
    exact("mustReverse", ONE, reverse),
    exact("uniq", ONE, uniq),
    exact("mustUniq", ONE, uniq),
    exact("compact", ONE, compact),
    exact("mustCompact", ONE, compact),
    variadic("without", ONE, Param::Any, without),
    variadic("mustWithout", ONE, Param::Any, without),
    exact("has", TWO, has),
    exact("mustHas", TWO, has),
    variadic("slice", ONE, Param::Any, slice),
    variadic("mustSlice", ONE, Param::Any, slice),
    exact("chunk", &[Param::Int, Param::Any], chunk),
    exact("mustChunk", &[Param::Int, Param::Any], chunk),
    exact("sortAlpha", ONE, sort_alpha),
    exact("toStrings", ONE, |scope, args| {
        let [value] = args else { return wrong() };
        let items = strings::each(scope, value)?;
        scope.list_of(Items::Strings, items.into_iter().map(Value::Str).collect())
    }),
    exact("until", &[Param::Int], |scope, args| {
        let stop = args.first().map_or(0, int);
        let items = steps(0, stop, if stop < 0 { -1 } else { 1 })?;
        scope.list_of(Items::Ints, items.into_iter().map(Value::Int).collect())
    }),
    exact("untilStep", INTS, |scope, args| {
        let [start, stop, step] = args else {
            return wrong();
        };
        let items = steps(int(start), int(stop), int(step))?;
        scope.list_of(Items::Ints, items.into_iter().map(Value::Int).collect())
    }),
    variadic("seq", &[], Param::Int, seq),
];

/// The items of an argument, or sprig's complaint.
fn items<'a>(scope: &Scope<'a>, value: &Value<'a>, what: &str) -> Result<Vec<Value<'a>>, String> {
    match value {
        Value::Null if scope.missing == Missing::Empty => Ok(Vec::new()),
        Value::Null => Err(NIL.to_owned()),
        value => value
            .items()
            .ok_or_else(|| format!("{what} type {}", value.kind_name())),
    }
}

fn first<'a>(scope: &mut Scope<'a>, args: &[Value<'a>]) -> Outcome<'a> {
    let [list] = args else { return wrong() };
    Ok(items(scope, list, "Cannot find first on")?
        .into_iter()
        .next()
        .unwrap_or(Value::Null))
}

fn last<'a>(scope: &mut Scope<'a>, args: &[Value<'a>]) -> Outcome<'a> {
    let [list] = args else { return wrong() };
    Ok(items(scope, list, "Cannot find last on")?
        .pop()
        .unwrap_or(Value::Null))
}

/// Go answers a nil slice when there is nothing to leave out of.
fn rest<'a>(scope: &mut Scope<'a>, args: &[Value<'a>]) -> Outcome<'a> {
    let [list] = args else { return wrong() };
    let items = items(scope, list, "Cannot find rest on")?;
    if items.is_empty() {
        return Ok(Value::NilList);
    }
    scope.list(items.into_iter().skip(1).collect())
}

fn initial<'a>(scope: &mut Scope<'a>, args: &[Value<'a>]) -> Outcome<'a> {
    let [list] = args else { return wrong() };
    let mut items = items(scope, list, "Cannot find initial on")?;
    if items.pop().is_none() {
        return Ok(Value::NilList);
    }
    scope.list(items)
}

fn append<'a>(scope: &mut Scope<'a>, args: &[Value<'a>]) -> Outcome<'a> {
    let [list, item] = args else { return wrong() };
    let mut items = items(scope, list, "Cannot push on")?;
    items.push(item.clone());
    scope.list(items)
}

fn prepend<'a>(scope: &mut Scope<'a>, args: &[Value<'a>]) -> Outcome<'a> {
    let [list, item] = args else { return wrong() };
    let mut items = items(scope, list, "Cannot prepend on")?;
    items.insert(0, item.clone());
    scope.list(items)
}

fn concat<'a>(scope: &mut Scope<'a>, args: &[Value<'a>]) -> Outcome<'a> {
    let mut all = Vec::new();
    for list in args {
        match list {
            Value::Null if scope.missing == Missing::Empty => {}
            Value::Null => return Err(NIL.to_owned()),
            list => all.extend(
                list.items()
                    .ok_or_else(|| format!("Cannot concat type {} as list", list.kind_name()))?,
            ),
        }
    }
    if all.is_empty() {
        Ok(Value::NilList)
    } else {
        scope.list(all)
    }
}

fn reverse<'a>(scope: &mut Scope<'a>, args: &[Value<'a>]) -> Outcome<'a> {
    let [list] = args else { return wrong() };
    let mut items = items(scope, list, "Cannot find reverse on")?;
    items.reverse();
    scope.list(items)
}

fn contains<'a>(
    scope: &mut Scope<'a>,
    list: &[Value<'a>],
    item: &Value<'a>,
) -> Result<bool, String> {
    scope.spend(list.len())?;
    Ok(list.iter().any(|known| known.deep_equal(item, MAX_DEPTH)))
}

fn uniq<'a>(scope: &mut Scope<'a>, args: &[Value<'a>]) -> Outcome<'a> {
    let [list] = args else { return wrong() };
    let mut kept = Vec::new();
    for item in items(scope, list, "Cannot find uniq on")? {
        if !contains(scope, &kept, &item)? {
            kept.push(item);
        }
    }
    scope.list(kept)
}

fn compact<'a>(scope: &mut Scope<'a>, args: &[Value<'a>]) -> Outcome<'a> {
    let [list] = args else { return wrong() };
    let items = items(scope, list, "Cannot compact on")?;
    scope.list(items.into_iter().filter(Value::is_true).collect())
}

fn without<'a>(scope: &mut Scope<'a>, args: &[Value<'a>]) -> Outcome<'a> {
    let Some((list, omitted)) = args.split_first() else {
        return wrong();
    };
    let mut kept = Vec::new();
    for item in items(scope, list, "Cannot find without on")? {
        if !contains(scope, omitted, &item)? {
            kept.push(item);
        }
    }
    scope.list(kept)
}

fn has<'a>(scope: &mut Scope<'a>, args: &[Value<'a>]) -> Outcome<'a> {
    let [item, list] = args else { return wrong() };
    if matches!(list, Value::Null) {
        return Ok(Value::Bool(false));
    }
    let items = items(scope, list, "Cannot find has on")?;
    Ok(Value::Bool(contains(scope, &items, item)?))
}

fn slice<'a>(scope: &mut Scope<'a>, args: &[Value<'a>]) -> Outcome<'a> {
    let Some((list, bounds)) = args.split_first() else {
        return wrong();
    };
    let items = items(scope, list, "list should be type of slice or array but")
        .map_err(|message| message.replace("but type ", "but "))?;
    if items.is_empty() {
        return Ok(Value::Null);
    }
    let len = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let start = bounds.first().map_or(0, super::numbers::to_int);
    let end = bounds.get(1).map_or(len, super::numbers::to_int);
    let within = |bound: i64| usize::try_from(bound).ok().filter(|_| bound <= len);
    match (within(start), within(end)) {
        (Some(start), Some(end)) if start <= end => {
            let part = items.get(start..end).unwrap_or_default().to_vec();
            let of = match list {
                Value::List(list) => list.of,
                _ => Items::Any,
            };
            scope.list_of(of, part)
        }
        _ => Err("reflect.Value.Slice: slice index out of bounds".to_owned()),
    }
}

fn chunk<'a>(scope: &mut Scope<'a>, args: &[Value<'a>]) -> Outcome<'a> {
    let [size, list] = args else { return wrong() };
    let items = items(scope, list, "Cannot chunk")?;
    let size = int(size);
    // sprig counts the chunks before it looks at the size, so some negative sizes do give lists.
    let count = ((items.len() as f64 - 1.0) / size as f64).floor() + 1.0;
    if !(count >= 0.0 && count.is_finite()) || count > 0.0 && (items.is_empty() || size == -1) {
        return Err("runtime error: makeslice: len out of range".to_owned());
    }
    let mut chunks = Vec::new();
    if count > 0.0 {
        let size = usize::try_from(size).unwrap_or(items.len()).max(1);
        for part in items.chunks(size) {
            chunks.push(scope.list(part.to_vec())?);
        }
    }
    scope.list_of(Items::Lists, chunks)
}

/// By bytes, as Go sorts strings. What is no list becomes a list of its text.
fn sort_alpha<'a>(scope: &mut Scope<'a>, args: &[Value<'a>]) -> Outcome<'a> {
    let [value] = args else { return wrong() };
    let mut items = match value {
        Value::Null if scope.missing == Missing::Go => vec![scope.show(value)?],
        value => strings::each(scope, value)?,
    };
    items.sort_unstable();
    scope.list_of(Items::Strings, items.into_iter().map(Value::Str).collect())
}

fn steps(start: i64, stop: i64, step: i64) -> Result<Vec<i64>, String> {
    let mut items = Vec::new();
    let mut at = start;
    let down = stop < start;
    if (down && step >= 0) || (!down && step <= 0) {
        return Ok(items);
    }
    while (down && at > stop) || (!down && at < stop) {
        if items.len() >= super::MAX_ITEMS {
            return Err(format!("the list has more than {} items", super::MAX_ITEMS));
        }
        items.push(at);
        let Some(next) = at.checked_add(step) else {
            break;
        };
        at = next;
    }
    Ok(items)
}

/// `seq end`, `seq start end`, `seq start step end`: the numbers with spaces between them.
fn seq<'a>(_: &mut Scope<'a>, args: &[Value<'a>]) -> Outcome<'a> {
    let (start, step, end) = match args {
        [end] => (1, None, int(end)),
        [start, end] => (int(start), None, int(end)),
        [start, step, end] => (int(start), Some(int(step)), int(end)),
        _ => return Ok(Value::from("")),
    };
    let direction = if end < start { -1 } else { 1 };
    if direction < 0 && step.is_some_and(|step| step > 0) {
        return Ok(Value::from(""));
    }
    let numbers = steps(
        start,
        end.saturating_add(direction),
        step.unwrap_or(direction),
    )?;
    let numbers: Vec<_> = numbers.iter().map(i64::to_string).collect();
    Ok(Value::string(numbers.join(" ")))
}

/// Used by `split` and its kin.
pub(super) fn of_texts<'a>(scope: &mut Scope<'a>, parts: Vec<String>) -> Outcome<'a> {
    let items: Vec<_> = parts.into_iter().map(Value::from).collect();
    scope.list_of(Items::Strings, items)
}
