//! Builds the tree from the tokens, by the grammar of Go's `text/template`.

use std::collections::BTreeMap;

use crate::error::ParseError;
use crate::functions;
use crate::lexer::{self, Kind, Token};
use crate::literal;
use crate::node::{Branch, Command, Node, Operand, Pipe, Term};

/// Longest template text, in bytes.
const MAX_TEXT: usize = 64 * 1024;
/// Deepest nesting of blocks and parentheses.
const MAX_NESTING: usize = 50;

/// The main body and the bodies of `define` and `block`.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) root: Vec<Node>,
    pub(crate) defined: BTreeMap<String, Vec<Node>>,
}

pub(crate) fn parse(name: &str, text: &str) -> Result<Tree, ParseError> {
    let fail =
        |problem: Problem| ParseError::new(name, text, problem.pos, &problem.go, &problem.advice);
    if text.len() > MAX_TEXT {
        return Err(fail(Problem::new(
            0,
            "the template is longer than 65536 bytes",
        )));
    }
    let tokens = lexer::tokens(text).map_err(|e| fail(Problem::worded(e.pos, &e.message)))?;
    let mut parser = Parser {
        tokens: &tokens,
        next: 0,
        variables: vec!["$".to_owned()],
        ranges: 0,
        nesting: 0,
        defined: BTreeMap::new(),
        used: Vec::new(),
    };
    let root = parser.body().map_err(fail)?;
    if let Some((pos, missing)) = parser
        .used
        .iter()
        .find(|(_, used)| !parser.defined.contains_key(used))
    {
        let known: Vec<_> = parser.defined.keys().map(|k| format!("{k:?}")).collect();
        let advice = if known.is_empty() {
            format!("write {{{{ define {missing:?} }}}}…{{{{ end }}}}")
        } else {
            format!("defined here: {}", known.join(", "))
        };
        let problem = Problem::new(*pos, format!("template {missing:?} not defined"));
        return Err(fail(problem.advise(advice)));
    }
    Ok(Tree {
        root,
        defined: parser.defined,
    })
}

struct Problem {
    pos: usize,
    go: String,
    advice: String,
}

impl Problem {
    fn new(pos: usize, go: impl Into<String>) -> Problem {
        Problem {
            pos,
            go: go.into(),
            advice: String::new(),
        }
    }

    /// From Go's words and advice in one, with `; ` between them.
    fn worded(pos: usize, message: &str) -> Problem {
        let (go, advice) = message.split_once("; ").unwrap_or((message, ""));
        Problem::new(pos, go).advise(advice)
    }

    fn advise(mut self, advice: impl Into<String>) -> Problem {
        self.advice = advice.into();
        self
    }
}

type Parsed<T> = Result<T, Problem>;

/// What ended a list of nodes.
enum Ending<'t> {
    End,
    /// `{{else}}`, or with the keyword that follows it: `{{else if`.
    Else(Token<'t>, Option<&'t str>),
}

struct Parser<'p, 't> {
    tokens: &'p [Token<'t>],
    next: usize,
    variables: Vec<String>,
    ranges: usize,
    nesting: usize,
    defined: BTreeMap<String, Vec<Node>>,
    used: Vec<(usize, String)>,
}

