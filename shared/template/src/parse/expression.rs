//! What stands between `{{` and `}}`: pipelines, commands, operands.

use super::{Parsed, Parser, Problem};
use crate::format::quoted;
use crate::functions;
use crate::lexer::{Kind, Token};
use crate::literal;
use crate::node::{Command, Operand, Pipe, Term};

impl<'t> Parser<'_, 't> {
    pub(super) fn pipeline(&mut self, context: &str, end: Kind) -> Parsed<Pipe> {
        let mut pipe = Pipe {
            pos: self.peek_after_space().pos,
            variables: Vec::new(),
            assign: false,
            commands: Vec::new(),
        };
        self.declarations(&mut pipe, context)?;
        loop {
            let token = self.peek_after_space();
            match token.kind {
                kind if kind == end => {
                    self.take();
                    break;
                }
                Kind::Bool
                | Kind::Char
                | Kind::Dot
                | Kind::Field
                | Kind::Identifier
                | Kind::Number
                | Kind::Nil
                | Kind::RawString
                | Kind::String
                | Kind::Variable
                | Kind::LeftParen => {
                    let command = self.command()?;
                    pipe.commands.push(command);
                }
                _ => return self.unexpected(token, context),
            }
        }
        if pipe.commands.is_empty() {
            return Err(Problem::new(
                pipe.pos,
                format!("missing value for {context}"),
            ));
        }
        for (stage, command) in pipe.commands.iter().enumerate() {
            let literal = |o: &Operand| o.term.is_literal() || matches!(o.term, Term::Dot);
            if stage > 0 && command.operands.first().is_some_and(literal) {
                let go = format!(
                    "non executable command in pipeline stage {}",
                    stage.saturating_add(1)
                );
                return Err(Problem::new(command.pos, go).advise("after | comes a function"));
            }
        }
        self.check_arity(&pipe)?;
        Ok(pipe)
    }

    /// `$x :=`, `$x =`, and in a range `$i, $x :=`.
    fn declarations(&mut self, pipe: &mut Pipe, context: &str) -> Parsed<()> {
        loop {
            let start = self.next;
            let variable = self.peek_after_space();
            if variable.kind != Kind::Variable {
                return Ok(());
            }
            self.take();
            let next = self.peek_after_space();
            match next.kind {
                Kind::Assign | Kind::Declare => {
                    self.take();
                    pipe.assign = next.kind == Kind::Assign;
                    return self.declare(pipe, variable);
                }
                Kind::Other if next.text == "," => {
                    self.take();
                    self.declare(pipe, variable)?;
                    if context != "range" || pipe.variables.len() > 1 {
                        let go = format!("too many declarations in {context}");
                        return Err(Problem::new(next.pos, go));
                    }
                    if self.peek_after_space().kind != Kind::Variable {
                        return Err(Problem::new(
                            next.pos,
                            "range can only initialize variables",
                        ));
                    }
                }
                _ => {
                    self.next = start;
                    return Ok(());
                }
            }
        }
    }

    fn declare(&mut self, pipe: &mut Pipe, variable: Token<'t>) -> Parsed<()> {
        let known = self.variables.iter().any(|v| v == variable.text);
        if pipe.assign && !known {
            return self.undefined_variable(variable);
        }
        pipe.variables.push(variable.text.to_owned());
        self.variables.push(variable.text.to_owned());
        Ok(())
    }

    fn undefined_variable<T>(&self, variable: Token<'t>) -> Parsed<T> {
        let known = self.variables.join(", ");
        Err(Problem::new(
            variable.pos,
            format!("undefined variable {}", quoted(variable.text)),
        )
        .advise(format!("known here: {known}; a new one is made with :=")))
    }

    fn command(&mut self) -> Parsed<Command> {
        let mut command = Command {
            pos: self.peek_after_space().pos,
            operands: Vec::new(),
        };
        loop {
            if let Some(operand) = self.operand()? {
                command.operands.push(operand);
            }
            let token = self.peek();
            match token.kind {
                Kind::Space => {
                    self.take();
                }
                Kind::RightDelim | Kind::RightParen => break,
                Kind::Pipe => {
                    self.take();
                    break;
                }
                _ => return self.unexpected(token, "operand"),
            }
        }
        if command.operands.is_empty() {
            return Err(Problem::new(command.pos, "empty command"));
        }
        Ok(command)
    }

    fn operand(&mut self) -> Parsed<Option<Operand>> {
        let Some(mut operand) = self.term()? else {
            return Ok(None);
        };
        if self.peek().kind != Kind::Field {
            return Ok(Some(operand));
        }
        let pos = self.peek().pos;
        let mut more = Vec::new();
        while self.peek().kind == Kind::Field {
            more.push(self.take().text.trim_start_matches('.').to_owned());
        }
        match &mut operand.term {
            Term::Field(fields) | Term::Variable { fields, .. } => {
                fields.append(&mut more);
                operand.pos = pos;
            }
            Term::Function(_) | Term::Pipe(_) => {
                operand = Operand {
                    pos,
                    term: Term::Chain {
                        base: Box::new(operand),
                        fields: more,
                    },
                };
            }
            _ => {
                let go = format!("unexpected . after term {}", quoted(&operand.to_string()));
                return Err(Problem::new(pos, go));
            }
        }
        Ok(Some(operand))
    }

    fn term(&mut self) -> Parsed<Option<Operand>> {
        let token = self.peek_after_space();
        let term = match token.kind {
            Kind::Identifier => match functions::find(token.text) {
                Ok(function) => Term::Function(function),
                Err(advice) => {
                    let go = format!("function {} not defined", quoted(token.text));
                    return Err(Problem::new(token.pos, go).advise(advice));
                }
            },
            Kind::Dot => Term::Dot,
            Kind::Nil => Term::Nil,
            Kind::Bool => Term::Bool(token.text == "true"),
            Kind::Field => Term::Field(vec![token.text.trim_start_matches('.').to_owned()]),
            Kind::Variable => {
                if !self.variables.iter().any(|v| v == token.text) {
                    return self.undefined_variable(token);
                }
                Term::Variable {
                    name: token.text.to_owned(),
                    fields: Vec::new(),
                }
            }
            Kind::Number | Kind::Char => Term::Number(
                literal::number(token.text)
                    .map_err(|message| Problem::worded(token.pos, &message))?,
            ),
            Kind::String | Kind::RawString => Term::String {
                source: token.text.to_owned(),
                value: self.unquote(token)?,
            },
            Kind::LeftParen => {
                self.take();
                let pipe = self.deeper(token.pos, |p| {
                    p.pipeline("parenthesized pipeline", Kind::RightParen)
                })?;
                return Ok(Some(Operand {
                    pos: token.pos,
                    term: Term::Pipe(Box::new(pipe)),
                }));
            }
            _ => return Ok(None),
        };
        self.take();
        Ok(Some(Operand {
            pos: token.pos,
            term,
        }))
    }

    /// Go counts arguments when it runs; here a wrong count never leaves the build.
    fn check_arity(&self, pipe: &Pipe) -> Parsed<()> {
        for (stage, command) in pipe.commands.iter().enumerate() {
            for (i, operand) in command.operands.iter().enumerate() {
                let bare = match &operand.term {
                    Term::Function(function) => Some(*function),
                    Term::Chain { base, .. } => match &base.term {
                        Term::Function(function) => Some(*function),
                        _ => None,
                    },
                    _ => None,
                };
                let Some(function) = bare else { continue };
                let is_call = i == 0 && matches!(operand.term, Term::Function(_));
                let given = if is_call {
                    let piped = usize::from(stage > 0);
                    command
                        .operands
                        .len()
                        .saturating_sub(1)
                        .saturating_add(piped)
                } else {
                    0
                };
                let want = function.params.len();
                let go = match function.rest {
                    None if given != want => format!("want {want} got {given}"),
                    Some(_) if given < want => format!("want at least {want} got {given}"),
                    _ => continue,
                };
                let go = format!("wrong number of args for {}: {go}", function.name);
                return Err(Problem::new(operand.pos, go));
            }
        }
        Ok(())
    }
}
