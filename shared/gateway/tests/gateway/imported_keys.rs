//! `id_token` with the keys that Oathkeeper signs with: imported from files, or fetched.

use edgekeeper_gateway::request::Listener;
use edgekeeper_token::foreign::set::{JwkSet, Reading};
use edgekeeper_token::foreign::token::{Options, verify};
use edgekeeper_token::imported::entry::entry_name;
use serde_json::{Map, Value, json};

use crate::foreign::{import, private, public, set, shared};
use crate::memory::{NOW, Reply, unreachable};
use crate::policy::{id_token, policy, rule, set as with};
use crate::site::{Site, error, get, header};

const FILE: &str = "file:///etc/oathkeeper/id_token.json";
const URL: &str = "http://keys.test/private.json";

/// What the compiler makes of `keys.source: jwks_url`.
pub(crate) fn signs_with(url: &str) -> Value {
    with(id_token("", 900), "jwks", json!({ "url": url }))
}

pub(crate) fn site(mutators: &[Value], strict: bool) -> Site {
    let rules = mutators.iter().enumerate().map(|(number, mutator)| {
        let open = rule(
            &format!("rule-{number}"),
            &format!("https://app{number}.test/<.*>"),
        );
        let open = with(
            open,
            "authenticators",
            json!([{ "handler": "anonymous", "subject": "ada" }]),
        );
        with(open, "mutators", json!([mutator]))
    });
    let verbose = json!([{ "kind": { "handler": "json", "verbose": true } }]);
    Site::new(
        policy(rules.collect::<Vec<_>>())
            .with("keys", json!({ "development": true, "source": "jwks_url" }))
            .with("errors", verbose)
            .mode(strict),
    )
}

/// A key of golang-jwt's with an algorithm, as in a file for Oathkeeper.
pub(crate) fn with_alg(name: &str, algorithm: &str) -> Value {
    with(private(name), "alg", json!(algorithm))
}

fn token(site: &Site, number: usize) -> String {
    let sent = site.send(get(&format!("https://app{number}.test/"), &[]));
    let values = sent.forwarded().values("authorization");
    assert_eq!(values.len(), 1);
    values[0].strip_prefix("Bearer ").unwrap().to_owned()
}

fn status(site: &Site) -> u16 {
    site.send(get("https://app0.test/", &[])).status()
}

/// What the API publishes.
fn published(site: &Site) -> (u16, Value) {
    let mut request = get("https://api.test/.well-known/jwks.json", &[]);
    request.listener = Listener::Api;
    let answer = site.send(request).answered();
    (answer.status, serde_json::from_str(&answer.body).unwrap())
}

fn kids(document: &Value) -> Vec<&str> {
    let keys = document["keys"].as_array().unwrap();
    keys.iter()
        .map(|key| key["kid"].as_str().unwrap())
        .collect()
}

fn claims(token: &str, document: &Value) -> Map<String, Value> {
    let set = JwkSet::parse(&document.to_string(), Reading::SEALED).unwrap();
    let algorithms: Vec<String> = edgekeeper_policy::authenticator::ALGORITHMS
        .map(str::to_owned)
        .to_vec();
    let options = Options {
        algorithms: &algorithms,
        // Whatever was signed within the minute before.
        now: NOW + 60,
        strict: false,
    };
    verify(token, &[&set], &options).unwrap()
}

#[test]
fn what_an_imported_key_signs_verifies_against_what_is_published() {
    for (name, algorithm) in [("RS", "RS256"), ("P-256", "ES256"), ("Ed25519", "EdDSA")] {
        for strict in [false, true] {
            let site = site(&[signs_with(FILE)], strict);
            import(&site.memory, FILE, &set([with_alg(name, algorithm)]));
            let claims = claims(&token(&site, 0), &published(&site).1);
            assert_eq!(claims["sub"], "ada");
            assert_eq!(claims["iss"], "https://gateway.test/");
            assert_eq!(
                (&claims["iat"], &claims["exp"]),
                (&json!(NOW), &json!(NOW + 900))
            );
        }
    }
}

#[test]
fn a_symmetric_key_signs_and_is_never_published() {
    for strict in [false, true] {
        let site = site(&[signs_with(FILE)], strict);
        import(&site.memory, FILE, &set([shared()]));
        let token = token(&site, 0);
        assert_eq!(claims(&token, &json!({ "keys": [shared()] }))["sub"], "ada");
        assert_eq!(published(&site), (200, json!({ "keys": [] })));
    }
}

#[test]
fn nothing_private_is_published() {
    let keys = set([
        with_alg("RS", "RS256"),
        with_alg("P-256", "ES256"),
        shared(),
    ]);
    for (url, strict) in [(FILE, false), (FILE, true), (URL, false), (URL, true)] {
        let site = site(&[signs_with(url)], strict);
        import(&site.memory, FILE, &keys);
        site.memory
            .script("keys.test", "", Reply::new(200, keys.clone()));
        let (status, document) = published(&site);
        assert_eq!(status, 200);
        assert_eq!(kids(&document), ["RS", "P-256"]);
        for key in document["keys"].as_array().unwrap() {
            for secret in ["d", "p", "q", "dp", "dq", "qi", "k"] {
                assert!(key.get(secret).is_none(), "{secret}");
            }
        }
    }
}

