//! `/decisions`: another proxy asks whether a request may pass.

use edgekeeper_gateway::decision::Answer;
use edgekeeper_gateway::request::{Listener, RawRequest};
use serde_json::{Value, json};

use crate::memory::API_SECRET;
use crate::policy::{Document, header as header_mutator, policy, rule, session_rule, set};
use crate::site::{ADA, Site, all, get, header, message, request};

const FORWARDED: [&str; 4] = [
    "x-forwarded-method",
    "x-forwarded-proto",
    "x-forwarded-host",
    "x-forwarded-uri",
];

pub(crate) fn document() -> Document {
    let told = |rule| {
        set(
            rule,
            "mutators",
            json!([header_mutator(&[
                ("x-user-id", "{{ print .Subject }}"),
                (
                    "x-seen",
                    "{{ .MatchContext.Method }} {{ .MatchContext.URL }}"
                ),
            ])]),
        )
    };
    let page = set(
        session_rule("page", "https://page.test/<.*>"),
        "errors",
        json!([{ "kind": {
            "handler": "redirect", "to": "https://login.test/", "code": 302, "return_to_query_param": "return_to",
        } }]),
    );
    policy([
        told(session_rule("app", "https://app.test/<.*>")),
        set(
            rule("open", "https://open.test/<.*>"),
            "upstream",
            Value::Null,
        ),
        told(set(
            rule("docs", "https://docs.test/docs"),
            "methods",
            json!(["GET"]),
        )),
        set(
            rule("post", "https://post.test/<.*>"),
            "methods",
            json!(["POST"]),
        ),
        set(
            rule("deny", "https://deny.test/<.*>"),
            "authorizers",
            json!([{ "handler": "deny" }]),
        ),
        page,
        told(rule("plain", "http://plain.test/<.*>")),
    ])
    .with("api_hosts", json!(["api.test"]))
}

/// Proxies alone reach the API's listener.
fn trusting() -> Site {
    Site::with_ada(document().with("api", json!({ "trust_forwarded_headers": true })))
}

fn with_secret() -> Site {
    Site::with_ada(document().with("api", json!({ "secret": "API_SECRET" })))
}

pub(crate) fn on_api(mut request: RawRequest) -> RawRequest {
    request.listener = Listener::Api;
    request
}

/// As nginx and Traefik ask.
pub(crate) fn forwarded(
    method: &str,
    proto: &str,
    host: &str,
    uri: &str,
    more: &[(&str, &str)],
) -> RawRequest {
    let headers: Vec<(&str, &str)> = FORWARDED
        .into_iter()
        .zip([method, proto, host, uri])
        .chain(more.iter().copied())
        .collect();
    on_api(get("http://gateway.test/decisions", &headers))
}

pub(crate) fn ask(site: &Site, request: RawRequest) -> Answer {
    site.send(request).answered()
}

#[test]
fn whoever_may_pass_is_200_with_what_the_upstream_is_told() {
    let request = forwarded("POST", "https", "app.test", "/x%20y?a=1&b=%2F", &[ADA]);
    let answer = ask(&trusting(), request);
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    assert_eq!(header(&answer, "x-user-id"), Some("ada"));
    assert_eq!(
        header(&answer, "x-seen"),
        Some("POST https://app.test/x%20y?a=1&b=%2F")
    );
    assert_eq!(header(&answer, "cache-control"), Some("no-store"));
    assert_eq!(
        header(&answer, "cookie"),
        None,
        "nothing of the client's comes back"
    );
}

#[test]
fn whoever_may_not_is_told_so_by_the_rules_error_handlers() {
    let site = trusting();
    for (host, more, status) in [
        ("app.test", ("x-in", "1"), 401),
        ("deny.test", ADA, 403),
        ("nobody.test", ADA, 404),
    ] {
        let answer = ask(&site, forwarded("GET", "https", host, "/x", &[more]));
        assert_eq!(answer.status, status, "{host}");
    }
    let page = ask(
        &site,
        forwarded(
            "GET",
            "https",
            "page.test",
            "/a?b=1",
            &[("accept", "text/html")],
        ),
    );
    assert_eq!(
        (page.status, header(&page, "location")),
        (
            302,
            Some("https://login.test/?return_to=https%3A%2F%2Fpage.test%2Fa%3Fb%3D1")
        )
    );
    let posted = ask(&site, forwarded("POST", "https", "page.test", "/a", &[]));
    assert_eq!(
        posted.status, 401,
        "the method that counts is the forwarded one"
    );
}

