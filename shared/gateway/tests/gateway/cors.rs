//! CORS, answered at the edge.

use serde_json::{Value, json};

use crate::policy::{policy, rule, session_rule, set};
use crate::site::{ADA, Site, all, get, header, request, values};

/// Group H: one origin, the subdomains of another, credentials on.
pub(crate) fn settings() -> Value {
    json!({
        "allowed_origins": ["https://app.example.com", "https://*.apps.example.com"],
        "allowed_methods": ["GET", "POST", "DELETE"],
        "allowed_headers": ["authorization", "content-type", "x-custom"],
        "exposed_headers": ["X-Total", "X-Page"],
        "allow_credentials": true,
        "max_age": 600,
    })
}

fn site(strict: bool) -> Site {
    Site::with_ada(
        policy([
            session_rule("api", "https://api.test/<.*>"),
            rule("open", "https://open.test/<.*>"),
        ])
        .with("cors", settings())
        .mode(strict),
    )
}

fn preflight(site: &Site, headers: &[(&str, &str)]) -> edgekeeper_gateway::decision::Answer {
    site.send(request(
        "OPTIONS",
        "https://api.test/oauth-clients",
        headers,
    ))
    .answered()
}

#[test]
fn h25_a_preflight_needs_no_rule_no_session_no_store_and_no_upstream() {
    for strict in [false, true] {
        let site = site(strict);
        for url in ["https://api.test/x", "https://nobody.test/no/rule"] {
            let answer = site
                .send(request(
                    "OPTIONS",
                    url,
                    &[
                        ("origin", "https://app.example.com"),
                        ("access-control-request-method", "DELETE"),
                        ADA,
                    ],
                ))
                .answered();
            assert_eq!(answer.status, 204, "{url}");
            assert_eq!(answer.body, "");
            assert_eq!(
                header(&answer, "access-control-allow-origin"),
                Some("https://app.example.com")
            );
            assert_eq!(
                header(&answer, "access-control-allow-methods"),
                Some("DELETE")
            );
            assert_eq!(
                header(&answer, "access-control-allow-credentials"),
                Some("true")
            );
            assert_eq!(header(&answer, "access-control-max-age"), Some("600"));
            assert_eq!(
                all(&answer, "vary"),
                ["Origin, Access-Control-Request-Method, Access-Control-Request-Headers"]
            );
            assert!(all(&answer, "set-cookie").is_empty());
        }
        assert_eq!(site.memory.questions(), 0, "nobody is asked");
        assert_eq!(
            site.memory.reads() + site.memory.writes(),
            0,
            "the store is not asked"
        );
    }
}

#[test]
fn group_h_only_listed_origins_may_read() {
    for strict in [false, true] {
        for (id, origin, allowed) in [
            ("", "https://app.example.com", true),
            ("", "https://a.apps.example.com", true),
            ("", "https://a.b.apps.example.com", true),
            ("H01", "null", false),
            ("H03", "https://evilapp.example.com", false),
            ("H03", "https://app.example.com.evil.test", false),
            ("H05", "http://app.example.com", false),
            ("H07", "https://APP.example.com", true),
            ("H08", "https://app.example.com:8443", false),
            ("H09", "https://user@app.example.com", false),
            ("H10", "https://app.example.com/", false),
            ("H11", "https://xapps.example.com", false),
            ("H11", "https://apps.example.com", false),
            ("H12", "https://evil.test/.apps.example.com", false),
            ("H12", "https://evil.test#.apps.example.com", false),
            ("H12", "https://.apps.example.com", false),
            ("H13", "https://a_b.apps.example.com", true),
            ("H17", "", false),
            ("H18", "https://app.example.com, https://evil.test", false),
        ] {
            let site = site(strict);
            let asked = [("origin", origin), ("access-control-request-method", "GET")];
            let answer = preflight(&site, &asked);
            assert_eq!(answer.status, 204);
            let expected: Vec<&str> = if allowed { vec![origin] } else { vec![] };
            assert_eq!(
                all(&answer, "access-control-allow-origin"),
                expected,
                "{id} {origin} preflight"
            );
            let answer = site
                .send(get("https://api.test/x", &[("origin", origin)]))
                .answered();
            assert_eq!(answer.status, 401, "H31");
            assert_eq!(
                all(&answer, "access-control-allow-origin"),
                expected,
                "{id} {origin}"
            );
            assert_eq!(all(&answer, "vary"), ["Origin"]);
        }
    }
}

