//! What other services say, as it was given to the command.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};

/// One answer of a service.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// What is known of the services that the gateway would ask.
#[derive(Debug, Clone)]
pub(crate) enum Services {
    /// Whoami says this, or knows no credential. Nobody else is asked.
    Offline(Option<Answer>),
    /// They are asked.
    Live,
    /// The answers that were once given, each with the URL that was asked.
    Recorded(Vec<(String, Answer)>),
}

impl Answer {
    /// Whoami's, when there is a session.
    pub(crate) fn session(document: &str) -> Self {
        Self::json(200, document)
    }

    /// Whoami's, when nobody knows the credential, as Kratos says it.
    pub(crate) fn unknown() -> Self {
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
