//! The gateway's own endpoints.

use edgekeeper_gateway::request::{Listener, RawRequest};
use serde_json::json;

use crate::policy::{id_token, policy, rule, set};
use crate::site::{Site, all, get, header, request};

const JWKS: &str = "https://app.test/.well-known/jwks.json";

fn minting() -> Site {
    let web = set(
        rule("web", "https://app.test/<.*>"),
        "mutators",
        json!([id_token("", 900)]),
    );
    Site::new(
        policy([web])
            .with("api_hosts", json!(["api.test"]))
            .with("api_cors", crate::cors::settings()),
    )
}

fn plain() -> Site {
    Site::new(policy([rule("web", "https://app.test/<.*>")]))
}

fn on_api(mut request: RawRequest) -> RawRequest {
    request.listener = Listener::Api;
    request
}

#[test]
fn health_tells_whether_there_are_rules() {
    for path in ["alive", "ready"] {
        let answer = plain()
            .send(on_api(get(&format!("https://any.test/health/{path}"), &[])))
            .answered();
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (200, r#"{"status":"ok"}"#),
            "{path}"
        );
    }
    let empty = Site::new(policy([]));
    assert_eq!(
        empty
            .send(on_api(get("https://any.test/health/alive", &[])))
            .status(),
        200
    );
    assert_eq!(
        empty
            .send(on_api(get("https://any.test/health/ready", &[])))
            .status(),
        503,
        "M03"
    );
}

#[test]
fn everything_else_on_the_api_is_404_and_never_a_rule() {
    for path in ["/", "/x", "/decisions", "/health", "/rules"] {
        assert_eq!(
            minting()
                .send(on_api(get(&format!("https://app.test{path}"), &[])))
                .status(),
            404,
            "{path}"
        );
        assert_eq!(
            minting()
                .send(get(&format!("https://api.test{path}"), &[]))
                .status(),
            404,
            "{path}"
        );
    }
}

#[test]
fn endpoints_are_read_only() {
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        let answer = minting().send(request(method, JWKS, &[])).answered();
        assert_eq!(
            (answer.status, header(&answer, "allow")),
            (405, Some("GET, HEAD")),
            "{method}"
        );
    }
    assert_eq!(minting().send(request("HEAD", JWKS, &[])).status(), 200);
}

#[test]
fn without_tokens_the_keys_path_is_a_path_like_any_other() {
    assert_eq!(
        plain().send(get(JWKS, &[])).outcome(),
        "http://up.test/.well-known/jwks.json"
    );
    assert_eq!(plain().send(on_api(get(JWKS, &[]))).status(), 500);
}

#[test]
fn health_on_the_proxy_is_left_to_the_rules() {
    assert_eq!(
        minting()
            .send(get("https://app.test/health/alive?", &[]))
            .status(),
        503,
        "the rule mints, and has no key"
    );
    assert_eq!(
        plain()
            .send(get("https://app.test/health/alive", &[]))
            .status(),
        0
    );
}

#[test]
fn the_api_has_cors_of_its_own_wherever_it_answers() {
    let origin = ("origin", "https://app.example.com");
    for request_to in [
        on_api(get("https://any.test/health/alive", &[origin])),
        get("https://api.test/health/alive", &[origin]),
    ] {
        let answer = minting().send(request_to).answered();
        assert_eq!(
            all(&answer, "access-control-allow-origin"),
            ["https://app.example.com"]
        );
    }
    let preflight = request(
        "OPTIONS",
        "https://api.test/x",
        &[origin, ("access-control-request-method", "GET")],
    );
    let answer = minting().send(preflight).answered();
    assert_eq!(
        (
            answer.status,
            header(&answer, "access-control-allow-origin")
        ),
        (204, Some("https://app.example.com"))
    );
}
