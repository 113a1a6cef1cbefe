//! `jwt`: whose tokens are believed, and whose are not.

use edgekeeper_policy::authenticator::ALGORITHMS;
use edgekeeper_token::jwa::Jwa;
use serde_json::{Value, json};

use crate::foreign::{
    claiming, encode, golang, hs256, hs256_under, import, private, public, set, shared, signed,
    unsigned,
};
use crate::memory::{NOW, Reply};
use crate::policy::{header, policy, rule, set as with};
use crate::site::{Sent, Site, error, get};

const FILE: &str = "file:///etc/jwks.json";
const URL: &str = "https://keys.test/jwks.json";

/// `jwt` as the compiler makes it, with these of its parts set.
pub(crate) fn jwt(urls: &[&str], parts: &Value) -> Value {
    let jwks: Vec<Value> = urls.iter().map(|url| json!({ "url": url })).collect();
    let mut handler = json!({
        "handler": "jwt",
        "jwks": jwks,
        "jwks_ttl": 30_000,
        "jwks_max_wait": 1_000,
        "allowed_algorithms": ["RS256"],
    });
    for (name, value) in parts.as_object().unwrap() {
        handler[name] = value.clone();
    }
    handler
}

/// A site with one rule for tokens, whoever has none being a guest.
pub(crate) fn site(urls: &[&str], parts: &Value, strict: bool) -> Site {
    let guests = json!({ "handler": "anonymous", "subject": "guest" });
    let told = header(&[
        ("x-user", "{{ print .Subject }}"),
        ("x-claims", "{{ .Extra | toJson }}"),
    ]);
    let web = rule("web", "https://app.test/<.*>");
    let web = with(web, "authenticators", json!([jwt(urls, parts), guests]));
    let web = with(web, "mutators", json!([told]));
    let verbose = json!([{ "kind": { "handler": "json", "verbose": true } }]);
    Site::new(policy([web]).with("errors", verbose).mode(strict))
}

/// A site that knows the symmetric key, so that tokens can be made with any header.
fn symmetric(parts: &Value, strict: bool) -> Site {
    let mut parts = parts.clone();
    if parts["allowed_algorithms"].is_null() {
        parts["allowed_algorithms"] = json!(["HS256"]);
    }
    let site = site(&[FILE], &parts, strict);
    import(&site.memory, FILE, &set([shared()]));
    site
}

pub(crate) fn send(site: &Site, token: &str) -> Sent {
    site.send(get(
        "https://app.test/x",
        &[("authorization", &format!("Bearer {token}"))],
    ))
}

/// Who the upstream is told it is, or the status of the refusal.
#[track_caller]
pub(crate) fn user(sent: Sent) -> Result<String, u16> {
    match sent {
        Sent::Answered(answer) => Err(answer.status),
        Sent::Forwarded(forwarded) => Ok(forwarded.values("x-user").concat()),
    }
}

/// The claims that templates see.
#[track_caller]
fn extra(sent: Sent) -> Value {
    serde_json::from_str(&sent.forwarded().values("x-claims").concat()).unwrap()
}

fn ada() -> Result<String, u16> {
    Ok("ada".to_owned())
}

const NAMES: [&str; 6] = ["RS", "P-256", "P-384", "P-521", "Ed25519", "oct"];

#[test]
fn the_compiler_knows_the_algorithms_that_can_be_checked() {
    let known: Vec<&str> = Jwa::ALL.iter().map(|jwa| jwa.name()).collect();
    let mut listed = ALGORITHMS.to_vec();
    listed.sort_unstable();
    let mut sorted = known.clone();
    sorted.sort_unstable();
    assert_eq!(listed, sorted);
}

#[test]
fn every_algorithm_is_checked() {
    for algorithm in ALGORITHMS {
        for strict in [false, true] {
            let parts = json!({ "allowed_algorithms": [algorithm] });
            let site = site(&[FILE], &parts, strict);
            import(&site.memory, FILE, &set(NAMES.map(private)));
            let expected = if strict && algorithm == "EdDSA" {
                Err(401)
            } else {
                ada()
            };
            let token = golang(algorithm);
            assert_eq!(user(send(&site, &token)), expected, "{algorithm} {strict}");
            let mut broken = token.into_bytes();
            let place = broken.len() - 20;
            broken[place] = if broken[place] == b'A' { b'B' } else { b'A' };
            let broken = String::from_utf8(broken).unwrap();
            assert_eq!(user(send(&site, &broken)), Err(401), "{algorithm}");
        }
    }
}

