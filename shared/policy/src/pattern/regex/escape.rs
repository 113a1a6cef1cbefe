//! Escapes: what a backslash and the characters after it stand for.

use super::super::ast::{GroupId, Node};
use super::super::charset::CharSet;
use super::super::instruction::Assertion;
use super::super::syntax::PatternError;
use super::cursor::Cursor;
use super::{UNCLOSED, character};

/// What the engine says about Unicode classes and references that it cannot read.
const INCOMPLETE: &str = "incomplete \\p{X} character escape";
const MALFORMED: &str = "malformed \\p{X} character escape";
const BAD_REFERENCE: &str = "malformed \\k<...> named back reference";

/// `\b` or `\B` with the engine's idea of a word.
fn boundary(negated: bool) -> Node {
    let look = |behind, negated| Node::Look {
        behind,
        negated,
        node: Box::new(Node::Set(CharSet::word().clone())),
    };
    Node::Alternate(vec![
        Node::Concat(vec![look(true, false), look(false, !negated)]),
        Node::Concat(vec![look(true, true), look(false, negated)]),
    ])
}

/// True if Go has a Unicode class of exactly this name: `regex_syntax` also knows long names, in any case.
fn as_in_go(name: &str) -> bool {
    let category = matches!(
        name,
        "C" | "Cc"
            | "Cf"
            | "Co"
            | "L"
            | "Ll"
            | "Lm"
            | "Lo"
            | "Lt"
            | "Lu"
            | "M"
            | "Mc"
            | "Me"
            | "Mn"
            | "N"
            | "Nd"
            | "Nl"
            | "No"
            | "P"
            | "Pc"
            | "Pd"
            | "Pe"
            | "Pf"
            | "Pi"
            | "Po"
            | "Ps"
            | "S"
            | "Sc"
            | "Sk"
            | "Sm"
            | "So"
            | "Z"
            | "Zl"
            | "Zp"
            | "Zs"
    );
    let script = || {
        let spelled = name.split('_').all(|word| {
            let mut chars = word.chars();
            chars.next().is_some_and(|c| c.is_ascii_uppercase())
                && chars.all(|c| c.is_ascii_lowercase())
        });
        name == "SignWriting"
            || spelled && name.len() > 2 && CharSet::unicode(&format!("Script={name}")).is_some()
    };
    category
        || matches!(
            name,
            "White_Space" | "ASCII_Hex_Digit" | "Hex_Digit" | "Dash"
        )
        || script()
}

