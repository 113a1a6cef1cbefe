//! Makes the tree of matchers, joining them as the original does.

use super::alternatives;
use super::syntax::Term;
use super::{Matcher, Tree};

/// The tree for the terms of a whole glob.
pub(in super::super) fn build(terms: &[Term]) -> Matcher {
    optimized(sequence(terms))
}

fn sequence(terms: &[Term]) -> Matcher {
    if terms.is_empty() {
        return Matcher::Nothing;
    }
    let matchers = terms.iter().map(term).map(optimized).collect();
    optimized(tree(&glued(matchers)))
}

// As deep as braces are nested, which the number of terms limits.
fn term(term: &Term) -> Matcher {
    let matcher = match term {
        Term::Nothing => Matcher::Nothing,
        Term::Any => Matcher::Any,
        Term::Super => Matcher::Super,
        Term::Single => Matcher::Single,
        Term::List { chars, not } => Matcher::List {
            chars: chars.clone(),
            not: *not,
        },
        Term::Range { low, high, not } => Matcher::Range {
            low: *low,
            high: *high,
            not: *not,
        },
        Term::Text(text) => Matcher::Text(text.clone()),
        Term::Sequence(terms) => return sequence(terms),
        Term::AnyOf(alternatives) => match alternatives::factored(alternatives) {
            Some(terms) => return sequence(&terms),
            None => {
                let matchers = alternatives.iter().map(|terms| optimized(sequence(terms)));
                return Matcher::AnyOf(matchers.collect());
            }
        },
    };
    optimized(matcher)
}

/// A simpler matcher for the same.
fn optimized(matcher: Matcher) -> Matcher {
    match matcher {
        Matcher::AnyOf(mut matchers) if matchers.len() == 1 => {
            matchers.pop().unwrap_or(Matcher::Nothing)
        }
        Matcher::List { chars, not: false } if chars.chars().count() == 1 => Matcher::Text(chars),
        Matcher::Tree(tree) => {
            let left = tree.left.map(optimized);
            let right = tree.right.map(optimized);
            let Matcher::Text(text) = tree.value else {
                return Matcher::Tree(Box::new(Tree {
                    value: tree.value,
                    left,
                    right,
                }));
            };
            match (left, right) {
                (None, None) => Matcher::Text(text),
                (Some(Matcher::Super), Some(Matcher::Super)) => Matcher::Contains(text),
                (Some(Matcher::Super), None) => Matcher::Suffix(text),
                (None, Some(Matcher::Super)) => Matcher::Prefix(text),
                (None, Some(Matcher::Suffix(suffix))) => Matcher::PrefixSuffix(text, suffix),
                (Some(Matcher::Prefix(prefix)), None) => Matcher::PrefixSuffix(prefix, text),
                (Some(Matcher::Any), None) => Matcher::SuffixAny(text),
                (None, Some(Matcher::Any)) => Matcher::PrefixAny(text),
                (left, right) => Matcher::Tree(Box::new(Tree {
                    value: Matcher::Text(text),
                    left,
                    right,
                })),
            }
        }
        matcher => matcher,
    }
}

/// One matcher of several: around the last of those with the greatest length, or the first if none has one.
fn tree(matchers: &[Matcher]) -> Matcher {
    if let [matcher] = matchers {
        return matcher.clone();
    }
    if let Some(joined) = joined(matchers) {
        return joined;
    }
    let longest = matchers
        .iter()
        .enumerate()
        .filter_map(|(index, matcher)| Some((matcher.length()?, index)))
        .max()
        .map_or(0, |(_, index)| index);
    let (left, rest) = matchers
        .split_at_checked(longest)
        .unwrap_or((&[], matchers));
    let Some((value, right)) = rest.split_first() else {
        return Matcher::Nothing;
    };
    let side = |matchers: &[Matcher]| (!matchers.is_empty()).then(|| tree(matchers));
    Matcher::Tree(Box::new(Tree {
        value: value.clone(),
        left: side(left),
        right: side(right),
    }))
}

/// Joins neighbours, the longest run first, until no more can be joined.
fn glued(mut matchers: Vec<Matcher>) -> Vec<Matcher> {
    loop {
        let mut best: Option<(Matcher, usize, usize)> = None;
        for start in 0..matchers.len() {
            for end in (start.saturating_add(1)..=matchers.len()).rev() {
                let Some(found) = matchers.get(start..end).and_then(joined) else {
                    continue;
                };
                let count = end.saturating_sub(start);
                let better = best.as_ref().is_none_or(|(best, _, best_count)| {
                    let longer = match (best.length(), found.length()) {
                        (Some(best), Some(found)) => found > best,
                        _ => false,
                    };
                    longer || *best_count < count
                });
                if better {
                    best = Some((found, start, count));
                }
            }
        }
        let Some((matcher, start, count)) = best else {
            return matchers;
        };
        let before = matchers.len();
        matchers.splice(start..start.saturating_add(count), [matcher]);
        if matchers.len() == before {
            return matchers;
        }
    }
}

fn joined(matchers: &[Matcher]) -> Option<Matcher> {
    if matchers.len() <= 1 {
        return None;
    }
    conditions(matchers).or_else(|| {
        let all_known = matchers.iter().all(|matcher| matcher.length().is_some());
        all_known.then(|| Matcher::Row(matchers.to_vec()))
    })
}

/// Wildcards in a row as conditions on the whole: how many characters, and what is not among them.
fn conditions(matchers: &[Matcher]) -> Option<Matcher> {
    let (mut any, mut all, mut least) = (false, false, 0_usize);
    let mut single = false;
    let mut separators: Option<&str> = None;
    for matcher in matchers {
        let own = match matcher {
            Matcher::Super => {
                all = true;
                ""
            }
            Matcher::Any => {
                any = true;
                "./"
            }
            Matcher::Single => {
                single = true;
                "./"
            }
            Matcher::List { chars, not: true } => {
                single = true;
                chars
            }
            _ => return None,
        };
        least = least.saturating_add(usize::from(!matches!(
            matcher,
            Matcher::Super | Matcher::Any
        )));
        if *separators.get_or_insert(own) != own {
            return None;
        }
    }
    let separators = separators.unwrap_or_default();
    if all && !any && !single {
        return Some(Matcher::Super);
    }
    if any && !all && !single {
        return Some(Matcher::Any);
    }
    let mut every = Vec::new();
    if least > 0 {
        every.push(Matcher::Min(least));
        if !any && !all {
            every.push(Matcher::Max(least));
        }
    }
    if !separators.is_empty() {
        // The separators as one text, not each of them.
        every.push(Matcher::Without(separators.to_owned()));
    }
    Some(Matcher::EveryOf(every))
}
