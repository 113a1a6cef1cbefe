//! What is left of a check for a runtime that has the arithmetic.

use super::*;
use crate::imported::signer::Begun as BegunToken;

const LEFT: [&str; 8] = [
    "RS256", "RS384", "RS512", "ES384", "ES512", "PS256", "PS384", "PS512",
];

fn unproven(reading: Reading) -> JwkSet {
    let keys: Map<String, Value> = serde_json::from_str(KEYS).unwrap();
    let document = json!({ "keys": keys.values().collect::<Vec<_>>() });
    JwkSet::parse_unproven(&document.to_string(), reading).unwrap()
}

/// How far a token is checked without large arithmetic.
fn begun<'a>(token: &'a str, set: &'a JwkSet, strict: bool) -> Result<Begun<'a>, VerifyError> {
    let algorithms = algorithms();
    let options = Options {
        algorithms: &algorithms,
        now: NOW,
        strict,
    };
    begin(token, &[set], &options)
}

fn off_the_curve(name: &str) -> Value {
    let mut key = key(name);
    key["x"] = key["y"].clone();
    key
}

#[test]
fn rsa_and_the_larger_curves_are_left_and_nothing_else() {
    for strict in [false, true] {
        let reading = if strict {
            Reading::STRICT
        } else {
            Reading::SEALED
        };
        let set = unproven(reading);
        for jwa in Jwa::ALL {
            if strict && jwa == Jwa::EdDsa {
                continue;
            }
            let token = token(jwa.name());
            let left = begun(&token, &set, strict).ok().unwrap();
            assert_eq!(left.check().is_some(), LEFT.contains(&jwa.name()), "{jwa}");
            if let Some(check) = left.check() {
                assert_eq!(check.algorithm(), jwa);
                assert_eq!(check.verify(), Verdict::Genuine, "{jwa}");
            }
            assert_eq!(left.finish(Verdict::Genuine).unwrap()["sub"], "ada");
        }
    }
}

#[test]
fn a_verdict_is_what_counts() {
    let set = unproven(Reading::SEALED);
    for name in LEFT {
        let token = token(name);
        let finish = |verdict| begun(&token, &set, false).ok().unwrap().finish(verdict);
        assert!(
            matches!(finish(Verdict::Forged), Err(VerifyError::Signature(jwa)) if jwa.name() == name)
        );
        let error = finish(Verdict::KeyUnusable).unwrap_err();
        assert!(matches!(error, VerifyError::Key(Defect::Refused, _)));
        assert!(error.to_string().contains("this runtime"), "{error}");
    }
}

#[test]
fn the_signature_comes_before_the_lifetime() {
    let mut jwk = key("RS");
    jwk["alg"] = "RS256".into();
    let set = ImportedSet::parse(&json!({ "keys": [jwk] }).to_string()).unwrap();
    let claims = json!({"sub": "ada", "exp": 1});
    let token = set
        .signer()
        .unwrap()
        .sign(claims.as_object().unwrap(), &[7; 32])
        .unwrap();
    let keys = unproven(Reading::SEALED);
    let finish = |verdict| begun(&token, &keys, false).ok().unwrap().finish(verdict);
    assert!(matches!(
        finish(Verdict::Forged),
        Err(VerifyError::Signature(_))
    ));
    assert!(matches!(
        finish(Verdict::Genuine),
        Err(VerifyError::Lifetime(_))
    ));
}

#[test]
fn a_runtime_is_given_the_public_numbers_only_each_in_its_one_spelling() {
    let mut jwk = key("RS");
    jwk["n"] = format!("{}==", jwk["n"].as_str().unwrap()).into();
    jwk["e"] = "AAEAAQ==".into();
    let document = json!({ "keys": [jwk, key("P-521")] }).to_string();
    let set = JwkSet::parse_unproven(&document, Reading::SEALED).unwrap();
    let n = key("RS")["n"].clone();
    let p521 = key("P-521");
    let cases = [
        ("RS256", json!({"kty": "RSA", "n": n, "e": "AQAB"})),
        (
            "ES512",
            json!({"kty": "EC", "crv": "P-521", "x": p521["x"], "y": p521["y"]}),
        ),
    ];
    for (name, expected) in cases {
        let token = token(name);
        let left = begun(&token, &set, false).ok().unwrap();
        let check = left.check().unwrap();
        let given: Map<String, Value> = check
            .jwk()
            .map(|(name, value)| (name.to_owned(), value.into()))
            .collect();
        assert_eq!(Value::Object(given), expected);
        let (message, signature) = token.rsplit_once('.').unwrap();
        assert_eq!(check.message(), message.as_bytes());
        assert_eq!(encode(check.signature()), signature);
        assert_eq!(
            format!("{check:?}"),
            format!("SignatureCheck {{ alg: \"{name}\", .. }}")
        );
    }
}

