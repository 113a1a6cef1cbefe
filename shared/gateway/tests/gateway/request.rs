//! A request has one meaning, or none.

use serde_json::json;

use crate::policy::{policy, rule, session_rule};
use crate::site::{ADA, Site, all, get, header, header_map, message, request, values};

/// The rules of group A: everybody for `/public`, people with a session for `/admin` and `/api/v1`.
fn group_a(strict: bool) -> Site {
    Site::new(
        policy([
            rule("public", "<https?>://admin.example.com/public/<.*>"),
            session_rule("admin", "<https?>://admin.example.com/admin<(/.*)?>"),
            session_rule("api", "<https?>://admin.example.com/api/v1/<.*>"),
        ])
        .mode(strict),
    )
}

/// Without a session: 400 (no or two meanings), 401 (the admin rule) or 404 (no rule); where it goes on, the URL.
#[test]
fn group_a_never_reaches_admin_without_a_session() {
    let far = format!("/public/{}admin", "../".repeat(5_000));
    for (id, path, expected) in [
        ("A01", "/public/../admin", "401"),
        ("A02", "/public/./../admin", "401"),
        ("A03", "/public/%2e%2e/admin", "401"),
        ("A04", "/public/.%2e/admin", "401"),
        ("A05", "/public/%2E%2E/admin", "401"),
        ("A06", "/public/%2e%2e%2fadmin", "401"),
        ("A07", "/public/..%2Fadmin", "401"),
        ("A08", "/public/..%2fadmin/secret", "401"),
        ("A09", "/public/..%5cadmin", "400"),
        ("A10", "/public/..\\admin", "400"),
        ("A11", "/public/%5c..%5cadmin", "400"),
        ("A13", "/public/%252e%252e/admin", "400"),
        ("A14", "/public/%25252e%25252e/admin", "400"),
        ("A15", "/%41DMIN", "404"),
        ("A16", "/%61dmin", "401"),
        ("A17", "///admin", "401"),
        ("A18", "//admin", "401"),
        ("A19", "/admin/", "401"),
        ("A20", "/admin//", "401"),
        ("A21", "/admin/..;/admin", "400"),
        ("A22", "/public/..;/admin", "400"),
        ("A23", "/admin;x=y", "404"),
        ("A24", "/admin/;", "401"),
        ("A25", "/admin%00.css", "400"),
        ("A26", "/public/%00/admin", "400"),
        ("A27", "/admin%20", "404"),
        ("A28", "/admin%09", "400"),
        ("A29", "/admin%0d%0aX: y", "400"),
        ("A30", "/admin%0d%0aX:y", "400"),
        ("A31", "/admin?.css", "401"),
        ("A32", "/admin?/public/x", "401"),
        ("A33", "/public#/admin", "400"),
        ("A34", "/public/%23/../../admin", "401"),
        ("A35", "/public/%u002e%u002e/admin", "400"),
        ("A37", "/public/%zz", "400"),
        ("A38", "/public/%", "400"),
        ("A39", "/public/\u{ff0e}\u{ff0e}/admin", "400"),
        ("A40", "/public/%c0%ae%c0%ae/admin", "400"),
        ("A41", "/admin.json", "404"),
        ("A43", "/_next/data/b/admin.json", "404"),
        ("A44", "/admin/a.segments/_tree.segment.rsc", "401"),
        ("A47", "", "404"),
        ("A48", "?x=/public/x", "404"),
        ("A49", &far, "401"),
        ("A51", "/api/v1%2f..%2f..%2fadmin", "401"),
        (
            "A52",
            "/api/v1/..%2F..%2Fpublic/x",
            "http://up.test/public/x",
        ),
        (
            "A55",
            "/public/x?a=1&a=2&b=%zz;c",
            "http://up.test/public/x?a=1&a=2&b=%zz;c",
        ),
        ("A56", "/public/a%2Fb", "http://up.test/public/a%2Fb"),
        ("CVE-2026-41059", "/public/secret#/bar", "400"),
        ("CVE-2023-47106", "/public#/../admin", "400"),
        ("CVE-2025-54576", "/admin?x=/public/a/bar", "401"),
    ] {
        let url = format!("https://admin.example.com{path}");
        let shown = &url[..url.len().min(80)];
        assert_eq!(
            group_a(false).send(get(&url, &[])).outcome(),
            expected,
            "{id} {shown}"
        );
        let strict = group_a(true).send(get(&url, &[])).outcome();
        assert!(
            !strict.contains("/admin") || id == "A14",
            "{id} {shown}: strict mode sends it to {strict}"
        );
    }
}

#[test]
fn a59_letters_and_their_escapes_are_the_same_path() {
    let site = Site::new(policy([rule("ja", "https://app.test/日本")]));
    for path in ["/日本", "/%E6%97%A5%E6%9C%AC", "/%e6%97%a5%E6%9C%AC"] {
        let url = format!("https://app.test{path}");
        assert_eq!(site.send(get(&url, &[])).status(), 0, "{path}");
    }
}

