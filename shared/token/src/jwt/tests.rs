use super::*;
use crate::algorithm::Algorithm;
use crate::encoding::{decode_32, encode};
use serde_json::json;

const NOW: u64 = 1_800_000_000;

fn key(algorithm: Algorithm) -> SigningKey {
    SigningKey::generate(algorithm, &[7; 32]).unwrap()
}

fn keys() -> Jwks {
    Jwks::new(
        Algorithm::ALL
            .map(|algorithm| key(algorithm).public().clone())
            .to_vec(),
    )
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn claims() -> Map<String, Value> {
    object(json!({"sub": "ada", "iat": NOW, "nbf": NOW, "exp": NOW + 900}))
}

/// A token with any header and payload, signed rightly.
fn signed(key: &SigningKey, header: &[u8], payload: &[u8]) -> String {
    let message = format!("{}.{}", encode(header), encode(payload));
    let signature = match key.secret() {
        Secret::Ed25519(secret) => {
            ed25519_dalek::Signer::sign(secret, message.as_bytes()).to_bytes()
        }
        Secret::P256(secret) => {
            let signature: p256::ecdsa::Signature =
                p256::ecdsa::signature::Signer::sign(secret, message.as_bytes());
            signature.to_bytes().into()
        }
    };
    format!("{message}.{}", encode(&signature))
}

fn with_header(algorithm: Algorithm, header: &str) -> Result<Verified, VerifyError> {
    let key = key(algorithm);
    let header = header.replace("KID", key.kid());
    let payload = serde_json::to_vec(&claims()).unwrap();
    verify(&signed(&key, header.as_bytes(), &payload), &keys(), NOW, 0)
}

fn with_claims(payload: &[u8]) -> Result<Verified, VerifyError> {
    let key = key(Algorithm::EdDsa);
    let header = format!(r#"{{"alg":"EdDSA","kid":"{}"}}"#, key.kid());
    verify(&signed(&key, header.as_bytes(), payload), &keys(), NOW, 0)
}

#[test]
fn a_minted_token_has_exactly_three_header_members_and_verifies() {
    for algorithm in Algorithm::ALL {
        let key = key(algorithm);
        let token = mint(&key, &claims()).unwrap();
        let header = decode(token.split('.').next().unwrap()).unwrap();
        let expected = format!(
            r#"{{"alg":"{algorithm}","kid":"{}","typ":"JWT"}}"#,
            key.kid()
        );
        assert_eq!(String::from_utf8(header).unwrap(), expected);
        let verified = verify(&token, &keys(), NOW, 0).unwrap();
        assert_eq!(
            (verified.claims, verified.kid.as_str()),
            (claims(), key.kid())
        );
    }
}

#[test]
fn minting_is_deterministic() {
    for algorithm in Algorithm::ALL {
        let [one, two] = [(); 2].map(|()| mint(&key(algorithm), &claims()).unwrap());
        assert_eq!(one, two);
    }
}

#[test]
fn the_signature_of_rfc_8037_a_4_is_made_and_accepted() {
    let d = decode_32("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap();
    let key = SigningKey::generate(Algorithm::EdDsa, &d).unwrap();
    let token = signed(&key, br#"{"alg":"EdDSA"}"#, b"Example of Ed25519 signing");
    assert_eq!(
        token,
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09P\
         GcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    );
}

#[test]
fn f01_to_f07_the_header_does_not_choose_the_algorithm() {
    for alg in [
        "\"none\"",
        "\"None\"",
        "\"HS256\"",
        "\"RS256\"",
        "\"ES256\"",
        "\"eddsa\"",
        "\"\"",
    ] {
        let error = with_header(Algorithm::EdDsa, &format!(r#"{{"alg":{alg},"kid":"KID"}}"#));
        assert!(matches!(error, Err(VerifyError::Algorithm)), "{alg}");
    }
    for alg in ["[\"EdDSA\"]", "1", "null", "{}"] {
        let error = with_header(Algorithm::EdDsa, &format!(r#"{{"alg":{alg},"kid":"KID"}}"#));
        assert!(error.is_err(), "{alg}");
    }
    let swapped = with_header(Algorithm::Es256, r#"{"alg":"EdDSA","kid":"KID"}"#);
    assert!(matches!(swapped, Err(VerifyError::Algorithm)));
    assert!(with_header(Algorithm::Es256, r#"{"kid":"KID"}"#).is_err());
}

#[test]
fn f01_f03_an_empty_or_short_signature_is_refused() {
    let token = mint(&key(Algorithm::Es256), &claims()).unwrap();
    let (message, signature) = token.rsplit_once('.').unwrap();
    for wrong in [
        "",
        "AA",
        &signature[..43],
        &format!("{signature}AA"),
        &encode(&[0; 64]),
    ] {
        let error = verify(&format!("{message}.{wrong}"), &keys(), NOW, 0);
        assert!(
            matches!(
                error,
                Err(VerifyError::Signature | VerifyError::Encoding("signature"))
            ),
            "{wrong}"
        );
    }
}

#[test]
fn f13_an_eddsa_signature_has_one_form() {
    // The group order, little-endian: S + L signs the same message in a lax verifier.
    const L: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let token = mint(&key(Algorithm::EdDsa), &claims()).unwrap();
    let (message, signature) = token.rsplit_once('.').unwrap();
    let mut signature = decode(signature).unwrap();
    let mut carry = 0;
    for (byte, order) in signature[32..].iter_mut().zip(L) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    let error = verify(
        &format!("{message}.{}", encode(&signature)),
        &keys(),
        NOW,
        0,
    );
    assert!(matches!(error, Err(VerifyError::Signature)));
}

#[test]
fn f21_to_f29_keys_come_from_the_set_only() {
    let attacker = SigningKey::generate(Algorithm::EdDsa, &[66; 32]).unwrap();
    let jwk = serde_json::to_string(attacker.public()).unwrap();
    let payload = serde_json::to_vec(&claims()).unwrap();
    let ours = key(Algorithm::EdDsa);
    for member in [
        format!(r#""jwk":{jwk}"#),
        r#""jku":"https://evil.example/jwks.json""#.to_owned(),
        r#""x5u":"https://evil.example/cert""#.to_owned(),
        r#""x5c":["MIIB"]"#.to_owned(),
    ] {
        for (kid, expected) in [
            (ours.kid(), "does not fit"),
            (attacker.kid(), "exactly one key"),
        ] {
            let header = format!(r#"{{"alg":"EdDSA","kid":"{kid}",{member}}}"#);
            let token = signed(&attacker, header.as_bytes(), &payload);
            let error = verify(&token, &keys(), NOW, 0).unwrap_err().to_string();
            assert!(error.contains(expected), "{member}: {error}");
        }
    }
    for kid in ["' OR 1=1", "../../dev/null", "", "KID\\u0000", "KID "] {
        let error = with_header(
            Algorithm::EdDsa,
            &format!(r#"{{"alg":"EdDSA","kid":"{kid}"}}"#),
        );
        assert!(matches!(error, Err(VerifyError::KeyUnknown)), "{kid}");
    }
    for kid in ["null", "{}", "[\"KID\"]", "1"] {
        let error = with_header(
            Algorithm::EdDsa,
            &format!(r#"{{"alg":"EdDSA","kid":{kid}}}"#),
        );
        assert!(matches!(error, Err(VerifyError::KidMissing)), "{kid}");
    }
    let error = with_header(Algorithm::EdDsa, r#"{"alg":"EdDSA"}"#);
    assert!(matches!(error, Err(VerifyError::KidMissing)));
}

#[test]
fn f33_f35_extensions_are_refused() {
    for member in [
        r#""crit":["b64"],"b64":false"#,
        r#""crit":[]"#,
        r#""crit":["exp"]"#,
        r#""b64":true"#,
    ] {
        let error = with_header(
            Algorithm::EdDsa,
            &format!(r#"{{"alg":"EdDSA","kid":"KID",{member}}}"#),
        );
        assert!(matches!(error, Err(VerifyError::Critical)), "{member}");
    }
}

#[test]
fn f37_other_token_types_are_refused() {
    for (member, accepted) in [
        (r#""typ":"JWT""#, true),
        (r#""typ":"jwt""#, true),
        (r#""typ":"at+jwt""#, true),
        (r#""typ":"logout+jwt""#, false),
        (r#""typ":"dpop+jwt""#, false),
        (r#""typ":1"#, false),
        (r#""cty":"JWT""#, false),
        (r#""cty":"json""#, false),
    ] {
        let result = with_header(
            Algorithm::EdDsa,
            &format!(r#"{{"alg":"EdDSA","kid":"KID",{member}}}"#),
        );
        assert_eq!(result.is_ok(), accepted, "{member}: {result:?}");
    }
}

#[test]
fn f39_only_three_parts_are_a_token() {
    let token = mint(&key(Algorithm::EdDsa), &claims()).unwrap();
    let (message, _) = token.rsplit_once('.').unwrap();
    for wrong in [
        String::new(),
        ".".to_owned(),
        message.to_owned(),
        format!("{token}."),
        format!(".{token}"),
        format!("{token}.AA.AA"),
    ] {
        assert!(
            matches!(verify(&wrong, &keys(), NOW, 0), Err(VerifyError::Parts)),
            "{wrong}"
        );
    }
    for wrong in ["..", "a.b.c", "....", "é.é.é", "\0.\0.\0"] {
        assert!(verify(wrong, &keys(), NOW, 0).is_err(), "{wrong}");
    }
}

#[test]
fn f41_f43_repeated_keys_are_refused_in_header_and_claims() {
    let header = with_header(
        Algorithm::EdDsa,
        r#"{"alg":"EdDSA","kid":"KID","kid":"KID"}"#,
    );
    assert!(matches!(
        header,
        Err(VerifyError::Object { name: "header", .. })
    ));
    for payload in [
        r#"{"sub":"a","sub":"b","exp":1800000900}"#,
        r#"{"sub":"a","\u0073ub":"b","exp":1800000900}"#,
        r#"{"a":{"role":1,"role":2},"exp":1800000900}"#,
        r#"{"exp":1800000900,"exp":1800000900}"#,
    ] {
        let error = with_claims(payload.as_bytes());
        assert!(
            matches!(error, Err(VerifyError::Object { name: "claims", .. })),
            "{payload}"
        );
    }
}

#[test]
fn f45_to_f53_times_must_be_sane_and_now() {
    let at = |claims: &str| with_claims(claims.as_bytes());
    for exp in [
        "null",
        "1e400",
        "-1",
        "9007199254740993",
        "1800000900000",
        "\"1800000900\"",
        "1800000900.5",
        "1e20",
        "true",
        "[]",
    ] {
        assert!(at(&format!(r#"{{"exp":{exp}}}"#)).is_err(), "exp {exp}");
    }
    assert!(matches!(at("{}"), Err(VerifyError::ExpMissing)));
    assert!(matches!(at(r#"{"exp":0}"#), Err(VerifyError::Expired)));
    let token = mint(&key(Algorithm::EdDsa), &claims()).unwrap();
    for (now, leeway, accepted) in [
        (NOW, 0, true),
        (NOW - 1, 0, false),
        (NOW - 60, 60, true),
        (NOW - 61, 60, false),
        (NOW + 899, 0, true),
        (NOW + 900, 0, false),
        (NOW + 959, 60, true),
        (NOW + 960, 60, false),
        (u64::MAX, 60, false),
    ] {
        assert_eq!(
            verify(&token, &keys(), now, leeway).is_ok(),
            accepted,
            "{now} {leeway}"
        );
    }
    for claim in ["nbf", "iat"] {
        let payload = format!(r#"{{"exp":{},"{claim}":{}}}"#, NOW + 900, NOW + 1);
        assert!(matches!(at(&payload), Err(VerifyError::NotYet)), "{claim}");
        let payload = format!(r#"{{"exp":{},"{claim}":"soon"}}"#, NOW + 900);
        assert!(matches!(at(&payload), Err(VerifyError::Time)), "{claim}");
    }
}

#[test]
fn f57_f59_there_is_one_spelling_of_each_token() {
    let token = mint(&key(Algorithm::EdDsa), &claims()).unwrap();
    let parts: Vec<_> = token.split('.').collect();
    for position in 0..3 {
        for wrong in ["=", "==", "\n", " ", "+", "/"] {
            let mut changed = parts
                .iter()
                .map(|part| (*part).to_owned())
                .collect::<Vec<_>>();
            changed[position].push_str(wrong);
            assert!(
                verify(&changed.join("."), &keys(), NOW, 0).is_err(),
                "{position} {wrong:?}"
            );
        }
    }
    // 64 bytes leave four bits of the last character unused.
    let last = token.chars().last().unwrap();
    for other in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".chars() {
        let changed = format!("{}{other}", &token[..token.len() - 1]);
        assert_eq!(
            verify(&changed, &keys(), NOW, 0).is_ok(),
            other == last,
            "{other}"
        );
    }
}

#[test]
fn every_changed_byte_is_noticed() {
    for algorithm in Algorithm::ALL {
        let token = mint(&key(algorithm), &claims()).unwrap();
        for position in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[position] ^= 1;
            let changed = String::from_utf8(changed).unwrap();
            assert!(
                verify(&changed, &keys(), NOW, 0).is_err(),
                "{algorithm} {position}"
            );
        }
    }
}

#[test]
fn f61_a_huge_token_is_not_even_parsed_and_never_made() {
    let huge = "A".repeat(1_000_000);
    assert!(matches!(
        verify(&huge, &keys(), NOW, 0),
        Err(VerifyError::TooLong)
    ));
    let claims = object(json!({"a": "b".repeat(60_000)}));
    let error = mint(&key(Algorithm::EdDsa), &claims).unwrap_err();
    assert!(error.to_string().contains("at most 65536"), "{error}");
}

#[test]
fn f63_f65_header_and_claims_are_objects_in_utf_8() {
    for text in ["[]", "null", "\"x\"", "1", "", "{", "{}x"] {
        assert!(with_header(Algorithm::EdDsa, text).is_err(), "{text}");
        assert!(with_claims(text.as_bytes()).is_err(), "{text}");
    }
    assert!(with_claims(b"{\"sub\":\"\xff\",\"exp\":1800000900}").is_err());
    let deep = format!(
        r#"{{"exp":1800000900,"a":{}1{}}}"#,
        "[".repeat(40),
        "]".repeat(40)
    );
    assert!(with_claims(deep.as_bytes()).is_err());
}

#[test]
fn f31_an_ambiguous_kid_verifies_nothing() {
    let jwk = key(Algorithm::EdDsa).public().clone();
    let twice = Jwks::new(vec![jwk.clone(), jwk]);
    let token = mint(&key(Algorithm::EdDsa), &claims()).unwrap();
    assert!(matches!(
        verify(&token, &twice, NOW, 0),
        Err(VerifyError::KeyUnknown)
    ));
    assert!(matches!(
        verify(&token, &Jwks::default(), NOW, 0),
        Err(VerifyError::KeyUnknown)
    ));
}

#[test]
fn an_error_repeats_no_value_of_the_token() {
    let token = mint(&key(Algorithm::EdDsa), &claims()).unwrap();
    for cut in 0..token.len() {
        let error = verify(&token[..cut], &keys(), NOW, 0).unwrap_err();
        for shown in [error.to_string(), format!("{error:?}")] {
            assert!(!shown.contains("ada") && !shown.contains("eyJ"), "{shown}");
        }
    }
}
