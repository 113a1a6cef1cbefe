//! `hydrator`: a service that knows more of the session.

use edgekeeper_gateway::request::Listener;
use serde_json::{Value, json};

use crate::memory::{Reply, timeout, unreachable};
use crate::policy::{header, policy, session_rule, set};
use crate::site::{ADA, Forwarded, Sent, Site, get, header as header_of, message, values};

const API: &str = "http://hydrator.test/enrich";

fn hydrator(changes: Value) -> Value {
    let mut handler = json!({
        "handler": "hydrator",
        "endpoint": { "url": API },
        "retry": { "max_delay": 100, "give_up_after": 1_000 },
    });
    for (key, value) in changes.as_object().unwrap() {
        handler[key] = value.clone();
    }
    handler
}

fn site_with(mutators: Value, strict: bool) -> Site {
    let web = set(
        session_rule("web", "https://app.test/<[a-z]*><.*>"),
        "mutators",
        mutators,
    );
    let verbose = json!([{ "kind": { "handler": "json", "verbose": true } }]);
    Site::with_ada(policy([web]).with("errors", verbose).mode(strict))
}

/// A site whose hydrator answers with this, and whose upstream is told these headers afterwards.
fn site(answer: &Value, told: &[(&str, &str)], strict: bool) -> Site {
    let site = site_with(json!([hydrator(json!({})), header(told)]), strict);
    says(&site, Reply::new(200, answer.to_string()));
    site
}

fn says(site: &Site, reply: Reply) {
    site.memory.script("hydrator", "", reply);
}

fn send(site: &Site) -> Sent {
    site.send(get("https://app.test/ab/c?b=2&a=1", &[ADA, ("x-in", "in")]))
}

fn forwarded(site: &Site) -> Forwarded {
    send(site).forwarded()
}

fn asked(site: &Site) -> edgekeeper_gateway::runtime::Outbound {
    let mut asked = site.memory.asked();
    asked.retain(|asked| asked.url.contains("hydrator"));
    asked.pop().unwrap()
}

fn questions(site: &Site) -> usize {
    let asked = site.memory.asked();
    asked
        .iter()
        .filter(|asked| asked.url.contains("hydrator"))
        .count()
}

const ADAS: &str = r#"{"subject":"ada"}"#;

#[test]
fn what_it_adds_is_there_for_templates_and_the_upstream() {
    let answer = json!({
        "subject": "ada",
        "extra": { "role": "admin" },
        "header": { "X-Hyd": ["h1", "h2"], "x-lower": ["l"] },
        "zzz": 1,
    });
    for strict in [false, true] {
        let site = site(
            &answer,
            &[
                ("x-role", "{{ .Extra.role }}"),
                ("x-seen", "{{ .Header.Get \"X-Hyd\" }}"),
            ],
            strict,
        );
        let forwarded = forwarded(&site);
        assert_eq!(forwarded.values("x-role"), ["admin"]);
        assert_eq!(forwarded.values("x-hyd"), ["h1"], "the first value of each");
        assert_eq!(forwarded.values("x-seen"), ["h1"]);
        assert_eq!(forwarded.values("x-lower"), ["l"]);
    }
}

#[test]
fn it_is_shown_the_session_as_oathkeeper_writes_it() {
    let before = header(&[("x-before", "{{ .Subject }}")]);
    let site = site_with(json!([before, hydrator(json!({}))]), true);
    says(&site, Reply::new(200, ADAS));
    forwarded(&site);
    let asked = asked(&site);
    assert_eq!(asked.method, "POST");
    let document: Value = serde_json::from_slice(&asked.body).unwrap();
    assert_eq!(document["subject"], "ada");
    assert_eq!(document["extra"]["identity"]["traits"]["name"], "ada");
    assert_eq!(document["header"], json!({ "X-Before": ["ada"] }));
    assert_eq!(
        document["match_context"],
        json!({
            "regexp_capture_groups": ["ab", "/c"],
            "url": {
                "Scheme": "https", "Opaque": "", "User": null, "Host": "app.test", "Path": "/ab/c",
                "RawPath": "", "OmitHost": false, "ForceQuery": false, "RawQuery": "b=2&a=1",
                "Fragment": "", "RawFragment": "",
            },
            "method": "GET",
            "header": { "Cookie": ["ory_kratos_session=ada"], "X-In": ["in"] },
        })
    );
    assert!(
        String::from_utf8(asked.body)
            .unwrap()
            .contains("b=2\\u0026a=1"),
        "escaped as Go escapes"
    );
}

