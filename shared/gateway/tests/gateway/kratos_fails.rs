//! While Kratos fails, nobody is sent to log in again.

use serde_json::{Value, json};

use crate::memory::{Reply, timeout, unreachable};
use crate::policy::{policy, session_rule, set};
use crate::site::{ADA, Site, get, header, session};

fn failures() -> Vec<(&'static str, Reply)> {
    vec![
        ("500", Reply::new(500, "")),
        ("502", Reply::new(502, "<html>")),
        ("503", Reply::new(503, "")),
        ("504", Reply::new(504, "")),
        ("429", Reply::new(429, "{}")),
        ("timeout", Reply::fails(timeout())),
        ("K07 too slow", Reply::new(200, "{}").takes(60_000)),
        ("no connection", Reply::fails(unreachable())),
    ]
}

/// Answers that are not Kratos': something else is at its URL.
fn foreign() -> Vec<(&'static str, Reply)> {
    vec![
        (
            "a redirect",
            Reply::new(302, "").header("location", "/login"),
        ),
        ("a page", Reply::new(200, "<html>")),
        ("2 MB", Reply::new(200, "x".repeat(2 << 20))),
    ]
}

fn site() -> Site {
    site_with(json!({}), false)
}

fn site_with(session: Value, strict: bool) -> Site {
    Site::with_ada(
        policy([session_rule("web", "https://app.test/<.*>")])
            .with("session", session)
            .mode(strict),
    )
}

fn status(site: &Site) -> u16 {
    site.send(get("https://app.test/", &[ADA])).status()
}

#[test]
fn it_is_503_with_retry_after_never_401() {
    for (why, reply) in failures().into_iter().chain(foreign()) {
        let site = site();
        site.memory.script("", "", reply);
        let answer = site.send(get("https://app.test/", &[ADA])).answered();
        assert_eq!(answer.status, 503, "{why}");
        assert_eq!(header(&answer, "retry-after"), Some("5"), "{why}");
        assert_eq!(header(&answer, "cache-control"), Some("no-store"), "{why}");
    }
}

#[test]
fn it_is_never_a_redirect_to_login() {
    let redirect = |when: Value| {
        json!([{
            "kind": { "handler": "redirect", "to": "https://login.test/", "code": 302, "return_to_query_param": "return_to" },
            "when": when,
        }])
    };
    for when in [
        json!([]),
        json!([{ "error": ["unauthorized"] }]),
        json!([{ "accept": ["text/html"] }]),
    ] {
        for (why, reply) in failures().into_iter().chain(foreign()) {
            let site = Site::new(policy([set(
                session_rule("web", "https://app.test/<.*>"),
                "errors",
                redirect(when.clone()),
            )]));
            site.memory.script("", "", reply);
            let answer = site
                .send(get("https://app.test/", &[ADA, ("accept", "text/html")]))
                .answered();
            assert_eq!(answer.status, 503, "{why}, when {when}");
        }
    }
}

#[test]
fn kratos_own_retry_after_is_passed_on() {
    for status in [429, 503] {
        let site = site();
        site.memory
            .script("", "", Reply::new(status, "").header("retry-after", "17"));
        let answer = site.send(get("https://app.test/", &[ADA])).answered();
        assert_eq!(
            (answer.status, header(&answer, "retry-after")),
            (503, Some("17"))
        );
    }
}

#[test]
fn an_older_answer_serves_up_to_the_ceiling_and_no_further() {
    for (why, reply) in failures() {
        let site = site();
        assert_eq!(status(&site), 0, "{why}");
        site.memory.script("", "", reply);
        // A timeout takes five seconds itself.
        for seconds in [100, 200, 40] {
            site.memory.pass_seconds(seconds);
            assert_eq!(status(&site), 0, "{why}");
        }
        site.memory.pass_seconds(30);
        assert_eq!(status(&site), 503, "{why}: beyond ttl and stale_if_error");
    }
}

#[test]
fn the_ceiling_is_hard() {
    let site = site();
    status(&site);
    site.memory.script("", "", Reply::new(500, ""));
    site.memory.pass_seconds(359);
    assert_eq!(status(&site), 0);
    site.memory.pass_seconds(1);
    assert_eq!(status(&site), 503);
}

#[test]
fn stale_if_error_zero_is_503_at_once() {
    let site = site_with(
        json!({ "stale_while_revalidate": 0, "stale_if_error": 0 }),
        false,
    );
    status(&site);
    site.memory.script("", "", Reply::new(500, ""));
    site.memory.pass_seconds(60);
    assert_eq!(status(&site), 503);
}

