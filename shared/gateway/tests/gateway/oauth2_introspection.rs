//! `oauth2_introspection`: what an authorization server is asked about a token, and what a rule makes of its answer.

use serde_json::{Value, json};

use crate::memory::{NOW, Reply, timeout, unreachable};
use crate::site::{Site, get, header};
use crate::tokens::{self, URL, body, chain, headers, refused, told};

fn active() -> Value {
    json!({
        "active": true, "sub": "ada", "username": "ada@example.com", "client_id": "app", "scope": "read write.all",
        "aud": ["https://api", "other"], "iss": "https://idp.test/", "exp": NOW + 3_600, "token_use": "access_token",
        "ext": { "team": "a", "scope": "hidden" },
    })
}

fn with(name: &str, value: Value) -> Value {
    let mut answer = active();
    answer[name] = value;
    answer
}

fn ok(answer: &Value) -> Reply {
    Reply::new(200, answer.to_string())
}

fn site(config: &Value, strict: bool) -> Site {
    tokens::site("oauth2_introspection", config, strict).answers(ok(&active()))
}

#[test]
fn the_server_says_who_it_is_and_of_what() {
    for strict in [false, true] {
        let site = site(&json!({}), strict);
        let (subject, extra) = told(site.bearer("t+&=\u{7e}"));
        assert_eq!(subject, "ada");
        assert_eq!(
            extra,
            json!({
                "team": "a", "username": "ada@example.com", "client_id": "app", "scope": "read write.all",
                "aud": ["https://api", "other"],
            })
        );
        let asked = &site.memory.asked()[0];
        assert_eq!(
            (asked.method.as_str(), asked.url.as_str()),
            ("POST", "http://idp.test/introspect")
        );
        assert_eq!(
            headers(asked),
            ["content-type: application/x-www-form-urlencoded"]
        );
        let scope = if strict { "scope=&" } else { "" };
        assert_eq!(body(asked), format!("{scope}token=t%2B%26%3D~"));
        assert_eq!((asked.timeout, asked.largest), (5_000, 256 << 10));
    }
    let bare = tokens::site("oauth2_introspection", &json!({}), false)
        .answers(ok(&json!({"active": true})));
    let empty = json!({ "username": "", "client_id": "", "scope": "" });
    assert_eq!(told(bare.bearer("t")), (String::new(), empty));
}

#[test]
fn headers_of_the_configuration_go_along() {
    let config = json!({
        "introspection_request_headers": { "Authorization": "Basic abc", "X-I": "1", "Content-Type": "x/y" },
        "preserve_host": true,
    });
    for strict in [false, true] {
        let site = site(&config, strict);
        assert_eq!(site.bearer("t").status(), 0);
        assert_eq!(
            headers(&site.memory.asked()[0]),
            [
                "authorization: Basic abc",
                "content-type: application/x-www-form-urlencoded",
                "x-forwarded-host: app.test",
                "x-i: 1"
            ]
        );
    }
}

#[test]
fn a_token_may_be_elsewhere_and_of_a_prefix() {
    let query = json!({ "token_from": { "query_parameter": "tok" } });
    let asked = site(&query, false);
    assert_eq!(asked.send(get("https://app.test/x?tok=t", &[])).status(), 0);
    assert_eq!(body(&asked.memory.asked()[0]), "token=t");
    assert_eq!(
        asked.bearer("t").status(),
        401,
        "not where it is looked for"
    );
    let authenticators = json!([
        { "handler": "oauth2_introspection", "config": { "prefix": "ory_at_" } },
        { "handler": "anonymous", "config": { "subject": "guest" } },
    ]);
    for strict in [false, true] {
        let site = chain(authenticators.clone(), strict).answers(ok(&active()));
        assert_eq!(told(site.bearer("ory_at_t")).0, "ada");
        assert_eq!(site.bearer("other").status(), 401);
        assert_eq!(told(site.send(get(URL, &[]))).0, "guest");
        site.memory.script("", "", ok(&json!({"active": false})));
        assert_eq!(site.bearer("ory_at_t").status(), 401, "never a guest");
    }
}

