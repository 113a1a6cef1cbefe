use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::{Map, Value, json};

use super::super::code::Code;
use super::super::handler::HANDLERS;
use super::super::node::{self, Node};
use super::super::report::Report;
use super::super::shape::{self, Shape};
use super::super::{self as compiler, Options, Severity, compile};
use super::form::{self, Beside};
use super::{Schema, description};

/// A schema that files can be held against. That it is one at all, by its own meta-schema, is told by its making.
struct Validator {
    schemas: Schemas,
    index: SchemaIndex,
}

impl Validator {
    fn new(mut schema: Value) -> Self {
        form::set(
            &mut schema,
            "$schema",
            json!("https://json-schema.org/draft/2020-12/schema"),
        );
        let mut schemas = Schemas::new();
        let mut compiler = Compiler::new();
        compiler
            .add_resource("urn:edgekeeper:schema:tested", schema)
            .unwrap();
        let index = compiler
            .compile("urn:edgekeeper:schema:tested", &mut schemas)
            .unwrap_or_else(|error| panic!("{error:#}"));
        Self { schemas, index }
    }

    fn of(schema: Schema) -> Self {
        let mut value = schema.value();
        form::set(&mut value, "$id", json!("urn:edgekeeper:schema:tested"));
        Self::new(value)
    }

    /// Why a document does not fit.
    fn refusal(&self, document: &Value) -> Option<String> {
        self.schemas
            .validate(document, self.index)
            .err()
            .map(|error| format!("{error}"))
    }
}

/// A file as the compiler reads it, as plain JSON; nothing when it cannot be read.
fn parse(text: &str, path: &str) -> Option<Value> {
    let mut report = Report::default();
    let file = report.add_file(path, text);
    let node = compiler::parse(text, path, file, &mut report);
    let (_, failed) = report.finish();
    node.filter(|_| !failed).as_ref().map(value)
}

fn value(node: &Node) -> Value {
    match &node.value {
        node::Value::Null => Value::Null,
        node::Value::Flag(flag) => json!(flag),
        node::Value::Number(number) => serde_json::from_str(number).unwrap(),
        node::Value::Text(text) => json!(text),
        node::Value::List(items) => items.iter().map(value).collect(),
        node::Value::Table(entries) => entries
            .iter()
            .map(|(key, node)| (key.name.clone(), value(node)))
            .collect::<Map<_, _>>()
            .into(),
    }
}

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn the_published_schemas_are_those_of_this_compiler() {
    let mut stale = Vec::new();
    for schema in Schema::ALL {
        let path = project().join("docs/schema").join(schema.file_name());
        let expected = schema.to_json();
        if fs::read_to_string(&path).is_ok_and(|published| published == expected) {
            continue;
        }
        if std::env::var_os("BLESS").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, expected).unwrap();
        }
        stale.push(schema.file_name());
    }
    assert!(
        stale.is_empty(),
        "{stale:?} in docs/schema are not what the compiler checks; this writes them anew:\n  \
         BLESS=1 cargo test -p edgekeeper-policy --features compile published_schemas"
    );
}

/// Nothing besides the shapes.
struct Nothing;

impl Beside for Nothing {
    fn description(&self, _path: &str) -> Option<&'static str> {
        None
    }
}

