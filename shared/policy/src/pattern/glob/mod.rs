//! The `glob` strategy: how `gobwas/glob` matches, with the separators `.` and `/`.
//!
//! The original makes a tree of small matchers out of a pattern and joins some of them to faster ones. It matches by what
//! came of that, which is not always what the pattern says: `<a**a>` matches `a`, and `<*?>` goes across separators. Rules
//! were written and tried with it, so this is the same tree, and it decides the same.
//!
//! Texts are bytes here, since the original cuts them without regard to characters.

#[cfg(feature = "compile")]
mod alternatives;
#[cfg(feature = "compile")]
mod build;
mod code;
mod index;
#[cfg(feature = "compile")]
mod syntax;

use serde::{Deserialize, Serialize};

#[cfg(feature = "compile")]
pub(super) use self::build::build;
#[cfg(feature = "compile")]
pub(super) use self::syntax::{Term, parse};

use super::BudgetExceeded;

/// What `*` and `?` do not match, in the order in which the original looks for them.
const SEPARATORS: [u8; 2] = *b"./";

/// A compiled glob. In the policy document a list of small strings, children before their parents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub(super) struct Glob(pub(super) Matcher);

/// A node of the tree.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Matcher {
    Nothing,
    /// `*`.
    Any,
    /// `**`.
    Super,
    /// `?`.
    Single,
    /// `[abc]`, or with `not` `[!abc]`.
    List {
        chars: String,
        not: bool,
    },
    /// `[a-c]`.
    Range {
        low: char,
        high: char,
        not: bool,
    },
    Text(String),
    /// One of these.
    AnyOf(Vec<Matcher>),
    /// All of these on the whole text.
    EveryOf(Vec<Matcher>),
    /// One after the other, each of a known length.
    Row(Vec<Matcher>),
    /// The value, with the left before it and the right after it.
    Tree(Box<Tree>),
    /// Does not contain this text.
    Without(String),
    Contains(String),
    Prefix(String),
    Suffix(String),
    PrefixSuffix(String, String),
    PrefixAny(String),
    SuffixAny(String),
    /// At least so many characters.
    Min(usize),
    /// At most so many.
    Max(usize),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tree {
    pub(super) value: Matcher,
    pub(super) left: Option<Matcher>,
    pub(super) right: Option<Matcher>,
}

/// A bound on the work, in steps.
pub(super) struct Budget(u32);

impl Budget {
    /// Takes the steps for a look at this many bytes.
    fn spend(&mut self, bytes: usize) -> Result<(), BudgetExceeded> {
        let steps = u32::try_from(bytes >> 3)
            .unwrap_or(u32::MAX)
            .saturating_add(1);
        self.0 = self.0.checked_sub(steps).ok_or(BudgetExceeded)?;
        Ok(())
    }
}

impl Glob {
    /// True if the whole text matches.
    pub(super) fn matches(&self, text: &str, budget: u32) -> Result<bool, BudgetExceeded> {
        self.0.matches(text.as_bytes(), &mut Budget(budget))
    }
}

/// The first character and how many bytes it takes; U+FFFD and one byte where there is none, as in Go.
fn first_char(text: &[u8]) -> (char, usize) {
    let length = match text.first() {
        None => return (char::REPLACEMENT_CHARACTER, 0),
        Some(byte) if byte.is_ascii() => return (char::from(*byte), 1),
        Some(0xc2..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xf4) => 4,
        Some(_) => 1,
    };
    text.get(..length)
        .and_then(|bytes| std::str::from_utf8(bytes).ok())
        .and_then(|text| text.chars().next())
        .map_or((char::REPLACEMENT_CHARACTER, 1), |c| (c, length))
}

/// The characters with where they start.
fn chars(text: &[u8]) -> impl Iterator<Item = (usize, char)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let (c, length) = first_char(text.get(at..)?);
        let start = at;
        at = at.saturating_add(length);
        (length > 0).then_some((start, c))
    })
}

fn is_separator(c: char) -> bool {
    SEPARATORS
        .iter()
        .any(|separator| char::from(*separator) == c)
}

/// Where the first dot is, or the first slash of a text without dots.
fn separator(text: &[u8]) -> Option<usize> {
    SEPARATORS
        .iter()
        .find_map(|separator| text.iter().position(|byte| byte == separator))
}

/// Where a text is found first.
fn position(text: &[u8], wanted: &str) -> Option<usize> {
    let wanted = wanted.as_bytes();
    if wanted.is_empty() {
        return Some(0);
    }
    text.windows(wanted.len())
        .position(|window| window == wanted)
}

impl Matcher {
    /// How many characters it matches, where that is always the same.
    ///
    /// Of alternatives, the first that has a length speaks for all that have none before it.
    fn length(&self) -> Option<usize> {
        match self {
            Matcher::Nothing => Some(0),
            Matcher::Single | Matcher::List { .. } | Matcher::Range { .. } => Some(1),
            Matcher::Text(text) => Some(text.chars().count()),
            Matcher::Row(matchers) => matchers.iter().try_fold(0_usize, |sum, matcher| {
                Some(sum.saturating_add(matcher.length()?))
            }),
            Matcher::AnyOf(matchers) => {
                let mut lengths = matchers
                    .iter()
                    .map(Matcher::length)
                    .skip_while(Option::is_none);
                let first = lengths.next()?;
                lengths.all(|length| length == first).then_some(first)?
            }
            Matcher::Tree(tree) => {
                let side = |side: &Option<Matcher>| match side {
                    Some(matcher) => matcher.length(),
                    None => Some(0),
                };
                let sides = side(&tree.left)?.saturating_add(side(&tree.right)?);
                Some(sides.saturating_add(tree.value.length()?))
            }
            _ => None,
        }
    }

