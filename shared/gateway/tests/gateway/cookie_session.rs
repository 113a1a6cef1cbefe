//! `cookie_session`: what Kratos is asked, and what its answer makes of a request.

use serde_json::{Value, json};

use crate::memory::{NOW, Reply};
use crate::policy::{WHOAMI, cookie_session, header, policy, rule, session_rule, set, set_check};
use crate::site::{ADA, Site, get, request, session};

fn with(name: &str, value: Value) -> Site {
    configured(set_check(cookie_session(), name, value), false)
}

fn configured(config: Value, strict: bool) -> Site {
    let web = set(
        rule("web", "https://app.test/<.*>"),
        "authenticators",
        json!([config]),
    );
    let told = header(&[
        ("x-subject", "{{ .Subject }}"),
        ("x-extra", "{{ .Extra | toJson }}"),
    ]);
    let site = Site::new(policy([set(web, "mutators", json!([told]))]).mode(strict));
    site.memory.script("", "", session("ada").reply());
    site
}

fn plain() -> Site {
    configured(cookie_session(), false)
}

/// The headers Kratos was sent, sorted, without `accept`.
fn sent_to_kratos(site: &Site) -> Vec<String> {
    let asked = site.memory.asked();
    assert_eq!(asked.len(), 1, "one question");
    let mut headers: Vec<String> = asked[0]
        .headers
        .iter()
        .filter(|(name, _)| *name != "accept")
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    headers.sort();
    headers
}

#[test]
fn exactly_one_credential_is_forwarded_the_one_kratos_would_take() {
    let token = ("x-session-token", "ory_st_x");
    let bearer = ("authorization", "Bearer ory_st_b");
    let other = ("cookie", "theme=dark; ory_kratos_session=ada; csrf_token=1");
    for (id, headers, expected) in [
        ("the cookie", vec![ADA], "cookie: ory_kratos_session=ada"),
        (
            "only the cookie",
            vec![other],
            "cookie: ory_kratos_session=ada",
        ),
        ("the token", vec![token], "x-session-token: ory_st_x"),
        (
            "G17 the bearer",
            vec![bearer],
            "authorization: Bearer ory_st_b",
        ),
        (
            "G15 token before cookie",
            vec![ADA, token],
            "x-session-token: ory_st_x",
        ),
        (
            "cookie before bearer",
            vec![bearer, ADA],
            "cookie: ory_kratos_session=ada",
        ),
        (
            "token before all",
            vec![bearer, ADA, token],
            "x-session-token: ory_st_x",
        ),
        (
            "G01 the first of two cookies",
            vec![("cookie", "ory_kratos_session=ada; ory_kratos_session=bob")],
            "cookie: ory_kratos_session=ada",
        ),
        (
            "G01 in two headers",
            vec![ADA, ("cookie", "ory_kratos_session=bob")],
            "cookie: ory_kratos_session=ada",
        ),
        (
            "G07 spaces",
            vec![("cookie", "ory_kratos_session =ada")],
            "cookie: ory_kratos_session=ada",
        ),
        (
            "an empty token is none",
            vec![("x-session-token", ""), ADA],
            "cookie: ory_kratos_session=ada",
        ),
    ] {
        let site = plain();
        assert_eq!(
            site.send(get("https://app.test/", &headers)).status(),
            0,
            "{id}"
        );
        assert_eq!(sent_to_kratos(&site), [expected], "{id}");
        let asked = &site.memory.asked()[0];
        assert_eq!(
            (asked.method.as_str(), asked.url.as_str()),
            ("GET", WHOAMI),
            "{id}"
        );
        assert_eq!((asked.timeout, asked.largest), (5_000, 1 << 20), "{id}");
    }
}