#[test]
fn h15_two_origins_are_none() {
    let site = site(false);
    let two = [
        ("origin", "https://app.example.com"),
        ("origin", "https://evil.test"),
        ("access-control-request-method", "GET"),
    ];
    assert!(all(&preflight(&site, &two), "access-control-allow-origin").is_empty());
    let answer = site.send(get("https://api.test/", &two[..2])).answered();
    assert!(all(&answer, "access-control-allow-origin").is_empty());
}

#[test]
fn a_preflight_permits_what_is_listed_and_nothing_else() {
    let many = ",".repeat(65_536);
    let many_names = vec!["x-custom"; 65].join(",");
    for (why, method, headers, allowed, allowed_in_strict) in [
        ("a listed method", "DELETE", None, true, true),
        ("an unlisted method", "PUT", None, false, false),
        ("methods have case", "delete", None, false, false),
        ("HEAD only when listed", "HEAD", None, false, false),
        ("a listed header", "GET", Some("content-type"), true, true),
        (
            "two, sorted",
            "GET",
            Some("authorization,content-type"),
            true,
            true,
        ),
        (
            "two, with a space",
            "GET",
            Some("authorization, content-type"),
            true,
            true,
        ),
        (
            "two, unsorted",
            "GET",
            Some("content-type,authorization"),
            true,
            false,
        ),
        ("upper case", "GET", Some("X-Custom"), true, false),
        ("an unlisted header", "GET", Some("x-other"), false, false),
        (
            "one of two",
            "GET",
            Some("content-type,x-other"),
            false,
            false,
        ),
        ("nothing", "GET", Some(""), true, true),
        ("H23 commas", "GET", Some(many.as_str()), false, false),
        ("H23 names", "GET", Some(many_names.as_str()), false, false),
    ] {
        for (strict, allowed) in [(false, allowed), (true, allowed_in_strict)] {
            let mut asked = vec![
                ("origin", "https://app.example.com"),
                ("access-control-request-method", method),
            ];
            asked.extend(headers.map(|headers| ("access-control-request-headers", headers)));
            let answer = preflight(&site(strict), &asked);
            let origin = header(&answer, "access-control-allow-origin");
            assert_eq!(origin.is_some(), allowed, "{why}, strict: {strict}");
            if allowed {
                let asked = headers.filter(|headers| !headers.is_empty());
                assert_eq!(
                    header(&answer, "access-control-allow-headers"),
                    asked,
                    "{why}"
                );
            } else {
                assert!(
                    all(&answer, "access-control-allow-methods").is_empty(),
                    "{why}"
                );
            }
        }
    }
}

#[test]
fn h21_options_without_a_requested_method_is_a_request_like_any_other() {
    let site = site(false);
    let options = site.send(request(
        "OPTIONS",
        "https://api.test/",
        &[("origin", "https://app.example.com")],
    ));
    assert_eq!(options.status(), 404, "no rule lists OPTIONS");
    let rules = [set(
        session_rule("api", "https://api.test/<.*>"),
        "methods",
        json!(["OPTIONS"]),
    )];
    let listed = Site::new(policy(rules).with("cors", settings()));
    assert_eq!(
        listed
            .send(request("OPTIONS", "https://api.test/", &[]))
            .status(),
        401
    );
}

#[test]
fn without_cors_a_preflight_is_left_to_the_rules() {
    let site = Site::new(policy([set(
        rule("web", "https://api.test/<.*>"),
        "methods",
        json!(["OPTIONS"]),
    )]));
    let asked = [
        ("origin", "https://app.example.com"),
        ("access-control-request-method", "GET"),
    ];
    let forwarded = site
        .send(request("OPTIONS", "https://api.test/x", &asked))
        .forwarded();
    assert_eq!(forwarded.values("access-control-request-method"), ["GET"]);
    let own = site.answer_from(
        request("OPTIONS", "https://api.test/x", &asked),
        204,
        &[("access-control-allow-origin", "https://theirs.test")],
    );
    assert_eq!(
        values(&own, "access-control-allow-origin"),
        ["https://theirs.test"],
        "not ours to change"
    );
}