    /// True if the whole text matches.
    // As deep as the tree, which the compiler and the decoder limit.
    fn matches(&self, text: &[u8], budget: &mut Budget) -> Result<bool, BudgetExceeded> {
        budget.spend(text.len())?;
        Ok(match self {
            Matcher::Nothing => text.is_empty(),
            Matcher::Any => separator(text).is_none(),
            Matcher::Super => true,
            Matcher::Single | Matcher::List { .. } | Matcher::Range { .. } => {
                let (c, length) = first_char(text);
                text.len() <= length && self.takes(c)
            }
            Matcher::Text(wanted) => text == wanted.as_bytes(),
            Matcher::AnyOf(matchers) => {
                for matcher in matchers {
                    if matcher.matches(text, budget)? {
                        return Ok(true);
                    }
                }
                false
            }
            Matcher::EveryOf(matchers) => {
                for matcher in matchers {
                    if !matcher.matches(text, budget)? {
                        return Ok(false);
                    }
                }
                true
            }
            Matcher::Row(matchers) => {
                Some(chars(text).count()) == self.length()
                    && starts_with_row(matchers, text, budget)?
            }
            Matcher::Tree(tree) => return tree.matches(text, budget),
            Matcher::Without(wanted) => position(text, wanted).is_none(),
            Matcher::Contains(wanted) => position(text, wanted).is_some(),
            Matcher::Prefix(prefix) => text.starts_with(prefix.as_bytes()),
            Matcher::Suffix(suffix) => text.ends_with(suffix.as_bytes()),
            // They may overlap.
            Matcher::PrefixSuffix(prefix, suffix) => {
                text.starts_with(prefix.as_bytes()) && text.ends_with(suffix.as_bytes())
            }
            Matcher::PrefixAny(prefix) => text
                .strip_prefix(prefix.as_bytes())
                .is_some_and(|rest| separator(rest).is_none()),
            Matcher::SuffixAny(suffix) => text
                .strip_suffix(suffix.as_bytes())
                .is_some_and(|rest| separator(rest).is_none()),
            Matcher::Min(least) => chars(text).take(*least).count() == *least && !text.is_empty(),
            Matcher::Max(most) => chars(text).nth(*most).is_none(),
        })
    }

    /// True if it is one of the characters of a matcher for one.
    fn takes(&self, c: char) -> bool {
        match self {
            Matcher::Single => !is_separator(c),
            Matcher::List { chars, not } => chars.contains(c) != *not,
            Matcher::Range { low, high, not } => (*low..=*high).contains(&c) != *not,
            _ => false,
        }
    }
}

/// True if the matchers match one after the other from the start of the text.
fn starts_with_row(
    matchers: &[Matcher],
    text: &[u8],
    budget: &mut Budget,
) -> Result<bool, BudgetExceeded> {
    let mut rest = text;
    for matcher in matchers {
        // Cut behind the first byte of the last character, not behind the character. For what matches nothing that
        // is the last one of the text.
        let last = match matcher.length() {
            None | Some(0) => chars(rest).last(),
            Some(length) => chars(rest).nth(length.saturating_sub(1)),
        };
        let Some(end) = last.map(|(start, _)| start.saturating_add(1)) else {
            return Ok(false);
        };
        let (Some(part), Some(after)) = (rest.get(..end), rest.get(end..)) else {
            return Ok(false);
        };
        if !matcher.matches(part, budget)? {
            return Ok(false);
        }
        rest = after;
    }
    Ok(true)
}

impl Tree {
    fn matches(&self, text: &[u8], budget: &mut Budget) -> Result<bool, BudgetExceeded> {
        let side = |side: &Option<Matcher>, text: &[u8], budget: &mut Budget| match side {
            Some(matcher) => matcher.matches(text, budget),
            None => Ok(text.is_empty()),
        };
        let length = |side: &Option<Matcher>| side.as_ref().map_or(Some(0), Matcher::length);
        let (left, right) = (length(&self.left), length(&self.right));
        if let (Some(left), Some(value), Some(right)) = (left, self.value.length(), right)
            && left.saturating_add(value).saturating_add(right) > text.len()
        {
            return Ok(false);
        }
        let mut from = left.unwrap_or_default();
        let Some(to) = text.len().checked_sub(right.unwrap_or_default()) else {
            return Ok(false);
        };
        while from < to {
            let part = text.get(from..to).unwrap_or_default();
            let Some((start, lengths)) = self.value.find(part, budget)? else {
                return Ok(false);
            };
            let start = from.saturating_add(start);
            if side(&self.left, text.get(..start).unwrap_or_default(), budget)? {
                for length in lengths.iter().rev() {
                    let rest = text
                        .get(start.saturating_add(*length)..)
                        .unwrap_or_default();
                    if side(&self.right, rest, budget)? {
                        return Ok(true);
                    }
                }
            }
            let (_, step) = first_char(text.get(start..).unwrap_or_default());
            from = start.saturating_add(step.max(1));
        }
        Ok(false)
    }
}
