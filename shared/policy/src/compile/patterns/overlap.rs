//! Rules that answer the same request.

use crate::pattern::language::{Answer, Urls};

use super::{Patterns, TOO_MANY};

/// Pairs that are looked at together: about a second, where each is told apart at once.
const MAX_PAIRS: usize = 30_000_000;

/// Whether two rules match one request, which is answered with 500.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Overlap {
    /// No request is for both.
    Never,
    /// This request is: the shortest URL there is, without `?` and `#` in its path if there is one.
    At {
        /// The URL as the patterns see it, percent-decoded.
        url: String,
        /// A method that both rules have.
        method: String,
    },
    /// It could not be told.
    Undecided {
        /// Why.
        why: &'static str,
    },
}

impl Overlap {
    /// The URL that both match.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        match self {
            Overlap::At { url, .. } => Some(url),
            Overlap::Never | Overlap::Undecided { .. } => None,
        }
    }
}

/// Two rules that overlap, or of which it is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The rule that stands first.
    pub first: usize,
    /// The other.
    pub second: usize,
    /// Never [`Overlap::Never`].
    pub overlap: Overlap,
}

impl Patterns<'_> {
    /// For each rule the first of those before it that it overlaps with, and the first of which it is not known.
    ///
    /// Of very many rules on one host the last may not be compared any more; the last pair then is an undecided one.
    pub fn overlaps(&mut self) -> Vec<Pair> {
        let mut pairs = Vec::new();
        let mut left = MAX_PAIRS;
        for second in 0..self.rules.len() {
            let mut is_known = true;
            let near = self.near(second);
            left = left.saturating_sub(near.len());
            if left == 0 {
                pairs.push(Pair {
                    first: second.saturating_sub(1),
                    second,
                    overlap: Overlap::Undecided { why: TOO_MANY },
                });
                break;
            }
            for first in near.into_iter().take_while(|other| *other < second) {
                let overlap = self.overlap(first, second);
                let found = overlap.url().is_some();
                if found || is_known && overlap != Overlap::Never {
                    is_known &= found;
                    pairs.push(Pair {
                        first,
                        second,
                        overlap,
                    });
                }
                if found {
                    break;
                }
            }
        }
        pairs
    }

    /// Whether two rules overlap. A rule overlaps with itself wherever it matches.
    pub fn overlap(&mut self, first: usize, second: usize) -> Overlap {
        let Some(method) = self.common_method(first, second) else {
            return Overlap::Never;
        };
        let both = |patterns: &Patterns<'_>, url: &str| {
            let both = patterns.is_for(first, url) && patterns.is_for(second, url);
            both && !patterns.is_taken(url, &method)
        };
        let mut answer = self.find(self.urls(), &[first, second], &[], &both);
        // Nobody sends a `?` or `#` as part of a path. Where there is another URL, that one tells more.
        if let Answer::Url(url) = &answer
            && url.contains(['?', '#'])
        {
            let plain = Urls {
                plain: true,
                ..self.urls()
            };
            let found = self.find(plain, &[first, second], &[], &both);
            if matches!(found, Answer::Url(_)) {
                answer = found;
            }
        }
        match answer {
            Answer::Never => Overlap::Never,
            Answer::Url(url) => Overlap::At { url, method },
            Answer::Undecided(why) => Overlap::Undecided { why },
        }
    }

    /// The first method of the second rule that the first has too.
    fn common_method(&self, first: usize, second: usize) -> Option<String> {
        let first = self.rules.get(first)?;
        let mut methods = self.rules.get(second)?.methods.iter();
        methods
            .find(|method| first.methods.contains(method))
            .cloned()
    }
}
