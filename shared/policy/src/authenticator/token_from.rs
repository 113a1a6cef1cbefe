//! Where in a request a token is.

use serde::{Deserialize, Serialize};

/// `token_from`. A header, a query parameter or a cookie may come twice: the first value counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenFrom {
    /// `Authorization: Bearer …` (RFC 6750 section 2.1); the scheme in any case.
    #[default]
    Bearer,
    /// The whole value of a header, lower case.
    Header(String),
    /// A query parameter.
    QueryParameter(String),
    /// A cookie.
    Cookie(String),
}
