//! Our tokens and keys, read by an independent implementation: `jsonwebtoken` on `ring`.

use edgekeeper_token::algorithm::Algorithm;
use edgekeeper_token::claims::Issue;
use edgekeeper_token::jwk::Jwks;
use edgekeeper_token::jwt;
use edgekeeper_token::key::SigningKey;
use jsonwebtoken::{DecodingKey, Validation};
use serde_json::{Map, Value};

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
