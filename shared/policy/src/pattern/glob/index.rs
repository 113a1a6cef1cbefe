//! Where in a text a matcher matches first, and how many bytes from there.
//!
//! Not all lengths are found, and for some matchers none: the original does not look for more, and its trees decide by it.

use super::super::BudgetExceeded;
use super::{Budget, Matcher, SEPARATORS, chars, position, separator, starts_with_row};

/// The place, and the lengths from there, ascending.
type Found = Option<(usize, Vec<usize>)>;

impl Matcher {
    // As deep as the tree, which the compiler and the decoder limit.
    pub(super) fn find(&self, text: &[u8], budget: &mut Budget) -> Result<Found, BudgetExceeded> {
        budget.spend(text.len())?;
        let ends = |text: &[u8]| -> Vec<usize> {
            let after = chars(text).map(|(start, c)| start.saturating_add(c.len_utf8()));
            std::iter::once(0).chain(after).collect()
        };
        let from = |prefix: &str, rest: &[u8]| -> Vec<usize> {
            let length = prefix.len();
            ends(rest)
                .iter()
                .map(|end| end.saturating_add(length))
                .collect()
        };
        Ok(match self {
            Matcher::Nothing => Some((0, vec![0])),
            Matcher::Any => {
                let end = separator(text).unwrap_or(text.len());
                Some((0, starts(text.get(..end).unwrap_or_default())))
            }
            Matcher::Super => Some((0, starts(text))),
            Matcher::Single | Matcher::List { .. } | Matcher::Range { .. } => chars(text)
                .find(|(_, c)| self.takes(*c))
                .map(|(start, c)| (start, vec![c.len_utf8()])),
            Matcher::Text(wanted) => {
                position(text, wanted).map(|start| (start, vec![wanted.len()]))
            }
            Matcher::AnyOf(matchers) => {
                let mut found: Found = None;
                for matcher in matchers {
                    let Some((start, lengths)) = matcher.find(text, budget)? else {
                        continue;
                    };
                    match &mut found {
                        Some((first, all)) if *first == start => all.extend(lengths),
                        Some((first, _)) if *first < start => {}
                        _ => found = Some((start, lengths)),
                    }
                }
                found
            }
            Matcher::EveryOf(matchers) => return every(matchers, text, budget),
            Matcher::Row(matchers) => {
                let length = self.length().unwrap_or_default();
                for (start, _) in chars(text) {
                    let rest = text.get(start..).unwrap_or_default();
                    if rest.len() < length {
                        break;
                    }
                    if starts_with_row(matchers, rest, budget)? {
                        // Characters, where bytes are meant.
                        return Ok(Some((start, vec![length])));
                    }
                }
                None
            }
            Matcher::Tree(_) => None,
            Matcher::Without(wanted) => {
                let end = position(text, wanted).unwrap_or(text.len());
                Some((0, starts(text.get(..end).unwrap_or_default())))
            }
            Matcher::Contains(wanted) => position(text, wanted).map(|start| {
                let end = start.saturating_add(wanted.len());
                let rest = text.get(end..).unwrap_or_default();
                (
                    0,
                    starts(rest)
                        .iter()
                        .map(|start| start.saturating_add(end))
                        .collect(),
                )
            }),
            Matcher::Prefix(prefix) => position(text, prefix).map(|start| {
                let end = start.saturating_add(prefix.len());
                (start, from(prefix, text.get(end..).unwrap_or_default()))
            }),
            Matcher::PrefixAny(prefix) => position(text, prefix).map(|start| {
                let end = start.saturating_add(prefix.len());
                let rest = text.get(end..).unwrap_or_default();
                let rest = rest
                    .get(..separator(rest).unwrap_or(rest.len()))
                    .unwrap_or_default();
                (start, from(prefix, rest))
            }),
            Matcher::Suffix(suffix) => {
                position(text, suffix).map(|start| (0, vec![start.saturating_add(suffix.len())]))
            }
            Matcher::SuffixAny(suffix) => position(text, suffix).map(|end| {
                let before = text.get(..end).unwrap_or_default();
                let start = SEPARATORS
                    .iter()
                    .find_map(|separator| before.iter().rposition(|byte| byte == separator))
                    .map_or(0, |last| last.saturating_add(1));
                (
                    start,
                    vec![end.saturating_add(suffix.len()).saturating_sub(start)],
                )
            }),
            Matcher::PrefixSuffix(prefix, suffix) => {
                let Some(start) = position(text, prefix) else {
                    return Ok(None);
                };
                let rest = text.get(start..).unwrap_or_default();
                let lengths = apart(rest, suffix);
                (!lengths.is_empty()).then_some((start, lengths))
            }
            Matcher::Min(least) => {
                let lengths: Vec<usize> = ends(text).into_iter().skip((*least).max(1)).collect();
                (!lengths.is_empty()).then_some((0, lengths))
            }
            Matcher::Max(most) => {
                let lengths = ends(text).into_iter().take(most.saturating_add(1));
                Some((0, lengths.collect()))
            }
        })
    }
}

/// Where each character starts, and where the text ends.
fn starts(text: &[u8]) -> Vec<usize> {
    chars(text)
        .map(|(start, _)| start)
        .chain(std::iter::once(text.len()))
        .collect()
}

/// Where the suffix ends, looked for from the end, each time before the one found last.
fn apart(text: &[u8], suffix: &str) -> Vec<usize> {
    let wanted = suffix.as_bytes();
    let mut lengths = Vec::new();
    let mut rest = text;
    while let Some(start) = rest
        .windows(wanted.len())
        .rposition(|window| window == wanted)
    {
        lengths.push(start.saturating_add(wanted.len()));
        rest = rest.get(..start).unwrap_or_default();
    }
    lengths.reverse();
    lengths
}

/// The lengths that all matchers agree on; each looks from where the one before it matched.
fn every(matchers: &[Matcher], text: &[u8], budget: &mut Budget) -> Result<Found, BudgetExceeded> {
    let mut index: usize = 0;
    let mut offset: usize = 0;
    let mut current: Vec<usize> = Vec::new();
    let mut rest = text;
    for (number, matcher) in matchers.iter().enumerate() {
        let Some((start, lengths)) = matcher.find(rest, budget)? else {
            return Ok(None);
        };
        if number == 0 {
            current = lengths;
        } else {
            let place = start.saturating_add(offset);
            current = current
                .iter()
                .filter_map(|length| length.saturating_add(index).checked_sub(place))
                .filter(|length| lengths.contains(length))
                .collect();
            if current.is_empty() {
                return Ok(None);
            }
        }
        index = start.saturating_add(offset);
        rest = text.get(index..).unwrap_or_default();
        offset = offset.saturating_add(start);
    }
    Ok(Some((index, current)))
}