#[test]
fn a_rule_without_upstream_is_for_decisions() {
    assert_eq!(
        ask(
            &trusting(),
            forwarded("GET", "https", "open.test", "/", &[])
        )
        .status,
        200
    );
}

#[test]
fn headers_that_tell_who_the_user_is_are_empty_where_the_rule_tells_nothing() {
    for more in [("x-in", "1"), ("x-user-id", "root")] {
        let answer = ask(
            &trusting(),
            forwarded("GET", "https", "open.test", "/", &[more]),
        );
        for name in ["x-user-id", "x-seen"] {
            let values = all(&answer, name);
            assert!(!values.is_empty(), "{name} {more:?}");
            assert!(
                values.iter().all(|value| value.is_empty()),
                "{name} {more:?}"
            );
        }
    }
}

#[test]
fn without_trust_forwarded_headers_count_for_nothing() {
    for site in [Site::with_ada(document()), with_secret()] {
        let answer = ask(&site, forwarded("GET", "https", "open.test", "/", &[]));
        assert_eq!(answer.status, 403);
        let log = site.memory.take_log().join("");
        assert!(log.contains("api.trust_forwarded_headers"), "{log}");
    }
}

#[test]
fn a_proxy_with_the_secret_is_believed_on_a_public_host_too() {
    let site = with_secret();
    let public = |more: &[(&str, &str)]| {
        let mut request = forwarded("GET", "https", "app.test", "/x", more);
        request.listener = Listener::Proxy;
        request.url = "https://api.test/decisions".to_owned();
        request
    };
    let secret = ("x-edgekeeper-secret", API_SECRET);
    assert_eq!(ask(&site, public(&[secret, ADA])).status, 200);
    for wrong in ["", "x", &API_SECRET[1..], &format!("{API_SECRET}x")] {
        let answer = ask(&site, public(&[("x-edgekeeper-secret", wrong), ADA]));
        assert_eq!(answer.status, 403, "{wrong}");
    }
    assert_eq!(ask(&site, public(&[ADA])).status, 403, "without");
    for path in ["/decisions/x", "/rules", "/rules/app"] {
        let answer = ask(&site, get(&format!("https://api.test{path}"), &[]));
        assert_eq!(answer.status, 403, "{path} is not for everybody");
    }
    let log = site.memory.take_log().join("");
    assert!(!log.contains(API_SECRET), "{log}");
    let without =
        Site::with_ada(document().with("api", json!({ "trust_forwarded_headers": true })));
    assert_eq!(
        ask(&without, public(&[secret, ADA])).status,
        403,
        "a public host is not the listener that is trusted"
    );
}

#[test]
fn a_secret_that_the_runtime_does_not_have_lets_nobody_in() {
    for name in ["MISSING", "SHORT"] {
        let site = Site::with_ada(document().with("api", json!({ "secret": name })));
        for value in ["", "short", API_SECRET] {
            let headers = [("x-edgekeeper-secret", value), ADA];
            let answer = ask(&site, forwarded("GET", "https", "app.test", "/x", &headers));
            assert_eq!(answer.status, 500, "{name} {value}");
        }
        assert!(site.memory.take_log().join("").contains(name));
    }
}

#[test]
fn no_service_sees_the_secret() {
    let site = with_secret();
    let echoing = rule("echo", "https://echo.test/<.*>");
    let strict = Site::new(
        policy([echoing])
            .with("api", json!({ "secret": "API_SECRET" }))
            .strict(),
    );
    let secret = ("x-edgekeeper-secret", API_SECRET);
    ask(
        &site,
        forwarded("GET", "https", "app.test", "/x", &[secret, ADA]),
    );
    for outbound in site.memory.asked() {
        assert!(!outbound.headers.contains_key("x-edgekeeper-secret"));
    }
    let answer = ask(
        &strict,
        forwarded("GET", "https", "echo.test", "/x", &[secret]),
    );
    assert_eq!(answer.status, 200);
    assert_eq!(header(&answer, "x-edgekeeper-secret"), None);
    assert_eq!(header(&answer, "x-forwarded-uri"), Some("/x"));
}