/// Every document that differs from an empty one at a single place, with values of all kinds there.
fn documents(shape: &Shape, wrap: &dyn Fn(Value) -> Value, found: &mut Vec<Value>) {
    let texts = [
        "", "text", "5s", "5d", "5", "1m30s", "-5s", "5 s", "+5s", "s", "5sd", "5µs",
    ];
    let values = [
        json!(null),
        json!(true),
        json!(0),
        json!(-3),
        json!(1.5),
        json!([]),
        json!([null]),
        json!(["text"]),
        json!([[]]),
        json!({}),
        json!({ "unknown": null }),
        json!({ "unknown": { "unknown": 1 } }),
    ];
    found.extend(texts.iter().map(|text| json!(text)).chain(values).map(wrap));
    match shape {
        Shape::Choice(allowed) => found.extend(allowed.iter().map(|text| wrap(json!(text)))),
        Shape::List(shape) => documents(shape, &|value| wrap(json!([value])), found),
        Shape::Map(shape) => documents(shape, &|value| wrap(json!({ "any": value })), found),
        Shape::Keys(keys) => {
            for (name, shape) in *keys {
                documents(
                    shape,
                    &|value| wrap(Value::Object(Map::from_iter([((*name).to_owned(), value)]))),
                    found,
                );
            }
        }
        _ => {}
    }
}

#[test]
fn a_schema_and_the_compiler_say_the_same_of_every_key() {
    let mut tables = vec![
        ("edge.yml", compiler::edge::EDGE),
        ("an upstream", compiler::edge::upstreams::TARGET),
        ("oathkeeper.yml", Shape::Keys(compiler::config::KEYS)),
        ("a rule", Shape::Keys(compiler::rule::RULE)),
        ("match", compiler::rule::MATCH),
        ("a rule's handler", compiler::stage::USE),
    ];
    for handler in HANDLERS {
        tables.push((handler.name, Shape::Keys(handler.config)));
    }
    let mut count = 0;
    for (name, shape) in tables {
        let validator = Validator::new(form::plain(&shape, "", &Nothing));
        let mut found = Vec::new();
        documents(&shape, &|value| value, &mut found);
        for document in found {
            let text = document.to_string();
            let mut report = Report::default();
            let file = report.add_file("a.json", &text);
            let node = compiler::parse(&text, "a.yml", file, &mut report).unwrap();
            shape::check(&node, &shape, "", &mut report);
            let (said, refused) = report.finish();
            assert_eq!(
                validator.refusal(&document).is_some(),
                refused,
                "{name}: {text}: {said:?}"
            );
            count += 1;
        }
    }
    assert!(count > 4_000, "{count}");
}

/// The files of a fixture in `tests/refusals`, its sections laid over the base.
fn fixture(text: &str) -> (BTreeMap<String, String>, bool) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/refusals/base");
    let mut files: BTreeMap<String, String> = ["oathkeeper.yml", "rules.json"]
        .into_iter()
        .map(|name| {
            (
                name.to_owned(),
                fs::read_to_string(folder.join(name)).unwrap(),
            )
        })
        .collect();
    let mut strict = false;
    for section in text.strip_prefix("== ").unwrap().split("\n== ") {
        let (name, content) = section.split_once('\n').unwrap_or((section, ""));
        match name {
            "expected" => {}
            "strict" => strict = true,
            "missing" => drop(files.remove(content.trim())),
            name => drop(files.insert(name.to_owned(), format!("{content}\n"))),
        }
    }
    (files, strict)
}

/// Which schema is for a file of a fixture.
fn schema_of(file: &str) -> Option<Schema> {
    match file {
        "edge.yml" => Some(Schema::Edge),
        "oathkeeper.yml" => Some(Schema::Config),
        "rules.json" | "rules.yml" | "rules.yaml" => Some(Schema::Rules),
        _ => None,
    }
}

/// Mistakes of form: what a table tells.
const OF_FORM: [Code; 6] = [
    Code::UNKNOWN_KEY,
    Code::WRONG_TYPE,
    Code::UNKNOWN_VALUE,
    Code::EMPTY_ENTRY,
    Code::UNKNOWN_HANDLER,
    Code::MISSING_KEY,
];

/// Fixtures that lack a key which is not needed everywhere: where `edge.yml` has `keys.source: jwks_url`, and below a key
/// whose other half a rule may bring.
const BEYOND_ONE_FILE: [&str; 2] = ["rule-id-token-imported", "config-hydrator-without-url"];

