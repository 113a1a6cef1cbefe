//! The schema of a file of access rules.

use serde_json::{Map, Value, json};

use super::super::handler::Stage;
use super::super::rule::{MATCH, RULE};
use super::description;
use super::form::{self, Beside};
use super::handlers;

/// The schema, without its name.
pub(super) fn schema() -> Value {
    let mut definitions: Map<String, Value> = Stage::ALL
        .into_iter()
        .map(|stage| {
            let used = form::needed(handlers::used(stage));
            (definition(stage).to_owned(), used)
        })
        .collect();
    definitions.insert("rule".to_owned(), rule());
    json!({
        "type": ["array", "null"],
        "items": { "$ref": "#/$defs/rule" },
        "$defs": definitions,
    })
}

fn rule() -> Value {
    let mut rule = form::needed(form::table(RULE, "", &Rule));
    // More than Oathkeeper takes, and told in a warning: several authorizers, all of which must allow.
    let mut several = list(Stage::Authorizer);
    if let Some(text) = Rule.description("authorizers") {
        form::set(&mut several, "description", json!(text));
    }
    if let Some(properties) = rule.get_mut("properties") {
        form::set(properties, "authorizers", several);
    }
    form::require_filled(&mut rule, &["id", "match", "authenticators", "mutators"]);
    form::set(
        &mut rule,
        "anyOf",
        json!([
            { "required": ["authorizer"], "properties": { "authorizer": { "type": "object" } } },
            { "required": ["authorizers"], "properties": { "authorizers": { "minItems": 1 } } },
        ]),
    );
    rule
}

fn definition(stage: Stage) -> &'static str {
    match stage {
        Stage::Authenticator => "authenticator",
        Stage::Authorizer => "authorizer",
        Stage::Mutator => "mutator",
        Stage::Error => "error",
    }
}

fn reference(stage: Stage) -> Value {
    json!({ "$ref": format!("#/$defs/{}", definition(stage)) })
}

fn list(stage: Stage) -> Value {
    json!({ "type": ["array", "null"], "items": reference(stage) })
}

pub(super) struct Rule;

impl Beside for Rule {
    fn instead(&self, path: &str) -> Option<Value> {
        match path {
            "match" => {
                let mut matching = form::plain(&MATCH, path, self);
                form::require_filled(&mut matching, &["url", "methods"]);
                Some(matching)
            }
            "authenticators" => Some(list(Stage::Authenticator)),
            "authorizer" => {
                Some(json!({ "anyOf": [reference(Stage::Authorizer), { "type": "null" }] }))
            }
            "mutators" => Some(list(Stage::Mutator)),
            "errors" => Some(list(Stage::Error)),
            _ => None,
        }
    }

    fn description(&self, path: &str) -> Option<&'static str> {
        description::find(description::RULE, path)
    }
}
