//! `/health/alive` and `/health/ready`.

use edgekeeper_policy::rule::Rule;

use super::json;
use crate::Gateway;
use crate::decision::Answer;
use crate::errors;
use crate::refusal::Refusal;
use crate::request::Request;

/// The process runs. It says by which policy, where Oathkeeper's answer need not be the same.
pub(super) fn alive(gateway: &Gateway) -> Answer {
    let policy = gateway.policy();
    let body = match gateway.version() {
        Some(version) if !policy.strict => format!(r#"{{"status":"ok","policy":"{version}"}}"#),
        _ => r#"{"status":"ok"}"#.to_owned(),
    };
    json(policy, body, [])
}

/// There is a rule to decide by.
pub(super) fn ready(gateway: &Gateway, request: &Request) -> Result<Answer, Refusal> {
    let policy = gateway.policy();
    if policy.rules.iter().any(Rule::is_valid) {
        return Ok(alive(gateway));
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
