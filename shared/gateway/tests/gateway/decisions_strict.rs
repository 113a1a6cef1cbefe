//! `/decisions` in strict mode: as the real Oathkeeper v26.2.0 answered.

use serde_json::json;

use crate::decisions::{ask, document, forwarded, on_api};
use crate::policy::{header as header_mutator, policy, rule, set};
use crate::site::{Site, all, get, header, message, session};

fn strict() -> Site {
    let api = json!({ "trust_forwarded_headers": true });
    Site::with_ada(document().with("api", api).strict())
}

#[test]
fn strict_mode_mixes_the_two_ways() {
    let site = strict();
    let asked = |url: &str, headers: &[(&str, &str)]| ask(&site, on_api(get(url, headers)));
    for (url, headers, seen) in [
        (
            "http://plain.test/decisions/a?q=1",
            &[] as &[(&str, &str)],
            "GET http://plain.test/a?q=1",
        ),
        (
            "http://plain.test/decisions/../x%2Fy?q",
            &[],
            "GET http://plain.test/x/y?q",
        ),
        (
            "http://plain.test/%64ecisions/x",
            &[],
            "GET http://plain.test/x",
        ),
        (
            "http://g.test/decisions/a",
            &[("x-forwarded-host", "plain.test")],
            "GET http://plain.test/a",
        ),
        (
            "http://plain.test/decisions/a?own",
            &[
                ("x-forwarded-uri", "/b?x=1"),
                ("x-forwarded-method", "POST"),
            ],
            "POST http://plain.test/b?own",
        ),
    ] {
        let answer = asked(url, headers);
        assert_eq!(
            (answer.status, header(&answer, "x-seen")),
            (200, Some(seen)),
            "{url}"
        );
        assert_eq!(header(&answer, "cache-control"), None, "{url}");
    }
    for (url, headers) in [
        ("http://plain.test/decisions", &[] as &[(&str, &str)]),
        ("http://plain.test/decisionsexact", &[]),
        (
            "http://plain.test/decisions",
            &[("x-forwarded-uri", "exact")],
        ),
        (
            "http://plain.test/decisions/x",
            &[("x-forwarded-proto", "HTTP")],
        ),
        (
            "http://plain.test/decisions/x",
            &[("x-forwarded-host", "a, b")],
        ),
    ] {
        let answer = asked(url, headers);
        assert_eq!(answer.status, 404, "{url} {headers:?}");
        assert_eq!(
            message(&answer),
            "The requested resource could not be found"
        );
    }
}

#[test]
fn strict_mode_reads_the_forwarded_path_like_any_path() {
    // Oathkeeper takes it for decoded, and judges `/open/%2e%2e/x` as what it is not.
    let site = strict();
    let asked = |uri| ask(&site, forwarded("GET", "http", "plain.test", uri, &[]));
    assert_eq!(
        header(&asked("/a/%2e%2e/x"), "x-seen"),
        Some("GET http://plain.test/x")
    );
    assert_eq!(
        header(&asked("/\u{e4}"), "x-seen"),
        Some("GET http://plain.test/%C3%A4"),
        "a path that is not ASCII is not no path"
    );
    assert_eq!(asked("/a/..;/x").status, 400);
    assert_eq!(asked("/a%zz").status, 400);
}

#[test]
fn strict_mode_believes_a_rule_without_a_path() {
    let bare = set(
        rule("bare", "http://bare.test<.*>"),
        "mutators",
        json!([header_mutator(&[("x-url", "{{ .MatchContext.URL }}")])]),
    );
    let site = Site::new(policy([bare]).strict());
    let answer = ask(&site, on_api(get("http://bare.test/decisions", &[])));
    assert_eq!(header(&answer, "x-url"), Some("http://bare.test"));
}

#[test]
fn strict_mode_gives_back_what_noop_lets_through() {
    let echo = set(
        rule("echo", "http://echo.test/<.*>"),
        "mutators",
        json!([header_mutator(&[("x-h", "1")]), { "handler": "noop" }, header_mutator(&[("x-custom", "2")])]),
    );
    let site = Site::new(policy([echo]).strict());
    let headers = [
        ("x-custom", "1"),
        ("x-dup", "1"),
        ("x-dup", "2"),
        ("authorization", "Bearer t"),
        ("content-length", "0"),
        ("connection", "close"),
        ("te", "trailers"),
        ("content-type", "x/y"),
    ];
    let answer = ask(&site, on_api(get("http://echo.test/decisions/x", &headers)));
    for (name, values) in [
        ("x-custom", &["2"] as &[&str]),
        ("x-h", &["1"]),
        ("x-dup", &["1"]),
        ("authorization", &["Bearer t"]),
        ("content-type", &["x/y"]),
        ("content-length", &[]),
        ("connection", &[]),
    ] {
        assert_eq!(all(&answer, name), values, "{name}");
    }
}

#[test]
fn strict_mode_escapes_the_way_back_once_more() {
    let site = strict();
    let headers = |uri| {
        [
            ("x-forwarded-uri", uri),
            ("x-forwarded-host", "page.test"),
            ("x-forwarded-proto", "https"),
        ]
    };
    for (url, uri, expected) in [
        (
            "http://g.test/decisions",
            "/u/a%20b?x=1&y=2",
            "https%3A%2F%2Fpage.test%2Fu%2Fa%252520b%253Fx%3D1%26y%3D2",
        ),
        (
            "http://g.test/decisions/a%2Fb?x=1",
            "",
            "https%3A%2F%2Fpage.test%2Fa%2Fb%3Fx%3D1",
        ),
    ] {
        let answer = ask(&site, on_api(get(url, &headers(uri))));
        assert_eq!(
            header(&answer, "location"),
            Some(format!("https://login.test/?return_to={expected}").as_str())
        );
    }
}

#[test]
fn strict_mode_puts_a_space_for_what_would_end_the_line() {
    let site = strict();
    let broken = session("e\nve\n");
    site.memory.script("kratos", "=eve", broken.reply());
    let headers = [("cookie", "ory_kratos_session=eve")];
    let answer = ask(&site, on_api(get("https://app.test/decisions/x", &headers)));
    assert_eq!(header(&answer, "x-user-id"), Some("e ve"));
}
