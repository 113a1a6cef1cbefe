//! A session check that answers with its status alone, or from elsewhere: a session in strict mode where that is safe, as in
//! Oathkeeper; never by default.

use serde_json::{Value, json};

use crate::memory::Reply;
use crate::policy::{WHOAMI, cookie_session, header, policy, rule, set, set_check};
use crate::site::{ADA, Sent, Site, get, request, session};
use crate::tokens::{headers, told};

const URL: &str = "https://app.test/";

fn site(check: Value, strict: bool) -> Site {
    with_authorizer(check, json!({ "handler": "allow" }), strict)
}

fn with_authorizer(check: Value, authorizer: Value, strict: bool) -> Site {
    let web = set(
        rule("web", "https://app.test/<.*>"),
        "authenticators",
        json!([check]),
    );
    let web = set(web, "authorizers", json!([authorizer]));
    let told = header(&[
        ("x-sub", "{{ print .Subject }}"),
        ("x-extra", "{{ .Extra | toJson }}"),
    ]);
    Site::new(policy([set(web, "mutators", json!([told]))]).mode(strict))
}

fn ada(site: &Site, method: &str) -> Sent {
    site.send(request(method, URL, &[ADA]))
}

fn nobody() -> (String, Value) {
    (String::new(), Value::Null)
}

fn to(location: &str) -> Reply {
    Reply::new(302, "").header("location", location)
}

fn methods_and_urls(site: &Site) -> Vec<String> {
    let asked = site.memory.asked();
    let line =
        |asked: &edgekeeper_gateway::runtime::Outbound| format!("{} {}", asked.method, asked.url);
    asked.iter().map(line).collect()
}

#[test]
fn strict_mode_lets_in_whom_an_empty_200_lets_in_as_nobody() {
    for check in [
        cookie_session(),
        set_check(cookie_session(), "extra_from", json!("@this")),
    ] {
        for method in ["GET", "POST", "HEAD"] {
            let site = site(check.clone(), true).answers(Reply::new(200, ""));
            assert_eq!(told(ada(&site, method)), nobody(), "{method}");
            assert_eq!(site.memory.asked()[0].method, method);
        }
    }
    let by_default = site(cookie_session(), false).answers(Reply::new(200, ""));
    assert_eq!(ada(&by_default, "GET").status(), 503);
}

#[test]
fn an_empty_page_is_no_session_and_neither_is_one_whose_headers_are_seen() {
    for method in ["GET", "HEAD"] {
        for (kind, expected) in [
            ("text/html", 503),
            ("Text/HTML; charset=utf-8", 503),
            ("application/xhtml+xml", 503),
            ("application/json", 0),
            ("text/plain", 0),
        ] {
            let site = site(cookie_session(), true)
                .answers(Reply::new(200, "").header("content-type", kind));
            assert_eq!(ada(&site, method).status(), expected, "{method} {kind}");
        }
    }
}

#[test]
fn only_200_lets_in_without_a_word() {
    for method in ["GET", "HEAD"] {
        for (status, expected) in [(201, 401), (204, 401), (401, 401), (403, 401), (404, 401)] {
            let site = site(cookie_session(), true).answers(Reply::new(status, ""));
            assert_eq!(ada(&site, method).status(), expected, "{method} {status}");
        }
    }
}

#[test]
fn a_list_of_people_lets_in_nobody_in_particular_never() {
    for list in [
        json!({ "handler": "allowlist", "domains": ["example.test"] }),
        json!({ "handler": "allowlist", "emails": ["ada@example.test"] }),
        json!({ "handler": "allowlist", "subjects": ["ada"] }),
    ] {
        for method in ["GET", "HEAD"] {
            let site =
                with_authorizer(cookie_session(), list.clone(), true).answers(Reply::new(200, ""));
            assert_eq!(ada(&site, method).status(), 403, "{list} {method}");
        }
    }
}

#[test]
fn what_head_was_told_is_not_told_to_get() {
    let site = site(cookie_session(), true);
    site.memory
        .next([Reply::new(200, ""), session("ada").reply()]);
    for _ in 0..2 {
        assert_eq!(told(ada(&site, "HEAD")), nobody());
        assert_eq!(told(ada(&site, "GET")).0, "ada");
    }
    assert_eq!(site.memory.questions(), 2, "each is remembered");
}

