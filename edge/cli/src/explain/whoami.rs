//! What whoami answers to the one credential of a request.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};

/// An answer of whoami's, as it was given to the command.
#[derive(Debug, Clone)]
pub(super) struct Whoami {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Whoami {
    /// There is a session.
    pub(super) fn session(document: &str) -> Self {
        Self::json(200, document)
    }

    /// Nobody knows the credential, as Kratos says it.
    pub(super) fn unknown() -> Self {
        Self::json(401, r#"{"error":{"id":"session_inactive","code":401}}"#)
    }

    fn json(status: u16, body: &str) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Self {
            status,
            headers,
            body: body.as_bytes().to_vec(),
        }
    }
}
