//! Who is asking: the handlers that ask nobody, and the order of all of them.

use serde_json::{Value, json};

use crate::policy::{cookie_session, header, policy, rule, set};
use crate::site::{ADA, Site, get};

fn site(authenticators: Value) -> Site {
    let web = set(
        rule("web", "https://app.test/<.*>"),
        "authenticators",
        authenticators,
    );
    Site::with_ada(policy([set(
        web,
        "mutators",
        json!([header(&[("x-subject", "{{ .Subject }}")])]),
    )]))
}

/// The subject the upstream is told, or the status of the refusal.
fn outcome(site: &Site, headers: &[(&str, &str)]) -> String {
    let sent = site.send(get("https://app.test/", headers));
    match sent.status() {
        0 => format!("[{}]", sent.forwarded().values("x-subject").join(",")),
        status => status.to_string(),
    }
}

#[test]
fn noop_lets_everybody_through_without_a_subject() {
    let site = site(json!([{ "handler": "noop" }]));
    for headers in [&[][..], &[ADA], &[("authorization", "Bearer x")]] {
        assert_eq!(outcome(&site, headers), "[]");
    }
    assert_eq!(site.memory.questions(), 0);
}

#[test]
fn unauthorized_lets_nobody_through() {
    let site = site(json!([{ "handler": "unauthorized" }]));
    for headers in [&[][..], &[ADA]] {
        assert_eq!(outcome(&site, headers), "401");
    }
}

#[test]
fn anonymous_is_for_requests_without_authorization() {
    let site = site(json!([{ "handler": "anonymous", "subject": "guest" }]));
    for (headers, expected) in [
        (&[][..], "[guest]"),
        (&[ADA], "[guest]"),
        (&[("authorization", "")], "[guest]"),
        (&[("authorization", "Bearer x")], "401"),
        (&[("authorization", "Basic x")], "401"),
    ] {
        assert_eq!(outcome(&site, headers), expected, "{headers:?}");
    }
    assert_eq!(site.memory.questions(), 0);
}

#[test]
fn l23_the_first_responsible_authenticator_decides() {
    let anonymous = || json!({ "handler": "anonymous", "subject": "guest" });
    let noop = || json!({ "handler": "noop" });
    let unauthorized = || json!({ "handler": "unauthorized" });
    let expired = [("cookie", "ory_kratos_session=expired")];
    for (why, authenticators, headers, expected) in [
        (
            "a session",
            json!([cookie_session(), anonymous()]),
            &[ADA][..],
            "[ada]",
        ),
        (
            "no session, a guest",
            json!([cookie_session(), anonymous()]),
            &[],
            "[guest]",
        ),
        (
            "another cookie, a guest",
            json!([cookie_session(), anonymous()]),
            &[("cookie", "theme=dark")],
            "[guest]",
        ),
        (
            "an expired session is no guest",
            json!([cookie_session(), anonymous()]),
            &expired,
            "401",
        ),
        (
            "nor nobody in particular",
            json!([cookie_session(), noop()]),
            &expired,
            "401",
        ),
        (
            "a guest first",
            json!([anonymous(), cookie_session()]),
            &[ADA],
            "[guest]",
        ),
        (
            "unauthorized first",
            json!([unauthorized(), noop()]),
            &[],
            "401",
        ),
        ("noop first", json!([noop(), unauthorized()]), &[], "[]"),
        ("none responsible", json!([cookie_session()]), &[], "401"),
        ("none at all", json!([]), &[ADA], "401"),
        (
            "a foreign bearer token is for the next",
            json!([cookie_session(), noop()]),
            &[("authorization", "Bearer eyJ.a.b")],
            "[]",
        ),
    ] {
        assert_eq!(outcome(&site(authenticators), headers), expected, "{why}");
    }
}

#[test]
fn the_log_names_the_authenticator_that_decided() {
    let site = site(json!([cookie_session(), { "handler": "anonymous", "subject": "guest" }]));
    for (headers, expected) in [
        (&[ADA][..], "cookie_session"),
        (&[("cookie", "ory_kratos_session=no")], "cookie_session"),
    ] {
        site.memory.take_log();
        let sent = site.send(get("https://app.test/", headers));
        if sent.status() == 0 {
            let forwarded = sent.forwarded();
            site.finish(&forwarded.forward, 200, &http::HeaderMap::new());
        }
        let log = site.memory.take_log().join("\n");
        assert!(
            log.contains(&format!(r#""authenticator":"{expected}""#)),
            "{log}"
        );
    }
}
