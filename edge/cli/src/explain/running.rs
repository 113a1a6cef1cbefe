//! An explanation from a running gateway, which knows what it remembers.

use std::time::Duration;

use edgekeeper_gateway::explanation::{Explanation, FORMAT};
use edgekeeper_gateway::operator::{EDGE_EXPLAIN, Purpose, Statement};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use super::Failure;
use crate::client::{self, Question, Reply};
use crate::policies::endpoint::{SECRET, is_of_gateway, message, origin, secret, signed};

/// How long the gateway has, Kratos' answer included.
const PATIENCE: Duration = Duration::from_secs(30);

/// An explanation repeats the request's headers and the answer's body.
const LARGEST: usize = 4 << 20;

/// Asks the gateway at this origin. The request may be for another host: it is named as a browser would name it.
pub(super) fn explain(
    gateway: &str,
    method: &str,
    url: &str,
    headers: &HeaderMap,
) -> Result<Explanation, Failure> {
    let origin = origin(gateway, "--gateway").map_err(bare)?;
    let secret = secret().map_err(bare)?;
    if method == "HEAD" {
        return Err(Failure::Arguments(
            "an answer to HEAD has no body, so no explanation; ask with GET".to_owned(),
        ));
    }
    let unaskable = |error| Failure::Arguments(format!("the URL cannot be asked: {error}"));
    let mut meant = Url::parse(url).map_err(unaskable)?;
    // The gateway's endpoints call a host without the dot of a name that is whole.
    let whole = meant.host_str().and_then(|host| host.strip_suffix('.'));
    if let Some(host) = whole.map(str::to_owned) {
        meant.set_host(Some(&host)).map_err(unaskable)?;
    }
    // A gateway that does not know its operator would send the request on.
    let own = format!("{}/.edge/policy", meant.origin().ascii_serialization());
    let statement = Statement::new(Purpose::Policy, "GET", &own);
    let bearer = format!("Bearer {}", signed(&statement, &secret).map_err(bare)?);
    let reply = ask(
        &origin,
        "GET",
        &own,
        &only_host(headers),
        (AUTHORIZATION, &bearer),
    )?;
    knows_operator(&origin, &reply)?;

    let statement = Statement::new(Purpose::Explain, method, url);
    let statement = signed(&statement, &secret).map_err(bare)?;
    let reply = ask(&origin, method, url, headers, (EDGE_EXPLAIN, &statement))?;
    read(&origin, &reply)
}

fn ask(
    origin: &str,
    method: &str,
    url: &str,
    headers: &HeaderMap,
    statement: (HeaderName, &str),
) -> Result<Reply, Failure> {
    let (name, value) = statement;
    let mut headers = headers.clone();
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
    // The path as it was written: a client that cleans it would ask for another one.
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let target = rest
        .find(['/', '?'])
        .and_then(|at| rest.get(at..))
        .unwrap_or("/");
    let slash = if target.starts_with('/') { "" } else { "/" };
    let target = target.split('#').next().unwrap_or(target);
    let question = Question {
        method,
        url: &format!("{origin}{slash}{target}"),
        headers,
        is_of_another: true,
        body: b"",
        patience: PATIENCE,
        largest: LARGEST,
    };
    client::ask(&question).map_err(|error| {
        Failure::Policy(format!("error: {origin} cannot be asked: {}", error.reason))
    })
}

fn knows_operator(origin: &str, reply: &Reply) -> Result<(), Failure> {
    let help = match reply.status {
        200 if reply.body.as_deref().is_some_and(is_of_gateway) => return Ok(()),
        401 => format!("{SECRET} must be the secret that `operator.secret` of its edge.yml names, and the clocks of both machines right"),
        _ => "set `operator.secret` in its edge.yml, and give the runtime that secret; the gateway must serve the URL's host".to_owned(),
    };
    Err(Failure::Policy(format!(
        "error: {origin} does not know you for its operator: {}{}\n  help: {help}\nthe request was not sent",
        reply.status,
        told(reply)
    )))
}

