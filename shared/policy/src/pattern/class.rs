//! A set of characters, as a program carries it.

/// A set of characters: ranges, ascending and apart, or all others.
///
/// Written as the first and last character of each range, one after the other; `^` before them means all others.
/// The number of characters tells the two apart: it is odd only with `^`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Class {
    negated: bool,
    ranges: Vec<(char, char)>,
}

impl Class {
    #[cfg(feature = "compile")]
    pub(super) fn new(negated: bool, ranges: Vec<(char, char)>) -> Class {
        Class { negated, ranges }
    }

    /// How many ranges it carries.
    pub(super) fn size(&self) -> usize {
        self.ranges.len()
    }

    /// True if `c` is one of the set.
    pub(super) fn contains(&self, c: char) -> bool {
        use std::cmp::Ordering::{Equal, Greater, Less};
        let found = self.ranges.binary_search_by(|&(first, last)| match () {
            () if last < c => Less,
            () if first > c => Greater,
            () => Equal,
        });
        found.is_ok() != self.negated
    }

    /// Reads the written form. Every text is a class: an odd last character is ignored.
    pub(super) fn decode(text: &str) -> Class {
        let negated = text.chars().count() & 1 == 1;
        let mut chars = text.chars();
        if negated {
            chars.next();
        }
        let mut ranges = Vec::new();
        while let (Some(first), Some(last)) = (chars.next(), chars.next()) {
            ranges.push((first, last));
        }
        Class { negated, ranges }
    }

    /// Appends the written form.
    pub(super) fn encode(&self, out: &mut String) {
        if self.negated {
            out.push('^');
        }
        for &(first, last) in &self.ranges {
            out.push(first);
            out.push(last);
        }
    }
}
