//! Rules that answer the same request.

use super::code::Code;
use crate::rule::Rule;

use super::node::Span;
use super::patterns::{Overlap, Patterns};
use super::report::Report;

/// Warns of two rules that match one request, which is answered with 500, as in Oathkeeper.
///
/// It is decided which do; where it cannot be, nothing is said.
pub(super) fn warn(rules: &[(Rule, Span)], strict: bool, report: &mut Report) {
    let mut patterns = Patterns::new(rules.iter().map(|(rule, _)| rule), strict);
    for pair in patterns.overlaps() {
        let Overlap::At { url, method } = pair.overlap else {
            continue;
        };
        let (Some((first, first_span)), Some((rule, span))) =
            (rules.get(pair.first), rules.get(pair.second))
        else {
            continue;
        };
        report.enter_rule(&rule.id, *span);
        report.warning(Code::RULE_OVERLAP,
            *span,
            format!("it overlaps with the rule `{}` at {}: `{method} {url}` matches both", first.id, report.place(*first_span)),
            "exactly one rule may match a request, otherwise the answer is 500; exclude the other's paths, as in `<(?!admin/).*>`",
        );
        report.leave_rule();
    }
}
