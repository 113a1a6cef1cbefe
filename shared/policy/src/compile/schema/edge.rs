//! The schema of `edge.yml`.

use serde_json::{Value, json};

use crate::keys::Keys;
use crate::policies::Policies;
use crate::session::Session;

use super::super::edge::EDGE;
use super::super::edge::upstreams::TARGET;
use super::super::shape::Shape;
use super::description;
use super::form::{self, Beside};

/// The schema, without its name.
pub(super) fn schema() -> Value {
    form::plain(&EDGE, "", &Edge)
}

pub(super) struct Edge;

impl Beside for Edge {
    fn instead(&self, path: &str) -> Option<Value> {
        if path != "upstreams.*" {
            return None;
        }
        // A URL, or a table that says what it is; keywords for tables do not count for a text.
        let mut target = form::plain(&TARGET, path, self);
        form::set(&mut target, "type", json!(["string", "object", "null"]));
        form::set(&mut target, "minProperties", json!(1));
        Some(target)
    }

    fn description(&self, path: &str) -> Option<&'static str> {
        description::find(description::EDGE, path).or_else(|| {
            // What a rule gets is laid over what is configured for all: the same keys twice.
            let own = ["rules.*.", "authorizers."]
                .into_iter()
                .find_map(|prefix| path.strip_prefix(prefix))?;
            let (handler, key) = own.split_once('.')?;
            description::of_handler(handler, key.strip_prefix("config.").unwrap_or(key))
        })
    }

    fn default(&self, path: &str, shape: &Shape) -> Option<Value> {
        let (section, key) = path.split_once('.').unwrap_or(("", path));
        match (section, key) {
            ("", "mode") => return Some(json!("default")),
            ("", "server_timing") => return Some(json!(false)),
            ("api", "rules") => return Some(json!(true)),
            _ => {}
        }
        let defaults = match section {
            "session" => serde_json::to_value(Session::default()),
            "keys" => serde_json::to_value(Keys::default()),
            "policy" => serde_json::to_value(Policies::default()),
            _ => return None,
        };
        let defaults = defaults.ok()?;
        match (shape, defaults.get(key)) {
            (Shape::LongDuration | Shape::LongDurationOrNever, Some(seconds)) => {
                seconds.as_u64().map(duration)
            }
            (_, Some(value)) => Some(value.clone()),
            // A document leaves out what is off, and the one source of keys that is ours.
            (Shape::Flag, None) => Some(json!(false)),
            (Shape::Choice(_), None) if key == "source" => Some(json!("own")),
            _ => None,
        }
    }
}

/// Seconds as they are written: in days where they come to whole ones.
fn duration(seconds: u64) -> Value {
    const DAY: u64 = 86_400;
    match (seconds.checked_div(DAY), seconds.checked_rem(DAY)) {
        (Some(days), Some(0)) if days > 0 => json!(format!("{days}d")),
        _ => json!(format!("{seconds}s")),
    }
}