impl<'t> Parser<'_, 't> {
    fn peek(&self) -> Token<'t> {
        self.tokens.get(self.next).copied().unwrap_or(Token {
            kind: Kind::Eof,
            text: "",
            pos: 0,
        })
    }

    fn take(&mut self) -> Token<'t> {
        let token = self.peek();
        if token.kind != Kind::Eof {
            self.next = self.next.saturating_add(1);
        }
        token
    }

    fn peek_after_space(&mut self) -> Token<'t> {
        while self.peek().kind == Kind::Space {
            self.take();
        }
        self.peek()
    }

    fn take_after_space(&mut self) -> Token<'t> {
        self.peek_after_space();
        self.take()
    }

    fn unexpected<T>(&self, token: Token<'t>, context: &str) -> Parsed<T> {
        let found = match token.kind {
            Kind::Eof => "EOF".to_owned(),
            Kind::Keyword => format!("<{}>", token.text),
            _ => format!("{:?}", token.text.chars().take(40).collect::<String>()),
        };
        Err(Problem::new(
            token.pos,
            format!("unexpected {found} in {context}"),
        ))
    }

    fn deeper<T>(&mut self, pos: usize, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        self.nesting = self.nesting.saturating_add(1);
        if self.nesting > MAX_NESTING {
            return Err(
                Problem::new(pos, "max expression depth exceeded").advise(format!(
                    "at most {MAX_NESTING} blocks and parentheses in one another"
                )),
            );
        }
        let parsed = parse(self);
        self.nesting = self.nesting.saturating_sub(1);
        parsed
    }

    /// The whole text.
    fn body(&mut self) -> Parsed<Vec<Node>> {
        let mut nodes = Vec::new();
        while self.peek().kind != Kind::Eof {
            match self.node(&mut nodes)? {
                None => {}
                Some((token, Ending::End)) => {
                    return Err(Problem::new(token.pos, "unexpected {{end}}")
                        .advise("there is no open if, range, with, block or define"));
                }
                Some((token, Ending::Else(..))) => {
                    return Err(Problem::new(token.pos, "unexpected {{else}}")
                        .advise("there is no open if, range or with"));
                }
            }
        }
        Ok(nodes)
    }

    /// Nodes up to `end` or `else`.
    fn list(&mut self) -> Parsed<(Vec<Node>, Ending<'t>)> {
        let mut nodes = Vec::new();
        while self.peek().kind != Kind::Eof {
            if let Some((_, ending)) = self.node(&mut nodes)? {
                return Ok((nodes, ending));
            }
        }
        Err(Problem::new(self.peek().pos, "unexpected EOF").advise("an {{ end }} is missing"))
    }

    /// A list that `else` must not end.
    fn closed_list(&mut self, context: &str) -> Parsed<Vec<Node>> {
        let (nodes, ending) = self.list()?;
        match ending {
            Ending::End => Ok(nodes),
            Ending::Else(token, _) => Err(Problem::new(
                token.pos,
                format!("unexpected {{{{else}}}} in {context}"),
            )),
        }
    }

    fn node(&mut self, nodes: &mut Vec<Node>) -> Parsed<Option<(Token<'t>, Ending<'t>)>> {
        let token = self.take();
        if token.kind == Kind::Text {
            nodes.push(Node::Text(token.text.to_owned()));
            return Ok(None);
        }
        let first = self.peek_after_space();
        if first.kind != Kind::Keyword {
            nodes.push(Node::Action(self.pipeline("command", Kind::RightDelim)?));
            return Ok(None);
        }
        self.take();
        match first.text {
            "end" => {
                self.close("end")?;
                return Ok(Some((first, Ending::End)));
            }
            "else" => {
                let next = self.peek_after_space();
                if next.kind == Kind::Keyword && matches!(next.text, "if" | "with") {
                    self.take();
                    return Ok(Some((first, Ending::Else(first, Some(next.text)))));
                }
                self.close("else")?;
                return Ok(Some((first, Ending::Else(first, None))));
            }
            "if" => nodes.push(Node::If(self.branch(first.pos, "if")?)),
            "with" => nodes.push(Node::With(self.branch(first.pos, "with")?)),
            "range" => nodes.push(Node::Range(self.branch(first.pos, "range")?)),
            "template" => {
                let (pos, name) = self.template_name("template clause")?;
                let pipe = if self.peek_after_space().kind == Kind::RightDelim {
                    self.take();
                    None
                } else {
                    Some(self.pipeline("template clause", Kind::RightDelim)?)
                };
                self.used.push((pos, name.clone()));
                nodes.push(Node::Template { pos, name, pipe });
            }
            "block" => {
                let (pos, name) = self.template_name("block clause")?;
                let pipe = self.pipeline("block clause", Kind::RightDelim)?;
                self.definition(pos, &name, "block clause")?;
                nodes.push(Node::Template {
                    pos,
                    name,
                    pipe: Some(pipe),
                });
            }
            "define" => {
                if self.nesting > 0 {
                    return self.unexpected(first, "command");
                }
                let (pos, name) = self.template_name("define clause")?;
                self.close("define clause")?;
                self.definition(pos, &name, "define clause")?;
            }
            _ => {
                self.close(if first.text == "break" {
                    "{{break}}"
                } else {
                    "{{continue}}"
                })?;
                if self.ranges == 0 {
                    let go = format!("{{{{{}}}}} outside {{{{range}}}}", first.text);
                    return Err(Problem::new(first.pos, go));
                }
                nodes.push(if first.text == "break" {
                    Node::Break
                } else {
                    Node::Continue
                });
            }
        }
        Ok(None)
    }

    fn close(&mut self, context: &str) -> Parsed<()> {
        let token = self.take_after_space();
        if token.kind == Kind::RightDelim {
            Ok(())
        } else {
            self.unexpected(token, context)
        }
    }

    fn template_name(&mut self, context: &str) -> Parsed<(usize, String)> {
        let token = self.take_after_space();
        match token.kind {
            Kind::String | Kind::RawString => Ok((token.pos, self.unquote(token)?)),
            _ => self.unexpected(token, context),
        }
    }

    fn unquote(&self, token: Token<'t>) -> Parsed<String> {
        literal::unquote(token.text).map_err(|message| Problem::worded(token.pos, &message))
    }

    /// The body of `define` or `block`: variables of the surroundings are not seen in it.
    fn definition(&mut self, pos: usize, name: &str, context: &str) -> Parsed<()> {
        let variables = std::mem::replace(&mut self.variables, vec!["$".to_owned()]);
        let ranges = std::mem::take(&mut self.ranges);
        let nodes = self.deeper(pos, |p| p.closed_list(context))?;
        self.variables = variables;
        self.ranges = ranges;
        let empty = |nodes: &[Node]| {
            nodes
                .iter()
                .all(|n| matches!(n, Node::Text(text) if text.trim().is_empty()))
        };
        match self.defined.get(name) {
            Some(existing) if !empty(existing) && !empty(&nodes) => Err(Problem::new(
                pos,
                format!("template: multiple definition of template {name:?}"),
            )),
            Some(_) if empty(&nodes) => Ok(()),
            _ => {
                self.defined.insert(name.to_owned(), nodes);
                Ok(())
            }
        }
    }

    fn branch(&mut self, pos: usize, keyword: &str) -> Parsed<Branch> {
        let scope = self.variables.len();
        let branch = self.deeper(pos, |p| {
            let pipe = p.pipeline(keyword, Kind::RightDelim)?;
            let in_range = usize::from(keyword == "range");
            p.ranges = p.ranges.saturating_add(in_range);
            let (then, ending) = p.list()?;
            p.ranges = p.ranges.saturating_sub(in_range);
            let otherwise = match ending {
                Ending::End => Vec::new(),
                Ending::Else(_, None) => match p.list()? {
                    (nodes, Ending::End) => nodes,
                    (_, Ending::Else(token, _)) => {
                        return Err(Problem::new(token.pos, "expected end; found {{else}}"));
                    }
                },
                Ending::Else(_, Some("if")) if keyword == "if" => {
                    vec![Node::If(p.branch(pos, "if")?)]
                }
                Ending::Else(_, Some("with")) if keyword == "with" => {
                    vec![Node::With(p.branch(pos, "with")?)]
                }
                Ending::Else(token, Some(other)) => {
                    let go = format!("unexpected <{other}> in {{{{else}}}} of {keyword}");
                    return Err(Problem::new(token.pos, go));
                }
            };
            Ok(Branch {
                pipe,
                then,
                otherwise,
            })
        })?;
        self.variables.truncate(scope);
        Ok(branch)
    }

    fn pipeline(&mut self, context: &str, end: Kind) -> Parsed<Pipe> {
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
            format!("undefined variable {:?}", variable.text),
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
                let go = format!("unexpected . after term {:?}", operand.to_string());
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
                    let go = format!("function {:?} not defined", token.text);
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
