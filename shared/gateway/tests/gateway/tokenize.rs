//! `tokenize_as`: Kratos' own token goes to the upstream, and no longer than it lasts.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use serde_json::{Value, json};

use crate::memory::{NOW, Reply, unreachable};
use crate::policy::{
    Document, WHOAMI, cookie_session, header, policy, session_rule, set, set_check,
};
use crate::site::{ADA, Sent, Site, get, request, session};

fn check(template: &str) -> Value {
    set_check(cookie_session(), "tokenize_as", json!(template))
}

fn rule(id: &str, template: &str) -> Value {
    let rule = session_rule(id, &format!("https://{id}.test/<.*>"));
    let rule = set(rule, "authenticators", json!([check(template)]));
    set(rule, "mutators", json!(["kratos_token"]))
}

fn document() -> Document {
    policy([rule("page", "jwt_v1")])
}

fn site(document: Document) -> Site {
    Site::new(document)
}

/// A token as Kratos makes it.
fn token(claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = part(&json!({ "alg": "ES256", "kid": "kratos-1", "typ": "JWT" }));
    format!("{header}.{}.c2lnbmF0dXJl", part(claims))
}

fn token_for(life: u64) -> String {
    token(&json!({ "sub": "ada", "iat": NOW, "exp": NOW + life }))
}

fn answer(tokenized: impl Into<Value>) -> Reply {
    session("ada").with("/tokenized", tokenized.into()).reply()
}

fn page(site: &Site) -> Sent {
    site.send(get("https://page.test/", &[ADA]))
}

