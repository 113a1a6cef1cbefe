//! The JSON Schema of a file of tests, for editors.

use serde_json::{Value, json};

/// The schema as text: indented, with a line break at the end.
pub(crate) fn to_json() -> String {
    format!("{:#}\n", value())
}

fn value() -> Value {
    let table = |properties: Value, required: &[&str]| json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false });
    let described = |mut schema: Value, description: &str| {
        if let Some(schema) = schema.as_object_mut() {
            schema.insert("description".to_owned(), Value::from(description));
        }
        schema
    };
    let text = |description: &str| json!({ "type": "string", "description": description });
    let wanted = json!({ "type": "string", "description": "Exactly this; `/…/` is a regular expression, `absent` says that there is none." });
    let short = table(
        json!({
            "id": text("The identity's id, which rules take for the subject."),
            "email": text("A trait, and the one address."),
            "traits": { "type": "object", "description": "Further traits." },
            "verified": { "type": "boolean", "description": "Whether Kratos knows the address for theirs." },
            "aal": { "enum": ["aal1", "aal2"], "default": "aal1", "description": "How they signed in." },
        }),
        &["id"],
    );
    let whole = json!({ "type": "object", "required": ["identity"], "description": "A whole answer of whoami." });
    let file = json!({ "type": "string", "pattern": "^file://", "description": "A file with an answer of whoami." });
    let claims = table(
        json!({ "claims": { "type": "object", "description": "Claims of the token that a rule mints for it; `/…/` and `absent` as elsewhere." } }),
        &["claims"],
    );
    let upstream = table(
        json!({
            "url": described(wanted.clone(), "Where the request goes."),
            "headers": { "type": "object", "additionalProperties": { "anyOf": [wanted, claims] }, "description": "What the upstream gets." },
        }),
        &[],
    );
    let mut expect = table(
        json!({
            "allow": { "type": "boolean", "description": "Whether it goes on to an upstream; by the listener `api`, whether the decision is 200." },
            "rule": text("The rule's id, or `none`."),
            "status": { "type": "integer", "minimum": 100, "maximum": 599, "description": "Of the gateway's answer." },
            "headers": { "type": "object", "additionalProperties": wanted, "description": "Of the gateway's answer." },
            "upstream": described(upstream, "What the upstream gets."),
        }),
        &[],
    );
    if let Some(expect) = expect.as_object_mut() {
        expect.insert("minProperties".to_owned(), json!(1));
    }
    let test = table(
        json!({
            "name": text("What its line says; without it, the request."),
            "request": { "type": "string", "pattern": "^\\s*\\S+\\s+\\S", "description": "The method, and the URL in the browser's address bar." },
            "headers": {
                "type": "object",
                "additionalProperties": { "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }] },
                "description": "Of the request. `Host` comes from the URL.",
            },
            "session": text("A name below `sessions`. Without it whoami answers 401."),
            "listener": { "enum": ["proxy", "api"], "default": "proxy", "description": "Who is asked: the gateway, or its API for decisions." },
            "expect": described(expect, "What is to come of it: at least one of these."),
        }),
        &["request", "expect"],
    );
    let mut schema = table(
        json!({
            "sessions": {
                "type": "object",
                "additionalProperties": { "anyOf": [short, whole, file] },
                "description": "What whoami answers, by a name that tests use.",
            },
            "tests": { "type": "array", "minItems": 1, "items": test, "description": "Each is decided by itself." },
        }),
        &["tests"],
    );
    for (key, value) in [
        ("$schema", "https://json-schema.org/draft/2020-12/schema"),
        ("$id", "urn:edgekeeper:schema:edgekeeper-test"),
        ("title", "edgekeeper.test.yml"),
        (
            "description",
            "What a team expects of its rules, for `edgekeeper test`.",
        ),
    ] {
        if let Some(schema) = schema.as_object_mut() {
            schema.insert(key.to_owned(), Value::from(value));
        }
    }
    schema
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::super::{expected, file, session};
    use super::*;

    fn keys(schema: &Value) -> Vec<String> {
        let mut keys: Vec<String> = schema["properties"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect();
        keys.sort();
        keys
    }

    fn sorted(keys: &[&str]) -> Vec<String> {
        let mut keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
        keys.sort();
        keys
    }

    #[test]
    fn it_has_the_keys_that_are_read() {
        let schema = value();
        let test = &schema["properties"]["tests"]["items"];
        let expect = &test["properties"]["expect"];
        let short = &schema["properties"]["sessions"]["additionalProperties"]["anyOf"][0];
        assert_eq!(keys(&schema), sorted(&file::DOCUMENT));
        assert_eq!(keys(test), sorted(&file::TEST));
        assert_eq!(keys(expect), sorted(&expected::KEYS));
        assert_eq!(
            keys(&expect["properties"]["upstream"]),
            sorted(&expected::UPSTREAM)
        );
        assert_eq!(keys(short), sorted(&session::KEYS));
    }

    #[test]
    fn the_published_schema_is_this_one() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../docs/schema/edgekeeper-test.schema.json");
        if std::env::var_os("BLESS").is_some() {
            fs::write(&path, to_json()).unwrap();
        }
        let published = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(
            published,
            to_json(),
            "`BLESS=1 cargo test -p edgekeeper-cli published` writes it anew"
        );
    }
}
