//! Splits a template's text into tokens, by the lexical rules of Go's `text/template`.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    LeftDelim,
    RightDelim,
    Space,
    Identifier,
    Keyword,
    Field,
    Variable,
    Dot,
    Bool,
    Nil,
    String,
    RawString,
    Char,
    Number,
    Assign,
    Declare,
    Pipe,
    LeftParen,
    RightParen,
    /// A comma, or a character that has no meaning here.
    Other,
    /// What follows is no token.
    Error,
    Eof,
}

/// A piece of the template's text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token<'t> {
    pub(crate) kind: Kind,
    pub(crate) text: &'t str,
    /// Byte offset in the template's text.
    pub(crate) pos: usize,
}

/// A place in the text and what is wrong there.
#[derive(Debug)]
pub(crate) struct LexError {
    pub(crate) pos: usize,
    /// Go's words, then maybe `; ` and advice.
    pub(crate) message: String,
}

const KEYWORDS: &[&str] = &[
    "block", "break", "continue", "define", "else", "end", "if", "range", "template", "with",
];
const SPACES: &[char] = &[' ', '\t', '\r', '\n'];

/// Reads the text up to its end or to what is no token: the last is [`Kind::Eof`] or, with what is
/// wrong in words, [`Kind::Error`].
pub(crate) fn tokens(text: &str) -> (Vec<Token<'_>>, Option<LexError>) {
    let mut lexer = Lexer {
        text,
        pos: 0,
        parens: 0,
        out: Vec::new(),
    };
    let error = lexer.all().err();
    lexer.out.push(Token {
        kind: if error.is_some() {
            Kind::Error
        } else {
            Kind::Eof
        },
        text: "",
        pos: error.as_ref().map_or(text.len(), |error| error.pos),
    });
    (lexer.out, error)
}

struct Lexer<'t> {
    text: &'t str,
    pos: usize,
    parens: usize,
    out: Vec<Token<'t>>,
}

