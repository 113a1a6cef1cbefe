//! `oauth2_client_credentials`: how a client's secret is checked.

use serde_json::{Value, json};

use crate::memory::{Reply, timeout, unreachable};
use crate::site::{Sent, Site, get, header};
use crate::tokens::{self, URL, body, chain, headers, refused, told};

const TOKEN: &str = r#"{"access_token":"tok","token_type":"bearer","expires_in":3600}"#;

fn site(config: &Value, strict: bool) -> Site {
    tokens::site("oauth2_client_credentials", config, strict).answers(Reply::new(200, TOKEN))
}

fn basic(site: &Site, encoded: &str) -> Sent {
    site.send(get(URL, &[("authorization", &format!("Basic {encoded}"))]))
}

/// `id:secret`.
const CLIENT: &str = "aWQ6c2VjcmV0";

#[test]
fn a_client_is_who_gets_a_token() {
    for strict in [false, true] {
        let site = site(&json!({ "required_scope": ["x", "y z"] }), strict);
        assert_eq!(told(basic(&site, CLIENT)), ("id".to_owned(), Value::Null));
        let asked = &site.memory.asked()[0];
        assert_eq!(
            (asked.method.as_str(), asked.url.as_str()),
            ("POST", "http://idp.test/token")
        );
        assert_eq!(
            headers(asked),
            [
                format!("authorization: Basic {CLIENT}"),
                "content-type: application/x-www-form-urlencoded".to_owned()
            ]
        );
        assert_eq!(body(asked), "grant_type=client_credentials&scope=x+y+z");
        assert_eq!((asked.timeout, asked.largest), (5_000, 64 << 10));
        let none = self::site(&json!({}), strict);
        basic(&none, CLIENT);
        assert_eq!(
            body(&none.memory.asked()[0]),
            "grant_type=client_credentials"
        );
    }
}

#[test]
fn id_and_secret_are_decoded_and_encoded_again() {
    // `a%2Bb:c%20d`, `a+b:c`, `u:p:q`, `id:`
    for (encoded, subject, sent) in [
        ("YSUyQmI6YyUyMGQ=", "a+b", "YSUyQmI6Yytk"),
        ("YStiOmM=", "a b", "YStiOmM="),
        ("dTpwOnE=", "u", "dTpwJTNBcQ=="),
        ("aWQ6", "id", "aWQ6"),
    ] {
        let site = site(&json!({}), false);
        assert_eq!(told(basic(&site, encoded)).0, subject);
        assert_eq!(
            site.memory.asked()[0].headers["authorization"],
            format!("Basic {sent}")
        );
    }
    // `a%zz:s`, `id:s%2`
    for (encoded, escape) in [("YSV6ejpz", "%zz"), ("aWQ6cyUy", "%2")] {
        let strict = format!("invalid URL escape \"{escape}\": Access credentials are invalid");
        for (is_strict, expected) in [
            (false, "Access credentials are invalid"),
            (true, strict.as_str()),
        ] {
            let site = site(&json!({}), is_strict);
            let (status, message, _) = refused(basic(&site, encoded));
            assert_eq!((status, message.as_str()), (401, expected));
            assert_eq!(site.memory.questions(), 0);
        }
    }
}

#[test]
fn whoever_presents_no_client_is_left_to_the_next() {
    let authenticators = json!([
        { "handler": "oauth2_client_credentials" },
        { "handler": "anonymous", "config": { "subject": "guest" } },
    ]);
    for strict in [false, true] {
        let site = chain(authenticators.clone(), strict).answers(Reply::new(200, TOKEN));
        assert_eq!(told(site.send(get(URL, &[]))).0, "guest");
        for value in ["Bearer x", "Basic !!!", "Basic", "Basic aWQ=", "x"] {
            let sent = site.send(get(URL, &[("authorization", value)]));
            assert_eq!(sent.status(), 401, "{value}: nobody is responsible");
        }
        assert_eq!(site.memory.questions(), 0);
        assert_eq!(told(basic(&site, CLIENT)).0, "id");
        let lower = site.send(get(URL, &[("authorization", &format!("basic {CLIENT}"))]));
        assert_eq!(told(lower).0, "id");
    }
}

