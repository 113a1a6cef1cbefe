//! `id_token`: a signed token for the upstream.

use edgekeeper_token::jwk::Jwks;
use edgekeeper_token::jwt::{self, Verified};
use http::HeaderMap;
use serde_json::{Value, json};

use crate::memory::{NOW, Reply};
use crate::policy::{header, id_token, policy, rule, session_rule, set};
use crate::site::{ADA, Forwarded, Site, get, message, session};

const EMAIL: &str = r#"{"email":"{{ .Extra.identity.traits.email }}","aud":["api"]}"#;

fn site_for(mutators: Value, algorithm: &str, strict: bool) -> Site {
    let web = set(
        session_rule("web", "https://app.test/<.*>"),
        "mutators",
        mutators,
    );
    let verbose = json!([{ "kind": { "handler": "json", "verbose": true } }]);
    Site::with_ada(
        policy([web])
            .with(
                "keys",
                json!({ "algorithm": algorithm, "development": true }),
            )
            .with("errors", verbose)
            .mode(strict),
    )
}

fn site(claims: &str) -> Site {
    site_for(json!([id_token(claims, 900)]), "EdDSA", false)
}

fn jwks(site: &Site) -> Jwks {
    let answer = site
        .send(get("https://app.test/.well-known/jwks.json", &[]))
        .answered();
    assert_eq!(answer.status, 200);
    Jwks::parse(&answer.body).unwrap()
}

fn token(forwarded: &Forwarded) -> String {
    let values = forwarded.values("authorization");
    assert_eq!(values.len(), 1);
    values[0].strip_prefix("Bearer ").unwrap().to_owned()
}

/// The token Ada's request takes along now.
fn ask(site: &Site) -> String {
    token(&site.send(get("https://app.test/", &[ADA])).forwarded())
}

fn verified(site: &Site, token: &str) -> Verified {
    jwt::verify(token, &jwks(site), site.memory.milliseconds() / 1_000, 0).unwrap()
}

#[test]
fn it_verifies_against_the_gateways_own_key_set() {
    for algorithm in ["EdDSA", "ES256"] {
        let site = site_for(json!([id_token(EMAIL, 900)]), algorithm, false);
        let token = ask(&site);
        let claims = verified(&site, &token).claims;
        assert_eq!(claims["sub"], "ada");
        assert_eq!(claims["iss"], "https://gateway.test/");
        assert_eq!(claims["email"], "ada@example.com");
        assert_eq!(claims["aud"], json!(["api"]));
        assert_eq!(claims["iat"], NOW);
        assert_eq!(claims["nbf"], NOW);
        assert_eq!(claims["exp"], NOW + 900);
        assert_eq!(claims["jti"].as_str().unwrap().len(), 36);
        assert_eq!(claims.len(), 8);
    }
}

#[test]
fn strict_mode_serves_keys_on_the_api_only() {
    let site = site_for(json!([id_token("", 900)]), "EdDSA", true);
    assert_eq!(
        site.send(get("https://app.test/.well-known/jwks.json", &[]))
            .status(),
        401,
        "a rule is for it"
    );
    let mut request = get("https://app.test/.well-known/jwks.json", &[]);
    request.listener = edgekeeper_gateway::request::Listener::Api;
    assert_eq!(site.send(request).status(), 200);
}

#[test]
fn the_clients_authorization_is_replaced() {
    let site = site("");
    for value in ["Bearer forged", "Basic x", ""] {
        let forwarded = site
            .send(get("https://app.test/", &[ADA, ("authorization", value)]))
            .forwarded();
        verified(&site, &token(&forwarded));
    }
}

#[test]
fn a_token_is_reused_until_a_tenth_of_its_life_is_left() {
    let site = site(EMAIL);
    let first = ask(&site);
    site.memory.pass_seconds(809);
    assert_eq!(ask(&site), first);
    site.memory.pass_seconds(1);
    let second = ask(&site);
    assert_ne!(second, first);
    assert_eq!(verified(&site, &second).claims["iat"], NOW + 810);
    assert_ne!(
        verified(&site, &first).claims["jti"],
        verified(&site, &second).claims["jti"]
    );
}

#[test]
fn a_token_never_outlives_its_session() {
    let site = site("");
    site.memory
        .script("", "", session("ada").expires_at(NOW + 100).reply());
    let first = ask(&site);
    assert_eq!(verified(&site, &first).claims["exp"], NOW + 100);
    // Another login, or a shortened session, gets a token of its own.
    site.memory
        .script("", "", session("ada").expires_at(NOW + 95).reply());
    site.memory.pass_seconds(91);
    let second = ask(&site);
    assert_eq!(verified(&site, &second).claims["exp"], NOW + 95);
}

