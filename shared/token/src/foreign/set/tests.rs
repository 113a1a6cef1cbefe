use super::*;
use crate::encoding::encode;
use serde_json::json;

const KEYS: &str = include_str!("../../../tests/golang/keys.json");
const ALL: [Reading; 3] = [Reading::PUBLISHED, Reading::SEALED, Reading::STRICT];

/// A key's public half.
fn public(name: &str) -> Value {
    let mut key = serde_json::from_str::<Value>(KEYS).unwrap()[name].clone();
    let members = key.as_object_mut().unwrap();
    for member in ["d", "p", "q", "dp", "dq", "qi"] {
        members.remove(member);
    }
    key
}

fn with(name: &str, member: &str, value: Value) -> Value {
    let mut key = public(name);
    match value {
        Value::Null => drop(key.as_object_mut().unwrap().remove(member)),
        value => key[member] = value,
    }
    key
}

fn parse(key: Value, reading: Reading) -> Result<JwkSet, SetError> {
    JwkSet::parse(&json!({ "keys": [key, public("RS")] }).to_string(), reading)
}

#[test]
fn keys_of_every_kind_read_without_a_problem() {
    for name in ["RS", "P-256", "P-384", "P-521", "Ed25519"] {
        for reading in ALL {
            let set = parse(public(name), reading).unwrap();
            assert_eq!(set.problems(), [], "{name}");
            assert!(set.find(name).unwrap().is_ok(), "{name}");
        }
    }
}

#[test]
fn padding_and_leading_zeros_in_numbers_are_forgiven() {
    let n = public("RS")["n"].as_str().unwrap().to_owned();
    let longer = [vec![0], crate::encoding::decode(&n).unwrap()].concat();
    for n in [format!("{n}=="), encode(&longer)] {
        let set = parse(with("RS", "n", n.into()), Reading::PUBLISHED).unwrap();
        assert_eq!(set.problems(), []);
    }
}

#[test]
fn one_broken_key_costs_no_other_its_use_but_spoils_a_strict_set() {
    let off = |name: &str| with(name, "x", public(name)["y"].clone());
    let cases = [
        (json!(7), Defect::KeyType),
        (json!({}), Defect::KeyType),
        (with("RS", "kty", "DSA".into()), Defect::KeyType),
        (with("RS", "kty", 5.into()), Defect::Member("kty")),
        (with("RS", "n", Value::Null), Defect::Member("n")),
        (with("RS", "n", "".into()), Defect::Member("n")),
        (with("RS", "n", "a+b".into()), Defect::Member("n")),
        (with("RS", "e", Value::Null), Defect::Member("e")),
        (with("RS", "e", "AQ".into()), Defect::Member("e")),
        (with("RS", "e", "AA".into()), Defect::Member("e")),
        (with("RS", "e", "Ag".into()), Defect::Member("e")),
        (with("RS", "kid", 5.into()), Defect::Member("kid")),
        (with("RS", "use", 5.into()), Defect::Member("kid")),
        (with("RS", "alg", 5.into()), Defect::Member("alg")),
        (with("P-256", "crv", "secp256k1".into()), Defect::Curve),
        (with("P-256", "crv", Value::Null), Defect::Curve),
        (with("P-256", "crv", "P-384".into()), Defect::Member("x")),
        (with("P-256", "y", Value::Null), Defect::Member("y")),
        (off("P-256"), Defect::Point),
        (off("P-384"), Defect::Point),
        (off("P-521"), Defect::Point),
        (with("Ed25519", "crv", "X25519".into()), Defect::Curve),
        (with("Ed25519", "x", "AA".into()), Defect::Member("x")),
        (with("Ed25519", "x", encode(&[0; 32]).into()), Defect::Point),
        (
            json!({"kty": "oct", "kid": "a", "use": "sig"}),
            Defect::Member("k"),
        ),
        (
            json!({"kty": "oct", "kid": "a", "use": "sig", "k": ""}),
            Defect::Member("k"),
        ),
    ];
    for (key, defect) in cases {
        let problem = KeyProblem {
            position: 0,
            defect,
        };
        let set = parse(key.clone(), Reading::PUBLISHED).unwrap();
        assert_eq!(set.problems(), std::slice::from_ref(&problem), "{key}");
        assert!(
            set.find("RS").unwrap().is_ok() || key["kid"] == "RS",
            "{key}"
        );
        match parse(key.clone(), Reading::STRICT) {
            Err(SetError::Key(found)) => assert_eq!(found, problem, "{key}"),
            other => panic!("{key}: {other:?}"),
        }
    }
}

