//! WebCrypto for the gateway: randomness, and signatures of RSA and of ECDSA on P-384 and P-521.
//!
//! What takes Wasm tens of milliseconds takes the runtime's own code less than one, and nothing of it is in the bundle. What
//! it says of a failure may repeat what it was given: never log that.
//!
//! ```no_run
//! let mut nonce = [0; 24];
//! edgekeeper_webcrypto::random(&mut nonce)?;
//! # Ok::<(), wasm_bindgen::JsValue>(())
//! ```

use edgekeeper_gateway::runtime::{Hash, Jwa, SignatureCheck, Unsigned, Verdict};
use js_sys::{Array, Object, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Crypto, CryptoKey, SubtleCrypto, WorkerGlobalScope};

fn crypto() -> Result<Crypto, JsValue> {
    js_sys::global()
        .unchecked_into::<WorkerGlobalScope>()
        .crypto()
}

/// Fills `bytes` from the runtime's cryptographic source.
///
/// # Errors
/// When there is none.
pub fn random(bytes: &mut [u8]) -> Result<(), JsValue> {
    crypto()?.get_random_values_with_u8_array(bytes).map(drop)
}

/// Checks a signature.
///
/// # Errors
/// When WebCrypto cannot tell. What it says may repeat the key.
pub async fn verify(check: &SignatureCheck<'_>) -> Result<Verdict, JsValue> {
    let subtle = crypto()?.subtle();
    let algorithm = algorithm(check.algorithm())?;
    let Ok(key) = import(&subtle, check.jwk(), &algorithm, "verify").await else {
        return Ok(Verdict::KeyUnusable);
    };
    let signature = Uint8Array::new_from_slice(check.signature());
    let message = Uint8Array::new_from_slice(check.message());
    let salts = check.salts();
    for salt in salts.iter().chain(salts.is_empty().then_some(&0)) {
        set_salt(&algorithm, *salt)?;
        let promise = subtle.verify_with_object_and_js_u8_array_and_js_u8_array(
            &algorithm, &key, &signature, &message,
        )?;
        if JsFuture::from(promise).await? == JsValue::TRUE {
            return Ok(Verdict::Genuine);
        }
    }
    Ok(Verdict::Forged)
}

/// Signs.
///
/// # Errors
/// When WebCrypto cannot, for instance because the key is none. What it says may repeat the key.
pub async fn sign(unsigned: &Unsigned<'_>) -> Result<Vec<u8>, JsValue> {
    let subtle = crypto()?.subtle();
    let algorithm = algorithm(unsigned.algorithm())?;
    let key = import(&subtle, unsigned.jwk(), &algorithm, "sign").await?;
    if let Jwa::RsaPss(hash) = unsigned.algorithm() {
        set_salt(&algorithm, hash.size())?;
    }
    let message = Uint8Array::new_from_slice(unsigned.message());
    let promise = subtle.sign_with_object_and_js_u8_array(&algorithm, &key, &message)?;
    Ok(Uint8Array::new(&JsFuture::from(promise).await?).to_vec())
}

/// An algorithm's name, hash and curve, as importing and using a key of it take them.
fn algorithm(jwa: Jwa) -> Result<Object, JsValue> {
    let (name, hash) = match jwa {
        Jwa::Rsa(hash) => ("RSASSA-PKCS1-v1_5", hash),
        Jwa::RsaPss(hash) => ("RSA-PSS", hash),
        Jwa::Ecdsa(hash) => ("ECDSA", hash),
        Jwa::Hmac(_) | Jwa::EdDsa => return Err("not left to the runtime".into()),
    };
    let (hash, curve) = match hash {
        Hash::Sha256 => ("SHA-256", "P-256"),
        Hash::Sha384 => ("SHA-384", "P-384"),
        Hash::Sha512 => ("SHA-512", "P-521"),
    };
    object([("name", name), ("hash", hash), ("namedCurve", curve)].into_iter())
}

fn set_salt(algorithm: &Object, length: usize) -> Result<(), JsValue> {
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    Reflect::set(algorithm, &"saltLength".into(), &length.into()).map(drop)
}

async fn import<'a>(
    subtle: &SubtleCrypto,
    jwk: impl Iterator<Item = (&'a str, &'a str)>,
    algorithm: &Object,
    usage: &str,
) -> Result<CryptoKey, JsValue> {
    let usages = Array::of1(&usage.into());
    let promise = subtle.import_key_with_object("jwk", &object(jwk)?, algorithm, false, &usages)?;
    JsFuture::from(promise).await.map(JsCast::unchecked_into)
}

fn object<'a>(members: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Object, JsValue> {
    let object = Object::new();
    for (name, value) in members {
        Reflect::set(&object, &name.into(), &value.into())?;
    }
    Ok(object)
}
