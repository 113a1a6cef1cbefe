//! How a refusal is told: which handler answers, and Ory's JSON.

use serde_json::{Value, json};

use crate::policy::{policy, rule, session_rule, set};
use crate::site::{Site, all, error, get, header, request};

fn handler(kind: Value, when: Value) -> Value {
    json!({ "kind": kind, "when": when })
}

fn to(page: &str) -> Value {
    json!({ "handler": "redirect", "to": format!("https://{page}.test/"), "code": 302 })
}

fn terse() -> Value {
    json!({ "handler": "json" })
}

/// A site on which `/` needs a session, `/deny/` is denied, `/twice/` has two rules, and no other path has one.
fn site(of_rule: Value, fallback: Value, strict: bool) -> Site {
    Site::with_ada(
        policy([
            set(
                session_rule("web", "https://app.test/web/<.*>"),
                "errors",
                of_rule.clone(),
            ),
            set(
                set(
                    rule("deny", "https://app.test/deny/<.*>"),
                    "authorizers",
                    json!([{ "handler": "deny" }]),
                ),
                "errors",
                of_rule,
            ),
            rule("one", "https://app.test/twice/<.*>"),
            rule("two", "https://app.test/twice/<.+>"),
        ])
        .with("errors", fallback)
        .mode(strict),
    )
}

/// The status, or where the redirect leads.
fn told(site: &Site, path: &str, headers: &[(&str, &str)]) -> String {
    let answer = site
        .send(get(&format!("https://app.test{path}"), headers))
        .answered();
    header(&answer, "location").map_or_else(|| answer.status.to_string(), str::to_owned)
}

#[test]
fn the_rules_handler_goes_before_the_fallback() {
    let errors = |names: Value| json!([{ "error": names }]);
    let of_rule = json!([
        handler(to("login"), errors(json!(["unauthorized"]))),
        handler(terse(), errors(json!(["internal_server_error"]))),
    ]);
    let fallback = json!([
        handler(to("forbidden"), errors(json!(["forbidden"]))),
        handler(to("lost"), errors(json!(["not_found"]))),
        handler(to("broken"), errors(json!(["internal_server_error"]))),
        handler(terse(), json!([])),
    ]);
    for strict in [false, true] {
        let site = site(of_rule.clone(), fallback.clone(), strict);
        for (path, expected) in [
            ("/web/x", "https://login.test/"),
            ("/deny/x", "https://forbidden.test/"),
            ("/none", "https://lost.test/"),
            ("/twice/x", "https://broken.test/"),
        ] {
            assert_eq!(told(&site, path, &[]), expected, "{path}, strict: {strict}");
        }
    }
}

#[test]
fn the_first_fallback_that_fits_answers() {
    let fallback = json!([
        handler(to("html"), json!([{ "accept": ["text/html"] }])),
        handler(terse(), json!([{ "accept": ["application/json"] }])),
        handler(to("rest"), json!([])),
    ]);
    let site = site(json!([]), fallback, false);
    for (accept, expected) in [
        (
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "https://html.test/",
        ),
        ("application/json", "401"),
        ("*/*", "https://rest.test/"),
        ("", "https://rest.test/"),
        ("application/json; charset=utf-8", "https://rest.test/"),
    ] {
        assert_eq!(
            told(&site, "/web/x", &[("accept", accept)]),
            expected,
            "{accept}"
        );
    }
}

#[test]
fn alternatives_are_or_and_their_parts_are_and() {
    let when = json!([
        { "error": ["unauthorized"], "accept": ["text/*"] },
        { "error": ["forbidden"], "content_type": ["application/json"] },
    ]);
    let site = site(
        json!([handler(to("hit"), when)]),
        json!([handler(terse(), json!([]))]),
        false,
    );
    for (path, headers, hit) in [
        ("/web/x", vec![("accept", "text/plain")], true),
        ("/web/x", vec![("accept", "image/png")], false),
        ("/web/x", vec![("content-type", "application/json")], false),
        (
            "/deny/x",
            vec![("content-type", "application/json; charset=utf-8")],
            true,
        ),
        ("/deny/x", vec![("content-type", "text/plain")], false),
        ("/deny/x", vec![("accept", "text/plain")], false),
        ("/deny/x", vec![("content-type", "garbage")], false),
        ("/deny/x", vec![], false),
    ] {
        assert_eq!(
            told(&site, path, &headers) == "https://hit.test/",
            hit,
            "{path} {headers:?}"
        );
    }
}

