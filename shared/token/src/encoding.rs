//! Base64url as JOSE has it: no padding, no bits left over.

use base64::alphabet::URL_SAFE;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD, URL_SAFE_NO_PAD};
use base64::{DecodeError, Engine as _};

/// As Go reads it: bits left over count for nothing.
const LOOSE: GeneralPurpose =
    GeneralPurpose::new(&URL_SAFE, NO_PAD.with_decode_allow_trailing_bits(true));

/// Encodes bytes (RFC 7515 section 2).
pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Decodes; `None` for padding, another alphabet, white space or non-zero trailing bits.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Decodes as Go's `RawURLEncoding` does.
///
/// # Errors
/// Where the first byte is, from 0, that does not belong there.
pub(crate) fn decode_loose(text: &str) -> Result<Vec<u8>, usize> {
    LOOSE.decode(text).map_err(|error| match error {
        DecodeError::InvalidByte(offset, _) | DecodeError::InvalidLastSymbol(offset, _) => offset,
        DecodeError::InvalidLength(_) | DecodeError::InvalidPadding => text.len().saturating_sub(1),
    })
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

    #[test]
    fn loose_reading_forgives_bits_left_over_and_nothing_else() {
        assert_eq!(decode_loose("-_9"), Ok(vec![0xfb, 0xff]));
        for (spelling, offset) in [("+/8", 0), ("-_8=", 3), ("a", 0), ("-_8-_", 4), ("é", 0)] {
            assert_eq!(decode_loose(spelling), Err(offset), "{spelling:?}");
        }
    }
}
