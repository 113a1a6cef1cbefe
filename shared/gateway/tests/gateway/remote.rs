//! `remote`: a service that is shown the request's body decides.

use edgekeeper_gateway::request::RawRequest;
use http::HeaderMap;
use serde_json::{Value, json};

use crate::memory::{Body, Reply, timeout, unreachable};
use crate::policy::{header, policy, rule, set};
use crate::site::{ADA, Site, header as header_of, message, request, values};

const SERVICE: &str = "http://authz.test/check";

fn remote(changes: Value) -> Value {
    let mut handler = json!({
        "handler": "remote",
        "endpoint": { "url": SERVICE },
        "retry": { "max_delay": 100, "give_up_after": 1_000 },
    });
    for (key, value) in changes.as_object().unwrap() {
        handler[key] = value.clone();
    }
    handler
}

fn site_with(changes: Value, strict: bool) -> Site {
    let rule = set(
        rule("web", "https://app.test/<.*>"),
        "authorizers",
        json!([remote(changes)]),
    );
    let rule = set(
        rule,
        "authenticators",
        json!([{ "handler": "anonymous", "subject": "guest" }]),
    );
    let verbose = json!([{ "kind": { "handler": "json", "verbose": true } }]);
    Site::new(
        policy([rule])
            .with("identity_headers", json!(["x-authz-user"]))
            .with("errors", verbose)
            .mode(strict),
    )
}

fn site(strict: bool) -> Site {
    site_with(json!({}), strict)
}

fn posts(body: &[u8], headers: &[(&str, &str)]) -> RawRequest<Body> {
    let request = request("POST", "https://app.test/x", headers);
    RawRequest {
        method: request.method,
        url: request.url,
        headers: request.headers,
        listener: request.listener,
        body: Body(Ok(body.to_vec())),
    }
}

/// The headers of the last question.
fn asked(site: &Site) -> HeaderMap {
    site.memory.asked().last().unwrap().headers.clone()
}

fn says(site: &Site, status: u16) {
    site.memory.script("authz", "", Reply::new(status, "{}"));
}

#[test]
fn the_service_and_the_upstream_see_the_same_body() {
    for strict in [false, true] {
        let site = site(strict);
        says(&site, 200);
        let forwarded = site
            .send(posts(b"a=1&b=\xff", &[("content-type", "x/y"), ADA]))
            .forwarded();
        assert_eq!(forwarded.forward.body.as_deref(), Some(&b"a=1&b=\xff"[..]));
        let asked = site.memory.asked();
        assert_eq!(asked.len(), 1);
        assert_eq!(
            (asked[0].method.as_str(), asked[0].url.as_str()),
            ("POST", SERVICE)
        );
        assert_eq!(asked[0].body, b"a=1&b=\xff");
        assert_eq!(values(&asked[0].headers, "content-type"), ["x/y"]);
        assert!(
            values(&asked[0].headers, "cookie").is_empty(),
            "no cookie goes there"
        );
    }
}

#[test]
fn without_a_body_an_empty_one_is_shown() {
    for (strict, content_type) in [(false, vec![]), (true, vec![""])] {
        let site = site(strict);
        says(&site, 200);
        let sent = site.send(request("GET", "https://app.test/x", &[]));
        assert_eq!(sent.outcome(), "http://up.test/x");
        assert_eq!(site.memory.asked()[0].body, b"");
        assert_eq!(values(&asked(&site), "content-type"), content_type);
    }
}

#[test]
fn a_body_that_cannot_be_held_is_refused_and_nobody_is_asked() {
    for (body, status) in [
        (Ok(vec![0; (8 << 20) + 1]), 413),
        (Err(unreachable()), 400),
        (Err(timeout()), 400),
    ] {
        let site = site(false);
        says(&site, 200);
        let mut request = posts(b"", &[]);
        request.body = Body(body);
        assert_eq!(site.send(request).status(), status);
        assert_eq!(site.memory.questions(), 0);
    }
}

#[test]
fn only_200_is_a_yes_and_403_a_no() {
    for strict in [false, true] {
        for status in [
            200, 201, 202, 204, 301, 302, 307, 400, 401, 403, 404, 409, 418, 501,
        ] {
            let site = site(strict);
            says(&site, status);
            let sent = site.send(posts(b"{}", &[]));
            let expected = match (status, strict) {
                (200, _) => 0,
                (403, _) | (401, false) => 403,
                _ => 500,
            };
            assert_eq!(sent.status(), expected, "{status}, strict: {strict}");
            assert_eq!(site.memory.questions(), 1, "{status} is not asked again");
            if strict && expected == 500 {
                assert_eq!(
                    message(&sent.answered()),
                    format!("expected status code 200 but got {status}")
                );
            }
        }
    }
}

