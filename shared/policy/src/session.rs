//! How sessions are checked and how long an answer is believed.

use serde::{Deserialize, Serialize};

/// `session` of `edge.yml`. All times are in seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Session {
    /// How long an answer of whoami is fresh at most.
    pub ttl: u64,
    /// How long after that it still serves while it is asked anew behind the response.
    pub stale_while_revalidate: u64,
    /// How long after `ttl` it still serves while Kratos fails; the hard ceiling. 0: 503 at once.
    pub stale_if_error: u64,
    /// How long whoami may take.
    pub timeout: u64,
    /// How long a refusal is remembered.
    pub negative_ttl: u64,
    /// How many sessions one instance remembers.
    pub max_entries: usize,
    /// How many bytes of memory the remembered answers may take, by estimate. A Worker has 128 MB for everything.
    pub max_bytes: usize,
    /// Names of the session cookie, where a rule has no `only`.
    pub cookies: Vec<String>,
    /// How long an instance goes by what it knows of revocations, before it looks again.
    pub revocation_check: u64,
    /// The name of the secret that signs revocations; without one nobody can revoke.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revocation_secret: Option<String>,
    /// Whether browsers carry what Kratos said, sealed, in a cookie of the gateway's own.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub sealed_cookie: bool,
}

impl Default for Session {
    fn default() -> Self {
        Self {
            ttl: 60,
            stale_while_revalidate: 30,
            stale_if_error: 300,
            timeout: 5,
            negative_ttl: 3,
            max_entries: 10_000,
            max_bytes: 32 << 20,
            cookies: vec!["ory_kratos_session".to_owned()],
            revocation_check: 30,
            revocation_secret: None,
            sealed_cookie: false,
        }
    }
}