#[test]
fn an_algorithm_that_is_not_allowed_is_refused_before_any_key_is_asked_for() {
    for algorithm in ALGORITHMS {
        let others: Vec<&str> = ALGORITHMS
            .into_iter()
            .filter(|other| *other != algorithm)
            .collect();
        let site = site(&[URL], &json!({ "allowed_algorithms": others }), false);
        assert_eq!(user(send(&site, &golang(algorithm))), Err(401));
        assert_eq!(site.memory.questions(), 0, "{algorithm}");
    }
}

#[test]
fn a_symmetric_key_that_anybody_can_fetch_does_not_count() {
    for (strict, expected) in [(false, Err(401)), (true, ada())] {
        let site = site(&[URL], &json!({ "allowed_algorithms": ["HS256"] }), strict);
        site.memory
            .script("keys.test", "", Reply::new(200, set([shared()])));
        assert_eq!(
            user(send(&site, &claiming(&json!({ "sub": "ada" })))),
            expected
        );
    }
}

#[test]
fn a_public_key_is_nobodys_secret() {
    let rsa = public("RS");
    let modulus = rsa["n"].as_str().unwrap();
    let header = json!({ "alg": "HS256", "kid": "RS", "typ": "JWT" });
    let claims = json!({ "sub": "root" });
    for strict in [false, true] {
        let parts = json!({ "allowed_algorithms": ["RS256", "HS256"] });
        let site = site(&[URL], &parts, strict);
        site.memory
            .script("keys.test", "", Reply::new(200, set([rsa.clone()])));
        for secret in [modulus.as_bytes(), rsa.to_string().as_bytes(), b""] {
            let forged = hs256_under(secret, &header, &claims);
            assert_eq!(user(send(&site, &forged)), Err(401));
        }
        assert_eq!(user(send(&site, &golang("RS256"))), ada());
    }
}

#[test]
fn a_token_without_a_signature_is_refused_even_where_none_is_listed() {
    for strict in [false, true] {
        let parts = json!({ "allowed_algorithms": ["none", "RS256"] });
        let site = site(&[URL], &parts, strict);
        site.memory
            .script("keys.test", "", Reply::new(200, set([public("RS")])));
        for algorithm in ["none", "None", "NONE", ""] {
            let header = json!({ "alg": algorithm, "kid": "RS", "typ": "JWT" });
            let unsigned = unsigned(&header, &json!({ "sub": "root" }));
            for token in [format!("{unsigned}."), format!("{unsigned}.AAAA")] {
                assert_eq!(user(send(&site, &token)), Err(401), "{algorithm}");
            }
        }
    }
}

#[test]
fn a_header_that_names_no_key_is_refused() {
    let claims = json!({ "sub": "ada" });
    for (header, expected) in [
        (json!({ "alg": "HS256", "kid": "shared" }), ada()),
        (
            json!({ "alg": "HS256", "kid": "shared", "typ": "at+jwt" }),
            ada(),
        ),
        (json!({ "alg": "HS256" }), Err(401)),
        (json!({ "alg": "HS256", "kid": "" }), Err(401)),
        (json!({ "alg": "HS256", "kid": 5 }), Err(401)),
        (json!({ "alg": "HS256", "kid": "SHARED" }), Err(401)),
        (json!({ "kid": "shared" }), Err(401)),
        (json!({ "alg": 256, "kid": "shared" }), Err(401)),
        (json!({ "alg": "hs256", "kid": "shared" }), Err(401)),
        (json!({ "alg": "HS384", "kid": "shared" }), Err(401)),
        (
            json!({ "alg": "HS256", "kid": "shared", "crit": ["exp"] }),
            Err(401),
        ),
        (
            json!({ "alg": "HS256", "kid": "shared", "b64": false }),
            Err(401),
        ),
    ] {
        for strict in [false, true] {
            let site = symmetric(&json!({}), strict);
            let token = hs256(&header, &claims);
            assert_eq!(user(send(&site, &token)), expected, "{header}");
        }
    }
}