#[test]
fn a_redirect_is_not_followed() {
    let site = site(true);
    let away = Reply::new(302, "").header("location", "https://evil.test/yes");
    site.memory.script("authz", "", away);
    site.memory.script("evil", "", Reply::new(200, ""));
    assert_eq!(site.send(posts(b"", &[])).status(), 500);
    assert_eq!(site.memory.questions(), 1);
}

#[test]
fn the_clients_credential_and_the_templates_go_along() {
    for strict in [false, true] {
        let headers = json!([
            ["X-Sub", "{{ .Subject }}"],
            ["X-Empty", "{{ print .Extra.missing }}"],
            ["Content-Type", "over/ride"],
        ]);
        let site = site_with(json!({ "headers": headers }), strict);
        says(&site, 200);
        // A guest is one without `Authorization`, so it is the authorizer alone that is asked here.
        site.send(posts(b"", &[("content-type", "a/b"), ("x-sub", "root")]));
        let asked = asked(&site);
        assert_eq!(values(&asked, "x-sub"), ["guest"]);
        assert_eq!(values(&asked, "content-type"), ["over/ride"]);
        assert!(
            !asked.contains_key("x-empty"),
            "an empty header is not sent"
        );
        assert!(!asked.contains_key("authorization"));
    }
    let noop = set(
        rule("web", "https://app.test/<.*>"),
        "authorizers",
        json!([remote(json!({}))]),
    );
    let site = Site::new(policy([noop]));
    says(&site, 200);
    site.send(posts(b"", &[("authorization", "Bearer x")]));
    assert_eq!(values(&asked(&site), "authorization"), ["Bearer x"]);
}

#[test]
fn a_header_that_no_request_can_have_is_no_question() {
    for (strict, expected) in [
        (
            false,
            "An internal server error occurred, please contact the system administrator",
        ),
        (
            true,
            "Post \"http://authz.test/check\": POST http://authz.test/check giving up after 1 attempt(s): Post \"http://authz.test/check\": net/http: invalid header field value for \"X-A\"",
        ),
    ] {
        let site = site_with(json!({ "headers": [["X-A", "a{{ \"\\n\" }}b"]] }), strict);
        says(&site, 200);
        let answer = site.send(posts(b"", &[])).answered();
        assert_eq!((answer.status, message(&answer).as_str()), (500, expected));
        assert_eq!(site.memory.questions(), 0);
    }
}

#[test]
fn a_template_that_fails_is_oathkeepers_error_in_strict_mode() {
    let site = site_with(json!({ "headers": [["X", "{{ .Nope }}"]] }), true);
    let answer = site.send(posts(b"", &[])).answered();
    assert_eq!(
        message(&answer),
        "error executing headers template \"{{ .Nope }}\" in rule \"web\": template: web:X:1:3: executing \"web:X\" at <.Nope>: can't evaluate field Nope in type *authn.AuthenticationSession"
    );
    let site = site_with(json!({ "headers": [["X", "{{ bad"]] }), true);
    let answer = site.send(posts(b"", &[])).answered();
    assert_eq!(
        message(&answer),
        "error parsing headers template \"{{ bad\" in rule \"web\": template: web:X:1: function \"bad\" not defined"
    );
    assert_eq!(site.memory.questions(), 0);
}

#[test]
fn headers_of_the_answer_go_to_the_upstream_and_never_the_clients_own() {
    let names =
        json!({ "forward_response_headers_to_upstream": ["x-authz-user", "x-plain", "accept"] });
    let spoofed = [
        ("x-authz-user", "root"),
        ("x_authz_user", "root"),
        ("accept", "a/b"),
    ];
    for strict in [false, true] {
        let site = site_with(names.clone(), strict);
        let reply = Reply::new(200, "")
            .header("x-authz-user", "ada")
            .header("x-other", "o");
        site.memory.script("authz", "", reply);
        let forwarded = site.send(posts(b"", &spoofed)).forwarded();
        assert_eq!(forwarded.values("x-authz-user"), ["ada"]);
        assert!(
            forwarded.values("x-other").is_empty(),
            "only those that are listed"
        );
        assert_eq!(
            forwarded.values("accept"),
            [""],
            "what is not there is empty"
        );
        let twin = forwarded.values("x_authz_user");
        assert_eq!(twin.is_empty(), !strict);
        says(&site, 200);
        let forwarded = site.send(posts(b"", &spoofed)).forwarded();
        let expected: &[&str] = if strict { &[""] } else { &[] };
        assert_eq!(forwarded.values("x-authz-user"), expected);
    }
}

#[test]
fn a_mutator_has_the_last_word_about_a_header() {
    let changes = json!({ "forward_response_headers_to_upstream": ["x-authz-user"] });
    let web = set(
        rule("web", "https://app.test/<.*>"),
        "authorizers",
        json!([remote(changes)]),
    );
    let told = header(&[("x-authz-user", "from-{{ .Header.Get \"X-Authz-User\" }}")]);
    let site = Site::new(policy([set(web, "mutators", json!([told]))]));
    site.memory.script(
        "authz",
        "",
        Reply::new(200, "").header("x-authz-user", "ada"),
    );
    let forwarded = site.send(posts(b"", &[])).forwarded();
    assert_eq!(forwarded.values("x-authz-user"), ["from-ada"]);
}