#[test]
fn group_g_a_credential_with_two_readings_is_401_without_a_question() {
    let long = format!("ory_kratos_session={}", "x".repeat(20_000));
    for (id, headers) in [
        ("G09", vec![("cookie", long.as_str())]),
        (
            "G19",
            vec![("x-session-token", "a"), ("x-session-token", "b")],
        ),
        (
            "G19",
            vec![("x-session-token", "a"), ("x-session-token", "a"), ADA],
        ),
        ("G20", vec![("x-session-token", "a, b")]),
        ("G21", vec![("x-session-token", "a b")]),
        (
            "G22",
            vec![
                ("authorization", "Bearer ory_st_a"),
                ("authorization", "Bearer ory_st_b"),
            ],
        ),
        (
            "G22",
            vec![("authorization", "Bearer ory_st_a, Bearer ory_st_b")],
        ),
    ] {
        let site = plain();
        assert_eq!(
            site.send(get("https://app.test/", &headers)).status(),
            401,
            "{id}"
        );
        assert_eq!(site.memory.questions(), 0, "{id}");
    }
}

#[test]
fn group_g_what_kratos_would_not_read_is_no_credential() {
    for (id, cookie) in [
        ("G03", "$Version=1; ory_kratos_session=\"a; b\""),
        ("G05", "\u{2000}ory_kratos_session=ada"),
        ("G11", "ory_kratos_session=a\u{e9}"),
        ("G11", "ory_kratos_session=a\\b"),
        ("G13", "__Secure-ory_kratos_session=ada"),
        (
            "G13",
            "ory_kratos_session_x=ada; xory_kratos_session=ada; ORY_KRATOS_SESSION=ada",
        ),
        ("", ""),
        ("", ";;;"),
    ] {
        let site = plain();
        assert_eq!(
            site.send(get("https://app.test/", &[("cookie", cookie)]))
                .status(),
            401,
            "{id} {cookie}"
        );
        assert_eq!(site.memory.questions(), 0, "{id} {cookie}");
    }
}

#[test]
fn cve_2026_47673_only_the_bearer_scheme_carries_a_token() {
    for value in [
        "Basic ory_st_x",
        "Bearer2 ory_st_x",
        "Bearer\tory_st_x",
        "ory_st_x",
        "Bearer",
        "Bearer ",
    ] {
        let site = configured(
            set(cookie_session(), "bearer", json!("session_token")),
            false,
        );
        assert_eq!(
            site.send(get("https://app.test/", &[("authorization", value)]))
                .status(),
            401,
            "{value}"
        );
        assert_eq!(site.memory.questions(), 0, "{value}");
    }
    let any = configured(set(cookie_session(), "bearer", json!("any")), false);
    assert_eq!(
        any.send(get(
            "https://app.test/",
            &[("authorization", "bearer eyJ.x.y")]
        ))
        .status(),
        0
    );
    assert_eq!(sent_to_kratos(&any), ["authorization: Bearer eyJ.x.y"]);
}

#[test]
fn only_says_which_cookies_are_sessions() {
    let site = configured(
        set(cookie_session(), "only", json!(["my_session", "other"])),
        false,
    );
    assert_eq!(site.send(get("https://app.test/", &[ADA])).status(), 401);
    assert_eq!(site.memory.questions(), 0);
    let cookie = ("cookie", "other=2; x=y; my_session=1");
    assert_eq!(site.send(get("https://app.test/", &[cookie])).status(), 0);
    assert_eq!(sent_to_kratos(&site), ["cookie: my_session=1; other=2"]);
}

#[test]
fn strict_mode_sends_all_cookies_for_any_cookie() {
    let config = cookie_session();
    let site = configured(config.clone(), true);
    assert_eq!(
        site.send(get(
            "https://app.test/",
            &[("cookie", "a=1; b=2"), ("cookie", "c=3")]
        ))
        .status(),
        0
    );
    assert_eq!(sent_to_kratos(&site), ["cookie: a=1; b=2; c=3"]);
    for headers in [
        &[][..],
        &[("x-session-token", "t")],
        &[("authorization", "Bearer ory_st_x")],
    ] {
        let site = configured(config.clone(), true);
        assert_eq!(
            site.send(get("https://app.test/", headers)).status(),
            401,
            "{headers:?}"
        );
        assert_eq!(site.memory.questions(), 0, "{headers:?}");
    }
}

