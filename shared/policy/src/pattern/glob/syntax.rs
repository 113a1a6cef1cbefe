//! Reads a glob.

use super::super::syntax::PatternError;

/// The most terms of a glob: the original's way to join matchers takes the third power of it.
const MAX_TERMS: usize = 200;

/// A part of a glob.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) enum Term {
    /// What is left of an alternative when its ends are taken out.
    Nothing,
    Any,
    Super,
    Single,
    List {
        chars: String,
        not: bool,
    },
    Range {
        low: char,
        high: char,
        not: bool,
    },
    Text(String),
    /// Several terms, one after the other.
    Sequence(Vec<Term>),
    /// `{a,b}`.
    AnyOf(Vec<Vec<Term>>),
}

/// Reads a whole glob. Braces that are never closed end with it.
///
/// # Errors
/// [`PatternError`] at offset 0 with what the original says. What is read is not what was written: text outside of `<...>`
/// is quoted, so there is no better place to tell.
pub(in super::super) fn parse(glob: &str) -> Result<Vec<Term>, PatternError> {
    if glob.contains('\0') {
        return Err(PatternError::new(0, "a NUL is in no URL; take it out"));
    }
    if glob.contains(char::REPLACEMENT_CHARACTER) {
        return Err(refuse("could not read rune"));
    }
    let mut reader = Reader {
        rest: glob.chars(),
        open: Vec::new(),
        current: Vec::new(),
        terms: 0,
    };
    while let Some(c) = reader.rest.next() {
        reader.term(c)?;
        reader.terms = reader.terms.saturating_add(1);
        if reader.terms > MAX_TERMS {
            return Err(PatternError::new(
                0,
                format!("a glob may have {MAX_TERMS} parts; make several rules of it"),
            ));
        }
    }
    while !reader.open.is_empty() {
        reader.close();
    }
    Ok(reader.current)
}

fn refuse(original: &str) -> PatternError {
    let help = "a glob has `*`, `**`, `?`, `[abc]`, `[!abc]`, `[a-z]` and `{a,b}`; a backslash makes the next character \
                stand for itself";
    PatternError::new(0, format!("the glob cannot be read ({original}); {help}")).original(original)
}

struct Reader<'g> {
    rest: std::str::Chars<'g>,
    /// For each open brace the alternatives before the current one, and what stands before the brace.
    open: Vec<(Vec<Vec<Term>>, Vec<Term>)>,
    current: Vec<Term>,
    terms: usize,
}

impl Reader<'_> {
    fn term(&mut self, c: char) -> Result<(), PatternError> {
        match c {
            '{' => {
                let before = std::mem::take(&mut self.current);
                self.open.push((Vec::new(), before));
            }
            ',' if !self.open.is_empty() => {
                let ended = std::mem::take(&mut self.current);
                if let Some((alternatives, _)) = self.open.last_mut() {
                    alternatives.push(ended);
                }
            }
            '}' if !self.open.is_empty() => self.close(),
            '[' => {
                let term = self.class()?;
                self.current.push(term);
            }
            '?' => self.current.push(Term::Single),
            '*' => {
                let twice = self.rest.as_str().starts_with('*');
                if twice {
                    self.rest.next();
                }
                self.current
                    .push(if twice { Term::Super } else { Term::Any });
            }
            c => {
                let text = self.text(Some(c));
                if !text.is_empty() {
                    self.current.push(Term::Text(text));
                }
            }
        }
        Ok(())
    }

    fn close(&mut self) {
        if let Some((mut alternatives, before)) = self.open.pop() {
            alternatives.push(std::mem::replace(&mut self.current, before));
            self.current.push(Term::AnyOf(alternatives));
        }
    }

    /// Text up to a character that means something; it starts with `first`, which is read already.
    fn text(&mut self, first: Option<char>) -> String {
        let stops = if self.open.is_empty() {
            "?*[{"
        } else {
            "?*[{},"
        };
        self.text_until(first, stops)
    }

    fn text_until(&mut self, first: Option<char>, stops: &str) -> String {
        let mut text = String::new();
        let mut escaped = false;
        let mut next = first.or_else(|| self.read_unless(stops));
        while let Some(c) = next {
            if c == '\\' && !escaped {
                escaped = true;
                next = self.rest.next();
                continue;
            }
            escaped = false;
            text.push(c);
            next = self.read_unless(stops);
        }
        text
    }

    fn read_unless(&mut self, stops: &str) -> Option<char> {
        let c = self.rest.clone().next().filter(|c| !stops.contains(*c))?;
        self.rest.next();
        Some(c)
    }

    /// What stands in brackets; the first of them is read already.
    fn class(&mut self) -> Result<Term, PatternError> {
        let end = || refuse("unexpected end of input");
        let not = self.rest.as_str().starts_with('!');
        if not {
            self.rest.next();
        }
        let low = self.rest.clone().next().ok_or_else(end)?;
        let mut ahead = self.rest.clone();
        ahead.next();
        let term = if ahead.next() == Some('-') {
            self.rest = ahead;
            let high = self.rest.next().ok_or_else(end)?;
            self.expect_close()?;
            if high < low {
                return Err(refuse(&format!(
                    "hi character '{high}' should be greater than lo '{low}'"
                )));
            }
            Term::Range { low, high, not }
        } else {
            let chars = self.text_until(None, "]");
            self.expect_close()?;
            if chars.is_empty() {
                return Err(refuse("could not parse range"));
            }
            Term::List { chars, not }
        };
        Ok(term)
    }

    fn expect_close(&mut self) -> Result<(), PatternError> {
        match self.rest.next() {
            Some(']') => Ok(()),
            Some(_) => Err(refuse("expected close range character")),
            None => Err(refuse("unexpected end of input")),
        }
    }
}
