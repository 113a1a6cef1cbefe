//! What a regular expression says, as a tree.

use super::charset::CharSet;
use super::instruction::Assertion;

/// A part of a regular expression.
#[derive(Clone, Debug)]
pub(super) enum Node {
    /// Matches nothing, everywhere.
    Empty,
    /// This text.
    Text(String),
    /// One character of a set.
    Set(CharSet),
    /// All of these, one after the other.
    Concat(Vec<Node>),
    /// One of these; earlier ones are preferred.
    Alternate(Vec<Node>),
    /// `min` to `max` times; as few as possible first if `lazy`.
    Repeat {
        node: Box<Node>,
        min: u32,
        max: Option<u32>,
        lazy: bool,
    },
    /// A capture group.
    Group(GroupId, Box<Node>),
    /// A group whose first match is final.
    Atomic(Box<Node>),
    /// A look-around.
    Look {
        behind: bool,
        negated: bool,
        node: Box<Node>,
    },
    /// What a group matched. `offset` is where the reference stands in the pattern.
    Reference {
        group: GroupId,
        fold: bool,
        offset: usize,
    },
    /// A condition on the position.
    Assert(Assertion),
}

/// A group as it is written. Named groups get their numbers once all unnamed ones are counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum GroupId {
    Number(u32),
    Name(String),
}

/// All capture groups of a pattern.
#[derive(Debug, Default)]
pub(super) struct Groups {
    unnamed: u32,
    names: Vec<String>,
}

impl Groups {
    /// The next unnamed group.
    pub(super) fn open_unnamed(&mut self) -> GroupId {
        self.unnamed = self.unnamed.saturating_add(1);
        GroupId::Number(self.unnamed)
    }

    /// A named group. A name may be used again: both places then fill the same group.
    pub(super) fn open_named(&mut self, name: String) -> GroupId {
        if !self.names.contains(&name) {
            self.names.push(name.clone());
        }
        GroupId::Name(name)
    }

    /// How many groups there are.
    pub(super) fn count(&self) -> usize {
        usize::try_from(self.unnamed)
            .unwrap_or(usize::MAX)
            .saturating_add(self.names.len())
    }

    /// The final number of a group, if there is such a group.
    pub(super) fn number(&self, id: &GroupId) -> Option<usize> {
        let unnamed = usize::try_from(self.unnamed).ok()?;
        match id {
            GroupId::Number(number) => {
                let number = usize::try_from(*number).ok()?;
                let last = unnamed.saturating_add(self.names.len());
                (1..=last).contains(&number).then_some(number)
            }
            GroupId::Name(name) => {
                let index = self.names.iter().position(|known| known == name)?;
                Some(unnamed.saturating_add(index).saturating_add(1))
            }
        }
    }
}

impl Node {
    /// The first reference that `test` holds for.
    pub(super) fn find_reference(&self, test: &impl Fn(&GroupId) -> bool) -> Option<&GroupId> {
        match self {
            Node::Reference { group, .. } => test(group).then_some(group),
            Node::Concat(nodes) | Node::Alternate(nodes) => {
                nodes.iter().find_map(|node| node.find_reference(test))
            }
            Node::Repeat { node, .. }
            | Node::Group(_, node)
            | Node::Atomic(node)
            | Node::Look { node, .. } => node.find_reference(test),
            Node::Empty | Node::Text(_) | Node::Set(_) | Node::Assert(_) => None,
        }
    }

    /// True if the node can match without eating anything. May err on the side of true.
    pub(super) fn may_be_empty(&self) -> bool {
        match self {
            Node::Text(text) => text.is_empty(),
            Node::Set(_) => false,
            Node::Concat(nodes) => nodes.iter().all(Node::may_be_empty),
            Node::Alternate(nodes) => nodes.iter().any(Node::may_be_empty),
            Node::Repeat { node, min, .. } => *min == 0 || node.may_be_empty(),
            Node::Group(_, node) | Node::Atomic(node) => node.may_be_empty(),
            Node::Empty | Node::Look { .. } | Node::Reference { .. } | Node::Assert(_) => true,
        }
    }

    /// True if the node can eat a text that contains `c`. May err on the side of true.
    pub(super) fn may_eat(&self, c: char) -> bool {
        match self {
            Node::Text(text) => text.contains(c),
            Node::Set(set) => set.contains(c),
            Node::Concat(nodes) | Node::Alternate(nodes) => {
                nodes.iter().any(|node| node.may_eat(c))
            }
            Node::Repeat { node, .. } | Node::Group(_, node) | Node::Atomic(node) => {
                node.may_eat(c)
            }
            // What the group matched may come from another part of the pattern.
            Node::Reference { .. } => true,
            Node::Empty | Node::Look { .. } | Node::Assert(_) => false,
        }
    }
}
