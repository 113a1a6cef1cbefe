//! What the operator of a gateway asks it, and how the gateway knows that it is the operator.
//!
//! Whoever has the secret that `operator.secret` of `edge.yml` names signs a [`Statement`]: a compact JWS (HS256) that says what it is
//! for, with the method and the URL of the request that it goes with (`htm` and `htu`, as in RFC 9449: without a query) and until when it
//! counts. Where no secret is named, nobody is the operator.
//!
//! ```
//! use edgekeeper_gateway::operator::{Purpose, Statement};
//!
//! let statement = Statement::new(Purpose::Explain, "GET", "https://app.example.com/orders");
//! let signed = statement.sign(b"32 random bytes, in a real setup", 1_700_000_000).unwrap();
//! assert_eq!(signed.split('.').count(), 3);
//! ```

use edgekeeper_policy::document::Policy;
use edgekeeper_session::freshness::SKEW;
use edgekeeper_token::hs256::{self, SHORTEST_SECRET};
use http::HeaderName;
use http::header::WWW_AUTHENTICATE;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::refusal::{INTERNAL, Refusal};
use crate::runtime::Runtime;
use crate::upstream;

/// Asks why a request is decided as it is: a [`Statement`] for [`Purpose::Explain`]. The request is decided, and goes no further.
pub const EDGE_EXPLAIN: HeaderName = HeaderName::from_static("edge-explain");

/// For how long a statement counts, in seconds.
pub const LIFETIME: u64 = 60;

/// How far ahead the end of a statement may be, in seconds.
const LONGEST: u64 = 300;

/// What a statement is for. One for the one is none for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To be told why a request is decided as it is.
    Explain,
    /// To see which policy is in force, and to put another one in force.
    Policy,
}

impl Purpose {
    fn audience(self) -> &'static str {
        match self {
            Self::Explain => "edgekeeper explain",
            Self::Policy => "edgekeeper policy",
        }
    }
}

/// What the operator says of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statement<'a> {
    purpose: Purpose,
    method: &'a str,
    url: &'a str,
    body: &'a [u8],
    number: Option<u64>,
}

impl<'a> Statement<'a> {
    /// For a request without a body. The URL is the one that the client means: its scheme does not count, since TLS may end before
    /// the gateway.
    #[must_use]
    pub fn new(purpose: Purpose, method: &'a str, url: &'a str) -> Self {
        Self {
            purpose,
            method,
            url,
            body: b"",
            number: None,
        }
    }

    /// With a body.
    #[must_use]
    pub fn with_body(self, body: &'a [u8]) -> Self {
        Self { body, ..self }
    }

    /// That it is for what follows the policy of this number, and for nothing else: so that nobody can send it again later, and
    /// of two who push at once only one does.
    #[must_use]
    pub fn following(self, number: u64) -> Self {
        Self {
            number: Some(number),
            ..self
        }
    }

    /// Signs it, to count for [`LIFETIME`] from `now` on (Unix seconds); `None` for a secret that is shorter than
    /// [`SHORTEST_SECRET`].
    #[must_use]
    pub fn sign(&self, secret: &[u8], now: u64) -> Option<String> {
        let mut claims = Map::new();
        let mut claim = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        claim("aud", self.purpose.audience().into());
        claim("htm", self.method.into());
        claim("htu", self.url.into());
        claim("exp", now.saturating_add(LIFETIME).into());
        claim("body", hash(self.body).into());
        if let Some(number) = self.number {
            claim("number", number.into());
        }
        hs256::sign(&claims, secret)
    }
}

/// What a statement says that can only be looked at later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verified {
    body: Option<Value>,
    /// The number of the policy that it follows.
    pub(crate) number: Option<u64>,
}

impl Verified {
    /// # Errors
    /// 401 for another body than the one that was signed.
    pub(crate) fn must_be_of(&self, body: &[u8]) -> Result<(), Refusal> {
        if self.body == Some(Value::from(hash(body))) {
            return Ok(());
        }
        Err(refused(
            "the statement is for another body (`body`: its SHA-256 in hex)",
        ))
    }
}

/// Checks a statement for a request, before anything else of it is looked at.
///
/// # Errors
/// 401 with what is wrong, the signature before all; 500 when the runtime has no such secret.
pub(crate) async fn verify<R: Runtime>(
    policy: &Policy,
    runtime: &R,
    purpose: Purpose,
    (method, url): (&str, &str),
    statement: &str,
) -> Result<Verified, Refusal> {
    let name = policy.operator_secret.as_deref().unwrap_or_default();
    let secret = runtime.secret(name).await.unwrap_or_default();
    if name.is_empty() || secret.len() < SHORTEST_SECRET {
        return Err(Refusal::new(500, INTERNAL).logged(format!(
            "the runtime's secret {name}, which `operator.secret` names, is not set or shorter than {SHORTEST_SECRET} bytes"
        )));
    }
    let claims = hs256::verify(statement, secret.as_bytes())
        .ok_or_else(|| {
            refused(
                "the statement is not signed with the operator's secret (a compact JWS with HS256)",
            )
        })?
        .claims()
        .ok_or_else(|| {
            refused("the statement's claims are not a JSON object without repeated keys")
        })?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if text("aud") != Some(purpose.audience()) {
        return Err(refused("the statement is for something else (`aud`)"));
    }
    if text("htm") != Some(method) || text("htu").map(aimed_at) != Some(aimed_at(url)) {
        return Err(refused(
            "the statement is for another request (`htm`, `htu`)",
        ));
    }
    let now = runtime.seconds();
    let latest = now.saturating_add(LONGEST).saturating_add(SKEW);
    match claims.get("exp").and_then(Value::as_u64) {
        Some(end) if end > now && end <= latest => Ok(Verified {
            body: claims.get("body").cloned(),
            number: claims.get("number").and_then(Value::as_u64),
        }),
        Some(end) if end <= now => Err(refused("the statement has expired (`exp`)")),
        _ => Err(refused(
            "the statement must have `exp`, in Unix seconds, at most five minutes ahead",
        )),
    }
}

/// Host and path of a URL, without its query (RFC 9449 section 4.2).
fn aimed_at(url: &str) -> (String, &str) {
    let (origin, rest) = upstream::split(url);
    let host = origin.split_once("://").map_or(origin, |(_, host)| host);
    (host.to_ascii_lowercase(), rest)
}

fn refused(message: &str) -> Refusal {
    Refusal::new(401, message).with_header(WWW_AUTHENTICATE, "Edge-Statement")
}

fn hash(body: &[u8]) -> String {
    let digest = Sha256::digest(body);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
