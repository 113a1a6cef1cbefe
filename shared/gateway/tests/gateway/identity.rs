//! Group C: what an upstream trusts, no client can say.

use serde_json::json;

use crate::policy::{header, policy, rule, session_rule, set};
use crate::site::{ADA, Site, get, session};

fn site(strict: bool) -> Site {
    let told = header(&[
        ("x-user-id", "{{ .Subject }}"),
        ("x-user-email", "{{ .Extra.identity.traits.email }}"),
    ]);
    Site::with_ada(
        policy([
            set(
                session_rule("web", "https://app.test/<.*>"),
                "mutators",
                json!([told]),
            ),
            rule("open", "https://open.test/<.*>"),
        ])
        .mode(strict),
    )
}

/// Every header that some server would read as this one.
fn readings(headers: &http::HeaderMap, name: &str) -> Vec<String> {
    headers
        .iter()
        .filter(|(own, _)| own.as_str().replace('_', "-") == name)
        .map(|(own, value)| format!("{own}: {}", value.to_str().unwrap()))
        .collect()
}

#[test]
fn group_c_only_the_gateways_own_value_arrives() {
    for (id, sent) in [
        ("C01", vec![("x-user-id", "admin")]),
        ("C02", vec![("X-USER-ID", "admin")]),
        ("C03", vec![("x_user_id", "admin")]),
        ("C04", vec![("X-User_Id", "admin"), ("x_user-id", "admin")]),
        ("C07", vec![("x-user-id", "admin"), ("x-user-id", "root")]),
        (
            "C09",
            vec![("connection", "close,  x-USER-id"), ("x-user-id", "admin")],
        ),
        (
            "C10",
            vec![
                ("connection", "x-user-id"),
                ("connection", "X-User-Id , x_user_id"),
            ],
        ),
        (
            "CVE-2024-45410",
            vec![("connection", "x-forwarded-for, authorization, x-user-id")],
        ),
    ] {
        let mut headers = vec![ADA];
        headers.extend(sent);
        let forwarded = site(false)
            .send(get("https://app.test/", &headers))
            .forwarded();
        assert_eq!(
            readings(&forwarded.headers, "x-user-id"),
            ["x-user-id: ada"],
            "{id}"
        );
        assert_eq!(
            readings(&forwarded.headers, "x-user-email"),
            ["x-user-email: ada@example.com"],
            "{id}"
        );
        assert!(forwarded.values("connection").is_empty(), "{id}");
    }
}

#[test]
fn c05_another_name_is_another_header() {
    let forwarded = site(false)
        .send(get(
            "https://app.test/",
            &[ADA, ("x--user-id", "x"), ("x-user-ids", "y")],
        ))
        .forwarded();
    assert_eq!(forwarded.values("x--user-id"), ["x"]);
    assert_eq!(forwarded.values("x-user-ids"), ["y"]);
}

#[test]
fn c11_a_missing_trait_does_not_let_the_clients_value_through() {
    let site = site(false);
    site.memory.script(
        "",
        "",
        session("ada").without("/identity/traits/email").reply(),
    );
    let forwarded = site
        .send(get(
            "https://app.test/",
            &[ADA, ("x-user-email", "admin@x")],
        ))
        .forwarded();
    assert_eq!(
        readings(&forwarded.headers, "x-user-email"),
        ["x-user-email: "],
        "CVE-2026-30851"
    );
}

#[test]
fn c17_on_rules_that_tell_nothing_the_client_cannot_either() {
    for name in ["x-user-id", "X_User_Id", "x-user_email"] {
        let forwarded = site(false)
            .send(get("https://open.test/", &[(name, "admin")]))
            .forwarded();
        assert!(forwarded.values(name).is_empty(), "{name}");
        let strict = site(true)
            .send(get("https://open.test/", &[(name, "admin")]))
            .forwarded();
        assert_eq!(
            strict.values(name),
            ["admin"],
            "{name}: Oathkeeper passes it on"
        );
    }
}

#[test]
fn strict_mode_still_sets_its_own() {
    let forwarded = site(true)
        .send(get(
            "https://app.test/",
            &[ADA, ("x-user-id", "admin"), ("x-user-id", "root")],
        ))
        .forwarded();
    assert_eq!(forwarded.values("x-user-id"), ["ada"]);
}

#[test]
fn gateways_own_headers_survive_an_upgrade() {
    let headers = [
        ADA,
        ("connection", "Upgrade, X-User-Id"),
        ("upgrade", "websocket"),
        ("x-user-id", "admin"),
    ];
    let forwarded = site(false)
        .send(get("https://app.test/", &headers))
        .forwarded();
    assert_eq!(forwarded.values("x-user-id"), ["ada"]);
    assert_eq!(forwarded.values("upgrade"), ["websocket"]);
    let connection = forwarded
        .values("connection")
        .join(",")
        .to_ascii_lowercase();
    assert!(connection.contains("upgrade"));
    assert!(
        !connection.contains("x-user-id"),
        "the next proxy would remove it: {connection}"
    );
}

#[test]
fn a_bearer_token_is_left_alone_where_no_token_is_minted() {
    let forwarded = site(false)
        .send(get(
            "https://open.test/",
            &[("authorization", "Bearer theirs")],
        ))
        .forwarded();
    assert_eq!(forwarded.values("authorization"), ["Bearer theirs"]);
}
