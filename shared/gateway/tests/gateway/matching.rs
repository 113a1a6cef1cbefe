//! Exactly one rule.

use serde_json::{Value, json};

use crate::policy::{header, policy, rule, session_rule, set};
use crate::site::{ADA, Site, error, get, message, request};

#[test]
fn no_rule_is_404_and_nobody_is_asked() {
    let site = Site::with_ada(policy([session_rule("web", "https://app.test/a/<.*>")]));
    for url in [
        "https://app.test/",
        "https://app.test/b/x",
        "http://app.test/a/x",
        "https://other.test/a/x",
    ] {
        let answer = site.send(get(url, &[ADA])).answered();
        assert_eq!(
            (answer.status, message(&answer).as_str()),
            (404, "The requested resource could not be found"),
            "{url}"
        );
    }
    assert_eq!(site.memory.questions(), 0);
}

#[test]
fn l01_several_rules_are_500_whatever_their_order() {
    for strict in [false, true] {
        let rules = || {
            [
                session_rule("wide", "https://app.test/<.*>"),
                session_rule("narrow", "https://app.test/a"),
            ]
        };
        let mut reversed = rules();
        reversed.reverse();
        for rules in [rules(), reversed] {
            let verbose = json!([{ "kind": { "handler": "json", "verbose": true } }]);
            let site = Site::with_ada(policy(rules).with("errors", verbose).mode(strict));
            let answer = site.send(get("https://app.test/a", &[ADA])).answered();
            assert_eq!(answer.status, 500);
            assert_eq!(
                message(&answer),
                "Expected exactly one rule but found multiple rules"
            );
            assert_eq!(site.memory.questions(), 0);
            let log = site.memory.take_log().join("\n");
            assert!(
                log.contains("wide") && log.contains("narrow"),
                "the log names both: {log}"
            );
        }
    }
}

#[test]
fn rules_with_one_url_can_differ_by_method() {
    let by_method =
        |id: &str, methods: Value| set(rule(id, "https://app.test/<.*>"), "methods", methods);
    let site = Site::new(policy([
        set(
            by_method("read", json!(["GET", "HEAD"])),
            "upstream",
            json!({ "url": "http://read.test" }),
        ),
        set(
            by_method("write", json!(["POST"])),
            "upstream",
            json!({ "url": "http://write.test" }),
        ),
        by_method("never", json!([])),
    ]));
    for (method, expected) in [
        ("GET", "http://read.test/x"),
        ("HEAD", "http://read.test/x"),
        ("get", "http://read.test/x"),
        ("POST", "http://write.test/x"),
        ("PUT", "404"),
        ("OPTIONS", "404"),
    ] {
        assert_eq!(
            site.send(request(method, "https://app.test/x", &[]))
                .outcome(),
            expected,
            "{method}"
        );
    }
}

#[test]
fn a_trailing_slash_is_cut_for_the_rules_as_oathkeeper_does() {
    for (strict, url, path, expected) in [
        (false, "https://app.test/a", "/a/", "http://up.test/a"),
        (true, "https://app.test/a", "/a/", "http://up.test/a"),
        (false, "https://app.test/a/<.*>", "/a/", "http://up.test/a/"),
        (true, "https://app.test/a/<.*>", "/a/", "404"),
        (false, "https://app.test/a/<.*>", "/a", "404"),
        (true, "https://app.test/a/<.*>", "/a", "404"),
        (false, "https://app.test/a/", "/a/", "http://up.test/a/"),
        (true, "https://app.test/a/", "/a/", "404"),
        (false, "https://app.test/<.*>", "/", "http://up.test/"),
        (true, "https://app.test/<.*>", "/", "http://up.test/"),
    ] {
        let site = Site::new(policy([rule("web", url)]).mode(strict));
        let sent = site.send(get(&format!("https://app.test{path}"), &[]));
        assert_eq!(
            sent.outcome(),
            expected,
            "{url} for {path}, strict: {strict}"
        );
    }
}

