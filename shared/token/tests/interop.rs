//! Our tokens and keys, read by an independent implementation: `jsonwebtoken` on `ring`.

use edgekeeper_token::algorithm::Algorithm;
use edgekeeper_token::claims::Issue;
use edgekeeper_token::imported::set::ImportedSet;
use edgekeeper_token::jwa::Jwa;
use edgekeeper_token::jwk::Jwks;
use edgekeeper_token::jwt;
use edgekeeper_token::key::SigningKey;
use jsonwebtoken::{DecodingKey, Validation};
use serde_json::{Map, Value, json};

// Far ahead, because that implementation reads the clock itself.
const NOW: u64 = 4_000_000_000;

#[test]
fn another_implementation_verifies_our_tokens_from_our_jwks() {
    let issue = Issue {
        issuer: "https://gateway.example/",
        subject: "ada",
        now: NOW,
        ttl: 900,
        session_expires: None,
        jti: [5; 16],
    };
    let issued = issue.claims(Map::new()).unwrap();
    let names = [
        (Algorithm::EdDsa, jsonwebtoken::Algorithm::EdDSA),
        (Algorithm::Es256, jsonwebtoken::Algorithm::ES256),
    ];
    for (algorithm, theirs) in names {
        for byte in 1..20 {
            let key = SigningKey::generate(algorithm, &[byte; 32]).unwrap();
            let document = Jwks::new(vec![key.public().clone()]).to_json();
            let token = jwt::mint(&key, &issued).unwrap();

            let set: jsonwebtoken::jwk::JwkSet = serde_json::from_str(&document).unwrap();
            let header = jsonwebtoken::decode_header(&token).unwrap();
            let jwk = set
                .find(&header.kid.unwrap())
                .expect("our kid is in our set");
            let mut validation = Validation::new(theirs);
            validation.set_issuer(&["https://gateway.example/"]);
            validation.set_required_spec_claims(&["exp", "iss", "sub"]);
            let decoded = jsonwebtoken::decode::<Map<String, Value>>(
                &token,
                &DecodingKey::from_jwk(jwk).unwrap(),
                &validation,
            )
            .unwrap();
            assert_eq!(decoded.claims, issued);
        }
    }
}

#[test]
fn another_implementation_verifies_what_imported_keys_sign() {
    let keys: Value = serde_json::from_str(include_str!("golang/keys.json")).unwrap();
    let mut claims = Map::new();
    claims.insert("sub".to_owned(), "ada".into());
    claims.insert("exp".to_owned(), (NOW + 900).into());
    for jwa in Jwa::ALL {
        let name = match jwa {
            Jwa::Hmac(_) => "oct",
            Jwa::Rsa(_) | Jwa::RsaPss(_) => "RS",
            Jwa::Ecdsa(hash) if hash.size() == 32 => "P-256",
            Jwa::Ecdsa(hash) if hash.size() == 48 => "P-384",
            // ring has no P-521; golang-jwt does, and its tokens are checked in the other direction.
            Jwa::Ecdsa(_) => continue,
            Jwa::EdDsa => "Ed25519",
        };
        let mut key = keys[name].clone();
        key["alg"] = jwa.name().into();
        let set = ImportedSet::parse(&json!({ "keys": [key] }).to_string()).unwrap();
        let decoding = match set.public().pop() {
            Some(public) => {
                let jwk = serde_json::from_value(Value::Object(public)).unwrap();
                DecodingKey::from_jwk(&jwk).unwrap()
            }
            None => DecodingKey::from_jwk(&serde_json::from_value(key).unwrap()).unwrap(),
        };
        let signer = set.signer().unwrap();
        for byte in 0..4 {
            let token = signer.sign(&claims, &[byte; 32]).unwrap();
            let validation = Validation::new(jwa.name().parse().unwrap());
            let decoded =
                jsonwebtoken::decode::<Map<String, Value>>(&token, &decoding, &validation);
            assert_eq!(decoded.unwrap().claims, claims, "{jwa}");
        }
    }
}
