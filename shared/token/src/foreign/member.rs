//! The members of a JWK (RFC 7517 section 4), as go-jose reads them.

use serde_json::{Map, Value};

use super::key::Defect;
use crate::encoding::decode_loose;

/// A member that is text, if it is there.
///
/// # Errors
/// If it is of another type.
pub(crate) fn text<'a>(
    jwk: &'a Map<String, Value>,
    name: &'static str,
) -> Result<Option<&'a str>, Defect> {
    match jwk.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(value)) => Ok(Some(value)),
        Some(_) => Err(Defect::Member(name)),
    }
}

/// A member that is bytes in base64url. Padding is cut off, since some issuers write it.
///
/// # Errors
/// If it is missing, empty or not base64url.
pub(crate) fn bytes(jwk: &Map<String, Value>, name: &'static str) -> Result<Vec<u8>, Defect> {
    text(jwk, name)?
        .and_then(|encoded| decode_loose(encoded.trim_end_matches('=')).ok())
        .filter(|bytes| !bytes.is_empty())
        .ok_or(Defect::Member(name))
}
