//! Where a session came from and which key signed, in the log and, if wanted, in `Server-Timing`.

use edgekeeper_token::jwk::Jwks;
use http::HeaderMap;
use serde_json::{Value, json};

use crate::memory::{Reply, unreachable};
use crate::policy::{Document, id_token, policy, rule, session_rule, set};
use crate::site::{ADA, Site, all, get, header, session, values};

fn page() -> Value {
    set(
        session_rule("page", "https://app.test/<.*>"),
        "mutators",
        json!([id_token("", 900)]),
    )
}

fn document(rules: impl IntoIterator<Item = Value>) -> Document {
    policy(rules)
        .with("server_timing", json!(true))
        .with("keys", json!({ "development": true }))
}

fn timing(headers: &HeaderMap) -> Vec<String> {
    values(headers, "server-timing")
}

fn kid(site: &Site) -> String {
    let answer = site.send(get("https://app.test/.well-known/jwks.json", &[]));
    let keys = Jwks::parse(&answer.answered().body).unwrap();
    keys.keys()[0].kid().to_owned()
}

/// The last decision that was logged.
fn logged(site: &Site) -> Value {
    let log = site.memory.take_log();
    let lines: Vec<Value> = log
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let decision = lines.iter().rfind(|line| line["msg"] == "decision");
    decision.unwrap().clone()
}

#[test]
fn a_forwarded_answer_says_where_the_session_came_from_and_which_key_signed() {
    let site = Site::with_ada(document([page()]));
    let kid = kid(&site);
    for source in ["miss", "hit"] {
        let headers = site.answer_from(get("https://app.test/", &[ADA]), 200, &[]);
        let said = timing(&headers);
        assert_eq!(said.len(), 1);
        let (took, rest) = said[0].split_once(", ").unwrap();
        assert!(took.starts_with("edge;dur="), "{took}");
        assert_eq!(
            rest,
            format!("session;desc=\"{source}\", key;desc=\"{kid}\"")
        );
        let line = logged(&site);
        assert_eq!(
            (&line["session"], &line["key"]),
            (&json!(source), &json!(kid))
        );
    }
}

#[test]
fn the_upstreams_own_timing_stays() {
    let site = Site::with_ada(document([page()]));
    let own = [
        ("server-timing", "db;dur=53"),
        ("server-timing", "app;dur=47.2"),
    ];
    let headers = site.answer_from(get("https://app.test/", &[ADA]), 200, &own);
    let said = timing(&headers);
    assert_eq!(said.len(), 3);
    assert_eq!(said[..2], ["db;dur=53", "app;dur=47.2"]);
    assert!(said[2].starts_with("edge;dur="));
}

#[test]
fn the_time_is_the_decisions_and_not_the_upstreams() {
    let site = Site::new(document([page()]));
    site.memory
        .script("kratos", "ada", session("ada").reply().takes(120));
    site.send(get("https://app.test/.well-known/jwks.json", &[]));
    let forward = site.send(get("https://app.test/", &[ADA])).forwarded();
    site.memory.pass_seconds(3);
    let mut headers = HeaderMap::new();
    let edits = site.finish(&forward.forward, 200, &headers);
    edgekeeper_gateway::decision::apply(&mut headers, &edits);
    assert!(
        timing(&headers)[0].starts_with("edge;dur=120, "),
        "{headers:?}"
    );
}

#[test]
fn a_switch_of_protocols_is_left_alone() {
    let site = Site::with_ada(document([page()]));
    let forward = site.send(get("https://app.test/", &[ADA])).forwarded();
    assert_eq!(site.finish(&forward.forward, 101, &HeaderMap::new()), []);
}

#[test]
fn every_answer_of_the_gateways_own_has_it() {
    let site = Site::new(document([page(), rule("open", "https://open.test/<.*>")]));
    site.memory.script("kratos", "=ada", session("ada").reply());
    site.memory
        .script("kratos", "=down", Reply::fails(unreachable()));
    for (url, cookie, status, session) in [
        (
            "https://app.test/",
            "ory_kratos_session=nobody",
            401,
            Some("miss"),
        ),
        (
            "https://app.test/",
            "ory_kratos_session=nobody",
            401,
            Some("hit"),
        ),
        (
            "https://app.test/",
            "ory_kratos_session=down",
            503,
            Some("miss"),
        ),
        (
            "https://app.test/",
            "ory_kratos_session=down",
            503,
            Some("failed"),
        ),
        ("https://app.test/", "", 401, None),
        ("https://none.test/", "", 404, None),
        ("https://app.test/%00", "", 400, None),
        ("nonsense", "", 400, None),
        ("https://app.test/.well-known/jwks.json", "", 200, None),
    ] {
        let answer = site.send(get(url, &[("cookie", cookie)])).answered();
        assert_eq!(answer.status, status, "{url}");
        let said = all(&answer, "server-timing");
        assert_eq!(said.len(), 1, "{url}");
        let rest = said[0].split_once(", ").map(|(_, rest)| rest.to_owned());
        let wanted = session.map(|source| format!("session;desc=\"{source}\""));
        assert_eq!(rest, wanted, "{url} {cookie}");
        assert_eq!(logged(&site)["session"], json!(session));
    }
    let forward = site.send(get("https://open.test/", &[])).forwarded();
    let failed = site
        .gateway
        .upstream_failed(&site.memory, &forward.forward, unreachable());
    assert!(header(&failed, "server-timing").is_some());
}

#[test]
fn a_stale_answer_is_told() {
    let site = Site::with_ada(document([page()]));
    site.answer_from(get("https://app.test/", &[ADA]), 200, &[]);
    site.memory.pass_seconds(61);
    let headers = site.answer_from(get("https://app.test/", &[ADA]), 200, &[]);
    assert!(timing(&headers)[0].contains("session;desc=\"stale\""));
}

#[test]
fn nothing_is_said_unless_it_is_wanted() {
    for strict in [false, true] {
        let site = Site::with_ada(
            document([page()])
                .with("server_timing", json!(false))
                .mode(strict),
        );
        let headers = site.answer_from(get("https://app.test/", &[ADA]), 200, &[]);
        assert_eq!(timing(&headers), Vec::<String>::new());
        let answer = site.send(get("https://app.test/", &[])).answered();
        assert_eq!(header(&answer, "server-timing"), None);
    }
}

#[test]
fn it_holds_no_credential() {
    let secrets = [
        ("cookie", "ory_kratos_session=SECRET-c"),
        ("authorization", "Bearer ory_st_SECRET-b"),
        ("x-session-token", "SECRET-t"),
        ("server-timing", "SECRET"),
    ];
    for reply in [
        session("SECRET").reply(),
        Reply::new(401, "SECRET"),
        Reply::new(500, "SECRET"),
        Reply::new(200, "SECRET"),
    ] {
        let site = Site::new(document([page()]));
        site.memory.script("", "", reply);
        for count in 1..=secrets.len() {
            let request = get("https://app.test/SECRET?a=SECRET", &secrets[..count]);
            let said = match site.send(request) {
                crate::site::Sent::Answered(answer) => {
                    header(&answer, "server-timing").unwrap().to_owned()
                }
                crate::site::Sent::Forwarded(forwarded) => {
                    let edits = site.finish(&forwarded.forward, 200, &HeaderMap::new());
                    let mut headers = HeaderMap::new();
                    edgekeeper_gateway::decision::apply(&mut headers, &edits);
                    timing(&headers).concat()
                }
            };
            assert!(!said.contains("SECRET"), "{said}");
        }
    }
}