#[test]
fn every_set_in_use_is_published_and_the_gateways_own_where_a_rule_uses_it() {
    for strict in [false, true] {
        let site = site(
            &[
                signs_with(FILE),
                signs_with(URL),
                signs_with(FILE),
                id_token("", 900),
            ],
            strict,
        );
        import(&site.memory, FILE, &set([with_alg("RS", "RS256")]));
        let fetched = set([with_alg("P-256", "ES256")]);
        site.memory
            .script("keys.test", "", Reply::new(200, fetched));
        let (_, document) = published(&site);
        assert_eq!(kids(&document)[..2], ["RS", "P-256"]);
        assert_eq!(kids(&document).len(), 3);
        for number in 0..4 {
            claims(&token(&site, number), &document);
        }
    }
}

#[test]
fn the_global_set_is_published_in_strict_mode_whoever_signs_with_it() {
    let rules = [rule("open", "https://app0.test/<.*>")];
    let keys = json!({ "source": "jwks_url", "published": { "url": FILE } });
    let site = Site::new(policy(rules).with("keys", keys).strict());
    assert_eq!(published(&site).0, 500, "it is not there");
    import(&site.memory, FILE, &set([with_alg("RS", "RS256")]));
    site.memory.pass_seconds(3);
    assert_eq!(kids(&published(&site).1), ["RS"]);
}

#[test]
fn a_set_that_is_out_of_reach_is_left_out_and_the_answer_does_not_last() {
    let site = site(&[signs_with(FILE), signs_with(URL)], false);
    import(&site.memory, FILE, &set([with_alg("RS", "RS256")]));
    site.memory
        .script("keys.test", "", Reply::fails(unreachable()));
    let answer = site
        .send(get("https://app0.test/.well-known/jwks.json", &[]))
        .answered();
    assert_eq!(answer.status, 200);
    assert_eq!(header(&answer, "cache-control"), Some("no-store"));
    let document: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(kids(&document), ["RS"]);
    site.memory.script(
        "keys.test",
        "",
        Reply::new(200, set([with_alg("P-256", "ES256")])),
    );
    site.memory.pass_seconds(3);
    let answer = site
        .send(get("https://app0.test/.well-known/jwks.json", &[]))
        .answered();
    assert_eq!(
        header(&answer, "cache-control"),
        Some("public, max-age=300")
    );
}

#[test]
fn without_its_keys_nothing_is_signed() {
    for url in [FILE, URL] {
        for (strict, expected) in [(false, 503), (true, 500)] {
            let site = site(&[signs_with(url)], strict);
            site.memory
                .script("keys.test", "", Reply::fails(unreachable()));
            let answer = site.send(get("https://app0.test/", &[])).answered();
            assert_eq!(answer.status, expected, "{url}");
            assert_eq!(
                error(&answer)["reason"].as_str(),
                strict.then_some("None of the provided URLs returned a valid JSON Web Key Set.")
            );
            assert_eq!(published(&site).0, expected);
            let log = site.memory.take_log().concat();
            assert!(
                url != FILE || log.contains("edgekeeper keys import"),
                "{log}"
            );
        }
    }
}

#[test]
fn a_set_without_a_key_that_signs_is_500() {
    for (document, message) in [
        (set([]), Some("credentials: no suitable key could be found")),
        (
            set([public("RS")]),
            Some("credentials: no suitable key could be found"),
        ),
        (set([private("RS")]), None),
        (set([with_alg("RS", "ES256")]), None),
        (set([with_alg("RS", "none")]), None),
    ] {
        for strict in [false, true] {
            let site = site(&[signs_with(FILE)], strict);
            import(&site.memory, FILE, &document);
            let answer = site.send(get("https://app0.test/", &[])).answered();
            assert_eq!(answer.status, 500, "{document}");
            if let Some(message) = message.filter(|_| strict) {
                assert_eq!(error(&answer)["message"], message);
            }
        }
    }
}

#[test]
fn an_entry_that_is_not_what_was_imported_does_not_open() {
    let name = entry_name(FILE);
    let other = "file:///etc/other.json";
    let prepared = || {
        let site = site(&[signs_with(FILE)], false);
        import(&site.memory, FILE, &set([with_alg("RS", "RS256")]));
        import(&site.memory, other, &set([with_alg("other", "RS256")]));
        site
    };
    assert_eq!(status(&prepared()), 0);
    let site = prepared();
    let moved = site.memory.store()[&entry_name(other)].clone();
    site.memory.store().insert(name.clone(), moved.clone());
    assert_eq!(status(&site), 503, "of another URL");
    let site = prepared();
    let renamed = moved.replace(other, FILE);
    site.memory.store().insert(name.clone(), renamed);
    assert_eq!(status(&site), 503, "of another URL, which was changed");
    let site = prepared();
    site.memory
        .set_secret(Some("another secret of thirty-two bytes"));
    assert_eq!(status(&site), 503, "sealed under another secret");
    let site = prepared();
    site.memory.set_secret(None);
    assert_eq!(status(&site), 503, "no secret");
    let site = prepared();
    site.memory.set_store_fails(true);
    assert_eq!(status(&site), 503, "no store");
    for garbage in ["", "{}", "null", "\u{0}"] {
        let site = prepared();
        site.memory.store().insert(name.clone(), garbage.to_owned());
        assert_eq!(status(&site), 503);
    }
}

