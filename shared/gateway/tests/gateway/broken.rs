//! Rules that Oathkeeper cannot run, in strict mode: it starts with them, and they fail where it comes upon what is wrong.

use serde_json::{Value, json};

use crate::oathkeeper::compiled;
use crate::site::{ADA, get, header, session};

const CONFIG: &str = r#"
access_rules: { repositories: ["file://./rules.json"] }
authenticators:
  noop: { enabled: true }
  anonymous: { enabled: true }
  unauthorized: { enabled: true }
  cookie_session:
    enabled: true
    config: { check_session_url: http://kratos.test/sessions/whoami, preserve_path: true }
authorizers: { allow: { enabled: true }, deny: { enabled: true } }
mutators: { noop: { enabled: true }, header: { enabled: true, config: { headers: {} } } }
errors: { handlers: { json: { enabled: true, config: { verbose: true } } } }
"#;

const INTERNAL: &str = "An internal server error occurred, please contact the system administrator";

/// A rule for everything, with some of its parts replaced.
fn rule(parts: Value) -> String {
    let mut rule = json!({
        "id": "web",
        "match": { "url": "http://app.test/<.*>", "methods": ["GET"] },
        "authenticators": [{ "handler": "noop" }],
        "authorizer": { "handler": "allow" },
        "mutators": [{ "handler": "noop" }],
        "upstream": { "url": "http://up.test" },
    });
    let own = rule.as_object_mut().unwrap();
    for (name, part) in parts.as_object().unwrap() {
        match part {
            Value::Null => drop(own.remove(name)),
            part => drop(own.insert(name.clone(), part.clone())),
        }
    }
    json!([rule]).to_string()
}

/// What the error says: status, message and reason.
fn told(config: &str, parts: Value) -> (u16, String, Value) {
    let answer = compiled(config, &rule(parts), true)
        .send(get("http://app.test/x", &[]))
        .answered();
    assert_eq!(header(&answer, "content-type"), Some("application/json"));
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    let error = &body["error"];
    (
        answer.status,
        error["message"].as_str().unwrap().to_owned(),
        error["reason"].clone(),
    )
}

#[test]
fn a_handler_that_cannot_run_is_a_500_that_says_why() {
    let missing = "requested pipeline handler does not exist";
    for (parts, message, reason) in [
        (
            json!({ "authenticators": [{ "handler": "nope" }] }),
            missing,
            Value::Null,
        ),
        (
            json!({ "authorizer": { "handler": "nope" } }),
            missing,
            Value::Null,
        ),
        (
            json!({ "authorizer": { "handler": "" } }),
            missing,
            Value::Null,
        ),
        (json!({ "authorizer": null }), missing, Value::Null),
        (
            json!({ "mutators": [{ "handler": "nope" }] }),
            missing,
            Value::Null,
        ),
        (
            json!({ "authenticators": [{ "handler": "jwt" }] }),
            "authenticator matching this route is misconfigured or disabled",
            json!("Authenticator \"jwt\" is disabled per configuration."),
        ),
        (
            json!({ "authorizer": { "handler": "remote" } }),
            "authorizer matching this route is misconfigured or disabled",
            json!("Authorizer \"remote\" is disabled per configuration."),
        ),
        (
            json!({ "mutators": [{ "handler": "cookie" }] }),
            "mutator matching this route is misconfigured or disabled",
            json!("Mutator \"cookie\" is disabled per configuration."),
        ),
        (
            json!({ "authenticators": [{ "handler": "anonymous", "config": { "zzz": 1 } }] }),
            "authenticator matching this route is misconfigured or disabled",
            json!(
                "Configuration for authenticator \"anonymous\" could not be validated: additional property zzz is not allowed"
            ),
        ),
        (
            json!({ "authenticators": [] }),
            "No authentication handler was set in the rule",
            Value::Null,
        ),
        (
            json!({ "mutators": [] }),
            "No mutation handler was set in the rule",
            Value::Null,
        ),
    ] {
        let expected = (500, message.to_owned(), reason);
        assert_eq!(told(CONFIG, parts.clone()), expected, "{parts}");
    }
}

#[test]
fn what_comes_before_the_broken_handler_still_decides() {
    let broken = json!({ "handler": "nope" });
    for (parts, status) in [
        (
            json!({ "authenticators": [{ "handler": "unauthorized" }], "authorizer": broken }),
            401,
        ),
        (
            json!({ "authenticators": [{ "handler": "noop" }, broken] }),
            0,
        ),
        (
            json!({ "authorizer": { "handler": "deny" }, "mutators": [broken] }),
            403,
        ),
        (json!({ "errors": [broken] }), 0),
    ] {
        let sent = compiled(CONFIG, &rule(parts.clone()), true).send(get("http://app.test/x", &[]));
        assert_eq!(sent.status(), status, "{parts}");
    }
}

#[test]
fn an_error_handler_that_cannot_run_answers_instead_of_the_refusal() {
    let denied = |errors: Value| json!({ "authorizer": { "handler": "deny" }, "errors": errors });
    assert_eq!(
        told(CONFIG, denied(json!([{ "handler": "nope" }]))),
        (
            500,
            INTERNAL.to_owned(),
            json!(
                "Unable to find error handler named: nope. This is a configuration issue and should be reported to the administrator."
            ),
        )
    );
    assert_eq!(
        told(CONFIG, denied(json!([{ "handler": "redirect" }]))),
        (
            500,
            "error handler matching this route is misconfigured or disabled".to_owned(),
            json!("Error handler \"redirect\" is disabled per configuration."),
        )
    );
    let fallback = CONFIG.replace("errors: {", "errors: { fallback: [redirect, json],");
    assert_eq!(
        told(&fallback, denied(json!([]))),
        (
            500,
            INTERNAL.to_owned(),
            json!(
                "Fallback error handler \"redirect\" was requested but is disabled or unknown. This is a configuration issue and should be reported to the administrator."
            ),
        ),
        "the ones after it are not looked at"
    );
}

#[test]
fn a_template_that_cannot_be_read_fails_the_requests_that_need_it() {
    let header = |template: &str| json!({ "mutators": [{ "handler": "header", "config": { "headers": { "X-User": template } } }] });
    for (template, error) in [
        ("{{ nofn }}", "function \"nofn\" not defined"),
        ("{{ .Subject", "unclosed action"),
    ] {
        let (status, message, _) = told(CONFIG, header(template));
        assert_eq!(status, 500);
        let expected = format!(
            "error parsing headers template \"{template}\" in rule \"web\": template: web:X-User:1: {error}"
        );
        assert_eq!(message, expected);
    }
}

#[test]
fn a_rule_without_methods_is_for_no_request() {
    let parts = json!({ "match": { "url": "http://app.test/<.*>", "methods": [] } });
    let site = compiled(CONFIG, &rule(parts), true);
    assert_eq!(site.send(get("http://app.test/x", &[])).status(), 404);
}

#[test]
fn a_rule_that_is_whole_serves_beside_a_broken_one() {
    let broken = rule(json!({ "authenticators": [{ "handler": "nope" }] }));
    let whole = rule(
        json!({ "id": "other", "match": { "url": "http://other.test/<.*>", "methods": ["GET"] } }),
    );
    let both = format!(
        "{},{}",
        broken.trim_end_matches(']'),
        whole.trim_start_matches('[')
    );
    let site = compiled(CONFIG, &both, true);
    site.memory.script("", "=ada", session("ada").reply());
    assert_eq!(site.send(get("http://app.test/x", &[ADA])).status(), 500);
    assert_eq!(site.send(get("http://other.test/x", &[ADA])).status(), 0);
}
