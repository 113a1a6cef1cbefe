//! Sets of characters that are cut into each other often: the symbols of an automaton.

use super::super::charset::CharSet;

/// Which character of a set is shown to people: the earlier here, the sooner.
const READABLE: &str =
    "xabcdefghijklmnopqrstuvwyz0123456789/-_.~ABCDEFGHIJKLMNOPQRSTUVWXYZ@:=+,!$&'()*;|";

const FIRST_WIDE: char = '\u{80}';

/// A set of characters: ASCII as bits, all others as ranges, ascending and apart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Symbols {
    ascii: u128,
    wide: Vec<(char, char)>,
}

impl Symbols {
    pub(super) fn all() -> Symbols {
        Symbols {
            ascii: u128::MAX,
            wide: vec![(FIRST_WIDE, char::MAX)],
        }
    }

    pub(super) fn single(c: char) -> Symbols {
        if c.is_ascii() {
            return Symbols {
                ascii: bit(c),
                wide: Vec::new(),
            };
        }
        Symbols {
            ascii: 0,
            wide: vec![(c, c)],
        }
    }

    pub(super) fn of(set: &CharSet) -> Symbols {
        let mut symbols = Symbols::default();
        for &(first, last) in set.ranges() {
            if first.is_ascii() {
                let ascii = (first..=last).take_while(char::is_ascii);
                symbols.ascii |= ascii.fold(0, |bits, c| bits | bit(c));
            }
            if last >= FIRST_WIDE {
                symbols.wide.push((first.max(FIRST_WIDE), last));
            }
        }
        symbols
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ascii == 0 && self.wide.is_empty()
    }

    pub(super) fn contains(&self, c: char) -> bool {
        if c.is_ascii() {
            return self.ascii & bit(c) != 0;
        }
        self.wide
            .iter()
            .any(|&(first, last)| (first..=last).contains(&c))
    }

    /// The one character of a set that has just one.
    pub(super) fn only(&self) -> Option<char> {
        if self.wide.is_empty() && self.ascii.is_power_of_two() {
            return char::from_u32(self.ascii.trailing_zeros());
        }
        None
    }

    /// What is in both.
    pub(super) fn and(&self, other: &Symbols) -> Symbols {
        if self.wide.is_empty() || other.wide.is_empty() {
            return Symbols {
                ascii: self.ascii & other.ascii,
                wide: Vec::new(),
            };
        }
        let mut wide = Vec::new();
        let (mut own, mut others) = (self.wide.iter(), other.wide.iter());
        let (mut a, mut b) = (own.next(), others.next());
        while let (Some(&(first, last)), Some(&(other_first, other_last))) = (a, b) {
            let (from, to) = (first.max(other_first), last.min(other_last));
            if from <= to {
                wide.push((from, to));
            }
            if last <= other_last {
                a = own.next();
            } else {
                b = others.next();
            }
        }
        Symbols {
            ascii: self.ascii & other.ascii,
            wide,
        }
    }

    /// What is in this set alone.
    pub(super) fn minus(&self, other: &Symbols) -> Symbols {
        if other.wide.is_empty() || self.wide.is_empty() {
            return Symbols {
                ascii: self.ascii & !other.ascii,
                wide: self.wide.clone(),
            };
        }
        self.and(&other.complement())
    }

    pub(super) fn complement(&self) -> Symbols {
        let mut wide = Vec::new();
        let mut next = Some(FIRST_WIDE);
        for &(first, last) in &self.wide {
            if let (Some(from), Some(to)) = (next, (FIRST_WIDE..first).next_back())
                && from <= to
            {
                wide.push((from, to));
            }
            next = (last..=char::MAX).nth(1);
        }
        if let Some(from) = next {
            wide.push((from, char::MAX));
        }
        Symbols {
            ascii: !self.ascii,
            wide,
        }
    }

    /// Another of the characters that people read well, or the only one.
    pub(super) fn choice(&self, number: usize) -> Option<char> {
        let mut known = READABLE.chars().filter(|c| self.contains(*c));
        let best = self.readable().map(|(_, c)| c);
        known.nth(number).or(best)
    }

    /// The character of the set that people read best, and how far from the best of all it is.
    pub(super) fn readable(&self) -> Option<(usize, char)> {
        if self.contains('x') {
            return Some((0, 'x'));
        }
        let known = READABLE
            .chars()
            .enumerate()
            .find(|(_, c)| self.contains(*c));
        known.or_else(|| {
            let ascii = (' '..FIRST_WIDE).chain('\0'..' ');
            let rest = ascii
                .filter(|c| self.contains(*c))
                .chain(self.wide.first().map(|(first, _)| *first));
            rest.map(|c| (READABLE.len(), c)).next()
        })
    }
}

fn bit(c: char) -> u128 {
    1_u128.wrapping_shl(u32::from(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_cut_as_characters_are_counted() {
        let texts = [
            "",
            "a",
            "az",
            "aé",
            "é日",
            "\u{7f}\u{80}",
            "/x~",
            "日\u{10ffff}",
        ];
        let set = |text: &str| {
            let ranges: Vec<_> = text.chars().map(|c| (c, c)).collect();
            Symbols::of(&CharSet::of(&ranges))
        };
        let all: Vec<char> = texts.concat().chars().chain(['\0', 'ž']).collect();
        for left in texts {
            for right in texts {
                let (a, b) = (set(left), set(right));
                for &c in &all {
                    let (in_a, in_b) = (left.contains(c), right.contains(c));
                    assert_eq!(a.contains(c), in_a, "{c:?} in {left:?}");
                    assert_eq!(
                        a.and(&b).contains(c),
                        in_a && in_b,
                        "{left:?} and {right:?}: {c:?}"
                    );
                    assert_eq!(
                        a.minus(&b).contains(c),
                        in_a && !in_b,
                        "{left:?} minus {right:?}: {c:?}"
                    );
                    assert_eq!(a.complement().contains(c), !in_a, "not {left:?}: {c:?}");
                }
            }
        }
        assert_eq!(Symbols::all().complement(), Symbols::default());
    }

    #[test]
    fn what_people_read_best_is_shown() {
        let best = |set: &Symbols| set.readable().map(|(_, c)| c);
        assert_eq!(best(&Symbols::all()), Some('x'));
        assert_eq!(best(&Symbols::of(&CharSet::of(&[('0', '9')]))), Some('0'));
        assert_eq!(best(&Symbols::single('\0')), Some('\0'));
        assert_eq!(best(&Symbols::single('日')), Some('日'));
        assert_eq!(best(&Symbols::default()), None);
    }
}
