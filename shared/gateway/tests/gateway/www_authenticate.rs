//! `www_authenticate`: a challenge that makes a browser ask for a password.

use serde_json::{Value, json};

use crate::memory::{Reply, unreachable};
use crate::policy::{policy, rule, session_rule, set};
use crate::site::{ADA, Site, all, get, header, request};

/// `/web` needs a session, `/deny` is for nobody, `/broken` goes nowhere, and no other path has a rule.
fn site(when: Value, realm: &str, strict: bool) -> Site {
    let challenge = json!({
        "kind": { "handler": "www_authenticate", "realm": realm },
        "when": when,
    });
    let deny = json!([{ "handler": "deny" }]);
    let nowhere = set(
        rule("broken", "https://app.test/broken"),
        "upstream",
        Value::Null,
    );
    Site::with_ada(
        policy([
            session_rule("web", "https://app.test/web"),
            set(
                session_rule("deny", "https://app.test/deny"),
                "authorizers",
                deny.clone(),
            ),
            set(rule("guest", "https://app.test/guest"), "authorizers", deny),
            nowhere,
        ])
        .with(
            "errors",
            json!([challenge, { "kind": { "handler": "json" } }]),
        )
        .mode(strict),
    )
}

fn status(site: &Site, path: &str, headers: &[(&str, &str)]) -> u16 {
    site.send(get(&format!("https://app.test{path}"), headers))
        .status()
}

#[test]
fn the_challenge_is_plain_text_with_a_realm() {
    for (strict, realm, expected) in [
        (true, "my realm", "Basic realm=my realm"),
        (false, "my realm", "Basic realm=\"my realm\""),
        (false, "a\"b\\c", "Basic realm=\"a\\\"b\\\\c\""),
        (
            true,
            "Please authenticate.",
            "Basic realm=Please authenticate.",
        ),
    ] {
        let site = site(json!([]), realm, strict);
        let answer = site.send(get("https://app.test/web", &[])).answered();
        assert_eq!(answer.status, 401);
        assert_eq!(all(&answer, "www-authenticate"), [expected]);
        assert_eq!(
            header(&answer, "content-type"),
            Some("text/plain; charset=utf-8")
        );
        assert_eq!(answer.body_for("GET"), "Unauthorized\n");
        let head = site
            .send(request("HEAD", "https://app.test/web", &[]))
            .answered();
        assert_eq!(head.body_for("HEAD"), "");
        let stored = header(&answer, "cache-control");
        assert_eq!(stored, (!strict).then_some("no-store"));
    }
}

#[test]
fn oathkeeper_challenges_whatever_went_wrong() {
    let site = site(json!([]), "r", true);
    for (path, headers) in [
        ("/web", &[][..]),
        ("/deny", &[ADA]),
        ("/guest", &[]),
        ("/broken", &[]),
        ("/none", &[]),
    ] {
        assert_eq!(status(&site, path, headers), 401, "{path}");
    }
}

#[test]
fn by_default_only_where_a_password_helps() {
    let site = site(json!([]), "r", false);
    assert_eq!(status(&site, "/web", &[]), 401);
    assert_eq!(status(&site, "/guest", &[]), 401);
    assert_eq!(
        status(&site, "/deny", &[ADA]),
        403,
        "there is a session already"
    );
    assert_eq!(status(&site, "/broken", &[]), 500);
    assert_eq!(status(&site, "/none", &[]), 404);
    site.memory
        .script("kratos", "", Reply::fails(unreachable()));
    assert_eq!(
        status(&site, "/web", &[("cookie", "ory_kratos_session=eve")]),
        503
    );
}

#[test]
fn by_default_also_where_when_names_the_error() {
    let named = json!([{ "error": ["forbidden", "not_found", "internal_server_error"] }]);
    let site = site(named, "r", false);
    assert_eq!(status(&site, "/deny", &[ADA]), 401);
    assert_eq!(status(&site, "/broken", &[]), 401);
    assert_eq!(status(&site, "/none", &[]), 401);
    let json = site.send(get("https://app.test/web", &[])).answered();
    assert_eq!(json.status, 401);
    assert_eq!(
        header(&json, "www-authenticate"),
        None,
        "that one it does not name"
    );
    site.memory
        .script("kratos", "", Reply::fails(unreachable()));
    assert_eq!(
        status(&site, "/web", &[("cookie", "ory_kratos_session=eve")]),
        503,
        "a service that is down is never a 401"
    );
}
