//! Escapes: what a backslash and the characters after it stand for.

use super::super::ast::{GroupId, Node};
use super::super::charset::CharSet;
use super::super::instruction::Assertion;
use super::super::syntax::PatternError;
use super::character;
use super::cursor::Cursor;

impl Cursor<'_> {
    /// The node that an escape means; the backslash, at `offset`, is already read.
    pub(super) fn escape(&mut self, offset: usize, fold: bool) -> Result<Node, PatternError> {
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
                Ok(Node::Set(if fold { set.fold() } else { set }))
            }
            'G' => {
                refuse("\\G is not supported: a URL is matched once, from its start; leave it out")
            }
            'k' => self.named_reference(offset, fold),
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
                ));
            };
            name.push_str(inside);
            self.skip_to(rest);
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
    pub(super) fn character_escape(&mut self, offset: usize) -> Result<char, PatternError> {
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
                let digits = self.rest().split('}').next().unwrap_or_default();
                if !self.eat(digits) || !self.eat("}") {
                    return refuse(
                        "\\x{ is never closed; write the code in hexadecimal digits, as in \\x{2F}"
                            .to_owned(),
                    );
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
        let text = self.rest().get(..digits).unwrap_or_default();
        if text.is_empty() || !text.chars().all(|c| c.is_ascii_hexdigit()) || !self.eat(text) {
            return u32::MAX;
        }
        u32::from_str_radix(text, 16).unwrap_or(u32::MAX)
    }
}