#[test]
fn h27_every_answer_can_be_read_by_an_allowed_origin() {
    let redirect =
        json!([{ "kind": { "handler": "redirect", "to": "https://login.test/", "code": 302 } }]);
    let site = Site::with_ada(
        policy([
            session_rule("api", "https://api.test/<.*>"),
            set(
                session_rule("page", "https://page.test/<.*>"),
                "errors",
                redirect,
            ),
            set(
                session_rule("deny", "https://deny.test/<.*>"),
                "authorizers",
                json!([{ "handler": "deny" }]),
            ),
            rule("twice", "https://twice.test/<.*>"),
            rule("twice-too", "https://twice.test/<.+>"),
            session_rule("down", "https://down.test/<.*>"),
            set(
                rule("nowhere", "https://nowhere.test/<.*>"),
                "upstream",
                Value::Null,
            ),
        ])
        .with("cors", settings()),
    );
    site.memory
        .script("", "=down", crate::memory::Reply::new(500, ""));
    for (why, url, cookie, expected) in [
        ("401", "https://api.test/", "a=b", 401),
        ("302", "https://page.test/", "a=b", 302),
        ("403", "https://deny.test/", ADA.1, 403),
        ("404", "https://none.test/", ADA.1, 404),
        ("500, two rules", "https://twice.test/x", ADA.1, 500),
        ("500, no upstream", "https://nowhere.test/x", ADA.1, 500),
        ("503", "https://down.test/", "ory_kratos_session=down", 503),
    ] {
        let answer = site
            .send(get(
                url,
                &[("origin", "https://app.example.com"), ("cookie", cookie)],
            ))
            .answered();
        assert_eq!(answer.status, expected, "{why}");
        assert_eq!(
            header(&answer, "access-control-allow-origin"),
            Some("https://app.example.com"),
            "{why}"
        );
        assert_eq!(
            header(&answer, "access-control-allow-credentials"),
            Some("true"),
            "{why}"
        );
        assert_eq!(
            header(&answer, "access-control-expose-headers"),
            Some("X-Total, X-Page"),
            "{why}"
        );
        assert_eq!(all(&answer, "vary"), ["Origin"], "{why}");
    }
    let forwarded = site
        .send(get(
            "https://api.test/",
            &[("origin", "https://app.example.com"), ADA],
        ))
        .forwarded();
    for error in [crate::memory::unreachable(), crate::memory::timeout()] {
        let answer = site
            .gateway
            .upstream_failed(&site.memory, &forwarded.forward, error);
        assert_eq!(
            header(&answer, "access-control-allow-origin"),
            Some("https://app.example.com"),
            "{}",
            answer.status
        );
    }
}

#[test]
fn the_upstreams_own_cors_headers_are_replaced_not_doubled() {
    let upstream = [
        ("access-control-allow-origin", "*"),
        ("access-control-allow-origin", "https://theirs.test"),
        ("access-control-allow-credentials", "false"),
        ("access-control-expose-headers", "X-Theirs"),
        ("access-control-allow-methods", "PUT"),
        ("access-control-allow-headers", "x-theirs"),
        ("access-control-max-age", "9"),
        ("vary", "Accept"),
    ];
    for strict in [false, true] {
        let answer = site(strict).answer_from(
            get(
                "https://open.test/",
                &[("origin", "https://app.example.com")],
            ),
            200,
            &upstream,
        );
        assert_eq!(
            values(&answer, "access-control-allow-origin"),
            ["https://app.example.com"]
        );
        assert_eq!(
            values(&answer, "access-control-allow-credentials"),
            ["true"]
        );
        assert_eq!(
            values(&answer, "access-control-expose-headers"),
            ["X-Total, X-Page"]
        );
        for name in [
            "access-control-allow-methods",
            "access-control-allow-headers",
            "access-control-max-age",
        ] {
            assert!(values(&answer, name).is_empty(), "{name}");
        }
        assert_eq!(values(&answer, "vary"), ["Accept", "Origin"]);
        let stranger = site(strict).answer_from(
            get("https://open.test/", &[("origin", "https://evil.test")]),
            200,
            &upstream,
        );
        let theirs: &[&str] = if strict {
            &["*", "https://theirs.test"]
        } else {
            &[]
        };
        assert_eq!(
            values(&stranger, "access-control-allow-origin"),
            theirs,
            "by default the upstream does not open what the gateway closed, strict: {strict}"
        );
    }
}

