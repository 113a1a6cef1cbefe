//! `redirect`: to login and back, never to a stranger, never in circles.

use edgekeeper_gateway::decision::Answer;
use serde_json::{Value, json};

use crate::kratos_fails::aal2;
use crate::policy::{policy, session_rule, set};
use crate::site::{ADA, Site, all, get, header, request};

const LOGIN: &str = "https://login.test/self-service/login/browser";

fn redirect(to: &str, param: &str) -> Value {
    json!([{ "kind": { "handler": "redirect", "to": to, "code": 302, "return_to_query_param": param } }])
}

fn site_with(errors: Value, strict: bool) -> Site {
    let rules = [set(
        session_rule("any", "<https?>://<[^/]+>/<.*>"),
        "errors",
        errors,
    )];
    Site::with_ada(
        policy(rules)
            .with(
                "return_to",
                json!([
                    "https://app.example.com",
                    "*.apps.example.com",
                    "https://shop.test/cart"
                ]),
            )
            .mode(strict),
    )
}

fn site() -> Site {
    site_with(redirect(LOGIN, "return_to"), false)
}

#[track_caller]
fn location(site: &Site, url: &str, headers: &[(&str, &str)]) -> String {
    let answer = site.send(get(url, headers)).answered();
    assert_eq!(answer.status, 302, "{url}");
    header(&answer, "location").unwrap().to_owned()
}

#[test]
fn a_browser_is_sent_to_login_and_back() {
    let location = location(&site(), "https://app.example.com/a%20b/?x=1&y=%26", &[]);
    assert_eq!(
        location,
        format!("{LOGIN}?return_to=https%3A%2F%2Fapp.example.com%2Fa%2520b%2F%3Fx%3D1%26y%3D%2526")
    );
}

#[test]
fn i19_the_redirect_is_kept_by_no_cache() {
    let answer = site().send(get("https://app.example.com/", &[])).answered();
    assert_eq!(header(&answer, "cache-control"), Some("no-store"));
    assert_eq!(
        header(&answer, "content-type"),
        Some("text/html; charset=utf-8")
    );
    assert!(
        answer.body.starts_with("<a href=\"https://login.test/"),
        "{}",
        answer.body
    );
}

#[test]
fn group_e_only_listed_places_are_returned_to() {
    for (id, url, expected) in [
        ("", "https://app.example.com/x", true),
        ("", "https://a.apps.example.com/x", true),
        ("", "https://shop.test/cart/1", true),
        ("E05", "https://shop.test/cartel", false),
        ("E06", "https://shop.test/", false),
        ("E01", "https://evil.com/", false),
        ("E37", "https://app.example.comevil.com/", false),
        ("E38", "https://app.example.com.evil.com/", false),
        ("E39", "https://apps.example.com/", false),
        ("E41", "https://xapps.example.com/", false),
        ("E43", "https://app.example.com:8443/", false),
        ("E44", "http://app.example.com/", false),
        ("E51", "https://2130706433/", false),
        ("E49", "https://[::ffff:1.2.3.4]/", false),
        ("E17", "https://evil.com/%2f%2fapp.example.com", false),
        ("E33", "https://evil.com/?app.example.com", false),
    ] {
        let location = location(&site(), url, &[]);
        assert_eq!(
            location.contains("return_to="),
            expected,
            "{id} {url}: {location}"
        );
        assert!(location.starts_with(LOGIN), "{id} {location}");
        assert!(!location.contains("evil"), "{id} {location}");
    }
}

#[test]
fn group_e_what_the_client_says_elsewhere_changes_nothing() {
    let expected = format!("{LOGIN}?return_to=https%3A%2F%2Fapp.example.com%2Fx");
    for (name, value) in [
        ("x-forwarded-host", "evil.com"),
        ("x-forwarded-host", "portal.app.example.com.evil.com"),
        ("x-forwarded-proto", "javascript"),
        ("x-forwarded-proto", "http"),
        ("x-forwarded-uri", "//evil.com"),
        ("x-forwarded-prefix", "//evil.com"),
        ("x-forwarded-port", "8443"),
        ("forwarded", "host=evil.com;proto=http"),
        ("x-original-url", "https://evil.com"),
        ("x-rewrite-url", "https://evil.com"),
        ("referer", "https://evil.com"),
        ("origin", "https://evil.com"),
        ("host", "app.example.com"),
    ] {
        assert_eq!(
            location(&site(), "https://app.example.com/x", &[(name, value)]),
            expected,
            "{name}: {value}"
        );
    }
}