#[test]
fn nothing_that_was_set_is_null() {
    let site = site_with(json!([hydrator(json!({}))]), true);
    says(&site, Reply::new(200, ADAS));
    forwarded(&site);
    let document: Value = serde_json::from_slice(&asked(&site).body).unwrap();
    assert_eq!(document["header"], Value::Null);
}

#[test]
fn strict_mode_sends_the_clients_headers_and_default_mode_no_credential() {
    let sent = [
        ADA,
        ("x-session-token", "t"),
        ("x_session_token", "t"),
        ("x-in", "in"),
        ("accept-language", "de"),
        ("accept-encoding", "br"),
        ("connection", "close"),
        ("content-length", "5"),
        ("x-user", "root"),
    ];
    for strict in [false, true] {
        let site = site_with(
            json!([hydrator(json!({})), header(&[("x-user", "u")])]),
            strict,
        );
        says(&site, Reply::new(200, ADAS));
        site.memory
            .script("kratos", "", crate::site::session("ada").reply());
        site.send(get("https://app.test/ab", &sent)).forwarded();
        let asked = asked(&site);
        assert_eq!(values(&asked.headers, "x-in"), ["in"]);
        assert_eq!(values(&asked.headers, "accept-language"), ["de"]);
        assert_eq!(values(&asked.headers, "content-type"), ["application/json"]);
        for name in ["accept-encoding", "connection", "content-length", "host"] {
            assert!(!asked.headers.contains_key(name), "{name}");
        }
        let text = String::from_utf8(asked.body.clone()).unwrap();
        for name in ["cookie", "x-session-token", "x_session_token", "x-user"] {
            assert_eq!(asked.headers.contains_key(name), strict, "{name}");
        }
        assert_eq!(text.contains("ory_kratos_session"), strict, "{text}");
        assert_eq!(text.contains("root"), strict, "{text}");
    }
}

#[test]
fn its_own_credential_is_basic() {
    for strict in [false, true] {
        let basic = json!({ "basic": { "username": "u", "password": "p" } });
        let site = site_with(json!([hydrator(basic)]), strict);
        says(&site, Reply::new(200, ADAS));
        forwarded(&site);
        assert_eq!(
            values(&asked(&site).headers, "authorization"),
            ["Basic dTpw"]
        );
    }
}

#[test]
fn the_query_is_the_requests_unless_one_is_configured() {
    for (url, strict, expected) in [
        (API, true, "http://hydrator.test/enrich?a=1&b=2"),
        (API, false, "http://hydrator.test/enrich?a=1&b=2"),
        (
            "http://hydrator.test/x?fixed=1",
            true,
            "http://hydrator.test/x?a=1&b=2",
        ),
        (
            "http://hydrator.test/x?fixed=1",
            false,
            "http://hydrator.test/x?fixed=1",
        ),
        (
            "http://hydrator.test",
            true,
            "http://hydrator.test/?a=1&b=2",
        ),
    ] {
        let site = site_with(
            json!([hydrator(json!({ "endpoint": { "url": url } }))]),
            strict,
        );
        says(&site, Reply::new(200, ADAS));
        forwarded(&site);
        assert_eq!(asked(&site).url, expected);
    }
    let site = site_with(
        json!([hydrator(
            json!({ "endpoint": { "url": "http://hydrator.test/x?fixed=1" } })
        )]),
        true,
    );
    says(&site, Reply::new(200, ADAS));
    site.send(get("https://app.test/ab", &[ADA])).forwarded();
    assert_eq!(
        asked(&site).url,
        "http://hydrator.test/x",
        "Oathkeeper drops it in any case"
    );
}

