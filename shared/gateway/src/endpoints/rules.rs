//! `/rules` and `/rules/{id}`: the rules as they were written.

use edgekeeper_policy::document::Policy;
use edgekeeper_policy::rule::Rule;

use super::{json, no_store};
use crate::decision::Answer;
use crate::errors;
use crate::query;
use crate::refusal::Refusal;
use crate::request::Request;

/// How many rules are listed when nobody says how many.
const USUAL: usize = 50;

/// How many rules are listed at most.
const MOST: usize = 500;

/// A page of the rules, as `limit` and `offset` in the query say.
pub(super) fn list(policy: &Policy, request: &Request) -> Result<Answer, Refusal> {
    let shown: Vec<&str> = shown(policy)?
        .into_iter()
        .map(|(_, source)| source)
        .collect();
    let query = request.query.as_deref().unwrap_or_default();
    let number = |name: &str, usual: usize| {
        let text = query::pairs(query).find(|(own, _)| own == name)?.1;
        // Below none is none; what is no number at all is passed over, as in Oathkeeper.
        let number: i64 = text.parse().ok()?;
        Some(usize::try_from(number.max(0)).unwrap_or(usual))
    };
    let limit = number("limit", USUAL).unwrap_or(USUAL).min(MOST);
    let offset = number("offset", usize::MAX).unwrap_or(0);
    let page: Vec<&str> = shown.into_iter().skip(offset).take(limit).collect();
    Ok(document(policy, &format!("[{}]", page.join(","))))
}

/// One rule.
pub(super) fn one(policy: &Policy, id: &str, request: &Request) -> Result<Answer, Refusal> {
    let found = shown(policy)?
        .into_iter()
        .find(|(rule, _)| rule.id == id)
        .map(|(_, source)| source);
    Ok(match found {
        Some(source) => document(policy, source),
        None => {
            let request_id = request.header(&errors::X_REQUEST_ID);
            let text = "The requested resource could not be found";
            errors::json_answer(404, text, None, request_id)
        }
    })
}

/// The rules that Oathkeeper would show: those that it can run.
fn shown(policy: &Policy) -> Result<Vec<(&Rule, &str)>, Refusal> {
    let shown: Vec<(&Rule, &str)> = policy
        .rules
        .iter()
        .filter(|rule| rule.is_valid())
        .filter_map(|rule| Some((rule, rule.source.as_deref()?)))
        .collect();
    if shown.is_empty() && policy.rules.iter().any(Rule::is_valid) {
        return Err(
            Refusal::new(404, "The requested resource could not be found")
                .logged("the rules are not shown: `api.rules` in edge.yml is false"),
        );
    }
    Ok(shown)
}

fn document(policy: &Policy, text: &str) -> Answer {
    let text = if policy.strict {
        // As Go's encoder escapes; these stand nowhere else in JSON than in texts.
        text.replace('<', "\\u003c")
            .replace('>', "\\u003e")
            .replace('&', "\\u0026")
    } else {
        text.to_owned()
    };
    json(policy, text, [no_store()])
}