#[test]
fn the_salt_is_as_long_as_the_hash_and_in_strict_mode_perhaps_the_longest() {
    let set = unproven(Reading::STRICT);
    let cases = [
        ("RS256", true, vec![]),
        ("ES384", true, vec![]),
        ("PS256", false, vec![32]),
        ("PS384", true, vec![48, 256 - 48 - 2]),
        ("PS256, longest salt", true, vec![32, 222]),
    ];
    for (name, strict, salts) in cases {
        let token = token(name);
        let left = begun(&token, &set, strict).ok().unwrap();
        assert_eq!(left.check().unwrap().salts(), salts, "{name}");
        assert_eq!(left.check().unwrap().verify(), Verdict::Genuine, "{name}");
    }
}

#[test]
fn a_point_off_its_curve_is_found_when_it_is_first_used() {
    for (name, algorithm) in [("P-384", "ES384"), ("P-521", "ES512")] {
        let document = json!({ "keys": [off_the_curve(name)] }).to_string();
        let proven = JwkSet::parse(&document, Reading::SEALED).unwrap();
        assert!(proven.is_empty());
        let set = JwkSet::parse_unproven(&document, Reading::SEALED).unwrap();
        let token = token(algorithm);
        let left = begun(&token, &set, false).ok().unwrap();
        assert_eq!(left.check().unwrap().verify(), Verdict::KeyUnusable);
    }
}

#[test]
fn a_signature_is_left_to_make_and_completes_the_token() {
    for jwa in Jwa::ALL {
        let name = match jwa {
            Jwa::Hmac(_) => "oct",
            Jwa::Rsa(_) | Jwa::RsaPss(_) => "RS",
            Jwa::Ecdsa(hash) => match hash.size() {
                32 => "P-256",
                48 => "P-384",
                _ => "P-521",
            },
            Jwa::EdDsa => "Ed25519",
        };
        let mut jwk = key(name);
        jwk["alg"] = jwa.name().into();
        let set = ImportedSet::parse(&json!({ "keys": [jwk] }).to_string()).unwrap();
        let signer = set.signer_unproven().unwrap();
        let claims = json!({"sub": "ada"});
        let token = match signer.begin(claims.as_object().unwrap()).unwrap() {
            BegunToken::Signed(token) => {
                assert!(!LEFT.contains(&jwa.name()), "{jwa}");
                token
            }
            BegunToken::Unsigned(unsigned) => {
                assert!(LEFT.contains(&jwa.name()), "{jwa}");
                assert_eq!(unsigned.algorithm(), jwa);
                let given: Vec<&str> = unsigned.jwk().map(|(name, _)| name).collect();
                let expected: &[&str] = match jwa {
                    Jwa::Ecdsa(_) => &["crv", "d", "kty", "x", "y"],
                    _ => &["d", "dp", "dq", "e", "kty", "n", "p", "q", "qi"],
                };
                assert_eq!(given, expected);
                assert!(!format!("{unsigned:?}").contains(key(name)["d"].as_str().unwrap()));
                let signature = unsigned.sign(&[7; 32]).unwrap();
                unsigned.finish(&signature).unwrap()
            }
        };
        let keys = unproven(Reading::SEALED);
        assert_eq!(check(&token, &[&keys], false).unwrap()["sub"], "ada");
    }
}

#[test]
fn halves_that_do_not_belong_together_are_found_when_they_first_sign() {
    let cases = [
        ("RS", "RS256", key("other")["d"].clone()),
        ("P-384", "ES384", key("P-384")["x"].clone()),
        ("P-521", "ES512", key("P-521")["x"].clone()),
    ];
    for (name, algorithm, d) in cases {
        let mut jwk = key(name);
        jwk["alg"] = algorithm.into();
        jwk["d"] = d;
        let set = ImportedSet::parse(&json!({ "keys": [jwk] }).to_string()).unwrap();
        assert!(set.signer().is_err(), "{name}");
        let signer = set.signer_unproven().unwrap();
        match signer.begin(&Map::new()).unwrap() {
            BegunToken::Unsigned(unsigned) => assert_eq!(unsigned.sign(&[7; 32]), None, "{name}"),
            BegunToken::Signed(_) => panic!("{name} has signed"),
        }
    }
}

#[test]
fn a_runtime_that_signs_needs_all_numbers_of_an_rsa_key() {
    for member in ["dp", "dq", "qi"] {
        let mut jwk = key("RS");
        jwk["alg"] = "RS256".into();
        jwk.as_object_mut().unwrap().remove(member);
        let set = ImportedSet::parse(&json!({ "keys": [jwk] }).to_string()).unwrap();
        assert!(set.signer().is_ok());
        let error = set.signer_unproven().unwrap_err().to_string();
        assert_eq!(
            error,
            format!("key set: keys[0] {member:?} is missing or not valid")
        );
    }
}
