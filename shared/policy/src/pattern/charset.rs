//! Sets of characters while a pattern is compiled: union, complement, difference, case.

use std::sync::OnceLock;

use edgekeeper_template::letter_case;

use super::class::Class;

/// A set of characters as ranges, ascending and apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct CharSet {
    ranges: Vec<(char, char)>,
}

impl CharSet {
    pub(super) fn of(ranges: &[(char, char)]) -> CharSet {
        let mut set = CharSet::default();
        for &(first, last) in ranges {
            set.add(first, last);
        }
        set
    }

    pub(super) fn single(c: char) -> CharSet {
        CharSet {
            ranges: vec![(c, c)],
        }
    }

    /// `.`: everything but a line feed.
    pub(super) fn dot() -> CharSet {
        CharSet::single('\n').complement()
    }

    /// The set that a letter after a backslash means; a capital letter means all others.
    ///
    /// By default as in RE2, which knows ASCII only; `strict` gives what the engine has instead.
    pub(super) fn perl(letter: char, strict: bool) -> Option<CharSet> {
        let set = match letter.to_ascii_lowercase() {
            'd' if strict => CharSet::digit().clone(),
            'w' if strict => CharSet::word().clone(),
            's' if strict => CharSet::unicode("White_Space")?,
            'd' => CharSet::of(&[('0', '9')]),
            'w' => CharSet::of(&[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')]),
            's' => CharSet::of(&[('\t', '\n'), ('\u{c}', '\r'), (' ', ' ')]),
            _ => return None,
        };
        Some(if letter.is_ascii_uppercase() {
            set.complement()
        } else {
            set
        })
    }

    /// What the engine takes for a part of a word.
    pub(super) fn word() -> &'static CharSet {
        static WORD: OnceLock<CharSet> = OnceLock::new();
        WORD.get_or_init(|| {
            let mut set = CharSet::of(&[('\u{200c}', '\u{200d}')]);
            for name in ["L", "Mn", "Nd", "Pc"] {
                set.add_all(&CharSet::unicode(name).unwrap_or_default());
            }
            set
        })
    }

    fn digit() -> &'static CharSet {
        static DIGIT: OnceLock<CharSet> = OnceLock::new();
        DIGIT.get_or_init(|| CharSet::unicode("Nd").unwrap_or_default())
    }

    /// The set of a POSIX name, as in `[[:alpha:]]`.
    pub(super) fn posix(name: &str) -> Option<CharSet> {
        let ranges: &[(char, char)] = match name {
            "alnum" => &[('0', '9'), ('A', 'Z'), ('a', 'z')],
            "alpha" => &[('A', 'Z'), ('a', 'z')],
            "ascii" => &[('\0', '\u{7f}')],
            "blank" => &[('\t', '\t'), (' ', ' ')],
            "cntrl" => &[('\0', '\u{1f}'), ('\u{7f}', '\u{7f}')],
            "digit" => &[('0', '9')],
            "graph" => &[('!', '~')],
            "lower" => &[('a', 'z')],
            "print" => &[(' ', '~')],
            "punct" => &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
            "space" => &[('\t', '\r'), (' ', ' ')],
            "upper" => &[('A', 'Z')],
            "word" => &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')],
            "xdigit" => &[('0', '9'), ('A', 'F'), ('a', 'f')],
            _ => return None,
        };
        Some(CharSet::of(ranges))
    }

    /// The characters with a Unicode property: a general category (`L`, `Lu`) or a script (`Greek`).
    pub(super) fn unicode(name: &str) -> Option<CharSet> {
        let hir = regex_syntax::parse(&format!("\\p{{{name}}}")).ok()?;
        let regex_syntax::hir::HirKind::Class(regex_syntax::hir::Class::Unicode(class)) =
            hir.kind()
        else {
            return None;
        };
        let ranges: Vec<_> = class
            .ranges()
            .iter()
            .map(|range| (range.start(), range.end()))
            .collect();
        Some(CharSet { ranges })
    }

