//! How often and how long a service is asked.

use serde::{Deserialize, Serialize};

/// `retry` of a handler, in milliseconds.
///
/// By default `give_up_after` is what its name says: after it no try is begun, and none lasts longer. Oathkeeper
/// takes it for the longest time between two tries, or for the longest time of one; strict mode does the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// The longest time between two tries.
    pub max_delay: u64,
    /// The longest time for all of them.
    pub give_up_after: u64,
}

impl Default for Retry {
    /// What Oathkeeper's schema fills in: 100 ms and 1 s.
    fn default() -> Self {
        Self {
            max_delay: 100,
            give_up_after: 1_000,
        }
    }
}
