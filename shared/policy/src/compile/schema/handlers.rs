//! The schemas of handlers: how they are switched on, and how a rule uses them.

use serde_json::{Map, Value, json};

use super::super::authorizer::FLAVORS;
use super::super::handler::{self, Handler, Stage};
use super::super::shape::Shape;
use super::super::stage::USE;
use super::description;
use super::form::{self, Beside};

/// Descriptions of one handler's configuration.
struct Config(&'static Handler);

impl Beside for Config {
    fn instead(&self, path: &str) -> Option<Value> {
        // Oathkeeper takes any text, and Keto then knows no such engine.
        let is_flavor = self.0.name == "keto_engine_acp_ory" && path == "flavor";
        is_flavor.then(|| form::choice(FLAVORS.into_iter().chain([""])))
    }

    fn description(&self, path: &str) -> Option<&'static str> {
        description::of_handler(self.0.name, path)
    }
}

/// Descriptions of what is written about a handler, besides its configuration.
pub(super) struct Around;

impl Beside for Around {
    fn description(&self, path: &str) -> Option<&'static str> {
        description::find(description::AROUND, path)
    }
}

/// A handler's `config`.
fn config(handler: &'static Handler) -> Value {
    form::plain(&Shape::Keys(handler.config), "", &Config(handler))
}

/// The handlers of a stage as Oathkeeper's configuration has them.
pub(super) fn section(stage: Stage) -> Value {
    let properties: Map<String, Value> = handler::of(stage)
        .filter(|handler| handler.oathkeeper)
        .map(|handler| (handler.name.to_owned(), switch(handler)))
        .collect();
    json!({ "type": ["object", "null"], "properties": properties, "additionalProperties": false })
}

/// One handler in Oathkeeper's configuration. Once it is enabled it needs what it cannot do without.
fn switch(handler: &'static Handler) -> Value {
    let mut schema = form::table(handler.switch(), "", &Around);
    if !handler.takes_config() {
        return schema;
    }
    form::change(&mut schema, "config", |around| {
        let mut config = config(handler);
        if let Some(text) = around.get("description") {
            form::set(&mut config, "description", text.clone());
        }
        config
    });
    if !handler.required.is_empty() {
        form::set(
            &mut schema,
            "if",
            json!({ "properties": { "enabled": { "const": true } }, "required": ["enabled"] }),
        );
        form::set(
            &mut schema,
            "then",
            json!({
                "properties": { "config": { "type": "object", "required": handler.required } },
                "required": ["config"],
            }),
        );
    }
    schema
}

/// The names of a stage's handlers.
pub(super) fn names(stage: Stage, oathkeeper_only: bool) -> Value {
    let names = handler::of(stage)
        .filter(move |handler| handler.oathkeeper || !oathkeeper_only)
        .map(|handler| handler.name);
    form::needed(form::choice(names))
}

/// A handler of a stage as a rule uses it. What its `config` lacks may stand in Oathkeeper's configuration.
pub(super) fn used(stage: Stage) -> Value {
    let mut schema = form::plain(&USE, "", &Around);
    form::change(&mut schema, "handler", |around| {
        let mut names = names(stage, false);
        if let Some(text) = around.get("description") {
            form::set(&mut names, "description", text.clone());
        }
        names
    });
    form::require(&mut schema, &["handler"]);
    let by_name: Vec<Value> = handler::of(stage)
        .map(|handler| {
            json!({
                "if": { "properties": { "handler": { "const": handler.name } }, "required": ["handler"] },
                "then": { "properties": { "config": config(handler) } },
            })
        })
        .collect();
    form::set(&mut schema, "allOf", json!(by_name));
    schema
}