#[test]
fn by_default_what_it_leaves_out_stays() {
    let told = [
        ("x-mail", "{{ .Extra.identity.traits.email }}"),
        (
            "x-cap",
            "{{ printIndex .MatchContext.RegexpCaptureGroups 0 }}",
        ),
        ("x-url", "{{ .MatchContext.URL }}"),
    ];
    let before = header(&[("x-before", "b")]);
    for answer in [
        json!({ "subject": "ada" }),
        json!({ "subject": "ada", "extra": null, "header": null, "match_context": null }),
        json!({ "subject": "ada", "header": { "X-Own": ["o"] } }),
        json!({ "subject": "ada", "match_context": { "method": "EVIL", "url": "nonsense" } }),
    ] {
        let site = site_with(json!([before, hydrator(json!({})), header(&told)]), false);
        says(&site, Reply::new(200, answer.to_string()));
        let forwarded = forwarded(&site);
        assert_eq!(forwarded.values("x-mail"), ["ada@example.com"], "{answer}");
        assert_eq!(forwarded.values("x-cap"), ["ab"], "{answer}");
        assert_eq!(
            forwarded.values("x-url"),
            ["https://app.test/ab/c?b=2&a=1"],
            "{answer}"
        );
        assert_eq!(forwarded.values("x-before"), ["b"], "{answer}");
    }
    let site = site(&json!({ "subject": "ada", "extra": {} }), &told, false);
    assert_eq!(
        forwarded(&site).values("x-mail"),
        [""],
        "what it says is empty is empty"
    );
}

#[test]
fn in_oathkeeper_what_it_leaves_out_is_gone() {
    let answer = json!({ "subject": "ada" });
    let before = header(&[("x-before", "b")]);
    let after = header(&[(
        "x-after",
        "{{ .MatchContext.URL }}|{{ .MatchContext.Header.Get \"X\" }}|{{ .Extra }}|{{ . | toJson }}",
    )]);
    let site = site_with(json!([before, hydrator(json!({})), after]), true);
    says(&site, Reply::new(200, answer.to_string()));
    let forwarded = forwarded(&site);
    assert!(forwarded.values("x-before").is_empty());
    assert_eq!(
        forwarded.values("x-after"),
        [
            r#"<nil>||map[]|{"subject":"ada","extra":null,"header":null,"match_context":{"regexp_capture_groups":null,"url":null,"method":"","header":null}}"#
        ]
    );
    for (template, said) in [
        (
            "{{ .MatchContext.URL.Path }}",
            "at <.MatchContext.URL.Path>: nil pointer evaluating *url.URL.Path",
        ),
        (
            "{{ .MatchContext.URL.String }}",
            "at <.MatchContext.URL.String>: error calling String: runtime error: invalid memory address or nil pointer dereference",
        ),
        (
            "{{ .MatchContext.URL.Query.Get \"a\" }}",
            "at <.MatchContext.URL.Query.Get>: error calling Query: runtime error: invalid memory address or nil pointer dereference",
        ),
    ] {
        let site = self::site(&answer, &[("x-after", template)], true);
        let message = message(&send(&site).answered());
        assert!(message.ends_with(said), "{message}");
    }
}

