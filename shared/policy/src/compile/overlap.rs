//! Rules that answer the same request.

use crate::rule::Rule;

use super::node::Span;
use super::report::Report;

/// Steps a match may take here. What needs more is left to the gateway to refuse.
const BUDGET: u32 = 20_000;

/// Pairs to look at. Beyond that a build would take too long for what is only a warning.
const MAX_PAIRS: usize = 200_000;

/// Warns of two rules that match one request, which is answered with 500, as in Oathkeeper.
///
/// It tries URLs that either rule is likely to be for. A pair it finds does overlap; one it does not find may.
pub(super) fn warn(rules: &[(Rule, Span)], report: &mut Report) {
    let mut pairs: usize = 0;
    for (index, (second, span)) in rules.iter().enumerate() {
        for (first, first_span) in rules.iter().take(index) {
            if first.url.host() != second.url.host() || first.url.host().is_none() {
                continue;
            }
            let Some(method) = second
                .methods
                .iter()
                .find(|method| first.methods.contains(method))
            else {
                continue;
            };
            pairs = pairs.saturating_add(1);
            if pairs > MAX_PAIRS {
                return;
            }
            let Some(url) = common_url(first, second) else {
                continue;
            };
            report.enter_rule(&second.id, *span);
            report.warning(
                *span,
                format!("it overlaps with the rule `{}` at {}: `{method} {url}` matches both", first.id, report.place(*first_span)),
                "exactly one rule may match a request, otherwise the answer is 500; exclude the other's paths, as in `<(?!admin/).*>`",
            );
            report.leave_rule();
            // One overlap with a rule is enough to have it looked at.
            break;
        }
    }
}

fn common_url(first: &Rule, second: &Rule) -> Option<String> {
    let host = first.url.host()?;
    let mut paths = Vec::new();
    for prefix in [second.url.path_prefix(), first.url.path_prefix()] {
        let trimmed = prefix.strip_suffix('/').unwrap_or(prefix);
        paths.extend([
            format!("{trimmed}/x"),
            format!("{prefix}x"),
            if trimmed.is_empty() {
                "/".to_owned()
            } else {
                trimmed.to_owned()
            },
            format!("{trimmed}/x/y"),
        ]);
    }
    let matches = |rule: &Rule, url: &str| matches!(rule.url.find(url, BUDGET), Ok(Some(_)));
    paths
        .iter()
        .flat_map(|path| ["https", "http"].map(|scheme| format!("{scheme}://{host}{path}")))
        .find(|url| matches(first, url) && matches(second, url))
}