#[test]
fn group_b_hosts_are_compared_as_dns_does() {
    let https = policy([
        session_rule("admin", "https://admin.example.com/<.*>"),
        rule("other-port", "https://admin.example.com:8443/<.*>"),
        rule("v6", "https://[::1]/<.*>"),
    ]);
    let site = Site::new(https);
    for (id, authority, expected) in [
        ("B01", "ADMIN.EXAMPLE.COM", "401"),
        ("B02", "admin.example.com.", "401"),
        ("B03", "admin.example.com:443", "401"),
        ("B03", "admin.example.com.:443", "401"),
        ("B03", "admin.example.com:8443", "http://up.test/"),
        ("B03", "admin.example.com:", "401"),
        ("B03", "admin.example.com:8080", "404"),
        ("B04", "admin.example.com:99999", "400"),
        ("B04", "admin.example.com:+443", "400"),
        ("B04", "admin.example.com:443:443", "400"),
        ("B05", "a@admin.example.com", "400"),
        ("B05", "user:pass@admin.example.com", "400"),
        ("B06", "admin.example.com\\@evil.test", "400"),
        ("B07", "[::1]", "http://up.test/"),
        ("B07", "[::1]:443", "http://up.test/"),
        ("B07", "::1", "400"),
        ("B07", "[::1", "400"),
        ("B08", "admin..example.com", "400"),
        ("B08", "", "400"),
        ("B08", ".", "400"),
        ("B08", "admin.example.com..", "400"),
        ("B09", "xn--example-.org", "404"),
        ("B10", "admin%2eexample.com", "400"),
        ("B10", "admin.example.com%00", "400"),
        ("GHSA-4jgr-pg2m-m988", "a;for=127.0.0.1", "400"),
        ("IDN", "аdmin.example.com", "400"),
    ] {
        let url = format!("https://{authority}/");
        assert_eq!(
            site.send(get(&url, &[])).outcome(),
            expected,
            "{id} {authority}"
        );
    }
}

#[test]
fn two_hosts_are_refused() {
    let site = Site::new(policy([rule("web", "https://app.test/<.*>")]));
    let two = [("host", "app.test"), ("host", "evil.test")];
    assert_eq!(site.send(get("https://app.test/", &two)).status(), 400);
    assert_eq!(site.send(get("https://app.test/", &two[..1])).status(), 0);
}

#[test]
fn the_scheme_is_the_connections_unless_the_policy_says_more() {
    let rules = || {
        [
            rule("plain", "http://app.test/<.*>"),
            session_rule("tls", "https://app.test/<.*>"),
        ]
    };
    let forwarded = [("x-forwarded-proto", "https")];
    // CVE-2026-33495: http is allowed here, https is not.
    let untrusting = Site::new(policy(rules()));
    assert_eq!(
        untrusting
            .send(get("http://app.test/", &forwarded))
            .status(),
        0,
        "CVE-2026-33495"
    );
    assert_eq!(untrusting.send(get("https://app.test/", &[])).status(), 401);
    let trusting = Site::new(policy(rules()).with("trust_forwarded_headers", json!(true)));
    for (value, expected) in [
        ("https", 401),
        ("HTTPS", 401),
        ("http", 0),
        ("wss", 0),
        ("https, http", 0),
        ("javascript", 0),
    ] {
        let sent = trusting.send(get("http://app.test/", &[("x-forwarded-proto", value)]));
        assert_eq!(sent.status(), expected, "B13 {value}");
    }
    let behind_tls = Site::new(policy(rules()).with("scheme", json!("https")));
    assert_eq!(behind_tls.send(get("http://app.test/", &[])).status(), 401);
    assert_eq!(
        behind_tls.send(get("http://app.test:80/", &[])).status(),
        401
    );
    assert_eq!(
        behind_tls
            .send(get("http://app.test/", &[("x-forwarded-proto", "http")]))
            .status(),
        401
    );
}

#[test]
fn group_b_no_header_chooses_host_path_or_method() {
    let site = Site::with_ada(policy([
        rule("public", "https://public.example.com/<.*>"),
        session_rule("admin", "https://admin.example.com/<.*>"),
    ]));
    for (id, name, value) in [
        ("B11", "x-forwarded-host", "public.example.com"),
        ("B15", "x-forwarded-method", "OPTIONS"),
        ("B17", "x-forwarded-port", "80"),
        ("B19", "x-rewrite-url", "/public"),
        ("B20", "x-original-url", "/public"),
        ("B21", "x-http-method-override", "GET"),
        ("B23", "forwarded", "host=public.example.com;proto=https"),
        ("CVE-2026-40575", "x-forwarded-uri", "/public"),
        ("CVE-2026-35051", "x-forwarded-prefix", "/public"),
        ("CVE-2026-34457", "user-agent", "GoogleHC/1.0"),
        ("CVE-2026-34457", "user-agent", "kube-probe/1.30"),
        ("CVE-2022-38580", "x-skipper-proxy", "http://evil.test"),
        ("CVE-2026-44573", "rsc", "1"),
        (
            "B37",
            "x-middleware-subrequest",
            "middleware:middleware:middleware:middleware:middleware",
        ),
    ] {
        let sent = site.send(get("https://admin.example.com/", &[(name, value)]));
        assert_eq!(sent.status(), 401, "{id} {name}");
        let forwarded = site
            .send(get("https://admin.example.com/", &[(name, value), ADA]))
            .forwarded();
        assert_eq!(forwarded.url(), "http://up.test/", "{id} {name}");
    }
}