#[test]
fn a_session_that_ends_while_its_token_is_made_is_no_error_of_ours() {
    let site = site("");
    let ends = session("ada").expires_at(NOW + 1);
    site.memory.script("", "", ends.reply());
    // Reading the keys takes longer.
    site.memory.pass_milliseconds(999);
    let sent = site.send(get("https://app.test/", &[ADA]));
    assert_eq!(sent.status(), 401);
}

#[test]
fn what_decides_the_content_decides_the_reuse() {
    let site = Site::new(
        policy([
            set(
                session_rule("a", "https://a.test/<.*>"),
                "mutators",
                json!([id_token(EMAIL, 900)]),
            ),
            set(
                session_rule("b", "https://b.test/<.*>"),
                "mutators",
                json!([id_token(EMAIL, 900)]),
            ),
            set(
                session_rule("c", "https://c.test/<.*>"),
                "mutators",
                json!([id_token("", 60)]),
            ),
        ])
        .with("keys", json!({ "development": true })),
    );
    site.memory.script("", "=ada", session("ada").reply());
    site.memory.script("", "=bob", session("bob").reply());
    // One person in two browsers.
    site.memory.script("", "=ada2", session("ada").reply());
    let mut tokens = Vec::new();
    for host in ["a.test", "b.test", "c.test"] {
        for cookie in ["ada", "bob", "ada2"] {
            let cookie = format!("ory_kratos_session={cookie}");
            let ask = || {
                let forwarded = site
                    .send(get(&format!("https://{host}/"), &[("cookie", &cookie)]))
                    .forwarded();
                token(&forwarded)
            };
            let token = ask();
            assert_eq!(ask(), token, "reused");
            tokens.push(token);
        }
    }
    tokens.sort();
    tokens.dedup();
    assert_eq!(tokens.len(), 9);
}

#[test]
fn a_changed_trait_is_in_the_next_token() {
    let site = site(EMAIL);
    ask(&site);
    site.memory.script(
        "",
        "",
        session("ada").trait_("email", "new@example.com").reply(),
    );
    site.memory.pass_seconds(100);
    let token = ask(&site);
    assert_eq!(verified(&site, &token).claims["email"], "new@example.com");
}

/// Oathkeeper lets this trait add a claim.
#[test]
fn f71_a_trait_cannot_add_a_claim() {
    let claims = r#"{"n":"{{ print .Extra.identity.traits.name }}"}"#;
    for name in [
        r#"x","role":"admin"#,
        r#"x","n":"y"#,
        r#"x"}"#,
        "\\",
        "x\\",
        "a\nb",
        "\u{0}",
        "\u{2028}",
        r#"","role":"admin","x":""#,
    ] {
        let site = site(claims);
        site.memory
            .script("", "", session("ada").trait_("name", name).reply());
        let token = ask(&site);
        let claims = verified(&site, &token).claims;
        assert_eq!(claims["n"], name, "it stays in its string");
        assert!(!claims.contains_key("role"), "{name:?}");
    }
}