#[test]
fn in_oathkeeper_it_can_change_what_templates_see_of_the_request() {
    let answer = json!({
        "SUBJECT": "ada",
        "match_context": {
            "url": { "Scheme": "ftp", "Host": "h:1", "Path": "/a b", "RawQuery": "q=1", "Fragment": "f" },
            "method": "M",
            "header": { "X": ["1", "2"] },
            "regexp_capture_groups": ["g"],
        },
    });
    let told = [(
        "x-c",
        "{{ .MatchContext.URL }}|{{ .MatchContext.Method }}|{{ .MatchContext.Header.Get \"X\" }}|{{ .MatchContext.RegexpCaptureGroups }}|{{ .MatchContext.URL.Port }}|{{ .MatchContext.URL.Query.Get \"q\" }}|{{ .MatchContext.URL.EscapedPath }}",
    )];
    let forwarded = forwarded(&site(&answer, &told, true));
    assert_eq!(
        forwarded.values("x-c"),
        ["ftp://h:1/a%20b?q=1#f|M|1|[g]|1|1|/a%20b"]
    );
    assert_eq!(
        forwarded.url(),
        "http://up.test/ab/c?b=2&a=1",
        "but not the request"
    );
}

#[test]
fn an_answer_about_somebody_else_is_refused() {
    for subject in [json!("mallory"), json!(""), json!(null), json!("Ada")] {
        for (strict, said) in [
            (
                false,
                "An internal server error occurred, please contact the system administrator",
            ),
            (
                true,
                "The call to an external API returned an invalid JSON object",
            ),
        ] {
            let site = site(&json!({ "subject": subject }), &[], strict);
            let answer = send(&site).answered();
            assert_eq!(
                (answer.status, message(&answer).as_str()),
                (500, said),
                "{subject}"
            );
        }
    }
    let site = site_with(json!([hydrator(json!({}))]), true);
    says(&site, Reply::new(200, "null"));
    assert_eq!(
        message(&send(&site).answered()),
        "The call to an external API returned an invalid JSON object"
    );
}

