//! Other people's keys and tokens: those that golang-jwt made, and some made here to be wrong on purpose.

use edgekeeper_token::imported::entry::ImportedEntry;
use edgekeeper_token::imported::set::ImportedSet;
use edgekeeper_token::seal::Sealer;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::memory::{Memory, SECRET};

/// Keys of go-jose, by name, and tokens of golang-jwt, by algorithm.
const KEYS: &str = include_str!("../../../token/tests/golang/keys.json");
const TOKENS: &str = include_str!("../../../token/tests/golang/tokens.json");

/// The secret of the symmetric key `shared`.
const SHARED: &[u8] = b"a secret of thirty-two bytes, ok";

/// A private key.
pub(crate) fn private(name: &str) -> Value {
    serde_json::from_str::<Value>(KEYS).unwrap()[name].clone()
}

/// A public key.
pub(crate) fn public(name: &str) -> Value {
    let Value::Object(mut key) = private(name) else {
        panic!("{name} is no key");
    };
    for secret in ["d", "p", "q", "dp", "dq", "qi"] {
        key.remove(secret);
    }
    Value::Object(key)
}

/// The symmetric key that [`hs256`] signs with.
pub(crate) fn shared() -> Value {
    json!({ "kty": "oct", "use": "sig", "alg": "HS256", "kid": "shared", "k": encode(SHARED) })
}

/// A set of keys.
pub(crate) fn set(keys: impl IntoIterator<Item = Value>) -> String {
    json!({ "keys": keys.into_iter().collect::<Vec<_>>() }).to_string()
}

/// A token of golang-jwt's.
pub(crate) fn golang(algorithm: &str) -> String {
    serde_json::from_str::<Value>(TOKENS).unwrap()[algorithm]
        .as_str()
        .unwrap()
        .to_owned()
}

/// A token signed with one of the private keys under another key id.
pub(crate) fn signed(name: &str, algorithm: &str, kid: &str, claims: &Value) -> String {
    let mut key = private(name);
    key["alg"] = json!(algorithm);
    key["kid"] = json!(kid);
    let set = ImportedSet::parse(&set([key])).unwrap();
    let claims = claims.as_object().unwrap();
    set.signer().unwrap().sign(claims, &[7; 32]).unwrap()
}

/// A token with any header, signed rightly with [`shared`].
pub(crate) fn hs256(header: &Value, claims: &Value) -> String {
    let signed = unsigned(header, claims);
    let signature = hmac(SHARED, signed.as_bytes());
    format!("{signed}.{}", encode(&signature))
}

/// A token with the header that [`shared`] needs.
pub(crate) fn claiming(claims: &Value) -> String {
    hs256(
        &json!({ "alg": "HS256", "kid": "shared", "typ": "JWT" }),
        claims,
    )
}

/// A token signed with HMAC-SHA-256 under any secret.
pub(crate) fn hs256_under(secret: &[u8], header: &Value, claims: &Value) -> String {
    let signed = unsigned(header, claims);
    let signature = hmac(secret, signed.as_bytes());
    format!("{signed}.{}", encode(&signature))
}

/// The first two parts of a token.
pub(crate) fn unsigned(header: &Value, claims: &Value) -> String {
    format!(
        "{}.{}",
        encode(header.to_string().as_bytes()),
        encode(claims.to_string().as_bytes())
    )
}

/// Puts a set into the store as `edgekeeper keys import` does.
pub(crate) fn import(memory: &Memory, url: &str, document: &str) {
    let sealer = Sealer::new(SECRET.as_bytes()).unwrap();
    let entry = ImportedEntry::seal(&sealer, url, document, [9; 24]).unwrap();
    memory
        .store()
        .insert(entry.name(), entry.to_json().unwrap());
}

/// RFC 2104.
fn hmac(secret: &[u8], message: &[u8]) -> Vec<u8> {
    let mut key = [0; 64];
    if secret.len() > 64 {
        key[..32].copy_from_slice(&Sha256::digest(secret));
    } else {
        key[..secret.len()].copy_from_slice(secret);
    }
    let inner = Sha256::new()
        .chain_update(key.map(|byte| byte ^ 0x36))
        .chain_update(message)
        .finalize();
    Sha256::new()
        .chain_update(key.map(|byte| byte ^ 0x5c))
        .chain_update(inner)
        .finalize()
        .to_vec()
}

/// base64url without padding (RFC 4648 section 5).
pub(crate) fn encode(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let mut three = [0; 4];
        three[1..=chunk.len()].copy_from_slice(chunk);
        let bits = u32::from_be_bytes(three);
        for position in 0..=chunk.len() {
            let index = (bits >> (18 - 6 * position)) & 63;
            text.push(char::from(LETTERS[usize::try_from(index).unwrap()]));
        }
    }
    text
}
