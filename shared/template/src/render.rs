//! Walks the tree and writes the output.

mod call;

use crate::error::RenderError;
use crate::escape::JsonPosition;
use crate::field::{self, Held, Method};
use crate::format::{self, MAX_OUTPUT};
use crate::functions::{Outcome, Param, Scope};
use crate::node::{Branch, Command, Node, Number, Operand, Pipe, Term};
use crate::parse::Tree;
use crate::value::Value;
use crate::{Missing, Output, Style};

/// Deepest nesting of blocks, calls and expressions while rendering.
const MAX_NESTING: usize = 120;

pub(crate) fn render<'a>(
    name: &str,
    text: &str,
    tree: &Tree,
    data: &Value<'a>,
    style: Style,
) -> Result<String, RenderError> {
    let root = Held::from(data.clone());
    let mut run = Renderer {
        executing: name,
        tree,
        style,
        scope: Scope::new(style.missing),
        variables: vec![("$", root.clone())],
        out: String::new(),
        json: JsonPosition::default(),
        at: At::Nothing,
        nesting: 0,
    };
    match run.nodes(&tree.root, &root) {
        Ok(_) => Ok(run.out),
        Err(message) => {
            let (pos, context) = match run.at {
                At::Nothing => (0, String::new()),
                At::Operand(operand) => (operand.pos, operand.to_string()),
                At::Command(command) => (command.pos, command.to_string()),
                At::Pipe(pipe) => (pipe.pos, pipe.to_string()),
                At::Template(pos, called, pipe) => {
                    let pipe = pipe.map(|pipe| format!(" {pipe}")).unwrap_or_default();
                    let called = format::quoted(called);
                    (pos, format!("{{{{template {called}{pipe}}}}}"))
                }
            };
            Err(RenderError::at(
                name,
                run.executing,
                text,
                pos,
                &context,
                &message,
            ))
        }
    }
}

