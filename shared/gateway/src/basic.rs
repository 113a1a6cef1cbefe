//! `Basic` credentials (RFC 7617), as Go reads and writes them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The value of `Authorization` for a user and a password.
pub(crate) fn encode(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

/// The user and the password of a value of `Authorization`; `None` when it holds none. The scheme has any case; what is
/// behind the first colon is the password.
pub(crate) fn decode(value: &str) -> Option<(Vec<u8>, Vec<u8>)> {
    let (scheme, encoded) = value.split_at_checked("Basic ".len())?;
    if !scheme.eq_ignore_ascii_case("Basic ") {
        return None;
    }
    let decoded = STANDARD.decode(encoded).ok()?;
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    let (user, rest) = decoded.split_at_checked(colon)?;
    Some((user.to_vec(), rest.get(1..)?.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Option<(String, String)> {
        let (user, password) = decode(value)?;
        Some((
            String::from_utf8(user).unwrap(),
            String::from_utf8(password).unwrap(),
        ))
    }

    #[test]
    fn what_is_written_is_read() {
        for (user, password) in [("u", "p"), ("", ""), ("u", ""), ("", "p"), ("u", "p:q")] {
            let pair = (user.to_owned(), password.to_owned());
            assert_eq!(read(&encode(user, password)), Some(pair));
        }
        assert_eq!(
            encode("Aladdin", "open sesame"),
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
            "RFC 7617 section 2"
        );
    }

    #[test]
    fn what_is_no_pair_is_none() {
        for value in [
            "",
            "Basic",
            "Basic ",
            "Basic !!!",
            "Basic dQ==",
            "Basic dTpw\u{e9}",
            "Basic dTpwMQ",
            "Basic  dTpw",
            "Bearer dTpw",
            "BasicdTpw",
            "B\u{e9}sic dTpw",
        ] {
            assert_eq!(read(value), None, "{value}");
        }
        assert!(read("bASIC dTpw").is_some());
    }
}