#[test]
fn a_service_that_fails_is_asked_five_times_as_oathkeeper_does() {
    for (reply, why) in [
        (Reply::new(500, ""), ""),
        (Reply::new(503, ""), ""),
        (Reply::new(429, ""), ""),
        (
            Reply::fails(unreachable()),
            ": Post \"http://authz.test/check\": dial tcp authz.test:80: connect: connection refused",
        ),
        (
            Reply::fails(timeout()),
            ": Post \"http://authz.test/check\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)",
        ),
    ] {
        let site = site(true);
        site.memory.script("authz", "", reply);
        let began = site.memory.milliseconds();
        let answer = site.send(posts(b"{}", &[])).answered();
        assert_eq!(site.memory.questions(), 5);
        assert!(site.memory.asked().iter().all(|asked| asked.body == b"{}"));
        assert_eq!(answer.status, 500);
        assert_eq!(
            message(&answer),
            format!("Post \"{SERVICE}\": POST {SERVICE} giving up after 5 attempt(s){why}")
        );
        assert_eq!(
            site.memory.milliseconds() - began,
            4_000,
            "a second between two"
        );
    }
}

#[test]
fn a_service_that_recovers_has_failed_nobody() {
    for strict in [false, true] {
        let site = site(strict);
        says(&site, 200);
        site.memory.next([
            Reply::fails(unreachable()),
            Reply::new(502, ""),
            Reply::new(429, ""),
        ]);
        assert_eq!(site.send(posts(b"", &[])).status(), 0);
        assert_eq!(site.memory.questions(), 4);
    }
}

#[test]
fn retry_after_is_honoured_within_bounds() {
    // Oathkeeper would wait four hours.
    let site = site(true);
    site.memory.script(
        "authz",
        "",
        Reply::new(429, "").header("retry-after", "3600"),
    );
    let began = site.memory.milliseconds();
    assert_eq!(site.send(posts(b"", &[])).status(), 500);
    assert_eq!(site.memory.questions(), 5);
    assert_eq!(site.memory.milliseconds() - began, 5_000);
    let site = site_with(json!({}), true);
    says(&site, 200);
    site.memory
        .next([Reply::new(503, "").header("retry-after", "2")]);
    let began = site.memory.milliseconds();
    assert_eq!(site.send(posts(b"", &[])).status(), 0);
    assert_eq!(site.memory.milliseconds() - began, 2_000);
}

#[test]
fn by_default_a_failure_is_503_within_the_time_that_was_given() {
    for (reply, longest, retry_after) in [
        (Reply::new(500, ""), 1_000, "5"),
        (Reply::new(503, "").header("retry-after", "30"), 0, "30"),
        (Reply::new(429, "").header("retry-after", "7"), 0, "7"),
        (
            Reply::new(503, "").header("retry-after", "soon"),
            1_000,
            "5",
        ),
        (Reply::fails(unreachable()), 1_000, "5"),
        (Reply::fails(timeout()), 1_000, "5"),
        (Reply::new(200, "").takes(60_000), 1_000, "5"),
        (Reply::new(500, "").takes(600), 1_000, "5"),
    ] {
        let site = site(false);
        site.memory.script("authz", "", reply.clone());
        let began = site.memory.milliseconds();
        let answer = site.send(posts(b"", &[])).answered();
        assert_eq!(answer.status, 503, "{reply:?}");
        assert_eq!(
            header_of(&answer, "retry-after"),
            Some(retry_after),
            "{reply:?}"
        );
        let took = site.memory.milliseconds() - began;
        assert!(took <= longest, "{reply:?} took {took} ms");
        assert!(site.memory.questions() <= 5);
        assert!(!answer.body.contains("authz.test"), "{}", answer.body);
    }
}

#[test]
fn strict_mode_does_not_wait_for_ever_either() {
    let site = site(true);
    site.memory
        .script("authz", "", Reply::new(200, "").takes(60_000));
    let began = site.memory.milliseconds();
    assert_eq!(site.send(posts(b"", &[])).status(), 500);
    assert!(site.memory.milliseconds() - began <= 20_000);
}

#[test]
fn an_answer_is_asked_for_anew_each_time() {
    let site = site(false);
    says(&site, 200);
    assert_eq!(site.send(posts(b"", &[])).status(), 0);
    says(&site, 403);
    assert_eq!(site.send(posts(b"", &[])).status(), 403);
}

#[test]
fn a_failing_service_is_no_reason_to_log_in() {
    let site = site(false);
    site.memory.script("authz", "", Reply::new(500, ""));
    let answer = site.send(posts(b"", &[("accept", "text/html")])).answered();
    assert_eq!(answer.status, 503);
}