    /// The first and last character of each range, ascending.
    pub(super) fn ranges(&self) -> &[(char, char)] {
        &self.ranges
    }

    pub(super) fn contains(&self, c: char) -> bool {
        let after = self.ranges.partition_point(|&(first, _)| first <= c);
        self.ranges
            .get(after.wrapping_sub(1))
            .is_some_and(|&(_, last)| c <= last)
    }

    /// The one character of a set that has just one.
    pub(super) fn only(&self) -> Option<char> {
        match self.ranges.as_slice() {
            &[(first, last)] if first == last => Some(first),
            _ => None,
        }
    }

    pub(super) fn add(&mut self, first: char, last: char) {
        let mut first = first;
        let mut last = last;
        self.ranges.retain(|&(low, high)| {
            let apart = after(high).is_some_and(|next| next < first)
                || after(last).is_some_and(|next| next < low);
            if !apart {
                first = first.min(low);
                last = last.max(high);
            }
            apart
        });
        let index = self.ranges.partition_point(|&(low, _)| low < first);
        self.ranges.insert(index, (first, last));
    }

    pub(super) fn add_all(&mut self, other: &CharSet) {
        self.add_ranges(other.ranges.iter().copied());
    }

    fn add_ranges(&mut self, others: impl Iterator<Item = (char, char)>) {
        let mut ranges = std::mem::take(&mut self.ranges);
        ranges.extend(others);
        ranges.sort_unstable();
        for (first, last) in ranges {
            match self.ranges.last_mut() {
                Some((_, end)) if after(*end).is_none_or(|next| first <= next) => {
                    *end = last.max(*end);
                }
                _ => self.ranges.push((first, last)),
            }
        }
    }

    #[must_use]
    pub(super) fn complement(&self) -> CharSet {
        let mut ranges = Vec::new();
        let mut next = Some('\0');
        for &(first, last) in &self.ranges {
            if let (Some(start), Some(end)) = (next, before(first))
                && start <= end
            {
                ranges.push((start, end));
            }
            next = after(last);
        }
        if let Some(start) = next {
            ranges.push((start, char::MAX));
        }
        CharSet { ranges }
    }

    /// What is in this set and not in the other.
    #[must_use]
    pub(super) fn without(&self, other: &CharSet) -> CharSet {
        let mut kept = self.complement();
        kept.add_all(other);
        kept.complement()
    }

    /// The set under `(?i)`: every character whose lower case is in the set or is the lower case of one that is.
    #[must_use]
    pub(super) fn fold(&self) -> CharSet {
        let pairs = lower_case_pairs().iter();
        let lower = pairs.clone().filter(|(upper, _)| self.contains(*upper));
        let mut lowered = self.clone();
        lowered.add_ranges(lower.map(|&(_, lower)| (lower, lower)));
        let upper = pairs.filter(|(_, lower)| lowered.contains(*lower));
        let mut folded = lowered.clone();
        folded.add_ranges(upper.map(|&(upper, _)| (upper, upper)));
        folded
    }

    /// As a program carries it, in the shorter of its two forms.
    pub(super) fn to_class(&self) -> Class {
        if self.contains(char::MAX) {
            Class::new(true, self.complement().ranges)
        } else {
            Class::new(false, self.ranges.clone())
        }
    }
}

/// All characters that have another one as lower case, with it. One to one, as the engine's `unicode.ToLower`.
fn lower_case_pairs() -> &'static [(char, char)] {
    static PAIRS: OnceLock<Vec<(char, char)>> = OnceLock::new();
    PAIRS.get_or_init(|| {
        ('\0'..=char::MAX)
            .filter_map(|upper| {
                let lower = letter_case::lower(upper);
                (lower != upper).then_some((upper, lower))
            })
            .collect()
    })
}

fn after(c: char) -> Option<char> {
    let mut next = c..=char::MAX;
    next.next();
    next.next()
}

fn before(c: char) -> Option<char> {
    let mut next = '\0'..=c;
    next.next_back();
    next.next_back()
}
