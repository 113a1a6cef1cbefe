//! `www_authenticate`: a challenge that makes a browser ask for a password (RFC 7617). Always 401, as in Oathkeeper.

use http::HeaderValue;
use http::header::WWW_AUTHENTICATE;

use super::json;
use crate::decision::Answer;

/// The challenge. In strict mode the realm stands without quotes, as Oathkeeper writes it; a browser then takes its first
/// word for it.
pub(super) fn answer(realm: &str, strict: bool) -> Answer {
    let mut answer = json::text(401, "Unauthorized\n");
    let realm = if strict {
        realm.to_owned()
    } else {
        quoted(realm)
    };
    if let Ok(challenge) = HeaderValue::from_str(&format!("Basic realm={realm}")) {
        answer.headers.push((WWW_AUTHENTICATE, challenge));
    }
    answer
}

/// A quoted string (RFC 9110 section 5.6.4).
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        if matches!(letter, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(letter);
    }
    quoted.push('"');
    quoted
}
