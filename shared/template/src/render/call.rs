//! Calls a function: its arguments in the types its parameters want.

use super::{At, Renderer};
use crate::field::Held;
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
        dot: &Held<'a>,
        piped: Option<Value<'a>>,
    ) -> Outcome<'a> {
        let run = match &function.run {
            Run::Call(run) => run,
            Run::And => return self.short_circuit(false, args, dot, piped),
            Run::Or => return self.short_circuit(true, args, dot, piped),
        };
        self.scope.boxed_nil = false;
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
            self.scope.boxed_nil = false;
            let param = params.next().unwrap_or(Param::Any);
            given.push(Held::from(value).fit(param, self.style.missing)?);
        }
        for value in &given {
            self.scope.spend_for(value)?;
        }
        let value = match run(&mut self.scope, &given) {
            Ok(value) => value,
            Err(message) => {
                self.at = whole;
                return Err(format!("error calling {}: {message}", function.name));
            }
        };
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
        dot: &Held<'a>,
        piped: Option<Value<'a>>,
    ) -> Outcome<'a> {
        let mut value = Value::Null;
        for arg in args {
            value = self.deeper(|run| run.argument(arg, Param::Any, dot))?;
            if value.is_true() == until {
                return Ok(value);
            }
        }
        Ok(piped.unwrap_or(value))
    }

    /// An argument in the type the parameter wants.
    pub(super) fn argument(
        &mut self,
        arg: &'t Operand,
        param: Param,
        dot: &Held<'a>,
    ) -> Outcome<'a> {
        self.at = At::Operand(arg);
        let expected = match (&arg.term, param) {
            (Term::Nil, Param::Any) => return Ok(Value::Null),
            (Term::Nil, Param::Map) => return Ok(Value::NilMap),
            (Term::Nil, _) => return Err(format!("cannot assign nil to {}", param.go_type())),
            (Term::Number(number), Param::Int) => match number.int {
                Some(int) => return Ok(Value::Int(int)),
                None => "integer",
            },
            (Term::Number(number), Param::Float) => return Ok(Value::Float(number.float)),
            (Term::String { .. }, Param::Str) | (Term::Bool(_), Param::Bool) => {
                return Ok(self.operand(arg, dot)?.value);
            }
            (term, _) if !term.is_literal() || param == Param::Any => {
                let held = self.operand(arg, dot)?;
                self.scope.boxed_nil = held.boxed;
                return held.fit(param, self.style.missing);
            }
            (_, Param::Str) => "string",
            (_, Param::Int) => "integer",
            (_, Param::Bool) => "bool",
            (_, Param::Float) => "float",
            (_, _) => {
                return Err(format!(
                    "can't handle {arg} for arg of type {}",
                    param.go_type()
                ));
            }
        };
        Err(format!("expected {expected}; found {arg}"))
    }
}