#[test]
fn the_upstream_gets_kratos_token_and_kratos_is_asked_for_it_once() {
    for strict in [false, true] {
        let site = site(document().mode(strict));
        site.memory
            .script("tokenize_as=jwt_v1", "=ada", answer(token_for(600)));
        for _ in 0..3 {
            let forwarded = page(&site).forwarded();
            assert_eq!(
                forwarded.values("authorization"),
                [format!("Bearer {}", token_for(600))]
            );
            site.finish(&forwarded.forward, 200, &HeaderMap::new());
        }
        let asked = site.memory.asked();
        assert_eq!(asked.len(), 1);
        assert_eq!(asked[0].url, format!("{WHOAMI}?tokenize_as=jwt_v1"));
        assert_eq!(asked[0].method, "GET");
        let log = site.memory.take_log().join("\n");
        assert!(log.contains(r#""key":"kratos-1""#), "{log}");
        assert!(!log.contains(&token_for(600)), "{log}");
    }
}

#[test]
fn no_key_of_the_gateways_own_is_made_or_published() {
    let site = site(document());
    site.memory.script("", "", answer(token_for(600)));
    page(&site).forwarded();
    assert_eq!(site.memory.reads(), 0);
    assert!(site.memory.store().is_empty());
    let keys = site.send(get("https://page.test/.well-known/jwks.json", &[]));
    assert_eq!(keys.status(), 401, "a rule is for it");
}

#[test]
fn a_client_cannot_choose_the_template() {
    for strict in [false, true] {
        for own_path in [false, true] {
            let check = set_check(check("jwt_v1"), "preserve_query", json!(false));
            let check = set_check(check, "preserve_path", json!(own_path));
            let web = set(rule("page", "jwt_v1"), "authenticators", json!([check]));
            let site = site(policy([web]).mode(strict));
            site.memory.script("", "", answer(token_for(600)));
            for query in [
                "tokenize_as=other",
                "TOKENIZE_AS=other&a=1",
                "a=1&tokenize_as=other",
                "tokenize%5fas=other",
                "tokenize_as",
            ] {
                site.send(get(&format!("https://page.test/?{query}"), &[ADA]));
            }
            for asked in site.memory.asked() {
                assert!(asked.url.contains("?tokenize_as=jwt_v1"), "{}", asked.url);
                assert!(!asked.url.contains("other"), "{}", asked.url);
            }
        }
    }
}

#[test]
fn a_template_of_the_checks_own_url_does_not_win() {
    let check = set_check(
        check("jwt_v1"),
        "check_session_url",
        json!(format!("{WHOAMI}?tokenize_as=other&x=1")),
    );
    let web = set(rule("page", "jwt_v1"), "authenticators", json!([check]));
    let site = site(policy([web]));
    site.memory.script("", "", answer(token_for(600)));
    page(&site).forwarded();
    assert_eq!(
        site.memory.asked()[0].url,
        format!("{WHOAMI}?tokenize_as=jwt_v1&tokenize_as=other&x=1")
    );
}

#[test]
fn each_template_is_a_question_of_its_own() {
    let plain = session_rule("plain", "https://plain.test/<.*>");
    let site = site(policy([
        rule("page", "jwt_v1"),
        rule("other", "jwt_v2"),
        plain,
    ]));
    let (one, two) = (token_for(600), token_for(900));
    site.memory.script("", "", session("ada").reply());
    site.memory
        .script("tokenize_as=jwt_v1", "", answer(one.clone()));
    site.memory
        .script("tokenize_as=jwt_v2", "", answer(two.clone()));
    for _ in 0..2 {
        for (host, token) in [("page", Some(&one)), ("other", Some(&two)), ("plain", None)] {
            let forwarded = site
                .send(get(&format!("https://{host}.test/"), &[ADA]))
                .forwarded();
            let wanted: Vec<String> = token
                .map(|token| format!("Bearer {token}"))
                .into_iter()
                .collect();
            assert_eq!(forwarded.values("authorization"), wanted, "{host}");
        }
    }
    assert_eq!(site.memory.questions(), 3);
}

#[test]
fn the_clients_authorization_never_passes() {
    let site = site(document());
    site.memory.script("", "=ada", answer(token_for(600)));
    for own in ["Bearer forged", "Basic x", ""] {
        let forwarded = site
            .send(get("https://page.test/", &[ADA, ("authorization", own)]))
            .forwarded();
        assert_eq!(
            forwarded.values("authorization"),
            [format!("Bearer {}", token_for(600))]
        );
    }
}

#[test]
fn the_token_is_there_for_templates_after_it() {
    let mutators = json!(["kratos_token", header(&[("x-token", "{{ .IDToken }}")])]);
    let site = site(policy([set(rule("page", "jwt_v1"), "mutators", mutators)]));
    site.memory.script("", "=ada", answer(token_for(600)));
    assert_eq!(page(&site).forwarded().values("x-token"), [token_for(600)]);
}

#[test]
fn a_token_is_passed_on_while_more_than_a_tenth_of_its_life_is_left() {
    let session_settings =
        json!({ "ttl": 3_600, "stale_while_revalidate": 3_600, "stale_if_error": 3_600 });
    let site = site(document().with("session", session_settings));
    site.memory.next([answer(token_for(100))]);
    page(&site).forwarded();
    site.memory.pass_seconds(89);
    page(&site).forwarded();
    assert_eq!(site.memory.questions(), 1);

    site.memory.pass_seconds(1);
    let fresh = token(&json!({ "iat": NOW + 90, "exp": NOW + 190 }));
    site.memory.next([answer(fresh.clone())]);
    assert_eq!(
        page(&site).forwarded().values("authorization"),
        [format!("Bearer {fresh}")]
    );
    assert_eq!(site.memory.questions(), 2);
}

#[test]
fn no_staleness_reaches_beyond_the_token() {
    let session_settings =
        json!({ "ttl": 10, "stale_while_revalidate": 3_600, "stale_if_error": 3_600 });
    let site = site(document().with("session", session_settings));
    site.memory.next([answer(token_for(100))]);
    page(&site).forwarded();
    site.memory.script("", "", Reply::fails(unreachable()));
    site.memory.pass_seconds(89);
    page(&site).forwarded();
    site.memory.run_later();
    site.memory.pass_seconds(1);
    assert_eq!(
        page(&site).status(),
        503,
        "Kratos is down, and the token is used up"
    );
}

#[test]
fn a_token_that_cannot_be_kept_serves_the_request_that_asked() {
    let site = site(document());
    let old = token(&json!({ "iat": NOW - 900, "exp": NOW + 1 }));
    site.memory.script("", "", answer(old.clone()));
    for questions in 1..=2 {
        assert_eq!(
            page(&site).forwarded().values("authorization"),
            [format!("Bearer {old}")]
        );
        assert_eq!(site.memory.questions(), questions);
    }
}

#[test]
fn without_a_token_that_counts_nobody_passes_and_the_log_names_the_template() {
    for strict in [false, true] {
        for tokenized in [
            json!(null),
            json!(""),
            json!(7),
            json!("no token"),
            json!(token(&json!({ "sub": "ada" }))),
            json!(token(&json!({ "exp": "never" }))),
            json!(token(&json!({ "exp": NOW }))),
            json!(format!("{}\r\nx: y", token_for(600))),
        ] {
            let site = site(document().mode(strict));
            site.memory.script("", "", answer(tokenized.clone()));
            let answer = page(&site).answered();
            assert_eq!(answer.status, 503, "{tokenized}");
            let log = site.memory.take_log().join("\n");
            assert!(log.contains("`jwt_v1`"), "{log}");
            assert!(!log.contains("eyJ"), "{log}");
        }
    }
}

#[test]
fn a_template_that_kratos_does_not_know_signs_nobody_out() {
    for strict in [false, true] {
        for status in [400, 404] {
            let site = site(document().mode(strict));
            site.memory
                .script("", "", Reply::new(status, r#"{"error":{}}"#));
            assert_eq!(page(&site).status(), 503, "{status}");
            let log = site.memory.take_log().join("\n");
            assert!(log.contains("`jwt_v1`"), "{log}");
        }
        let site = site(document().mode(strict));
        assert_eq!(page(&site).status(), 401, "Kratos knows no session");
    }
}

#[test]
fn a_session_that_does_not_count_does_not_count_with_a_token() {
    let site = site(document());
    let over = session("ada").with("/tokenized", json!(token_for(600)));
    site.memory
        .script("", "", over.with("/active", json!(false)).reply());
    assert_eq!(page(&site).status(), 401);
}

#[test]
fn head_is_asked_about_by_get_in_strict_mode_too() {
    let site = site(document().strict());
    site.memory.script("", "", answer(token_for(600)));
    let sent = site.send(request("HEAD", "https://page.test/", &[ADA]));
    assert_eq!(sent.forwarded().values("authorization").len(), 1);
    assert_eq!(site.memory.asked()[0].method, "GET");
}

#[test]
fn a_logout_ends_the_token_too() {
    let site = site(document());
    site.memory.next([answer(token_for(600))]);
    let forwarded = page(&site).forwarded();
    let ended = crate::site::header_map(&[("set-cookie", "ory_kratos_session=; Max-Age=0")]);
    site.finish(&forwarded.forward, 204, &ended);
    assert_eq!(page(&site).status(), 401);
}
