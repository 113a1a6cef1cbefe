//! Makes the net of a glob from the tree that it is matched with, so that it says what the tree decides.
//!
//! Some trees do not match what their glob says; where that cannot be said as an expression, it is said too widely. Texts
//! are characters here and bytes there, which makes a difference only for URLs that are not ASCII.

use super::super::ast::Node;
use super::super::charset::CharSet;
use super::super::glob::{Glob, Matcher, Tree};
use super::net::{Net, TooLarge};
use super::{from_glob_front, lower};

/// The net of a pattern of the `glob` strategy.
pub(super) fn net(glob: &Glob) -> Result<Net, TooLarge> {
    let mut reader = Reader {
        exact: true,
        at_end: true,
    };
    let node = reader.whole(&glob.0);
    let mut net = lower::node(&node, reader.exact)?;
    net.is_glob = true;
    Ok(net)
}

struct Reader {
    exact: bool,
    /// Whether what is read goes to the end of the URL, so that a look-ahead sees what the matcher sees.
    at_end: bool,
}

impl Reader {
    /// What a matcher matches when it is given a text of its own.
    // As deep as the tree, which the compiler and the decoder limit.
    fn whole(&mut self, matcher: &Matcher) -> Node {
        match matcher {
            Matcher::Any => repeat(Node::Set(no_separator()), 0, None),
            // A text of no characters passes for one that is not listed.
            Matcher::Single
            | Matcher::List { not: true, .. }
            | Matcher::Range { not: true, .. } => repeat(self.piece(matcher), 0, Some(1)),
            Matcher::List { .. } | Matcher::Range { .. } | Matcher::Text(_) | Matcher::Row(_) => {
                self.piece(matcher)
            }
            Matcher::AnyOf(matchers) => {
                Node::Alternate(matchers.iter().map(|matcher| self.whole(matcher)).collect())
            }
            Matcher::Tree(tree) => self.tree(tree),
            Matcher::Suffix(text) => {
                Node::Concat(vec![text_of_any_length(0, None), Node::Text(text.clone())])
            }
            Matcher::PrefixSuffix(prefix, suffix) => prefix_and_suffix(prefix, suffix),
            Matcher::PrefixAny(text) => {
                Node::Concat(vec![Node::Text(text.clone()), self.whole(&Matcher::Any)])
            }
            Matcher::SuffixAny(text) => {
                Node::Concat(vec![self.whole(&Matcher::Any), Node::Text(text.clone())])
            }
            Matcher::Nothing
            | Matcher::Super
            | Matcher::Contains(_)
            | Matcher::Prefix(_)
            | Matcher::Min(_)
            | Matcher::Max(_)
            | Matcher::EveryOf(_)
            | Matcher::Without(_) => anywhere(matcher).unwrap_or_else(|| self.anything()),
        }
    }

    /// What it matches where its length is known and cut out for it.
    fn piece(&mut self, matcher: &Matcher) -> Node {
        match matcher {
            Matcher::Row(matchers) => {
                self.exact &= matchers.iter().all(|matcher| length(matcher) > Some(0));
                Node::Concat(matchers.iter().map(|matcher| self.piece(matcher)).collect())
            }
            Matcher::AnyOf(matchers) => {
                let lengths: Vec<Option<usize>> = matchers.iter().map(length).collect();
                self.exact &= lengths.windows(2).all(|pair| pair.first() == pair.last());
                Node::Alternate(matchers.iter().map(|matcher| self.piece(matcher)).collect())
            }
            matcher => anywhere(matcher).unwrap_or_else(|| self.whole(matcher)),
        }
    }

    fn tree(&mut self, tree: &Tree) -> Node {
        let known = |side: &Option<Matcher>| side.as_ref().is_none_or(is_honest);
        self.exact &= known(&tree.left) && known(&tree.right);
        if let Some(right) = &tree.right
            && tree.left.is_none()
            && self.at_end
            && length(right).is_none()
            && let Some(value) = from_glob_front::node(&tree.value)
        {
            return Node::Concat(vec![value, self.whole(right)]);
        }
        let value = match &tree.value {
            Matcher::AnyOf(matchers) => {
                let texts = matchers
                    .iter()
                    .all(|matcher| matches!(matcher, Matcher::Text(_)));
                if texts && (tree.left.is_none() || is_honest(&tree.value)) {
                    self.whole(&tree.value)
                } else {
                    self.anything()
                }
            }
            Matcher::Text(_)
            | Matcher::Single
            | Matcher::List { .. }
            | Matcher::Range { .. }
            | Matcher::Row(_) => self.piece(&tree.value),
            // How far these go depends on what stands behind them.
            _ => self.anything(),
        };
        let mut nodes = Vec::new();
        let at_end = std::mem::replace(&mut self.at_end, false);
        nodes.extend(tree.left.as_ref().map(|left| self.whole(left)));
        self.at_end = at_end;
        nodes.push(value);
        nodes.extend(tree.right.as_ref().map(|right| self.whole(right)));
        Node::Concat(nodes)
    }

