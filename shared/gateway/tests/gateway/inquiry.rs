//! Who may ask a running gateway why it decides a request as it does, and what becomes of the request.

use std::rc::Rc;

use edgekeeper_gateway::Gateway;
use edgekeeper_gateway::decision::Answer;
use edgekeeper_gateway::operator::{LIFETIME, Purpose, Statement};
use edgekeeper_gateway::request::RawRequest;
use http::{HeaderMap, HeaderValue};
use serde_json::{Map, Value, json};

use crate::explaining::Explaining;
use crate::memory::{Memory, NOW, OPERATOR_SECRET, Reply};
use crate::policy::{Document, policy, session_rule};
use crate::site::{ADA, Sent, header, message, request, session};

const URL: &str = "http://app.test/a?b=c";

fn document() -> Document {
    policy([session_rule("app", "http://app.test/<.*>")])
        .with("operator_secret", json!("OPERATOR_SECRET"))
}

fn world() -> Memory {
    let memory = Memory::new();
    memory.script("kratos", "ory_kratos_session=ada", session("ada").reply());
    memory
}

fn statement() -> Statement<'static> {
    Statement::new(Purpose::Explain, "GET", URL)
}

fn signed(statement: &Statement<'_>) -> String {
    statement.sign(OPERATOR_SECRET.as_bytes(), NOW).unwrap()
}

/// A statement with any claims, rightly signed.
fn claiming(claims: &Value) -> String {
    let claims: &Map<String, Value> = claims.as_object().unwrap();
    edgekeeper_token::hs256::sign(claims, OPERATOR_SECRET.as_bytes()).unwrap()
}

fn asking(method: &str, statement: &str) -> RawRequest {
    let headers = [ADA, ("edge-explain", statement)];
    request(method, URL, &headers)
}

fn send(gateway: &Rc<Gateway>, memory: &Memory, raw: RawRequest) -> Sent {
    let headers = raw.headers.clone();
    let runtime = Explaining::new(memory.clone());
    let decision = memory.run(gateway.decide(&runtime, raw));
    Sent::new(decision, headers)
}

fn refusal(document: Document, memory: &Memory, raw: RawRequest) -> (u16, String) {
    let answer = send(&document.gateway(), memory, raw).answered();
    (answer.status, message(&answer))
}

fn explanation(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200);
    assert_eq!(header(answer, "content-type"), Some("application/json"));
    assert_eq!(header(answer, "cache-control"), Some("no-store"));
    serde_json::from_str(&answer.body).unwrap()
}

fn log(memory: &Memory) -> Vec<Value> {
    let lines = memory.take_log();
    let parse = |line: &String| serde_json::from_str(line).unwrap();
    lines.iter().map(parse).collect()
}

#[test]
fn the_operator_is_told_and_the_request_goes_no_further() {
    let memory = world();
    let raw = asking("GET", &signed(&statement()));
    let told = explanation(&send(&document().gateway(), &memory, raw).answered());
    assert_eq!(told["outcome"]["kind"], "forward");
    assert_eq!(told["outcome"]["url"], "http://up.test/a?b=c");
    let steps = told["steps"].as_array().unwrap().iter();
    let names: Vec<_> = steps.map(|step| step["step"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "request",
            "rule",
            "asked",
            "session",
            "authenticator",
            "authorizer",
            "mutator"
        ]
    );
    assert!(
        !told.to_string().contains("edge-explain"),
        "the statement is not a part of the request: {told}"
    );
    assert!(!told.to_string().contains("ada="), "{told}");
    let lines = log(&memory);
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["reason"], "explained to the operator, not sent on");
    assert_eq!(lines[0]["rule"], "app");
}

