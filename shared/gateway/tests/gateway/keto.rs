//! `keto` and `keto_engine_acp_ory`: Keto decides.

use serde_json::{Value, json};

use crate::memory::{NOW, Reply, timeout, unreachable};
use crate::policy::{policy, rule, session_rule, set};
use crate::site::{ADA, Site, get, header, message, values};

const KETO: &str = "http://keto.test/relation-tuples/check";

const ENGINE: &str = "http://keto.test/engines/acp/ory/regex/allowed";

fn keto() -> Value {
    json!({
        "handler": "keto",
        "endpoint": { "url": KETO },
        "relation": {
            "namespace": "files",
            "object": "/{{ printIndex .MatchContext.RegexpCaptureGroups 0 }}",
            "relation": "view",
        },
        "subject": { "id": "{{ print .Subject }}" },
    })
}

fn engine() -> Value {
    json!({
        "handler": "keto_engine_acp_ory",
        "endpoint": { "url": ENGINE },
        "required_action": "get",
        "required_resource": "res:{{ printIndex .MatchContext.RegexpCaptureGroups 0 }}",
    })
}

fn site(handler: Value, strict: bool) -> Site {
    let verbose = json!([{ "kind": { "handler": "json", "verbose": true } }]);
    Site::with_ada(
        policy([
            set(
                session_rule("web", "https://app.test/<.*>"),
                "authorizers",
                json!([handler]),
            ),
            set(
                rule("guest", "https://guest.test/<.*>"),
                "authorizers",
                json!([handler]),
            ),
        ])
        .with("errors", verbose)
        .mode(strict),
    )
}

fn says(site: &Site, reply: Reply) {
    site.memory.script("keto.test", "", reply);
}

fn view(site: &Site) -> crate::site::Sent {
    site.send(get("https://app.test/a/b%22c", &[ADA]))
}

/// What Keto was asked last.
fn question(site: &Site) -> Value {
    let asked = site.memory.asked();
    let last = asked.last().unwrap();
    assert_eq!(last.method, "POST");
    assert_eq!(values(&last.headers, "content-type"), ["application/json"]);
    assert_eq!(last.headers.len(), 1, "nothing of the client's goes there");
    serde_json::from_slice(&last.body).unwrap()
}