#[test]
fn the_check_url_is_made_as_oathkeeper_makes_it() {
    let request_url = "https://app.test/a%2Fb/c?x=1&tokenize_as=t&tokenize%5fas=t&y";
    for (preserve_path, preserve_query, expected) in [
        (true, true, "http://kratos.test/sessions/whoami?own=1"),
        (true, false, "http://kratos.test/sessions/whoami?x=1&y"),
        (false, true, "http://kratos.test/a/b/c?own=1"),
        (false, false, "http://kratos.test/a/b/c?x=1&y"),
    ] {
        let config = set_check(
            cookie_session(),
            "check_session_url",
            json!("http://kratos.test/sessions/whoami?own=1"),
        );
        let config = set_check(
            set_check(config, "preserve_path", json!(preserve_path)),
            "preserve_query",
            json!(preserve_query),
        );
        let site = configured(config, false);
        site.send(get(request_url, &[ADA]));
        assert_eq!(site.memory.asked()[0].url, expected);
    }
}

#[test]
fn the_check_asks_with_get_unless_told_otherwise() {
    for (strict, forced, method, expected) in [
        (false, "", "POST", "GET"),
        (false, "", "HEAD", "GET"),
        (true, "", "POST", "POST"),
        (true, "", "GET", "GET"),
        (true, "", "HEAD", "HEAD"),
        (false, "PUT", "GET", "PUT"),
        (true, "PUT", "GET", "PUT"),
    ] {
        let site = configured(
            set_check(cookie_session(), "force_method", json!(forced)),
            strict,
        );
        site.send(request(method, "https://app.test/", &[ADA]));
        assert_eq!(
            site.memory.asked()[0].method,
            expected,
            "{method}, forced {forced:?}, strict: {strict}"
        );
    }
}

#[test]
fn only_listed_headers_go_along_and_never_a_second_credential() {
    let listed = json!([
        "x-tenant",
        "x-missing",
        "cookie",
        "authorization",
        "x-session-token",
        "host",
        "connection",
        "content-length"
    ]);
    let config = set_check(cookie_session(), "forward_http_headers", listed);
    let config = set_check(config, "additional_headers", json!({ "x-api-key": "k" }));
    let config = set_check(config, "preserve_host", json!(true));
    let site = configured(config, false);
    site.send(get(
        "https://app.test:8443/",
        &[
            ADA,
            ("x-tenant", "a"),
            ("x-tenant", "b"),
            ("x-other", "o"),
            ("authorization", "Bearer x"),
            ("content-length", "5"),
            ("host", "app.test"),
        ],
    ));
    assert_eq!(site.memory.questions(), 0, "another port is another host");
    site.send(get(
        "https://app.test/",
        &[
            ADA,
            ("x-tenant", "a"),
            ("x-tenant", "b"),
            ("x-other", "o"),
            ("authorization", "Bearer x"),
            ("content-length", "5"),
            ("host", "app.test"),
        ],
    ));
    assert_eq!(
        sent_to_kratos(&site),
        [
            "cookie: ory_kratos_session=ada",
            "x-api-key: k",
            "x-forwarded-host: app.test",
            "x-tenant: a",
            "x-tenant: b"
        ]
    );
}

/// The answer depends on what was sent along, so another value must ask again, also where it is not ASCII.
#[test]
fn what_is_sent_along_is_part_of_the_question() {
    let site = with("forward_http_headers", json!(["x-tenant"]));
    let tenants = ["a", "b", "é", "è", ""];
    for (asked, tenant) in tenants.into_iter().enumerate() {
        for _ in 0..2 {
            site.send(get("https://app.test/", &[ADA, ("x-tenant", tenant)]));
            assert_eq!(site.memory.questions(), asked + 1, "tenant {tenant:?}");
        }
    }
}

