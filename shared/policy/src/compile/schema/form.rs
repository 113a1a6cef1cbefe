//! A shape as a JSON Schema.

use serde_json::{Map, Value, json};

use super::super::duration::{DAY, UNITS};
use super::super::shape::{Keys, NEVER, Shape};

/// What is said of the value at a path, besides its shape. Keys of a table stand behind dots, any key of a map is `*`, an
/// entry of a list has the path of the list.
pub(super) trait Beside {
    /// A schema in place of the one made of the shape, where the compiler looks closer than its table.
    fn instead(&self, _path: &str) -> Option<Value> {
        None
    }

    /// A short text for who writes the file.
    fn description(&self, path: &str) -> Option<&'static str>;

    /// What counts where nothing is written.
    fn default(&self, _path: &str, _shape: &Shape) -> Option<Value> {
        None
    }
}

/// The schema of a value. `null` counts as not there, so it is fine wherever a value is.
pub(super) fn of(shape: &Shape, path: &str, beside: &dyn Beside) -> Value {
    let mut schema = beside
        .instead(path)
        .unwrap_or_else(|| plain(shape, path, beside));
    if let Some(text) = beside.description(path) {
        set(&mut schema, "description", json!(text));
    }
    if let Some(value) = beside.default(path, shape) {
        set(&mut schema, "default", value);
    }
    schema
}

/// The schema of a value, of which nothing is said besides its shape.
pub(super) fn plain(shape: &Shape, path: &str, beside: &dyn Beside) -> Value {
    match shape {
        Shape::Anything => json!({}),
        Shape::Flag => json!({ "type": ["boolean", "null"] }),
        Shape::Text => json!({ "type": ["string", "null"] }),
        Shape::Integer => json!({ "type": ["integer", "null"] }),
        Shape::Number => json!({ "type": ["number", "null"] }),
        Shape::Duration => json!({ "type": ["string", "null"], "pattern": duration(false) }),
        Shape::LongDuration => json!({ "type": ["string", "null"], "pattern": duration(true) }),
        Shape::LongDurationOrNever => {
            let either = format!("{}|^{NEVER}$", duration(true));
            json!({ "type": ["string", "null"], "pattern": either })
        }
        Shape::Choice(allowed) => choice(allowed.iter().copied()),
        Shape::List(shape) => {
            // What is said of a list is not said again of its entries.
            json!({ "type": ["array", "null"], "items": needed(plain(shape, path, beside)) })
        }
        Shape::Map(shape) => json!({
            "type": ["object", "null"],
            "additionalProperties": of(shape, &below(path, "*"), beside),
        }),
        Shape::Keys(keys) => table(keys, path, beside),
    }
}

/// One of some texts.
pub(super) fn choice<'a>(allowed: impl Iterator<Item = &'a str>) -> Value {
    let mut values: Vec<Value> = allowed.map(Value::from).collect();
    values.push(Value::Null);
    json!({ "enum": values })
}

/// A table with these keys and no others.
pub(super) fn table(keys: Keys, path: &str, beside: &dyn Beside) -> Value {
    let properties: Map<String, Value> = keys
        .iter()
        .map(|(name, shape)| ((*name).to_owned(), of(shape, &below(path, name), beside)))
        .collect();
    json!({ "type": ["object", "null"], "properties": properties, "additionalProperties": false })
}

/// The same without `null`.
pub(super) fn needed(mut schema: Value) -> Value {
    match schema.get_mut("type") {
        Some(Value::Array(types)) => {
            types.retain(|name| name != "null");
            if let [only] = types.as_slice() {
                let only = only.clone();
                set(&mut schema, "type", only);
            }
        }
        Some(_) => {}
        None => match schema.get_mut("enum") {
            Some(Value::Array(values)) => values.retain(|value| !value.is_null()),
            _ => set(&mut schema, "not", json!({ "type": "null" })),
        },
    }
    schema
}

/// Makes a table such that it cannot do without these keys.
pub(super) fn require(schema: &mut Value, names: &[&str]) {
    for name in names {
        change(schema, name, needed);
    }
    set(schema, "required", json!(names));
}

/// As [`require`], for texts and lists that say nothing when they are empty.
pub(super) fn require_filled(schema: &mut Value, names: &[&str]) {
    require(schema, names);
    for name in names {
        change(schema, name, |mut property| {
            match property.get("type").and_then(Value::as_str) {
                Some("string") => set(&mut property, "minLength", json!(1)),
                Some("array") => set(&mut property, "minItems", json!(1)),
                _ => {}
            }
            property
        });
    }
}

/// Changes the schema of one key of a table.
pub(super) fn change(schema: &mut Value, name: &str, change: impl FnOnce(Value) -> Value) {
    if let Some(property) = schema
        .get_mut("properties")
        .and_then(|properties| properties.get_mut(name))
    {
        *property = change(property.take());
    }
}

/// Sets a keyword.
pub(super) fn set(schema: &mut Value, keyword: &str, value: Value) {
    if let Value::Object(keywords) = schema {
        keywords.insert(keyword.to_owned(), value);
    }
}

fn duration(days: bool) -> String {
    let units: Vec<&str> = UNITS
        .into_iter()
        .chain(days.then_some(DAY))
        .map(|(name, _)| name)
        .collect();
    format!("^[0-9]+({})$", units.join("|"))
}

/// The path of a key.
pub(super) fn below(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}
