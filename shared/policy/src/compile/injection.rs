//! Templates of JSON documents that a value can leave the place it was meant for: a trait that adds a claim.

use edgekeeper_template::{Missing, Output, Style, Template, Value};
use serde_json::{Map, Value as Json, json};

use super::code::Code;
use super::node::Node;
use super::stage::Context;

/// What people write into a trait that stands in quotes, and what into one that stands without: each adds a member `admin`.
const TRAITS: [&str; 3] = [
    r#"x","admin":"true"#,
    r#"{"admin":"true"}"#,
    r#""x","admin":"true""#,
];

/// The member that they add.
const ADDED: &str = "admin";

/// What is right in quotes and without them.
const HARMLESS: &str = "1";

/// What Kratos alone says of a session, below `.Extra`: no user writes it.
const NOT_WRITTEN: [&str; 12] = [
    "id",
    "active",
    "state",
    "aal",
    "authenticator_assurance_level",
    "authenticated_at",
    "expires_at",
    "issued_at",
    "schema_id",
    "schema_url",
    "verified",
    "tokenized",
];

/// So many values of a template are tried: each is some renderings.
const MAX_TRIED: usize = 32;

/// Tells of a template whose document a value can add members to, with a value that does: it was rendered as the gateway
/// renders it, in whichever mode. `name` is `claims` or `payload`.
pub(super) fn tell(name: &str, node: &Node, cx: &mut Context<'_>) {
    if !cx.thorough || !cx.told_injections.insert(node.span) {
        return;
    }
    let Some(found) = node
        .text()
        .and_then(|text| find(name, text, style(cx.strict)))
    else {
        return;
    };
    let path = found.path.join(".");
    let elsewhere = cx.report.elsewhere(node.span);
    let message = format!(
        "who has `{}` for `{path}` makes of the template of `{name}`{elsewhere}: `{}`",
        found.value, found.document
    );
    let help = format!(
        "write `{{{{ toJson .Extra.{path} }}}}`, without quotes around it: that is one JSON value, whatever is in it"
    );
    if cx.strict {
        cx.report
            .warning(Code::TEMPLATE_INJECTION, node.span, message, help);
    } else {
        // Within quotes values are escaped here; without them a text of the user's is read as JSON, which may be meant.
        cx.report
            .note(Code::TEMPLATE_INJECTION, node.span, message, help);
    }
}

/// How the gateway renders JSON.
fn style(strict: bool) -> Style {
    if strict {
        Style {
            missing: Missing::Go,
            output: Output::Text,
        }
    } else {
        Style {
            missing: Missing::Empty,
            output: Output::Json,
        }
    }
}

#[derive(Debug, PartialEq)]
struct Injection {
    /// Below `.Extra`.
    path: Vec<String>,
    value: &'static str,
    document: String,
}

fn find(name: &str, text: &str, style: Style) -> Option<Injection> {
    let template = Template::parse(name, text).ok()?;
    let paths: Vec<Vec<String>> = template
        .paths()
        .into_iter()
        .filter(|path| path.first().is_some_and(|root| root == "Extra"))
        .filter_map(|path| path.get(1..).map(<[String]>::to_vec))
        .filter(|path| !path.is_empty())
        .collect();
    let written = |path: &&Vec<String>| {
        path.iter().all(|name| !name.starts_with("metadata_"))
            && path
                .last()
                .is_some_and(|name| !NOT_WRITTEN.contains(&name.as_str()))
    };
    for path in paths.iter().filter(written).take(MAX_TRIED) {
        for is_list in [false, true] {
            let render = |value: &str| {
                let session = session(&paths, path, value, is_list);
                let document = template.render(&Value::Json(&session), style).ok()?;
                serde_json::from_str::<Json>(&document).ok()
            };
            let Some(usual) = render(HARMLESS).filter(|usual| !has_member(usual, ADDED)) else {
                continue;
            };
            for value in TRAITS {
                if let Some(document) = render(value)
                    && document != usual
                    && has_member(&document, ADDED)
                {
                    return Some(Injection {
                        path: path.clone(),
                        value,
                        document: shown(&document),
                    });
                }
            }
        }
    }
    None
}

/// A session with something at every path that is read, and a value at one of them.
pub(super) fn session(paths: &[Vec<String>], at: &[String], value: &str, is_list: bool) -> Json {
    let mut extra = Json::Object(Map::new());
    for path in paths {
        let text = if path == at { value } else { HARMLESS };
        let value = if is_list && path == at {
            json!([text])
        } else {
            json!(text)
        };
        put(&mut extra, path, value);
    }
    json!({ "Subject": HARMLESS, "Extra": extra, "Header": {}, "IDToken": "",
        "MatchContext": { "RegexpCaptureGroups": [HARMLESS, HARMLESS, HARMLESS], "Method": "GET", "Header": {},
            "URL": { "Scheme": "https", "Host": HARMLESS, "Path": HARMLESS, "RawQuery": "" } } })
}