#[test]
fn what_the_server_says_is_told_as_what_it_is() {
    const INVALID: &str = r#"{"error":"invalid_client"}"#;
    const SAID: &str = "oauth2: \"invalid_client\"";
    let available = "The upstream service is not available";
    for (reply, default, strict, message) in [
        (
            Reply::new(400, INVALID),
            401,
            401,
            format!("{SAID}: Access credentials are invalid"),
        ),
        (
            Reply::new(401, INVALID),
            401,
            401,
            format!("{SAID}: Access credentials are invalid"),
        ),
        (
            Reply::new(200, INVALID),
            401,
            401,
            format!("{SAID}: Access credentials are invalid"),
        ),
        (
            Reply::new(403, "{}"),
            401,
            401,
            "oauth2: cannot fetch token: 403 Forbidden\nResponse: {}: Access credentials are invalid"
                .to_owned(),
        ),
        (
            Reply::new(404, "{}"),
            503,
            404,
            "oauth2: cannot fetch token: 404 Not Found\nResponse: {}: Upstream service not found"
                .to_owned(),
        ),
        (
            Reply::new(429, "{}"),
            503,
            429,
            "Too many requests".to_owned(),
        ),
        (
            Reply::new(500, "{}"),
            503,
            500,
            "oauth2: cannot fetch token: 500 Internal Server Error\nResponse: {}: The upstream service encountered an unexpected error"
                .to_owned(),
        ),
        (
            Reply::new(502, "{}"),
            503,
            401,
            "oauth2: cannot fetch token: 502 Bad Gateway\nResponse: {}: Access credentials are invalid"
                .to_owned(),
        ),
        (
            Reply::new(503, "{}"),
            503,
            503,
            format!(
                "oauth2: cannot fetch token: 503 Service Unavailable\nResponse: {{}}: {available}"
            ),
        ),
        (
            Reply::new(504, "{}"),
            503,
            504,
            "oauth2: cannot fetch token: 504 Gateway Timeout\nResponse: {}: The upstream service is timing out"
                .to_owned(),
        ),
        (
            Reply::new(302, "{}"),
            503,
            503,
            format!("oauth2: cannot fetch token: 302 Found\nResponse: {{}}: {available}"),
        ),
        (
            Reply::new(200, "{}"),
            503,
            503,
            format!("oauth2: server response missing access_token: {available}"),
        ),
        (
            Reply::new(200, "<html>"),
            503,
            503,
            format!(
                "oauth2: cannot parse json: invalid character '<' looking for beginning of value: {available}"
            ),
        ),
        (
            Reply::new(200, "x".repeat(1 << 20)),
            503,
            503,
            format!("oauth2: cannot fetch token: the answer is larger than 64 KiB: {available}"),
        ),
    ] {
        for (is_strict, expected) in [(false, default), (true, strict)] {
            let site = tokens::site("oauth2_client_credentials", &json!({}), is_strict)
                .answers(reply.clone().header("retry-after", "9"));
            let sent = basic(&site, CLIENT).answered();
            assert_eq!(sent.status, expected, "{message}");
            let again = header(&sent, "retry-after");
            assert_eq!(
                again.is_some(),
                if is_strict { expected == 429 } else { expected == 503 },
                "{message}"
            );
            let told = crate::site::message(&sent);
            if is_strict {
                assert_eq!(told, message);
            } else {
                assert!(!told.contains("oauth2"), "{told}");
            }
        }
    }
}

#[test]
fn a_server_that_does_not_answer_is_503() {
    for reply in [
        Reply::fails(timeout()),
        Reply::fails(unreachable()),
        Reply::new(200, TOKEN).takes(6_000),
    ] {
        for strict in [false, true] {
            let site = tokens::site("oauth2_client_credentials", &json!({}), strict)
                .answers(reply.clone());
            let (status, message, _) = refused(basic(&site, CLIENT));
            assert_eq!(status, 503);
            assert_eq!(
                message.ends_with("The upstream service is not available"),
                strict,
                "{message}"
            );
        }
    }
    let strict = tokens::site("oauth2_client_credentials", &json!({}), true)
        .answers(Reply::fails(unreachable()));
    assert_eq!(
        refused(basic(&strict, CLIENT)).1,
        "Post \"http://idp.test/token\": dial tcp idp.test:80: connect: connection refused: The upstream service is not available"
    );
}

