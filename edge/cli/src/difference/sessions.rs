//! Who asks, where nobody says.

use std::fmt::Write as _;

use serde_json::json;

use crate::explain::answer::Answer;

/// What whoami says of somebody who may do what any user may: with a verified address, and without a second factor.
pub(super) fn somebody() -> Answer {
    let document = json!({
        "id": "00000000-0000-4000-8000-00000000000a",
        "active": true,
        "expires_at": "2999-01-01T00:00:00Z",
        "authenticated_at": "2026-01-01T00:00:00Z",
        "issued_at": "2026-01-01T00:00:00Z",
        "authenticator_assurance_level": "aal1",
        "authentication_methods": [{ "method": "password", "aal": "aal1" }],
        "identity": {
            "id": "00000000-0000-4000-8000-00000000000b",
            "schema_id": "default",
            "state": "active",
            "traits": { "email": "somebody@example.com", "name": { "first": "Some", "last": "Body" } },
            "verifiable_addresses": [
                { "value": "somebody@example.com", "via": "email", "verified": true, "status": "completed" }
            ],
            "metadata_public": {}
        }
    });
    Answer::session(&document.to_string())
}

/// A path as it is sent, of one as it is matched.
pub(super) fn encoded(path: &str) -> String {
    let mut sent = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/".contains(&byte) {
            sent.push(char::from(byte));
        } else {
            // Writing to a text never fails.
            let _ = write!(sent, "%{byte:02X}");
        }
    }
    sent
}