#[test]
fn keto_is_asked_about_the_relation() {
    for strict in [false, true] {
        let site = site(keto(), strict);
        says(&site, Reply::new(200, r#"{"allowed":true}"#));
        assert_eq!(view(&site).status(), 0);
        assert_eq!(site.memory.asked().last().unwrap().url, KETO);
        assert_eq!(
            question(&site),
            json!({ "namespace": "files", "object": "/a/b\"c", "relation": "view", "subject_id": "ada" })
        );
    }
}

#[test]
fn a_subject_can_be_a_set() {
    let set_of = json!({ "set": { "namespace": "groups", "object": "{{ .Extra.identity.traits.name }}", "relation": "member" } });
    let site = site(set(keto(), "subject", set_of), false);
    says(&site, Reply::new(200, r#"{"allowed":true}"#));
    assert_eq!(view(&site).status(), 0);
    let asked = question(&site);
    assert_eq!(
        asked["subject_set"],
        json!({ "namespace": "groups", "object": "ada", "relation": "member" })
    );
    assert_eq!(asked.get("subject_id"), None);
}

#[test]
fn only_a_clear_yes_is_one() {
    for handler in [keto(), engine()] {
        for (reply, expected, expected_strict) in [
            (Reply::new(200, r#"{"allowed":true}"#), 0, 0),
            (Reply::new(200, r#"{"Allowed":true}"#), 0, 0),
            (Reply::new(200, r#"{"allowed":false}"#), 403, 403),
            (Reply::new(403, r#"{"allowed":false}"#), 403, 403),
            (Reply::new(403, r#"{"allowed":true}"#), 403, 403),
            (Reply::new(403, "<html>"), 403, 403),
            (Reply::new(200, "{}"), 503, 403),
            (Reply::new(200, "null"), 503, 403),
            (Reply::new(200, r#"{"allowed":null}"#), 503, 403),
            (Reply::new(200, r#"{"allowed":"true"}"#), 503, 500),
            (Reply::new(200, r#"{"allowed":1}"#), 503, 500),
            (Reply::new(200, "true"), 503, 500),
            (Reply::new(200, "[true]"), 503, 500),
            (Reply::new(200, "<html>allowed: true"), 503, 500),
            (Reply::new(200, ""), 503, 500),
            (Reply::new(200, "x".repeat(1 << 20)), 503, 500),
            (Reply::new(201, r#"{"allowed":true}"#), 500, 500),
            (Reply::new(202, r#"{"allowed":true}"#), 500, 500),
            (Reply::new(302, r#"{"allowed":true}"#), 500, 500),
            (Reply::new(400, r#"{"allowed":true}"#), 500, 500),
            (Reply::new(404, ""), 500, 500),
            (Reply::new(429, ""), 503, 500),
            (Reply::new(500, r#"{"allowed":true}"#), 503, 500),
            (Reply::fails(unreachable()), 503, 500),
            (Reply::fails(timeout()), 503, 500),
            (
                Reply::new(200, r#"{"allowed":true}"#).takes(60_000),
                503,
                500,
            ),
        ] {
            for (strict, expected) in [(false, expected), (true, expected_strict)] {
                let site = site(handler.clone(), strict);
                says(&site, reply.clone());
                let sent = view(&site);
                assert_eq!(sent.status(), expected, "{reply:?}, strict: {strict}");
                if expected == 503 {
                    assert_eq!(header(&sent.answered(), "retry-after"), Some("5"));
                }
            }
        }
    }
}

#[test]
fn an_empty_part_is_a_no_without_a_question() {
    for part in ["namespace", "object", "relation"] {
        let relation = set(
            keto()["relation"].clone(),
            part,
            json!("{{ print .Extra.missing }}"),
        );
        let site = site(set(keto(), "relation", relation), false);
        says(&site, Reply::new(200, r#"{"allowed":true}"#));
        assert_eq!(view(&site).status(), 403, "{part}");
        assert_eq!(site.memory.questions(), 1, "whoami alone was asked");
    }
    let site = site(keto(), false);
    says(&site, Reply::new(200, r#"{"allowed":true}"#));
    let sent = site.send(get("https://guest.test/x", &[]));
    assert_eq!(sent.status(), 403, "whoever has no subject has no relation");
    assert_eq!(site.memory.questions(), 0);
}

#[test]
fn a_permission_is_never_remembered() {
    let site = site(keto(), false);
    says(&site, Reply::new(200, r#"{"allowed":true}"#));
    assert_eq!(view(&site).status(), 0);
    says(&site, Reply::new(403, r#"{"allowed":false}"#));
    assert_eq!(view(&site).status(), 403);
    says(&site, Reply::new(200, r#"{"allowed":true}"#));
    assert_eq!(view(&site).status(), 0);
}

#[test]
fn the_old_engine_is_asked_as_oathkeeper_asks_it() {
    let site = site(engine(), true);
    says(&site, Reply::new(200, r#"{"allowed":true}"#));
    assert_eq!(view(&site).status(), 0);
    assert_eq!(site.memory.asked().last().unwrap().url, ENGINE);
    assert_eq!(
        question(&site),
        json!({
            "action": "get",
            "context": { "remoteIpAddress": "", "requestedAt": "2023-11-14T22:13:20.000Z" },
            "resource": "res:a/b\"c",
            "subject": "ada",
        })
    );
    assert_eq!(NOW, 1_700_000_000);
}

#[test]
fn the_subject_can_be_a_template() {
    for (strict, missing) in [(false, ""), (true, "<no value>")] {
        for (template, expected) in [
            ("{{ .Extra.identity.traits.email }}", "ada@example.com"),
            ("{{ .Extra.missing }}", missing),
        ] {
            let site = site(set(engine(), "subject", json!(template)), strict);
            says(&site, Reply::new(200, r#"{"allowed":true}"#));
            view(&site);
            assert_eq!(question(&site)["subject"], expected, "{template}");
        }
    }
}

#[test]
fn only_oathkeeper_believes_a_clients_own_address() {
    for (strict, trusted, headers, expected) in [
        (true, false, vec![("x-real-ip", "9.9.9.9")], "9.9.9.9"),
        (false, false, vec![("x-real-ip", "9.9.9.9")], ""),
        (true, false, vec![("x-forwarded-for", "8.8.8.8")], ""),
        (false, false, vec![("x-forwarded-for", "8.8.8.8")], ""),
        (
            true,
            true,
            vec![("x-forwarded-for", "10.0.0.1, 8.8.8.8, 7.7.7.7")],
            "8.8.8.8",
        ),
        (
            false,
            true,
            vec![("x-forwarded-for", "::1, fd00::1, 2001:db8::1")],
            "2001:db8::1",
        ),
        (
            false,
            true,
            vec![("x-forwarded-for", "nonsense"), ("x-real-ip", "9.9.9.9")],
            "9.9.9.9",
        ),
        (false, true, vec![], ""),
    ] {
        let web = set(
            rule("web", "https://app.test/<.*>"),
            "authorizers",
            json!([engine()]),
        );
        let site = Site::new(
            policy([web])
                .with("trust_forwarded_headers", json!(trusted))
                .mode(strict),
        );
        says(&site, Reply::new(200, r#"{"allowed":true}"#));
        site.send(get("https://app.test/x", &headers));
        assert_eq!(
            question(&site)["context"]["remoteIpAddress"],
            expected,
            "{headers:?}, strict: {strict}, trusted: {trusted}"
        );
    }
}

#[test]
fn oathkeeper_asks_six_times() {
    let site = site(engine(), true);
    says(&site, Reply::new(503, ""));
    let answer = view(&site).answered();
    assert_eq!(site.memory.questions(), 7, "whoami once, Keto six times");
    assert_eq!(
        message(&answer),
        format!("POST {ENGINE} giving up after 6 attempt(s)")
    );
}

#[test]
fn strict_mode_speaks_gos_words() {
    for (reply, said) in [
        (
            Reply::new(200, "not json"),
            "invalid character 'o' in literal null (expecting 'u')",
        ),
        (Reply::new(200, ""), "EOF"),
        (
            Reply::new(200, r#"{"allowed":"yes"}"#),
            "json: cannot unmarshal string into Go struct field .allowed of type bool",
        ),
        (
            Reply::new(200, "[]"),
            "json: cannot unmarshal array into Go value of type struct { Allowed bool \"json:\\\"allowed\\\"\" }",
        ),
        (Reply::new(202, ""), "expected status code 200 but got 202"),
    ] {
        let site = site(engine(), true);
        says(&site, reply);
        assert_eq!(message(&view(&site).answered()), said);
    }
}

#[test]
fn with_globs_oathkeeper_refuses_and_by_default_keto_is_asked() {
    for (strict, expected) in [(false, 0), (true, 500)] {
        let site = site(set(engine(), "without_regexp", json!(true)), strict);
        says(&site, Reply::new(200, r#"{"allowed":true}"#));
        assert_eq!(view(&site).status(), expected);
    }
}