fn read(origin: &str, reply: &Reply) -> Result<Explanation, Failure> {
    let refused = |what: String| Err(Failure::Policy(format!("error: {origin} {what}")));
    let is_json = reply
        .headers
        .get(CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/json"));
    match (reply.status, &reply.body) {
        (200, None) => refused("explains it in more than 4 MiB".to_owned()),
        (200, Some(body)) if is_json => match serde_json::from_slice::<Explanation>(body) {
            Ok(explanation) if explanation.format == FORMAT => Ok(explanation),
            _ => refused("explains it in a form that this command cannot read\n  help: use the command of the gateway's version".to_owned()),
        },
        (status, _) => refused(format!("answers {status}{} and no explanation", told(reply))),
    }
}

/// What an answer says of itself.
fn told(reply: &Reply) -> String {
    let body = reply.body.as_deref().map(String::from_utf8_lossy);
    let message = body.and_then(|body| message(&body));
    message.map(|told| format!(" ({told})")).unwrap_or_default()
}

fn only_host(headers: &HeaderMap) -> HeaderMap {
    let host = headers.get(http::header::HOST);
    host.map(|host| (http::header::HOST, host.clone()))
        .into_iter()
        .collect()
}

/// Arguments are told with `error: ` before them.
fn bare(message: String) -> Failure {
    Failure::Arguments(
        message
            .strip_prefix("error: ")
            .unwrap_or(&message)
            .to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn reply(status: u16, body: &str) -> Reply {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Reply {
            status,
            headers,
            body: Some(body.as_bytes().to_vec()),
        }
    }

    /// Each kind of step, as docs/explain.md has them, and what each may leave out.
    fn steps() -> Value {
        json!([
            { "step": "assumed", "text": "a" },
            { "step": "own", "by": "CORS" },
            { "step": "request", "method": "GET", "url": "https://a.example/" },
            { "step": "rule", "id": "web", "pattern": "p", "captures": ["c"] },
            { "step": "no_rule", "reason": "r" },
            { "step": "near_miss", "rule": "r", "pattern": "p", "differences": [
                { "differs": "nothing" }, { "differs": "method", "rule": ["GET"] }, { "differs": "scheme", "rule": "http" },
                { "differs": "host", "rule": "h" }, { "differs": "trailing_slash", "cleaned": true }, { "differs": "letter_case" },
                { "differs": "path_start", "rule": "/a" }, { "differs": "pattern" }, { "differs": "with_slash" },
                { "differs": "too_many_steps" }, { "differs": "broken" },
            ] },
            { "step": "authenticator", "handler": "noop", "verdict": "responsible", "subject": "" },
            { "step": "authenticator", "handler": "jwt", "verdict": "not_responsible", "wants": "w" },
            { "step": "authenticator", "handler": "jwt", "verdict": "refused", "reason": "r" },
            { "step": "session", "source": "hit", "verdict": "active", "expires": 1 },
            { "step": "session", "source": "hit", "verdict": "active" },
            { "step": "session", "source": "miss", "verdict": "none" },
            { "step": "session", "source": "miss", "verdict": "second_factor" },
            { "step": "session", "source": "failed", "verdict": "failed", "reason": "r" },
            { "step": "asked", "method": "GET", "url": "u", "status": 200, "note": "" },
            { "step": "asked", "method": "GET", "url": "u", "note": "n" },
            { "step": "authorizer", "handler": "allow", "verdict": "allowed" },
            { "step": "authorizer", "handler": "deny", "verdict": "refused", "reason": "r" },
            { "step": "mutator", "handler": "id_token", "headers": [{ "name": "n", "value": "v" }], "token": { "header": {}, "claims": { "sub": "a" } } },
            { "step": "mutator", "handler": "header", "headers": [], "failed": "f" },
            { "step": "refusal", "status": 401, "message": "m", "reason": "r" },
            { "step": "refusal", "status": 401, "message": "m" },
            { "step": "error_handler", "of": "rule", "number": 1, "handler": "json", "verdict": "chosen" },
            { "step": "error_handler", "of": "fallback", "number": 2, "handler": "redirect", "verdict": "not_for_it", "reason": "r" },
            { "step": "error_handler", "of": "fallback", "number": 2, "handler": "redirect", "verdict": "no_help", "reason": "r" },
            { "step": "error_handler", "of": "fallback", "number": 2, "handler": "redirect", "verdict": "failed", "reason": "r" },
        ])
    }

    #[test]
    fn every_kind_of_step_and_outcome_is_read_from_a_gateways_json() {
        for outcome in [
            json!({ "kind": "forward", "method": "GET", "url": "u", "headers": [] }),
            json!({ "kind": "forward", "method": "GET", "url": "u", "binding": "B", "headers": [{ "name": "n", "value": "v" }] }),
            json!({ "kind": "answer", "status": 401, "headers": [], "body": "b" }),
        ] {
            let document = json!({ "format": FORMAT, "steps": steps(), "outcome": outcome });
            let read = read(
                "https://app.example.com",
                &reply(200, &document.to_string()),
            );
            let read = read.unwrap_or_else(|_| panic!("{document:#}"));
            assert_eq!(serde_json::to_value(&read).unwrap(), document);
            assert!(super::super::text::write(&read).lines().count() > 25);
        }
    }

    #[test]
    fn what_is_no_explanation_is_told() {
        let mut large = reply(200, "");
        large.body = None;
        for (reply, message) in [
            (reply(200, "{}"), "in a form that this command cannot read"),
            (
                reply(
                    401,
                    r#"{"error":{"message":"the statement has expired (`exp`)"}}"#,
                ),
                "answers 401 (the statement has expired (`exp`)) and no explanation",
            ),
            (reply(503, "oh"), "answers 503 and no explanation"),
            (large, "more than 4 MiB"),
        ] {
            match read("https://app.example.com", &reply) {
                Err(Failure::Policy(told)) => assert!(told.contains(message), "{told}"),
                _ => panic!("{message}"),
            }
        }
    }
}
