//! Parses a regular expression as regexp2 with its RE2 option reads it.

use super::ast::{GroupId, Groups, Node};
use super::charset::CharSet;
use super::instruction::Assertion;
use super::syntax::PatternError;

/// How deep groups and classes may be nested.
const MAX_DEPTH: usize = 100;

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
    rest: std::str::Chars<'p>,
    /// Where the expression ends in the pattern, in bytes.
    end: usize,
    groups: &'g mut Groups,
    flags: Flags,
}

impl<'p, 'g> Parser<'p, 'g> {
    /// `start` is where `regex` stands in the pattern, in bytes.
    pub(super) fn new(regex: &'p str, start: usize, groups: &'g mut Groups) -> Parser<'p, 'g> {
        let end = start.saturating_add(regex.len());
        Parser {
            rest: regex.chars(),
            end,
            groups,
            flags: Flags::default(),
        }
    }

    /// Reads all of it, as the capture group that a `<...>` is.
    pub(super) fn parse(mut self) -> Result<Node, PatternError> {
        let group = self.groups.open_unnamed();
        let node = self.alternation(0)?;
        if self.peek() == Some(')') {
            return Err(
                self.error("`)` without a `(` before it; write \\) for a literal parenthesis")
            );
        }
        Ok(Node::Group(group, Box::new(node)))
    }

    fn peek(&self) -> Option<char> {
        self.rest.clone().next()
    }

    fn next(&mut self) -> Option<char> {
        self.rest.next()
    }

    fn eat(&mut self, text: &str) -> bool {
        match self.rest.as_str().strip_prefix(text) {
            Some(rest) => {
                self.rest = rest.chars();
                true
            }
            None => false,
        }
    }

    fn offset(&self) -> usize {
        self.end.saturating_sub(self.rest.as_str().len())
    }

    fn error(&self, message: impl Into<String>) -> PatternError {
        PatternError::new(self.offset(), message)
    }

