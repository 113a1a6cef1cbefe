//! `bearer_token`: what a session check is asked about a token, and what its answer makes of a request.

use serde_json::{Value, json};

use crate::memory::{Reply, timeout, unreachable};
use crate::site::{Site, get, header, request, session};
use crate::tokens::{self, URL, chain, headers, refused, told};

fn site(config: &Value, strict: bool) -> Site {
    tokens::site("bearer_token", config, strict)
        .answers(Reply::new(200, r#"{"sub":"ada","extra":{"a":1}}"#))
}

#[test]
fn any_service_that_knows_the_token_says_who_it_is() {
    for strict in [false, true] {
        let site = site(&json!({ "preserve_path": true }), strict);
        assert_eq!(told(site.bearer("t")), ("ada".to_owned(), json!({"a": 1})));
        let asked = &site.memory.asked()[0];
        assert_eq!(
            (asked.method.as_str(), asked.url.as_str()),
            ("GET", "http://check.test/session")
        );
        assert_eq!(headers(asked), ["authorization: Bearer t"]);
        assert!(asked.body.is_empty());
        assert_eq!((asked.timeout, asked.largest), (5_000, 1 << 20));
    }
}

#[test]
fn the_token_is_sent_as_a_bearer_token_wherever_it_was() {
    let x_tok = json!({ "token_from": { "header": "X-Tok" } });
    let x_tok_sent =
        json!({ "token_from": { "header": "X-Tok" }, "forward_http_headers": ["X-Tok"] });
    let cookie = json!({ "token_from": { "cookie": "tok" } });
    let cookie_sent =
        json!({ "token_from": { "cookie": "tok" }, "forward_http_headers": ["Cookie"] });
    let query = json!({ "token_from": { "query_parameter": "tok" } });
    let own_header = ("x-tok", "t");
    let own_cookie = ("cookie", "theme=dark; tok=t");
    let other = ("authorization", "Bearer other");
    for (config, url, sent, default, strict) in [
        (
            &x_tok,
            URL,
            vec![own_header],
            vec!["authorization: Bearer t"],
            vec![],
        ),
        (
            &x_tok,
            URL,
            vec![own_header, other],
            vec!["authorization: Bearer t"],
            vec!["authorization: Bearer other"],
        ),
        (
            &x_tok_sent,
            URL,
            vec![own_header],
            vec!["authorization: Bearer t", "x-tok: t"],
            vec!["x-tok: t"],
        ),
        (
            &cookie,
            URL,
            vec![own_cookie],
            vec!["authorization: Bearer t"],
            vec![],
        ),
        (
            &cookie_sent,
            URL,
            vec![own_cookie],
            vec!["authorization: Bearer t", "cookie: tok=t"],
            vec!["cookie: theme=dark; tok=t"],
        ),
        (
            &query,
            "https://app.test/x?tok=t",
            vec![],
            vec!["authorization: Bearer t"],
            vec![],
        ),
    ] {
        for (is_strict, expected) in [(false, default), (true, strict)] {
            let site = site(config, is_strict);
            assert_eq!(site.send(get(url, &sent)).status(), 0, "{config}");
            assert_eq!(headers(&site.memory.asked()[0]), expected, "{config}");
        }
    }
}

#[test]
fn the_scheme_is_taken_off_whatever_the_spelling_of_authorization() {
    let config = json!({ "token_from": { "header": "authorization" } });
    let site_ = site(&config, false);
    assert_eq!(site_.bearer("t").status(), 0);
    assert_eq!(
        headers(&site_.memory.asked()[0]),
        ["authorization: Bearer t"]
    );
    let strict = site(
        &json!({ "token_from": { "header": "authorization" }, "prefix": "Bearer " }),
        true,
    );
    assert_eq!(
        strict.bearer("t").status(),
        0,
        "Oathkeeper takes the header whole"
    );
}

#[test]
fn strict_mode_sends_authorization_as_it_came() {
    let site = site(&json!({}), true);
    for value in ["bearer t", "Bearer  t", "BEARER t"] {
        let sent = site.send(get(URL, &[("authorization", value)]));
        assert_eq!(sent.status(), 0);
        let asked = site.memory.asked();
        assert_eq!(
            headers(asked.last().unwrap()),
            [format!("authorization: {value}")]
        );
    }
    assert_eq!(site.memory.questions(), 3);
}

#[test]
fn every_key_of_the_check_means_what_it_means_to_a_session() {
    let config = json!({
        "force_method": "POST",
        "preserve_host": true,
        "preserve_path": true,
        "preserve_query": false,
        "additional_headers": { "X-A": "1", "Authorization": "Basic x" },
        "forward_http_headers": ["X-B"],
        "subject_from": "user.id",
        "extra_from": "user",
    });
    for strict in [false, true] {
        let site = tokens::site("bearer_token", &config, strict)
            .answers(Reply::new(200, r#"{"user":{"id":"ada"}}"#));
        let sent = site.send(request(
            "POST",
            "https://app.test/x?y=1",
            &[("authorization", "Bearer t"), ("x-b", "2"), ("x-c", "3")],
        ));
        assert_eq!(told(sent), ("ada".to_owned(), json!({"id": "ada"})));
        let asked = &site.memory.asked()[0];
        assert_eq!(asked.url, "http://check.test/session?y=1");
        assert_eq!(asked.method, "POST");
        assert_eq!(
            headers(asked),
            [
                "authorization: Basic x",
                "x-a: 1",
                "x-b: 2",
                "x-forwarded-host: app.test"
            ]
        );
    }
}

#[test]
fn without_a_token_of_its_prefix_the_next_authenticator_is_asked() {
    let authenticators = json!([
        { "handler": "bearer_token", "config": { "prefix": "va" } },
        { "handler": "anonymous", "config": { "subject": "guest" } },
    ]);
    for strict in [false, true] {
        let site =
            chain(authenticators.clone(), strict).answers(Reply::new(200, r#"{"sub":"ada"}"#));
        assert_eq!(site.bearer("valid").status(), 0);
        assert_eq!(told(site.send(get(URL, &[]))).0, "guest");
        assert_eq!(
            site.bearer("other").status(),
            401,
            "anonymous wants no Authorization"
        );
        assert_eq!(site.memory.questions(), 1);
    }
}

#[test]
fn only_who_has_a_name_gets_in() {
    for (body, strict) in [
        (r#"{"active":true}"#, 0),
        (r#"{"sub":""}"#, 0),
        (r#"{"sub":null}"#, 0),
        ("{}", 0),
        (r#"{"sub":"ada","active":false}"#, 401),
        (r#"{"sub":"ada","expires_at":"2001-01-01T00:00:00Z"}"#, 401),
        (r#"{"sub":"ada","identity":{}}"#, 401),
        (r#"{"sub":5}"#, 403),
        (r#"{"sub":"ada","extra":[1]}"#, 403),
    ] {
        for (is_strict, expected) in [
            (false, if strict == 0 { 401 } else { strict }),
            (true, strict),
        ] {
            let site =
                tokens::site("bearer_token", &json!({}), is_strict).answers(Reply::new(200, body));
            assert_eq!(site.bearer("t").status(), expected, "{body} {is_strict}");
        }
    }
}

#[test]
fn strict_mode_says_why_in_gos_words() {
    for (reply, expected) in [
        (
            Reply::new(200, r#"{"sub":5}"#),
            "The configured subject_from GJSON path returned an error on JSON output: json: cannot unmarshal number into Go value of type string",
        ),
        (
            Reply::new(200, r#"{"sub":"ada","extra":[1]}"#),
            "The configured extra_from GJSON path returned an error on JSON output: json: cannot unmarshal array into Go value of type map[string]interface {}",
        ),
        (
            Reply::fails(unreachable()),
            "Get \"http://check.test/x\": dial tcp check.test:80: connect: connection refused",
        ),
    ] {
        let site = tokens::site("bearer_token", &json!({}), true).answers(reply);
        let (status, _, reason) = refused(site.bearer("t"));
        assert_eq!((status, reason.as_str()), (403, expected));
    }
}

#[test]
fn a_check_that_cannot_tell_is_not_a_no() {
    for (reply, default, strict) in [
        (Reply::new(401, ""), 401, 401),
        (Reply::new(403, ""), 401, 401),
        (Reply::new(404, ""), 503, 401),
        (Reply::new(201, "{}"), 503, 401),
        (Reply::new(204, ""), 503, 401),
        (Reply::new(429, ""), 503, 429),
        (Reply::new(500, ""), 503, 401),
        (Reply::new(302, ""), 503, 503),
        (Reply::new(200, "<html>"), 503, 503),
        (Reply::new(200, ""), 503, 0),
        (Reply::new(200, "x".repeat(2 << 20)), 503, 503),
        (Reply::fails(timeout()), 503, 403),
        (Reply::fails(unreachable()), 503, 403),
        (Reply::new(200, r#"{"sub":"ada"}"#).takes(9_000), 503, 403),
    ] {
        for (is_strict, expected) in [(false, default), (true, strict)] {
            let site = tokens::site("bearer_token", &json!({}), is_strict).answers(reply.clone());
            let sent = site.bearer("t");
            assert_eq!(sent.status(), expected, "{reply:?} {is_strict}");
            if expected == 0 {
                continue;
            }
            let answer = sent.answered();
            assert_eq!(
                header(&answer, "retry-after").is_some(),
                expected == 503,
                "{reply:?}"
            );
        }
    }
}

#[test]
fn an_answer_is_remembered_for_its_token_and_question_only() {
    let site = site(&json!({ "forward_http_headers": ["X-Tenant"] }), false);
    for _ in 0..3 {
        assert_eq!(site.bearer("t").status(), 0);
    }
    assert_eq!(site.memory.questions(), 1);
    assert_eq!(site.bearer("u").status(), 0);
    assert_eq!(site.memory.questions(), 2, "another token");
    let tenant = [("authorization", "Bearer t"), ("x-tenant", "b")];
    assert_eq!(site.send(get(URL, &tenant)).status(), 0);
    assert_eq!(site.memory.questions(), 3, "another tenant");
    site.memory.pass_seconds(3_600);
    assert_eq!(site.bearer("t").status(), 0);
    assert_eq!(site.memory.questions(), 4, "an hour later");
}

#[test]
fn what_is_no_session_to_cookie_session_is_not_made_one_by_bearer_token() {
    let check = json!({ "check_session_url": "http://check.test/session", "preserve_path": true });
    let config = |handler: &str| json!({ "handler": handler, "config": check });
    let cookie_only = chain(json!([config("cookie_session")]), false)
        .answers(Reply::new(200, r#"{"sub":"ada"}"#));
    assert_eq!(
        cookie_only.bearer("ory_st_t").status(),
        401,
        "not Kratos' session"
    );
    let both = json!([config("cookie_session"), config("bearer_token")]);
    let site = chain(both, false).answers(Reply::new(200, r#"{"sub":"ada"}"#));
    assert_eq!(site.bearer("t").status(), 0, "bearer_token's to decide");
    assert_eq!(
        site.bearer("ory_st_t").status(),
        401,
        "cookie_session's to decide"
    );
}

#[test]
fn a_kratos_session_is_one_here_too() {
    let site = tokens::site(
        "bearer_token",
        &json!({ "subject_from": "identity.id", "extra_from": "@this" }),
        false,
    )
    .answers(session("ada").reply());
    assert_eq!(told(site.bearer("ory_st_x")).0, "ada");
}

#[test]
fn an_ambiguous_token_is_refused_without_a_question() {
    for headers in [
        vec![("authorization", "Bearer  t")],
        vec![("authorization", "Bearer a b")],
        vec![("authorization", "Bearer a"), ("authorization", "Bearer b")],
    ] {
        let site = site(&json!({}), false);
        assert_eq!(refused(site.send(get(URL, &headers))).0, 401);
        assert_eq!(site.memory.questions(), 0);
    }
}

#[test]
fn no_log_line_holds_the_token() {
    for strict in [false, true] {
        let site = tokens::site("bearer_token", &json!({}), strict);
        for reply in [
            Reply::new(500, "x"),
            Reply::new(401, "x"),
            Reply::new(200, "{}"),
        ] {
            site.memory.script("", "", reply);
            site.bearer("hunter2");
        }
        let log = site.memory.take_log().join("\n");
        assert!(!log.is_empty() && !log.contains("hunter2"), "{log}");
    }
}
