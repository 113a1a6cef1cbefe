use super::*;
use crate::foreign::set::{JwkSet, Reading};
use crate::foreign::token::{Options, verify};
use crate::jwa::Jwa;
use crate::jwt::{MAX_TOKEN_LENGTH, MintError};

const KEYS: &str = include_str!("../../../tests/golang/keys.json");

fn private(name: &str, alg: &str) -> Value {
    let mut key = serde_json::from_str::<Value>(KEYS).unwrap()[name].clone();
    key["alg"] = alg.into();
    key
}

fn public(name: &str, kid: &str) -> Value {
    let mut key = private(name, "RS256");
    let members = key.as_object_mut().unwrap();
    for member in ["d", "p", "q", "dp", "dq", "qi"] {
        members.remove(member);
    }
    key["kid"] = kid.into();
    key
}

fn set(keys: &[Value]) -> ImportedSet {
    ImportedSet::parse(&json!({ "keys": keys }).to_string()).unwrap()
}

fn refusal(keys: &[Value]) -> String {
    set(keys).signer().unwrap_err().to_string()
}

fn key_of(jwa: Jwa) -> &'static str {
    match jwa {
        Jwa::Hmac(_) => "oct",
        Jwa::Rsa(_) | Jwa::RsaPss(_) => "RS",
        Jwa::Ecdsa(hash) => match hash.size() {
            32 => "P-256",
            48 => "P-384",
            _ => "P-521",
        },
        Jwa::EdDsa => "Ed25519",
    }
}