#[test]
fn group_e_the_clients_return_to_stays_inside_the_url() {
    for value in [
        "https://evil.com",
        "//evil.com",
        "/\\evil.com",
        "javascript:alert(1)",
    ] {
        let url = format!("https://app.example.com/?return_to={value}");
        let location = location(&site(), &url, &[]);
        let (_, query) = location.split_once('?').unwrap();
        assert_eq!(query.matches("return_to=").count(), 1, "{location}");
        assert!(
            query.starts_with("return_to=https%3A%2F%2Fapp.example.com%2F%3Freturn_to%3D"),
            "{location}"
        );
    }
}

#[test]
fn e67_no_path_breaks_out_of_the_header() {
    for path in [
        "/path%0d%0aLocation:%20https://evil.com",
        "/%0d%0a",
        "/a\r\nb",
    ] {
        let sent = site().send(get(&format!("https://app.example.com{path}"), &[]));
        assert_eq!(sent.status(), 400, "{path:?}");
    }
    for path in [
        "//evil.com/%2e%2e",
        "//evil.com",
        "/.//evil.com",
        "/%2f%2fevil.com",
    ] {
        let location = location(&site(), &format!("https://app.example.com{path}"), &[]);
        assert!(
            location.starts_with(&format!(
                "{LOGIN}?return_to=https%3A%2F%2Fapp.example.com%2F"
            )),
            "E77 {location}"
        );
    }
}

#[test]
fn percent_s_becomes_the_return_url_or_nothing() {
    let site = site_with(redirect("https://login.test/in?to=%s&x=1", ""), false);
    for (url, expected) in [
        (
            "https://app.example.com/x?y",
            "https://login.test/in?to=https%3A%2F%2Fapp.example.com%2Fx%3Fy&x=1",
        ),
        ("https://evil.com/x", "https://login.test/in?to=&x=1"),
    ] {
        assert_eq!(location(&site, url, &[]), expected);
    }
}

#[test]
fn own_parameters_of_the_login_url_stay() {
    let site = site_with(
        redirect(
            "https://login.test/in?z=1&return_to=default&a=2#top",
            "return_to",
        ),
        false,
    );
    assert_eq!(
        location(&site, "https://app.example.com/", &[]),
        "https://login.test/in?a=2&return_to=https%3A%2F%2Fapp.example.com%2F&z=1#top"
    );
    assert_eq!(
        location(&site, "https://evil.com/", &[]),
        "https://login.test/in?z=1&return_to=default&a=2#top",
        "the operator's own fallback"
    );
}

#[test]
fn e79_only_a_navigation_is_redirected() {
    for (why, method, headers, expected) in [
        (
            "a person",
            "GET",
            vec![
                ("sec-fetch-mode", "navigate"),
                ("sec-fetch-dest", "document"),
            ],
            302,
        ),
        (
            "a frame",
            "GET",
            vec![("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")],
            302,
        ),
        ("an old browser", "GET", vec![("accept", "text/html")], 302),
        ("HEAD", "HEAD", vec![], 302),
        (
            "fetch",
            "GET",
            vec![("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty")],
            401,
        ),
        (
            "same origin",
            "GET",
            vec![
                ("sec-fetch-mode", "same-origin"),
                ("sec-fetch-dest", "empty"),
            ],
            401,
        ),
        (
            "an image",
            "GET",
            vec![("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")],
            401,
        ),
        ("a script", "GET", vec![("sec-fetch-dest", "script")], 401),
        (
            "a websocket",
            "GET",
            vec![("sec-fetch-mode", "websocket")],
            401,
        ),
        (
            "jQuery",
            "GET",
            vec![("x-requested-with", "XMLHttpRequest")],
            401,
        ),
        (
            "a form",
            "POST",
            vec![
                ("sec-fetch-mode", "navigate"),
                ("sec-fetch-dest", "document"),
            ],
            401,
        ),
        ("PUT", "PUT", vec![], 401),
        ("DELETE", "DELETE", vec![], 401),
    ] {
        let sent = site().send(request(method, "https://app.example.com/", &headers));
        assert_eq!(sent.status(), expected, "{why}");
        let strict = site_with(redirect(LOGIN, "return_to"), true);
        let sent = strict.send(request(method, "https://app.example.com/", &headers));
        assert_eq!(
            sent.status(),
            302,
            "{why}: strict mode redirects whenever Oathkeeper does"
        );
    }
}

#[test]
fn e73_the_login_page_is_not_sent_to_itself() {
    for to in [
        "https://app.example.com/login",
        "https://app.example.com/login?x=1",
        "https://app.example.com/login/",
        "https://app.example.com:443/login",
        "https://APP.example.com/login",
        "/login",
    ] {
        for path in ["/login", "/login/", "/login?flow=1"] {
            let site = site_with(redirect(to, "return_to"), false);
            let sent = site.send(get(&format!("https://app.example.com{path}"), &[]));
            assert_eq!(sent.status(), 401, "{to} for {path}");
            assert_eq!(
                site.send(get("https://app.example.com/other", &[]))
                    .status(),
                302,
                "{to}"
            );
        }
    }
}