#[test]
fn a_success_is_remembered_if_told_to_and_no_longer_than_the_token() {
    for (cache, strict, kept) in [
        (json!(null), false, None),
        (json!({ "enabled": false, "ttl": "10s" }), false, None),
        (json!({ "enabled": true, "ttl": "10s" }), false, Some(10)),
        (json!({ "enabled": true, "ttl": "2h" }), false, Some(3_600)),
        (json!({ "enabled": true, "ttl": "1ms" }), false, Some(1)),
        (json!({ "enabled": true, "ttl": "0s" }), false, None),
        (json!({ "enabled": true }), false, Some(60)),
        (json!({ "enabled": true }), true, Some(3_600)),
        (json!({ "enabled": true, "ttl": "10s" }), true, Some(10)),
    ] {
        let site = site(&json!({ "cache": cache }), strict);
        let ask = || {
            assert_eq!(told(basic(&site, CLIENT)).0, "id");
            site.memory.questions()
        };
        assert_eq!(ask(), 1);
        let Some(kept) = kept else {
            assert_eq!(ask(), 2, "{cache}");
            continue;
        };
        assert_eq!(ask(), 1, "{cache}");
        site.memory.pass_milliseconds(kept * 1_000 - 1_000);
        if kept > 1 {
            assert_eq!(ask(), 1, "{cache}");
        }
        site.memory.pass_seconds(1);
        assert_eq!(ask(), 2, "{cache}");
    }
}

#[test]
fn only_the_same_client_with_the_same_secret_is_remembered() {
    let site = site(
        &json!({ "cache": { "enabled": true, "ttl": "60s" } }),
        false,
    );
    assert_eq!(told(basic(&site, CLIENT)).0, "id");
    site.memory
        .script("", "", Reply::new(401, r#"{"error":"invalid_client"}"#));
    // `id:wrong`, `other:secret`, `ids:ecret`
    for encoded in ["aWQ6d3Jvbmc=", "b3RoZXI6c2VjcmV0", "aWRzOmVjcmV0"] {
        for _ in 0..2 {
            assert_eq!(refused(basic(&site, encoded)).0, 401, "{encoded}");
        }
    }
    assert_eq!(site.memory.questions(), 7, "no refusal is remembered");
    assert_eq!(told(basic(&site, CLIENT)).0, "id");
}

#[test]
fn two_credentials_are_one_too_many() {
    let twice = [
        ("authorization", "Basic aWQ6c2VjcmV0"),
        ("authorization", "Basic b3RoZXI6c2VjcmV0"),
    ];
    let default = site(&json!({}), false);
    assert_eq!(refused(default.send(get(URL, &twice))).0, 401);
    assert_eq!(default.memory.questions(), 0);
    let strict = site(&json!({}), true);
    assert_eq!(
        told(strict.send(get(URL, &twice))).0,
        "id",
        "the first counts"
    );
    let long = format!("Basic {}", "YTpi".repeat(4_000));
    assert_eq!(
        refused(default.send(get(URL, &[("authorization", &long)]))).0,
        401
    );
}

#[test]
fn no_log_line_holds_the_secret_or_the_servers_words() {
    let site = tokens::site("oauth2_client_credentials", &json!({}), true);
    for reply in [
        Reply::new(500, "hunter2"),
        Reply::new(401, r#"{"error":"hunter2"}"#),
        Reply::new(200, "hunter2"),
    ] {
        site.memory.script("", "", reply);
        // `id:hunter2`
        assert_ne!(basic(&site, "aWQ6aHVudGVyMg==").status(), 0);
    }
    // `id:hunter2%`
    assert_eq!(basic(&site, "aWQ6aHVudGVyMiU=").status(), 401);
    let log = site.memory.take_log().join("\n");
    assert!(!log.contains("hunter2"), "{log}");
}
