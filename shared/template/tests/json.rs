//! `Output::Json`: nothing a request or session brings along can change the document's shape.

use edgekeeper_template::{Missing, Output, Style, Template, Value};
use serde_json::{Value as Json, json};

const SAFE: Style = Style {
    missing: Missing::Empty,
    output: Output::Json,
};
const STRICT: Style = Style {
    missing: Missing::Go,
    output: Output::Json,
};

fn render(text: &str, data: &Json, style: Style) -> Result<String, String> {
    let template = Template::parse("r:claims", text).map_err(|e| e.to_string())?;
    template
        .render(&Value::Json(data), style)
        .map_err(|e| e.to_string())
}

#[test]
fn a_value_in_quotes_stays_one_string() {
    let hostile = [
        r#"x","role":"admin"#,
        r"\",
        r#"\""#,
        r#"\u0022,"role":"admin"#,
        "\n\r\t\u{0}\u{1f}\u{2028}",
        r#""}{""#,
        "{{ .Subject }}",
        "</script>",
        "é😀",
    ];
    for name in hostile {
        for action in [
            "{{ .n }}",
            "{{ print .n }}",
            "{{ .n | toString }}",
            r#"{{ printf "%s" .n }}"#,
            "{{- .n -}}",
        ] {
            let text = format!(r#"{{"sub":"x","n":"{action}","last":1}}"#);
            let out = render(&text, &json!({ "n": name }), SAFE).unwrap();
            let claims: Json = serde_json::from_str(&out).unwrap();
            assert_eq!(
                claims,
                json!({ "sub": "x", "n": name, "last": 1 }),
                "{text} with {name:?}"
            );
        }
    }
}

#[test]
fn a_value_outside_quotes_is_one_whole_json_value_or_nothing_is_rendered() {
    let good = [
        ("{{ .n | toJson }}", json!("a\"b"), r#"{"a":"a\"b"}"#),
        ("{{ .n }}", json!(42), r#"{"a":42}"#),
        ("{{ .n }}", json!(true), r#"{"a":true}"#),
        (
            " {{ .n | toRawJson }} ",
            json!({"x": [1, null]}),
            r#"{"a": {"x":[1,null]} }"#,
        ),
        ("{{ .n | quote }}", json!("x"), r#"{"a":"x"}"#),
    ];
    for (action, value, want) in good {
        let got = render(&format!("{{\"a\":{action}}}"), &json!({ "n": value }), SAFE);
        assert_eq!(got.as_deref(), Ok(want), "{action}");
    }
    let bad = [
        json!("alice"),
        json!(r#"1,"role":"admin""#),
        json!(r#""x","role":"admin""#),
        json!("1}"),
        json!("1 2"),
        json!("[1"),
        json!("01"),
        json!("NaN"),
        json!("'x'"),
        json!(["a"]),
        json!({"x": "y"}),
    ];
    for value in bad {
        let error = render(r#"{"a":{{ .n }}}"#, &json!({ "n": value }), SAFE).unwrap_err();
        assert!(error.contains("toJson"), "{value} gave {error}");
        assert!(
            !error.contains("admin") && !error.contains("alice"),
            "shows a value: {error}"
        );
    }
}

#[test]
fn two_values_cannot_join_into_one() {
    for text in [
        "{{ .n }}{{ .n }}",
        "[1{{ .n }}]",
        "-{{ .n }}",
        r#""x"{{ .n }}"#,
        "{}{{ .n }}",
    ] {
        let error = render(text, &json!({ "n": 1 }), SAFE).unwrap_err();
        assert!(
            error.contains("no JSON value may stand here"),
            "{text} gave {error}"
        );
    }
}

#[test]
fn an_action_after_an_unfinished_escape_is_refused() {
    for text in [
        r#"{"a":"\{{ .n }}"}"#,
        r#"{"a":"\u{{ .n }}"}"#,
        r#"{"a":"\u00{{ .n }}"}"#,
    ] {
        let error = render(text, &json!({ "n": "\"" }), SAFE).unwrap_err();
        assert!(error.contains("unfinished"), "{text} gave {error}");
    }
    for text in [
        r#"{"a":"\\{{ .n }}"}"#,
        r#"{"a":"\u0041{{ .n }}"}"#,
        r#"{"a":"\"{{ .n }}"}"#,
    ] {
        let out = render(text, &json!({ "n": "\"" }), SAFE).unwrap();
        assert!(serde_json::from_str::<Json>(&out).is_ok(), "{out}");
    }
}

#[test]
fn what_is_missing_is_empty_or_null() {
    let cases = [
        (
            r#"{"e":"{{ .Extra.identity.traits.email }}"}"#,
            r#"{"e":""}"#,
        ),
        (r#"{"e":{{ .Extra | toJson }}}"#, r#"{"e":null}"#),
        (
            r#"{"e":{{ .Extra.identity.traits.email }}}"#,
            r#"{"e":null}"#,
        ),
        (r#"{"e":{{ print .Extra.x }}}"#, r#"{"e":null}"#),
        (
            r#"{"e":"{{ .Extra.a | default "none" }}"}"#,
            r#"{"e":"none"}"#,
        ),
    ];
    for (text, want) in cases {
        assert_eq!(
            render(text, &json!({ "Extra": null }), SAFE).as_deref(),
            Ok(want),
            "{text}"
        );
    }
    let empty = render(r#"{"e":{{ print .x }}}"#, &json!({}), STRICT);
    assert!(
        empty.is_err(),
        "Go's way has no null for nothing: {empty:?}"
    );
    let shown = render(r#"{"e":"{{ .x }}"}"#, &json!({}), STRICT);
    assert_eq!(shown.as_deref(), Ok(r#"{"e":"<no value>"}"#));
}

#[test]
fn strings_may_be_built_from_blocks_loops_and_other_templates() {
    let data = json!({ "roles": ["a\"", "b"], "admin": true });
    let cases = [
        (
            r#"[{{ range $i, $r := .roles }}{{ if $i }},{{ end }}"{{ $r }}"{{ end }}]"#,
            r#"["a\"","b"]"#,
        ),
        (
            r#"[{{ range $i, $r := .roles }}{{ if $i }},{{ end }}{{ $r | toJson }}{{ end }}]"#,
            r#"["a\"","b"]"#,
        ),
        (
            r#"{"a":"{{ template "t" .roles }}"}{{ define "t" }}{{ index . 0 }}!{{ end }}"#,
            r#"{"a":"a\"!"}"#,
        ),
        (
            r#"{"a":{{ if .admin }}{{ .roles | toJson }}{{ else }}[]{{ end }}}"#,
            r#"{"a":["a\"","b"]}"#,
        ),
        (r#"{{ $x := .roles }}{"a":{{ $x | len }}}"#, r#"{"a":2}"#),
        (r#"{{ dict "a" .roles | toJson }}"#, r#"{"a":["a\"","b"]}"#),
    ];
    for (text, want) in cases {
        assert_eq!(render(text, &data, SAFE).as_deref(), Ok(want), "{text}");
    }
}

#[test]
fn plain_text_is_not_escaped() {
    let style = Style {
        missing: Missing::Go,
        output: Output::Text,
    };
    let out = render(r#"{"n":"{{ .n }}"}"#, &json!({ "n": "a\",\"b" }), style);
    assert_eq!(
        out.as_deref(),
        Ok(r#"{"n":"a","b"}"#),
        "strict mode is Oathkeeper's own"
    );
}