#[test]
fn who_is_logged_in_is_not_sent_to_log_in() {
    let rule = set(
        session_rule("web", "https://app.example.com/<.*>"),
        "errors",
        redirect(LOGIN, ""),
    );
    let site = Site::with_ada(policy([set(
        rule,
        "authorizers",
        json!([{ "handler": "deny" }]),
    )]));
    assert_eq!(
        site.send(get("https://app.example.com/", &[ADA])).status(),
        403
    );
}

/// A redirect that is for 403 alone is to a page that explains it.
#[test]
fn who_is_logged_in_is_sent_to_a_page_that_explains_the_refusal() {
    let handler = json!([{
        "kind": { "handler": "redirect", "to": "https://app.example.com/no-access", "code": 302 },
        "when": [{ "error": ["forbidden"] }],
    }]);
    let rule = set(
        session_rule("web", "https://app.example.com/<.*>"),
        "errors",
        handler,
    );
    let denied = set(rule, "authorizers", json!([{ "handler": "deny" }]));
    let site = Site::with_ada(policy([denied]));
    let answer = site
        .send(get("https://app.example.com/", &[ADA]))
        .answered();
    assert_eq!(answer.status, 302);
    assert_eq!(
        header(&answer, "location"),
        Some("https://app.example.com/no-access")
    );
}

fn guard(answer: &Answer) -> String {
    let cookies = all(answer, "set-cookie");
    assert_eq!(cookies.len(), 1);
    cookies[0].to_owned()
}

#[test]
fn one_url_is_not_redirected_over_and_over() {
    let site = site();
    let mut cookie = "theme=dark".to_owned();
    for n in 0..4 {
        let answer = site
            .send(get("https://app.example.com/x", &[("cookie", &cookie)]))
            .answered();
        assert_eq!(answer.status, 302, "{n}");
        let guard = guard(&answer);
        assert!(
            guard.ends_with("; Path=/; Max-Age=20; HttpOnly; SameSite=Lax; Secure"),
            "{guard}"
        );
        cookie = guard.split(';').next().unwrap().to_owned();
    }
    assert_eq!(
        site.send(get("https://app.example.com/x", &[("cookie", &cookie)]))
            .status(),
        401
    );
    assert_eq!(
        site.send(get("https://app.example.com/y", &[("cookie", &cookie)]))
            .status(),
        302,
        "another url"
    );
    for odd in [
        "edgekeeper_login=",
        "edgekeeper_login=x",
        "edgekeeper_login=a.b.c",
        "edgekeeper_login=.99999999999999999999",
    ] {
        assert_eq!(
            site.send(get("https://app.example.com/x", &[("cookie", odd)]))
                .status(),
            302,
            "{odd}"
        );
    }
}

#[test]
fn a_missing_second_factor_leads_to_it() {
    for strict in [false, true] {
        let site = site_with(redirect(&format!("{LOGIN}?refresh=1"), "return_to"), strict);
        site.memory.script("", "", aal2());
        let location = location(&site, "https://app.example.com/", &[ADA]);
        assert_eq!(location.contains("?aal=aal2&"), !strict, "{location}");
        assert!(
            location.contains("return_to=https%3A%2F%2Fapp.example.com%2F"),
            "{location}"
        );
    }
}

#[test]
fn cve_2021_29651_no_token_or_cookie_is_put_into_the_redirect() {
    let headers = [
        ("cookie", "ory_kratos_session=secret1"),
        ("authorization", "Bearer secret2"),
    ];
    let answer = site()
        .send(get("https://app.example.com/", &headers))
        .answered();
    assert!(!format!("{:?}{}", answer.headers, answer.body).contains("secret"));
}

#[test]
fn the_code_is_the_configured_one() {
    let permanent = json!([{ "kind": { "handler": "redirect", "to": LOGIN, "code": 301 } }]);
    let site = site_with(permanent, false);
    let answer = site
        .send(request("HEAD", "https://app.example.com/", &[]))
        .answered();
    assert_eq!(
        (
            answer.status,
            header(&answer, "location"),
            answer.body.as_str()
        ),
        (301, Some(LOGIN), "")
    );
}

#[test]
fn strict_mode_adds_nothing_of_its_own() {
    let site = site_with(redirect(LOGIN, ""), true);
    let answer = site.send(get("https://app.example.com/", &[])).answered();
    assert_eq!(header(&answer, "location"), Some(LOGIN));
    assert!(all(&answer, "set-cookie").is_empty());
    assert!(all(&answer, "cache-control").is_empty());
}