#[test]
fn a_key_that_is_not_for_signatures_is_none() {
    let mut without = public("RS");
    without.as_object_mut().unwrap().remove("use");
    let mut for_secrets = public("RS");
    for_secrets["use"] = json!("enc");
    for key in [without, for_secrets] {
        for strict in [false, true] {
            let site = site(&[URL], &json!({}), strict);
            site.memory
                .script("keys.test", "", Reply::new(200, set([key.clone()])));
            assert_eq!(user(send(&site, &golang("RS256"))), Err(401));
            let both = set([key.clone(), public("RS")]);
            site.memory.script("keys.test", "", Reply::new(200, both));
            site.memory.pass_seconds(31);
            assert_eq!(user(send(&site, &golang("RS256"))), ada());
        }
    }
}

#[test]
fn a_key_of_another_kind_or_another_key_of_its_name_does_not_do() {
    for (key, kid) in [("other", "RS"), ("P-256", "RS")] {
        let mut named = public(key);
        named["kid"] = json!(kid);
        let site = site(&[URL], &json!({}), false);
        site.memory
            .script("keys.test", "", Reply::new(200, set([named])));
        assert_eq!(user(send(&site, &golang("RS256"))), Err(401), "{key}");
    }
}

#[test]
fn a_token_counts_within_its_times() {
    for (claims, expected) in [
        (json!({}), ada()),
        (json!({ "exp": NOW + 1 }), ada()),
        (json!({ "exp": NOW as f64 + 1.5 }), ada()),
        (json!({ "exp": NOW - 1 }), Err(401)),
        (json!({ "exp": 0 }), Err(401)),
        (json!({ "exp": "soon" }), Err(401)),
        (json!({ "exp": (NOW + 9).to_string() }), Err(401)),
        (json!({ "nbf": NOW }), ada()),
        (json!({ "nbf": NOW + 1 }), Err(401)),
        (json!({ "nbf": "now" }), Err(401)),
        (json!({ "iat": NOW }), ada()),
        (json!({ "iat": NOW + 1 }), Err(401)),
        (json!({ "iat": [] }), Err(401)),
        (
            json!({ "exp": NOW + 9, "nbf": NOW - 9, "iat": NOW - 9 }),
            ada(),
        ),
    ] {
        for strict in [false, true] {
            let site = symmetric(&json!({}), strict);
            let mut claims = claims.clone();
            claims["sub"] = json!("ada");
            assert_eq!(user(send(&site, &claiming(&claims))), expected, "{claims}");
        }
    }
}

#[test]
fn every_audience_must_be_named_and_the_issuer_trusted() {
    let parts = json!({ "target_audience": ["a", "b"], "trusted_issuers": ["i", "j"] });
    for (claims, reason) in [
        (json!({ "aud": ["b", "a", "c"], "iss": "j" }), None),
        (
            json!({ "aud": ["a"], "iss": "i" }),
            Some("Token audience [a] is not intended for target audience b."),
        ),
        (
            json!({ "aud": "b", "iss": "i" }),
            Some("Token audience [b] is not intended for target audience a."),
        ),
        (
            json!({ "iss": "i" }),
            Some("Token audience [] is not intended for target audience a."),
        ),
        (
            json!({ "aud": ["a", "b", 5], "iss": "i" }),
            Some("Token audience [] is not intended for target audience a."),
        ),
        (
            json!({ "aud": { "a": "b" }, "iss": "i" }),
            Some("Token audience [] is not intended for target audience a."),
        ),
        (
            json!({ "aud": ["a", "b"], "iss": "k" }),
            Some("Token issuer does not match any trusted issuer k."),
        ),
        (
            json!({ "aud": ["a", "b"] }),
            Some("Token issuer does not match any trusted issuer ."),
        ),
        (
            json!({ "aud": ["a", "b"], "iss": ["i"] }),
            Some("Token issuer does not match any trusted issuer ."),
        ),
    ] {
        for strict in [false, true] {
            let sent = send(&symmetric(&parts, strict), &claiming(&claims));
            let Some(reason) = reason else {
                sent.forwarded();
                continue;
            };
            let answer = sent.answered();
            assert_eq!(answer.status, 401, "{claims}");
            let told = error(&answer)["reason"].as_str().map(str::to_owned);
            assert_eq!(told.is_some(), strict, "only strict mode tells");
            assert!(told.is_none_or(|told| told.contains(reason)), "{claims}");
        }
    }
}

