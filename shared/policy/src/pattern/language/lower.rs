//! Makes the net of a parsed pattern.
//!
//! Greedy or lazy is the same here: what counts is which texts match, not how. What cannot be said exactly, as a
//! back-reference, is said too widely, and the net knows that it is not exact.

use super::super::ast::Node;
use super::super::charset::CharSet;
use super::super::instruction::Assertion;
use super::super::syntax::Piece;
use super::net::{ANYTHING, END, Net, Step, TooLarge, Tracker};
use super::symbols::Symbols;

/// The net of a pattern of the `regexp` strategy.
pub(super) fn pieces(pieces: &[Piece]) -> Result<Net, TooLarge> {
    let mut net = Net::new();
    let mut next = END;
    for piece in pieces.iter().rev() {
        next = match piece {
            Piece::Text(text) => net.text(text, next)?,
            Piece::Regex(node) => net.lower(node, next)?,
        };
    }
    net.start = next;
    Ok(net)
}

/// The net of one expression, which may match more than it should if it is not exact.
pub(super) fn node(node: &Node, exact: bool) -> Result<Net, TooLarge> {
    let mut net = Net::new();
    net.start = net.lower(node, END)?;
    net.exact &= exact;
    Ok(net)
}

impl Net {
    fn text(&mut self, text: &str, next: usize) -> Result<usize, TooLarge> {
        text.chars().rev().try_fold(next, |next, c| {
            self.add(Step::Eat(Symbols::single(c), next))
        })
    }

    // As deep as the groups of the pattern, which the parser limits.
    fn lower(&mut self, node: &Node, next: usize) -> Result<usize, TooLarge> {
        match node {
            Node::Empty => Ok(next),
            Node::Text(text) => self.text(text, next),
            Node::Set(set) => self.add(Step::Eat(Symbols::of(set), next)),
            Node::Concat(nodes) => nodes
                .iter()
                .rev()
                .try_fold(next, |next, node| self.lower(node, next)),
            Node::Alternate(nodes) => {
                let entries: Result<Vec<usize>, TooLarge> =
                    nodes.iter().map(|node| self.lower(node, next)).collect();
                self.add(Step::Fork(entries?))
            }
            Node::Repeat { node, min, max, .. } => self.repeat(node, *min, *max, next),
            Node::Group(_, node) => self.lower(node, next),
            Node::Atomic(node) => {
                self.exact = false;
                self.lower(node, next)
            }
            Node::Look {
                behind: false,
                negated,
                node,
            } => {
                // A text that what is said too widely rules out may be one that the pattern matches.
                if *negated && !is_exact(node) {
                    self.exact = false;
                    return Ok(next);
                }
                let inner = self.lower(node, ANYTHING)?;
                self.add(Step::Ahead {
                    negated: *negated,
                    inner,
                    next,
                })
            }
            Node::Look {
                behind: true,
                negated,
                node,
            } => {
                if !is_trackable(node) {
                    self.exact = false;
                    return Ok(next);
                }
                let end = self.add(Step::End)?;
                let start = self.lower(node, end)?;
                let tracker = self.trackers.len();
                self.trackers.push(Tracker { start, end });
                self.add(Step::Behind {
                    negated: *negated,
                    tracker,
                    next,
                })
            }
            Node::Reference { .. } => {
                self.exact = false;
                let any = Node::Set(CharSet::default().complement());
                self.repeat(&any, 0, None, next)
            }
            Node::Assert(assertion) => {
                let set = match assertion {
                    Assertion::TextStart | Assertion::TextEnd => Symbols::default(),
                    Assertion::LineStart | Assertion::LineEnd => {
                        self.lines = true;
                        Symbols::single('\n')
                    }
                    Assertion::WordBoundary | Assertion::NoWordBoundary => {
                        self.words = true;
                        word()
                    }
                };
                let probe = self.add(Step::Eat(set, ANYTHING))?;
                self.add(Step::Condition {
                    assertion: *assertion,
                    probe,
                    next,
                })
            }
        }
    }

    fn repeat(
        &mut self,
        node: &Node,
        min: u32,
        max: Option<u32>,
        next: usize,
    ) -> Result<usize, TooLarge> {
        let mut entry = next;
        match max {
            None => {
                entry = self.add(Step::Fork(Vec::new()))?;
                let body = self.lower(node, entry)?;
                self.replace(entry, Step::Fork(vec![body, next]));
            }
            Some(max) => {
                for _ in min..max {
                    let body = self.lower(node, entry)?;
                    entry = self.add(Step::Fork(vec![body, next]))?;
                }
            }
        }
        for _ in 0..min {
            let before = self.len();
            entry = self.lower(node, entry)?;
            if self.len() == before {
                // It comes to nothing, however often.
                break;
            }
        }
        Ok(entry)
    }
}

/// What is part of a word.
pub(super) fn word() -> Symbols {
    CharSet::perl('w', false)
        .map(|set| Symbols::of(&set))
        .unwrap_or_default()
}

fn is_exact(node: &Node) -> bool {
    match node {
        Node::Reference { .. } | Node::Atomic(_) => false,
        Node::Look {
            behind: true, node, ..
        } => is_trackable(node),
        Node::Concat(nodes) | Node::Alternate(nodes) => nodes.iter().all(is_exact),
        Node::Repeat { node, .. } | Node::Group(_, node) | Node::Look { node, .. } => {
            is_exact(node)
        }
        Node::Empty | Node::Text(_) | Node::Set(_) | Node::Assert(_) => true,
    }
}

/// Whether it can be told from the text so far that this ends here.
fn is_trackable(node: &Node) -> bool {
    match node {
        Node::Concat(nodes) | Node::Alternate(nodes) => nodes.iter().all(is_trackable),
        Node::Repeat { node, .. } | Node::Group(_, node) => is_trackable(node),
        Node::Empty | Node::Text(_) | Node::Set(_) | Node::Assert(Assertion::TextStart) => true,
        Node::Reference { .. } | Node::Atomic(_) | Node::Look { .. } | Node::Assert(_) => false,
    }
}
