//! What is about one connection, and what tells of proxies before.

use serde_json::json;

use crate::policy::{policy, rule, set};
use crate::site::{Site, get, values};

fn site(trust: bool, strict: bool) -> Site {
    Site::new(
        policy([
            rule("web", "<https?>://app.test<(:8443)?>/<.*>"),
            set(
                rule("keep", "https://keep.test/<.*>"),
                "upstream",
                json!({ "url": "http://up.test", "preserve_host": true }),
            ),
        ])
        .with("trust_forwarded_headers", json!(trust))
        .mode(strict),
    )
}

#[test]
fn hop_by_hop_headers_do_not_go_on() {
    for strict in [false, true] {
        let sent = [
            ("connection", "keep-alive, X-Named, x-other"),
            ("keep-alive", "timeout=5"),
            ("proxy-authenticate", "Basic"),
            ("proxy-authorization", "Basic x"),
            ("proxy-connection", "keep-alive"),
            ("te", "trailers"),
            ("trailer", "X-Sum"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"),
            ("x-named", "1"),
            ("X-Other", "2"),
        ];
        let forwarded = site(false, strict)
            .send(get(
                "https://app.test/",
                &[
                    &sent[..],
                    &[("x-kept", "3"), ("accept", "a"), ("accept", "b")],
                ]
                .concat(),
            ))
            .forwarded();
        for (name, _) in sent {
            assert!(
                forwarded.values(&name.to_ascii_lowercase()).is_empty(),
                "{name}, strict: {strict}"
            );
        }
        assert_eq!(forwarded.values("x-kept"), ["3"]);
        // Strict mode's `noop` sends the first alone.
        let several: &[&str] = if strict { &["a"] } else { &["a", "b"] };
        assert_eq!(forwarded.values("accept"), several);
    }
}

#[test]
fn an_upgrade_to_websocket_goes_on() {
    for (connection, upgrade, kept) in [
        ("Upgrade", "websocket", true),
        ("upgrade", "WebSocket", true),
        ("keep-alive, Upgrade", "websocket", true),
        ("keep-alive", "websocket", false),
        ("Upgrade", "h2c", false),
        ("Upgrade, HTTP2-Settings", "h2c", false),
    ] {
        let headers = [
            ("connection", connection),
            ("upgrade", upgrade),
            ("sec-websocket-key", "k"),
            ("sec-websocket-protocol", "p"),
        ];
        let forwarded = site(false, false)
            .send(get("https://app.test/ws", &headers))
            .forwarded();
        assert_eq!(
            !forwarded.values("upgrade").is_empty(),
            kept,
            "{connection} {upgrade}"
        );
        assert_eq!(
            !forwarded.values("connection").is_empty(),
            kept,
            "{connection} {upgrade}"
        );
        assert_eq!(forwarded.values("sec-websocket-key"), ["k"]);
        assert_eq!(forwarded.values("sec-websocket-protocol"), ["p"]);
    }
}

#[test]
fn a_switch_of_protocols_is_left_alone() {
    let switch = [
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-accept", "a"),
    ];
    let headers =
        site(false, false).answer_from(get("https://app.test/ws", &switch[..2]), 101, &switch);
    for (name, value) in switch {
        assert_eq!(values(&headers, name), [value]);
    }
}

#[test]
fn the_answers_hop_by_hop_headers_do_not_come_back() {
    let upstream = [
        ("connection", "close, X-Internal"),
        ("keep-alive", "timeout=5"),
        ("proxy-authenticate", "Basic"),
        ("te", "trailers"),
        ("trailer", "X-Sum"),
        ("transfer-encoding", "chunked"),
        ("upgrade", "h2c"),
        ("x-internal", "1"),
    ];
    let headers = site(false, false).answer_from(
        get("https://app.test/", &[]),
        200,
        &[&upstream[..], &[("x-kept", "2")]].concat(),
    );
    for (name, _) in upstream {
        assert!(values(&headers, name).is_empty(), "{name}");
    }
    assert_eq!(values(&headers, "x-kept"), ["2"]);
}

const PRETENDED: [(&str, &str); 8] = [
    ("x-forwarded-for", "10.0.0.1"),
    ("x-forwarded-host", "evil.test"),
    ("x-forwarded-proto", "javascript"),
    ("x-forwarded-port", "1"),
    ("x-forwarded-prefix", "/public"),
    ("x-forwarded-uri", "/public"),
    ("x-forwarded-ssl", "on"),
    ("forwarded", "for=\"10.0.0.1, 1.2.3.4\";proto=https"),
];

#[test]
fn untrusted_forwarded_headers_do_not_go_on() {
    for strict in [false, true] {
        let forwarded = site(false, strict)
            .send(get("https://app.test/", &PRETENDED))
            .forwarded();
        for (name, value) in PRETENDED {
            assert!(
                !forwarded.values(name).contains(&value.to_owned()),
                "{name}, strict: {strict}"
            );
        }
    }
}

#[test]
fn the_upstream_learns_the_public_host_and_scheme() {
    let forwarded = site(false, false)
        .send(get("https://app.test:8443/", &PRETENDED))
        .forwarded();
    assert_eq!(forwarded.values("x-forwarded-host"), ["app.test:8443"]);
    assert_eq!(forwarded.values("x-forwarded-proto"), ["https"]);
    let strict = site(false, true)
        .send(get("https://app.test/", &[]))
        .forwarded();
    assert!(
        strict.values("x-forwarded-host").is_empty(),
        "Oathkeeper adds none"
    );
}

#[test]
fn cve_2026_54763_other_spellings_do_not_go_on() {
    for name in ["x_forwarded_host", "X-Forwarded_Proto", "x_forwarded-for"] {
        let forwarded = site(false, false)
            .send(get("https://app.test/", &[(name, "evil.test")]))
            .forwarded();
        assert!(
            forwarded.values(&name.to_ascii_lowercase()).is_empty(),
            "{name}"
        );
    }
}

#[test]
fn trusted_forwarded_headers_stay_and_forwarded_does_not() {
    for strict in [false, true] {
        let sent = [
            ("x-forwarded-for", "10.0.0.1"),
            ("x-forwarded-host", "front.test"),
            ("x-forwarded-proto", "https"),
            ("forwarded", "for=x"),
        ];
        let forwarded = site(true, strict)
            .send(get("http://app.test/", &sent))
            .forwarded();
        for (name, value) in &sent[..3] {
            assert_eq!(forwarded.values(name), [*value], "{name}");
        }
        assert!(forwarded.values("forwarded").is_empty());
    }
}

#[test]
fn preserve_host_sends_the_clients_host() {
    for strict in [false, true] {
        let kept = site(false, strict)
            .send(get("https://keep.test/", &[]))
            .forwarded();
        assert_eq!(kept.forward.host.as_deref(), Some("keep.test"));
        assert_eq!(kept.url(), "http://up.test/");
        let own = site(false, strict)
            .send(get("https://app.test/", &[]))
            .forwarded();
        assert_eq!(own.forward.host, None);
    }
}

#[test]
fn strict_mode_sends_the_first_of_several_headers_past_noop() {
    let sent = [("x-dup", "1"), ("x-dup", "2"), ("x-one", "1")];
    for (strict, expected) in [(false, vec!["1", "2"]), (true, vec!["1"])] {
        let site = Site::new(policy([rule("web", "https://app.test/<.*>")]).mode(strict));
        let forwarded = site.send(get("https://app.test/", &sent)).forwarded();
        assert_eq!(forwarded.values("x-dup"), expected, "strict: {strict}");
        assert_eq!(forwarded.values("x-one"), ["1"]);
    }
}
