//! `.Name`: a field of an object, a key of a map, or a method.

use crate::Missing;
use crate::functions::Outcome;
use crate::value::Value;

/// A value on the way along a chain of fields.
pub(crate) struct Step<'a> {
    pub(crate) value: Value<'a>,
    /// Came out of a map as an `interface {}`: then looking into nil is an error, and messages name
    /// that type.
    boxed: bool,
}

impl<'a> Step<'a> {
    /// Where the chain begins. Go lets one look into a variable or parenthesis that is nil, not
    /// into a dot that is.
    pub(crate) fn base(value: Value<'a>, lenient: bool) -> Step<'a> {
        let boxed = !lenient && matches!(value, Value::Null);
        Step { value, boxed }
    }

    fn type_name(&self) -> &'static str {
        if self.boxed {
            "interface {}"
        } else {
            self.value.type_name()
        }
    }

    pub(crate) fn field(&self, name: &str, missing: Missing) -> Result<Step<'a>, String> {
        match &self.value {
            Value::Null if self.boxed && missing == Missing::Go => {
                Err(format!("nil pointer evaluating interface {{}}.{name}"))
            }
            Value::Null => Ok(Step {
                value: Value::Null,
                boxed: false,
            }),
            Value::Object(object) => {
                if let Some(called) = object.call(name, &[]) {
                    let value = called.map_err(|e| format!("error calling {name}: {e}"))?;
                    return Ok(Step {
                        value: value.plain(),
                        boxed: false,
                    });
                }
                if let Some(value) = object.field(name) {
                    return Ok(Step {
                        value: value.plain(),
                        boxed: false,
                    });
                }
                if object.is_map() {
                    let value = self.value.get(name).unwrap_or(Value::Null);
                    return Ok(Step { value, boxed: true });
                }
                Err(self.no_field(name))
            }
            map if map.is_map() => {
                let value = map.get(name).unwrap_or_else(|| map.zero_entry());
                Ok(Step { value, boxed: true })
            }
            _ if missing == Missing::Empty => Ok(Step {
                value: Value::Null,
                boxed: true,
            }),
            _ => Err(self.no_field(name)),
        }
    }

    pub(crate) fn method(&self, name: &str, args: &[Value<'a>]) -> Outcome<'a> {
        match &self.value {
            Value::Object(object) => match object.call(name, args) {
                Some(called) => called
                    .map(Value::plain)
                    .map_err(|e| format!("error calling {name}: {e}")),
                None if object.field(name).is_some() => Err(format!(
                    "{name} has arguments but cannot be invoked as function"
                )),
                None if object.is_map() => Err(format!("{name} is not a method but has arguments")),
                None => Err(self.no_field(name)),
            },
            Value::Null => Err(format!("nil pointer evaluating interface {{}}.{name}")),
            map if map.is_map() => Err(format!("{name} is not a method but has arguments")),
            _ => Err(self.no_field(name)),
        }
    }

    fn no_field(&self, name: &str) -> String {
        format!("can't evaluate field {name} in type {}", self.type_name())
    }
}
