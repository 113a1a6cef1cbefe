//! Parses a regular expression as regexp2 with its RE2 option reads it.
//!
//! Alternatives, groups, flags and repetition are read here. Escapes and classes in brackets are told the `i` flag and the
//! depth, and need no other state than the cursor.

mod bracket;
mod cursor;
mod escape;

use super::ast::{GroupId, Groups, Node};
use super::charset::CharSet;
use super::instruction::Assertion;
use super::syntax::PatternError;

use self::cursor::Cursor;

/// How deep groups and classes may be nested.
const MAX_DEPTH: usize = 100;

/// What the engine says about names.
const BAD_NAME: &str = "invalid group name: group names must begin with a word character and have a matching terminator";

/// What the engine says where a `<...>` ends before its group does.
pub(super) const UNCLOSED: &str = "missing closing )";

/// Switches set by `(?imsnx)`.
#[derive(Clone, Copy, Default)]
struct Flags {
    fold: bool,
    multi_line: bool,
    dot_all: bool,
    extended: bool,
    explicit_capture: bool,
}

impl Flags {
    fn get(&mut self, letter: char) -> Option<&mut bool> {
        Some(match letter.to_ascii_lowercase() {
            'i' => &mut self.fold,
            'm' => &mut self.multi_line,
            's' => &mut self.dot_all,
            'x' => &mut self.extended,
            'n' => &mut self.explicit_capture,
            _ => return None,
        })
    }
}

/// What a `(` turned out to open.
enum Opened {
    Node(fn(Box<Node>) -> Node),
    Group(GroupId),
    /// `(?i)`: the flags hold up to the end of the enclosing group.
    FlagsOnly,
}

/// Reads one regular expression.
pub(super) struct Parser<'p, 'g> {
    cursor: Cursor<'p>,
    strict: bool,
    groups: &'g mut Groups,
    flags: Flags,
}

impl<'p, 'g> Parser<'p, 'g> {
    /// `start` is where `regex` stands in the pattern, in bytes. `strict` reads all that is not unsafe as the engine does.
    pub(super) fn new(
        regex: &'p str,
        start: usize,
        strict: bool,
        groups: &'g mut Groups,
    ) -> Parser<'p, 'g> {
        Parser {
            cursor: Cursor::new(regex, start, strict),
            strict,
            groups,
            flags: Flags::default(),
        }
    }

    /// Reads all of it, as the capture group that a `<...>` is.
    pub(super) fn parse(mut self) -> Result<Node, PatternError> {
        let group = self.groups.open_unnamed();
        let node = self.alternation(0)?;
        if self.cursor.peek() == Some(')') {
            return Err(self
                .cursor
                .error("`)` without a `(` before it; write \\) for a literal parenthesis")
                .original("unexpected )"));
        }
        Ok(Node::Group(group, Box::new(node)))
    }

    fn alternation(&mut self, depth: usize) -> Result<Node, PatternError> {
        if depth > MAX_DEPTH {
            return Err(self
                .cursor
                .error(format!("groups are nested more than {MAX_DEPTH} deep")));
        }
        let mut branches = vec![self.concatenation(depth)?];
        while self.cursor.eat("|") {
            branches.push(self.concatenation(depth)?);
        }
        Ok(match branches.len() {
            1 => branches.pop().unwrap_or(Node::Empty),
            _ => Node::Alternate(branches),
        })
    }

    fn concatenation(&mut self, depth: usize) -> Result<Node, PatternError> {
        let mut nodes: Vec<Node> = Vec::new();
        loop {
            self.skip_blank()?;
            let offset = self.cursor.offset();
            let Some(c) = self.cursor.peek() else { break };
            if c == '|' || c == ')' {
                break;
            }
            if self.at_quantifier() {
                let any = if c == '*' { ".* for any text, or " } else { "" };
                return Err(PatternError::new(
                    offset,
                    format!(
                        "`{c}` has nothing to repeat; write {any}\\{c} for the character itself"
                    ),
                )
                .original("missing argument to repetition operator"));
            }
            self.cursor.next();
            let Some(node) = self.atom(c, offset, depth)? else {
                continue;
            };
            nodes.push(self.quantified(node)?);
        }
        Ok(joined(nodes))
    }