#[test]
fn the_host_is_the_one_that_the_upstream_sees_by_this_runtime() {
    let app = |more: Value| {
        let mut app = session_rule("app", "http://app.test/<.*>");
        for (name, value) in more.as_object().unwrap() {
            app["upstream"][name] = value.clone();
        }
        let document = policy([app]).with("operator_secret", json!("OPERATOR_SECRET"));
        let raw = asking("GET", &signed(&statement()));
        let told = explanation(&send(&document.gateway(), &world(), raw).answered());
        let headers = told["outcome"]["headers"].as_array().unwrap().clone();
        let value = |name: &str| {
            let header = headers.iter().find(|header| header["name"] == name);
            header.map(|header| header["value"].as_str().unwrap().to_owned())
        };
        (value("host"), value("x-forwarded-host"))
    };
    let both = |host: &str| (Some(host.to_owned()), Some("app.test".to_owned()));
    // No runtime's client takes another host than its URL's: the client's is told beside it.
    assert_eq!(app(json!({ "preserve_host": true })), both("up.test"));
    // A binding is given the URL with the client's host.
    assert_eq!(
        app(json!({ "preserve_host": true, "binding": "UP" })),
        both("app.test")
    );
}

#[test]
fn a_refusal_is_explained_with_what_the_client_would_get() {
    let raw = request("GET", URL, &[("edge-explain", &signed(&statement()))]);
    let answer = send(&document().gateway(), &world(), raw).answered();
    let told = explanation(&answer);
    assert_eq!(told["outcome"]["kind"], "answer");
    assert_eq!(told["outcome"]["status"], 401);
}

#[test]
fn what_was_remembered_serves_and_is_said_to() {
    let (gateway, memory) = (document().gateway(), world());
    send(&gateway, &memory, request("GET", URL, &[ADA])).forwarded();
    let raw = asking("GET", &signed(&statement()));
    let told = explanation(&send(&gateway, &memory, raw).answered());
    let steps = told["steps"].as_array().unwrap();
    let session = steps.iter().find(|step| step["step"] == "session").unwrap();
    assert_eq!(session["source"], "hit");
    assert_eq!(memory.questions(), 1, "Kratos was asked once");
}

#[test]
fn a_statement_counts_for_its_request_its_purpose_and_its_minute_alone() {
    let another = "the statement is for another request (`htm`, `htu`)";
    let unsigned =
        "the statement is not signed with the operator's secret (a compact JWS with HS256)";
    let aim = |method, url| signed(&Statement::new(Purpose::Explain, method, url));
    let good = signed(&statement());
    let claims = |exp: Value| {
        claiming(&json!({ "aud": "edgekeeper explain", "htm": "GET", "htu": URL, "exp": exp }))
    };
    for (statement, expected) in [
        (aim("POST", URL), another),
        (aim("get", URL), another),
        (aim("GET", "http://other.test/a"), another),
        (aim("GET", "http://app.test:81/a"), another),
        (aim("GET", "http://app.test/b"), another),
        (aim("GET", "/a"), another),
        (
            signed(&Statement::new(Purpose::Policy, "GET", URL)),
            "the statement is for something else (`aud`)",
        ),
        (String::new(), unsigned),
        ("x".to_owned(), unsigned),
        (good[..good.len() - 2].to_owned(), unsigned),
        (
            statement()
                .sign(b"another secret of 32 bytes, at least", NOW)
                .unwrap(),
            unsigned,
        ),
        (
            statement()
                .sign(OPERATOR_SECRET.as_bytes(), NOW - LIFETIME)
                .unwrap(),
            "the statement has expired (`exp`)",
        ),
        (claims(json!(0)), "the statement has expired (`exp`)"),
    ] {
        let found = refusal(document(), &world(), asking("GET", &statement));
        assert_eq!(found, (401, expected.to_owned()), "{statement}");
    }
    for exp in [
        json!(null),
        json!("1700000060"),
        json!(NOW + 3_600),
        json!(-1),
        json!(1.5e9),
    ] {
        let found = refusal(document(), &world(), asking("GET", &claims(exp.clone())));
        let expected = "the statement must have `exp`, in Unix seconds, at most five minutes ahead";
        assert_eq!(found, (401, expected.to_owned()), "{exp}");
    }
    let found = refusal(document(), &world(), asking("GET", &claiming(&json!({}))));
    assert_eq!(found.0, 401);
}

#[test]
fn where_tls_ends_before_the_gateway_the_operator_still_means_its_url() {
    for url in [
        "https://app.test/a?b=c",
        "https://APP.test/a",
        "http://app.test/a#x",
    ] {
        let raw = asking(
            "GET",
            &signed(&Statement::new(Purpose::Explain, "GET", url)),
        );
        let answer = send(&document().gateway(), &world(), raw).answered();
        explanation(&answer);
    }
}