/// What is being worked on, for the error message.
#[derive(Clone, Copy)]
enum At<'t> {
    Nothing,
    Operand(&'t Operand),
    Command(&'t Command),
    Pipe(&'t Pipe),
    Template(usize, &'t str, Option<&'t Pipe>),
}

/// How a list of nodes ended.
#[derive(PartialEq, Eq)]
enum Flow {
    Next,
    Break,
    Continue,
}

struct Renderer<'t, 'a> {
    /// The template or definition being walked.
    executing: &'t str,
    tree: &'t Tree,
    style: Style,
    scope: Scope<'a>,
    variables: Vec<(&'t str, Held<'a>)>,
    out: String,
    json: JsonPosition,
    at: At<'t>,
    nesting: usize,
}

impl<'t, 'a> Renderer<'t, 'a> {
    fn strict(&self) -> bool {
        self.style.missing == Missing::Go
    }

    /// One level deeper; every recursion goes through here.
    fn deeper<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, String>,
    ) -> Result<T, String> {
        self.scope.spend(1)?;
        self.nesting = self.nesting.saturating_add(1);
        if self.nesting > MAX_NESTING {
            return Err(format!("exceeded maximum template depth ({MAX_NESTING})"));
        }
        let done = work(self);
        self.nesting = self.nesting.saturating_sub(1);
        done
    }

    fn nodes(&mut self, nodes: &'t [Node], dot: &Held<'a>) -> Result<Flow, String> {
        for node in nodes {
            let flow = self.deeper(|run| run.node(node, dot))?;
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn node(&mut self, node: &'t Node, dot: &Held<'a>) -> Result<Flow, String> {
        match node {
            Node::Text(text) => {
                self.scope.spend(text.len().checked_div(64).unwrap_or(0))?;
                if self.style.output == Output::Json {
                    self.json.literal(text);
                }
                self.write(text)?;
            }
            Node::Action(pipe) => {
                let value = self.pipe(pipe, dot)?;
                if pipe.variables.is_empty() {
                    self.at = At::Pipe(pipe);
                    self.print(&value)?;
                }
            }
            Node::If(branch) => return self.either(branch, dot, false),
            Node::With(branch) => return self.either(branch, dot, true),
            Node::Range(branch) => return self.range(branch, dot),
            Node::Template { pos, name, pipe } => {
                let inner = match pipe {
                    Some(pipe) => self.pipe(pipe, dot)?,
                    None => Value::Null,
                };
                let inner = Held::from(inner);
                self.at = At::Template(*pos, name, pipe.as_ref());
                let tree = self.tree;
                let Some(body) = tree.defined.get(name) else {
                    return Err(format!("template {} not defined", format::quoted(name)));
                };
                let variables = std::mem::replace(&mut self.variables, vec![("$", inner.clone())]);
                let executing = std::mem::replace(&mut self.executing, name);
                self.nodes(body, &inner)?;
                self.variables = variables;
                self.executing = executing;
            }
            Node::Break => return Ok(Flow::Break),
            Node::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::Next)
    }

    fn either(&mut self, branch: &'t Branch, dot: &Held<'a>, with: bool) -> Result<Flow, String> {
        let mark = self.variables.len();
        let value = self.pipe(&branch.pipe, dot)?;
        let flow = if value.is_true() {
            let inner = Held::from(value);
            self.nodes(&branch.then, if with { &inner } else { dot })?
        } else {
            self.nodes(&branch.otherwise, dot)?
        };
        self.variables.truncate(mark);
        Ok(flow)
    }

    fn range(&mut self, branch: &'t Branch, dot: &Held<'a>) -> Result<Flow, String> {
        let mark = self.variables.len();
        let value = self.pipe(&branch.pipe, dot)?;
        let names: Vec<&'t str> = branch.pipe.variables.iter().map(String::as_str).collect();
        let items: Vec<(Value<'a>, Value<'a>)> = if let Some(items) = value.items() {
            (0i64..).map(Value::Int).zip(items).collect()
        } else if let Some(entries) = value.entries() {
            entries
                .into_iter()
                .map(|(key, item)| (Value::Str(key), item))
                .collect()
        } else {
            match &value {
                Value::Null => Vec::new(),
                Value::Int(_) | Value::Int64(_) | Value::Byte(_) if names.len() > 1 => {
                    return Err(
                        "can't use an int to iterate over more than one variable".to_owned()
                    );
                }
                other => {
                    if let Some(count) = other.whole() {
                        let count = usize::try_from(count).unwrap_or(0);
                        self.scope.spend(count)?;
                        let number = |i| match other {
                            Value::Int64(_) => Value::Int64(i),
                            Value::Byte(_) => Value::Byte(u8::try_from(i).unwrap_or(0)),
                            _ => Value::Int(i),
                        };
                        let numbers = (0i64..).take(count);
                        return self.each(
                            branch,
                            mark,
                            numbers.map(|i| (Value::Null, number(i))).collect(),
                            false,
                            dot,
                        );
                    }
                    return Err(format!(
                        "range can't iterate over type {}",
                        other.type_name()
                    ));
                }
            }
        };
        self.each(branch, mark, items, value.boxes(), dot)
    }

    /// Walks the body for each key and item, or the `else` if there is none.
    fn each(
        &mut self,
        branch: &'t Branch,
        mark: usize,
        items: Vec<(Value<'a>, Value<'a>)>,
        boxed: bool,
        dot: &Held<'a>,
    ) -> Result<Flow, String> {
        self.scope.spend(items.len())?;
        let names: Vec<&'t str> = branch.pipe.variables.iter().map(String::as_str).collect();
        let body = self.variables.len();
        let empty = items.is_empty();
        for (key, item) in items {
            let key = Held::from(key);
            let item = Held {
                boxed,
                ..Held::from(item)
            };
            match (names.as_slice(), branch.pipe.assign) {
                ([], _) => {}
                ([one], true) => self.assign(one, &item),
                ([first, second, ..], true) => {
                    self.assign(first, &key);
                    self.assign(second, &item);
                }
                ([one], false) => self.put(body, 1, one, &item),
                ([first, second, ..], false) => {
                    self.put(body, 2, first, &key);
                    self.put(body, 1, second, &item);
                }
            }
            let flow = self.deeper(|run| run.nodes(&branch.then, &item))?;
            self.variables.truncate(body);
            if flow == Flow::Break {
                break;
            }
        }
        let flow = if empty {
            self.nodes(&branch.otherwise, dot)?
        } else {
            Flow::Next
        };
        self.variables.truncate(mark);
        Ok(flow)
    }

    /// Sets the variable that lies this many places below the top of the stack.
    fn put(&mut self, top: usize, below: usize, name: &'t str, value: &Held<'a>) {
        if let Some(slot) = top
            .checked_sub(below)
            .and_then(|at| self.variables.get_mut(at))
        {
            *slot = (name, value.clone());
        }
    }

    fn assign(&mut self, name: &str, value: &Held<'a>) {
        if let Some(slot) = self
            .variables
            .iter_mut()
            .rev()
            .find(|(known, _)| *known == name)
        {
            slot.1 = value.clone();
        }
    }

    fn write(&mut self, text: &str) -> Result<(), String> {
        if self.out.len().saturating_add(text.len()) > MAX_OUTPUT {
            return Err(format::too_long());
        }
        self.out.push_str(text);
        Ok(())
    }

    fn print(&mut self, value: &Value<'a>) -> Result<(), String> {
        let text = match value {
            Value::Null if self.strict() => "<no value>".to_owned(),
            Value::Null => String::new(),
            Value::Object(_) => {
                // A pointer to a struct prints as what it points to.
                let text = format::display(value)?;
                text.strip_prefix('&').map(str::to_owned).unwrap_or(text)
            }
            value => format::display(value)?,
        };
        self.scope.spend(text.len().checked_div(64).unwrap_or(0))?;
        if self.style.output == Output::Text {
            return self.write(&text);
        }
        let safe = self.json.action(&text, !self.strict())?;
        self.write(&safe)
    }

    fn pipe(&mut self, pipe: &'t Pipe, dot: &Held<'a>) -> Outcome<'a> {
        self.deeper(|run| {
            run.at = At::Pipe(pipe);
            let mut value = None;
            for command in &pipe.commands {
                value = Some(run.command(command, dot, value)?);
            }
            let value = value.unwrap_or(Value::Null);
            for name in &pipe.variables {
                let held = Held::from(value.clone());
                if pipe.assign {
                    run.assign(name, &held);
                } else {
                    run.variables.push((name, held));
                }
            }
            Ok(value)
        })
    }

    fn command(
        &mut self,
        command: &'t Command,
        dot: &Held<'a>,
        piped: Option<Value<'a>>,
    ) -> Outcome<'a> {
        let Some((first, args)) = command.operands.split_first() else {
            return Err("empty command".to_owned());
        };
        match &first.term {
            Term::Function(function) => {
                self.at = At::Operand(first);
                return self.call(function, At::Command(command), args, dot, piped);
            }
            Term::Field(_) | Term::Variable { .. } | Term::Chain { .. } => {
                return Ok(self.fields(first, args, dot, piped)?.value);
            }
            _ => {}
        }
        // Go stays where it was: the parenthesis has no place of its own.
        if !matches!(first.term, Term::Pipe(_)) {
            self.at = At::Operand(first);
        }
        if !args.is_empty() || piped.is_some() {
            return Err(match &first.term {
                // Go names what is in the parenthesis.
                Term::Pipe(pipe) => format!("can't give argument to non-function {pipe}"),
                _ => format!("can't give argument to non-function {first}"),
            });
        }
        match &first.term {
            Term::Nil => Err("nil is not a command".to_owned()),
            Term::Pipe(pipe) => self.pipe(pipe, dot),
            _ => Ok(self.operand(first, dot)?.value),
        }
    }

    /// An operand's value where nothing is known of what is wanted.
    fn operand(&mut self, operand: &'t Operand, dot: &Held<'a>) -> Result<Held<'a>, String> {
        self.at = At::Operand(operand);
        match &operand.term {
            Term::Dot => Ok(dot.clone()),
            Term::Nil => Ok(Held::from(Value::Null)),
            Term::Bool(value) => Ok(Held::from(Value::Bool(*value))),
            Term::Number(number) => constant(number).map(Held::from),
            Term::String { value, .. } => Ok(Held::from(Value::string(value.as_str()))),
            Term::Function(function) => self
                .call(function, At::Operand(operand), &[], dot, None)
                .map(Held::from),
            Term::Pipe(pipe) => self.pipe(pipe, dot).map(Held::from),
            Term::Field(_) | Term::Variable { .. } | Term::Chain { .. } => {
                self.fields(operand, &[], dot, None)
            }
        }
    }

    /// A chain of fields; the arguments are for the last of them, which must be a method then.
    fn fields(
        &mut self,
        operand: &'t Operand,
        args: &'t [Operand],
        dot: &Held<'a>,
        piped: Option<Value<'a>>,
    ) -> Result<Held<'a>, String> {
        self.at = At::Operand(operand);
        let (base, fields) = match &operand.term {
            Term::Field(fields) => (dot.clone(), fields),
            Term::Variable { name, fields } => {
                let found = self.variables.iter().rev().find(|(known, _)| known == name);
                let value = found.map(|(_, value)| value.clone());
                (
                    value.ok_or_else(|| format!("undefined variable: {name}"))?,
                    fields,
                )
            }
            Term::Chain { base, fields } => {
                if matches!(base.term, Term::Nil) {
                    return Err(format!("indirection through explicit nil in {operand}"));
                }
                (self.deeper(|run| run.operand(base, dot))?, fields)
            }
            _ => return Err(format!("can't give argument to non-function {operand}")),
        };
        let has_args = !args.is_empty() || piped.is_some();
        let Some((last, front)) = fields.split_last() else {
            if has_args {
                return Err(format!("can't give argument to non-function {operand}"));
            }
            return Ok(base);
        };
        let missing = self.style.missing;
        let mut held = base;
        for name in front {
            held = held.field(name, None, missing)?;
        }
        if !has_args {
            return held.field(last, None, missing);
        }
        let got = args.len().saturating_add(usize::from(piped.is_some()));
        let mut given = Vec::new();
        let param = match held.method(last) {
            Method::Strings(want) if want != got => {
                return Err(field::wrong_count(last, want, got));
            }
            Method::Strings(_) => Param::Str,
            Method::Unknown => Param::Any,
            // Nothing takes them; how many there are is for the message.
            Method::None => {
                given.resize(got, Value::Null);
                return held.field(last, Some(&given), missing);
            }
        };
        for arg in args {
            given.push(self.deeper(|run| run.argument(arg, param, dot))?);
        }
        if let Some(value) = piped {
            given.push(Held::from(value).fit(param, missing)?);
        }
        self.at = At::Operand(operand);
        held.field(last, Some(&given), missing)
    }
}

fn constant<'a>(number: &Number) -> Outcome<'a> {
    match number.int {
        _ if number.is_float => Ok(Value::Float(number.float)),
        Some(int) => Ok(Value::Int(int)),
        None => Err(format!("{} overflows int", number.source)),
    }
}
