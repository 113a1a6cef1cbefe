//! The policy document: what `edgekeeper build` makes and the Wasm loads.

mod reader;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::api::Api;
use crate::cors::Cors;
use crate::endpoint::Endpoint;
use crate::error_handler::ErrorHandler;
use crate::host::HostPattern;
use crate::keys::Keys;
use crate::mutator::IdToken;
use crate::policies::Policies;
use crate::return_to::ReturnTo;
use crate::rule::Rule;
use crate::session::Session;
use reader::Reader;

/// The document format this build reads. A document of another format is refused, not guessed at.
pub const FORMAT: u32 = 2;

/// Everything the gateway decides by, checked and ready to use.
///
/// It is plain JSON so that it can travel in a bundle or in a key-value store. Only [`Policy::from_json`]
/// makes one from text, so a `Policy` in hand is of the right format.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Always [`FORMAT`].
    pub format: u32,
    /// Oathkeeper v26.2.0 to the letter where that is safe, instead of its meaning without its traps.
    #[serde(default)]
    pub strict: bool,
    /// The scheme browsers use, where TLS ends before the gateway. Without it, the scheme of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheme: Option<Scheme>,
    /// Oathkeeper's `serve.proxy.trust_forwarded_headers`.
    #[serde(default)]
    pub trust_forwarded_headers: bool,
    /// Hosts that are served at all. `None`: whichever host a rule names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hosts: Option<Vec<HostPattern>>,
    /// Hosts on which the API (decisions, rules, keys, health) answers instead of the rules.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub api_hosts: Vec<HostPattern>,
    /// Whom the API believes.
    #[serde(default, skip_serializing_if = "Api::is_default")]
    pub api: Api,
    /// The name of the runtime's secret by which the gateway knows its operator, who may ask why a request is decided as it is
    /// and put another policy in force; without one nobody may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator_secret: Option<String>,
    /// CORS on the proxy listener; `None` leaves `OPTIONS` to the rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cors: Option<Cors>,
    /// CORS on the API listener.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_cors: Option<Cors>,
    /// Where a login may send a browser back to. `None` (strict mode only): wherever a rule matched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_to: Option<Vec<ReturnTo>>,
    /// How whoami is asked and how long its answer is believed.
    #[serde(default)]
    pub session: Session,
    /// How signing keys are made and rotated.
    #[serde(default)]
    pub keys: Keys,
    /// How a policy gets in force that is pushed.
    #[serde(default, skip_serializing_if = "Policies::is_default")]
    pub policies: Policies,
    /// Whether answers say in `Server-Timing` where the session came from and which key signed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub server_timing: bool,
    /// `errors.fallback` with each handler's configuration.
    pub errors: Vec<ErrorHandler>,
    /// Names of headers that some rule sets, lower case with `-` for `_`: no client may send these, on any rule.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identity_headers: Vec<String>,
    /// The access rules in the order of their files.
    pub rules: Vec<Rule>,
}

/// `http` or `https`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// Plain HTTP.
    Http,
    /// HTTP over TLS.
    Https,
}

impl Scheme {
    /// The name as it stands in a URL.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port that a URL of this scheme leaves out (RFC 9110 section 4.2).
    #[must_use]
    pub fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// Why a text is not a policy document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentError(String);

impl std::fmt::Display for DocumentError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "the policy document cannot be used: {}; make it anew with `edgekeeper build`",
            self.0
        )
    }
}

impl std::error::Error for DocumentError {}

impl Policy {
    /// Reads a policy document.
    ///
    /// # Errors
    /// Says what is wrong when the text is not JSON, is of another [`FORMAT`], or holds a value that its type refuses.
    pub fn from_json(text: &str) -> Result<Self, DocumentError> {
        let document: Value =
            serde_json::from_str(text).map_err(|error| DocumentError(error.to_string()))?;
        // First of all: what else is in it may be of other types.
        if let Some(format) = document.get("format")
            && format.as_u64() != Some(FORMAT.into())
        {
            return Err(DocumentError(format!(
                "it is of format {format}, this gateway reads format {FORMAT}"
            )));
        }
        Self::deserialize(Reader(document)).map_err(|error| DocumentError(error.to_string()))
    }

    /// The document as compact JSON.
    ///
    /// # Errors
    /// Never in practice: every part of a policy has a JSON form. The error is serde's.
    pub fn to_json(&self) -> Result<String, DocumentError> {
        serde_json::to_string(self).map_err(|error| DocumentError(error.to_string()))
    }

    /// Whether any rule mints a token, so that the key set has to be served.
    #[must_use]
    pub fn mints_tokens(&self) -> bool {
        self.rules
            .iter()
            .any(|rule| rule.id_tokens().next().is_some())
    }

    /// Whether any rule mints a token with the gateway's own keys, so that there have to be some.
    #[must_use]
    pub fn needs_own_keys(&self) -> bool {
        self.own_tokens().next().is_some()
    }

    /// The longest life of a token that the gateway's own keys sign, in seconds. They stay published this long after that.
    #[must_use]
    pub fn longest_token_ttl(&self) -> u64 {
        self.own_tokens()
            .map(|token| token.ttl)
            .max()
            .unwrap_or_default()
    }

    fn own_tokens(&self) -> impl Iterator<Item = &IdToken> {
        self.rules
            .iter()
            .flat_map(Rule::id_tokens)
            .filter(|token| token.jwks.is_none())
    }

    /// The sets of keys to publish besides the gateway's own: those that rules sign with, each once.
    #[must_use]
    pub fn published_sets(&self) -> Vec<&Endpoint> {
        let of_rules = self
            .rules
            .iter()
            .flat_map(Rule::id_tokens)
            .filter_map(|token| token.jwks.as_ref());
        let mut sets: Vec<&Endpoint> = Vec::new();
        for set in self.keys.published.iter().chain(of_rules) {
            if !sets.contains(&set) {
                sets.push(set);
            }
        }
        sets
    }
}
