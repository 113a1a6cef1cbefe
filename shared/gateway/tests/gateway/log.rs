//! One line per decision, without secrets.

use http::HeaderMap;
use serde_json::{Value, json};

use crate::memory::Reply;
use crate::policy::{header, policy, session_rule, set};
use crate::site::{Site, get, session};

fn lines(site: &Site) -> Vec<Value> {
    site.memory
        .take_log()
        .iter()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect()
}

#[test]
fn a_forwarded_request_has_one_line_once_its_upstream_answered() {
    let site = Site::with_ada(policy([session_rule("web", "https://app.test/<.*>")]));
    let forwarded = site
        .send(get("https://app.test/a%20b/?q=1", &[crate::site::ADA]))
        .forwarded();
    assert!(lines(&site).is_empty());
    site.finish(&forwarded.forward, 207, &HeaderMap::new());
    let lines = lines(&site);
    let ms = lines[0]["ms"].clone();
    assert!(ms.is_u64());
    assert_eq!(
        lines,
        [json!({
            "msg": "decision", "method": "GET", "host": "app.test", "path": "/a b", "rule": "web",
            "authenticator": "cookie_session", "session": "miss", "status": 207, "ms": ms, "us": 0,
        })]
    );
}

#[test]
fn an_answered_request_has_one_line_too() {
    for (url, status) in [
        ("https://app.test/", 401),
        ("https://none.test/", 404),
        ("https://app.test/%00", 400),
        ("nonsense", 400),
    ] {
        let site = Site::new(policy([session_rule("web", "https://app.test/<.*>")]));
        assert_eq!(site.send(get(url, &[])).status(), status);
        let lines = lines(&site);
        assert_eq!(lines.len(), 1, "{url}");
        assert_eq!(
            (&lines[0]["msg"], &lines[0]["status"]),
            (&json!("decision"), &json!(status))
        );
        assert!(lines[0]["reason"].is_string() || status == 404, "{url}");
    }
}

#[test]
fn no_cookie_token_or_query_is_ever_logged() {
    let headers = [
        ("cookie", "ory_kratos_session=SECRET-c; other=SECRET-o"),
        ("authorization", "Bearer ory_st_SECRET-b"),
        ("x-api-key", "SECRET-k"),
    ];
    let token = [("x-session-token", "SECRET-t")];
    let replies = [
        session("ada").reply(),
        session("ada").trait_("name", "SECRET\r\nx").reply(),
        Reply::new(401, "SECRET"),
        Reply::new(500, "SECRET"),
        Reply::new(200, "SECRET"),
        Reply::new(302, "").header("location", "https://x.test/SECRET"),
        Reply::new(429, "SECRET").header("retry-after", "SECRET"),
    ];
    for strict in [false, true] {
        for reply in &replies {
            let told = json!([header(&[("x-name", "{{ .Extra.identity.traits.name }}")])]);
            let site = Site::new(
                policy([set(
                    session_rule("web", "https://app.test/<.*>"),
                    "mutators",
                    told,
                )])
                .mode(strict),
            );
            site.memory.script("", "", reply.clone());
            for request in [
                get("https://app.test/?token=SECRET", &headers),
                get("https://app.test/?token=SECRET", &token),
                get("https://none.test/?token=SECRET", &headers),
                get("https://app.test/%zz?token=SECRET", &headers),
                get("https://SECRET@app.test/", &headers),
            ] {
                if let crate::site::Sent::Forwarded(forwarded) = site.send(request) {
                    site.finish(&forwarded.forward, 200, &HeaderMap::new());
                }
            }
            let log = site.memory.take_log().join("\n");
            assert!(!log.contains("SECRET"), "{log}");
        }
    }
}

#[test]
fn a_line_break_in_a_name_starts_no_line() {
    let site = Site::new(policy([]));
    site.send(crate::site::request(
        "GET\n{\"msg\":\"forged\"}",
        "https://app.test/",
        &[],
    ));
    let log = site.memory.take_log();
    assert_eq!(log.len(), 1);
    assert!(!log[0].contains('\n'), "{}", log[0]);
}
