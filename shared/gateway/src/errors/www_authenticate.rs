//! `www_authenticate`: a challenge that makes a browser ask for a password (RFC 7617). Always 401, as in Oathkeeper.

use http::HeaderValue;
use http::header::WWW_AUTHENTICATE;

use super::json;
use crate::decision::Answer;

/// The challenge. The realm stands without quotes, as Oathkeeper writes it.
pub(super) fn answer(realm: &str) -> Answer {
    let mut answer = json::text(401, "Unauthorized\n");
    if let Ok(challenge) = HeaderValue::from_str(&format!("Basic realm={realm}")) {
        answer.headers.push((WWW_AUTHENTICATE, challenge));
    }
    answer
}