    fn alternation(&mut self, depth: usize) -> Result<Node, PatternError> {
        if depth > MAX_DEPTH {
            return Err(self.error(format!("groups are nested more than {MAX_DEPTH} deep")));
        }
        let mut branches = vec![self.concatenation(depth)?];
        while self.eat("|") {
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
            let offset = self.offset();
            let Some(c) = self.peek() else { break };
            if c == '|' || c == ')' {
                break;
            }
            if self.at_quantifier() {
                return Err(PatternError::new(
                    offset,
                    format!("`{c}` has nothing to repeat; write \\{c} for the character itself"),
                ));
            }
            self.next();
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
            '[' => Node::Set(self.class(offset, depth)?),
            '\\' => self.escape(offset)?,
            '.' if self.flags.dot_all => Node::Set(CharSet::default().complement()),
            '.' => Node::Set(CharSet::dot()),
            '^' if self.flags.multi_line => Node::Assert(Assertion::LineStart),
            '^' => Node::Assert(Assertion::TextStart),
            '$' if self.flags.multi_line => Node::Assert(Assertion::LineEnd),
            '$' => Node::Assert(Assertion::TextEnd),
            c => self.character(c),
        }))
    }

    fn character(&self, c: char) -> Node {
        let set = CharSet::single(c);
        let set = if self.flags.fold { set.fold() } else { set };
        match set.only() {
            Some(c) => Node::Text(c.to_string()),
            None => Node::Set(set),
        }
    }

    // --- groups

    fn group(&mut self, offset: usize, depth: usize) -> Result<Option<Node>, PatternError> {
        let outer = self.flags;
        let opened = self.group_kind(offset)?;
        if matches!(opened, Opened::FlagsOnly) {
            return Ok(None);
        }
        let node = Box::new(self.alternation(depth.saturating_add(1))?);
        if !self.eat(")") {
            return Err(PatternError::new(
                offset,
                "`(` is never closed; add `)`, or write \\( for a literal parenthesis",
            ));
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
        if !self.eat("?") {
            return Ok(match self.flags.explicit_capture {
                true => Opened::Node(|node| *node),
                false => Opened::Group(self.groups.open_unnamed()),
            });
        }
        let look = |make| Ok(Opened::Node(make));
        if self.eat("=") {
            look(|node| Node::Look {
                behind: false,
                negated: false,
                node,
            })
        } else if self.eat("!") {
            look(|node| Node::Look {
                behind: false,
                negated: true,
                node,
            })
        } else if self.eat("<=") {
            look(|node| Node::Look {
                behind: true,
                negated: false,
                node,
            })
        } else if self.eat("<!") {
            look(|node| Node::Look {
                behind: true,
                negated: true,
                node,
            })
        } else if self.eat(">") {
            look(Node::Atomic)
        } else if self.eat("(") {
            refuse("`(?(` conditions are not supported; write the two cases as alternatives: `a|b`")
        } else if self.eat("P<") || self.eat("<") {
            self.named_group('>', offset)
        } else if self.eat("'") {
            self.named_group('\'', offset)
        } else {
            self.flag_group(offset)
        }
    }

    fn named_group(&mut self, close: char, offset: usize) -> Result<Opened, PatternError> {
        let name = self.name();
        match self.next() {
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
            )),
        }
    }

    fn flag_group(&mut self, offset: usize) -> Result<Opened, PatternError> {
        let mut on = true;
        while let Some(c) = self.next() {
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
        ))
    }

    fn name(&mut self) -> String {
        let mut name = String::new();
        while let Some(c) = self.peek().filter(|c| c.is_alphanumeric() || *c == '_') {
            name.push(c);
            self.next();
        }
        name
    }

    /// Skips comments, and white space under `(?x)`.
    fn skip_blank(&mut self) -> Result<(), PatternError> {
        loop {
            let offset = self.offset();
            if self.eat("(?#") {
                while self.next().ok_or_else(|| {
                    PatternError::new(offset, "`(?#` comment is never closed; add `)`")
                })? != ')'
                {}
            } else if self.flags.extended && self.peek() == Some('#') {
                while self.next().is_some_and(|c| c != '\n') {}
            } else if self.flags.extended
                && self.peek().is_some_and(|c| matches!(c, '\t'..='\r' | ' '))
            {
                self.next();
            } else {
                return Ok(());
            }
        }
    }

    // --- repetition

    fn at_quantifier(&self) -> bool {
        match self.peek() {
            Some('*' | '+' | '?') => true,
            Some('{') => counted(self.rest.as_str()).is_some(),
            _ => false,
        }
    }

    fn quantified(&mut self, node: Node) -> Result<Node, PatternError> {
        self.skip_blank()?;
        if !self.at_quantifier() {
            return Ok(node);
        }
        let offset = self.offset();
        let (min, max) = match self.peek() {
            Some('{') => {
                let Some((min, max, rest)) = counted(self.rest.as_str()) else {
                    return Ok(node);
                };
                self.rest = rest.chars();
                (min, max)
            }
            sign => {
                self.next();
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
            ));
        }
        self.skip_blank()?;
        let lazy = self.eat("?");
        self.skip_blank()?;
        if self.at_quantifier() {
            return Err(self.error(
                "a repetition cannot be repeated; put the first into a group, as in (?:a+)*, and write (?>a+) for a \
                 possessive one",
            ));
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

    // --- escapes

    fn escape(&mut self, offset: usize) -> Result<Node, PatternError> {
        let refuse = |message: &str| Err(PatternError::new(offset, message));
        let Some(c) = self.peek() else {
            return refuse(
                "the regular expression ends in a backslash; write \\\\ for a literal one",
            );
        };
        let assertion = match c {
            'A' => Some(Assertion::TextStart),
            'z' | 'Z' => Some(Assertion::TextEnd),
            'b' => Some(Assertion::WordBoundary),
            'B' => Some(Assertion::NoWordBoundary),
            _ => None,
        };
        if let Some(assertion) = assertion {
            self.next();
            return Ok(Node::Assert(assertion));
        }
        match c {
            'd' | 'D' | 'w' | 'W' | 's' | 'S' => {
                self.next();
                Ok(Node::Set(CharSet::perl(c).unwrap_or_default()))
            }
            'p' | 'P' => {
                self.next();
                let set = self.property(c == 'P', offset)?;
                Ok(Node::Set(if self.flags.fold { set.fold() } else { set }))
            }
            'G' => {
                refuse("\\G is not supported: a URL is matched once, from its start; leave it out")
            }
            'k' => self.named_reference(offset),
            '1'..='9' => {
                let mut number: u32 = 0;
                while let Some(digit) = self.peek().and_then(|c| c.to_digit(10)) {
                    self.next();
                    number = number.saturating_mul(10).saturating_add(digit);
                }
                Ok(Node::Reference {
                    group: GroupId::Number(number),
                    fold: self.flags.fold,
                    offset,
                })
            }
            _ => {
                let c = self.character_escape(offset)?;
                Ok(self.character(c))
            }
        }
    }

    fn named_reference(&mut self, offset: usize) -> Result<Node, PatternError> {
        self.next();
        let close = match self.next() {
            Some('<') => '>',
            Some('\'') => '\'',
            _ => {
                return Err(PatternError::new(
                    offset,
                    "a reference to a named group is written \\k<name>",
                ));
            }
        };
        let name = self.name();
        if name.is_empty() || self.next() != Some(close) {
            return Err(PatternError::new(
                offset,
                "a reference to a named group is written \\k<name>",
            ));
        }
        let group = name
            .parse()
            .map_or_else(|_| GroupId::Name(name), GroupId::Number);
        Ok(Node::Reference {
            group,
            fold: self.flags.fold,
            offset,
        })
    }

    /// `\p{Name}` or `\pX`, after the letter.
    fn property(&mut self, negated: bool, offset: usize) -> Result<CharSet, PatternError> {
        let mut name = String::new();
        if self.eat("{") {
            let Some((inside, rest)) = self.rest.as_str().split_once('}') else {
                return Err(PatternError::new(
                    offset,
                    "the Unicode class is never closed; write it as \\p{L}",
                ));
            };
            name.push_str(inside);
            self.rest = rest.chars();
        } else {
            name.extend(self.next());
        }
        let (negated, name) = match name.strip_prefix('^') {
            Some(name) => (!negated, name),
            None => (negated, name.as_str()),
        };
        let known = name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        match CharSet::unicode(name).filter(|_| known) {
            Some(set) if negated => Ok(set.complement()),
            Some(set) => Ok(set),
            None => Err(PatternError::new(
                offset,
                format!(
                    "`{name}` is no Unicode category or script; allowed are such as \\p{{L}}, \\p{{Lu}}, \\p{{Greek}}"
                ),
            )),
        }
    }

    /// The character that an escape means; the backslash is already read.
    fn character_escape(&mut self, offset: usize) -> Result<char, PatternError> {
        let refuse = |message: String| Err(PatternError::new(offset, message));
        let Some(c) = self.next() else {
            return refuse(
                "the regular expression ends in a backslash; write \\\\ for a literal one"
                    .to_owned(),
            );
        };
        let code = match c {
            'a' => 7,
            'b' => 8,
            't' => 9,
            'n' => 10,
            'v' => 11,
            'f' => 12,
            'r' => 13,
            'e' => 27,
            'x' if self.eat("{") => {
                let digits = self
                    .rest
                    .as_str()
                    .split('}')
                    .next()
                    .unwrap_or_default()
                    .to_owned();
                if !self.eat(&digits) || !self.eat("}") {
                    return refuse(
                        "\\x{ is never closed; write the code in hexadecimal digits, as in \\x{2F}"
                            .to_owned(),
                    );
                }
                u32::from_str_radix(&digits, 16).unwrap_or(u32::MAX)
            }
            'x' => self.hexadecimal(2),
            'u' => self.hexadecimal(4),
            'c' => match self.next().map(|c| c.to_ascii_uppercase()) {
                Some(c @ '@'..='_') => u32::from(c) & 0x1f,
                _ => u32::MAX,
            },
            '0'..='7' => {
                let mut code = c.to_digit(8).unwrap_or_default();
                for _ in 0..2 {
                    let Some(digit) = self.peek().and_then(|c| c.to_digit(8)) else {
                        break;
                    };
                    self.next();
                    code = (code << 3) | digit;
                }
                code & 0xff
            }
            c if c.is_alphanumeric() => {
                return refuse(format!(
                    "\\{c} is not a known escape; write {c} for the character itself"
                ));
            }
            c => return Ok(c),
        };
        match char::from_u32(code) {
            Some(c) => Ok(c),
            None => refuse(format!(
                "\\{c} needs the code of a character, as in \\x2F, \\x{{1F600}}, \\u00E9 or \\cA"
            )),
        }
    }

    /// Exactly this many hexadecimal digits; `u32::MAX` if they are not there.
    fn hexadecimal(&mut self, digits: usize) -> u32 {
        let text = self.rest.as_str().get(..digits).unwrap_or_default();
        if text.is_empty() || !text.chars().all(|c| c.is_ascii_hexdigit()) || !self.eat(text) {
            return u32::MAX;
        }
        u32::from_str_radix(text, 16).unwrap_or(u32::MAX)
    }

    // --- classes

    /// `[...]`, after the opening bracket.
    fn class(&mut self, offset: usize, depth: usize) -> Result<CharSet, PatternError> {
        if depth > MAX_DEPTH {
            return Err(self.error(format!("classes are nested more than {MAX_DEPTH} deep")));
        }
        let negated = self.eat("^");
        let mut set = CharSet::default();
        let mut removed = None;
        let mut first = true;
        loop {
            let at = self.offset();
            let Some(c) = self.next() else {
                return Err(PatternError::new(
                    offset,
                    "`[` is never closed; add `]`, or write \\[ for a literal bracket",
                ));
            };
            if c == ']' && !first {
                break;
            }
            if c == '-' && !first && self.peek() == Some('[') {
                self.next();
                removed = Some(self.class(at, depth.saturating_add(1))?);
                if self.peek() != Some(']') {
                    return Err(self
                        .error("a subtraction must stand last in its class, as in [a-z-[aeiou]]"));
                }
                continue;
            }
            first = false;
            let Some(low) = self.class_item(c, at, &mut set)? else {
                continue;
            };
            let mut ahead = self.rest.clone();
            if ahead.next() != Some('-')
                || ahead.clone().next().is_none_or(|c| c == ']' || c == '[')
            {
                set.add(low, low);
                continue;
            }
            self.rest = ahead;
            let at = self.offset();
            let high = match self.next() {
                Some(c) => self.class_item(c, at, &mut set)?,
                None => None,
            };
            match high {
                Some(high) if low <= high => set.add(low, high),
                Some(_) => {
                    return Err(PatternError::new(
                        at,
                        "the range is reversed; the smaller character comes first",
                    ));
                }
                None => {
                    return Err(PatternError::new(
                        at,
                        "a range ends in one character; write \\- for a literal `-`",
                    ));
                }
            }
        }
        let set = if self.flags.fold { set.fold() } else { set };
        let set = if negated { set.complement() } else { set };
        Ok(match removed {
            Some(removed) => set.without(&removed),
            None => set,
        })
    }

    /// One character of a class, or `None` if it was a whole set, which is then added.
    fn class_item(
        &mut self,
        c: char,
        offset: usize,
        set: &mut CharSet,
    ) -> Result<Option<char>, PatternError> {
        match c {
            '[' if self.peek() == Some(':') => {
                let Some((name, rest)) = self
                    .rest
                    .as_str()
                    .get(1..)
                    .and_then(|rest| rest.split_once(":]"))
                else {
                    return Ok(Some(c));
                };
                let (negated, name) = match name.strip_prefix('^') {
                    Some(name) => (true, name),
                    None => (false, name),
                };
                let Some(named) = CharSet::posix(name) else {
                    return Err(PatternError::new(
                        offset,
                        "unknown class name; allowed are alnum, alpha, ascii, blank, cntrl, digit, graph, lower, print, \
                         punct, space, upper, word and xdigit",
                    ));
                };
                set.add_all(&if negated { named.complement() } else { named });
                self.rest = rest.chars();
                Ok(None)
            }
            '\\' => {
                if let Some(named) = self.peek().and_then(CharSet::perl) {
                    self.next();
                    set.add_all(&named);
                    return Ok(None);
                }
                if let Some(letter) = self.peek().filter(|c| matches!(c, 'p' | 'P')) {
                    self.next();
                    set.add_all(&self.property(letter == 'P', offset)?);
                    return Ok(None);
                }
                self.character_escape(offset).map(Some)
            }
            c => Ok(Some(c)),
        }
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
