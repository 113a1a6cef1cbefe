//! One step of a matching program, and its written form.

use super::class::Class;

/// Which way an instruction eats text. Look-behind runs from right to left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Forward,
    Back,
}

/// A condition on the position that eats nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Assertion {
    TextStart,
    TextEnd,
    LineStart,
    LineEnd,
    WordBoundary,
    NoWordBoundary,
}

/// One step of a matching program. Targets are indexes of instructions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Instruction {
    /// Eats this text.
    Text(String, Direction),
    /// Eats between `min` and `max` characters of a class, as many or as few as possible first.
    Run {
        class: Class,
        min: u32,
        max: Option<u32>,
        lazy: bool,
        direction: Direction,
    },
    /// Eats what a group matched; fails if it matched nothing yet.
    Reference {
        group: usize,
        fold: bool,
        direction: Direction,
    },
    /// Goes on at the first target, and at the second if that fails.
    Branch(usize, usize),
    /// Goes on at the target.
    Jump(usize),
    /// One end of a capture group.
    Open(usize),
    /// The other end: the group is what lies between.
    Close(usize),
    /// Notes where an iteration of a loop starts.
    Mark(usize),
    /// Ends an iteration: goes back to the target unless the iteration ate nothing.
    Again(usize, usize),
    /// Holds only here.
    Assert(Assertion),
    /// Starts a look-around that must match, or an atomic group.
    Look,
    /// Ends such a look-around: back to where it started, its alternatives dropped.
    Keep,
    /// Ends an atomic group: goes on from here, its alternatives dropped.
    Commit,
    /// Starts a look-around that must not match; goes on at the target if it did not.
    Unless(usize),
    /// Ends such a look-around: it did match.
    Refuse,
}

impl Instruction {
    /// Reads the written form: one letter, then its arguments. `None` if it is not one.
    pub(super) fn decode(text: &str) -> Option<Instruction> {
        let mut chars = text.chars();
        let code = chars.next()?;
        let rest = chars.as_str();
        Some(match code {
            '<' => Self::decode_eater(rest, Direction::Back)?,
            '|' => {
                let (first, second) = rest.split_once(',')?;
                Self::Branch(first.parse().ok()?, second.parse().ok()?)
            }
            '>' => Self::Jump(rest.parse().ok()?),
            '(' => Self::Open(rest.parse().ok()?),
            ')' => Self::Close(rest.parse().ok()?),
            '&' => Self::Mark(rest.parse().ok()?),
            '@' => {
                let (slot, target) = rest.split_once(',')?;
                Self::Again(slot.parse().ok()?, target.parse().ok()?)
            }
            '!' => Self::Unless(rest.parse().ok()?),
            _ if rest.is_empty() => match code {
                '^' => Self::Assert(Assertion::TextStart),
                '$' => Self::Assert(Assertion::TextEnd),
                'm' => Self::Assert(Assertion::LineStart),
                'n' => Self::Assert(Assertion::LineEnd),
                'b' => Self::Assert(Assertion::WordBoundary),
                'B' => Self::Assert(Assertion::NoWordBoundary),
                '{' => Self::Look,
                '}' => Self::Keep,
                '~' => Self::Commit,
                'x' => Self::Refuse,
                _ => Self::decode_eater(text, Direction::Forward)?,
            },
            _ => Self::decode_eater(text, Direction::Forward)?,
        })
    }

    fn decode_eater(text: &str, direction: Direction) -> Option<Instruction> {
        let mut chars = text.chars();
        let code = chars.next()?;
        let rest = chars.as_str();
        Some(match code {
            '=' => Self::Text(rest.to_owned(), direction),
            '.' => Self::Run {
                class: Class::decode(rest),
                min: 1,
                max: Some(1),
                lazy: false,
                direction,
            },
            '*' | '?' => {
                let (min, rest) = rest.split_once(',')?;
                let (max, class) = rest.split_once(',')?;
                let min = min.parse().ok()?;
                let max = if max.is_empty() {
                    None
                } else {
                    Some(max.parse().ok()?)
                };
                if max.is_some_and(|max| max < min) {
                    return None;
                }
                Self::Run {
                    class: Class::decode(class),
                    min,
                    max,
                    lazy: code == '?',
                    direction,
                }
            }
            '\\' => Self::Reference {
                group: rest.parse().ok()?,
                fold: false,
                direction,
            },
            'i' => Self::Reference {
                group: rest.parse().ok()?,
                fold: true,
                direction,
            },
            _ => return None,
        })
    }

    /// The written form.
    pub(super) fn encode(&self) -> String {
        let mut out = String::new();
        match self {
            Self::Text(text, direction) => {
                direction.encode(&mut out);
                out.push('=');
                out.push_str(text);
            }
            Self::Run {
                class,
                min: 1,
                max: Some(1),
                lazy: false,
                direction,
            } => {
                direction.encode(&mut out);
                out.push('.');
                class.encode(&mut out);
            }
            Self::Run {
                class,
                min,
                max,
                lazy,
                direction,
            } => {
                direction.encode(&mut out);
                out.push(if *lazy { '?' } else { '*' });
                out.push_str(&min.to_string());
                out.push(',');
                if let Some(max) = max {
                    out.push_str(&max.to_string());
                }
                out.push(',');
                class.encode(&mut out);
            }
            Self::Reference {
                group,
                fold,
                direction,
            } => {
                direction.encode(&mut out);
                numbered(&mut out, if *fold { 'i' } else { '\\' }, *group);
            }
            Self::Branch(first, second) => {
                numbered(&mut out, '|', *first);
                numbered(&mut out, ',', *second);
            }
            Self::Jump(target) => numbered(&mut out, '>', *target),
            Self::Open(group) => numbered(&mut out, '(', *group),
            Self::Close(group) => numbered(&mut out, ')', *group),
            Self::Mark(slot) => numbered(&mut out, '&', *slot),
            Self::Again(slot, target) => {
                numbered(&mut out, '@', *slot);
                numbered(&mut out, ',', *target);
            }
            Self::Unless(target) => numbered(&mut out, '!', *target),
            Self::Assert(assertion) => out.push(match assertion {
                Assertion::TextStart => '^',
                Assertion::TextEnd => '$',
                Assertion::LineStart => 'm',
                Assertion::LineEnd => 'n',
                Assertion::WordBoundary => 'b',
                Assertion::NoWordBoundary => 'B',
            }),
            Self::Look => out.push('{'),
            Self::Keep => out.push('}'),
            Self::Commit => out.push('~'),
            Self::Refuse => out.push('x'),
        }
        out
    }
}

impl Direction {
    fn encode(self, out: &mut String) {
        if self == Direction::Back {
            out.push('<');
        }
    }
}

fn numbered(out: &mut String, code: char, number: usize) {
    out.push(code);
    out.push_str(&number.to_string());
}
