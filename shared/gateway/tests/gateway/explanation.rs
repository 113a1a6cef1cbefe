//! An explanation says what happened, in order, keeps every secret, and changes nothing.

use std::rc::Rc;

use edgekeeper_gateway::Gateway;
use edgekeeper_gateway::decision::Decision;
use edgekeeper_gateway::explanation::{Asked, Explanation, Outcome};
use edgekeeper_gateway::request::{Listener, RawRequest};
use serde_json::{Value, json};

use crate::explaining::Explaining;
use crate::memory::{Memory, Reply};
use crate::policy::{Document, cookie_session, header, id_token, policy, rule, session_rule, set};
use crate::site::{ADA, get, request, session};

/// A world whose Kratos knows Ada, and which has a key to sign with.
fn world(gateway: &Rc<Gateway>) -> Memory {
    let memory = Memory::new();
    memory.script("kratos", "ory_kratos_session=ada", session("ada").reply());
    memory.script(
        "kratos",
        "secondfactor",
        Reply::new(403, r#"{"error":{"id":"session_aal2_required"}}"#),
    );
    memory.script("kratos", "broken", Reply::new(500, "{}"));
    memory.run(gateway.scheduled(&memory)).unwrap();
    memory
}

pub(crate) fn explained(document: Document, raw: &RawRequest) -> Explanation {
    let gateway = document.gateway();
    let runtime = Explaining::wanted(world(&gateway));
    let decision = runtime.memory.run(gateway.decide(&runtime, raw.clone()));
    let asked = Asked {
        method: &raw.method,
        url: &raw.url,
        headers: &raw.headers,
    };
    Explanation::new(&gateway, asked, runtime.steps.take(), &decision)
}

/// The steps in short.
fn steps(explanation: &Explanation) -> Vec<String> {
    let document = serde_json::to_value(explanation).unwrap();
    let short = |step: &Value| {
        let part = |name: &str| match &step[name] {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        };
        let names = [
            "step",
            "id",
            "rule",
            "handler",
            "source",
            "verdict",
            "subject",
            "status",
            "differences",
            "by",
        ];
        let parts: Vec<String> = names.into_iter().filter_map(part).collect();
        parts.join(" ")
    };
    document["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(short)
        .collect()
}

pub(crate) fn outcome(explanation: &Explanation) -> String {
    match &explanation.outcome {
        Outcome::Forward { method, url, .. } => format!("{method} {url}"),
        Outcome::Answer { status, .. } => status.to_string(),
    }
}

fn handlers(name: &str, handlers: Value) -> impl Fn(Value) -> Value {
    move |rule| set(rule, name, handlers.clone())
}

fn fallback(handlers: Value) -> impl Fn(Document) -> Document {
    move |document| document.with("errors", handlers.clone())
}

pub(crate) const APP: &str = "http://app.test/<.*>";

#[test]
fn an_allowed_request_shows_who_may_and_what_the_upstream_is_told() {
    let app = handlers("mutators", json!([header(&[("X-User", "{{ .Subject }}")])]))(session_rule(
        "app", APP,
    ));
    let explanation = explained(policy([app]), &get("http://app.test/a?b=c", &[ADA]));
    assert_eq!(
        steps(&explanation),
        [
            "request",
            "rule app",
            "asked 200",
            "session miss active",
            "authenticator cookie_session responsible ada",
            "authorizer allow allowed",
            "mutator header",
        ]
    );
    assert_eq!(outcome(&explanation), "GET http://up.test/a?b=c");
    let Outcome::Forward { headers, .. } = &explanation.outcome else {
        panic!("it goes on");
    };
    let shown = |name: &str| {
        headers
            .iter()
            .filter(|header| header.name == name)
            .map(|header| header.value.as_str())
            .collect::<Vec<_>>()
    };
    assert_eq!(shown("x-user"), ["ada"]);
    assert_eq!(shown("host"), ["up.test"]);
    assert_eq!(shown("cookie"), ["ory_kratos_session=***"]);
}

#[test]
fn a_refusal_shows_who_said_no_and_who_tells_of_it() {
    let two = json!([cookie_session(), { "handler": "anonymous", "subject": "guest" }]);
    let app = || session_rule("app", APP);
    let listed = |emails: &[&str]| json!([{ "handler": "allowlist", "emails": emails, "email_from": "identity.traits.email" }]);
    for (what, document, raw, expected, status) in [
        (
            "nobody is responsible",
            policy([app()]),
            get("http://app.test/a", &[]),
            vec![
                "request",
                "rule app",
                "authenticator cookie_session not_responsible",
                "refusal 401",
                "error_handler json chosen",
            ],
            "401",
        ),
        (
            "Kratos knows no session",
            policy([app()]),
            get(
                "http://app.test/a",
                &[("cookie", "ory_kratos_session=unknown")],
            ),
            vec![
                "request",
                "rule app",
                "asked 401",
                "session miss none",
                "authenticator cookie_session refused",
                "refusal 401",
                "error_handler json chosen",
            ],
            "401",
        ),
        (
            "a second factor is wanted, and nobody is a guest for that",
            policy([set(app(), "authenticators", two.clone())]),
            get(
                "http://app.test/a",
                &[("cookie", "ory_kratos_session=secondfactor")],
            ),
            vec![
                "request",
                "rule app",
                "asked 403",
                "session miss second_factor",
                "authenticator cookie_session refused",
                "refusal 401",
                "error_handler json chosen",
            ],
            "401",
        ),
        (
            "Kratos fails",
            policy([app()]),
            get(
                "http://app.test/a",
                &[("cookie", "ory_kratos_session=broken")],
            ),
            vec![
                "request",
                "rule app",
                "asked 500",
                "session miss failed",
                "authenticator cookie_session refused",
                "refusal 503",
                "error_handler json chosen",
            ],
            "503",
        ),
        (
            "a guest may not",
            policy([set(
                set(app(), "authenticators", two),
                "authorizers",
                json!([{ "handler": "deny" }]),
            )]),
            get("http://app.test/a", &[]),
            vec![
                "request",
                "rule app",
                "authenticator cookie_session not_responsible",
                "authenticator anonymous responsible guest",
                "authorizer deny refused",
                "refusal 403",
                "error_handler json chosen",
            ],
            "403",
        ),
        (
            "not on the list",
            policy([set(app(), "authorizers", listed(&["bob@example.com"]))]),
            get("http://app.test/a", &[ADA]),
            vec![
                "request",
                "rule app",
                "asked 200",
                "session miss active",
                "authenticator cookie_session responsible ada",
                "authorizer allowlist refused",
                "refusal 403",
                "error_handler json chosen",
            ],
            "403",
        ),
        (
            "no rule",
            policy([app()]),
            get("http://other.test/a", &[]),
            vec![
                "request",
                "no_rule",
                r#"near_miss app [{"differs":"host","rule":"app.test"}]"#,
                "refusal 404",
                "error_handler json chosen",
            ],
            "404",
        ),
        (
            "a method that nobody serves",
            policy([app()]),
            request("TRACE", "http://app.test/a", &[]),
            vec!["refusal 405"],
            "405",
        ),
        (
            "a path without a meaning",
            policy([app()]),
            get("http://app.test/a%zz", &[]),
            vec!["refusal 400"],
            "400",
        ),
    ] {
        let explanation = explained(document, &raw);
        assert_eq!(steps(&explanation), expected, "{what}");
        assert_eq!(outcome(&explanation), status, "{what}");
    }
}

#[test]
fn an_error_handler_that_is_not_for_it_says_why() {
    let redirect = json!({
        "kind": { "handler": "redirect", "to": "http://login.test/", "code": 302 },
        "when": [{ "error": ["unauthorized"], "accept": ["text/html"] }],
    });
    let challenge = json!({
        "kind": { "handler": "www_authenticate", "realm": "app" },
        "when": [{ "error": ["forbidden"] }, { "content_type": ["application/json"] }],
    });
    let errors = fallback(json!([redirect, challenge, { "kind": { "handler": "json" } }]));
    let reasons = |raw: &RawRequest| -> (Vec<String>, String) {
        let explanation = explained(errors(policy([session_rule("app", APP)])), raw);
        let document = serde_json::to_value(&explanation).unwrap();
        let steps = document["steps"].as_array().unwrap().iter();
        let handlers = steps
            .filter(|step| step["step"] == "error_handler")
            .map(|step| {
                let reason = step["reason"].as_str().unwrap_or_default();
                format!(
                    "{} {} {}: {reason}",
                    step["of"].as_str().unwrap(),
                    step["number"],
                    step["verdict"].as_str().unwrap()
                )
            });
        (handlers.collect(), outcome(&explanation))
    };
    assert_eq!(
        reasons(&get("http://app.test/a", &[("accept", "*/*")])),
        (
            vec![
                "fallback 1 not_for_it: `accept` is text/html, the request accepts */*".to_owned(),
                "fallback 2 not_for_it: `error` is forbidden, this one is unauthorized; `content_type` is application/json, the request's is application/octet-stream".to_owned(),
                "fallback 3 chosen: ".to_owned(),
            ],
            "401".to_owned()
        )
    );
    assert_eq!(
        reasons(&get("http://app.test/a", &[("accept", "text/html")])),
        (vec!["fallback 1 chosen: ".to_owned()], "302".to_owned())
    );
    assert_eq!(
        reasons(&get(
            "http://app.test/a",
            &[
                ("accept", "text/html"),
                ("cookie", "ory_kratos_session=broken")
            ]
        ))
        .0[0],
        "fallback 1 not_for_it: `error` is unauthorized, this one is internal_server_error"
    );
}

#[test]
fn a_redirect_that_would_not_help_says_so() {
    let login =
        json!({ "kind": { "handler": "redirect", "to": "http://login.test/", "code": 302 } });
    let app = set(
        session_rule("app", APP),
        "authorizers",
        json!([{ "handler": "deny" }]),
    );
    let app = set(app, "errors", json!([login]));
    let explanation = explained(policy([app]), &get("http://app.test/a", &[ADA]));
    let document = serde_json::to_value(&explanation).unwrap();
    let step = &document["steps"].as_array().unwrap()[7];
    assert_eq!(
        *step,
        json!({
            "step": "error_handler", "of": "rule", "number": 1, "handler": "redirect", "verdict": "no_help",
            "reason": "logging in would not change anything: there is a session already",
        })
    );
    assert_eq!(outcome(&explanation), "403");
}

#[test]
fn a_minted_token_is_shown_decoded_and_never_as_it_is() {
    let told = json!([
        id_token(
            r#"{"mail": {{ .Extra.identity.traits.email | toJson }}}"#,
            60
        ),
        header(&[
            ("X-Copy", "{{ .IDToken }}"),
            ("X-Cookie", r#"{{ .MatchContext.Header.Get "Cookie" }}"#)
        ]),
    ]);
    let app = set(session_rule("app", APP), "mutators", told);
    let secret = "ory_kratos_session=ada-and-a-long-secret-value";
    let raw = get(
        "http://app.test/a",
        &[
            ("cookie", secret),
            ("authorization", "Basic bWVhbnQtdG8tYmUtc2VjcmV0"),
        ],
    );
    let explanation = explained(policy([app]), &raw);
    let text = serde_json::to_string(&explanation).unwrap();
    assert_eq!(outcome(&explanation), "GET http://up.test/a");
    for secret in ["a-long-secret", "bWVhbnQ", "eyJ"] {
        assert!(!text.contains(secret), "{secret} is shown: {text}");
    }
    let document: Value = serde_json::from_str(&text).unwrap();
    let token = &document["steps"][6]["token"];
    assert_eq!(token["header"]["alg"], "EdDSA", "{document}");
    assert_eq!(token["claims"]["mail"], "ada@example.com");
    assert_eq!(token["claims"]["sub"], "ada");
}

#[test]
fn no_credential_of_the_request_is_shown_wherever_it_turns_up() {
    let bearer = json!({
        "handler": "bearer_token",
        "check": cookie_session()["check"],
        "token_from": { "query_parameter": "access" },
    });
    let app = set(rule("app", APP), "authenticators", json!([bearer]));
    let raw = get(
        "http://app.test/a?access=0123456789%2bsecret&x_token=abcdefghij&p%61ssword=tiny&v=1;token=semi;colon&page=2",
        &[
            ("x-session-token", "ory_st_0123456789"),
            ("x-api-key", "short"),
            ("cookie", "a=12345678; b=x"),
            ("proxy-authorization", "Basic 9876543210"),
            ("x-page", "12345678"),
        ],
    );
    let open = explained(policy([rule("app", APP)]), &raw);
    let text = serde_json::to_string(&open).unwrap();
    for secret in [
        "ory_st_0123456789",
        "short",
        "12345678",
        "9876543210",
        "abcdefghij",
        "b=x",
        "tiny",
        "semi",
        "colon",
    ] {
        assert!(!text.contains(secret), "{secret} is shown: {text}");
    }
    assert!(text.contains("page=2"), "what is no secret stays: {text}");
    let checked = explained(policy([app]), &raw);
    let text = serde_json::to_string(&checked).unwrap();
    assert!(!text.contains("0123456789"), "{text}");
}

#[test]
fn a_cookie_without_a_name_is_a_credential_like_any_other() {
    let raw = get(
        "http://app.test/a",
        &[
            ("cookie", "0123456789abcdef; a=12345678; tiny;"),
            ("x-page", "see 0123456789abcdef"),
        ],
    );
    let told = explained(policy([rule("app", APP)]), &raw);
    let text = serde_json::to_string(&told).unwrap();
    assert!(
        text.contains(r#"{"name":"cookie","value":"***; a=***; ***; "}"#),
        "{text}"
    );
    assert!(text.contains("see ***"), "{text}");
}

#[test]
fn a_quoted_cookie_is_masked_also_where_a_template_escapes_its_quotes() {
    let raw = get(
        "http://app.test/a",
        &[("cookie", r#"a="0123456789abcdef""#)],
    );
    let quoted = header(&[(
        "x-all",
        r#"{{ .MatchContext.Header.Get "Cookie" | quote }}"#,
    )]);
    let app = set(rule("app", APP), "mutators", json!([quoted]));
    let text = serde_json::to_string(&explained(policy([app]), &raw)).unwrap();
    assert!(text.contains("x-all"), "{text}");
    assert!(!text.contains("0123456789abcdef"), "{text}");
}

#[test]
fn the_query_of_another_url_in_the_request_is_masked_as_its_own() {
    let urls = |path: &str| format!("{path}?x_token=abcdefghij&p%61ssword=tiny&page=2");
    let (forwarded, referrer) = (urls("/b"), urls("http://app.test/c"));
    let headers = [
        ("x-forwarded-uri", forwarded.as_str()),
        ("referer", &referrer),
        ("x-page", "see abcdefghij"),
    ];
    let told = explained(
        policy([rule("app", APP)]),
        &get("http://app.test/a", &headers),
    );
    let text = serde_json::to_string(&told).unwrap();
    for shown in [
        "http://app.test/c?x_token=***&p%61ssword=***&page=2",
        "see ***",
    ] {
        assert!(text.contains(shown), "{shown}: {text}");
    }

    // A decision's own URL is there, and so is its way back from a login.
    let login = json!({ "kind": { "handler": "redirect", "to": "http://login.test/", "code": 302, "return_to_query_param": "back" } });
    let document = |strict: bool| {
        fallback(json!([login]))(policy([session_rule("app", APP)]))
            .with("api", json!({ "trust_forwarded_headers": true }))
            .with("strict", json!(strict))
    };
    let raw = RawRequest {
        listener: Listener::Api,
        ..request(
            "GET",
            "http://api.test/decisions",
            &[
                ("x-forwarded-method", "GET"),
                ("x-forwarded-proto", "http"),
                ("x-forwarded-host", "app.test"),
                ("x-forwarded-uri", "/a?x_token=abc%2Bdefghij&page=2"),
            ],
        )
    };
    for strict in [false, true] {
        let text = serde_json::to_string(&explained(document(strict), &raw)).unwrap();
        assert!(
            text.contains("login.test") && !text.contains("defghij"),
            "strict {strict}: {text}"
        );
    }
}

#[test]
fn what_no_rule_decides_is_named() {
    let document =
        || policy([rule("app", APP)]).with("api", json!({ "trust_forwarded_headers": true }));
    let api = |method: &str, path: &str, headers: &[(&str, &str)]| RawRequest {
        listener: Listener::Api,
        ..request(method, &format!("http://api.test{path}"), headers)
    };
    for (raw, first, expected) in [
        (
            api("GET", "/health/alive", &[]),
            "own the endpoint /health/alive",
            "200",
        ),
        (
            api("GET", "/nothing", &[]),
            "own the API, which has no such endpoint",
            "404",
        ),
        (
            api(
                "GET",
                "/decisions",
                &[
                    ("x-forwarded-method", "POST"),
                    ("x-forwarded-proto", "http"),
                    ("x-forwarded-host", "app.test"),
                    ("x-forwarded-uri", "/a"),
                ],
            ),
            "own the endpoint /decisions: the request that is meant is judged, not sent on",
            "200",
        ),
    ] {
        let explanation = explained(document(), &raw);
        assert_eq!(steps(&explanation)[0], first);
        assert_eq!(outcome(&explanation), expected, "{first}");
    }
}

/// What becomes of a request, whole.
fn whole(decision: &Decision) -> String {
    match decision {
        Decision::Answer(answer) => format!("{answer:?}"),
        Decision::Forward(forward) => {
            format!(
                "{} {:?} {:?} {:?}",
                forward.url, forward.binding, forward.host, forward.edits
            )
        }
    }
}

#[test]
fn explaining_changes_no_decision() {
    let errors = json!([
        { "kind": { "handler": "redirect", "to": "http://login.test/", "code": 302, "return_to_query_param": "return_to" },
          "when": [{ "accept": ["text/html"] }] },
        { "kind": { "handler": "json", "verbose": true } },
    ]);
    let told = json!([
        id_token("{}", 60),
        header(&[("X-User", "{{ .Subject }}"), ("X-Token", "{{ .IDToken }}")]),
        { "handler": "cookie", "cookies": [["user", "{{ .Subject }}"]] },
    ]);
    let in_strict = json!([id_token("{}", 60), header(&[("X-User", "{{ .Subject }}")])]);
    let document = |strict: bool| {
        let told = if strict { &in_strict } else { &told };
        policy([
            set(
                session_rule("session", "http://app.test/s/<.*>"),
                "mutators",
                told.clone(),
            ),
            rule("open", "http://app.test/<(?!s/|two).*>"),
            set(
                rule("deny", "http://app.test/s"),
                "authorizers",
                json!([{ "handler": "deny" }]),
            ),
            set(
                rule("none", "http://none.test/<.*>"),
                "upstream",
                Value::Null,
            ),
            rule("two-1", "http://app.test/two"),
            rule("two-2", "http://app.test/<two>"),
        ])
        .with("errors", errors.clone())
        .mode(strict)
    };
    let mut requests = 0;
    for strict in [false, true] {
        for method in ["GET", "POST", "PATCH", "OPTIONS", "TRACE", "get"] {
            for url in [
                "http://app.test/",
                "http://app.test/a?b=c",
                "http://app.test/s",
                "http://app.test/s/",
                "http://app.test/s/x",
                "http://app.test/s/x/",
                "http://app.test/two",
                "https://app.test/a",
                "http://APP.test/a",
                "http://none.test/a",
                "http://other.test/a",
                "http://app.test/a%2fb",
                "http://app.test/a;x=y",
                "http://app.test/s;x/y",
                "http://app.test/.well-known/jwks.json",
                "ftp://app.test/",
            ] {
                for headers in [
                    &[][..],
                    &[ADA],
                    &[ADA, ADA],
                    &[
                        ("cookie", "ory_kratos_session=unknown"),
                        ("accept", "text/html"),
                    ],
                    &[("cookie", "ory_kratos_session=secondfactor")],
                    &[("cookie", "ory_kratos_session=broken")],
                    &[("authorization", "Bearer x"), ("accept", "text/html")],
                    &[("expect", "more")],
                ] {
                    let raw = request(method, url, headers);
                    let gateway = document(strict).gateway();
                    let memory = world(&gateway);
                    let silent = memory.run(gateway.decide(&memory, raw.clone()));
                    let gateway = document(strict).gateway();
                    let telling = Explaining::wanted(world(&gateway));
                    let told = telling.memory.run(gateway.decide(&telling, raw));
                    assert_eq!(
                        whole(&told),
                        whole(&silent),
                        "strict {strict}: {method} {url} {headers:?}"
                    );
                    assert_eq!(telling.memory.take_log(), memory.take_log());
                    assert_eq!(telling.memory.questions(), memory.questions());
                    requests += 1;
                }
            }
        }
    }
    assert_eq!(requests, 2 * 6 * 16 * 8);
}
