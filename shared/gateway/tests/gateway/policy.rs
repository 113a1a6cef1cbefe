//! Policies for tests: the document that `edgekeeper build` makes, written short.

use std::rc::Rc;

use edgekeeper_gateway::Gateway;
use edgekeeper_policy::document::Policy;
use edgekeeper_policy::pattern;
use serde_json::{Map, Value, json};

/// Where the tests' Kratos is asked.
pub(crate) const WHOAMI: &str = "http://kratos.test/sessions/whoami";

/// Where the tests' upstream is.
pub(crate) const UPSTREAM: &str = "http://up.test";

/// A policy document with these rules. `identity_headers` is what the compiler makes of their `header` mutators.
pub(crate) fn policy(rules: impl IntoIterator<Item = Value>) -> Document {
    let rules: Vec<Value> = rules.into_iter().collect();
    let identity: Vec<String> = rules
        .iter()
        .filter_map(|rule| rule["mutators"].as_array())
        .flatten()
        .filter_map(|mutator| mutator["headers"].as_array())
        .flatten()
        .map(|header| header[0].as_str().unwrap().replace('_', "-"))
        .filter(|name| {
            !["authorization", "cookie", "host", "content-length"].contains(&name.as_str())
        })
        .collect();
    let document = json!({
        "format": 2,
        "errors": [{ "kind": { "handler": "json" } }],
        "identity_headers": identity,
        "rules": rules,
    });
    Document(document.as_object().unwrap().clone())
}

pub(crate) struct Document(Map<String, Value>);

impl Document {
    /// Sets a part of the document.
    pub(crate) fn with(mut self, name: &str, value: Value) -> Self {
        self.0.insert(name.to_owned(), value);
        self
    }

    pub(crate) fn strict(self) -> Self {
        self.with("strict", json!(true))
            .with("identity_headers", json!([]))
    }

    /// Strict if asked for.
    pub(crate) fn mode(self, strict: bool) -> Self {
        if strict { self.strict() } else { self }
    }

    pub(crate) fn try_gateway(self) -> Result<Rc<Gateway>, String> {
        Gateway::new(Policy::from_json(&self.text()).unwrap())
    }

    /// As it is written.
    pub(crate) fn text(self) -> String {
        written(Value::Object(self.0)).to_string()
    }

    pub(crate) fn gateway(self) -> Rc<Gateway> {
        self.try_gateway().unwrap()
    }
}

/// A document as it is written: `{"handler": "jwt", …}` becomes `{"jwt": {…}}`, and a name where nothing is configured.
fn written(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(written).collect(),
        Value::Object(mut members) => {
            let handler = members.remove("handler");
            let rest: Value = members
                .into_iter()
                .map(|(name, value)| (name, written(value)))
                .collect();
            match handler.as_ref().and_then(Value::as_str) {
                None => rest,
                Some(name @ ("noop" | "unauthorized" | "allow" | "deny")) => json!(name),
                Some(name) => json!({ name: rest }),
            }
        }
        other => other,
    }
}

/// A rule that lets everybody through to [`UPSTREAM`], and is given other handlers by [`set`].
pub(crate) fn rule(id: &str, url: &str) -> Value {
    json!({
        "id": id,
        "methods": ["GET", "HEAD", "POST", "PUT", "DELETE"],
        "url": pattern::compile(url).unwrap(),
        "authenticators": [{ "handler": "noop" }],
        "authorizers": [{ "handler": "allow" }],
        "mutators": [{ "handler": "noop" }],
        "upstream": { "url": UPSTREAM },
    })
}

/// A rule for people with a session.
pub(crate) fn session_rule(id: &str, url: &str) -> Value {
    set(rule(id, url), "authenticators", json!([cookie_session()]))
}

/// A rule, or a handler, with one of its parts set.
pub(crate) fn set(mut object: Value, name: &str, value: Value) -> Value {
    object
        .as_object_mut()
        .unwrap()
        .insert(name.to_owned(), value);
    object
}

/// A handler that asks about sessions, with one part of the question set.
pub(crate) fn set_check(handler: Value, name: &str, value: Value) -> Value {
    let check = handler["check"].clone();
    let check = match name {
        "check_session_url" => set(check, "endpoint", json!({ "url": value })),
        "binding" => {
            let endpoint = set(check["endpoint"].clone(), "binding", value);
            set(check, "endpoint", endpoint)
        }
        _ => set(check, name, value),
    };
    set(handler, "check", check)
}

/// `cookie_session` as people configure it for Kratos.
pub(crate) fn cookie_session() -> Value {
    json!({
        "handler": "cookie_session",
        "check": {
            "endpoint": { "url": WHOAMI },
            "preserve_path": true,
            "preserve_query": true,
            "extra_from": "@this",
            "subject_from": "identity.id",
        },
    })
}

/// `header` with these headers.
pub(crate) fn header(headers: &[(&str, &str)]) -> Value {
    json!({ "handler": "header", "headers": headers })
}

/// `id_token` with these claims.
pub(crate) fn id_token(claims: &str, ttl: u64) -> Value {
    json!({ "handler": "id_token", "issuer_url": "https://gateway.test/", "claims": claims, "ttl": ttl })
}