#[test]
fn what_the_compiler_takes_a_schema_takes_and_what_is_misformed_neither() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/refusals");
    let validators = Schema::ALL.map(|schema| (schema, Validator::of(schema)));
    let (mut taken, mut refused) = (0, 0);
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "txt") {
            continue;
        }
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let (files, strict) = fixture(&fs::read_to_string(&path).unwrap());
        if strict
            || files
                .get("edge.yml")
                .is_some_and(|edge| edge.contains("mode: strict"))
        {
            continue;
        }
        let options = Options {
            config: "oathkeeper.yml".to_owned(),
            edge: files
                .contains_key("edge.yml")
                .then(|| "edge.yml".to_owned()),
            ..Options::default()
        };
        let found = match compile(&files, &options) {
            Ok(_) => Vec::new(),
            Err(found) => found,
        };
        for (file, text) in &files {
            let (Some(schema), Some(document)) = (schema_of(file), parse(text, file)) else {
                continue;
            };
            let (_, validator) = validators.iter().find(|(kind, _)| *kind == schema).unwrap();
            let said = validator.refusal(&document);
            let mut errors = found.iter().filter(|diagnostic| {
                diagnostic.file == *file && diagnostic.severity == Severity::Error
            });
            let misformed = errors.clone().find(|error| OF_FORM.contains(&error.code));
            if let Some(error) = misformed {
                assert!(
                    said.is_some() || BEYOND_ONE_FILE.contains(&name.as_str()),
                    "{name}: {file}: only the compiler says: {error}"
                );
                refused += 1;
            } else if errors.next().is_none() {
                assert_eq!(said, None, "{name}: {file}: only the schema refuses");
                taken += 1;
            }
        }
    }
    println!("{taken} files taken, {refused} refused by both");
    assert!(taken > 200 && refused > 30, "{taken} {refused}");
}

#[test]
fn the_projects_own_files_fit() {
    let own = [
        ("scripts/demo", "edge.yml", Schema::Edge),
        ("scripts/demo", "oathkeeper.yml", Schema::Config),
        ("scripts/demo", "access-rules.json", Schema::Rules),
        ("examples/spin-middleware", "edge.yml", Schema::Edge),
        ("examples/spin-middleware", "oathkeeper.yml", Schema::Config),
        (
            "examples/spin-middleware",
            "access-rules.json",
            Schema::Rules,
        ),
    ];
    for (folder, name, schema) in own {
        let path = project().join(folder).join(name);
        let text = fs::read_to_string(&path).unwrap();
        let document = parse(&text, name).unwrap();
        assert_eq!(
            Validator::of(schema).refusal(&document),
            None,
            "{folder}/{name}"
        );
        if schema == Schema::Rules {
            continue;
        }
        let line = text.lines().next().unwrap();
        let named = line
            .strip_prefix("# yaml-language-server: $schema=")
            .unwrap_or_else(|| {
                panic!("{folder}/{name} does not begin with the place of its schema")
            });
        let place = path.parent().unwrap().join(named).canonicalize().unwrap();
        assert_eq!(
            place,
            project()
                .join("docs/schema")
                .join(schema.file_name())
                .canonicalize()
                .unwrap()
        );
    }
}

/// The keys below a schema, each with what it says of itself.
fn keys(schema: &Value, path: &str, found: &mut Vec<(String, Option<String>)>) {
    if let Some(Value::Object(properties)) = schema.get("properties") {
        for (name, property) in properties {
            let path = form::below(path, name);
            let text = property.get("description").and_then(Value::as_str);
            found.push((path.clone(), text.map(str::to_owned)));
            keys(property, &path, found);
        }
    }
    for keyword in ["items", "additionalProperties"] {
        if let Some(below) = schema.get(keyword) {
            keys(below, path, found);
        }
    }
}

