//! Base64url as JOSE has it: no padding, no bits left over.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Encodes bytes (RFC 7515 section 2).
pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Decodes; `None` for padding, another alphabet, white space or non-zero trailing bits.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Decodes exactly 32 bytes: a coordinate or an Ed25519 key.
pub(crate) fn decode_32(text: &str) -> Option<[u8; 32]> {
    decode(text)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_one_canonical_spelling_is_read() {
        assert_eq!(decode("-_8"), Some(vec![0xfb, 0xff]));
        for spelling in ["+/8", "-_8=", "-_9", "-_8\n", " -_8", "-_8-_", "é"] {
            assert_eq!(decode(spelling), None, "{spelling:?}");
        }
    }
}