/// The upstream is sent the path that the rule is for: the slash goes on only where that rule has it too.
#[test]
fn a57_a_slash_cannot_smuggle_a_path_past_its_rule() {
    for strict in [false, true] {
        let site = Site::with_ada(
            policy([
                rule("landing", "https://app.test/docs"),
                session_rule("inside", "https://app.test/docs/<.*>"),
                rule("both", "https://app.test/shop<(/.*)?>"),
            ])
            .mode(strict),
        );
        for (path, expected) in [
            ("/docs", "http://up.test/docs"),
            ("/docs/", "http://up.test/docs"),
            ("/docs%2F", "http://up.test/docs"),
            ("/docs//", "http://up.test/docs"),
            ("/docs/x", "401"),
            ("/docs/x/", "401"),
        ] {
            let sent = site.send(get(&format!("https://app.test{path}"), &[]));
            assert_eq!(sent.outcome(), expected, "{path}, strict: {strict}");
        }
        let kept = if strict {
            "http://up.test/shop/a"
        } else {
            "http://up.test/shop/a/"
        };
        assert_eq!(
            site.send(get("https://app.test/shop/a/", &[])).outcome(),
            kept
        );
    }
}

#[test]
fn a_trailing_slash_does_not_get_into_the_captures() {
    let rules = [set(
        rule("web", "https://app.test/docs/<.*>"),
        "mutators",
        json!([header(&[(
            "x-captured",
            "{{ printIndex .MatchContext.RegexpCaptureGroups 0 }}"
        )])]),
    )];
    let site = Site::new(policy(rules));
    for (path, expected) in [
        ("/docs/a", "a"),
        ("/docs/a/", "a"),
        ("/docs/a/b/", "a/b"),
        ("/docs/", ""),
    ] {
        let forwarded = site
            .send(get(&format!("https://app.test{path}"), &[]))
            .forwarded();
        assert_eq!(forwarded.values("x-captured"), [expected], "{path}");
    }
}

#[test]
fn path_parameters_must_not_change_the_rule() {
    let rules = || {
        [
            session_rule("admin", "https://app.test/admin<(/.*)?>"),
            rule("rest", "https://app.test/<(?!admin(/|$)).*>"),
        ]
    };
    let site = Site::new(policy(rules()));
    for (path, expected) in [
        ("/admin;x=y", "400"),
        ("/admin;x=y/z", "400"),
        ("/;x/admin", "400"),
        ("/admin/x;y=z", "401"),
        (
            "/shop;jsessionid=1/cart",
            "http://up.test/shop;jsessionid=1/cart",
        ),
    ] {
        let sent = site.send(get(&format!("https://app.test{path}"), &[]));
        assert_eq!(sent.outcome(), expected, "{path}");
    }
}

#[test]
fn strict_mode_has_no_rule_for_a_host_that_is_spelt_otherwise() {
    for strict in [false, true] {
        let site = Site::new(policy([rule("web", "https://app.test/<.*>")]).mode(strict));
        for (url, host, served) in [
            ("https://app.test/x", "app.test", true),
            ("https://app.test/x", "APP.test", !strict),
            ("https://app.test/x", "app.test.", !strict),
            ("https://app.test/x", "app.test:443", !strict),
        ] {
            let sent = site.send(get(url, &[("host", host)]));
            assert_eq!(
                sent.status(),
                if served { 0 } else { 404 },
                "{host} {strict}"
            );
        }
    }
}

#[test]
fn strict_mode_lets_no_spelling_of_a_host_fall_through_to_a_wider_rule() {
    let rules = [
        rule("admin", "https://app.test/<.*>"),
        rule("wide", "https://<(?!app[.]test/).*>"),
    ];
    let site = Site::new(policy(rules).mode(true));
    assert_eq!(
        site.send(get("https://app.test/x", &[("host", "app.test")]))
            .status(),
        0
    );
    assert_eq!(
        site.send(get("https://app.test/x", &[("host", "APP.test")]))
            .status(),
        400
    );
    assert_eq!(
        site.send(get("https://b.test/x", &[("host", "B.test")]))
            .status(),
        0
    );
}