#[test]
fn every_key_says_what_it_means() {
    let mut found = Vec::new();
    keys(&Schema::Edge.value(), "", &mut found);
    assert!(found.len() > 60, "{}", found.len());
    let rules = Schema::Rules.value();
    keys(&rules["$defs"]["rule"], "rule", &mut found);
    for handler in HANDLERS {
        let mut schema = form::table(handler.config, "", &Nothing);
        describe(&mut schema, handler.name, "");
        keys(&schema, handler.name, &mut found);
    }
    let sections = Schema::Config.value();
    for (name, section) in sections["properties"].as_object().unwrap() {
        let text = section["description"].as_str().map(str::to_owned);
        found.push((format!("oathkeeper.yml {name}"), text));
    }
    for (path, text) in found {
        let text = text.unwrap_or_else(|| {
            panic!("`{path}` has no description; write one into compile/schema/description")
        });
        assert!(text.len() < 240, "`{path}`: too long for an editor");
        assert!(text.ends_with(['.', '?', '`']), "`{path}`: not a sentence");
    }
}

/// Puts the descriptions of a handler's keys into its schema.
fn describe(schema: &mut Value, handler: &str, path: &str) {
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        for (name, property) in properties {
            let path = form::below(path, name);
            if let Some(text) = description::of_handler(handler, &path) {
                form::set(property, "description", json!(text));
            }
            describe(property, handler, &path);
        }
    }
    if let Some(items) = schema.get_mut("items") {
        describe(items, handler, path);
    }
}

#[test]
fn nothing_is_described_that_is_not_there() {
    let mut said = BTreeSet::new();
    fn collect(value: &Value, said: &mut BTreeSet<String>) {
        match value {
            Value::Object(entries) => {
                for (key, value) in entries {
                    match value.as_str() {
                        Some(text) if key == "description" => drop(said.insert(text.to_owned())),
                        _ => collect(value, said),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| collect(item, said)),
            _ => {}
        }
    }
    for schema in Schema::ALL {
        collect(&schema.value(), &mut said);
    }
    let tables = [
        description::EDGE,
        description::AROUND,
        description::CONFIG,
        description::RULE,
        description::HANDLERS,
    ];
    for (path, text) in tables.into_iter().flatten() {
        assert!(said.contains(*text), "there is no key `{path}` to describe");
    }
}

#[test]
fn what_is_written_by_default_is_what_counts_by_default() {
    let schema = Schema::Edge.value();
    let mut defaults = schema["properties"].clone();
    fn only_defaults(schema: &Value) -> Value {
        match (schema.get("default"), schema.get("properties")) {
            (Some(value), _) => value.clone(),
            (None, Some(properties)) => properties
                .as_object()
                .unwrap()
                .iter()
                .map(|(name, schema)| (name.clone(), only_defaults(schema)))
                .filter(|(_, value)| !value.is_null() && *value != json!({}))
                .collect::<Map<_, _>>()
                .into(),
            _ => Value::Null,
        }
    }
    defaults = only_defaults(&json!({ "properties": defaults }));
    assert_eq!(defaults["session"]["ttl"], "60s");
    assert_eq!(defaults["keys"]["rotation"], "30d");
    assert_eq!(Validator::of(Schema::Edge).refusal(&defaults), None);

    let files = |edge: String| {
        let (mut files, _) = fixture("== expected\n");
        files.insert("edge.yml".to_owned(), edge);
        let options = Options {
            config: "oathkeeper.yml".to_owned(),
            edge: Some("edge.yml".to_owned()),
            ..Options::default()
        };
        compile(&files, &options)
            .unwrap_or_else(|found| panic!("{found:?}"))
            .0
    };
    assert_eq!(files(defaults.to_string()), files("{}".to_owned()));
}

#[test]
fn a_place_is_not_needed_to_name_a_schema() {
    for schema in Schema::ALL {
        let value = schema.value();
        assert!(
            value["$id"]
                .as_str()
                .unwrap()
                .starts_with("urn:edgekeeper:schema:")
        );
        assert!(!value["title"].as_str().unwrap().is_empty());
    }
}