#[test]
fn subject_and_extra_are_found_where_the_policy_says() {
    for (subject_from, extra_from, expected_subject, expected_extra) in [
        (
            "identity.id",
            "identity.traits",
            "ada",
            r#"{"email":"ada@example.com","name":"ada"}"#,
        ),
        (
            "identity.traits.email",
            "identity.traits",
            "ada@example.com",
            r#"{"email":"ada@example.com","name":"ada"}"#,
        ),
        ("missing", "missing", "", "null"),
    ] {
        let config = set_check(cookie_session(), "subject_from", json!(subject_from));
        let site = configured(set_check(config, "extra_from", json!(extra_from)), false);
        let forwarded = site.send(get("https://app.test/", &[ADA])).forwarded();
        assert_eq!(forwarded.values("x-subject"), [expected_subject]);
        assert_eq!(forwarded.values("x-extra"), [expected_extra]);
    }
    for (name, path) in [
        ("subject_from", "identity"),
        ("subject_from", "active"),
        ("extra_from", "identity.id"),
    ] {
        let site = with(name, json!(path));
        assert_eq!(
            site.send(get("https://app.test/", &[ADA])).status(),
            403,
            "{name} {path} is of the wrong kind"
        );
    }
}

#[test]
fn only_a_real_session_counts() {
    let ada = || session("ada");
    for (id, reply, expected) in [
        ("active", ada().reply(), 0),
        ("G23", ada().with("/active", json!(false)).reply(), 401),
        ("G24", ada().with("/active", json!("true")).reply(), 401),
        ("G29", ada().without("/identity").reply(), 401),
        ("G30", ada().with("/identity/id", json!("")).reply(), 401),
        ("G31", ada().expires_at(NOW).reply(), 401),
        ("G31", ada().expires_at(NOW - 1).reply(), 401),
        ("G32", ada().with("/expires_at", json!("soon")).reply(), 401),
        ("", ada().expires_at(NOW + 5).reply(), 0),
        ("", ada().without("/expires_at").reply(), 0),
        ("201", Reply::new(201, "{}"), 503),
        ("204", Reply::new(204, ""), 503),
        ("401", Reply::new(401, "{}"), 401),
        ("403", Reply::new(403, "{}"), 401),
        ("404", Reply::new(404, "{}"), 503),
        (
            "G27",
            Reply::new(302, "").header("location", "http://kratos.test/login"),
            503,
        ),
        ("G28", Reply::new(200, "<html>login</html>"), 503),
        ("G28", Reply::new(200, ""), 503),
        ("G28", Reply::new(200, "[]"), 503),
        ("CVE-2026-26998", Reply::new(200, "x".repeat(2 << 20)), 503),
        (
            "RUSTSEC-2024-0012",
            Reply::new(200, "[".repeat(100_000)),
            503,
        ),
    ] {
        let site = plain();
        site.memory.script("", "", reply);
        assert_eq!(
            site.send(get("https://app.test/", &[ADA])).status(),
            expected,
            "{id}"
        );
        assert_eq!(
            site.memory.questions(),
            1,
            "{id}: a redirect is not followed"
        );
    }
}

