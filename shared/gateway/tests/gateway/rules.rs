//! `/rules`: the rules as they were written.

use edgekeeper_gateway::decision::Answer;
use edgekeeper_gateway::request::Listener;
use serde_json::{Value, json};

use crate::policy::{policy, rule, set};
use crate::site::{Site, get, header, request};

fn document(count: usize) -> crate::policy::Document {
    let listed = |n: usize| {
        let source = format!(r#"{{"id":"r{n}","match":{{"url":"http://<r>&{n}.test"}}}}"#);
        set(
            rule(&format!("r{n}"), &format!("http://r{n}.test/")),
            "source",
            json!(source),
        )
    };
    let fault = json!({ "message": "m", "reason": "" });
    let broken = set(
        listed(9_999),
        "mutators",
        json!([{ "handler": "broken", "message": fault["message"], "reason": "" }]),
    );
    policy((0..count).map(listed).chain((count > 2).then_some(broken)))
}

fn asked(site: &Site, target: &str) -> Answer {
    let mut request = get(&format!("http://any.test{target}"), &[]);
    request.listener = Listener::Api;
    site.send(request).answered()
}

fn ids(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 200);
    let document: Value = serde_json::from_str(&answer.body).unwrap();
    let rules = document.as_array().unwrap();
    rules
        .iter()
        .map(|rule| rule["id"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_page_of_the_rules_that_work() {
    for strict in [false, true] {
        let site = Site::new(document(600).mode(strict));
        for (target, first, count) in [
            ("/rules", "r0", 50),
            ("/rules?limit=2", "r0", 2),
            ("/rules?limit=2&offset=1", "r1", 2),
            ("/rules?limit=9999", "r0", 500),
            ("/rules?limit=500&offset=550", "r550", 50),
            ("/rules?limit=x&offset=y", "r0", 50),
            ("/rules?limit=&offset=", "r0", 50),
            ("/rules?limit=3&limit=4", "r0", 3),
            ("/rules?offset=-1", "r0", 50),
        ] {
            let ids = ids(&asked(&site, target));
            assert_eq!((ids[0].as_str(), ids.len()), (first, count), "{target}");
        }
        for target in [
            "/rules?limit=0",
            "/rules?limit=-1",
            "/rules?offset=600",
            "/rules?offset=9223372036854775807",
        ] {
            assert_eq!(asked(&site, target).body.trim_end(), "[]", "{target}");
        }
        assert_eq!(
            ids(&asked(&Site::new(document(0).mode(strict)), "/rules")),
            [""; 0]
        );
    }
}

#[test]
fn one_rule_by_its_id() {
    let site = Site::new(document(3));
    let answer = asked(&site, "/rules/r1");
    assert_eq!(
        answer.body,
        r#"{"id":"r1","match":{"url":"http://<r>&1.test"}}"#
    );
    assert_eq!(header(&answer, "cache-control"), Some("no-store"));
    for missing in ["r3", "r9999", "R1", "%20"] {
        let answer = asked(&site, &format!("/rules/{missing}"));
        assert_eq!(answer.status, 404, "{missing}");
        assert_eq!(header(&answer, "content-type"), Some("application/json"));
    }
}

#[test]
fn strict_mode_writes_json_as_gos_encoder_does() {
    let answer = asked(&Site::new(document(3).strict()), "/rules/r1");
    assert_eq!(
        answer.body,
        "{\"id\":\"r1\",\"match\":{\"url\":\"http://\\u003cr\\u003e\\u00261.test\"}}\n"
    );
    assert_eq!(
        header(&answer, "content-type"),
        Some("application/json; charset=utf-8")
    );
}

#[test]
fn rules_that_are_not_to_be_shown_are_not_there() {
    let site = Site::new(policy([rule("r", "http://r.test/")]));
    for target in ["/rules", "/rules/r"] {
        assert_eq!(asked(&site, target).status, 404, "{target}");
    }
    assert!(site.memory.take_log()[0].contains("api.rules"));
}

#[test]
fn rules_are_read_only_and_not_on_the_proxy() {
    let site = Site::new(document(3));
    for method in ["POST", "PUT", "DELETE"] {
        let mut request = request(method, "http://any.test/rules", &[]);
        request.listener = Listener::Api;
        assert_eq!(site.send(request).status(), 405, "{method}");
    }
    assert_eq!(site.send(get("http://any.test/rules", &[])).status(), 404);
}