#[test]
fn keys_that_are_weak_private_or_not_for_this_are_told() {
    let private = serde_json::from_str::<Value>(KEYS).unwrap()["RS"].clone();
    let oct = json!({"kty": "oct", "k": "AAAA", "kid": "a", "use": "sig"});
    let short = Defect::Modulus {
        bits: 1024,
        min: 2048,
    };
    let cases = [
        (public("weak"), Some(short), None),
        (private, Some(Defect::Private), Some(Defect::Private)),
        (oct, Some(Defect::Symmetric), None),
        (
            with("RS", "use", Value::Null),
            Some(Defect::NoUse),
            Some(Defect::NoUse),
        ),
        (
            with("RS", "key_ops", json!(["sign"])),
            Some(Defect::Operations),
            None,
        ),
        (
            with("RS", "key_ops", json!("verify")),
            Some(Defect::Member("key_ops")),
            None,
        ),
        (with("RS", "key_ops", json!(["verify"])), None, None),
        // For encryption: fine, and not ours.
        (with("RS", "use", "enc".into()), None, None),
    ];
    for (key, default, strict) in cases {
        for (reading, expected) in [(Reading::PUBLISHED, default), (Reading::STRICT, strict)] {
            let set = parse(key.clone(), reading).unwrap();
            let found: Vec<_> = set
                .problems()
                .iter()
                .map(|problem| problem.defect)
                .collect();
            assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{key}");
        }
    }
}

#[test]
fn a_key_without_use_or_for_encryption_is_never_found() {
    for usage in [Value::Null, "enc".into(), "".into(), "SIG".into()] {
        for reading in ALL {
            let key = with("P-256", "use", usage.clone());
            assert!(!parse(key, reading).unwrap().has("P-256"));
        }
    }
}

#[test]
fn a_document_that_is_no_set_is_refused() {
    let many = json!({ "keys": vec![json!({}); MAX_KEYS + 1] }).to_string();
    let long = format!("{{\"keys\":[]{}}}", " ".repeat(MAX_LENGTH));
    let cases = [
        ("", "EOF"),
        ("<html>", "expected value"),
        ("[]", "found an array, must be a JSON object"),
        (r#"{"keys":{}}"#, "\"keys\" must be an array of keys"),
        (r#"{"keys":[],"keys":[]}"#, "is there twice"),
        (r#"{"keys":[]} x"#, "trailing characters"),
        (&many, "more than 256 keys"),
        (&long, "over 524288 bytes"),
    ];
    for (document, expected) in cases {
        for reading in ALL {
            let error = JwkSet::parse(document, reading).unwrap_err().to_string();
            assert!(
                error.starts_with("key set: ") && error.contains(expected),
                "{error}"
            );
        }
    }
    for document in ["{}", r#"{"keys":null}"#] {
        assert!(
            JwkSet::parse(document, Reading::PUBLISHED).is_err(),
            "{document}"
        );
        assert!(
            JwkSet::parse(document, Reading::STRICT).is_ok(),
            "{document}"
        );
    }
}

#[test]
fn problems_name_the_key_and_debug_shows_none() {
    let set = parse(public("weak"), Reading::PUBLISHED).unwrap();
    assert_eq!(
        set.problems()[0].to_string(),
        "keys[0] an RSA key of 1024 bits; allowed: 2048 and more, and not so many that it takes long"
    );
    let debug = format!("{set:?}");
    assert!(
        !debug.contains(public("RS")["n"].as_str().unwrap()),
        "{debug}"
    );
}