#[test]
fn a_rule_says_what_a_token_must_be_good_for() {
    let forbidden = "Access credentials are not sufficient to access this resource";
    let unauthorized = "Access credentials are invalid";
    for (config, answer, expected) in [
        (
            json!({}),
            with("active", json!(false)),
            Some((401, unauthorized, "Access token is not active")),
        ),
        (
            json!({}),
            with("exp", json!(NOW - 1)),
            Some((401, unauthorized, "Access token expired")),
        ),
        (json!({}), with("exp", json!(NOW + 1)), None),
        (
            json!({}),
            with("token_use", json!("refresh_token")),
            Some((
                403,
                forbidden,
                "Use of introspected token is not an access token but \"refresh_token\"",
            )),
        ),
        (json!({}), with("token_use", json!("")), None),
        (
            json!({ "target_audience": ["https://api", "other"] }),
            active(),
            None,
        ),
        (
            json!({ "target_audience": ["https://api"] }),
            with("aud", json!("https://api")),
            None,
        ),
        (
            json!({ "target_audience": ["https://api", "third"] }),
            active(),
            Some((
                403,
                forbidden,
                "Token audience is not intended for target audience third",
            )),
        ),
        (
            json!({ "target_audience": ["https://api"] }),
            with("aud", json!([])),
            Some((
                403,
                forbidden,
                "Token audience is not intended for target audience https://api",
            )),
        ),
        (
            json!({ "trusted_issuers": ["https://idp.test/", "x"] }),
            active(),
            None,
        ),
        (
            json!({ "trusted_issuers": ["https://idp.test"] }),
            active(),
            Some((
                403,
                forbidden,
                "Token issuer does not match any trusted issuer",
            )),
        ),
        (
            json!({ "required_scope": ["read"], "scope_strategy": "exact" }),
            active(),
            None,
        ),
        (
            json!({ "required_scope": ["read", "write"], "scope_strategy": "exact" }),
            active(),
            Some((403, forbidden, "Scope write was not granted")),
        ),
        (
            json!({ "required_scope": ["write.all.x"], "scope_strategy": "hierarchic" }),
            active(),
            None,
        ),
        (
            json!({ "required_scope": ["write.x"], "scope_strategy": "hierarchic" }),
            active(),
            Some((403, forbidden, "Scope write.x was not granted")),
        ),
        (
            json!({ "required_scope": ["write.x"], "scope_strategy": "wildcard" }),
            with("scope", json!("write.*")),
            None,
        ),
        (
            json!({ "required_scope": ["write.x"], "scope_strategy": "wildcard" }),
            active(),
            Some((403, forbidden, "Scope write.x was not granted")),
        ),
    ] {
        for strict in [false, true] {
            let site = tokens::site("oauth2_introspection", &config, strict).answers(ok(&answer));
            let sent = site.bearer("t");
            match expected {
                None => assert_eq!(sent.status(), 0, "{config}"),
                Some((status, message, reason)) => {
                    let expected = (status, message.to_owned(), reason.to_owned());
                    assert_eq!(refused(sent), expected, "{config}");
                }
            }
        }
    }
}

#[test]
fn the_wrong_use_is_told_before_that_it_is_not_active() {
    let refresh = json!({ "active": false, "token_use": "refresh_token" });
    let site = tokens::site("oauth2_introspection", &json!({}), true).answers(ok(&refresh));
    assert_eq!(refused(site.bearer("t")).0, 403);
}

#[test]
fn an_end_at_the_beginning_of_time_is_none_to_oathkeeper_alone() {
    for exp in [0, -1] {
        for (strict, expected) in [(false, 401), (true, 0)] {
            let site = tokens::site("oauth2_introspection", &json!({}), strict)
                .answers(ok(&with("exp", json!(exp))));
            assert_eq!(site.bearer("t").status(), expected);
        }
    }
}

