use super::*;
use crate::encoding::encode;
use crate::foreign::set::Reading;
use crate::imported::set::ImportedSet;
use serde_json::json;

const NOW: u64 = 1_800_000_000;
/// Keys of go-jose, and tokens of golang-jwt.
const KEYS: &str = include_str!("../../../tests/golang/keys.json");
const TOKENS: &str = include_str!("../../../tests/golang/tokens.json");

fn key(name: &str) -> Value {
    serde_json::from_str::<Value>(KEYS).unwrap()[name].clone()
}

fn token(name: &str) -> String {
    let tokens: Value = serde_json::from_str(TOKENS).unwrap();
    tokens[name].as_str().unwrap().to_owned()
}

fn set(keys: &[Value], reading: Reading) -> JwkSet {
    JwkSet::parse(&json!({ "keys": keys }).to_string(), reading).unwrap()
}

fn all(reading: Reading) -> JwkSet {
    let keys: Map<String, Value> = serde_json::from_str(KEYS).unwrap();
    set(
        &keys.into_iter().map(|(_, key)| key).collect::<Vec<_>>(),
        reading,
    )
}

fn algorithms() -> Vec<String> {
    Jwa::ALL
        .iter()
        .map(|jwa| jwa.name().to_owned())
        .chain(["none".to_owned()])
        .collect()
}

fn check(token: &str, sets: &[&JwkSet], strict: bool) -> Result<Map<String, Value>, VerifyError> {
    let algorithms = algorithms();
    let options = Options {
        algorithms: &algorithms,
        now: NOW,
        strict,
    };
    verify(token, sets, &options)
}

/// A token of any header and payload, signed rightly with the Ed25519 key.
fn signed(header: &str, payload: &[u8]) -> String {
    use ed25519_dalek::Signer as _;
    let d = crate::encoding::decode_32(key("Ed25519")["d"].as_str().unwrap()).unwrap();
    let message = format!("{}.{}", encode(header.as_bytes()), encode(payload));
    let signature = ed25519_dalek::SigningKey::from_bytes(&d).sign(message.as_bytes());
    format!("{message}.{}", encode(&signature.to_bytes()))
}

/// A token of any header and payload, signed rightly with the symmetric key, which strict mode accepts, too.
fn signed_hs256(header: &str, payload: &[u8]) -> String {
    use hmac::Mac as _;
    let k = crate::encoding::decode(key("oct")["k"].as_str().unwrap()).unwrap();
    let message = format!("{}.{}", encode(header.as_bytes()), encode(payload));
    let mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(&k).unwrap();
    let mac = mac.chain_update(message.as_bytes()).finalize().into_bytes();
    format!("{message}.{}", encode(&mac))
}

#[test]
fn tokens_of_golang_jwt_verify_in_every_algorithm() {
    for jwa in Jwa::ALL {
        let token = token(jwa.name());
        let claims = check(&token, &[&all(Reading::SEALED)], false).unwrap();
        assert_eq!(
            Value::Object(claims),
            json!({"sub": "ada", "exp": 4_102_444_800_u64, "n": 1.5})
        );
        let strict = check(&token, &[&all(Reading::STRICT)], true);
        if jwa == Jwa::EdDsa {
            assert!(matches!(strict, Err(VerifyError::AlgorithmUnsupported)));
        } else {
            assert!(strict.is_ok(), "{jwa}: {strict:?}");
        }
    }
}

