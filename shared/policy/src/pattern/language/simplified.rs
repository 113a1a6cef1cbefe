//! Patterns as regexp2, Oathkeeper's engine, simplifies them before it matches: some that could be shared in many ways no
//! longer can, and some whose repetitions have a bound are looked at as if they had none.
//!
//! What was simplified takes other steps than the pattern, and matches at least the same.

use super::super::ast::Node;
use super::super::charset::CharSet;
use super::super::syntax::Piece;
use super::super::{Pattern, compile};
use super::lower;
use super::net::Net;

/// Repetitions of fewer times are never looked at as if they had no bound: they cannot double the work often enough.
const MANY: u32 = 10;

/// The pattern as regexp2 runs it, and its net.
pub(super) fn by_the_engine(pattern: &Pattern, strict: bool) -> Option<(Pattern, Net)> {
    let (pieces, groups, _) = compile::parsed(pattern.source(), strict).ok()?;
    let pieces = each(pieces, &simplified);
    let program = compile::program(&pieces, &groups).ok()?;
    let net = lower::pieces(&pieces).ok()?;
    let pattern = Pattern {
        program,
        ..pattern.clone()
    };
    Some((pattern, net))
}

/// The net of a pattern whose repetitions of many times go on for ever; nothing where there are none.
pub(super) fn without_bounds(pattern: &Pattern, strict: bool) -> Option<Net> {
    if !pattern.source().contains('{') {
        return None;
    }
    let (pieces, ..) = compile::parsed(pattern.source(), strict).ok()?;
    lower::pieces(&each(pieces, &unbounded)).ok()
}

fn each(pieces: Vec<Piece>, change: &impl Fn(Node) -> Node) -> Vec<Piece> {
    let pieces = pieces.into_iter().map(|piece| match piece {
        Piece::Regex(node) => Piece::Regex(change(node)),
        text @ Piece::Text(_) => text,
    });
    pieces.collect()
}

// As deep as the groups of the pattern, which the parser limits.
fn simplified(node: Node) -> Node {
    match inside(node, &simplified) {
        Node::Concat(nodes) => one_or(nodes, Node::Concat),
        Node::Alternate(nodes) => alternatives(nodes),
        Node::Repeat {
            node,
            min,
            max,
            lazy,
        } => repeated(*node, min, max, lazy),
        node => node,
    }
}

fn unbounded(node: Node) -> Node {
    match inside(node, &unbounded) {
        Node::Repeat {
            node,
            min,
            max: Some(max),
            lazy,
        } if max >= MANY => Node::Repeat {
            node,
            min: min.min(1),
            max: None,
            lazy,
        },
        node => node,
    }
}

/// The same with what is inside changed.
fn inside(node: Node, change: &impl Fn(Node) -> Node) -> Node {
    let boxed = |node: Box<Node>| Box::new(change(*node));
    let all = |nodes: Vec<Node>| nodes.into_iter().map(change).collect();
    match node {
        Node::Concat(nodes) => Node::Concat(all(nodes)),
        Node::Alternate(nodes) => Node::Alternate(all(nodes)),
        Node::Repeat {
            node,
            min,
            max,
            lazy,
        } => Node::Repeat {
            node: boxed(node),
            min,
            max,
            lazy,
        },
        Node::Group(id, node) => Node::Group(id, boxed(node)),
        Node::Atomic(node) => Node::Atomic(boxed(node)),
        Node::Look {
            behind,
            negated,
            node,
        } => Node::Look {
            behind,
            negated,
            node: boxed(node),
        },
        node => node,
    }
}

/// Alternatives of one character each, side by side, become a set: `a|b` is `[ab]`.
fn alternatives(nodes: Vec<Node>) -> Node {
    let flat = nodes.into_iter().flat_map(|node| match node {
        Node::Alternate(nodes) => nodes,
        node => vec![node],
    });
    let mut merged: Vec<Node> = Vec::new();
    for node in flat {
        let both = merged.last().and_then(character).zip(character(&node));
        match both {
            Some((mut set, other)) => {
                set.add_all(&other);
                merged.pop();
                merged.push(Node::Set(set));
            }
            None => merged.push(node),
        }
    }
    one_or(merged, Node::Alternate)
}

/// The set that a node is one character of. Sets that say what is not in them stay apart.
fn character(node: &Node) -> Option<CharSet> {
    match node {
        Node::Set(set) if !set.contains(char::MAX) => Some(set.clone()),
        Node::Text(text) => {
            let mut chars = text.chars();
            let first = chars.next()?;
            chars.next().is_none().then(|| CharSet::single(first))
        }
        _ => None,
    }
}

/// A repetition of nothing but a repetition of its kind becomes one: `(?:a+)*` is `a*`.
fn repeated(node: Node, min: u32, max: Option<u32>, lazy: bool) -> Node {
    if (min, max) == (1, Some(1)) {
        return node;
    }
    match node {
        Node::Repeat {
            node: inner,
            min: least,
            max: most,
            lazy: same,
        } if same == lazy
            && !(min == 0 && least > 1)
            && most.is_none_or(|most| most >= least.saturating_mul(2)) =>
        {
            Node::Repeat {
                node: inner,
                min: least.saturating_mul(min),
                max: most.zip(max).map(|(most, max)| most.saturating_mul(max)),
                lazy,
            }
        }
        node => Node::Repeat {
            node: Box::new(node),
            min,
            max,
            lazy,
        },
    }
}

fn one_or(mut nodes: Vec<Node>, many: impl Fn(Vec<Node>) -> Node) -> Node {
    match nodes.len() {
        1 => nodes.pop().unwrap_or(Node::Empty),
        _ => many(nodes),
    }
}