#[test]
fn k01_a_pattern_that_never_ends_is_500_not_a_hang() {
    for strict in [false, true] {
        let site = Site::new(
            policy([
                rule("slow", r"https://app.test/<((a+)+)\2>!"),
                rule("web", "https://app.test/b"),
            ])
            .mode(strict),
        );
        let answer = site
            .send(get(&format!("https://app.test/{}", "a".repeat(200)), &[]))
            .answered();
        assert_eq!(answer.status, 500);
        let log = site.memory.take_log().join("\n");
        assert!(
            log.contains("`slow`") && log.contains("too many steps"),
            "{log}"
        );
        assert_eq!(
            site.send(get("https://app.test/b", &[])).status(),
            0,
            "other urls are served"
        );
    }
}

#[test]
fn host_wildcards_do_not_cover_strangers() {
    let site = Site::new(policy([rule(
        "tenants",
        "https://<[a-z0-9-]+>.apps.test/<.*>",
    )]));
    for (host, expected) in [
        ("a.apps.test", 0),
        ("A.APPS.TEST", 0),
        ("a.b.apps.test", 404),
        ("apps.test", 404),
        ("xapps.test", 404),
        ("a.appsxtest", 404),
        ("a.apps.test.evil.test", 404),
    ] {
        assert_eq!(
            site.send(get(&format!("https://{host}/"), &[])).status(),
            expected,
            "{host}"
        );
    }
}

#[test]
fn cve_2026_27588_hosts_have_no_case_among_a_hundred_rules_either() {
    let rules = (0..150).map(|n| {
        session_rule(
            &format!("r{n}"),
            &format!("https://Host{n}.Example.com/<.*>"),
        )
    });
    let site = Site::new(policy(rules));
    for n in [0, 99, 100, 149] {
        for host in [
            format!("host{n}.example.com"),
            format!("HOST{n}.EXAMPLE.COM."),
        ] {
            assert_eq!(
                site.send(get(&format!("https://{host}/x"), &[])).status(),
                401,
                "{host}"
            );
        }
    }
}

#[test]
fn cve_2026_48794_the_stricter_of_two_wildcards_holds_in_any_case() {
    let site = Site::new(policy([
        session_rule("admin", "https://<[^./]+>.admin.example5.com/<.*>"),
        rule("bypass", "https://<[^./]+>.example5.com/<.*>"),
    ]));
    for host in ["secure.ADMIN.example5.com", "secure.admin.example5.com."] {
        assert_eq!(
            site.send(get(&format!("https://{host}/"), &[])).status(),
            401,
            "{host}"
        );
    }
}

#[test]
fn the_query_takes_no_part() {
    let site = Site::new(policy([rule("web", "https://app.test/a")]));
    for (url, expected) in [
        ("https://app.test/a?b", "http://up.test/a?b"),
        ("https://app.test/a?", "http://up.test/a?"),
        ("https://app.test/b?/a", "404"),
    ] {
        assert_eq!(site.send(get(url, &[])).outcome(), expected, "{url}");
    }
}

#[test]
fn a_rule_without_upstream_is_500_and_says_so() {
    let verbose = json!([{ "kind": { "handler": "json", "verbose": true } }]);
    let site = Site::new(
        policy([set(
            rule("web", "https://app.test/<.*>"),
            "upstream",
            Value::Null,
        )])
        .with("errors", verbose),
    );
    let answer = site.send(get("https://app.test/", &[])).answered();
    assert_eq!(
        error(&answer)["message"],
        "Unable to forward the request because matched rule does not define an upstream URL"
    );
}

#[test]
fn m03_without_rules_everything_is_404() {
    let site = Site::new(policy([]));
    assert_eq!(site.send(get("https://app.test/", &[ADA])).status(), 404);
}
