//! What `oauth2_introspection` and `oauth2_client_credentials` have in common.

use super::super::code::Code;
use super::super::duration::Duration;
use super::super::node::Node;
use super::super::stage::Context;

/// For how long an answer is kept where nobody said, in milliseconds (default mode).
const MINUTE: u64 = 60_000;

/// Reads `cache`: for how many milliseconds an answer is kept, 0 for as long as the token; `None` when none is.
pub(super) fn cache_ttl(config: &Node, cx: &mut Context<'_>) -> Option<u64> {
    let cache = config.get("cache")?;
    for name in ["max_cost", "max_tokens"] {
        if cache.get(name).is_some() {
            cx.report.note(
                Code::NO_EFFECT,
                cache.key_span(name),
                format!("`cache.{name}` has no effect"),
                "the gateway's memory has bounds of its own; it may stay for Oathkeeper",
            );
        }
    }
    if !cache.flag_at("enabled", false) {
        return None;
    }
    let ttl = cache
        .get("ttl")
        .and_then(Node::text)
        .and_then(|text| Duration::parse(text, false))
        .map(Duration::milliseconds);
    match ttl {
        // Oathkeeper keeps such an answer until there is no more room.
        Some(0) | None if cx.strict => Some(0),
        Some(0) => None,
        None => {
            cx.report.note(Code::INTROSPECTION_CACHE,
                cache.key_span("enabled"),
                "without `cache.ttl` an answer is kept for a minute",
                "write how long, such as `ttl: 60s`; Oathkeeper would go by a revoked token for as long as it has room",
            );
            Some(MINUTE)
        }
        ttl => ttl,
    }
}

/// Tells that `retry` means nothing, as it does in Oathkeeper.
pub(super) fn note_retry(config: &Node, cx: &mut Context<'_>) {
    if config.get("retry").is_some() {
        cx.report.note(Code::NO_EFFECT,
            config.key_span("retry"),
            "`retry` has no effect on this handler",
            "nor has it in Oathkeeper v26.2.0: the question is asked once; take it out, or leave it for Oathkeeper",
        );
    }
}
