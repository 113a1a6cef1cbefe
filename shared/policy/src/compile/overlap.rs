//! Rules that answer the same request.

use crate::rule::Rule;

use super::node::Span;
use super::patterns::{Overlap, Patterns};
use super::report::Report;

/// Warns of two rules that match one request, which is answered with 500, as in Oathkeeper.
///
/// It is decided which do; where it cannot be, nothing is said.
pub(super) fn warn(rules: &[(Rule, Span)], strict: bool, report: &mut Report) {
    let mut patterns = Patterns::new(rules.iter().map(|(rule, _)| rule), strict);
    let neighbours = patterns.neighbours();
    for (number, ((rule, span), earlier)) in rules.iter().zip(neighbours).enumerate() {
        // One overlap with a rule is enough to have it looked at.
        let found = earlier.iter().find_map(|other| {
            let (first, first_span) = rules.get(*other)?;
            match patterns.overlap(*other, number) {
                Overlap::At { url, method } => Some((first, first_span, url, method)),
                Overlap::Never | Overlap::Undecided { .. } => None,
            }
        });
        let Some((first, first_span, url, method)) = found else {
            continue;
        };
        report.enter_rule(&rule.id, *span);
        report.warning(
            *span,
            format!("it overlaps with the rule `{}` at {}: `{method} {url}` matches both", first.id, report.place(*first_span)),
            "exactly one rule may match a request, otherwise the answer is 500; exclude the other's paths, as in `<(?!admin/).*>`",
        );
        report.leave_rule();
    }
}