#[test]
fn strict_mode_tells_nothing_to_an_unlisted_method() {
    for (strict, expected) in [(false, true), (true, false)] {
        let answer = site(strict)
            .send(request(
                "PUT",
                "https://api.test/x",
                &[("origin", "https://app.example.com")],
            ))
            .answered();
        assert_eq!(
            header(&answer, "access-control-allow-origin").is_some(),
            expected,
            "strict: {strict}"
        );
    }
}

#[test]
fn any_origin_is_a_star_and_never_comes_with_credentials() {
    let mut open = settings();
    open["allowed_origins"] = json!(["*"]);
    open["allow_credentials"] = json!(false);
    let site = Site::new(policy([rule("web", "https://api.test/<.*>")]).with("cors", open.clone()));
    let answer = site.answer_from(
        get("https://api.test/", &[("origin", "https://any.test")]),
        200,
        &[],
    );
    assert_eq!(values(&answer, "access-control-allow-origin"), ["*"]);
    assert!(values(&answer, "access-control-allow-credentials").is_empty());
    // A document that says both anyway opens nothing: reflecting the origin would (CVE-2018-20744).
    open["allow_credentials"] = json!(true);
    let site = Site::new(policy([rule("web", "https://api.test/<.*>")]).with("cors", open));
    let answer = site.answer_from(
        get("https://api.test/", &[("origin", "https://any.test")]),
        200,
        &[],
    );
    assert!(values(&answer, "access-control-allow-origin").is_empty());
}

#[test]
fn q7jf_the_requests_vary_is_not_reflected() {
    let answer = site(false).answer_from(get("https://open.test/", &[("vary", "*")]), 200, &[]);
    assert_eq!(values(&answer, "vary"), ["Origin"], "GHSA-q7jf-gf43-6x6p");
}

#[test]
fn h29_private_networks_are_not_opened() {
    let asked = [
        ("origin", "https://app.example.com"),
        ("access-control-request-method", "GET"),
        ("access-control-request-private-network", "true"),
    ];
    let answer = preflight(&site(false), &asked);
    assert!(all(&answer, "access-control-allow-private-network").is_empty());
}

#[test]
fn a_page_may_read_what_was_refused_before_any_rule() {
    for (method, url, more, status) in [
        ("GET", "https://api.test/%zz", ("x-in", "1"), 400),
        ("TRACE", "https://api.test/x", ("x-in", "1"), 405),
        ("GET", "https://api.test/x", ("expect", "200-ok"), 417),
        ("GET", "https://api.test:x/", ("x-in", "1"), 400),
    ] {
        let headers = [("origin", "https://app.example.com"), more];
        let answer = site(false).send(request(method, url, &headers)).answered();
        assert_eq!(answer.status, status, "{method} {url}");
        assert_eq!(
            header(&answer, "access-control-allow-origin"),
            Some("https://app.example.com"),
            "{method} {url}"
        );
        assert_eq!(
            header(&answer, "cache-control"),
            Some("no-store"),
            "{method} {url}"
        );
    }
}

#[test]
fn h21_options_that_asks_for_no_method_is_no_preflight() {
    for strict in [false, true] {
        for asked in [None, Some(("access-control-request-method", ""))] {
            let headers: Vec<_> = [("origin", "https://app.example.com")]
                .into_iter()
                .chain(asked)
                .collect();
            assert_eq!(preflight(&site(strict), &headers).status, 404, "{asked:?}");
        }
    }
}