#[test]
fn an_imported_set_is_read_twice_a_minute_and_outlives_the_store() {
    let site = site(&[signs_with(FILE)], false);
    import(&site.memory, FILE, &set([with_alg("RS", "RS256")]));
    for _ in 0..30 {
        token(&site, 0);
        site.memory.pass_seconds(1);
    }
    assert_eq!(site.memory.reads(), 1);
    token(&site, 0);
    assert_eq!(site.memory.reads(), 2);
    site.memory.set_store_fails(true);
    site.memory.pass_seconds(600);
    token(&site, 0);
}

#[test]
fn a_new_set_signs_when_it_is_read() {
    let site = site(&[signs_with(FILE)], false);
    import(&site.memory, FILE, &set([with_alg("RS", "RS256")]));
    let first = token(&site, 0);
    assert_eq!(token(&site, 0), first, "it is remembered");
    import(&site.memory, FILE, &set([with_alg("P-256", "ES256")]));
    site.memory.pass_seconds(60);
    let second = token(&site, 0);
    assert_ne!(second, first, "by another key");
    claims(&second, &published(&site).1);
}

#[test]
fn two_sets_with_one_key_id_do_not_share_tokens() {
    let site = site(&[signs_with(FILE), signs_with(URL)], false);
    let named = |name| with(with_alg(name, "RS256"), "kid", json!("same"));
    import(&site.memory, FILE, &set([named("RS")]));
    site.memory
        .script("keys.test", "", Reply::new(200, set([named("other")])));
    let public = |name| json!({ "keys": [with(public(name), "kid", json!("same"))] });
    claims(&token(&site, 0), &public("RS"));
    claims(&token(&site, 1), &public("other"));
}

#[test]
fn a_site_that_signs_with_imported_keys_makes_none_of_its_own() {
    for strict in [false, true] {
        let site = site(&[signs_with(URL)], strict);
        let fetched = set([with_alg("RS", "RS256")]);
        site.memory
            .script("keys.test", "", Reply::new(200, fetched));
        site.memory.set_secret(None);
        site.memory.set_store_fails(true);
        token(&site, 0);
        published(&site);
        site.memory
            .run(site.gateway.scheduled(&site.memory))
            .unwrap();
        assert_eq!((site.memory.reads(), site.memory.writes()), (0, 0));
    }
}

#[test]
fn no_token_without_randomness() {
    let site = site(&[signs_with(FILE)], false);
    import(&site.memory, FILE, &set([with_alg("RS", "RS256")]));
    site.memory.set_random_fails(true);
    assert_eq!(status(&site), 500);
}

#[test]
fn a_ttl_longer_than_a_rotation_is_no_matter_to_imported_keys() {
    let long = with(id_token("", 400 * 86_400), "jwks", json!({ "url": FILE }));
    let site = site(&[long], true);
    import(&site.memory, FILE, &set([with_alg("RS", "RS256")]));
    token(&site, 0);
}

#[test]
fn claims_that_fail_are_told_in_gos_words_in_strict_mode_only() {
    for (claims, expected) in [
        (
            "guest",
            "invalid character 'g' looking for beginning of value",
        ),
        (r#"{"a":1"#, "unexpected end of JSON input"),
        (
            "[]",
            "json: cannot unmarshal array into Go value of type jwt.MapClaims",
        ),
        (
            r#"{"a": "{{ .Extra.x.y.z }}"}"#,
            r#"error executing claims template in rule "rule-0": template: b955e692399d77155bf7c10293ab3fc6:1:16: executing "b955e692399d77155bf7c10293ab3fc6" at <.Extra.x.y.z>: nil pointer evaluating interface {}.y"#,
        ),
    ] {
        for strict in [false, true] {
            let mutator = with(id_token(claims, 900), "jwks", json!({ "url": FILE }));
            let site = site(&[mutator], strict);
            import(&site.memory, FILE, &set([with_alg("RS", "RS256")]));
            let sent = site.send(get("https://app0.test/", &[]));
            if !strict && claims.contains("Extra") {
                sent.forwarded();
                continue;
            }
            let answer = sent.answered();
            assert_eq!(answer.status, 500, "{claims}");
            let told = error(&answer)["message"].as_str().unwrap().to_owned();
            assert_eq!(told == expected, strict, "{told}");
        }
    }
}
