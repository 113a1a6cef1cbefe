//! Builds the tree from the tokens, by the grammar of Go's `text/template`.

mod expression;

use std::collections::BTreeMap;

use crate::error::ParseError;
use crate::format::quoted;
use crate::lexer::{self, Kind, LexError, Token};
use crate::literal;
use crate::node::{Branch, Node};

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
    let fail = |problem: Problem| {
        let go = problem.go_words(name, text);
        ParseError::new(name, text, problem.pos, &go, &problem.advice)
    };
    if text.len() > MAX_TEXT {
        return Err(fail(Problem::new(
            0,
            "the template is longer than 65536 bytes",
        )));
    }
    let (tokens, lex_error) = lexer::tokens(text);
    let mut parser = Parser {
        tokens: &tokens,
        lex_error: lex_error.as_ref(),
        action: None,
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
    /// Where the action began; Go tells it if that is on another line.
    action: Option<usize>,
    go: String,
    advice: String,
}

impl Problem {
    fn new(pos: usize, go: impl Into<String>) -> Problem {
        Problem {
            pos,
            action: None,
            go: go.into(),
            advice: String::new(),
        }
    }

    /// From Go's words and advice in one, with `; ` between them.
    fn worded(pos: usize, message: &str) -> Problem {
        let (go, advice) = message.split_once("; ").unwrap_or((message, ""));
        Problem::new(pos, go).advise(advice)
    }

    fn go_words(&self, name: &str, text: &str) -> String {
        let line = |pos: usize| {
            let before = text.get(..pos).unwrap_or(text);
            before.matches('\n').count().saturating_add(1)
        };
        match self.action.map(line) {
            Some(started) if started != line(self.pos) => {
                let glue = if self.go.ends_with(" action") {
                    ""
                } else {
                    " in action"
                };
                format!("{}{glue} started at {name}:{started}", self.go)
            }
            _ => self.go.clone(),
        }
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
    /// What the last token, an error, is about.
    lex_error: Option<&'p LexError>,
    /// Where the action began that is being read.
    action: Option<usize>,
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
        if !matches!(token.kind, Kind::Eof | Kind::Error) {
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
        if let (Kind::Error, Some(error)) = (token.kind, self.lex_error) {
            let mut problem = Problem::worded(error.pos, &error.message);
            problem.action = self.action;
            return Err(problem);
        }
        let found = match token.kind {
            Kind::Eof => "EOF".to_owned(),
            Kind::Keyword | Kind::Dot | Kind::Nil => format!("<{}>", token.text),
            _ if token.text.len() > 10 => {
                let start: String = token.text.chars().take(10).collect();
                format!("{}...", quoted(&start))
            }
            _ => quoted(token.text),
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
        self.action = None;
        let token = self.take();
        match token.kind {
            Kind::Text => {
                nodes.push(Node::Text(token.text.to_owned()));
                return Ok(None);
            }
            Kind::LeftDelim => self.action = Some(token.pos),
            _ => return self.unexpected(token, "input"),
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
                format!("template: multiple definition of template {}", quoted(name)),
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
}