/// Puts a value at the end of a path, unless something further is there already.
fn put(root: &mut Json, path: &[String], value: Json) {
    let Some((last, before)) = path.split_last() else {
        return;
    };
    let mut at = root;
    for name in before {
        if !at.is_object() {
            *at = Json::Object(Map::new());
        }
        let Some(table) = at.as_object_mut() else {
            return;
        };
        at = table.entry(name.as_str()).or_insert(Json::Null);
    }
    if !at.is_object() {
        *at = Json::Object(Map::new());
    }
    if let Some(table) = at.as_object_mut() {
        table.entry(last.as_str()).or_insert(value);
    }
}

/// Whether a member of that name is anywhere. `serde_json` reads nothing that is too deep.
fn has_member(value: &Json, name: &str) -> bool {
    match value {
        Json::Object(table) => {
            table.contains_key(name) || table.values().any(|value| has_member(value, name))
        }
        Json::Array(items) => items.iter().any(|value| has_member(value, name)),
        _ => false,
    }
}

/// A document as it is shown: what is like any other value is left out where it is long.
fn shown(document: &Json) -> String {
    const LONGEST: usize = 160;
    let text = document.to_string();
    if text.chars().count() <= LONGEST {
        return text;
    }
    // The part with what was added is what it is about.
    match document {
        Json::Object(table) => {
            let told = table
                .iter()
                .filter(|(name, value)| *name == ADDED || has_member(value, ADDED))
                .map(|(name, value)| format!("{}:{value}", json!(name)));
            format!("{{…,{}}}", told.collect::<Vec<_>>().join(","))
        }
        _ => text.chars().take(LONGEST).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, strict: bool) -> Option<String> {
        find("claims", text, style(strict)).map(|found| found.document)
    }

    #[test]
    fn a_trait_that_adds_a_claim_is_found_by_rendering() {
        let email = ".Extra.identity.traits.email";
        for (template, strict, by_default) in [
            (
                format!(r#"{{"email":"{{{{ print {email} }}}}"}}"#),
                Some(r#"{"admin":"true","email":"x"}"#),
                None,
            ),
            (
                format!(
                    r#"{{"a":{{"email":"{{{{ {email} }}}}"}},"id":"{{{{ .Extra.identity.id }}}}"}}"#
                ),
                Some(r#"{"a":{"admin":"true","email":"x"},"id":"1"}"#),
                None,
            ),
            (
                format!(r#"{{"email":{{{{ {email} }}}}}}"#),
                Some(r#"{"email":{"admin":"true"}}"#),
                Some(r#"{"email":{"admin":"true"}}"#),
            ),
            (
                r#"{"groups":["{{ join "\",\"" .Extra.identity.traits.groups }}"]}"#.to_owned(),
                None,
                None,
            ),
            (
                r#"{{ with .Extra.identity.traits }}{"n":"{{ .name }}"}{{ end }}"#.to_owned(),
                Some(r#"{"admin":"true","n":"x"}"#),
                None,
            ),
            (
                r#"{"g":"{{ range .Extra.identity.traits.groups }}{{ . }} {{ end }}"}"#.to_owned(),
                Some(r#"{"admin":"true ","g":"x"}"#),
                None,
            ),
        ] {
            assert_eq!(found(&template, true).as_deref(), strict, "{template}");
            assert_eq!(found(&template, false).as_deref(), by_default, "{template}");
        }
    }

    #[test]
    fn what_is_escaped_or_nobody_writes_is_not_told() {
        for template in [
            r#"{"email":{{ .Extra.identity.traits.email | toJson }}}"#,
            r#"{"email":{{ toJson .Extra.identity.traits.email }}}"#,
            r#"{"email":{{ .Extra.identity.traits.email | quote }}}"#,
            r#"{"email":{{ printf "%q" .Extra.identity.traits.email }}}"#,
            r#"{"id":"{{ .Extra.identity.id }}","aal":"{{ .Extra.authenticator_assurance_level }}"}"#,
            r#"{"role":"{{ .Extra.identity.metadata_public.role }}"}"#,
            r#"{"sub":"{{ .Subject }}"}"#,
            r#"{"admin":"{{ eq .Extra.identity.traits.role "boss" }}"}"#,
            "{",
            "{{",
        ] {
            assert_eq!(found(template, true), None, "{template}");
            assert_eq!(found(template, false), None, "{template}");
        }
    }

    #[test]
    fn the_cure_makes_one_value_of_whatever_is_there() {
        for strict in [true, false] {
            let template = Template::parse(
                "claims",
                r#"{"email":{{ toJson .Extra.identity.traits.email }}}"#,
            )
            .unwrap();
            for value in TRAITS.into_iter().chain(["a@b", "<é\u{2028}\n\\"]) {
                let path = ["identity", "traits", "email"].map(str::to_owned).to_vec();
                let session = session(&[path.clone()], &path, value, false);
                let made = template
                    .render(&Value::Json(&session), style(strict))
                    .unwrap();
                assert_eq!(
                    serde_json::from_str::<Json>(&made).unwrap(),
                    json!({ "email": value })
                );
            }
        }
    }
}