#[test]
fn strict_mode_knows_other_session_stores_but_no_inactive_session() {
    for (id, body, expected) in [
        ("another store", r#"{"subject":"bob"}"#.to_owned(), 0),
        ("no subject at all", "{}".to_owned(), 0),
        (
            "inactive",
            r#"{"subject":"bob","active":false}"#.to_owned(),
            401,
        ),
        ("a page", "<html>".to_owned(), 503),
    ] {
        let site = configured(cookie_session(), true);
        site.memory.script("", "", Reply::new(200, body));
        assert_eq!(
            site.send(get("https://app.test/", &[ADA])).status(),
            expected,
            "{id}"
        );
    }
}

#[test]
fn i01_two_users_are_never_mixed() {
    let site = plain();
    let people = ["ada", "bob", "eve", "ad", "ada0"];
    for name in people {
        site.memory.script(
            "",
            &format!("ory_kratos_session={name}#"),
            session(name).reply(),
        );
    }
    for _ in 0..3 {
        for name in people {
            let cookie = format!("ory_kratos_session={name}#");
            let forwarded = site
                .send(get("https://app.test/same", &[("cookie", &cookie)]))
                .forwarded();
            assert_eq!(forwarded.values("x-subject"), [name]);
        }
    }
    assert_eq!(site.memory.questions(), people.len());
}

#[test]
fn i03_i05_credentials_that_look_alike_are_different() {
    let long = "x".repeat(100);
    let site = plain();
    let cookies = [
        format!("ory_kratos_session={long}1"),
        format!("ory_kratos_session={long}2"),
        format!("ory_kratos_session={long}"),
        format!("ory_kratos_session={}", &long[..99]),
        "ory_kratos_session=a|b".to_owned(),
        "ory_kratos_session=a".to_owned(),
    ];
    for (asked, cookie) in cookies.iter().enumerate() {
        site.send(get("https://app.test/", &[("cookie", cookie)]));
        assert_eq!(site.memory.questions(), asked + 1, "{cookie}");
    }
    // The same characters in another place are another credential.
    site.send(get("https://app.test/", &[("x-session-token", "a")]));
    assert_eq!(site.memory.questions(), cookies.len() + 1);
}

#[test]
fn cve_2026_33496_two_session_stores_do_not_answer_for_each_other() {
    let other = set_check(
        cookie_session(),
        "check_session_url",
        json!("http://other.test/sessions/whoami"),
    );
    let site = Site::with_ada(policy([
        session_rule("one", "https://one.test/<.*>"),
        set(
            rule("two", "https://two.test/<.*>"),
            "authenticators",
            json!([other]),
        ),
    ]));
    assert_eq!(site.send(get("https://one.test/", &[ADA])).status(), 0);
    assert_eq!(
        site.send(get("https://two.test/", &[ADA])).status(),
        401,
        "the other store does not know her"
    );
    assert_eq!(
        site.memory.asked()[1].url,
        "http://other.test/sessions/whoami"
    );
}

#[test]
fn one_session_serves_many_rules_with_one_question() {
    let site = Site::with_ada(policy([
        session_rule("one", "https://one.test/<.*>"),
        session_rule("two", "https://two.test/<.*>"),
    ]));
    for url in [
        "https://one.test/a",
        "https://two.test/b",
        "https://one.test/c?d",
    ] {
        assert_eq!(site.send(get(url, &[ADA])).status(), 0, "{url}");
    }
    assert_eq!(site.memory.questions(), 1);
}

#[test]
fn a_binding_takes_the_check_where_there_is_one() {
    let site = with("binding", json!("KRATOS"));
    site.send(get("https://app.test/", &[ADA]));
    assert_eq!(site.memory.asked()[0].binding.as_deref(), Some("KRATOS"));
}

#[test]
fn n01_a_websocket_without_a_session_is_401() {
    let site = plain();
    let upgrade = [("connection", "Upgrade"), ("upgrade", "websocket")];
    assert_eq!(site.send(get("https://app.test/", &upgrade)).status(), 401);
}

#[test]
fn i23_a_conditional_request_is_no_way_around() {
    let site = plain();
    for header in [
        ("if-none-match", "*"),
        ("range", "bytes=0-1"),
        ("if-modified-since", "Tue, 14 Nov 2023 22:13:20 GMT"),
    ] {
        assert_eq!(
            site.send(get("https://app.test/", &[header])).status(),
            401,
            "{header:?}"
        );
    }
}
