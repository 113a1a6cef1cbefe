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
    for path in ["/", "/x", "/decisionsx", "/health", "/rules/a/b"] {
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

fn strict() -> Site {
    Site::new(policy([rule("web", "https://app.test/<.*>")]).strict())
}

#[test]
fn strict_mode_has_oathkeepers_page_for_what_is_not_there() {
    for (accept, content_type, begins) in [
        ("", "text/html; charset=utf-8", "<!DOCTYPE html>"),
        ("image/png", "text/html; charset=utf-8", "<!DOCTYPE html>"),
        ("text/*", "text/html; charset=utf-8", "<!DOCTYPE html>"),
        (
            "*/*;q=0.1, application/json;q=0",
            "text/html; charset=utf-8",
            "<!DOCTYPE html>",
        ),
        (
            "text/plain",
            "text/plain; charset=utf-8",
            "Error 404 - The requested",
        ),
        (
            "application/json",
            "application/json; charset=utf-8",
            "{\n  \"error\": {\n",
        ),
        (
            "text/html;q=0.5, application/json",
            "application/json; charset=utf-8",
            "{\n",
        ),
        (
            "application/json;q=0.9, text/plain;q=0.9",
            "text/plain; charset=utf-8",
            "Error",
        ),
        (
            "application/json;charset=utf-8, text/plain",
            "text/html; charset=utf-8",
            "<!DOCTYPE html>",
        ),
        (
            "*/*, application/json",
            "application/json; charset=utf-8",
            "{\n",
        ),
    ] {
        let answer = strict()
            .send(on_api(request(
                "DELETE",
                "https://any.test/nope",
                &[("accept", accept)],
            )))
            .answered();
        assert_eq!(
            (answer.status, header(&answer, "content-type")),
            (404, Some(content_type)),
            "{accept}"
        );
        assert!(answer.body.starts_with(begins), "{accept}: {}", answer.body);
    }
}

#[test]
fn strict_mode_knows_a_path_again_that_is_almost_right() {
    for (target, location) in [
        ("/rules/", "/rules"),
        ("/RULES", "/rules"),
        ("//rules", "/rules"),
        ("/./rules", "/rules"),
        ("/rules/?limit=1", "/rules?limit=1"),
        ("/Rules/A%20b/", "/rules/A%20b"),
        ("/health/alive/", "/health/alive"),
        ("/health/Alive", "/health/alive"),
    ] {
        let answer = strict()
            .send(on_api(get(&format!("https://any.test{target}"), &[])))
            .answered();
        assert_eq!(
            (answer.status, header(&answer, "location")),
            (301, Some(location)),
            "{target}"
        );
    }
    for target in ["/", "/health", "/rules/a/b", "/rules/a%2Fb", "/version"] {
        let request = on_api(get(&format!("https://any.test{target}"), &[]));
        assert_eq!(strict().send(request).status(), 404, "{target}");
    }
}

#[test]
fn strict_mode_answers_other_methods_as_oathkeepers_router() {
    for (method, status, body) in [
        ("POST", 405, "Method Not Allowed\n"),
        ("HEAD", 405, "Method Not Allowed\n"),
        ("OPTIONS", 200, ""),
    ] {
        for path in ["/rules", "/health/alive", "/.well-known/jwks.json"] {
            let answer = strict()
                .send(on_api(request(
                    method,
                    &format!("https://any.test{path}"),
                    &[],
                )))
                .answered();
            assert_eq!(
                (answer.status, answer.body.as_str()),
                (status, body),
                "{method} {path}"
            );
            assert_eq!(header(&answer, "allow"), Some("GET, OPTIONS"));
        }
    }
}

#[test]
fn strict_mode_is_not_ready_in_oathkeepers_words() {
    let site = Site::new(policy([]).strict());
    let answer = site
        .send(on_api(get("https://any.test/health/ready", &[])))
        .answered();
    assert_eq!(answer.status, 503);
    assert_eq!(
        answer.body,
        "{\"error\":{\"code\":500,\"message\":\"The requested resource could not be found\",\"status\":\"Internal Server Error\"}}\n"
    );
}