#[test]
fn a_statement_that_is_no_text_or_comes_twice_is_not_believed() {
    let (gateway, memory) = (document().gateway(), world());
    let mut raw = request("GET", URL, &[ADA]);
    let odd = HeaderValue::from_bytes(b"\xff").unwrap();
    raw.headers.insert("edge-explain", odd);
    assert_eq!(send(&gateway, &memory, raw).status(), 401);

    let mut raw = asking("GET", "x");
    let good = HeaderValue::from_str(&signed(&statement())).unwrap();
    raw.headers.append("edge-explain", good);
    assert_eq!(send(&gateway, &memory, raw).status(), 401);
}

#[test]
fn nothing_is_decided_for_who_is_not_the_operator() {
    let memory = world();
    assert_eq!(
        send(&document().gateway(), &memory, asking("GET", "x")).status(),
        401
    );
    assert_eq!(memory.questions(), 0, "Kratos was not asked");
    let lines = log(&memory);
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["status"], 401);
    assert!(!lines[0].to_string().contains(OPERATOR_SECRET));
}

#[test]
fn without_a_secret_of_the_operators_the_header_means_nothing() {
    let plain = policy([session_rule("app", "http://app.test/<.*>")]);
    let raw = asking("GET", &signed(&statement()));
    send(&plain.gateway(), &world(), raw).forwarded();
}

#[test]
fn a_secret_that_is_missing_or_too_short_is_told_in_the_log_alone() {
    for name in ["MISSING", "SHORT"] {
        let memory = world();
        let document = document().with("operator_secret", json!(name));
        let found = refusal(document, &memory, asking("GET", "x"));
        let internal = "An internal server error occurred, please contact the system administrator";
        assert_eq!(found, (500, internal.to_owned()));
        assert_eq!(
            log(&memory)[0]["reason"],
            format!(
                "the runtime's secret {name}, which `operator.secret` names, is not set or shorter than 32 bytes"
            )
        );
    }
}

#[test]
fn a_deployment_that_wants_it_has_each_decision_explained_in_its_log() {
    let (gateway, memory) = (document().gateway(), world());
    memory.set_explain("log");
    let forwarded = send(&gateway, &memory, request("GET", URL, &[ADA])).forwarded();
    let runtime = Explaining::new(memory.clone());
    memory.run(gateway.finish(&runtime, &forwarded.forward, 200, &HeaderMap::new()));
    assert_eq!(
        send(&gateway, &memory, request("GET", URL, &[])).status(),
        401
    );
    let lines = log(&memory);
    let kinds: Vec<_> = lines
        .iter()
        .map(|line| (&line["status"], &line["explanation"]["outcome"]["kind"]))
        .collect();
    assert_eq!(
        kinds,
        [
            (&json!(200), &json!("forward")),
            (&json!(401), &json!("answer"))
        ]
    );
    assert!(!lines[0].to_string().contains("=ada"), "{}", lines[0]);
    assert_eq!(memory.settings_read(), 1, "the setting is read once");
}

#[test]
fn a_deployment_that_does_not_say_so_logs_no_explanation() {
    for setting in ["", "true", "LOG", "log "] {
        let (gateway, memory) = (document().gateway(), world());
        memory.set_explain(setting);
        assert_eq!(
            send(&gateway, &memory, request("GET", URL, &[])).status(),
            401
        );
        assert_eq!(log(&memory)[0]["explanation"], Value::Null, "{setting:?}");
    }
}

#[test]
fn a_service_that_fails_is_named_with_its_failure() {
    let memory = Memory::new();
    memory.script("kratos", "ada", Reply::new(500, "{}"));
    let raw = asking("GET", &signed(&statement()));
    let told = explanation(&send(&document().gateway(), &memory, raw).answered());
    let steps = told["steps"].as_array().unwrap();
    let asked = steps.iter().find(|step| step["step"] == "asked").unwrap();
    assert_eq!(asked["status"], 500);
    assert_eq!(asked["url"], "http://kratos.test/sessions/whoami");
}