#[test]
fn without_a_strategy_the_server_is_asked_for_the_scope() {
    for (strategy, scope) in [
        (None, "scope=read+write&"),
        (Some("none"), "scope=read+write&"),
        (Some("exact"), ""),
        (Some("hierarchic"), ""),
        (Some("wildcard"), ""),
    ] {
        let mut config = json!({ "required_scope": ["read", "write"] });
        if let Some(strategy) = strategy {
            config["scope_strategy"] = json!(strategy);
        }
        for strict in [false, true] {
            let site = site(&config, strict);
            let sent = site.bearer("t");
            assert_eq!(body(&site.memory.asked()[0]), format!("{scope}token=t"));
            assert_eq!(sent.status() == 0, !scope.is_empty(), "{config}");
        }
    }
}

#[test]
fn a_server_that_answers_nonsense_is_503_and_in_oathkeeper_500() {
    for (reply, strict, text) in [
        (
            Reply::new(401, "{}"),
            500,
            "Introspection returned status code 401 but expected 200",
        ),
        (
            Reply::new(403, "{}"),
            500,
            "Introspection returned status code 403 but expected 200",
        ),
        (
            Reply::new(201, "{}"),
            500,
            "Introspection returned status code 201 but expected 200",
        ),
        (
            Reply::new(302, ""),
            500,
            "Introspection returned status code 302 but expected 200",
        ),
        (
            Reply::new(500, "{}"),
            500,
            "Introspection returned status code 500 but expected 200",
        ),
        (Reply::new(429, "{}"), 429, "Too many requests"),
        (Reply::new(200, ""), 500, "EOF"),
        (
            Reply::new(200, "<html>"),
            500,
            "invalid character '<' looking for beginning of value",
        ),
        (Reply::new(200, "{\"active\":true"), 500, "unexpected EOF"),
        (
            Reply::new(200, "{\"active\":\"true\"}"),
            500,
            "json: cannot unmarshal string into Go struct field AuthenticatorOAuth2IntrospectionResult.active of type bool",
        ),
        (
            Reply::new(200, "{\"active\":true,\"aud\":5}"),
            500,
            "Unsupported aud type, only string or []string are allowed",
        ),
        (
            Reply::new(200, "[true]"),
            500,
            "json: cannot unmarshal array into Go value of type authn.AuthenticatorOAuth2IntrospectionResult",
        ),
        (
            Reply::new(200, format!("{}{}", "[".repeat(5_000), "]".repeat(5_000))),
            500,
            "exceeded max depth",
        ),
        (
            Reply::new(200, "x".repeat(300 << 10)),
            500,
            "the answer is larger than 256 KiB",
        ),
        (Reply::new(200, "{}"), 401, "Access credentials are invalid"),
        (
            Reply::new(200, "null"),
            500,
            "json: cannot unmarshal null into Go value of type authn.AuthenticatorOAuth2IntrospectionResult",
        ),
        (Reply::new(200, "{\"active\":true} x"), 0, ""),
    ] {
        for (is_strict, expected) in [(false, 503), (true, strict)] {
            let site = tokens::site("oauth2_introspection", &json!({}), is_strict)
                .answers(reply.clone().header("retry-after", "7"));
            let sent = site.bearer("t");
            assert_eq!(sent.status(), expected, "{text}");
            if expected == 0 {
                continue;
            }
            let answer = sent.answered();
            let again = header(&answer, "retry-after");
            assert_eq!(again.is_some(), matches!(expected, 503 | 429), "{text}");
            let told = crate::site::message(&answer);
            if is_strict {
                assert_eq!(told, text);
            } else {
                assert_eq!(told, "The token could not be checked; please try again");
            }
        }
    }
}

#[test]
fn a_server_that_does_not_answer_is_503_and_in_oathkeeper_500() {
    for reply in [
        Reply::fails(timeout()),
        Reply::fails(unreachable()),
        ok(&active()).takes(5_001),
    ] {
        for (strict, expected) in [(false, 503), (true, 500)] {
            let site =
                tokens::site("oauth2_introspection", &json!({}), strict).answers(reply.clone());
            assert_eq!(site.bearer("t").status(), expected);
        }
    }
    let strict =
        tokens::site("oauth2_introspection", &json!({}), true).answers(Reply::fails(unreachable()));
    assert_eq!(
        refused(strict.bearer("t")).1,
        "Post \"http://idp.test/introspect\": dial tcp idp.test:80: connect: connection refused"
    );
}