impl<'t> Lexer<'t> {
    fn all(&mut self) -> Result<(), LexError> {
        while self.outside_action()? {
            while self.inside_action()? {}
        }
        Ok(())
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.pos..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn advance(&mut self, bytes: usize) {
        self.pos = self.pos.saturating_add(bytes);
    }

    fn skip_while(&mut self, keep: impl Fn(char) -> bool) {
        let rest = self.rest();
        let end = rest.find(|c| !keep(c)).unwrap_or(rest.len());
        self.advance(end);
    }

    fn emit(&mut self, kind: Kind, start: usize) {
        let text = self.text.get(start..self.pos).unwrap_or("");
        self.out.push(Token {
            kind,
            text,
            pos: start,
        });
    }

    fn fail<T>(&self, pos: usize, message: impl Into<String>) -> Result<T, LexError> {
        Err(LexError {
            pos,
            message: message.into(),
        })
    }

    /// Text up to the next action, and the action's opening. False at the end of the text.
    fn outside_action(&mut self) -> Result<bool, LexError> {
        loop {
            let start = self.pos;
            let rest = self.rest();
            let Some(open) = rest.find("{{") else {
                self.pos = self.text.len();
                if !rest.is_empty() {
                    self.emit(Kind::Text, start);
                }
                return Ok(false);
            };
            let mut text = rest.get(..open).unwrap_or("");
            self.advance(open);
            let delim = self.pos;
            self.advance(2);
            let mut after = self.rest().chars();
            if after.next() == Some('-') && after.next().is_some_and(|c| SPACES.contains(&c)) {
                text = text.trim_end_matches(SPACES);
                self.advance(2);
            }
            if !text.is_empty() {
                self.out.push(Token {
                    kind: Kind::Text,
                    text,
                    pos: start,
                });
            }
            if !self.rest().starts_with("/*") {
                self.emit(Kind::LeftDelim, delim);
                return Ok(true);
            }
            self.comment(delim)?;
        }
    }

    fn comment(&mut self, start: usize) -> Result<(), LexError> {
        self.advance(2);
        let Some(end) = self.rest().find("*/") else {
            return self.fail(start, "unclosed comment; a comment ends with */}}");
        };
        self.advance(end.saturating_add(2));
        if !self.right_delim() {
            return self.fail(
                self.pos,
                "comment ends before closing delimiter; a comment stands alone: {{/* … */}}",
            );
        }
        Ok(())
    }

    /// Consumes `}}` or ` -}}` (which also eats the white space after it).
    fn right_delim(&mut self) -> bool {
        if at_trimmed_close(self.rest()) {
            self.advance(4);
            self.skip_while(|c| SPACES.contains(&c));
            return true;
        }
        if self.rest().starts_with("}}") {
            self.advance(2);
            return true;
        }
        false
    }

    /// One token of an action. False once the action is closed.
    fn inside_action(&mut self) -> Result<bool, LexError> {
        let start = self.pos;
        if at_trimmed_close(self.rest()) || self.rest().starts_with("}}") {
            if self.parens > 0 {
                return self.fail(start, "unclosed left paren; add the missing `)`");
            }
            self.right_delim();
            self.out.push(Token {
                kind: Kind::RightDelim,
                text: "}}",
                pos: start,
            });
            return Ok(false);
        }
        let Some(first) = self.peek() else {
            return self.fail(start, "unclosed action; every {{ needs its }}");
        };
        match first {
            ' ' | '\t' | '\r' | '\n' => {
                while self.peek().is_some_and(|c| SPACES.contains(&c))
                    && !at_trimmed_close(self.rest())
                {
                    self.advance(1);
                }
                self.emit(Kind::Space, start);
            }
            '=' => self.single(Kind::Assign),
            '|' => self.single(Kind::Pipe),
            '(' => {
                self.parens = self.parens.saturating_add(1);
                self.single(Kind::LeftParen);
            }
            ')' => {
                if self.parens == 0 {
                    return self.fail(start, "unexpected right paren; there is no `(` before it");
                }
                self.parens = self.parens.saturating_sub(1);
                self.single(Kind::RightParen);
            }
            ':' => {
                if !self.rest().starts_with(":=") {
                    return self.fail(start, "expected :=");
                }
                self.advance(2);
                self.emit(Kind::Declare, start);
            }
            '"' => self.quoted('"', Kind::String, "unterminated quoted string")?,
            '\'' => self.quoted('\'', Kind::Char, "unterminated character constant")?,
            '`' => {
                self.advance(1);
                let Some(end) = self.rest().find('`') else {
                    return self.fail(start, "unterminated raw quoted string");
                };
                self.advance(end.saturating_add(1));
                self.emit(Kind::RawString, start);
            }
            '$' => self.name(Kind::Variable)?,
            '.' => match self.rest().chars().nth(1) {
                Some('0'..='9') => self.number()?,
                _ => self.name(Kind::Field)?,
            },
            '+' | '-' | '0'..='9' => self.number()?,
            c if is_alphanumeric(c) => self.identifier()?,
            c if c.is_ascii_graphic() => self.single(Kind::Other),
            c => {
                return self.fail(
                    start,
                    format!("unrecognized character in action: {}", code_point(c)),
                );
            }
        }
        Ok(true)
    }

    fn single(&mut self, kind: Kind) {
        let start = self.pos;
        self.advance(1);
        self.emit(kind, start);
    }

    fn quoted(&mut self, quote: char, kind: Kind, message: &str) -> Result<(), LexError> {
        let start = self.pos;
        self.advance(1);
        loop {
            match self.peek() {
                Some('\\') => {
                    self.advance(1);
                    match self.peek() {
                        None | Some('\n') => return self.fail(start, message),
                        Some(c) => self.advance(c.len_utf8()),
                    }
                }
                None | Some('\n') => return self.fail(start, message),
                Some(c) => {
                    self.advance(c.len_utf8());
                    if c == quote {
                        self.emit(kind, start);
                        return Ok(());
                    }
                }
            }
        }
    }

    /// `.Name`, `.`, `$name` or `$`.
    fn name(&mut self, kind: Kind) -> Result<(), LexError> {
        let start = self.pos;
        self.advance(1);
        if self.at_terminator() {
            self.emit(if kind == Kind::Field { Kind::Dot } else { kind }, start);
            return Ok(());
        }
        self.skip_while(is_alphanumeric);
        self.expect_terminator()?;
        self.emit(kind, start);
        Ok(())
    }

    fn identifier(&mut self) -> Result<(), LexError> {
        let start = self.pos;
        self.skip_while(is_alphanumeric);
        self.expect_terminator()?;
        let kind = match self.text.get(start..self.pos).unwrap_or("") {
            "true" | "false" => Kind::Bool,
            "nil" => Kind::Nil,
            word if KEYWORDS.contains(&word) => Kind::Keyword,
            _ => Kind::Identifier,
        };
        self.emit(kind, start);
        Ok(())
    }

    fn number(&mut self) -> Result<(), LexError> {
        let start = self.pos;
        let mut fits = self.scan_number();
        let mut text = self.text.get(start..self.pos).unwrap_or("");
        // `1+2i` is one number to Go; a sign may begin nothing else here.
        if fits && matches!(self.peek(), Some('+' | '-')) {
            fits = self.scan_number();
            text = self.text.get(start..self.pos).unwrap_or("");
            fits &= text.ends_with('i');
        }
        if !fits {
            return self.fail(
                start,
                format!("bad number syntax: {}", crate::format::quoted(text)),
            );
        }
        self.emit(Kind::Number, start);
        Ok(())
    }

    /// What can be a number by its characters. False if a letter or digit follows, which is taken too.
    fn scan_number(&mut self) -> bool {
        if matches!(self.peek(), Some('+' | '-')) {
            self.advance(1);
        }
        // Whether the digits make a number is found out where its value is.
        let prefix = self.rest().get(..2).unwrap_or("").to_ascii_lowercase();
        let (radix, exponent) = match prefix.as_str() {
            "0x" => (16, "pP"),
            "0o" => (8, ""),
            "0b" => (2, ""),
            _ => (10, "eE"),
        };
        if radix != 10 {
            self.advance(2);
        }
        let digit = |c: char| c.is_digit(radix) || c == '_';
        self.skip_while(digit);
        if self.peek() == Some('.') {
            self.advance(1);
            self.skip_while(digit);
        }
        if self.peek().is_some_and(|c| exponent.contains(c)) {
            self.advance(1);
            if matches!(self.peek(), Some('+' | '-')) {
                self.advance(1);
            }
            self.skip_while(|c| c.is_ascii_digit() || c == '_');
        }
        if self.peek() == Some('i') {
            self.advance(1);
        }
        match self.peek().filter(|c| is_alphanumeric(*c)) {
            Some(next) => {
                self.advance(next.len_utf8());
                false
            }
            None => true,
        }
    }

    fn at_terminator(&self) -> bool {
        match self.peek() {
            None => true,
            Some(c) => {
                SPACES.contains(&c)
                    || matches!(c, '.' | ',' | '|' | ':' | ')' | '(')
                    || self.rest().starts_with("}}")
            }
        }
    }

    fn expect_terminator(&self) -> Result<(), LexError> {
        match self.peek() {
            Some(c) if !self.at_terminator() => self.fail(
                self.pos,
                format!(
                    "bad character {}; names are letters, digits and `_` \
                     (for a key with other characters write: index .Map \"the-key\")",
                    code_point(c)
                ),
            ),
            _ => Ok(()),
        }
    }
}

/// Go's `%#U`.
fn code_point(c: char) -> String {
    let code = u32::from(c);
    if crate::format::is_print(c) {
        format!("U+{code:04X} '{c}'")
    } else {
        format!("U+{code:04X}")
    }
}

fn at_trimmed_close(rest: &str) -> bool {
    let mut chars = rest.chars();
    chars.next().is_some_and(|c| SPACES.contains(&c)) && chars.as_str().starts_with("-}}")
}

fn is_alphanumeric(c: char) -> bool {
    c == '_' || c.is_alphabetic() || c.is_numeric()
}
