//! What a matcher finds at the start of a text, with the rest of the text behind it.
//!
//! A tree looks for its value and asks the right side about what comes after. Where nothing stands before the value, only
//! what is found at the very start counts, and of each matcher that can be said exactly, though it is seldom all that the
//! glob says: `**.css` ends at the first `.css`, and `*` goes over slashes where a dot follows.

use super::super::ast::Node;
use super::super::charset::CharSet;
use super::super::glob::Matcher;
use super::from_glob::{anywhere, length, no_separator, repeat, text_of_any_length};

/// The texts that it finds there; `None` where that is not known.
///
/// The text must go to the end of the URL. One of no characters is not looked at.
pub(super) fn node(matcher: &Matcher) -> Option<Node> {
    let any = Node::Set(CharSet::default().complement());
    Some(Node::Concat(vec![ahead(any, false), found(matcher)?]))
}

// As deep as the tree, which the compiler and the decoder limit.
fn found(matcher: &Matcher) -> Option<Node> {
    Some(match matcher {
        Matcher::Any => up_to_a_separator(),
        Matcher::AnyOf(matchers) => {
            let nodes: Option<Vec<Node>> = matchers.iter().map(found).collect();
            Node::Alternate(nodes?)
        }
        // Matchers that take nothing are given the wrong part of the text.
        Matcher::Row(matchers) if matchers.iter().all(|matcher| length(matcher) > Some(0)) => {
            let nodes: Option<Vec<Node>> = matchers.iter().map(found).collect();
            Node::Concat(nodes?)
        }
        // A tree within another is never found.
        Matcher::Tree(_) => Node::Alternate(Vec::new()),
        Matcher::PrefixAny(text) => {
            Node::Concat(vec![Node::Text(text.clone()), up_to_a_separator()])
        }
        Matcher::Suffix(text) => first(text, CharSet::default().complement()),
        Matcher::SuffixAny(text) => first(text, no_separator()),
        Matcher::PrefixSuffix(prefix, suffix) if !overlaps_itself(suffix) => Node::Concat(vec![
            ahead(Node::Text(prefix.clone()), false),
            text_of_any_length(0, None),
            Node::Text(suffix.clone()),
        ]),
        Matcher::Without(text) => before(text, CharSet::default().complement()),
        Matcher::Row(_) | Matcher::PrefixSuffix(..) | Matcher::EveryOf(_) => return None,
        matcher => return anywhere(matcher),
    })
}

/// No slash, or no dot where one follows: dots are looked for first.
fn up_to_a_separator() -> Node {
    let no_dot = CharSet::of(&[('.', '.')]).complement();
    let dot = Node::Concat(vec![
        text_of_any_length(0, None),
        Node::Text(".".to_owned()),
    ]);
    Node::Alternate(vec![
        repeat(Node::Set(no_separator()), 0, None),
        Node::Concat(vec![repeat(Node::Set(no_dot), 0, None), ahead(dot, false)]),
    ])
}

/// Up to the end of the first such text, with nothing but these characters before it.
fn first(text: &str, of: CharSet) -> Node {
    Node::Concat(vec![before(text, of), Node::Text(text.to_owned())])
}

/// These characters, as long as no such text begins there.
fn before(text: &str, of: CharSet) -> Node {
    let none = ahead(Node::Text(text.to_owned()), true);
    repeat(Node::Concat(vec![none, Node::Set(of)]), 0, None)
}

fn ahead(node: Node, negated: bool) -> Node {
    Node::Look {
        behind: false,
        negated,
        node: Box::new(node),
    }
}

/// Whether two of it can share characters.
fn overlaps_itself(text: &str) -> bool {
    text.char_indices()
        .skip(1)
        .filter_map(|(at, _)| text.get(at..))
        .any(|end| text.starts_with(end))
}
