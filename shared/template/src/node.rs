//! A parsed template as a tree. `Display` writes an expression the way Go's error messages do.

use std::fmt;

use crate::functions::Function;

/// One thing a template body holds.
#[derive(Debug)]
pub(crate) enum Node {
    Text(String),
    Action(Pipe),
    If(Branch),
    With(Branch),
    Range(Branch),
    Template {
        pos: usize,
        name: String,
        pipe: Option<Pipe>,
    },
    Break,
    Continue,
}

/// `if`, `with` or `range`: a pipeline, what follows, and what follows `else`.
#[derive(Debug)]
pub(crate) struct Branch {
    pub(crate) pipe: Pipe,
    pub(crate) then: Vec<Node>,
    pub(crate) otherwise: Vec<Node>,
}

/// Commands joined by `|`, maybe kept in variables.
#[derive(Debug)]
pub(crate) struct Pipe {
    pub(crate) pos: usize,
    pub(crate) variables: Vec<String>,
    /// `=` and not `:=`.
    pub(crate) assign: bool,
    pub(crate) commands: Vec<Command>,
}

/// An operand and its arguments.
#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) pos: usize,
    pub(crate) operands: Vec<Operand>,
}

/// A term of a command, and where it stands.
#[derive(Debug)]
pub(crate) struct Operand {
    pub(crate) pos: usize,
    pub(crate) term: Term,
}

#[derive(Debug)]
pub(crate) enum Term {
    Dot,
    Nil,
    Bool(bool),
    Number(Number),
    String {
        source: String,
        value: String,
    },
    Field(Vec<String>),
    Variable {
        name: String,
        fields: Vec<String>,
    },
    Function(&'static Function),
    Pipe(Box<Pipe>),
    Chain {
        base: Box<Operand>,
        fields: Vec<String>,
    },
}

/// A number as written. Go's constants fit a parameter by their value: `1.0` is a good `int`.
#[derive(Debug)]
pub(crate) struct Number {
    pub(crate) source: String,
    pub(crate) int: Option<i64>,
    pub(crate) float: f64,
    /// Written with a point or an exponent.
    pub(crate) is_float: bool,
}

impl Term {
    pub(crate) fn is_literal(&self) -> bool {
        matches!(
            self,
            Term::Bool(_) | Term::Number(_) | Term::String { .. } | Term::Nil
        )
    }
}

impl fmt::Display for Pipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.variables.is_empty() {
            f.write_str(&self.variables.join(", "))?;
            f.write_str(if self.assign { " = " } else { " := " })?;
        }
        for (i, command) in self.commands.iter().enumerate() {
            if i > 0 {
                f.write_str(" | ")?;
            }
            command.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, operand) in self.operands.iter().enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            operand.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = match &self.term {
            Term::Dot => return f.write_str("."),
            Term::Nil => return f.write_str("nil"),
            Term::Bool(value) => return write!(f, "{value}"),
            Term::Number(number) => return f.write_str(&number.source),
            Term::String { source, .. } => return f.write_str(source),
            Term::Function(function) => return f.write_str(function.name),
            Term::Pipe(pipe) => return write!(f, "({pipe})"),
            Term::Field(fields) => fields,
            Term::Variable { name, fields } => {
                f.write_str(name)?;
                fields
            }
            Term::Chain { base, fields } => {
                base.fmt(f)?;
                fields
            }
        };
        for field in fields {
            write!(f, ".{field}")?;
        }
        Ok(())
    }
}