    fn anything(&mut self) -> Node {
        self.exact = false;
        text_of_any_length(0, None)
    }
}

/// Whether the length that the original takes a matcher to have is that of all it matches.
fn is_honest(matcher: &Matcher) -> bool {
    match matcher {
        Matcher::AnyOf(matchers) => {
            let mut lengths = matchers.iter().map(length);
            let first = lengths.next().flatten();
            // One without a length before others that have one is spoken for by them.
            let mixed = matchers.iter().any(|matcher| length(matcher).is_none())
                && matchers.iter().any(|matcher| length(matcher).is_some());
            let same = lengths.all(|length| length == first);
            matchers.iter().all(is_honest) && (!mixed || same)
        }
        // A text of no characters passes too.
        Matcher::Single | Matcher::List { not: true, .. } | Matcher::Range { not: true, .. } => {
            false
        }
        Matcher::Tree(tree) => {
            let sides = [&tree.left, &tree.right];
            is_honest(&tree.value) && sides.into_iter().flatten().all(is_honest)
        }
        _ => true,
    }
}

/// What a matcher matches that is the same wherever it stands; `None` for all others.
pub(super) fn anywhere(matcher: &Matcher) -> Option<Node> {
    Some(match matcher {
        Matcher::Nothing => Node::Empty,
        Matcher::Super => text_of_any_length(0, None),
        Matcher::Single => Node::Set(no_separator()),
        Matcher::List { chars, not } => {
            let ranges: Vec<(char, char)> = chars.chars().map(|c| (c, c)).collect();
            Node::Set(either(CharSet::of(&ranges), *not))
        }
        Matcher::Range { low, high, not } => Node::Set(either(CharSet::of(&[(*low, *high)]), *not)),
        Matcher::Text(text) => Node::Text(text.clone()),
        Matcher::Contains(text) => Node::Concat(vec![
            text_of_any_length(0, None),
            Node::Text(text.clone()),
            text_of_any_length(0, None),
        ]),
        Matcher::Prefix(text) => {
            Node::Concat(vec![Node::Text(text.clone()), text_of_any_length(0, None)])
        }
        Matcher::Min(least) => {
            text_of_any_length(u32::try_from(*least).unwrap_or(u32::MAX).max(1), None)
        }
        Matcher::Max(most) => text_of_any_length(0, Some(u32::try_from(*most).unwrap_or(u32::MAX))),
        _ => return None,
    })
}

/// How many characters it matches, where that is always the same.
pub(super) fn length(matcher: &Matcher) -> Option<usize> {
    match matcher {
        Matcher::Nothing => Some(0),
        Matcher::Single | Matcher::List { .. } | Matcher::Range { .. } => Some(1),
        Matcher::Text(text) => Some(text.chars().count()),
        Matcher::Row(matchers) => matchers.iter().try_fold(0_usize, |sum, matcher| {
            Some(sum.saturating_add(length(matcher)?))
        }),
        Matcher::AnyOf(matchers) => {
            let mut lengths = matchers.iter().map(length);
            let first = lengths.next()??;
            lengths.all(|length| length == Some(first)).then_some(first)
        }
        _ => None,
    }
}

/// Both may be the same characters.
fn prefix_and_suffix(prefix: &str, suffix: &str) -> Node {
    let apart = vec![
        Node::Text(prefix.to_owned()),
        text_of_any_length(0, None),
        Node::Text(suffix.to_owned()),
    ];
    let mut nodes = vec![Node::Concat(apart)];
    for (at, c) in suffix.char_indices() {
        let Some((shared, rest)) = suffix.split_at_checked(at.saturating_add(c.len_utf8())) else {
            continue;
        };
        if prefix.ends_with(shared) {
            nodes.push(Node::Text(format!("{prefix}{rest}")));
        }
    }
    Node::Alternate(nodes)
}

pub(super) fn no_separator() -> CharSet {
    CharSet::of(&[('.', '/')]).complement()
}

fn either(set: CharSet, not: bool) -> CharSet {
    if not { set.complement() } else { set }
}

pub(super) fn text_of_any_length(min: u32, max: Option<u32>) -> Node {
    repeat(Node::Set(CharSet::default().complement()), min, max)
}

pub(super) fn repeat(node: Node, min: u32, max: Option<u32>) -> Node {
    Node::Repeat {
        node: Box::new(node),
        min,
        max,
        lazy: false,
    }
}