#[test]
fn scopes_are_in_the_first_of_three_claims_and_told_as_scp() {
    for (claims, scopes, leaves) in [
        (json!({ "scope": "a b" }), json!(["a", "b"]), None),
        (json!({ "scope": "a  b" }), json!(["a", "", "b"]), None),
        (json!({ "scp": ["a", "b"] }), json!(["a", "b"]), None),
        (json!({ "scopes": ["b"] }), json!(["b"]), None),
        (
            json!({ "scp": "b", "scope": "a" }),
            json!(["b"]),
            Some("scope"),
        ),
        (
            json!({ "scope": 5, "scopes": "a" }),
            json!([]),
            Some("scopes"),
        ),
        (json!({ "scp": ["b", 5] }), json!(["b", ""]), None),
        (json!({ "scope": "" }), json!([]), None),
        (json!({}), json!([]), None),
    ] {
        for strict in [false, true] {
            let site = symmetric(&json!({}), strict);
            let told = extra(send(&site, &claiming(&claims)));
            assert_eq!(told["scp"], scopes, "{claims}");
            for name in ["scope", "scopes"] {
                assert_eq!(told.get(name).is_some(), leaves == Some(name), "{claims}");
            }
            let parts = json!({ "required_scope": ["b"], "scope_strategy": "exact" });
            let has_b = scopes.as_array().unwrap().contains(&json!("b"));
            let status = send(&symmetric(&parts, strict), &claiming(&claims)).status();
            assert_eq!(status, if has_b { 0 } else { 401 }, "{claims}");
        }
    }
    let parts = json!({ "required_scope": ["b"] });
    let answer = send(
        &symmetric(&parts, true),
        &claiming(&json!({ "scope": "b" })),
    )
    .answered();
    assert_eq!(answer.status, 401, "without a strategy nobody gets in");
}

#[test]
fn the_subject_is_a_text_or_empty_and_the_claims_are_told() {
    for strict in [false, true] {
        let site = symmetric(&json!({}), strict);
        for (subject, expected) in [
            (json!("ada"), "ada"),
            (json!(5), ""),
            (json!(null), ""),
            (json!(["ada"]), ""),
        ] {
            let token = claiming(&json!({ "sub": subject }));
            assert_eq!(user(send(&site, &token)), Ok(expected.to_owned()));
        }
        let told = extra(send(
            &site,
            &claiming(&json!({ "email": "a@b.c", "n": 12345678 })),
        ));
        assert_eq!(told["email"], "a@b.c");
        assert_eq!(told["n"].as_f64(), Some(12_345_678.0));
    }
}

#[test]
fn what_is_no_token_is_for_the_next_authenticator() {
    for strict in [false, true] {
        let site = site(&[URL], &json!({}), strict);
        for url in ["https://app.test/", "https://app.test/?token=a.b.c"] {
            assert_eq!(user(site.send(get(url, &[]))), Ok("guest".to_owned()));
        }
        // `anonymous` does not take a request with `Authorization`, so nobody does.
        for opaque in ["opaque", "a.b", "a.b.c.d", "....", "ory_st_x"] {
            let answer = send(&site, opaque).answered();
            assert_eq!(answer.status, 401, "{opaque}");
            assert!(error(&answer).get("reason").is_none(), "not jwt's refusal");
        }
        for broken in ["a.b.c", "..", "a..", "eyJ9.eyJ9.AA"] {
            assert_eq!(user(send(&site, broken)), Err(401), "{broken}");
        }
        assert_eq!(site.memory.questions(), 0, "nothing that names a key");
    }
}