#[test]
fn b37_headers_that_frameworks_trust_do_not_reach_the_upstream() {
    let site = Site::new(policy([rule("web", "https://app.test/<.*>")]));
    for name in [
        "x-middleware-subrequest",
        "spin-full-url",
        "spin-client-addr",
        "mf-original-url",
    ] {
        let forwarded = site
            .send(get("https://app.test/", &[(name, "x")]))
            .forwarded();
        assert!(forwarded.values(name).is_empty(), "{name}");
    }
}

#[test]
fn b33_methods_that_reach_through_are_never_served() {
    let site = Site::new(policy([rule("web", "https://app.test/<.*>")]));
    for method in ["TRACE", "TRACK", "CONNECT", "trace", "Connect"] {
        assert_eq!(
            site.send(request(method, "https://app.test/", &[]))
                .status(),
            405,
            "{method}"
        );
    }
    assert_eq!(
        site.send(request("FOO", "https://app.test/", &[])).status(),
        404,
        "B35"
    );
}

#[test]
fn what_is_no_http_url_is_refused() {
    let site = Site::new(policy([rule("web", "https://app.test/<.*>")]));
    for url in [
        "",
        "/",
        "app.test/",
        "ftp://app.test/",
        "javascript://app.test/",
        "https:/app.test/",
        "https://",
    ] {
        assert_eq!(site.send(get(url, &[])).status(), 400, "{url:?}");
    }
    for query in ["a b", "a#b", "a\r\nX: y", "a\u{0}", "a\u{7f}"] {
        let url = format!("https://app.test/?{query}");
        assert_eq!(site.send(get(&url, &[])).status(), 400, "{query:?}");
    }
}

#[test]
fn a_refusal_says_what_went_wrong_to_the_log_only() {
    let site = Site::new(policy([rule("web", "https://app.test/<.*>")]));
    let answer = site
        .send(get("https://app.test/..%5cx", &[("x-request-id", "r-1")]))
        .answered();
    assert_eq!(answer.status, 400);
    assert_eq!(header(&answer, "content-type"), Some("application/json"));
    assert_eq!(
        message(&answer),
        "The request was malformed or contained invalid parameters"
    );
    assert_eq!(crate::site::error(&answer)["request"], "r-1");
    let log = site.memory.take_log().join("\n");
    assert!(log.contains("dot segment in disguise"), "{log}");
}

#[test]
fn only_listed_hosts_are_served() {
    let site = Site::new(policy([rule("any", "https://<.+>/<.*>")]).with(
        "hosts",
        json!(["app.test", "*.apps.test", "port.test:8443"]),
    ));
    for (authority, expected) in [
        ("app.test", 0),
        ("APP.test.", 0),
        ("app.test:8443", 0),
        ("a.apps.test", 0),
        ("a.b.apps.test", 0),
        ("apps.test", 404),
        ("evilapps.test", 404),
        ("evilapp.test", 404),
        ("app.test.evil.test", 404),
        ("port.test:8443", 0),
        ("port.test", 404),
        ("other.test", 404),
        ("127.0.0.1", 404),
    ] {
        let sent = site.send(get(&format!("https://{authority}/x"), &[]));
        assert_eq!(sent.status(), expected, "{authority}");
    }
    assert_eq!(site.memory.questions(), 0);
}

#[test]
fn h33_an_unserved_host_gets_no_preflight_answer() {
    let site = Site::new(
        policy([rule("any", "https://<.+>/<.*>")])
            .with("hosts", json!(["app.test"]))
            .with("cors", crate::cors::settings()),
    );
    let preflight = [
        ("origin", "https://app.example.com"),
        ("access-control-request-method", "GET"),
    ];
    let answer = site
        .send(request("OPTIONS", "https://other.test/", &preflight))
        .answered();
    assert_eq!(answer.status, 404);
    assert!(all(&answer, "access-control-allow-origin").is_empty());
}

#[test]
fn the_body_is_never_touched() {
    let site = Site::new(policy([rule("web", "https://app.test/<.*>")]));
    let sent = [
        ("content-length", "5"),
        ("content-type", "text/plain"),
        ("content-encoding", "gzip"),
    ];
    let forwarded = site
        .send(request("POST", "https://app.test/", &sent))
        .forwarded();
    for (name, value) in header_map(&sent).iter() {
        assert_eq!(
            values(&forwarded.headers, name.as_str()),
            [value.to_str().unwrap()],
            "{name}"
        );
    }
}
