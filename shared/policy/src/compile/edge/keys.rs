//! `keys`: how signing keys are made and rotated.

use super::super::code::Code;
use super::super::node::Node;
use super::super::report::Report;
use super::seconds;
use crate::keys::{Keys, Source};

/// Shortest rotation of keys, in seconds: a new one must be seen everywhere well within it.
const MIN_ROTATION: u64 = 3_600;

/// The same where `keys.development` is set: all times are whole seconds.
const MIN_DEVELOPMENT_ROTATION: u64 = 5;

/// Longest rotation of keys, in seconds: ten years.
const MAX_ROTATION: u64 = 3_653 * 86_400;

pub(super) fn read(node: &Node, strict: bool, report: &mut Report) -> Keys {
    let default = Keys::default();
    let keys = Keys {
        algorithm: node
            .get("algorithm")
            .and_then(Node::text)
            .map_or(default.algorithm, str::to_owned),
        rotation: seconds(node, "rotation", default.rotation, report),
        development: node.flag_at("development", default.development),
        source: match node.get("source").and_then(Node::text) {
            Some("jwks_url") => Source::JwksUrl,
            // Strict mode signs with the keys that Oathkeeper signs with.
            None if strict => Source::JwksUrl,
            _ => Source::Own,
        },
        published: None,
    };
    let (shortest, help) = if keys.development {
        (
            MIN_DEVELOPMENT_ROTATION,
            "write how long a key signs, between `5s` (with `development: true`, on one machine) and `3653d`",
        )
    } else {
        (
            MIN_ROTATION,
            "write how long a key signs, between `1h` and `3653d`, such as `30d`",
        )
    };
    if !(shortest..=MAX_ROTATION).contains(&keys.rotation) {
        let span = node.get("rotation").map_or(node.span, |item| item.span);
        report.error(
            Code::KEY_ROTATION,
            span,
            format!("`keys.rotation` cannot be {} seconds", keys.rotation),
            help,
        );
    }
    keys
}
