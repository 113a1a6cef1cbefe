//! Where a request goes.

use serde_json::{Value, json};

use crate::policy::{policy, rule, set};
use crate::site::{Site, get};

fn url(upstream: Value, path: &str, strict: bool) -> String {
    let rules = [set(
        rule("web", "https://app.test/<.*>"),
        "upstream",
        upstream,
    )];
    Site::new(policy(rules).mode(strict))
        .send(get(&format!("https://app.test{path}"), &[]))
        .outcome()
}

#[test]
fn base_path_strip_path_and_escapes_in_both_modes() {
    for (base, strip, path, default, strict) in [
        (
            "http://up.test",
            "",
            "/a/b",
            "http://up.test/a/b",
            "http://up.test/a/b",
        ),
        (
            "http://up.test/",
            "",
            "/a",
            "http://up.test/a",
            "http://up.test/a",
        ),
        (
            "http://up.test/base",
            "",
            "/a",
            "http://up.test/base/a",
            "http://up.test/base/a",
        ),
        (
            "http://up.test/base/",
            "",
            "/a",
            "http://up.test/base/a",
            "http://up.test/base/a",
        ),
        (
            "http://up.test/base?x=1#y",
            "",
            "/a?z",
            "http://up.test/base/a?z",
            "http://up.test/base/a?z",
        ),
        (
            "http://up.test?x=1",
            "",
            "/a",
            "http://up.test/a",
            "http://up.test/a",
        ),
        (
            "http://up.test:8080/base",
            "",
            "/",
            "http://up.test:8080/base",
            "http://up.test:8080/base",
        ),
        (
            "http://up.test",
            "",
            "/a/",
            "http://up.test/a/",
            "http://up.test/a",
        ),
        (
            "http://up.test",
            "",
            "/a%2Fb%20c",
            "http://up.test/a%2Fb%20c",
            "http://up.test/a%2Fb%20c",
        ),
        (
            "http://up.test/base",
            "",
            "/a%2Fb",
            "http://up.test/base/a%2Fb",
            "http://up.test/base/a/b",
        ),
        (
            "http://up.test",
            "/api",
            "/api/x",
            "http://up.test/x",
            "http://up.test/x",
        ),
        (
            "http://up.test",
            "api",
            "/api/x",
            "http://up.test/x",
            "http://up.test/x",
        ),
        (
            "http://up.test",
            "/api/",
            "/api/x/",
            "http://up.test/x/",
            "http://up.test/x",
        ),
        (
            "http://up.test",
            "/api",
            "/api",
            "http://up.test/",
            "http://up.test/",
        ),
        (
            "http://up.test",
            "/api",
            "/api?x",
            "http://up.test/?x",
            "http://up.test/?x",
        ),
        (
            "http://up.test",
            "/api",
            "/api/a%2Fb",
            "http://up.test/a%2Fb",
            "http://up.test/a/b",
        ),
        (
            "http://up.test",
            "/api",
            "/%61pi/x",
            "http://up.test/x",
            "http://up.test/x",
        ),
        (
            "http://up.test/base",
            "/api",
            "/api/x",
            "http://up.test/base/x",
            "http://up.test/base/x",
        ),
        // Oathkeeper takes out the first occurrence anywhere, also in the middle of a word.
        (
            "http://up.test",
            "/in",
            "/inside",
            "http://up.test/inside",
            "http://up.test/side",
        ),
        (
            "http://up.test",
            "/api",
            "/x/api/y",
            "http://up.test/x/api/y",
            "http://up.test/x/y",
        ),
        (
            "http://up.test/sb/root",
            "/sb",
            "/sb/x",
            "http://up.test/sb/root/x",
            "http://up.test/root/sb/x",
        ),
    ] {
        let upstream = json!({ "url": base, "strip_path": strip });
        assert_eq!(
            url(upstream.clone(), path, false),
            default,
            "{base} {strip} {path}"
        );
        assert_eq!(
            url(upstream, path, true),
            strict,
            "{base} {strip} {path}, strict"
        );
    }
}

#[test]
fn stripping_never_climbs_or_turns_into_another_host() {
    for strict in [false, true] {
        for path in [
            "/api/..%2fadmin",
            "/api../admin",
            "/api%2e%2e/admin",
            "/api/%2e%2e/admin",
            "/api/../admin",
            "/api//evil.test",
            "/api/%2f%2fevil.test",
            "/./api/.api./x",
            "/.api/./x",
            "/.api./x",
        ] {
            let out = url(
                json!({ "url": "http://up.test/base", "strip_path": "/api" }),
                path,
                strict,
            );
            assert!(
                out.parse::<u16>().is_ok() || out.starts_with("http://up.test/base"),
                "{path}: {out}"
            );
            assert!(
                !out.contains("/../") && !out.contains("/..") || out.contains("/api.."),
                "{path}: {out}"
            );
            let out = url(
                json!({ "url": "http://up.test", "strip_path": "/api" }),
                path,
                strict,
            );
            assert!(
                out.parse::<u16>().is_ok()
                    || out.starts_with("http://up.test/") && !out.starts_with("http://up.test//"),
                "{path}: {out}"
            );
        }
    }
}

#[test]
fn the_query_arrives_byte_by_byte_and_in_strict_mode_as_go_sends_it() {
    for (query, strictly) in [
        ("?", "?"),
        ("?a=1&a=2", "?a=1&a=2"),
        ("?b=2;c=3", ""),
        ("?b=2;c=3&d=4", "?d=4"),
        ("?%zz", ""),
        ("?a=%2F&b=+", "?a=%2F&b=+"),
        ("?=&&", "?=&&"),
        ("?a?b=c/d", "?a?b=c/d"),
        ("?\u{65e5}", "?\u{65e5}"),
    ] {
        for (strict, expected) in [(false, query), (true, strictly)] {
            let out = url(
                json!({ "url": "http://up.test" }),
                &format!("/x{query}"),
                strict,
            );
            assert_eq!(out, format!("http://up.test/x{expected}"));
        }
    }
}

#[test]
fn a_binding_takes_the_request_with_the_clients_host() {
    for (preserve_host, expected) in [(false, "http://up.test/x"), (true, "http://app.test/x")] {
        let upstream =
            json!({ "url": "http://up.test", "binding": "UP", "preserve_host": preserve_host });
        let site = Site::new(policy([set(
            rule("web", "https://app.test/<.*>"),
            "upstream",
            upstream,
        )]));
        let forwarded = site.send(get("https://app.test/x", &[])).forwarded();
        assert_eq!(forwarded.url(), expected);
        assert_eq!(forwarded.forward.binding.as_deref(), Some("UP"));
        assert_eq!(forwarded.forward.host, None);
    }
}