#[test]
fn what_is_signed_verifies_from_what_is_published() {
    let claims: Map<String, Value> =
        serde_json::from_str(r#"{"sub":"ada","exp":4102444800}"#).unwrap();
    for jwa in Jwa::ALL {
        let set = set(&[private(key_of(jwa), jwa.name())]);
        let signer = set.signer().unwrap();
        assert_eq!((signer.algorithm(), signer.kid()), (jwa, key_of(jwa)));
        let token = signer.sign(&claims, &[7; 32]).unwrap();
        let header = crate::encoding::decode(token.split('.').next().unwrap()).unwrap();
        let expected = format!(r#"{{"alg":"{jwa}","kid":"{}","typ":"JWT"}}"#, key_of(jwa));
        assert_eq!(String::from_utf8(header).unwrap(), expected);
        let published = JwkSet::parse(&set.public_json(), Reading::PUBLISHED).unwrap();
        let options = Options {
            algorithms: &[jwa.name().to_owned()],
            now: 0,
            strict: false,
        };
        let verified = verify(&token, &[&published], &options);
        if signer.is_symmetric() {
            assert!(set.public().is_empty() && verified.is_err());
        } else {
            assert_eq!(verified.unwrap(), claims);
        }
    }
}

#[test]
fn only_pss_signatures_differ_from_one_random_seed_to_the_next() {
    for jwa in Jwa::ALL {
        let signer = set(&[private(key_of(jwa), jwa.name())]).signer().unwrap();
        let [one, again, other] =
            [1, 1, 2].map(|byte| signer.sign(&Map::new(), &[byte; 32]).unwrap());
        assert_eq!(one, again);
        assert_eq!(one != other, matches!(jwa, Jwa::RsaPss(_)), "{jwa}");
    }
}

#[test]
fn the_key_and_the_kid_are_oathkeeper_s_choice() {
    let second = {
        let mut key = private("RS", "RS384");
        key["kid"] = "second".into();
        key
    };
    let cases = [
        // A private key alone names itself.
        (vec![private("RS", "RS256")], "RS", "RS256"),
        // With its public half, in either order, tokens name that.
        (
            vec![private("RS", "RS256"), public("RS", "public:1")],
            "public:1",
            "RS256",
        ),
        (
            vec![public("RS", "public:1"), private("RS", "RS256")],
            "public:1",
            "RS256",
        ),
        // Of private keys alone the last signs.
        (
            vec![private("RS", "RS256"), second.clone()],
            "second",
            "RS384",
        ),
        // After a pair is complete nothing counts.
        (
            vec![private("RS", "RS256"), public("RS", "pub"), second.clone()],
            "pub",
            "RS256",
        ),
        (
            vec![public("RS", "pub"), private("RS", "RS256"), second.clone()],
            "pub",
            "RS256",
        ),
        // A symmetric key is both halves.
        (
            vec![private("oct", "HS256"), second.clone()],
            "oct",
            "HS256",
        ),
        // A public key without a kid is none.
        (
            vec![public("RS", ""), private("RS", "RS256")],
            "RS",
            "RS256",
        ),
    ];
    for (keys, kid, alg) in cases {
        let signer = set(&keys).signer().unwrap();
        assert_eq!((signer.kid(), signer.algorithm().name()), (kid, alg));
    }
}

#[test]
fn a_set_that_cannot_sign_says_what_to_change() {
    let changed = |name: &str, alg: &str, member: &str, value: Value| {
        let mut key = private(name, alg);
        key[member] = value;
        key
    };
    let without = |name: &str, alg: &str, member: &str| {
        let mut key = private(name, alg);
        key.as_object_mut().unwrap().remove(member);
        key
    };
    let other_d = private("other", "RS256")["d"].clone();
    let cases = [
        (vec![], "no private key to sign with"),
        (vec![public("RS", "a")], "no private key to sign with"),
        (
            vec![without("RS", "RS256", "kid")],
            "keys[0] has no \"kid\"",
        ),
        (
            vec![without("RS", "RS256", "alg")],
            "keys[0] has no \"alg\"",
        ),
        (vec![private("RS", "")], "keys[0] has no \"alg\""),
        (
            vec![private("RS", "none")],
            "its \"alg\" is not one that it signs with",
        ),
        (
            vec![private("RS", "ES256")],
            "its \"alg\" is not one that it signs with",
        ),
        (
            vec![private("P-384", "ES256")],
            "its \"alg\" is not one that it signs with",
        ),
        (
            vec![private("Ed25519", "HS256")],
            "its \"alg\" is not one that it signs with",
        ),
        (
            vec![private("weak", "RS256")],
            "an RSA key of 1024 bits; allowed: 2048",
        ),
        (
            vec![without("RS", "RS256", "p")],
            "\"p\" is missing or not valid",
        ),
        (
            vec![changed("RS", "RS256", "d", other_d)],
            "its private half does not belong to its public half",
        ),
        (
            vec![changed(
                "P-256",
                "ES256",
                "d",
                private("P-256", "")["x"].clone(),
            )],
            "its private half does not belong",
        ),
        (
            vec![changed("P-256", "ES256", "d", "AA".into())],
            "\"d\" is missing or not valid",
        ),
        (
            vec![changed("Ed25519", "EdDSA", "d", encode(&[1; 32]).into())],
            "its private half does not belong",
        ),
        (
            vec![changed("oct", "HS256", "k", encode(&[1; 31]).into())],
            "\"k\" has 31 bytes; its algorithm needs at least 32",
        ),
        (
            vec![changed("RS", "RS256", "key_ops", json!(["verify"]))],
            "its \"key_ops\" do not allow it",
        ),
        (
            vec![changed("RS", "RS256", "kty", "DSA".into())],
            "\"kty\" is not one that signs",
        ),
        (
            vec![private("RS", "RS256"), public("other", "b")],
            "keys[0] would sign, but tokens would name keys[1]",
        ),
    ];
    for (keys, expected) in cases {
        let error = refusal(&keys);
        assert!(
            error.starts_with("key set: ") && error.contains(expected),
            "{error}"
        );
        assert!(!error.contains(private("RS", "")["d"].as_str().unwrap()));
    }
}

#[test]
fn a_document_that_is_no_set_is_refused() {
    for (document, expected) in [
        ("", "EOF"),
        ("[]", "must be a JSON object"),
        (r#"{"keys":7}"#, "must be an array"),
        (r#"{"keys":[7]}"#, "keys[0] \"kty\" is not one that signs"),
        (r#"{"keys":[{}]}"#, "keys[0] \"kty\" is not one that signs"),
    ] {
        let error = ImportedSet::parse(document).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn nothing_private_is_published() {
    let names = ["RS", "P-256", "P-384", "P-521", "Ed25519", "oct", "other"];
    let mut keys: Vec<_> = names.iter().map(|name| private(name, "RS256")).collect();
    keys[0]["x5t"] = "abc".into();
    keys[0]["secret_note"] = "for us".into();
    let published = set(&keys).public();
    assert_eq!(published.len(), names.len() - 1);
    for key in &published {
        let allowed = ["kty", "use", "kid", "crv", "alg", "n", "e", "x", "y", "x5t"];
        assert!(
            key.keys().all(|member| allowed.contains(&member.as_str())),
            "{key:?}"
        );
    }
    assert_eq!(published[0]["n"], private("RS", "")["n"]);
    assert_eq!(published[0]["x5t"], "abc");
    assert_eq!(format!("{:?}", set(&keys)), "ImportedSet { keys: 7 }");
}

#[test]
fn a_token_of_endless_claims_is_refused() {
    let signer = set(&[private("Ed25519", "EdDSA")]).signer().unwrap();
    let mut claims = Map::new();
    claims.insert("x".to_owned(), "x".repeat(MAX_TOKEN_LENGTH).into());
    assert!(matches!(
        signer.sign(&claims, &[0; 32]),
        Err(MintError::TooLong(_))
    ));
    assert_eq!(
        format!("{signer:?}"),
        r#"ForeignSigner { alg: "EdDSA", kid: "Ed25519", .. }"#
    );
}