#[test]
fn f72_outside_of_quotes_a_value_is_one_json_value_or_nothing() {
    let claims = r#"{"n":{{ .Extra.identity.traits.name }}}"#;
    for (name, expected) in [
        (json!("1"), Some(json!(1))),
        (json!("true"), Some(json!(true))),
        (json!(r#"1,"role":"admin""#), None),
        (json!("x"), None),
        (json!(""), Some(Value::Null)),
    ] {
        let site = site(claims);
        site.memory.script(
            "",
            "",
            session("ada")
                .with("/identity/traits/name", name.clone())
                .reply(),
        );
        let sent = site.send(get("https://app.test/", &[ADA]));
        match expected {
            Some(value) => assert_eq!(
                verified(&site, &token(&sent.forwarded())).claims["n"],
                value,
                "{name}"
            ),
            None => assert_eq!(sent.status(), 500, "{name} fails closed"),
        }
    }
}

#[test]
fn f73_in_strict_mode_a_repeated_claim_fails_closed() {
    let claims = r#"{"n":"{{ print .Extra.identity.traits.name }}","role":"user"}"#;
    let site = site_for(json!([id_token(claims, 900)]), "EdDSA", true);
    site.memory.script(
        "",
        "",
        session("ada").trait_("name", r#"x","role":"admin"#).reply(),
    );
    assert_eq!(site.send(get("https://app.test/", &[ADA])).status(), 500);
}

#[test]
fn claims_that_are_no_object_are_500_and_told_to_the_log() {
    for claims in [
        "[]",
        "1",
        r#""x""#,
        "{",
        r#"{"a":1,"a":2}"#,
        r#"{"a":1}{}"#,
        r#"{"\u0061":1,"a":2}"#,
    ] {
        let site = site(claims);
        assert_eq!(
            site.send(get("https://app.test/", &[ADA])).status(),
            500,
            "{claims}"
        );
        let log = site.memory.take_log().join("\n");
        assert!(
            log.contains("rule `web`: no token could be made"),
            "{claims}: {log}"
        );
    }
}

#[test]
fn claims_cannot_overwrite_what_the_gateway_says() {
    let site =
        site(r#"{"sub":"root","iss":"evil","exp":9999999999,"iat":1,"nbf":1,"jti":"x","ok":true}"#);
    let token = ask(&site);
    let claims = verified(&site, &token).claims;
    assert_eq!(
        (&claims["sub"], &claims["iss"]),
        (&json!("ada"), &json!("https://gateway.test/"))
    );
    assert_eq!(
        (&claims["exp"], &claims["iat"]),
        (&json!(NOW + 900), &json!(NOW))
    );
    assert_eq!(claims["ok"], true);
}

#[test]
fn a_missing_trait_is_empty_and_in_strict_mode_gos_error() {
    let claims = r#"{"a":"{{ .Extra.identity.traits.missing.deeper }}"}"#;
    let site_default = site(claims);
    let token = ask(&site_default);
    assert_eq!(verified(&site_default, &token).claims["a"], "");
    let strict = site_for(json!([id_token(claims, 900)]), "EdDSA", true);
    let answer = strict.send(get("https://app.test/", &[ADA])).answered();
    assert_eq!(answer.status, 500);
    let said = message(&answer);
    assert!(
        said.contains("nil pointer evaluating interface {}.deeper"),
        "{said}"
    );
}

#[test]
fn a_later_header_can_carry_the_token() {
    let own = header(&[("x-token", "Bearer {{ print .IDToken }}")]);
    let site = site_for(json!([id_token("", 900), own]), "EdDSA", false);
    let forwarded = site.send(get("https://app.test/", &[ADA])).forwarded();
    assert_eq!(
        forwarded.values("x-token"),
        forwarded.values("authorization")
    );
    let before = header(&[("x-token", "[{{ .IDToken }}]")]);
    let site = site_for(json!([before, id_token("", 900)]), "EdDSA", false);
    assert_eq!(
        site.send(get("https://app.test/", &[ADA]))
            .forwarded()
            .values("x-token"),
        ["[]"]
    );
}

#[test]
fn strict_mode_has_no_id_token_field() {
    let own = header(&[("x-token", "{{ print .IDToken }}")]);
    let site = site_for(json!([id_token("", 900), own]), "EdDSA", true);
    let answer = site.send(get("https://app.test/", &[ADA])).answered();
    assert_eq!(answer.status, 500);
    assert!(
        message(&answer).contains("can't evaluate field IDToken"),
        "{}",
        message(&answer)
    );
}

#[test]
fn guests_get_tokens_too() {
    let guest = set(
        rule("web", "https://app.test/<.*>"),
        "authenticators",
        json!([{ "handler": "anonymous", "subject": "guest" }]),
    );
    let site = Site::new(
        policy([set(guest, "mutators", json!([id_token(EMAIL, 900)]))])
            .with("keys", json!({ "development": true })),
    );
    let forwarded = site.send(get("https://app.test/", &[])).forwarded();
    let claims = verified(&site, &token(&forwarded)).claims;
    assert_eq!(
        (&claims["sub"], &claims["email"]),
        (&json!("guest"), &json!(""))
    );
}

#[test]
fn the_logs_hold_no_token() {
    let site = site(EMAIL);
    let forwarded = site.send(get("https://app.test/", &[ADA])).forwarded();
    site.finish(&forwarded.forward, 200, &HeaderMap::new());
    let log = site.memory.take_log().join("\n");
    assert!(
        !log.contains("eyJ") && !log.contains(&token(&forwarded)),
        "{log}"
    );
}

#[test]
fn without_randomness_no_token_is_made() {
    let site = site("");
    let first = ask(&site);
    site.memory.set_random_fails(true);
    assert_eq!(ask(&site), first, "the one there is serves");
    site.memory.pass_seconds(850);
    assert_eq!(site.send(get("https://app.test/", &[ADA])).status(), 500);
}

#[test]
fn a_refused_request_costs_no_key() {
    let site = site("");
    site.memory.script("", "", Reply::new(401, "{}"));
    assert_eq!(site.send(get("https://app.test/", &[ADA])).status(), 401);
    assert_eq!(site.memory.reads() + site.memory.writes(), 0, "K11");
}
