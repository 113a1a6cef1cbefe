//! `/health/alive` and `/health/ready`.

use edgekeeper_policy::document::Policy;
use edgekeeper_policy::rule::Rule;

use super::json;
use crate::decision::Answer;
use crate::errors;
use crate::refusal::Refusal;
use crate::request::Request;

/// The process runs.
pub(super) fn alive(policy: &Policy) -> Answer {
    json(policy, r#"{"status":"ok"}"#.to_owned(), [])
}

/// There is a rule to decide by.
pub(super) fn ready(policy: &Policy, request: &Request) -> Result<Answer, Refusal> {
    if policy.rules.iter().any(Rule::is_valid) {
        return Ok(alive(policy));
    }
    if !policy.strict {
        return Err(Refusal::new(503, "No rule is loaded").logged("the policy has no rules"));
    }
    // Oathkeeper's own words: the status says 503, the body 500.
    let request_id = request.header(&errors::X_REQUEST_ID);
    let text = "The requested resource could not be found";
    let mut answer = errors::json_answer(500, text, None, request_id);
    answer.status = 503;
    Ok(answer)
}
