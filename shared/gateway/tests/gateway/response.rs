//! The upstream's answer on its way back.

use serde_json::json;

use crate::policy::{cookie_session, policy, rule, session_rule, set};
use crate::site::{ADA, Site, get, header, message, values};

fn site(strict: bool) -> Site {
    let guests = json!([cookie_session(), { "handler": "anonymous", "subject": "guest" }]);
    Site::with_ada(
        policy([
            session_rule("web", "https://app.test/<.*>"),
            rule("open", "https://open.test/<.*>"),
            set(
                rule("both", "https://both.test/<.*>"),
                "authenticators",
                guests,
            ),
        ])
        .mode(strict),
    )
}

#[test]
fn i17_what_depends_on_a_session_is_kept_by_no_shared_cache() {
    for (upstream, expected) in [
        (vec![], vec!["private, no-store"]),
        (
            vec![("cache-control", "public, s-maxage=600")],
            vec!["private, no-store"],
        ),
        (
            vec![("cache-control", "private")],
            vec!["private, no-store"],
        ),
        (
            vec![("cache-control", "max-age=5"), ("cache-control", "public")],
            vec!["private, no-store"],
        ),
        (vec![("cache-control", "no-store")], vec!["no-store"]),
        (
            vec![("cache-control", "No-Store, max-age=0")],
            vec!["No-Store, max-age=0"],
        ),
        (
            vec![("cache-control", "x-no-store")],
            vec!["private, no-store"],
        ),
    ] {
        for path in ["/", "/account/x.css"] {
            let url = format!("https://app.test{path}");
            let headers = site(false).answer_from(get(&url, &[ADA]), 200, &upstream);
            assert_eq!(values(&headers, "cache-control"), expected, "{upstream:?}");
        }
    }
    let shared = [
        ("cdn-cache-control", "max-age=600"),
        ("cloudflare-cdn-cache-control", "max-age=600"),
        ("surrogate-control", "max-age=600"),
    ];
    let headers = site(false).answer_from(get("https://app.test/", &[ADA]), 200, &shared);
    for (name, _) in shared {
        assert!(values(&headers, name).is_empty(), "{name}");
    }
}

#[test]
fn i21_vary_is_added_to_not_replaced() {
    let headers = site(false).answer_from(
        get("https://app.test/", &[ADA]),
        200,
        &[("vary", "Accept-Encoding")],
    );
    assert_eq!(values(&headers, "vary"), ["Accept-Encoding", "Cookie"]);
}

#[test]
fn public_answers_are_left_as_they_are() {
    let upstream = [
        ("cache-control", "public, s-maxage=600"),
        ("cdn-cache-control", "max-age=600"),
        ("set-cookie", "a=1"),
        ("set-cookie", "b=2"),
        ("server", "x"),
        ("location", "https://else.test/"),
        ("access-control-allow-origin", "*"),
    ];
    for url in ["https://open.test/", "https://both.test/"] {
        for status in [200, 302, 404, 500] {
            let headers = site(false).answer_from(get(url, &[]), status, &upstream);
            assert_eq!(
                headers,
                crate::site::header_map(&upstream),
                "{url} {status}"
            );
        }
    }
    let headers = site(false).answer_from(get("https://both.test/", &[ADA]), 200, &upstream);
    assert_eq!(
        values(&headers, "cache-control"),
        ["private, no-store"],
        "the same page with a session"
    );
}

#[test]
fn strict_mode_leaves_caching_to_the_upstream() {
    let upstream = [("cache-control", "public"), ("vary", "Accept")];
    let headers = site(true).answer_from(get("https://app.test/", &[ADA]), 200, &upstream);
    assert_eq!(headers, crate::site::header_map(&upstream));
}

#[test]
fn an_upstream_that_fails_is_502_or_504_and_in_strict_mode_without_a_body() {
    for (error, status) in [
        (crate::memory::unreachable(), 502),
        (crate::memory::timeout(), 504),
    ] {
        for strict in [false, true] {
            let site = site(strict);
            let forwarded = site
                .send(get("https://app.test/", &[ADA, ("x-request-id", "r1")]))
                .forwarded();
            let answer = site
                .gateway
                .upstream_failed(&site.memory, &forwarded.forward, error);
            assert_eq!(answer.status, status);
            if strict {
                assert!(answer.body.is_empty() && answer.headers.is_empty());
            } else {
                assert!(
                    message(&answer).starts_with("The upstream"),
                    "{}",
                    answer.body
                );
                assert_eq!(crate::site::error(&answer)["request"], "r1");
                assert_eq!(header(&answer, "content-type"), Some("application/json"));
            }
            let log = site.memory.take_log().join("\n");
            assert!(log.contains(&format!(r#""status":{status}"#)), "{log}");
        }
    }
}
