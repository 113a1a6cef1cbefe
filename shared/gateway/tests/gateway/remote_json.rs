//! `remote_json`: a service that is shown a JSON document decides.

use serde_json::{Value, json};

use crate::memory::Reply;
use crate::policy::{policy, rule, set};
use crate::site::{Site, get, message, values};

const SERVICE: &str = "http://authz.test/check";

fn site_with(changes: Value, strict: bool) -> Site {
    let mut handler = json!({
        "handler": "remote_json",
        "endpoint": { "url": SERVICE },
        "payload": "{}",
        "retry": { "max_delay": 100, "give_up_after": 1_000 },
    });
    for (key, value) in changes.as_object().unwrap() {
        handler[key] = value.clone();
    }
    let web = set(
        rule("web", "https://app.test/<[a-z]+>/<[a-z]*>"),
        "authorizers",
        json!([handler]),
    );
    let web = set(
        web,
        "authenticators",
        json!([{ "handler": "anonymous", "subject": "gu\"est" }]),
    );
    let verbose = json!([{ "kind": { "handler": "json", "verbose": true } }]);
    let site = Site::new(policy([web]).with("errors", verbose).mode(strict));
    site.memory.script("authz", "", Reply::new(200, "{}"));
    site
}

/// What the service is shown, or the status and message of the refusal.
fn shown(payload: &str, strict: bool) -> Result<Value, (u16, String)> {
    let site = site_with(json!({ "payload": payload }), strict);
    let sent = site.send(get("https://app.test/ab/cd?a=1", &[("x-foo", "f\"oo")]));
    if sent.status() == 0 {
        let asked = site.memory.asked();
        assert_eq!(
            values(&asked[0].headers, "content-type"),
            ["application/json"]
        );
        return Ok(serde_json::from_slice(&asked[0].body).unwrap());
    }
    assert_eq!(site.memory.questions(), 0, "nobody is asked");
    let answer = sent.answered();
    Err((answer.status, message(&answer)))
}

#[test]
fn the_payload_is_made_of_session_and_request() {
    for strict in [false, true] {
        let payload = r#"{"m":"{{ .MatchContext.Method }}","u":"{{ .MatchContext.URL }}","c":{{ .MatchContext.RegexpCaptureGroups | toJson }},"e":{{ .Extra | toJson }},"q":"{{ .MatchContext.URL.Query.Get "a" }}"}"#;
        assert_eq!(
            shown(payload, strict).unwrap(),
            json!({ "m": "GET", "u": "https://app.test/ab/cd?a=1", "c": ["ab", "cd"], "e": null, "q": "1" })
        );
    }
}

#[test]
fn by_default_no_value_leaves_its_string() {
    let payload = r#"{"s":"{{ .Subject }}","h":"{{ .MatchContext.Header.Get "X-Foo" }}"}"#;
    assert_eq!(
        shown(payload, false).unwrap(),
        json!({ "s": "gu\"est", "h": "f\"oo" })
    );
    let (status, said) = shown(payload, true).unwrap_err();
    assert_eq!(status, 500);
    assert_eq!(
        said,
        "payload is not a JSON text: invalid character 'e' after object key:value pair"
    );
}

#[test]
fn a_payload_that_is_no_json_is_shown_to_nobody() {
    for (payload, said) in [
        (
            "",
            "payload is not a JSON text: unexpected end of JSON input",
        ),
        (
            "{\"s\": guest }",
            "payload is not a JSON text: invalid character 'g' looking for beginning of value",
        ),
        (
            "{} {}",
            "payload is not a JSON text: invalid character '{' after top-level value",
        ),
    ] {
        assert_eq!(
            shown(payload, true),
            Err((500, said.to_owned())),
            "{payload}"
        );
        let (status, message) = shown(payload, false).unwrap_err();
        assert_eq!(status, 500);
        assert!(!message.contains("payload"), "{message}");
    }
}

#[test]
fn oathkeeper_names_a_payload_by_its_hash() {
    assert_eq!(
        shown("{{ .Nope }}", true).unwrap_err().1,
        "template: 89d639b41a22df3ef1195b0ad5f36ef34090d1722e63cdef62118f47fa0db7c4:1:3: executing \"89d639b41a22df3ef1195b0ad5f36ef34090d1722e63cdef62118f47fa0db7c4\" at <.Nope>: can't evaluate field Nope in type *authn.AuthenticationSession"
    );
    assert_eq!(
        shown("{{ bad", true).unwrap_err().1,
        "template: 158bda86834a090b91f23688bb888e3bcfbc767797494a8faf0524ce0c44eeb1:1: function \"bad\" not defined"
    );
}

#[test]
fn headers_go_there_and_back() {
    for strict in [false, true] {
        let site = site_with(
            json!({
                "headers": [["X-H", "h"], ["Content-Type", "application/x"]],
                "forward_response_headers_to_upstream": ["x-authz-user"],
            }),
            strict,
        );
        let reply = Reply::new(200, "not json, and nobody reads it").header("x-authz-user", "ada");
        site.memory.script("authz", "", reply);
        let forwarded = site
            .send(get("https://app.test/a/b", &[("x-authz-user", "root")]))
            .forwarded();
        assert_eq!(forwarded.values("x-authz-user"), ["ada"]);
        let asked = site.memory.asked().remove(0);
        assert_eq!(values(&asked.headers, "x-h"), ["h"]);
        assert_eq!(values(&asked.headers, "content-type"), ["application/x"]);
        assert_eq!(asked.method, "POST");
        assert_eq!(
            forwarded.forward.body, None,
            "the client's body is not read"
        );
    }
}

#[test]
fn its_answers_mean_what_remotes_mean() {
    for (status, strict, expected) in [
        (200, false, 0),
        (403, false, 403),
        (401, false, 403),
        (401, true, 500),
        (204, true, 500),
        (302, false, 500),
        (500, false, 503),
        (500, true, 500),
        (429, false, 503),
        (429, true, 500),
    ] {
        let site = site_with(json!({}), strict);
        site.memory.script("authz", "", Reply::new(status, ""));
        let sent = site.send(get("https://app.test/a/b", &[]));
        assert_eq!(sent.status(), expected, "{status}, strict: {strict}");
    }
}