    fn atom(&mut self, c: char, offset: usize, depth: usize) -> Result<Option<Node>, PatternError> {
        Ok(Some(match c {
            '(' => return self.group(offset, depth),
            '[' => Node::Set(self.cursor.class(offset, self.flags.fold, depth)?),
            '\\' => self.cursor.escape(offset, self.flags.fold)?,
            '.' if self.flags.dot_all => Node::Set(CharSet::default().complement()),
            '.' => Node::Set(CharSet::dot()),
            '^' if self.flags.multi_line => Node::Assert(Assertion::LineStart),
            '^' => Node::Assert(Assertion::TextStart),
            '$' if self.flags.multi_line => Node::Assert(Assertion::LineEnd),
            '$' => Node::Assert(Assertion::TextEnd),
            c => character(c, self.flags.fold),
        }))
    }

    // --- groups

    fn group(&mut self, offset: usize, depth: usize) -> Result<Option<Node>, PatternError> {
        let outer = self.flags;
        let opened = self.group_kind(offset)?;
        if matches!(opened, Opened::FlagsOnly) {
            return Ok(None);
        }
        let node = Box::new(self.alternation(depth.saturating_add(1))?);
        if !self.cursor.eat(")") {
            return Err(PatternError::new(
                offset,
                "`(` is never closed; add `)`, or write \\( for a literal parenthesis",
            )
            .original(UNCLOSED));
        }
        self.flags = outer;
        Ok(Some(match opened {
            Opened::Node(make) => make(node),
            Opened::Group(group) => Node::Group(group, node),
            Opened::FlagsOnly => Node::Empty,
        }))
    }

    fn group_kind(&mut self, offset: usize) -> Result<Opened, PatternError> {
        let refuse = |message: &str| Err(PatternError::new(offset, message));
        if !self.cursor.eat("?") {
            return Ok(match self.flags.explicit_capture {
                true => Opened::Node(|node| *node),
                false => Opened::Group(self.groups.open_unnamed()),
            });
        }
        let look = |make| Ok(Opened::Node(make));
        if self.cursor.eat("=") {
            look(|node| Node::Look {
                behind: false,
                negated: false,
                node,
            })
        } else if self.cursor.eat("!") {
            look(|node| Node::Look {
                behind: false,
                negated: true,
                node,
            })
        } else if self.cursor.eat("<=") {
            look(|node| Node::Look {
                behind: true,
                negated: false,
                node,
            })
        } else if self.cursor.eat("<!") {
            look(|node| Node::Look {
                behind: true,
                negated: true,
                node,
            })
        } else if self.cursor.eat(">") {
            look(Node::Atomic)
        } else if self.cursor.eat("(") {
            refuse("`(?(` conditions are not supported; write the two cases as alternatives: `a|b`")
        } else if self.cursor.eat("P<") || self.cursor.eat("<") {
            self.named_group('>', offset)
        } else if self.cursor.eat("'") {
            self.named_group('\'', offset)
        } else {
            self.flag_group(offset)
        }
    }

    fn named_group(&mut self, close: char, offset: usize) -> Result<Opened, PatternError> {
        let name = self.cursor.name();
        match self.cursor.next() {
            Some('-') => Err(PatternError::new(
                offset,
                "balancing groups `(?<a-b>...)` are not supported; match the nesting in the upstream",
            )),
            Some(c) if c == close && name.starts_with(|c: char| !c.is_numeric()) => {
                Ok(Opened::Group(self.groups.open_named(name)))
            }
            Some(c) if c == close && !name.is_empty() => Err(PatternError::new(
                offset,
                "a group's name must not start with a digit; groups without a name are numbered by themselves",
            )),
            _ => Err(PatternError::new(
                offset,
                "not a group name; write `(?<name>...)` with letters, digits and `_`",
            )
            .original(BAD_NAME)),
        }
    }

    fn flag_group(&mut self, offset: usize) -> Result<Opened, PatternError> {
        let mut on = true;
        if self.cursor.peek() == Some(')') {
            return Err(PatternError::new(
                offset,
                "`(?)` has nothing to repeat; write the flags, as in (?i), or \\? for the character itself",
            )
            .original("missing argument to repetition operator"));
        }
        let start = self.cursor.rest();
        while let Some(c) = self.cursor.next() {
            match c {
                '-' => on = false,
                '+' => on = true,
                ':' => return Ok(Opened::Node(|node| *node)),
                ')' => return Ok(Opened::FlagsOnly),
                c => match self.flags.get(c) {
                    Some(flag) => *flag = on,
                    None => break,
                },
            }
        }
        Err(PatternError::new(
            offset,
            "unknown kind of group; allowed are (...), (?:...), (?<name>...), (?P<name>...), (?>...), (?=...), (?!...), \
             (?<=...), (?<!...) and the flags i, m, s, x, n as in (?i) or (?i:...)",
        )
        .original(format!(
            "unrecognized grouping construct: (?{}",
            start.strip_suffix(self.cursor.rest()).unwrap_or(start)
        )))
    }

