//! `.Name`: a field of an object, a key of a map, or a method.

use crate::Missing;
use crate::functions::Param;
use crate::value::{Object, Value};

/// A value, and whether Go holds it as an `interface {}`: then looking into nil is an error, and
/// messages name that type.
#[derive(Clone)]
pub(crate) struct Held<'a> {
    pub(crate) value: Value<'a>,
    pub(crate) boxed: bool,
}

/// Arguments of a method.
pub(crate) enum Method {
    /// So many strings.
    Strings(usize),
    /// Only calling it will tell.
    Unknown,
    /// There is no method that takes any.
    None,
}

fn has_field(object: &dyn Object, name: &str) -> bool {
    object.fields().iter().any(|(field, _)| *field == name)
}

impl<'a> From<Value<'a>> for Held<'a> {
    fn from(value: Value<'a>) -> Self {
        Held {
            value: value.plain(),
            boxed: false,
        }
    }
}

impl<'a> Held<'a> {
    /// The Go type, as messages name it.
    pub(crate) fn type_name(&self) -> &'static str {
        if self.boxed {
            "interface {}"
        } else {
            self.value.type_name()
        }
    }

    /// A field, a key or the result of a method. The arguments are a method's, already as strings.
    pub(crate) fn field(
        &self,
        name: &str,
        args: Option<&[Value<'a>]>,
        missing: Missing,
    ) -> Result<Held<'a>, String> {
        let given = args.unwrap_or_default();
        match &self.value {
            Value::Null if self.boxed && missing == Missing::Go => {
                Err(format!("nil pointer evaluating interface {{}}.{name}"))
            }
            Value::Null => Ok(Held::from(Value::Null)),
            Value::Object(object) => {
                let wanted = object.methods().iter().find(|(method, _)| *method == name);
                if let Some((_, want)) = wanted
                    && *want != given.len()
                {
                    return Err(wrong_count(name, *want, given.len()));
                }
                if object.returns_nothing(name) {
                    return Err(format!(
                        "function {name} has 0 return values; should be 1 or 2"
                    ));
                }
                if let Some(called) = object.call(name, given) {
                    let value = called.map_err(|e| format!("error calling {name}: {e}"))?;
                    return Ok(Held::from(value));
                }
                if !given.is_empty() && object.call(name, &[]).is_some() {
                    return Err(wrong_count(name, 0, given.len()));
                }
                if object.is_map() {
                    if args.is_some() {
                        return Err(format!("{name} is not a method but has arguments"));
                    }
                    let value = self.value.get(name);
                    return Ok(Held::from(
                        value.unwrap_or_else(|| self.value.zero_entry(missing)),
                    ));
                }
                match object.field(name) {
                    Some(_) if args.is_some() => Err(format!(
                        "{name} has arguments but cannot be invoked as function"
                    )),
                    Some(value) => Ok(Held::from(value)),
                    None if object.is_nil() && has_field(*object, name) => Err(format!(
                        "nil pointer evaluating {}.{name}",
                        object.type_name()
                    )),
                    None => Err(self.no_field(name)),
                }
            }
            map if map.is_map() => {
                if args.is_some() {
                    return Err(format!("{name} is not a method but has arguments"));
                }
                Ok(Held {
                    value: map.get(name).unwrap_or_else(|| map.zero_entry(missing)),
                    boxed: map.boxes(),
                })
            }
            _ if missing == Missing::Empty => Ok(Held::from(Value::Null)),
            _ => Err(self.no_field(name)),
        }
    }

    /// What a method of that name takes, if that is known before its arguments are.
    pub(crate) fn method(&self, name: &str) -> Method {
        let Value::Object(object) = &self.value else {
            return Method::None;
        };
        let methods = object.methods();
        match methods.iter().find(|(method, _)| *method == name) {
            Some((_, count)) => Method::Strings(*count),
            None if methods.is_empty() && object.fields().is_empty() => Method::Unknown,
            None => Method::None,
        }
    }

    fn no_field(&self, name: &str) -> String {
        format!("can't evaluate field {name} in type {}", self.type_name())
    }

    /// The value as the parameter's type wants it.
    pub(crate) fn fit(self, param: Param, missing: Missing) -> Result<Value<'a>, String> {
        let value = self.value;
        let fits = match (&value, param) {
            (_, Param::Any)
            | (Value::Str(_), Param::Str)
            | (Value::Int(_), Param::Int)
            | (Value::Bool(_), Param::Bool)
            | (Value::Float(_), Param::Float) => true,
            (Value::Object(_), Param::Map) => missing == Missing::Empty && value.is_map(),
            (Value::Map(map), Param::Map) => !map.of_strings,
            (value, Param::Map) => value.is_map(),
            // Whole numbers of any size will do where Go would be that exact for no good reason.
            (value, Param::Int) if missing == Missing::Empty => {
                if let Some(int) = value.whole() {
                    return Ok(Value::Int(int));
                }
                false
            }
            _ => false,
        };
        if fits {
            return Ok(value);
        }
        let is_nil = matches!(value, Value::Null);
        if is_nil && missing == Missing::Empty {
            return Ok(match param {
                Param::Any => Value::Null,
                Param::Map => Value::NilMap,
                Param::Str => Value::from(""),
                Param::Int => Value::Int(0),
                Param::Bool => Value::Bool(false),
                Param::Float => Value::Float(0.0),
            });
        }
        if is_nil && !self.boxed {
            if param == Param::Map {
                return Ok(Value::NilMap);
            }
            return Err(format!("invalid value; expected {}", param.go_type()));
        }
        let found = if is_nil {
            "interface {}"
        } else {
            value.type_name()
        };
        Err(format!(
            "wrong type for value; expected {}; got {found}",
            param.go_type()
        ))
    }
}

pub(crate) fn wrong_count(name: &str, want: usize, got: usize) -> String {
    format!("wrong number of args for {name}: want {want} got {got}")
}
