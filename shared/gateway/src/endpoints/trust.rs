//! Whom the API believes.
//!
//! Oathkeeper believes everybody who reaches its API, because it is a port of its own in a private network. Here it can be a
//! public host, and no runtime tells reliably who is at the other end of the connection. So a proxy is known by a secret that
//! it sends along, or by coming in where nobody else can, if `edge.yml` says that this is so.

use edgekeeper_policy::document::Policy;
use http::HeaderName;
use sha2::{Digest, Sha256};

use crate::refusal::Refusal;
use crate::request::{Listener, Request};
use crate::runtime::Runtime;

/// Where a proxy puts the secret.
pub(crate) const SECRET: HeaderName = HeaderName::from_static("x-edgekeeper-secret");

/// A secret that is shorter, in bytes, could be guessed.
const SHORTEST: usize = 16;

/// Somebody who asks the API.
pub(super) struct Asker {
    /// Whether it may ask for more than keys and health.
    let_in: bool,
    /// Whether its `X-Forwarded-*` say which request is meant.
    pub(super) believed: bool,
}

impl Asker {
    /// # Errors
    /// 403 when it sends a secret that is wrong, 500 when the runtime has none to compare with.
    pub(super) async fn of<R: Runtime>(
        policy: &Policy,
        runtime: &R,
        listener: Listener,
        request: &Request,
    ) -> Result<Self, Refusal> {
        let on_listener = listener == Listener::Api;
        if let Some(name) = &policy.api.secret
            && let Some(sent) = request.headers.get(SECRET)
        {
            let secret = runtime.secret(name).await.unwrap_or_default();
            if secret.len() < SHORTEST {
                return Err(Refusal::internal(format!(
                    "the runtime's secret {name}, which `api.secret` names, is not set or shorter than {SHORTEST} bytes"
                )));
            }
            if !is_same(sent.as_bytes(), secret.as_bytes()) {
                return Err(Self::forbidden("X-Edgekeeper-Secret is not the secret"));
            }
            return Ok(Self {
                let_in: true,
                believed: true,
            });
        }
        Ok(Self {
            let_in: on_listener,
            believed: on_listener && policy.api.trust_forwarded_headers,
        })
    }

    /// # Errors
    /// 403 for whoever asks on a public host without the secret.
    pub(super) fn must_be_let_in(&self) -> Result<(), Refusal> {
        if self.let_in {
            return Ok(());
        }
        Err(Self::forbidden(
            "on an API host, decisions and rules are for who sends the secret that `api.secret` names as X-Edgekeeper-Secret",
        ))
    }

    pub(super) fn forbidden(log: &str) -> Refusal {
        Refusal::new(403, "The requested action was forbidden").logged(log)
    }
}

/// Compares in a time that tells nothing of where two texts differ.
fn is_same(left: &[u8], right: &[u8]) -> bool {
    let digest = |bytes: &[u8]| <[u8; 32]>::from(Sha256::digest(bytes));
    let differences = digest(left)
        .iter()
        .zip(digest(right))
        .fold(0, |differences, (left, right)| differences | (left ^ right));
    differences == 0
}
