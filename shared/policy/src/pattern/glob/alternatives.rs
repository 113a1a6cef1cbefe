//! Takes out of alternatives what all of them start or end with.

use super::syntax::Term;

/// The same as one sequence with what is common before and after the alternatives; `None` if nothing is.
pub(super) fn factored(alternatives: &[Vec<Term>]) -> Option<Vec<Term>> {
    // Once taken apart, they are left as they are.
    if alternatives.iter().any(|terms| terms == &[Term::Nothing]) {
        return None;
    }
    let (left, right) = common(alternatives);
    if left == 0 && right == 0 {
        return None;
    }
    let mut rests: Vec<Term> = Vec::new();
    for alternative in alternatives {
        let end = alternative.len().saturating_sub(right);
        let rest = alternative.get(left..end).unwrap_or_default();
        let rest = match rest {
            [] => Term::Nothing,
            rest => Term::Sequence(rest.to_vec()),
        };
        if !rests.contains(&rest) {
            rests.push(rest);
        }
    }
    let first = alternatives.first()?;
    let mut sequence = Vec::new();
    if left > 0 {
        sequence.push(Term::Sequence(first.get(..left)?.to_vec()));
    }
    match rests.as_slice() {
        [Term::Nothing] => {}
        [rest] => sequence.push(rest.clone()),
        _ => sequence.push(Term::AnyOf(
            rests
                .into_iter()
                .map(|rest| match rest {
                    Term::Sequence(terms) => terms,
                    rest => vec![rest],
                })
                .collect(),
        )),
    }
    if right > 0 {
        let start = first.len().saturating_sub(right);
        sequence.push(Term::Sequence(first.get(start..)?.to_vec()));
    }
    Some(sequence)
}

/// How many terms all alternatives have in common at their start and, of the others, at their end.
fn common(alternatives: &[Vec<Term>]) -> (usize, usize) {
    let Some((shortest, terms)) = alternatives
        .iter()
        .enumerate()
        .min_by_key(|(_, terms)| terms.len())
        .filter(|_| alternatives.len() > 1)
    else {
        return (0, 0);
    };
    let count = terms.len();
    let (mut left, mut right) = (0_usize, 0_usize);
    let (mut left_ended, mut right_ended) = (false, false);
    for step in 0..count {
        if left.saturating_add(right) >= count || left_ended && right_ended {
            break;
        }
        let back = count.saturating_sub(step).saturating_sub(1);
        for (index, other) in alternatives.iter().enumerate() {
            if index == shortest || left_ended && right_ended {
                continue;
            }
            left_ended = left_ended || terms.get(step) != other.get(step);
            // Where the left end goes on, the right one does not go over it.
            right_ended = right_ended || !left_ended && back <= step;
            let at = back.saturating_add(other.len()).saturating_sub(count);
            right_ended = right_ended || terms.get(back) != other.get(at);
        }
        left = left.saturating_add(usize::from(!left_ended));
        right = right.saturating_add(usize::from(!right_ended));
    }
    (left, right)
}