impl Cursor<'_> {
    /// The node that an escape means; the backslash, at `offset`, is already read.
    pub(super) fn escape(&mut self, offset: usize, fold: bool) -> Result<Node, PatternError> {
        let refuse = |message: &str| Err(PatternError::new(offset, message));
        let Some(c) = self.peek() else {
            return refuse(
                "the regular expression ends in a backslash; write \\\\ for a literal one",
            )
            .map_err(|error| error.original(UNCLOSED))
            .map_err(|error| error.original(UNCLOSED));
        };
        if self.strict && matches!(c, 'b' | 'B') {
            self.next();
            return Ok(boundary(c == 'B'));
        }
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
                Ok(Node::Set(CharSet::perl(c, self.strict).unwrap_or_default()))
            }
            'p' | 'P' => {
                self.next();
                let set = self.property(c == 'P', offset)?;
                Ok(Node::Set(if fold { set.fold() } else { set }))
            }
            'G' => {
                refuse("\\G is not supported: a URL is matched once, from its start; leave it out")
            }
            'k' => self.named_reference(offset, fold),
            '<' | '\'' if self.strict => refuse(
                "to Oathkeeper this is a reference to a group; write \\k<name>, or \\x3C or \\x27 for the character",
            ),
            '1'..='9' => {
                let mut number: u32 = 0;
                while let Some(digit) = self.peek().and_then(|c| c.to_digit(10)) {
                    self.next();
                    number = number.saturating_mul(10).saturating_add(digit);
                }
                Ok(Node::Reference {
                    group: GroupId::Number(number),
                    fold,
                    offset,
                })
            }
            _ => {
                let c = self.character_escape(offset)?;
                Ok(character(c, fold))
            }
        }
    }

    fn named_reference(&mut self, offset: usize, fold: bool) -> Result<Node, PatternError> {
        self.next();
        let close = match self.next() {
            Some('<') => '>',
            Some('\'') => '\'',
            _ => {
                return Err(PatternError::new(
                    offset,
                    "a reference to a named group is written \\k<name>",
                )
                .original(BAD_REFERENCE));
            }
        };
        let name = self.name();
        if name.is_empty() || self.next() != Some(close) {
            return Err(PatternError::new(
                offset,
                "a reference to a named group is written \\k<name>",
            )
            .original(BAD_REFERENCE));
        }
        let group = name
            .parse()
            .map_or_else(|_| GroupId::Name(name), GroupId::Number);
        Ok(Node::Reference {
            group,
            fold,
            offset,
        })
    }

    /// `\p{Name}` or `\pX`, after the letter.
    pub(super) fn property(
        &mut self,
        negated: bool,
        offset: usize,
    ) -> Result<CharSet, PatternError> {
        let mut name = String::new();
        if self.eat("{") {
            let Some((inside, rest)) = self.rest().split_once('}') else {
                return Err(PatternError::new(
                    offset,
                    "the Unicode class is never closed; write it as \\p{L}",
                )
                .original(INCOMPLETE));
            };
            name.push_str(inside);
            self.skip_to(rest);
        } else {
            if self.strict {
                // The engine counts the `$` that Oathkeeper appends.
                let short = self.rest().chars().count() < 2;
                return Err(PatternError::new(
                    offset,
                    "Oathkeeper cannot read a Unicode class without braces; write it as \\p{L}",
                )
                .original(if short { INCOMPLETE } else { MALFORMED }));
            }
            name.extend(self.next());
        }
        if self.strict
            && !name
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
        {
            return Err(PatternError::new(
                offset,
                "Oathkeeper allows letters, digits and `_` in the name of a Unicode class; write \\P{L} for all others",
            )
            .original(INCOMPLETE));
        }
        let (negated, name) = match name.strip_prefix('^') {
            Some(name) => (!negated, name),
            None => (negated, name.as_str()),
        };
        let known = name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let known = known && (!self.strict || as_in_go(name));
        match CharSet::unicode(name).filter(|_| known) {
            Some(set) if negated => Ok(set.complement()),
            Some(set) => Ok(set),
            None => Err(PatternError::new(
                offset,
                format!(
                    "`{name}` is no Unicode category or script; allowed are such as \\p{{L}}, \\p{{Lu}}, \\p{{Greek}}"
                ),
            )
            .original(format!(
                "unknown unicode category, script, or property '{name}'"
            ))),
        }
    }

    /// The character that an escape means; the backslash is already read.
    pub(super) fn character_escape(&mut self, offset: usize) -> Result<char, PatternError> {
        let refuse = |message: String| Err(PatternError::new(offset, message));
        let Some(c) = self.next() else {
            return refuse(
                "the regular expression ends in a backslash; write \\\\ for a literal one"
                    .to_owned(),
            )
            .map_err(|error| error.original(UNCLOSED));
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
                let digits = self.rest().split('}').next().unwrap_or_default();
                if !self.eat(digits) || !self.eat("}") {
                    return refuse(
                        "\\x{ is never closed; write the code in hexadecimal digits, as in \\x{2F}"
                            .to_owned(),
                    )
                    .map_err(|error| error.original("missing closing }"));
                }
                u32::from_str_radix(digits, 16).unwrap_or(u32::MAX)
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
            c if c.is_alphanumeric() || self.strict && CharSet::word().contains(c) => {
                return refuse(format!(
                    "\\{c} is not a known escape; write {c} for the character itself"
                ))
                .map_err(|error| error.original(format!("unrecognized escape sequence \\{c}")));
            }
            c => return Ok(c),
        };
        match char::from_u32(code) {
            Some(c) => Ok(c),
            None => refuse(format!(
                "\\{c} needs the code of a character, as in \\x2F, \\x{{1F600}}, \\u00E9 or \\cA"
            ))
            .map_err(|error| match c {
                'x' if code != u32::MAX && code > u32::from(char::MAX) => {
                    error.original("hex values may not be larger than 0x10FFFF")
                }
                // The engine can read a surrogate, but no text has one.
                'x' | 'u' if code != u32::MAX => error,
                'x' | 'u' => error.original("insufficient hexadecimal digits"),
                'c' => error.original("unrecognized control character"),
                _ => error,
            }),
        }
    }

    /// Exactly this many hexadecimal digits; `u32::MAX` if they are not there.
    fn hexadecimal(&mut self, digits: usize) -> u32 {
        let text = self.rest().get(..digits).unwrap_or_default();
        if text.is_empty() || !text.chars().all(|c| c.is_ascii_hexdigit()) || !self.eat(text) {
            return u32::MAX;
        }
        u32::from_str_radix(text, 16).unwrap_or(u32::MAX)
    }
}
