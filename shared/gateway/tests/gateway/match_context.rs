//! `.MatchContext`, and what else of Go's types a template can ask.

use serde_json::json;

use crate::policy::{header, policy, session_rule, set};
use crate::site::{ADA, Site, get, message};

/// What a template renders to, or the message of the refusal.
fn rendered(template: &str, url: &str, strict: bool) -> Result<String, String> {
    let web = set(
        session_rule("web", "https://app.test/<[a-z]*>/<.*>"),
        "mutators",
        json!([header(&[("x-out", template)])]),
    );
    let verbose = json!([{ "kind": { "handler": "json", "verbose": true } }]);
    let site = Site::with_ada(policy([web]).with("errors", verbose).mode(strict));
    let sent = site.send(get(url, &[ADA, ("x-in", "one"), ("x-in", "two")]));
    match sent.status() {
        0 => Ok(sent.forwarded().values("x-out").join("|")),
        _ => Err(message(&sent.answered())),
    }
}

const URL: &str = "https://app.test/a/b%20c?q=1&q=2&r";

#[test]
fn methods_of_the_session_its_headers_and_its_url() {
    for strict in [false, true] {
        for (template, expected) in [
            ("{{ .Copy.Subject }}", "ada"),
            ("{{ .MatchContext.Header.Get \"x-in\" }}", "one"),
            ("{{ .MatchContext.Header.Values \"X-In\" }}", "[one two]"),
            ("{{ .MatchContext.Header.Values \"X-None\" }}", "[]"),
            ("{{ .MatchContext.Header.Clone.Get \"X-In\" }}", "one"),
            ("{{ index .MatchContext.Header \"X-In\" }}", "[one two]"),
            ("{{ .MatchContext.URL.String }}", URL),
            ("{{ .MatchContext.URL.Redacted }}", URL),
            (
                "{{ .MatchContext.URL.Hostname }}:{{ .MatchContext.URL.Port }}",
                "app.test:",
            ),
            ("{{ .MatchContext.URL.IsAbs }}", "true"),
            ("{{ .MatchContext.URL.RequestURI }}", "/a/b%20c?q=1&q=2&r"),
            ("{{ .MatchContext.URL.EscapedPath }}", "/a/b%20c"),
            (
                "{{ .MatchContext.URL.EscapedFragment }}{{ .MatchContext.URL.Fragment }}",
                "",
            ),
            (
                "{{ .MatchContext.URL.Query.Has \"r\" }} {{ .MatchContext.URL.Query.Has \"s\" }}",
                "true false",
            ),
            (
                "{{ .MatchContext.URL.Query.Get \"q\" }}{{ .MatchContext.URL.Query.Get \"q\" }}",
                "11",
            ),
            ("{{ .MatchContext.URL.User }}", ""),
            ("{{ len .MatchContext.RegexpCaptureGroups }}", "2"),
            (
                "{{ .MatchContext.RegexpCaptureGroups | toJson }}",
                r#"["a","b c"]"#,
            ),
        ] {
            assert_eq!(
                rendered(template, URL, strict).as_deref(),
                Ok(expected),
                "{template}, strict: {strict}"
            );
        }
    }
}

#[test]
fn the_path_as_it_was_sent_is_there_where_it_says_more() {
    for (url, expected) in [
        ("https://app.test/a/b%2Fc", "/a/b/c|/a/b%2Fc|/a/b%2Fc"),
        ("https://app.test/a/b%20c", "/a/b c||/a/b%20c"),
        ("https://app.test/a/b", "/a/b||/a/b"),
    ] {
        let template = "{{ .MatchContext.URL.Path }}|{{ .MatchContext.URL.RawPath }}|{{ .MatchContext.URL.EscapedPath }}";
        assert_eq!(
            rendered(template, url, true).as_deref(),
            Ok(expected),
            "{url}"
        );
    }
}

#[test]
fn in_json_a_session_is_written_as_go_writes_it() {
    assert_eq!(
        rendered("{{ .MatchContext | toJson }}", URL, true).unwrap(),
        r#"{"regexp_capture_groups":["a","b c"],"url":{"Scheme":"https","Opaque":"","User":null,"Host":"app.test","Path":"/a/b c","Fragment":"","RawQuery":"q=1\u0026q=2\u0026r","RawPath":"","RawFragment":"","ForceQuery":false,"OmitHost":false},"method":"GET","header":{"Cookie":["ory_kratos_session=ada"],"X-In":["one","two"]}}"#
    );
    let whole = rendered("{{ . | toJson }}", URL, true).unwrap();
    assert!(
        whole.starts_with(r#"{"subject":"ada","extra":{"#),
        "{whole}"
    );
    assert!(
        whole.contains(r#","header":null,"match_context":{"regexp_capture_groups":"#),
        "{whole}"
    );
}

#[test]
fn what_is_not_there_is_an_error_in_strict_mode() {
    for (template, said) in [
        (
            "{{ .MatchContext.Url }}",
            "can't evaluate field Url in type authn.MatchContext",
        ),
        (
            "{{ .MatchContext.URL.Nope }}",
            "can't evaluate field Nope in type *url.URL",
        ),
        (
            "{{ .IDToken }}",
            "can't evaluate field IDToken in type *authn.AuthenticationSession",
        ),
    ] {
        let message = rendered(template, URL, true).unwrap_err();
        assert!(message.ends_with(said), "{message}");
    }
}
