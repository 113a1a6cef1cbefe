//! Hosts that a dot without a backslash opens: `<.*.example.com>` matches `evilexample.com`.

use super::super::ast::Node;
use super::super::charset::CharSet;
use super::super::syntax::Piece;
use super::super::{Pattern, compile};
use super::automaton::Automaton;
use super::{Answer, Language, Requests, lower};

/// Where in the URL a part of the pattern is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Region {
    /// So many characters of `://` were read.
    Scheme(usize),
    Host,
    Path,
}

/// Copies a pattern with its dots in the host replaced.
struct Copier {
    region: Region,
    /// How many dots there were so far.
    dots: usize,
    /// The one that is read as a letter; all others as a dot.
    letter: Option<usize>,
}

impl Requests {
    /// A URL of a host that the pattern matches only because a dot in it stands for any character.
    pub(crate) fn wide_host(
        &mut self,
        pattern: &Pattern,
        strict: bool,
        confirm: &mut dyn FnMut(&str) -> bool,
    ) -> Option<String> {
        if pattern.glob.is_some() || pattern.host().is_some() {
            return None;
        }
        let (pieces, ..) = compile::parsed(pattern.source(), strict).ok()?;
        let (meant, dots) = copy(&pieces, None)?;
        for dot in 0..dots {
            let (mut wide, _) = copy(&pieces, Some(dot))?;
            let mut meant = Language(Automaton::new(meant.0.net().clone()));
            if !(wide.is_exact() && meant.is_exact()) {
                return None;
            }
            let starts = [String::new()];
            let (answer, _) = self.find(vec![&mut wide], vec![&mut meant], &starts, confirm);
            if let Answer::Url(url) = answer {
                return Some(url);
            }
        }
        None
    }
}

fn copy(pieces: &[Piece], letter: Option<usize>) -> Option<(Language, usize)> {
    let mut copier = Copier {
        region: Region::Scheme(0),
        dots: 0,
        letter,
    };
    let mut copies = Vec::new();
    for piece in pieces {
        copies.push(match piece {
            Piece::Text(text) => {
                copier.pass(text);
                Piece::Text(text.clone())
            }
            Piece::Regex(node) => Piece::Regex(copier.node(node, false)),
        });
    }
    let net = lower::pieces(&copies).ok()?;
    Some((Language(Automaton::new(net)), copier.dots))
}

impl Copier {
    fn pass(&mut self, text: &str) {
        for c in text.chars() {
            self.region = match (self.region, c) {
                (Region::Scheme(0), ':') => Region::Scheme(1),
                (Region::Scheme(1), '/') => Region::Scheme(2),
                (Region::Scheme(2), '/') => Region::Host,
                (Region::Scheme(_), _) => Region::Scheme(0),
                (Region::Host, '/') => Region::Path,
                (region, _) => region,
            };
        }
    }

    // As deep as the groups of the pattern, which the parser limits.
    fn node(&mut self, node: &Node, repeated: bool) -> Node {
        match node {
            Node::Text(text) => {
                self.pass(text);
                node.clone()
            }
            Node::Concat(nodes) => {
                let mut copies = Vec::new();
                for (at, node) in nodes.iter().enumerate() {
                    let next = nodes.get(at.saturating_add(1));
                    copies.push(match node {
                        Node::Set(set) if self.is_meant_as_dot(set, at, next, repeated) => {
                            self.dot()
                        }
                        node => self.node(node, false),
                    });
                }
                Node::Concat(copies)
            }
            Node::Alternate(nodes) => {
                let region = self.region;
                let copies = nodes.iter().map(|node| {
                    self.region = region;
                    self.node(node, repeated)
                });
                Node::Alternate(copies.collect())
            }
            Node::Repeat {
                node,
                min,
                max,
                lazy,
            } => Node::Repeat {
                node: Box::new(self.node(node, true)),
                min: *min,
                max: *max,
                lazy: *lazy,
            },
            Node::Group(id, node) => Node::Group(id.clone(), Box::new(self.node(node, repeated))),
            Node::Atomic(node) => Node::Atomic(Box::new(self.node(node, repeated))),
            // What a look-around says is not where the host is.
            Node::Look { .. }
            | Node::Empty
            | Node::Set(_)
            | Node::Reference { .. }
            | Node::Assert(_) => node.clone(),
        }
    }

    /// Whether a `.` stands between labels: in front of one, or at the end of something repeated that is one.
    fn is_meant_as_dot(
        &self,
        set: &CharSet,
        at: usize,
        next: Option<&Node>,
        repeated: bool,
    ) -> bool {
        let any = *set == CharSet::dot() || *set == CharSet::default().complement();
        let label = match next {
            Some(Node::Text(text)) => text.starts_with(|c: char| c.is_ascii_alphanumeric()),
            Some(_) => false,
            None => repeated && at > 0,
        };
        any && label && self.region == Region::Host
    }

    fn dot(&mut self) -> Node {
        let number = self.dots;
        self.dots = self.dots.saturating_add(1);
        Node::Set(match self.letter {
            Some(letter) if letter == number => CharSet::of(&[('a', 'z')]),
            _ => CharSet::single('.'),
        })
    }
}
