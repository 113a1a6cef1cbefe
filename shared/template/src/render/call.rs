//! Calls a function: its arguments in the types its parameters want.

use super::{At, Renderer};
use crate::format::{self, MAX_OUTPUT};
use crate::functions::{Function, Outcome, Param, Run};
use crate::node::{Operand, Term};
use crate::value::Value;

impl<'t, 'a> Renderer<'t, 'a> {
    pub(super) fn call(
        &mut self,
        function: &'static Function,
        whole: At<'t>,
        args: &'t [Operand],
        dot: &Value<'a>,
        piped: Option<Value<'a>>,
    ) -> Outcome<'a> {
        let run = match &function.run {
            Run::Call(run) => run,
            Run::And => return self.short_circuit(false, args, dot, piped),
            Run::Or => return self.short_circuit(true, args, dot, piped),
        };
        let mut params = function
            .params
            .iter()
            .copied()
            .chain(std::iter::repeat(function.rest.unwrap_or(Param::Any)));
        let mut given = Vec::with_capacity(args.len().saturating_add(1));
        for arg in args {
            let param = params.next().unwrap_or(Param::Any);
            given.push(self.deeper(|run| run.argument(arg, param, dot))?);
        }
        if let Some(value) = piped {
            given.push(self.convert(value, params.next().unwrap_or(Param::Any), false)?);
        }
        for value in &given {
            self.scope.spend_for(value)?;
        }
        self.at = whole;
        let value = run(&mut self.scope, &given)
            .map_err(|message| format!("error calling {}: {message}", function.name))?;
        if let Value::Str(text) = &value
            && text.len() > MAX_OUTPUT
        {
            return Err(format!(
                "error calling {}: {}",
                function.name,
                format::too_long()
            ));
        }
        self.scope.spend_for(&value)?;
        Ok(value.plain())
    }

    /// `and`, `or`: the first operand that decides, or the last one.
    fn short_circuit(
        &mut self,
        until: bool,
        args: &'t [Operand],
        dot: &Value<'a>,
        piped: Option<Value<'a>>,
    ) -> Outcome<'a> {
        let mut value = Value::Null;
        for arg in args {
            value = self.deeper(|run| run.operand(arg, dot))?;
            if value.is_true() == until {
                return Ok(value);
            }
        }
        Ok(piped.unwrap_or(value))
    }

    /// An argument in the type the parameter wants.
    fn argument(&mut self, arg: &'t Operand, param: Param, dot: &Value<'a>) -> Outcome<'a> {
        self.at = At::Operand(arg);
        let expected = match (&arg.term, param) {
            (Term::Number(number), Param::Int) => match number.int {
                Some(int) => return Ok(Value::Int(int)),
                None => "integer",
            },
            (Term::Number(number), Param::Float) => return Ok(Value::Float(number.float)),
            (Term::String { .. }, Param::Str)
            | (Term::Bool(_), Param::Bool)
            | (_, Param::Any)
            | (Term::Nil, Param::Map) => {
                let value = self.operand(arg, dot)?;
                return self.convert(value, param, false);
            }
            (Term::Nil, _) => return Err(format!("cannot assign nil to {}", param.go_type())),
            (term, _) if !term.is_literal() => {
                let value = self.operand(arg, dot)?;
                // A field's missing value is an empty interface to Go; anything else's is no value.
                let field = matches!(arg.term, Term::Field(_) | Term::Chain { .. });
                return self.convert(value, param, field);
            }
            (_, Param::Str) => "string",
            (_, Param::Int) => "integer",
            (_, Param::Bool) => "bool",
            (_, Param::Float) => "float",
            (_, Param::Map) => {
                return Err(format!(
                    "can't handle {arg} for arg of type {}",
                    param.go_type()
                ));
            }
        };
        Err(format!("expected {expected}; found {arg}"))
    }

    fn convert(&self, value: Value<'a>, param: Param, field: bool) -> Outcome<'a> {
        let fits = match (&value, param) {
            (_, Param::Any)
            | (Value::Str(_), Param::Str)
            | (Value::Int(_), Param::Int)
            | (Value::Bool(_), Param::Bool)
            | (Value::Float(_), Param::Float) => true,
            (Value::Object(_), Param::Map) => !self.strict() && value.is_map(),
            (Value::Map(map), Param::Map) => !map.of_strings,
            (value, Param::Map) => value.is_map(),
            _ => false,
        };
        if fits {
            return Ok(value);
        }
        if matches!(value, Value::Null) {
            if param == Param::Map && !(field && self.strict()) {
                return Ok(Value::NilMap);
            }
            if !self.strict() {
                return Ok(match param {
                    Param::Any | Param::Map => Value::Null,
                    Param::Str => Value::from(""),
                    Param::Int => Value::Int(0),
                    Param::Bool => Value::Bool(false),
                    Param::Float => Value::Float(0.0),
                });
            }
            if !field {
                return Err(format!("invalid value; expected {}", param.go_type()));
            }
        }
        let found = if matches!(value, Value::Null) {
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
