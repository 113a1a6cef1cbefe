//! What Go's text/template with sprig v3.3.0 gives for the same templates and data
//! (`go/outcomes.jsonl`, written by a Go program with Oathkeeper's functions).

mod session;

use edgekeeper_template::{Missing, Output, Style, Template, Value};
use serde_json::Value as Json;
use session::Session;

const STYLE: Style = Style {
    missing: Missing::Go,
    output: Output::Text,
};

/// Templates with another outcome here, and why.
const DIFFERENT: &[(&str, &str)] = &[
    ("{{ range .Extra.email }}x{{ end }}", NO_VALUES),
    ("{{ range true }}{{ end }}", NO_VALUES),
    ("{{ eq .Extra.roles .Extra.roles }}", NO_VALUES),
    ("{{ print 1 2 }}", EARLIER),
    ("{{ upper }}", EARLIER),
    ("{{ upper \"a\" \"b\" }}x", EARLIER),
    ("{{ eq }}", EARLIER),
    ("{{ and }}", EARLIER),
    ("{{ not }}", EARLIER),
    ("{{ $x = 1 }}", EARLIER),
    ("{{ template \"nope\" }}", EARLIER),
    ("{{ regexMatch \"a\" \"b\" }}", REFUSED),
    ("{{ regexReplaceAll \"a\" \"b\" \"c\" }}", REFUSED),
    (
        "{{ .SetHeader }}",
        "the test's session has no methods that change it",
    ),
    ("{{ $ }}x", "a whole session is not printed"),
    (
        "{{ . | toJson | fromJson | kindOf }}",
        "the test's session has no content",
    ),
    ("{{ '' }}", "the wording"),
];
const NO_VALUES: &str = "an error names types, not values";
const EARLIER: &str = "found when parsed";
const REFUSED: &str = "not available at the edge";

#[test]
fn renders_and_fails_as_go_does() {
    let extra: Json = serde_json::from_str(include_str!("go/extra.json")).unwrap();
    let session = Session::new(Some(extra));
    let mut different = Vec::new();
    for line in include_str!("go/outcomes.jsonl").lines() {
        let case: Json = serde_json::from_str(line).unwrap();
        let text = case["template"].as_str().unwrap();
        let want = ["output", "error", "parse_error"]
            .into_iter()
            .find_map(|kind| case[kind].as_str().map(|text| (kind, text.to_owned())))
            .unwrap();
        let got = match Template::parse("r:X", text) {
            Err(error) => ("parse_error", error.go),
            Ok(template) => match template.render(&Value::Object(&session), STYLE) {
                Ok(output) => ("output", output),
                Err(error) => ("error", error.to_string()),
            },
        };
        if let Some((_, reason)) = DIFFERENT.iter().find(|(different, _)| *different == text) {
            assert_ne!(got, want, "{text} is no longer different ({reason})");
        } else if got != want {
            different.push(format!("{text}\n  go:   {want:?}\n  here: {got:?}"));
        }
    }
    assert!(
        different.is_empty(),
        "{} differ:\n{}",
        different.len(),
        different.join("\n")
    );
}