#[test]
fn what_the_server_says_about_when_to_come_back_is_passed_on() {
    let site = tokens::site("oauth2_introspection", &json!({}), false)
        .answers(Reply::new(503, "").header("retry-after", "77"));
    assert_eq!(
        header(&site.bearer("t").answered(), "retry-after"),
        Some("77")
    );
    let limited = tokens::site("oauth2_introspection", &json!({}), true)
        .answers(Reply::new(429, "").header("x-ratelimit-limit", "10"));
    assert_eq!(
        header(&limited.bearer("t").answered(), "x-ratelimit-limit"),
        Some("10")
    );
}

#[test]
fn an_answer_is_remembered_if_told_to_and_no_longer_than_the_token() {
    let none = with("exp", Value::Null);
    for (cache, strict, answer, kept) in [
        (json!(null), false, active(), None),
        (
            json!({ "enabled": false, "ttl": "10s" }),
            false,
            active(),
            None,
        ),
        (
            json!({ "enabled": true, "ttl": "10s" }),
            false,
            active(),
            Some(10),
        ),
        (
            json!({ "enabled": true, "ttl": "10s" }),
            false,
            none.clone(),
            Some(10),
        ),
        (
            json!({ "enabled": true, "ttl": "2h" }),
            false,
            with("exp", json!(NOW + 20)),
            Some(20),
        ),
        (
            json!({ "enabled": true, "ttl": "0s" }),
            false,
            active(),
            None,
        ),
        (json!({ "enabled": true }), false, active(), Some(60)),
        (
            json!({ "enabled": true, "ttl": "10s" }),
            true,
            active(),
            Some(10),
        ),
        (json!({ "enabled": true }), true, active(), Some(3_600)),
        (json!({ "enabled": true }), true, none, None),
    ] {
        let site = tokens::site("oauth2_introspection", &json!({ "cache": cache }), strict)
            .answers(ok(&answer));
        let ask = || {
            assert_eq!(site.bearer("t").status(), 0, "{cache}");
            site.memory.questions()
        };
        assert_eq!(ask(), 1);
        let Some(kept) = kept else {
            assert_eq!(ask(), 2, "{cache}");
            continue;
        };
        site.memory.pass_milliseconds(kept * 1_000 - 1);
        assert_eq!(ask(), 1, "{cache}");
        site.memory.pass_milliseconds(1);
        site.memory.script("", "", ok(&with("exp", Value::Null)));
        assert_eq!(ask(), 2, "{cache}");
    }
}

#[test]
fn what_is_refused_is_not_remembered() {
    let config = json!({
        "cache": { "enabled": true, "ttl": "60s" }, "required_scope": ["admin"], "scope_strategy": "exact",
    });
    for answer in [
        json!({"active": false}),
        active(),
        with("exp", json!(NOW - 1)),
    ] {
        let site = tokens::site("oauth2_introspection", &config, false).answers(ok(&answer));
        for _ in 0..2 {
            assert_ne!(site.bearer("t").status(), 0);
        }
        assert_eq!(site.memory.questions(), 2, "{answer}");
        site.memory
            .script("", "", ok(&with("scope", json!("admin"))));
        assert_eq!(site.bearer("t").status(), 0, "good at once when it is good");
    }
}

/// Two rules that ask in their own way.
fn two(first: &Value, second: &Value, strict: bool) -> Site {
    let config = json!({
        "access_rules": { "repositories": ["file://./rules.json"] },
        "authenticators": { "oauth2_introspection": { "enabled": true, "config": {
            "introspection_url": "http://idp.test/introspect", "cache": { "enabled": true, "ttl": "60s" },
        } } },
        "authorizers": { "allow": { "enabled": true } },
        "mutators": { "noop": { "enabled": true } },
    });
    let rule = |id: &str, config: &Value| {
        json!({
            "id": id,
            "match": { "url": format!("https://{id}.test/<.*>"), "methods": ["GET"] },
            "authenticators": [{ "handler": "oauth2_introspection", "config": config }],
            "authorizer": { "handler": "allow" },
            "mutators": [{ "handler": "noop" }],
            "upstream": { "url": "http://up.test" },
        })
    };
    let rules = json!([rule("first", first), rule("second", second)]);
    crate::oathkeeper::compiled(&config.to_string(), &rules.to_string(), strict)
        .answers(ok(&active()))
}