#[test]
fn an_older_answer_does_not_serve_for_something_that_is_not_kratos() {
    for (why, reply) in foreign() {
        let site = site();
        status(&site);
        site.memory.script("", "", reply);
        site.memory.pass_seconds(100);
        assert_eq!(status(&site), 503, "{why}");
    }
}

#[test]
fn a_refusal_is_never_stale() {
    let site = site();
    site.memory.script("", "", Reply::new(401, "{}"));
    assert_eq!(status(&site), 401);
    site.memory.script("", "", Reply::new(500, ""));
    site.memory.pass_seconds(10);
    assert_eq!(status(&site), 503, "whether she may is not known");
}

#[test]
fn a_logout_is_not_undone_by_a_failure() {
    let site = site();
    status(&site);
    site.memory.script("", "", Reply::new(401, "{}"));
    site.memory.pass_seconds(100);
    assert_eq!(status(&site), 401);
    site.memory.script("", "", Reply::new(500, ""));
    site.memory.pass_seconds(10);
    assert_eq!(status(&site), 503);
}

#[test]
fn a_failing_kratos_is_not_asked_by_every_request() {
    let site = site();
    site.memory.script("", "", Reply::new(500, ""));
    for _ in 0..50 {
        assert_eq!(status(&site), 503);
    }
    assert_eq!(site.memory.questions(), 1);
    site.memory.script("", "", session("ada").reply());
    site.memory.pass_seconds(1);
    assert_eq!(status(&site), 0, "and asked again a second later");
}

#[test]
fn a_failing_kratos_is_not_asked_behind_every_response_either() {
    let site = site();
    status(&site);
    site.memory.pass_seconds(65);
    site.memory.script("", "", Reply::new(500, ""));
    for _ in 0..50 {
        assert_eq!(status(&site), 0);
        site.memory.run_later();
    }
    assert_eq!(site.memory.questions(), 2);
    site.memory.script("", "", session("ada").reply());
    site.memory.pass_seconds(1);
    status(&site);
    site.memory.run_later();
    assert_eq!(site.memory.questions(), 3, "and asked again a second later");
}

#[test]
fn the_log_says_what_kratos_did() {
    for (reply, expected) in [
        (Reply::new(500, ""), "whoami answered 500"),
        (Reply::fails(timeout()), "did not answer in time"),
        (Reply::fails(unreachable()), "cannot be reached"),
        (Reply::new(302, ""), "redirects are not followed"),
        (Reply::new(200, "<html>"), "without a JSON object"),
        (Reply::new(200, "x".repeat(2 << 20)), "larger than 1 MiB"),
    ] {
        let site = site();
        site.memory.script("", "", reply);
        status(&site);
        let log = site.memory.take_log().join("\n");
        assert!(log.contains(expected), "{expected}: {log}");
    }
}

#[test]
fn strict_mode_answers_as_oathkeeper_does_where_that_is_safe() {
    for (why, reply, expected) in [
        (
            "429",
            Reply::new(429, "{}")
                .header("retry-after", "9")
                .header("x-ratelimit-limit", "80"),
            429,
        ),
        ("5xx", Reply::new(500, ""), 401),
        ("no connection", Reply::fails(unreachable()), 403),
        ("timeout", Reply::fails(timeout()), 403),
        ("a page passes there", Reply::new(200, "<html>"), 503),
        ("a redirect passes there", Reply::new(302, ""), 503),
        ("a second factor", aal2(), 401),
    ] {
        let site = site_with(json!({}), true);
        site.memory.script("", "", reply);
        let answer = site.send(get("https://app.test/", &[ADA])).answered();
        assert_eq!(answer.status, expected, "{why}");
        if expected == 429 {
            assert_eq!(header(&answer, "retry-after"), Some("9"));
            assert_eq!(header(&answer, "x-ratelimit-limit"), Some("80"));
        }
    }
}

/// Kratos' answer to a session that needs its second factor.
pub(crate) fn aal2() -> Reply {
    Reply::new(
        403,
        r#"{"error":{"id":"session_aal2_required","code":403}}"#,
    )
}

#[test]
fn cve_2024_45042_a_missing_second_factor_is_401_and_seconds_old_at_most() {
    let site = site();
    site.memory.script("", "", aal2());
    assert_eq!(status(&site), 401);
    site.memory.script("", "", session("ada").reply());
    site.memory.pass_seconds(3);
    assert_eq!(status(&site), 0);
    site.memory.script("", "", aal2());
    site.memory.pass_seconds(100);
    assert_eq!(
        status(&site),
        401,
        "asked for later, it holds for a session that was good before"
    );
}