#[test]
fn envoy_asks_with_the_request_itself() {
    for site in [trusting(), Site::with_ada(document())] {
        let asked =
            |method, url, more: &[(&str, &str)]| ask(&site, on_api(request(method, url, more)));
        let answer = asked("POST", "https://app.test/decisions/x?a=1", &[ADA]);
        assert_eq!(answer.status, 200);
        assert_eq!(
            header(&answer, "x-seen"),
            Some("POST https://app.test/x?a=1")
        );
        assert_eq!(
            asked("GET", "https://post.test/decisions/x", &[]).status,
            404
        );
        for forged in ["x-forwarded-method", "x-forwarded-host"] {
            let answer = asked("GET", "https://post.test/decisions/x", &[(forged, "POST")]);
            assert_eq!(answer.status, 404, "{forged} is the client's");
        }
        let answer = asked(
            "GET",
            "https://app.test/decisions/x",
            &[("x-forwarded-uri", "/y"), ADA],
        );
        assert_eq!(answer.status, 400, "two paths");
    }
    let proto = ("x-forwarded-proto", "https");
    let asked = |site: Site| {
        let url = "http://app.test/decisions/x";
        ask(&site, on_api(get(url, &[proto, ADA]))).status
    };
    assert_eq!(asked(trusting()), 200, "the scheme is Envoy's to say");
    assert_eq!(
        asked(Site::with_ada(document())),
        404,
        "to whom that is trusted"
    );
}

#[test]
fn a_request_that_is_half_described_is_refused() {
    let whole = ["GET", "https", "open.test", "/x"];
    for (missing, name) in FORWARDED.iter().enumerate() {
        let described = |values: &[&[&str]; 4]| {
            let headers: Vec<(&str, &str)> = FORWARDED
                .iter()
                .zip(values)
                .flat_map(|(name, values)| values.iter().map(|value| (*name, *value)))
                .collect();
            ask(
                &trusting(),
                on_api(get("http://g.test/decisions", &headers)),
            )
        };
        let own = [whole[missing]];
        for instead in [&[] as &[&str], &[""], &[own[0], own[0]]] {
            let mut values: [&[&str]; 4] = [&whole[0..1], &whole[1..2], &whole[2..3], &whole[3..4]];
            values[missing] = instead;
            let answer = described(&values);
            assert_eq!(answer.status, 400, "{name} {instead:?}");
            assert_eq!(message(&answer), "It is not clear which request is meant");
        }
    }
}

#[test]
fn a_described_request_that_has_no_meaning_or_two_is_refused() {
    for (proto, host, uri) in [
        ("ftp", "open.test", "/"),
        ("https, http", "open.test", "/"),
        ("https", "open.test, evil.test", "/"),
        ("https", "user@open.test", "/"),
        ("https", "open.test:x", "/"),
        ("https", "open.test", "x"),
        ("https", "open.test", "*"),
        ("https", "open.test", "https://open.test/x"),
        ("https", "open.test", "/%zz"),
        ("https", "open.test", "/a%00"),
        ("https", "open.test", "/a#b"),
        ("https", "open.test", "/a?b#c"),
        ("https", "open.test", "/a?b c"),
        ("https", "open.test", "/a b"),
        ("https", "open.test", "/..;/a"),
        ("https", "open.test", "/%252e%252e/a"),
    ] {
        let answer = ask(&trusting(), forwarded("GET", proto, host, uri, &[]));
        assert_eq!(answer.status, 400, "{proto} {host} {uri}");
    }
}

