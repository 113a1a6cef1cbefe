//! The functions a template may call: Go's built-ins as Oathkeeper overrides them, and sprig's pure ones.

mod bases;
mod builtin;
mod compare;
mod defaults;
mod dicts;
mod encoding;
mod lists;
mod numbers;
mod paths;
mod refused;
mod strings;
mod words;

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::rc::Rc;

use crate::Missing;
use crate::value::{Items, MAX_DEPTH, Map, Value};

/// What a parameter takes, as in the Go signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Param {
    Any,
    Str,
    Int,
    Bool,
    Float,
    Map,
}

impl Param {
    pub(crate) fn go_type(self) -> &'static str {
        match self {
            Param::Any => "interface {}",
            Param::Str => "string",
            Param::Int => "int",
            Param::Bool => "bool",
            Param::Float => "float64",
            Param::Map => "map[string]interface {}",
        }
    }
}

/// A function's result, or what went wrong in Go's words after `error calling name:`.
pub(crate) type Outcome<'a> = Result<Value<'a>, String>;

pub(crate) enum Run {
    Call(for<'a> fn(&mut Scope<'a>, &[Value<'a>]) -> Outcome<'a>),
    /// Stops at the first operand that is false.
    And,
    /// Stops at the first operand that is true.
    Or,
}

/// A function and its signature.
pub(crate) struct Function {
    pub(crate) name: &'static str,
    pub(crate) params: &'static [Param],
    /// What any further arguments are.
    pub(crate) rest: Option<Param>,
    pub(crate) run: Run,
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// A function with exactly these parameters.
const fn exact(
    name: &'static str,
    params: &'static [Param],
    run: for<'a> fn(&mut Scope<'a>, &[Value<'a>]) -> Outcome<'a>,
) -> Function {
    Function {
        name,
        params,
        rest: None,
        run: Run::Call(run),
    }
}

/// A function with these parameters and any number of `rest`.
const fn variadic(
    name: &'static str,
    params: &'static [Param],
    rest: Param,
    run: for<'a> fn(&mut Scope<'a>, &[Value<'a>]) -> Outcome<'a>,
) -> Function {
    Function {
        name,
        params,
        rest: Some(rest),
        run: Run::Call(run),
    }
}

/// What a render has and uses up.
pub(crate) struct Scope<'a> {
    pub(crate) missing: Missing,
    /// The last argument came as an `interface {}`; `len` words its complaint by that.
    pub(crate) boxed_nil: bool,
    /// Maps the template made. Kept to the end, so that they may hold one another and still be freed.
    maps: Vec<Rc<Map<'a>>>,
    /// Steps left.
    fuel: usize,
}

/// Steps one render may take; a usual template needs a few dozen.
const FUEL: usize = 200_000;
/// Longest list a function may make.
pub(crate) const MAX_ITEMS: usize = 10_000;

impl<'a> Scope<'a> {
    pub(crate) fn new(missing: Missing) -> Scope<'a> {
        Scope {
            missing,
            boxed_nil: false,
            maps: Vec::new(),
            fuel: FUEL,
        }
    }

    /// Uses up steps.
    pub(crate) fn spend(&mut self, steps: usize) -> Result<(), String> {
        self.fuel = self
            .fuel
            .checked_sub(steps)
            .ok_or_else(|| format!("the template needs more than {FUEL} steps"))?;
        Ok(())
    }

    /// What handling this value costs, by its size on top.
    pub(crate) fn spend_for(&mut self, value: &Value<'a>) -> Result<(), String> {
        let size = match value {
            Value::Str(text) => text.len().checked_div(64).unwrap_or(0),
            other => other.len().unwrap_or(0),
        };
        self.spend(size)
    }

    fn map(&mut self, entries: BTreeMap<String, Value<'a>>, of_strings: bool) -> Value<'a> {
        let map = Rc::new(Map {
            entries: RefCell::new(entries),
            owned_by_template: true,
            of_strings,
        });
        self.maps.push(Rc::clone(&map));
        Value::Map(map)
    }

    /// A list the template makes; bounded in length and depth.
    fn list(&mut self, items: Vec<Value<'a>>) -> Outcome<'a> {
        self.list_of(Items::Any, items)
    }

    fn list_of(&mut self, of: Items, items: Vec<Value<'a>>) -> Outcome<'a> {
        if items.len() > MAX_ITEMS {
            return Err(format!("the list has more than {MAX_ITEMS} items"));
        }
        match Value::list_of(of, items) {
            Value::List(list) if list.depth > MAX_DEPTH => Err(crate::format::too_deep()),
            list => Ok(list),
        }
    }

    /// The text `%v` gives a value, where null is "" unless Go's wording is asked for.
    fn show(&self, value: &Value<'a>) -> Result<Cow<'a, str>, String> {
        match value {
            Value::Str(text) => Ok(text.clone()),
            Value::Null if self.missing == Missing::Empty => Ok(Cow::Borrowed("")),
            other => crate::format::display(other).map(Cow::Owned),
        }
    }
}

impl Drop for Scope<'_> {
    /// Empties the maps one by one: freeing a long chain of them must not recurse, nor a ring leak.
    fn drop(&mut self) {
        for map in &self.maps {
            let entries = map.entries.take();
            drop(entries);
        }
    }
}

/// Every table of functions.
const TABLES: &[&[Function]] = &[
    builtin::FUNCTIONS,
    compare::FUNCTIONS,
    defaults::FUNCTIONS,
    dicts::FUNCTIONS,
    encoding::FUNCTIONS,
    lists::FUNCTIONS,
    numbers::FUNCTIONS,
    paths::FUNCTIONS,
    strings::FUNCTIONS,
];

fn all() -> impl Iterator<Item = &'static Function> {
    TABLES.iter().flat_map(|table| table.iter())
}

/// The function of that name. `Err` says why there is none, or which ones are close.
pub(crate) fn find(name: &str) -> Result<&'static Function, String> {
    if let Some(function) = all().find(|f| f.name == name) {
        return Ok(function);
    }
    if let Some(reason) = refused::reason(name) {
        return Err(reason);
    }
    let mut close = BTreeSet::new();
    let known = all()
        .map(|f| {
            (
                words::distance(&words::lower(name), &words::lower(f.name)),
                f.name,
            )
        })
        .filter(|(distance, known)| {
            *distance <= 2 && *distance < known.len()
                || (name.len() > 3 && known.contains(name))
                || (known.len() > 3 && name.contains(known))
        });
    close.extend(known);
    let names: Vec<_> = close.iter().take(3).map(|(_, name)| *name).collect();
    if names.is_empty() {
        return Err("neither a function of Go templates nor one of sprig; to print a field, put a dot before its name".to_owned());
    }
    Err(format!("did you mean {}?", names.join(" or ")))
}

/// What Go's reflection says of nil.
const NO_TYPE: &str = "reflect: call of reflect.Value.Type on zero Value";

/// What a function says when its arguments are not what its table promises.
const SIGNATURE: &str = "wrong arguments";

/// These arguments as strings.
fn strings_of<'v, const N: usize>(args: &'v [Value<'_>]) -> Result<[&'v str; N], String> {
    let mut out = [""; N];
    if args.len() != N {
        return Err(SIGNATURE.to_owned());
    }
    for (slot, arg) in out.iter_mut().zip(args) {
        let Value::Str(text) = arg else {
            return Err(SIGNATURE.to_owned());
        };
        *slot = text;
    }
    Ok(out)
}

fn text<'v>(value: &'v Value<'_>) -> &'v str {
    if let Value::Str(text) = value {
        text
    } else {
        ""
    }
}

fn int(value: &Value<'_>) -> i64 {
    if let Value::Int(value) = value {
        *value
    } else {
        0
    }
}

fn wrong<'a>() -> Outcome<'a> {
    Err(SIGNATURE.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_defined_once_and_never_also_refused() {
        let mut names: Vec<_> = all().map(|f| f.name).collect();
        names.sort_unstable();
        for pair in names.windows(2) {
            assert_ne!(pair[0], pair[1], "defined twice");
        }
        for name in names {
            assert!(
                refused::reason(name).is_none(),
                "{name} is both there and refused"
            );
        }
    }
}
