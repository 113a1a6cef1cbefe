//! The written form of a compiled glob: one string a matcher, children before their parents.

use std::fmt;

use super::{Glob, Matcher, Tree};

/// The most matchers of a glob.
pub(super) const MAX_MATCHERS: usize = 1000;

/// How deep they may be nested.
pub(super) const MAX_DEPTH: usize = 250;

impl TryFrom<Vec<String>> for Glob {
    type Error = BadGlob;

    fn try_from(texts: Vec<String>) -> Result<Glob, BadGlob> {
        let mut stack: Vec<(Matcher, usize)> = Vec::new();
        if texts.len() > MAX_MATCHERS {
            return Err(BadGlob);
        }
        for text in &texts {
            let matcher = decode(text, &mut stack).ok_or(BadGlob)?;
            stack.push(matcher);
        }
        match (stack.pop(), stack.is_empty()) {
            (Some((matcher, _)), true) => Ok(Glob(matcher)),
            _ => Err(BadGlob),
        }
    }
}

fn decode(text: &str, stack: &mut Vec<(Matcher, usize)>) -> Option<(Matcher, usize)> {
    let mut chars = text.chars();
    let code = chars.next()?;
    let rest = chars.as_str();
    let range = |not| {
        let mut ends = rest.chars();
        Some(Matcher::Range {
            low: ends.next()?,
            high: ends.next()?,
            not,
        })
    };
    let list = |not| Matcher::List {
        chars: rest.to_owned(),
        not,
    };
    let leaf = match code {
        '0' => Matcher::Nothing,
        '*' => Matcher::Any,
        '#' => Matcher::Super,
        '?' => Matcher::Single,
        '[' => list(false),
        ']' => list(true),
        '-' => range(false)?,
        '~' => range(true)?,
        '=' => Matcher::Text(rest.to_owned()),
        '!' => Matcher::Without(rest.to_owned()),
        'c' => Matcher::Contains(rest.to_owned()),
        '^' => Matcher::Prefix(rest.to_owned()),
        '$' => Matcher::Suffix(rest.to_owned()),
        'p' => Matcher::PrefixAny(rest.to_owned()),
        's' => Matcher::SuffixAny(rest.to_owned()),
        '>' => Matcher::Min(rest.parse().ok()?),
        '<' => Matcher::Max(rest.parse().ok()?),
        '&' => {
            let (length, texts) = rest.split_once(',')?;
            let (prefix, suffix) = texts.split_at_checked(length.parse().ok()?)?;
            Matcher::PrefixSuffix(prefix.to_owned(), suffix.to_owned()).checked()?
        }
        '{' | '(' | '+' => {
            let start = stack.len().checked_sub(rest.parse().ok()?)?;
            let children = stack.split_off(start);
            let depth = children
                .iter()
                .map(|(_, depth)| *depth)
                .max()
                .unwrap_or_default();
            let matchers = children.into_iter().map(|(matcher, _)| matcher).collect();
            let matcher = match code {
                '{' => Matcher::AnyOf(matchers),
                '(' => Matcher::Row(matchers),
                _ => Matcher::EveryOf(matchers),
            };
            return deeper(matcher, depth);
        }
        't' => {
            let mut side = |has: bool| -> Option<Option<(Matcher, usize)>> {
                if has {
                    stack.pop().map(Some)
                } else {
                    Some(None)
                }
            };
            let right = side(rest.contains('r'))?;
            let (value, depth) = side(true)??;
            let left = side(rest.contains('l'))?;
            let depth_of =
                |side: &Option<(Matcher, usize)>| side.as_ref().map_or(0, |(_, depth)| *depth);
            let depth = depth.max(depth_of(&left)).max(depth_of(&right));
            let tree = Tree {
                value,
                left: left.map(|(matcher, _)| matcher),
                right: right.map(|(matcher, _)| matcher),
            };
            return deeper(Matcher::Tree(Box::new(tree)), depth);
        }
        _ => return None,
    };
    Some((leaf, 0))
}

fn deeper(matcher: Matcher, depth: usize) -> Option<(Matcher, usize)> {
    (depth < MAX_DEPTH).then(|| (matcher, depth.saturating_add(1)))
}

impl Matcher {
    /// Refuses what the compiler never makes and the matcher would not get past: a suffix that is no text.
    fn checked(self) -> Option<Matcher> {
        match &self {
            Matcher::PrefixSuffix(_, suffix) if suffix.is_empty() => None,
            _ => Some(self),
        }
    }
}

impl From<Glob> for Vec<String> {
    fn from(glob: Glob) -> Vec<String> {
        let mut texts = Vec::new();
        encode(&glob.0, &mut texts);
        texts
    }
}

// As deep as the tree, which the compiler and the decoder limit.
fn encode(matcher: &Matcher, out: &mut Vec<String>) {
    let counted = |code: char, matchers: &[Matcher], out: &mut Vec<String>| {
        matchers.iter().for_each(|matcher| encode(matcher, out));
        format!("{code}{}", matchers.len())
    };
    let text = match matcher {
        Matcher::Nothing => "0".to_owned(),
        Matcher::Any => "*".to_owned(),
        Matcher::Super => "#".to_owned(),
        Matcher::Single => "?".to_owned(),
        Matcher::List { chars, not } => format!("{}{chars}", if *not { ']' } else { '[' }),
        Matcher::Range { low, high, not } => format!("{}{low}{high}", if *not { '~' } else { '-' }),
        Matcher::Text(text) => format!("={text}"),
        Matcher::Without(text) => format!("!{text}"),
        Matcher::Contains(text) => format!("c{text}"),
        Matcher::Prefix(text) => format!("^{text}"),
        Matcher::Suffix(text) => format!("${text}"),
        Matcher::PrefixAny(text) => format!("p{text}"),
        Matcher::SuffixAny(text) => format!("s{text}"),
        Matcher::Min(count) => format!(">{count}"),
        Matcher::Max(count) => format!("<{count}"),
        Matcher::PrefixSuffix(prefix, suffix) => format!("&{},{prefix}{suffix}", prefix.len()),
        Matcher::AnyOf(matchers) => counted('{', matchers, out),
        Matcher::Row(matchers) => counted('(', matchers, out),
        Matcher::EveryOf(matchers) => counted('+', matchers, out),
        Matcher::Tree(tree) => {
            let mut code = "t".to_owned();
            if let Some(left) = &tree.left {
                encode(left, out);
                code.push('l');
            }
            encode(&tree.value, out);
            if let Some(right) = &tree.right {
                encode(right, out);
                code.push('r');
            }
            code
        }
    };
    out.push(text);
}

/// A glob that no compiler wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct BadGlob;

impl fmt::Display for BadGlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the compiled glob is damaged; build the policy again")
    }
}