#[test]
fn two_handlers_of_a_rule_that_fit_are_500() {
    for strict in [false, true] {
        let site = site(
            json!([handler(to("a"), json!([])), handler(terse(), json!([]))]),
            json!([handler(terse(), json!([]))]),
            strict,
        );
        let answer = site.send(get("https://app.test/web/x", &[])).answered();
        assert_eq!(answer.status, 500);
        assert!(
            error(&answer)["reason"]
                .as_str()
                .unwrap()
                .starts_with("Found more than one error handlers")
        );
    }
}

#[test]
fn where_no_handler_fits_the_error_itself_is_told_and_in_strict_mode_a_500() {
    let fallback = json!([handler(terse(), json!([{ "error": ["not_found"] }]))]);
    for (strict, expected) in [(false, "401"), (true, "500")] {
        assert_eq!(
            told(&site(json!([]), fallback.clone(), strict), "/web/x", &[]),
            expected
        );
    }
}

#[test]
fn json_is_orys_error_object() {
    for (path, status, text, message) in [
        (
            "/web/x",
            401,
            "Unauthorized",
            "The request could not be authorized",
        ),
        (
            "/deny/x",
            403,
            "Forbidden",
            "The requested action was forbidden",
        ),
        (
            "/none",
            404,
            "Not Found",
            "The requested resource could not be found",
        ),
        (
            "/twice/x",
            500,
            "Internal Server Error",
            "An internal server error occurred, please contact the system administrator",
        ),
    ] {
        let site = site(json!([]), json!([handler(terse(), json!([]))]), false);
        let answer = site
            .send(get(
                &format!("https://app.test{path}"),
                &[("x-request-id", "r\"1")],
            ))
            .answered();
        assert_eq!(answer.status, status);
        assert_eq!(
            error(&answer),
            json!({ "code": status, "status": text, "request": "r\"1", "message": message })
        );
        assert!(answer.body.ends_with("}\n"));
        assert_eq!(all(&answer, "content-type"), ["application/json"]);
        assert_eq!(all(&answer, "cache-control"), ["no-store"]);
    }
}

#[test]
fn verbose_json_tells_oathkeepers_own_words_and_nothing_from_the_log() {
    for (path, message) in [
        ("/web/x", "Access credentials are invalid"),
        (
            "/deny/x",
            "Access credentials are not sufficient to access this resource",
        ),
        ("/none", "Requested url does not match any rules"),
        (
            "/twice/x",
            "Expected exactly one rule but found multiple rules",
        ),
    ] {
        let verbose = json!({ "handler": "json", "verbose": true });
        let site = site(json!([]), json!([handler(verbose, json!([]))]), false);
        let answer = site
            .send(get(
                &format!("https://app.test{path}"),
                &[("cookie", "ory_kratos_session=nobody")],
            ))
            .answered();
        assert_eq!(error(&answer)["message"], message);
        assert!(
            !answer.body.contains("nobody")
                && !answer.body.contains("Kratos")
                && !answer.body.contains("rules that match"),
            "{}",
            answer.body
        );
    }
}

#[test]
fn head_has_the_headers_of_get() {
    let site = site(json!([]), json!([handler(terse(), json!([]))]), false);
    let head = site
        .send(request("HEAD", "https://app.test/web/x", &[]))
        .answered();
    let get = site.send(get("https://app.test/web/x", &[])).answered();
    assert_eq!((head.status, &head.headers), (get.status, &get.headers));
}