    /// Skips comments, and white space under `(?x)`.
    fn skip_blank(&mut self) -> Result<(), PatternError> {
        loop {
            let offset = self.cursor.offset();
            if self.cursor.eat("(?#") {
                while self.cursor.next().ok_or_else(|| {
                    PatternError::new(offset, "`(?#` comment is never closed; add `)`")
                        .original("unterminated comment")
                })? != ')'
                {}
            } else if self.flags.extended && self.cursor.peek() == Some('#') {
                if self.strict && !self.cursor.rest().contains('\n') {
                    return Err(self
                        .cursor
                        .error("the comment also takes the `>` and all after it; end it with a line feed")
                        .original(UNCLOSED));
                }
                while self.cursor.next().is_some_and(|c| c != '\n') {}
            } else if self.flags.extended
                && self
                    .cursor
                    .peek()
                    .is_some_and(|c| matches!(c, '\t'..='\r' | ' '))
            {
                self.cursor.next();
            } else {
                return Ok(());
            }
        }
    }

    // --- repetition

    fn at_quantifier(&self) -> bool {
        match self.cursor.peek() {
            Some('*' | '+' | '?') => true,
            Some('{') => counted(self.cursor.rest()).is_some(),
            _ => false,
        }
    }

    fn quantified(&mut self, node: Node) -> Result<Node, PatternError> {
        self.skip_blank()?;
        if !self.at_quantifier() {
            return Ok(node);
        }
        let offset = self.cursor.offset();
        let (min, max) = match self.cursor.peek() {
            Some('{') => {
                let Some((min, max, rest)) = counted(self.cursor.rest()) else {
                    return Ok(node);
                };
                self.cursor.skip_to(rest);
                (min, max)
            }
            sign => {
                self.cursor.next();
                match sign {
                    Some('*') => (0, None),
                    Some('+') => (1, None),
                    _ => (0, Some(1)),
                }
            }
        };
        if max.is_some_and(|max| max < min) {
            return Err(PatternError::new(
                offset,
                "the larger number comes first; write {min,max}",
            )
            .original("invalid repeat count"));
        }
        self.skip_blank()?;
        let lazy = self.cursor.eat("?");
        self.skip_blank()?;
        if self.at_quantifier() {
            return Err(self.cursor.error(
                "a repetition cannot be repeated; put the first into a group, as in (?:a+)*, and write (?>a+) for a \
                 possessive one",
            )
            .original("invalid nested repetition operator"));
        }
        if matches!(node, Node::Empty) {
            return Ok(node);
        }
        Ok(Node::Repeat {
            node: Box::new(node),
            min,
            max,
            lazy,
        })
    }
}

/// A character standing for itself, in both cases under `(?i)`.
fn character(c: char, fold: bool) -> Node {
    let set = CharSet::single(c);
    let set = if fold { set.fold() } else { set };
    match set.only() {
        Some(c) => Node::Text(c.to_string()),
        None => Node::Set(set),
    }
}

/// Reads `{n}`, `{n,}` or `{n,m}`. Anything else is literal text.
fn counted(text: &str) -> Option<(u32, Option<u32>, &str)> {
    let (inside, rest) = text.strip_prefix('{')?.split_once('}')?;
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| text.parse().unwrap_or(u32::MAX))
    };
    Some(match inside.split_once(',') {
        None => {
            let count = number(inside)?;
            (count, Some(count), rest)
        }
        Some((min, "")) => (number(min)?, None, rest),
        Some((min, max)) => (number(min)?, Some(number(max)?), rest),
    })
}

/// One node of several, with adjacent texts as one.
fn joined(nodes: Vec<Node>) -> Node {
    let mut joined: Vec<Node> = Vec::new();
    for node in nodes {
        match (joined.last_mut(), node) {
            (Some(Node::Text(before)), Node::Text(text)) => before.push_str(&text),
            (_, Node::Empty) => {}
            (_, node) => joined.push(node),
        }
    }
    match joined.len() {
        0 => Node::Empty,
        1 => joined.pop().unwrap_or(Node::Empty),
        _ => Node::Concat(joined),
    }
}