#[test]
fn every_rule_judges_a_remembered_token_anew() {
    let good = json!({});
    for (other, expected) in [
        (
            json!({ "required_scope": ["read"], "scope_strategy": "exact" }),
            0,
        ),
        (
            json!({ "required_scope": ["admin"], "scope_strategy": "exact" }),
            403,
        ),
        (json!({ "target_audience": ["third"] }), 403),
        (json!({ "trusted_issuers": ["https://else/"] }), 403),
    ] {
        for strict in [false, true] {
            let site = two(&good, &other, strict);
            let token = [("authorization", "Bearer t")];
            assert_eq!(site.send(get("https://first.test/", &token)).status(), 0);
            let sent = site.send(get("https://second.test/", &token));
            assert_eq!(sent.status(), expected, "{other}");
            assert_eq!(site.memory.questions(), 1, "{other}");
        }
    }
}

#[test]
fn an_answer_counts_for_its_own_question_alone() {
    let good = json!({});
    for other in [
        json!({ "introspection_url": "http://other.test/introspect" }),
        json!({ "introspection_request_headers": { "X-Tenant": "b" } }),
        json!({ "preserve_host": true }),
        json!({ "required_scope": ["a"] }),
        json!({ "pre_authorization": {
            "enabled": true, "client_id": "c", "client_secret": "s", "token_url": "http://idp.test/token",
        } }),
    ] {
        let site = two(&good, &other, false);
        site.memory
            .script("/token", "", Reply::new(200, r#"{"access_token":"own"}"#));
        let token = [("authorization", "Bearer t")];
        assert_eq!(site.send(get("https://first.test/", &token)).status(), 0);
        assert_eq!(site.send(get("https://second.test/", &token)).status(), 0);
        let introspected = site.memory.asked();
        let introspected = introspected
            .iter()
            .filter(|asked| asked.url.ends_with("/introspect"))
            .count();
        assert_eq!(introspected, 2, "{other}");
    }
}

#[test]
fn oathkeeper_keeps_no_answer_that_it_asked_a_scope_for() {
    let config = json!({ "required_scope": ["a"], "cache": { "enabled": true, "ttl": "60s" } });
    for (strict, expected) in [(false, 1), (true, 2)] {
        let site = site(&config, strict);
        for _ in 0..2 {
            assert_eq!(site.bearer("t").status(), 0);
        }
        assert_eq!(site.memory.questions(), expected);
    }
}

fn pre_authorization() -> Value {
    json!({ "pre_authorization": {
        "enabled": true, "client_id": "own id", "client_secret": "s", "token_url": "http://idp.test/token",
        "audience": "https://idp", "scope": ["introspect", "x"],
    } })
}

fn with_own_token(reply: Reply, strict: bool) -> Site {
    let site = site(&pre_authorization(), strict);
    site.memory.script("/token", "", reply);
    site
}

/// The paths that were asked, in order.
fn paths(site: &Site) -> Vec<String> {
    let asked = site.memory.asked();
    let path = |url: &str| url.rsplit('/').next().unwrap().to_owned();
    asked.iter().map(|asked| path(&asked.url)).collect()
}

#[test]
fn the_gateways_own_token_is_asked_for_once() {
    for strict in [false, true] {
        let site = with_own_token(
            Reply::new(
                200,
                r#"{"access_token":"own","token_type":"bearer","expires_in":100}"#,
            ),
            strict,
        );
        for _ in 0..2 {
            assert_eq!(site.bearer("t").status(), 0);
        }
        assert_eq!(paths(&site), ["token", "introspect", "introspect"]);
        let asked = site.memory.asked();
        assert_eq!(
            body(&asked[0]),
            "audience=https%3A%2F%2Fidp&grant_type=client_credentials&scope=introspect+x"
        );
        // `own+id:s`
        assert_eq!(asked[0].headers["authorization"], "Basic b3duK2lkOnM=");
        for asked in &asked[1..] {
            assert_eq!(asked.headers["authorization"], "Bearer own");
        }
        site.memory.pass_seconds(89);
        assert_eq!(site.bearer("t").status(), 0);
        assert_eq!(site.memory.questions(), 4, "still good");
        site.memory.pass_seconds(1);
        assert_eq!(site.bearer("t").status(), 0);
        assert_eq!(
            paths(&site)[4..],
            ["token", "introspect"],
            "ten seconds are left of it"
        );
    }
}

#[test]
fn an_own_token_that_says_no_end_is_used_for_five_minutes() {
    let site = with_own_token(Reply::new(200, r#"{"access_token":"own"}"#), false);
    assert_eq!(site.bearer("t").status(), 0);
    site.memory.pass_seconds(299);
    assert_eq!(site.bearer("t").status(), 0);
    assert_eq!(site.memory.questions(), 3);
    site.memory.pass_seconds(1);
    assert_eq!(site.bearer("t").status(), 0);
    assert_eq!(site.memory.questions(), 5);
}

#[test]
fn an_own_token_that_was_revoked_is_replaced_once() {
    let own = || Reply::new(200, r#"{"access_token":"own","expires_in":3600}"#);
    let site = with_own_token(own(), false);
    assert_eq!(site.bearer("t").status(), 0);
    site.memory
        .next([Reply::new(401, ""), own(), ok(&active())]);
    assert_eq!(site.bearer("t").status(), 0);
    assert_eq!(paths(&site)[2..], ["introspect", "token", "introspect"]);
    let fresh = with_own_token(own(), false);
    fresh.memory.script("/introspect", "", Reply::new(401, ""));
    assert_eq!(fresh.bearer("t").status(), 503);
    assert_eq!(
        paths(&fresh),
        ["token", "introspect"],
        "a new one is not better"
    );
    assert_eq!(fresh.bearer("t").status(), 503);
    assert_eq!(fresh.memory.questions(), 5, "no loop");
}

#[test]
fn a_server_that_wants_the_secret_in_the_form_gets_it_there() {
    let site = site(&pre_authorization(), false);
    site.memory.next([
        Reply::new(401, r#"{"error":"invalid_client"}"#),
        Reply::new(200, r#"{"access_token":"own"}"#),
    ]);
    assert_eq!(site.bearer("t").status(), 0);
    let asked = site.memory.asked();
    assert!(asked[1].headers.get("authorization").is_none());
    assert_eq!(
        body(&asked[1]),
        "audience=https%3A%2F%2Fidp&client_id=own+id&client_secret=s&grant_type=client_credentials&scope=introspect+x"
    );
}

#[test]
fn without_an_own_token_nothing_is_introspected() {
    for reply in [
        Reply::new(401, r#"{"error":"invalid_client"}"#),
        Reply::new(500, "hunter2"),
        Reply::new(200, "hunter2"),
        Reply::new(200, r#"{"access_token":"a\nb"}"#),
        Reply::fails(unreachable()),
    ] {
        for (strict, expected) in [(false, 503), (true, 500)] {
            let site = with_own_token(reply.clone(), strict);
            assert_eq!(site.bearer("t").status(), expected, "{reply:?}");
            assert!(!paths(&site).contains(&"introspect".to_owned()));
            let log = site.memory.take_log().join("\n");
            assert!(!log.contains("hunter2"), "{log}");
        }
    }
}

#[test]
fn pre_authorization_that_is_not_enabled_is_none() {
    let mut config = pre_authorization();
    config["pre_authorization"]["enabled"] = json!(false);
    let site = site(&config, false);
    assert_eq!(site.bearer("t").status(), 0);
    assert_eq!(paths(&site), ["introspect"]);
}

#[test]
fn no_log_line_holds_the_token() {
    for strict in [false, true] {
        let site = site(&json!({}), strict);
        for reply in [
            ok(&active()),
            Reply::new(500, "x"),
            Reply::new(200, "{\"active\":false}"),
            Reply::fails(timeout()),
        ] {
            site.memory.script("", "", reply);
            site.bearer("hunter2");
        }
        let log = site.memory.take_log().join("\n");
        assert!(!log.is_empty() && !log.contains("hunter2"), "{log}");
    }
}