#[test]
fn what_is_judged_is_what_will_be_served() {
    // A proxy sends these on as they are, and its upstream may resolve them.
    for uri in [
        "/public/../admin",
        "/public/%2e%2e/admin",
        "/public/..%2Fadmin",
        "/./admin",
        "//admin/x",
        "/public//admin",
        "/public/x%2F",
        "/public%2F%2Fadmin",
    ] {
        let answer = ask(
            &trusting(),
            forwarded("GET", "https", "open.test", uri, &[]),
        );
        assert_eq!(answer.status, 400, "{uri}");
        let enveloped = on_api(get(&format!("https://open.test/decisions{uri}"), &[]));
        assert_eq!(ask(&trusting(), enveloped).status, 400, "{uri}, Envoy");
    }
    for (uri, status) in [("/docs", 200), ("/docs/", 404)] {
        let answer = ask(
            &trusting(),
            forwarded("GET", "https", "docs.test", uri, &[]),
        );
        assert_eq!(answer.status, status, "{uri}");
    }
    for uri in ["/", "/a/", "/a%2Fb", "/%61", "/a%20b/?q=/../x", "/\u{e4}"] {
        let answer = ask(
            &trusting(),
            forwarded("GET", "https", "open.test", uri, &[]),
        );
        let expected = if uri.is_ascii() { 200 } else { 400 };
        assert_eq!(answer.status, expected, "{uri}");
    }
}

#[test]
fn a_websockets_handshake_is_judged_as_http() {
    for (proto, host) in [("wss", "app.test"), ("ws", "plain.test")] {
        let answer = ask(&trusting(), forwarded("GET", proto, host, "/x", &[ADA]));
        assert_eq!(answer.status, 200, "{proto}");
    }
}

#[test]
fn hosts_and_methods_that_are_not_served_are_not_allowed() {
    let api = json!({ "trust_forwarded_headers": true });
    let site = Site::new(
        document()
            .with("api", api)
            .with("hosts", json!(["app.test"])),
    );
    assert_eq!(
        ask(&site, forwarded("GET", "https", "open.test", "/", &[])).status,
        404
    );
    for method in ["TRACE", "CONNECT", "track"] {
        let answer = ask(
            &trusting(),
            forwarded(method, "https", "open.test", "/", &[]),
        );
        assert_eq!(answer.status, 405, "{method}");
    }
}

#[test]
fn only_this_path_is_for_decisions() {
    for path in [
        "/decisionsx",
        "/decision",
        "/%64ecisions",
        "/x/decisions",
        "/Decisions",
    ] {
        let answer = ask(
            &trusting(),
            on_api(get(&format!("https://open.test{path}"), &[])),
        );
        assert_eq!(answer.status, 404, "{path}");
    }
    let on_proxy = get("https://open.test/decisions/x", &[]);
    assert_eq!(
        ask(&trusting(), on_proxy).status,
        500,
        "elsewhere it is a path like any other, here of a rule without upstream"
    );
}

#[test]
fn the_log_tells_of_the_request_that_was_judged() {
    let site = trusting();
    ask(
        &site,
        forwarded("POST", "https", "app.test", "/x?secret=1", &[ADA]),
    );
    let line: Value = serde_json::from_str(&site.memory.take_log()[0]).unwrap();
    for (name, value) in [
        ("method", "POST"),
        ("host", "app.test"),
        ("path", "/x"),
        ("rule", "app"),
    ] {
        assert_eq!(line[name], value, "{name}");
    }
}

#[test]
fn one_session_counts_on_both_ways() {
    let site = trusting();
    site.send(get("https://app.test/x", &[ADA])).forwarded();
    ask(&site, forwarded("GET", "https", "app.test", "/y", &[ADA]));
    assert_eq!(site.memory.questions(), 1, "Kratos was asked once");
}

#[test]
fn the_apis_cors_is_decisions_cors() {
    let api = json!({ "trust_forwarded_headers": true });
    let site = Site::new(
        document()
            .with("api", api)
            .with("api_cors", crate::cors::settings()),
    );
    let origin = ("origin", "https://app.example.com");
    let answer = ask(
        &site,
        forwarded("GET", "https", "open.test", "/", &[origin]),
    );
    assert_eq!(
        all(&answer, "access-control-allow-origin"),
        ["https://app.example.com"]
    );
    let headers = [origin, ("access-control-request-method", "GET")];
    let preflight = on_api(request("OPTIONS", "http://open.test/decisions/x", &headers));
    assert_eq!(ask(&site, preflight).status, 204);
}
