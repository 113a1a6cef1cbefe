//! Exactly one rule for a request (Oathkeeper's `Matcher`).

use edgekeeper_policy::index::RuleIndex;
use edgekeeper_policy::pattern::{DEFAULT_BUDGET, Unmatched};
use edgekeeper_policy::rule::Rule;

use crate::refusal::Refusal;
use crate::request::Request;

/// The rule for a request, and what its groups captured.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Matched {
    /// Its place in the policy.
    pub(crate) rule: usize,
    /// `.MatchContext.RegexpCaptureGroups`.
    pub(crate) captures: Vec<String>,
    /// Whether a trailing slash may be sent on: the rule is for the path with it too.
    pub(crate) keeps_slash: bool,
}

/// Finds the rule. None is 404, several are 500: no rule goes before another.
///
/// Rules are matched against the path without a trailing slash, as in Oathkeeper; where none fits that way, by default
/// against the path as it was sent, so that `/docs/<.*>` is for `/docs/` too. The upstream gets the view that was judged:
/// the slash only when the same rule is for the path with it. Otherwise an open rule for `/docs` would let `/docs/` through
/// to an upstream that takes it for something else.
///
/// Where a segment has parameters (`/admin;x=y`), which some servers cut off and others do not, both readings must have
/// the same rule.
pub(crate) fn find(
    rules: &[Rule],
    index: &RuleIndex,
    request: &Request,
    strict: bool,
) -> Result<Matched, Refusal> {
    let path = request.path.decoded();
    let mut found = at(rules, index, request, &request.match_target(path), strict)?;
    if !strict && request.path.has_trailing_slash() {
        let as_sent = at(
            rules,
            index,
            request,
            &request.match_target(&format!("{path}/")),
            strict,
        );
        found = match (found, as_sent) {
            (None, as_sent) => as_sent?.map(|matched| Matched {
                keeps_slash: true,
                ..matched
            }),
            (Some(matched), Ok(Some(same))) if same.rule == matched.rule => Some(Matched {
                keeps_slash: true,
                ..matched
            }),
            (found, _) => found,
        };
    }
    if !strict && let Some(cut) = request.path.without_parameters() {
        let other = at(rules, index, request, &request.match_target(&cut), strict)?
            .map(|matched| matched.rule);
        let own = found.as_ref().map(|matched| matched.rule);
        if own.is_some() && own != other {
            return Err(Refusal::bad_request(
                "with and without its `;` parameters the path is for different rules",
            ));
        }
    }
    if let Some(spelt) = &request.spelt {
        found = as_spelt(rules, index, request, spelt, found)?;
    }
    found.ok_or_else(Refusal::not_found)
}

/// Strict mode: Oathkeeper compares hosts as text, so that `APP.test` has no rule, or falls through to a wider one. The
/// former is 404 here too, the latter is refused.
fn as_spelt(
    rules: &[Rule],
    index: &RuleIndex,
    request: &Request,
    spelt: &str,
    found: Option<Matched>,
) -> Result<Option<Matched>, Refusal> {
    let target = request.target_at(spelt, request.path.decoded());
    let as_text = at(rules, index, request, &target, true)?;
    match (&found, &as_text) {
        (Some(own), Some(other)) if own.rule != other.rule => Err(Refusal::bad_request(
            "in another spelling the host is for another rule",
        )),
        _ => Ok(as_text),
    }
}

fn at(
    rules: &[Rule],
    index: &RuleIndex,
    request: &Request,
    target: &str,
    strict: bool,
) -> Result<Option<Matched>, Refusal> {
    let mut found: Vec<Matched> = Vec::new();
    for candidate in index.candidates(target) {
        let Some(rule) = rules.get(candidate) else {
            continue;
        };
        if !rule
            .methods
            .iter()
            .any(|method| method.eq_ignore_ascii_case(&request.method))
        {
            continue;
        }
        match rule.url.find(target, DEFAULT_BUDGET) {
            Ok(Some(captures)) => found.push(Matched {
                rule: candidate,
                captures: captures.iter().map(str::to_owned).collect(),
                keeps_slash: false,
            }),
            Ok(None) => {}
            Err(Unmatched::Broken) => {
                let original = rule
                    .url
                    .broken()
                    .unwrap_or("the URL pattern cannot be read");
                return Err(Refusal::new(500, original).logged(format!(
                    "the url of rule `{}` cannot be read: {original}",
                    rule.id
                )));
            }
            Err(Unmatched::BudgetExceeded) if strict => {
                let message = format!("match timeout after 250ms on input `{target}`");
                return Err(Refusal::new(500, message).logged(format!(
                    "rule `{}`: matching its url took too many steps",
                    rule.id
                )));
            }
            Err(Unmatched::BudgetExceeded) => {
                return Err(Refusal::internal(format!(
                    "rule `{}`: matching its url took too many steps; simplify the pattern",
                    rule.id
                )));
            }
        }
    }
    if found.len() > 1 {
        let ids: Vec<&str> = found
            .iter()
            .filter_map(|matched| rules.get(matched.rule))
            .map(|rule| rule.id.as_str())
            .collect();
        return Err(Refusal::many_rules(&ids));
    }
    Ok(found.pop())
}