#[test]
fn strict_mode_tells_what_oathkeeper_tells() {
    let site = symmetric(&json!({}), true);
    let claims = json!({ "sub": "<ada>", "exp": 1 });
    let told = error(&send(&site, &claiming(&claims)).answered());
    assert_eq!(
        told["reason"],
        "id=\nrid=\nerror=token has invalid claims: token is expired\nreason=\ndetails=map[]"
    );
    assert_eq!(
        told["details"]["jwt_claims"],
        r#"{"exp":1,"sub":"\u003cada\u003e"}"#
    );
    let told = error(&send(&site, "?.?.?").answered());
    assert_eq!(
        told["reason"],
        "id=\nrid=\nerror=token is malformed: could not base64 decode header: illegal base64 data at input byte 0\nreason=\ndetails=map[]"
    );
    assert!(told.get("details").is_none(), "there are no claims to tell");
}

#[test]
fn by_default_neither_the_client_nor_the_log_learns_what_is_in_a_token() {
    let parts = json!({ "target_audience": ["a"], "trusted_issuers": ["i"] });
    for claims in [
        json!({ "sub": "ada-lovelace", "exp": 1 }),
        json!({ "sub": "ada-lovelace", "aud": "ada-lovelace" }),
        json!({ "sub": "ada-lovelace", "aud": "a", "iss": "ada-lovelace" }),
    ] {
        let site = symmetric(&parts, false);
        let token = claiming(&claims);
        let answer = send(&site, &token).answered();
        let log = site.memory.take_log().concat();
        assert!(log.contains("token"), "the log tells why: {log}");
        let signature = token.rsplit('.').next().unwrap();
        for secret in ["ada-lovelace", signature] {
            assert!(
                !answer.body.contains(secret) && !log.contains(secret),
                "{log}"
            );
        }
        assert!(error(&answer).get("details").is_none());
    }
}

#[test]
fn a_token_is_found_where_the_rule_says() {
    let token = claiming(&json!({ "sub": "ada" }));
    for (from, url, name, value) in [
        (json!({ "header": "x-jwt" }), "/", "x-jwt", token.clone()),
        (
            json!({ "cookie": "t" }),
            "/",
            "cookie",
            format!("t={token}"),
        ),
        (
            json!({ "query_parameter": "t" }),
            "/?t=",
            "x-none",
            String::new(),
        ),
    ] {
        let site = symmetric(&json!({ "token_from": from }), false);
        let url = match url {
            "/" => "https://app.test/".to_owned(),
            _ => format!("https://app.test{url}{token}"),
        };
        assert_eq!(
            user(site.send(get(&url, &[(name, value.as_str())]))),
            ada(),
            "{url}"
        );
    }
}

#[test]
fn a_key_may_be_in_any_of_several_sets() {
    for strict in [false, true] {
        let urls = ["https://one.test/jwks.json", "https://two.test/jwks.json"];
        let site = site(&urls, &json!({}), strict);
        site.memory
            .script("one.test", "", Reply::new(404, "not here"));
        site.memory
            .script("two.test", "", Reply::new(200, set([public("RS")])));
        assert_eq!(user(send(&site, &golang("RS256"))), ada());
        assert_eq!(site.memory.questions(), 2);
        site.memory.pass_seconds(10);
        assert_eq!(user(send(&site, &golang("RS256"))), ada());
        assert_eq!(
            site.memory.questions(),
            2,
            "the key is known, nobody else is asked"
        );
    }
}

#[test]
fn tokens_of_long_and_odd_shapes_do_no_harm() {
    let site = symmetric(&json!({}), false);
    let long = json!({ "sub": "x".repeat(20_000) });
    assert_eq!(user(send(&site, &claiming(&long))), Err(401));
    let deep = format!("{}{}", "[".repeat(1_000), "]".repeat(1_000));
    let deep = format!(
        "{}.{}.AA",
        encode(br#"{"alg":"HS256","kid":"shared"}"#),
        encode(deep.as_bytes())
    );
    assert_eq!(user(send(&site, &deep)), Err(401));
    let twice = hs256_under(b"", &json!({}), &json!({}));
    assert_eq!(user(send(&site, &twice)), Err(401));
    let mine = signed("other", "RS256", "shared", &json!({ "sub": "root" }));
    assert_eq!(user(send(&site, &mine)), Err(401));
}
