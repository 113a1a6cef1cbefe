//! A handler that Oathkeeper could not run.

use serde::{Deserialize, Serialize};

/// What a request is told that comes to a handler which is unknown, disabled or configured wrongly: 500.
///
/// In strict mode alone. Oathkeeper keeps such a rule and fails its requests once they have come that far; by default
/// the policy is not built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What a verbose error handler tells.
    pub message: String,
    /// What it tells besides; empty for nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

#[cfg(feature = "compile")]
impl Fault {
    /// One that anybody may know nothing of but that it is on this side (herodot's text).
    pub(crate) fn internal(reason: String) -> Self {
        Self {
            message: "An internal server error occurred, please contact the system administrator"
                .to_owned(),
            reason,
        }
    }
}
