//! `api` of `edge.yml`: whom the API believes, and which rules it shows.

#![cfg(feature = "compile")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;

use edgekeeper_policy::api::Api;
use edgekeeper_policy::compile::{Options, compile};
use edgekeeper_policy::document::Policy;

const CONFIG: &str = r#"
access_rules: { repositories: ["file://./rules.yml"] }
authenticators: { noop: { enabled: true } }
authorizers: { allow: { enabled: true } }
mutators: { noop: { enabled: true } }
"#;

const RULES: &str = r#"
- id: web
  description: "a \"web\""
  match: { url: "http://m.test/<.*>", methods: [GET] }
  authenticators: [{ handler: noop }]
  authorizer: { handler: allow }
  mutators: [{ handler: noop }]
"#;

fn compiled(edge: Option<&str>, strict: bool) -> Policy {
    let mut files = BTreeMap::from([
        ("oathkeeper.yml".to_owned(), CONFIG.to_owned()),
        ("rules.yml".to_owned(), RULES.to_owned()),
    ]);
    files.extend(edge.map(|edge| ("edge.yml".to_owned(), edge.to_owned())));
    let options = Options {
        config: "oathkeeper.yml".to_owned(),
        edge: edge.map(|_| "edge.yml".to_owned()),
        strict,
        ..Options::default()
    };
    let (policy, _) = compile(&files, &options).unwrap();
    // As it travels: through its text.
    Policy::from_json(&policy.to_json().unwrap()).unwrap()
}

#[test]
fn nobody_is_believed_until_somebody_is_named_but_in_strict_mode_whoever_reaches_the_listener() {
    for (edge, strict, trust_forwarded_headers, secret) in [
        (None, false, false, None),
        (Some("hosts: [m.test]"), false, false, None),
        (
            Some("api: { trust_forwarded_headers: true }"),
            false,
            true,
            None,
        ),
        (
            Some("api: { secret: API_SECRET }"),
            false,
            false,
            Some("API_SECRET"),
        ),
        (None, true, true, None),
        (Some("hosts: [m.test]"), true, true, None),
        (Some("mode: strict"), false, true, None),
        (
            Some("api: { trust_forwarded_headers: false }"),
            true,
            false,
            None,
        ),
        (Some("api: { secret: S_2 }"), true, false, Some("S_2")),
        (
            Some("api: { secret: S, trust_forwarded_headers: true }"),
            true,
            true,
            Some("S"),
        ),
    ] {
        let expected = Api {
            trust_forwarded_headers,
            secret: secret.map(str::to_owned),
        };
        assert_eq!(compiled(edge, strict).api, expected, "{edge:?} {strict}");
    }
}

#[test]
fn rules_are_shown_unless_they_are_not_to_be() {
    let shown = |edge, strict| compiled(edge, strict).rules.remove(0).source;
    let text = |version: &str| {
        Some(format!(
            concat!(
                r#"{{"id":"web","version":"{}","description":"a \"web\"","match":{{"methods":["GET"],"url":"http://m.test/<.*>"}},"#,
                r#""authenticators":[{{"handler":"noop","config":null}}],"authorizer":{{"handler":"allow","config":null}},"#,
                r#""mutators":[{{"handler":"noop","config":null}}],"errors":null,"#,
                r#""upstream":{{"preserve_host":false,"strip_path":"","url":""}}}}"#
            ),
            version
        ))
    };
    assert_eq!(shown(None, false), text(""));
    assert_eq!(shown(None, true), text("v26.2.0"));
    assert_eq!(shown(Some("api: { rules: true }"), false), text(""));
    for strict in [false, true] {
        assert_eq!(shown(Some("api: { rules: false }"), strict), None);
    }
}