#[test]
fn an_answer_that_is_none_is_no_session() {
    for (body, said) in [
        (
            "not json",
            "invalid character 'o' in literal null (expecting 'u')",
        ),
        ("", "EOF"),
        (r#"{"subject":"an"#, "unexpected EOF"),
        (
            "[1]",
            "json: cannot unmarshal array into Go value of type authn.AuthenticationSession",
        ),
        (
            r#"{"subject":5}"#,
            "json: cannot unmarshal number into Go struct field AuthenticationSession.subject of type string",
        ),
        (
            r#"{"subject":"ada","extra":"x"}"#,
            "json: cannot unmarshal string into Go struct field AuthenticationSession.extra of type map[string]interface {}",
        ),
        (
            r#"{"subject":"ada","header":{"X":"y"}}"#,
            "json: cannot unmarshal string into Go struct field AuthenticationSession.header of type []string",
        ),
        (
            r#"{"subject":"ada","match_context":{"url":"http://x"}}"#,
            "json: cannot unmarshal string into Go struct field MatchContext.match_context.url of type url.URL",
        ),
    ] {
        for strict in [false, true] {
            let site = site_with(json!([hydrator(json!({}))]), strict);
            says(&site, Reply::new(200, body));
            let sent = send(&site);
            if strict {
                assert_eq!(message(&sent.answered()), said, "{body}");
            } else if body.contains("match_context") {
                assert_eq!(sent.status(), 0, "by default that part is not looked at");
            } else {
                let answer = sent.answered();
                assert_eq!(answer.status, 503, "{body}");
                assert_eq!(header_of(&answer, "retry-after"), Some("5"));
            }
        }
    }
    let site = site_with(json!([hydrator(json!({}))]), true);
    says(&site, Reply::new(200, r#"{"subject":"ada"} garbage"#));
    assert_eq!(send(&site).status(), 0, "Go reads the first value");
}

#[test]
fn headers_that_no_request_can_have_are_refused_or_left_out() {
    for (name, value) in [("X A", "1"), ("", "1"), ("X-A", "a\nb")] {
        for strict in [false, true] {
            let answer = json!({ "subject": "ada", "header": { name: [value] } });
            assert_eq!(
                send(&site(&answer, &[], strict)).status(),
                500,
                "{name}: {value:?}"
            );
        }
    }
    let answer = json!({ "subject": "ada", "header": {
        "Host": ["evil"], "Content-Length": ["3"], "Connection": ["X-Q"], "X-E": [], "X-N": null,
    } });
    for strict in [false, true] {
        let forwarded = forwarded(&site(&answer, &[], strict));
        assert!(forwarded.values("host").is_empty());
        assert!(forwarded.values("connection").is_empty());
        assert_eq!(forwarded.values("x-e"), [""]);
        assert_eq!(forwarded.values("x-n"), [""]);
    }
}

#[test]
fn its_statuses_are_oathkeepers_errors_in_strict_mode() {
    for (status, basic, said) in [
        (
            401,
            false,
            "No credentials were provided in mutator configuration",
        ),
        (
            401,
            true,
            "Invalid credentials were provided in mutator configuration",
        ),
        (
            403,
            false,
            "The call to an external API returned a non-200 HTTP response",
        ),
        (
            404,
            false,
            "The call to an external API returned a non-200 HTTP response",
        ),
        (
            201,
            false,
            "The call to an external API returned a non-200 HTTP response",
        ),
        (
            302,
            false,
            "The call to an external API returned a non-200 HTTP response",
        ),
        (
            501,
            false,
            "The call to an external API returned a non-200 HTTP response",
        ),
    ] {
        let changes = if basic {
            json!({ "basic": { "username": "u", "password": "p" } })
        } else {
            json!({})
        };
        for strict in [false, true] {
            let site = site_with(json!([hydrator(changes.clone())]), strict);
            says(&site, Reply::new(status, ADAS));
            let answer = send(&site).answered();
            assert_eq!(answer.status, 500, "{status}");
            assert_eq!(message(&answer) == said, strict, "{status}");
            assert_eq!(questions(&site), 1);
        }
    }
}

#[test]
fn one_that_fails_is_asked_again_and_then_nobody_passes() {
    for reply in [
        Reply::new(500, ADAS),
        Reply::new(503, ""),
        Reply::new(429, ""),
        Reply::fails(unreachable()),
        Reply::fails(timeout()),
    ] {
        let site = site_with(json!([hydrator(json!({}))]), true);
        says(&site, reply.clone());
        let began = site.memory.milliseconds();
        let answer = send(&site).answered();
        assert_eq!((answer.status, questions(&site)), (500, 5));
        let said = "Post \"http://hydrator.test/enrich?a=1&b=2\": POST http://hydrator.test/enrich?a=1&b=2 giving up after 5 attempt(s)";
        assert!(message(&answer).starts_with(said), "{}", message(&answer));
        assert_eq!(
            site.memory.milliseconds() - began,
            400,
            "a tenth of a second between two"
        );

        let site = site_with(json!([hydrator(json!({}))]), false);
        says(&site, reply);
        let began = site.memory.milliseconds();
        let answer = send(&site).answered();
        assert_eq!(answer.status, 503);
        assert_eq!(header_of(&answer, "retry-after"), Some("5"));
        assert!(site.memory.milliseconds() - began <= 1_000);
    }
}

#[test]
fn one_that_recovers_has_failed_nobody() {
    let site = site_with(json!([hydrator(json!({}))]), false);
    says(&site, Reply::new(200, ADAS));
    send(&site);
    site.memory
        .next([Reply::new(502, ""), Reply::new(200, ADAS)]);
    assert_eq!(send(&site).status(), 0);
}

#[test]
fn an_answer_is_remembered_only_if_asked_for_and_only_so_long() {
    for strict in [false, true] {
        let site = site_with(json!([hydrator(json!({}))]), strict);
        says(&site, Reply::new(200, ADAS));
        forwarded(&site);
        forwarded(&site);
        assert_eq!(
            questions(&site),
            2,
            "there is no cache unless it is configured"
        );

        let told = header(&[("x-role", "{{ .Extra.role }}")]);
        let site = site_with(
            json!([hydrator(json!({ "cache_ttl": 60_000 })), told]),
            strict,
        );
        let answer = json!({ "subject": "ada", "extra": { "role": "admin" } });
        says(&site, Reply::new(200, answer.to_string()));
        forwarded(&site);
        assert_eq!(forwarded(&site).values("x-role"), ["admin"]);
        assert_eq!(questions(&site), 1);
        site.memory.pass_seconds(59);
        forwarded(&site);
        assert_eq!(questions(&site), 1);
        site.memory.pass_seconds(1);
        forwarded(&site);
        assert_eq!(questions(&site), 2, "a minute has passed");
    }
}

#[test]
fn what_is_remembered_is_for_the_same_question_alone() {
    let two = |one: Value, other: Value| {
        let rule = |id: &str, changes: Value| {
            set(
                session_rule(id, &format!("https://{id}.test/<.*>")),
                "mutators",
                json!([hydrator(changes)]),
            )
        };
        let site = Site::with_ada(policy([rule("one", one), rule("other", other)]));
        site.memory
            .script("kratos", "=bob", crate::site::session("bob").reply());
        site.memory.script("hydrator", "", Reply::new(200, ADAS));
        site
    };
    let cached = json!({ "cache_ttl": 60_000 });
    let elsewhere =
        json!({ "cache_ttl": 60_000, "endpoint": { "url": "http://other-hydrator.test/" } });
    let with_secret = json!({ "cache_ttl": 60_000, "basic": { "username": "u", "password": "p" } });
    for other in [elsewhere, with_secret] {
        let site = two(cached.clone(), other);
        site.send(get("https://one.test/x", &[ADA])).forwarded();
        site.send(get("https://other.test/x", &[ADA])).forwarded();
        assert_eq!(questions(&site), 2);
    }
    let site = two(cached.clone(), cached);
    site.send(get("https://one.test/x", &[ADA])).forwarded();
    for request in [
        get("https://one.test/y", &[ADA]),
        get("https://one.test/x?q", &[ADA]),
        get("https://one.test/x", &[ADA, ("x-in", "other")]),
        get("https://other.test/x", &[ADA]),
    ] {
        let before = questions(&site);
        site.send(request).forwarded();
        assert_eq!(questions(&site), before + 1);
    }
    let bob = site.send(get(
        "https://one.test/x",
        &[("cookie", "ory_kratos_session=bob")],
    ));
    assert_eq!(bob.status(), 500, "Bob is not told what is Ada's");
}

#[test]
fn a_refused_answer_is_not_remembered() {
    let site = site_with(json!([hydrator(json!({ "cache_ttl": 60_000 }))]), false);
    says(&site, Reply::new(200, r#"{"subject":"mallory"}"#));
    assert_eq!(send(&site).status(), 500);
    says(&site, Reply::new(200, ADAS));
    assert_eq!(send(&site).status(), 0);
}

#[test]
fn on_a_decision_go_does_not_find_a_name_in_lower_case() {
    let answer = json!({ "subject": "ada", "header": { "x-lower": ["v"], "X-Upper": ["v"] } });
    for (strict, expected) in [(false, "v"), (true, "")] {
        let web = set(
            session_rule("web", "https://app.test/<.*>"),
            "mutators",
            json!([hydrator(json!({}))]),
        );
        let site = Site::with_ada(
            policy([web])
                .with("api", json!({ "trust_forwarded_headers": true }))
                .mode(strict),
        );
        says(&site, Reply::new(200, answer.to_string()));
        let mut request = get(
            "http://gateway.test/decisions",
            &[
                ADA,
                ("x-forwarded-method", "GET"),
                ("x-forwarded-proto", "https"),
                ("x-forwarded-host", "app.test"),
                ("x-forwarded-uri", "/ab"),
            ],
        );
        request.listener = Listener::Api;
        let allowed = site.send(request).answered();
        assert_eq!(allowed.status, 200, "{}", allowed.body);
        assert_eq!(header_of(&allowed, "x-lower"), Some(expected));
        assert_eq!(header_of(&allowed, "x-upper"), Some("v"));
    }
}
