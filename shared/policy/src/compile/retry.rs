//! `retry` of a handler that asks a service.

use crate::retry::Retry;

use super::duration::Duration;
use super::node::Node;
use super::stage::Context;

/// How long a service may take where nobody said, in milliseconds. Oathkeeper has no such bound.
const PATIENCE: u64 = 5_000;

/// Reads `retry`, which need not be there.
pub(super) fn read(retry: Option<&Node>, cx: &Context<'_>) -> Retry {
    let milliseconds = |name: &str| {
        let text = retry?.get(name)?.text()?;
        Duration::parse(text, false).map(Duration::milliseconds)
    };
    let default = Retry::default();
    Retry {
        max_delay: milliseconds("max_delay").unwrap_or(default.max_delay),
        give_up_after: milliseconds("give_up_after").unwrap_or(if cx.strict {
            default.give_up_after
        } else {
            PATIENCE
        }),
    }
}