#[test]
fn no_bit_of_a_token_can_change_in_any_algorithm() {
    let keys = all(Reading::SEALED);
    for jwa in Jwa::ALL {
        let token = token(jwa.name());
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let signature = decode(signature).unwrap();
        for position in [0, signature.len() / 2, signature.len() - 1] {
            let mut changed = signature.clone();
            changed[position] ^= 1;
            let error = check(&format!("{signed}.{}", encode(&changed)), &[&keys], false);
            assert!(
                matches!(error, Err(VerifyError::Signature(_))),
                "{jwa}: {error:?}"
            );
        }
        for length in [0, 1, signature.len() - 1] {
            let short = format!("{signed}.{}", encode(&signature[..length]));
            assert!(matches!(
                check(&short, &[&keys], false),
                Err(VerifyError::Signature(_))
            ));
        }
        let long = format!("{signed}.{}", encode(&[&signature[..], &[0]].concat()));
        assert!(matches!(
            check(&long, &[&keys], false),
            Err(VerifyError::Signature(_))
        ));
        let (header, _) = signed.split_once('.').unwrap();
        let other = format!(
            "{header}.{}.{}",
            encode(br#"{"sub":"eve"}"#),
            encode(&signature)
        );
        assert!(matches!(
            check(&other, &[&keys], false),
            Err(VerifyError::Signature(_))
        ));
    }
}

#[test]
fn another_key_under_the_same_kid_does_not_verify() {
    for (algorithm, kid, other) in [("RS256", "RS", "other"), ("PS512", "RS", "other")] {
        let mut impostor = key(other);
        impostor["kid"] = kid.into();
        let error = check(
            &token(algorithm),
            &[&set(&[impostor], Reading::SEALED)],
            false,
        );
        assert!(matches!(error, Err(VerifyError::Signature(_))), "{error:?}");
    }
}

#[test]
fn a_private_set_is_checked_with_by_its_public_halves_only() {
    for jwa in Jwa::ALL
        .into_iter()
        .filter(|jwa| !matches!(jwa, Jwa::Hmac(_)))
    {
        let token = token(jwa.name());
        let private = all(Reading::SEALED);
        assert!(check(&token, &[&private], false).is_ok(), "{jwa}");
        let document = json!({ "keys": serde_json::from_str::<Map<String, Value>>(KEYS).unwrap().values().collect::<Vec<_>>() });
        let public = ImportedSet::parse(&document.to_string())
            .unwrap()
            .public_json();
        let public = JwkSet::parse(&public, Reading::PUBLISHED).unwrap();
        assert!(check(&token, &[&public], false).is_ok(), "{jwa}");
    }
}

#[test]
fn a_public_key_is_never_taken_for_a_secret() {
    // The classic: HS256 with the RSA key's public half as the secret.
    let rsa = set(&[key("RS")], Reading::STRICT);
    let token = signed_hs256(r#"{"alg":"HS256","kid":"RS"}"#, b"{}");
    for strict in [false, true] {
        assert!(matches!(
            check(&token, &[&rsa], strict),
            Err(VerifyError::KeyUnfit)
        ));
    }
    let swaps = [
        ("RS256", "P-256"),
        ("ES256", "RS"),
        ("ES256", "oct"),
        ("HS256", "P-256"),
        ("PS256", "oct"),
        ("EdDSA", "oct"),
    ];
    for (alg, kid) in swaps {
        let token = signed(&json!({"alg": alg, "kid": kid}).to_string(), b"{}");
        let error = check(&token, &[&all(Reading::SEALED)], false);
        assert!(
            matches!(error, Err(VerifyError::KeyUnfit)),
            "{alg} {kid}: {error:?}"
        );
    }
}

#[test]
fn an_ecdsa_signature_is_on_the_curve_its_algorithm_names() {
    let header = |alg: &str| json!({"alg": alg, "kid": "P-384"}).to_string();
    let message = format!("{}.{}", encode(header("ES256").as_bytes()), encode(b"{}"));
    let token = format!("{message}.{}", encode(&[1; 64]));
    let keys = all(Reading::STRICT);
    assert!(matches!(
        check(&token, &[&keys], false),
        Err(VerifyError::KeyUnfit)
    ));
    let error = check(&token, &[&keys], true).unwrap_err();
    assert_eq!(
        error.oathkeeper(),
        "token signature is invalid: crypto/ecdsa: verification error"
    );
}

#[test]
fn in_default_mode_a_key_is_for_its_alg_alone() {
    let mut jwk = key("RS");
    jwk["alg"] = "RS256".into();
    let keys = set(&[jwk], Reading::PUBLISHED);
    assert!(check(&token("RS256"), &[&keys], false).is_ok());
    assert!(matches!(
        check(&token("PS256"), &[&keys], false),
        Err(VerifyError::KeyUnfit)
    ));
    assert!(check(&token("PS256"), &[&keys], true).is_ok());
}

#[test]
fn only_strict_mode_takes_a_salt_longer_than_the_hash_and_a_short_rsa_key() {
    let keys = set(&[key("RS"), key("weak")], Reading::STRICT);
    let default = set(&[key("RS"), key("weak")], Reading::PUBLISHED);
    let salted = token("PS256, longest salt");
    assert!(check(&salted, &[&keys], true).is_ok());
    assert!(matches!(
        check(&salted, &[&default], false),
        Err(VerifyError::Signature(_))
    ));
    let weak = token("RS256, 1024 bits");
    assert!(check(&weak, &[&keys], true).is_ok());
    let error = check(&weak, &[&default], false).unwrap_err().to_string();
    assert!(
        error.contains("an RSA key of 1024 bits; allowed: 2048"),
        "{error}"
    );
}

#[test]
fn a_published_symmetric_key_counts_in_strict_mode_only() {
    let token = token("HS256");
    assert!(check(&token, &[&all(Reading::STRICT)], true).is_ok());
    let error = check(&token, &[&all(Reading::PUBLISHED)], false).unwrap_err();
    assert!(matches!(error, VerifyError::Key(Defect::Symmetric, _)));
    assert!(
        error
            .to_string()
            .contains("whoever can read the set can sign"),
        "{error}"
    );
}

#[test]
fn in_default_mode_a_secret_is_as_long_as_its_hash() {
    let mut jwk = key("oct");
    jwk["k"] = encode(&[7; 31]).into();
    let short = set(&[jwk], Reading::SEALED);
    let token = token("HS256");
    assert!(matches!(
        check(&token, &[&short], false),
        Err(VerifyError::KeyUnfit)
    ));
    assert!(matches!(
        check(&token, &[&short], true),
        Err(VerifyError::Signature(_))
    ));
}

#[test]
fn none_is_refused_though_it_is_allowed() {
    let header = encode(br#"{"alg":"none","kid":"RS"}"#);
    for token in [
        format!("{header}.{}.", encode(b"{}")),
        format!("{header}.{}.AA", encode(b"{}")),
    ] {
        for strict in [false, true] {
            let error = check(&token, &[&all(Reading::STRICT)], strict);
            assert!(
                matches!(error, Err(VerifyError::AlgorithmUnsupported)),
                "{error:?}"
            );
        }
    }
}

#[test]
fn an_unknown_kid_is_told_apart_from_what_no_newer_set_can_help() {
    let keys = all(Reading::SEALED);
    let unknown = signed(r#"{"alg":"EdDSA","kid":"new"}"#, b"{}");
    assert!(matches!(
        check(&unknown, &[&keys], false),
        Err(VerifyError::KidUnknown)
    ));
    assert!(matches!(
        check(&unknown, &[], false),
        Err(VerifyError::KidUnknown)
    ));
    let options = Options {
        algorithms: &["RS256".to_owned()],
        now: NOW,
        strict: false,
    };
    assert!(matches!(
        verify(&unknown, &[], &options),
        Err(VerifyError::AlgorithmNotAllowed)
    ));
    for header in [
        r#"{"alg":"EdDSA"}"#,
        r#"{"alg":"EdDSA","kid":""}"#,
        r#"{"alg":"EdDSA","kid":7}"#,
    ] {
        let error = check(&signed(header, b"{}"), &[], false);
        assert!(
            matches!(error, Err(VerifyError::KidMissing)),
            "{header}: {error:?}"
        );
    }
}

#[test]
fn the_first_set_with_the_kid_decides() {
    let mut impostor = key("other");
    impostor["kid"] = "RS".into();
    let (right, wrong) = (
        set(&[key("RS")], Reading::PUBLISHED),
        set(&[impostor], Reading::PUBLISHED),
    );
    let empty = set(&[], Reading::PUBLISHED);
    assert!(check(&token("RS256"), &[&empty, &right, &wrong], false).is_ok());
    assert!(check(&token("RS256"), &[&wrong, &right], false).is_err());
}

#[test]
fn f6_extensions_are_refused_in_both_modes() {
    for extension in [
        r#""crit":["exp"]"#,
        r#""crit":[]"#,
        r#""crit":["b64"],"b64":false"#,
        r#""b64":false"#,
        r#""b64":true"#,
    ] {
        let header = format!(r#"{{"alg":"HS256","kid":"oct",{extension}}}"#);
        for strict in [false, true] {
            let error = check(
                &signed_hs256(&header, b"{}"),
                &[&all(Reading::STRICT)],
                strict,
            );
            assert!(
                matches!(error, Err(VerifyError::Critical)),
                "{extension}: {error:?}"
            );
        }
    }
}

#[test]
fn other_header_members_mean_nothing() {
    let header = r#"{"alg":"HS256","kid":"oct","typ":"x","cty":"y","jku":"https://evil.example/","jwk":{"kty":"oct","k":"AA"}}"#;
    for strict in [false, true] {
        assert!(
            check(
                &signed_hs256(header, b"{}"),
                &[&all(Reading::STRICT)],
                strict
            )
            .is_ok()
        );
    }
}

#[test]
fn repeated_json_keys_are_refused_in_default_mode_and_the_last_counts_in_strict_mode() {
    let keys = all(Reading::STRICT);
    let header = r#"{"alg":"HS256","kid":"oct"}"#;
    let twice = signed_hs256(header, br#"{"sub":"ada","sub":"eve"}"#);
    assert!(matches!(
        check(&twice, &[&keys], false),
        Err(VerifyError::Json {
            part: Part::Claims,
            ..
        })
    ));
    assert_eq!(check(&twice, &[&keys], true).unwrap()["sub"], "eve");
    let header = r#"{"alg":"none","alg":"HS256","kid":"oct"}"#;
    let twice = signed_hs256(header, b"{}");
    assert!(matches!(
        check(&twice, &[&keys], false),
        Err(VerifyError::Json {
            part: Part::Header,
            ..
        })
    ));
    assert!(check(&twice, &[&keys], true).is_ok());
}

#[test]
fn the_lifetime_counts_after_the_signature_only() {
    let keys = all(Reading::STRICT);
    let header = r#"{"alg":"HS256","kid":"oct"}"#;
    let expired = signed_hs256(header, br#"{"exp":1,"iat":4102444800}"#);
    let error = check(&expired, &[&keys], true).unwrap_err();
    assert_eq!(
        error.oathkeeper(),
        "token has invalid claims: token is expired, token used before issued"
    );
    assert_eq!(
        error.to_string(),
        "the token does not count now: it has expired; it was issued in the future (iat); is a clock wrong, here or there?"
    );
    let forged = format!("{}A", &expired[..expired.len() - 1]);
    assert!(matches!(
        check(&forged, &[&keys], true),
        Err(VerifyError::Signature(_))
    ));
}

#[test]
fn claims_nobody_vouches_for_are_readable_all_the_same() {
    let claims = unverified_claims("e30.eyJzdWIiOiJhZGEifQ.AA").unwrap();
    assert_eq!(Value::Object(claims), json!({"sub": "ada"}));
    for token in ["", "a.b.c", "e30.W10.AA", "e30.e30", "e30.e30.AA.AA"] {
        assert_eq!(unverified_claims(token), None, "{token}");
    }
}

mod broken;
mod left;
