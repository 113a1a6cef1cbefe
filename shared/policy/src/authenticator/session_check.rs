//! How a session is asked about.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::endpoint::Endpoint;
use crate::path::GjsonPath;

/// What `cookie_session` and `bearer_token` have in common: the request that asks about a session, and what to read
/// in its answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionCheck {
    /// `check_session_url`.
    pub endpoint: Endpoint,
    /// Keeps the path of the URL; otherwise the request's path replaces it, as in Oathkeeper.
    #[serde(default)]
    pub preserve_path: bool,
    /// Keeps the query of the URL; otherwise the request's query replaces it.
    #[serde(default)]
    pub preserve_query: bool,
    /// Tells the check the client's host in `X-Forwarded-Host`.
    #[serde(default)]
    pub preserve_host: bool,
    /// The method to ask with. Empty: the request's own.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub force_method: String,
    /// Request headers to send along, lower case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forward_http_headers: Vec<String>,
    /// Headers to set on the check, lower case.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub additional_headers: BTreeMap<String, String>,
    /// The template by which Kratos is to make a token of the session (`tokenize_as` of its whoami).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokenize_as: Option<String>,
    /// Where in the answer `Extra` is.
    pub extra_from: GjsonPath,
    /// Where in the answer the subject is.
    pub subject_from: GjsonPath,
}
