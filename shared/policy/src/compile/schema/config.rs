//! The schema of Oathkeeper's configuration.

use serde_json::{Value, json};

use super::super::config::KEYS;
use super::super::handler::Stage;
use super::description;
use super::form::{self, Beside};
use super::handlers;

/// The schema, without its name.
pub(super) fn schema() -> Value {
    let mut schema = form::needed(form::table(KEYS, "", &Config));
    form::require(&mut schema, &["access_rules"]);
    form::change(&mut schema, "access_rules", |mut rules| {
        form::require_filled(&mut rules, &["repositories"]);
        rules
    });
    schema
}

pub(super) struct Config;

impl Beside for Config {
    fn instead(&self, path: &str) -> Option<Value> {
        if path == "errors.fallback" {
            let names = handlers::names(Stage::Error, true);
            return Some(json!({ "type": ["array", "null"], "items": names, "minItems": 1 }));
        }
        Stage::ALL
            .into_iter()
            .find(|stage| stage.section().join(".") == path)
            .map(handlers::section)
    }

    fn description(&self, path: &str) -> Option<&'static str> {
        description::find(description::CONFIG, path)
    }
}