#[test]
fn strict_mode_follows_redirects_within_the_origin_as_go_does() {
    let moved = |status| Reply::new(status, "").header("location", "/elsewhere?x=1");
    for (status, method, then) in [
        (301, "GET", "GET"),
        (302, "GET", "GET"),
        (303, "POST", "GET"),
        (302, "POST", "GET"),
        (307, "POST", "POST"),
        (308, "GET", "GET"),
    ] {
        let site = site(cookie_session(), true);
        site.memory.next([moved(status), session("ada").reply()]);
        assert_eq!(told(ada(&site, method)).0, "ada", "{status} {method}");
        assert_eq!(
            methods_and_urls(&site),
            [
                format!("{method} {WHOAMI}"),
                format!("{then} http://kratos.test/elsewhere?x=1")
            ]
        );
        assert_eq!(
            headers(&site.memory.asked()[1]),
            [
                "cookie: ory_kratos_session=ada".to_owned(),
                format!("referer: {WHOAMI}")
            ]
        );
    }
    let twice = site(cookie_session(), true);
    twice
        .memory
        .next([to("/a"), to("b"), session("ada").reply()]);
    assert_eq!(told(ada(&twice, "GET")).0, "ada");
    assert_eq!(
        headers(&twice.memory.asked()[2])[1],
        "referer: http://kratos.test/a",
        "the page before, not the first"
    );
    let by_default = site(cookie_session(), false).answers(to("/elsewhere"));
    assert_eq!(ada(&by_default, "GET").status(), 503);
    assert_eq!(by_default.memory.questions(), 1);
}

#[test]
fn a_referer_that_is_forwarded_stays() {
    let check = set_check(
        cookie_session(),
        "forward_http_headers",
        json!(["Cookie", "Referer"]),
    );
    let site = site(check, true);
    site.memory.next([to("/a"), session("ada").reply()]);
    let referer = ("referer", "https://app.test/page");
    assert_eq!(told(site.send(get(URL, &[ADA, referer]))).0, "ada");
    assert_eq!(
        headers(&site.memory.asked()[1])[1],
        "referer: https://app.test/page"
    );
}

#[test]
fn no_redirect_takes_the_credential_to_another_origin() {
    for location in [
        "https://kratos.test/x",
        "http://kratos.test:81/x",
        "http://evil.test/x",
        "//evil.test/x",
        "http://kratos.test@evil.test/",
        "/\\evil.test",
    ] {
        let site = site(cookie_session(), true);
        site.memory.next([to("/a"), to(location)]);
        site.memory.script("", "", session("ada").reply());
        assert_eq!(ada(&site, "GET").status(), 503, "{location}");
        assert_eq!(site.memory.questions(), 2, "{location}");
    }
}

#[test]
fn where_a_redirect_leads_only_a_session_is_one() {
    for (reply, expected) in [
        (session("ada").reply(), 0),
        (session("ada").with("/active", json!(false)).reply(), 401),
        (Reply::new(200, "<html>login</html>"), 503),
        (Reply::new(200, ""), 503),
        (Reply::new(401, ""), 401),
        (Reply::new(404, ""), 401),
        (Reply::new(302, ""), 503),
    ] {
        let site = site(cookie_session(), true);
        site.memory.next([to("/a"), reply.clone()]);
        assert_eq!(ada(&site, "GET").status(), expected, "{reply:?}");
    }
    let head = site(cookie_session(), true);
    head.memory.next([to("/login"), Reply::new(200, "")]);
    assert_eq!(ada(&head, "HEAD").status(), 503, "it would see no document");
    assert_eq!(head.memory.questions(), 1);
}

#[test]
fn redirects_end_after_ten_questions_and_within_the_time_of_one() {
    let round = site(cookie_session(), true).answers(to("/again"));
    assert_eq!(ada(&round, "GET").status(), 503);
    assert_eq!(round.memory.questions(), 10);
    let slow = site(cookie_session(), true).answers(to("/again").takes(2_000));
    assert_eq!(ada(&slow, "GET").status(), 403);
    let waits: Vec<u64> = slow.memory.asked().iter().map(|one| one.timeout).collect();
    assert_eq!(waits, [5_000, 3_000, 1_000]);
}
