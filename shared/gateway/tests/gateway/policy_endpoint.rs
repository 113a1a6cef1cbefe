//! `/.edge/policy`: who may see and change the policy in force, and in which words everybody else is refused.

use edgekeeper_gateway::decision::Answer;
use edgekeeper_gateway::operator::{LIFETIME, Purpose, Statement};
use edgekeeper_gateway::policies::{CURRENT, Current, LARGEST, LONGEST_HISTORY, Version};
use edgekeeper_gateway::request::RawRequest;
use edgekeeper_gateway::runtime::FetchError;
use edgekeeper_token::hs256;
use serde_json::{Map, Value, json};

use crate::fleet::with_body;
use crate::memory::{Body, NOW, OPERATOR_SECRET};
use crate::policy::policy;
use crate::pushed::{Pushed, REFRESH, leading_to};
use crate::site::{error, header, message, request};

const URL: &str = "https://app.test/.edge/policy";

/// An answer of the endpoint; none is to be kept, and none says a secret.
fn answer(site: &Pushed, request: RawRequest<Body>) -> Answer {
    let (_, sent) = site.send(request);
    let answer = sent.answered();
    assert_eq!(header(&answer, "cache-control"), Some("no-store"));
    assert_eq!(header(&answer, "content-type"), Some("application/json"));
    for secret in [OPERATOR_SECRET, crate::memory::SECRET] {
        assert!(!answer.body.contains(secret));
        assert!(!site.memory.take_log().join("\n").contains(secret));
    }
    answer
}

fn refused(answer: &Answer) -> (u16, String) {
    assert_eq!(error(answer)["code"], answer.status);
    (answer.status, message(answer))
}

fn of(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.body);
    serde_json::from_str(&answer.body).unwrap()
}

/// A request that goes with a statement.
fn with(method: &str, url: &str, statement: &str, body: &str) -> RawRequest<Body> {
    let authorization = format!("Bearer {statement}");
    let request = request(method, url, &[("authorization", &authorization)]);
    with_body(request, body)
}

fn sign(statement: &Statement<'_>, site: &Pushed) -> String {
    let now = site.memory.milliseconds() / 1_000;
    statement.sign(OPERATOR_SECRET.as_bytes(), now).unwrap()
}

/// What the operator sends, for what follows a change.
fn signed(site: &Pushed, method: &str, url: &str, body: &str, number: u64) -> RawRequest<Body> {
    let statement = Statement::new(Purpose::Policy, method, url)
        .with_body(body.as_bytes())
        .following(number);
    with(method, url, &sign(&statement, site), body)
}

fn get(site: &Pushed, rest: &str) -> Answer {
    let url = format!("{URL}{rest}");
    let statement = Statement::new(Purpose::Policy, "GET", &url);
    answer(site, with("GET", &url, &sign(&statement, site), ""))
}

fn put(site: &Pushed, document: &str) -> Answer {
    let number = site.deployment.changes().in_force.number;
    answer(site, signed(site, "PUT", URL, document, number))
}

fn back_to(site: &Pushed, name: &str) -> Answer {
    let number = site.deployment.changes().in_force.number;
    let url = format!("{URL}/{name}");
    answer(site, signed(site, "POST", &url, "", number))
}

/// A statement with any claims, rightly signed.
fn claiming(claims: Value) -> String {
    let claims: &Map<String, Value> = claims.as_object().unwrap();
    hs256::sign(claims, OPERATOR_SECRET.as_bytes()).unwrap()
}

#[test]
fn a_pushed_policy_is_in_force_at_once_and_stored_document_first() {
    let site = Pushed::new();
    let text = leading_to("pushed").text();
    let version = Version::of(&text);
    let told = of(&put(&site, &text));
    assert_eq!(told, json!({ "version": version.short(), "number": 1 }));
    assert_eq!(site.leads_to(), "pushed");
    assert_eq!(site.memory.store().get(&version.name()), Some(&text));
    assert_eq!(site.stored().in_force.version, Some(version));
    assert_eq!(site.instance().leads_to(), "pushed", "a new instance too");
}

#[test]
fn the_operator_sees_what_is_in_force_and_what_was() {
    let site = Pushed::new();
    let deployed = site.deployment.deployed().version().unwrap().clone();
    let told = of(&get(&site, ""));
    assert_eq!(
        told,
        json!({
            "version": deployed.short(), "number": 0, "source": "deployed", "at": 0,
            "deployed": deployed.short(), "history": [],
        })
    );
    let text = leading_to("pushed").text();
    let version = Version::of(&text);
    put(&site, &text);
    back_to(&site, "deployed");
    put(&site, &text);
    let told = of(&get(&site, ""));
    let at = |number: usize| told["history"][number]["at"].clone();
    assert_eq!(
        told,
        json!({
            "version": version.short(), "number": 3, "source": "pushed", "at": told["at"],
            "deployed": deployed.short(),
            "history": [
                { "number": 2, "version": null, "sha256": null, "at": at(0) },
                { "number": 1, "version": version.short(), "sha256": version.sha256(), "at": at(1) },
            ],
        })
    );
    assert!(told["at"].as_u64() >= Some(NOW));
}

#[test]
fn the_answer_is_of_what_is_stored_now_and_says_what_is_wrong_there() {
    let site = Pushed::new();
    site.leads_to();
    let other = site.instance();
    put(&other, &leading_to("pushed").text());
    assert_eq!(
        of(&get(&site, ""))["number"],
        1,
        "without waiting for refresh"
    );
    site.memory
        .store()
        .insert(CURRENT.to_owned(), "garbage".to_owned());
    let told = of(&get(&site, ""));
    assert_eq!(told["number"], 1);
    assert_eq!(
        told["problem"],
        "it cannot be told which policy is in force, so the last good one stays: the entry `policy/current` is not one that `edgekeeper push` or the gateway wrote; push a policy anew"
    );
    let healed = of(&put(&site, &leading_to("next").text()));
    assert_eq!(healed["number"], 2, "it is written over");
    assert_eq!(of(&get(&site, "")).get("problem"), None);
}

#[test]
fn documents_can_be_read_back() {
    let site = Pushed::new();
    let text = leading_to("pushed").text();
    let version = Version::of(&text);
    put(&site, &text);
    assert_eq!(get(&site, &format!("/{version}")).body, text);
    let deployed = leading_to("deployed").text();
    assert_eq!(get(&site, "/deployed").body, deployed);
    let name = Version::of(&deployed);
    assert_eq!(get(&site, &format!("/{name}")).body, deployed);
    assert_eq!(
        refused(&get(&site, "/0123456789abcdef")),
        (
            404,
            "there is no policy 0123456789abcdef in the store".to_owned()
        )
    );
    site.memory.store().insert(version.name(), "{}".to_owned());
    assert_eq!(
        refused(&get(&site, &format!("/{version}"))),
        (404, format!("there is no policy {version} in the store")),
        "what is there is another document"
    );
    for name in ["/current", "/../keys/1", "/0123456789ABCDEF", "/deployed/x"] {
        let url = format!("{URL}{name}");
        let path = url.replace("/../", "/%2e%2e/");
        let statement = Statement::new(Purpose::Policy, "GET", &path);
        let (_, sent) = site.send(with("GET", &path, &sign(&statement, &site), ""));
        if name.contains("..") {
            assert_ne!(sent.status(), 200, "{name}");
            continue;
        }
        assert_eq!(
            refused(&sent.answered()),
            (
                404,
                "a policy is named by 16 hexadecimal digits, or `deployed`".to_owned()
            ),
            "{name}"
        );
    }
}

#[test]
fn a_rollback_is_a_change_of_its_own() {
    let site = Pushed::new();
    let one = leading_to("one").text();
    put(&site, &one);
    put(&site, &leading_to("two").text());
    let version = Version::of(&one);
    let told = of(&back_to(&site, version.short()));
    assert_eq!(told, json!({ "version": version.short(), "number": 3 }));
    assert_eq!(site.leads_to(), "one");
    let deployed = site.deployment.deployed().version().unwrap().clone();
    let told = of(&back_to(&site, "deployed"));
    assert_eq!(told, json!({ "version": deployed.short(), "number": 4 }));
    assert_eq!(site.leads_to(), "deployed");
    assert_eq!(
        site.stored().in_force.version,
        None,
        "whichever is deployed"
    );
    let told = of(&back_to(&site, deployed.short()));
    assert_eq!(told, json!({ "version": deployed.short(), "number": 5 }));
    assert_eq!(
        site.stored().in_force.version,
        Some(deployed.clone()),
        "this one"
    );
    assert!(site.memory.store().contains_key(&deployed.name()));
    assert_eq!(
        refused(&back_to(&site, "0123456789abcdef")),
        (
            404,
            "there is no policy 0123456789abcdef in the store".to_owned()
        )
    );
}

#[test]
fn a_policy_that_does_not_load_is_refused_with_why_and_changes_nothing() {
    let good = leading_to("good").text();
    for (document, why) in [
        ("", "EOF while parsing a value at line 1 column 0"),
        ("{", "EOF while parsing an object at line 1 column 1"),
        (
            r#"{"format":99}"#,
            "it is of format 99, this gateway reads format 2",
        ),
        (
            r#"{"format":2,"errors":[],"rules":[{}]}"#,
            "missing field `id`",
        ),
        (
            r#"{"format":2,"errors":[],"rules":[],"more":1}"#,
            "unknown field `more`",
        ),
    ] {
        let site = Pushed::new();
        put(&site, &good);
        let before = site.memory.store().clone();
        let (status, message) = refused(&put(&site, document));
        assert_eq!(status, 422, "{document}");
        let begin = format!("the policy document cannot be used: {why}");
        assert!(message.starts_with(&begin), "{message}");
        assert_eq!(*site.memory.store(), before, "{document}");
        assert_eq!(site.leads_to(), "good", "{document}");
    }
    let site = Pushed::new();
    let bytes = [0xff, 0xfe];
    let statement = Statement::new(Purpose::Policy, "PUT", URL)
        .with_body(&bytes)
        .following(0);
    let authorization = format!("Bearer {}", sign(&statement, &site));
    let request = request("PUT", URL, &[("authorization", &authorization)]);
    assert_eq!(
        refused(&answer(&site, with_body(request, bytes))),
        (422, "the policy document is not UTF-8".to_owned())
    );
}

#[test]
fn who_is_not_the_operator_is_told_nothing_and_no_body_is_read() {
    let site = Pushed::new();
    let good = json!({
        "aud": "edgekeeper policy", "htm": "GET", "htu": URL, "exp": NOW + 60, "body": "",
    });
    let but = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        claiming(claims)
    };
    let unsigned =
        "the statement is not signed with the operator's secret (a compact JWS with HS256)";
    let other = "the statement is for another request (`htm`, `htu`)";
    let foreign = hs256::sign(
        good.as_object().unwrap(),
        b"another secret of thirty-two bytes!!",
    );
    for (statement, says) in [
        (String::new(), unsigned),
        ("x".to_owned(), unsigned),
        (foreign.unwrap(), unsigned),
        (
            but("aud", json!("edgekeeper explain")),
            "the statement is for something else (`aud`)",
        ),
        (but("htm", json!("PUT")), other),
        (but("htu", json!("https://other.test/.edge/policy")), other),
        (but("htu", json!(format!("{URL}/deployed"))), other),
        (but("exp", json!(NOW)), "the statement has expired (`exp`)"),
        (
            but("exp", json!(NOW + 306)),
            "the statement must have `exp`, in Unix seconds, at most five minutes ahead",
        ),
        (
            but("exp", Value::Null),
            "the statement must have `exp`, in Unix seconds, at most five minutes ahead",
        ),
    ] {
        let mut request = with("GET", URL, &statement, "");
        request.body = Body(Err(FetchError::Timeout));
        let answer = answer(&site, request);
        assert_eq!(refused(&answer), (401, says.to_owned()), "{statement}");
        assert_eq!(header(&answer, "www-authenticate"), Some("Edge-Statement"));
    }
    assert_eq!(
        of(&answer(&site, with("GET", URL, &claiming(good), "")))["number"],
        0
    );
    // Neither a method nor a path that is not there is told to anybody else.
    for (method, url) in [("DELETE", URL.to_owned()), ("GET", format!("{URL}/x"))] {
        let request = with_body(request(method, &url, &[]), "");
        assert_eq!(answer(&site, request).status, 401);
    }
    let basic = [("authorization", "Basic b3BlcmF0b3I6eA==")];
    let twice = [("authorization", "Bearer a"), ("authorization", "Bearer b")];
    for headers in [&basic[..], &twice[..]] {
        let request = with_body(request("GET", URL, headers), "");
        assert_eq!(refused(&answer(&site, request)), (401, unsigned.to_owned()));
    }
}

#[test]
fn a_statement_is_for_one_body_and_one_change() {
    let site = Pushed::new();
    let text = leading_to("pushed").text();
    let statement = Statement::new(Purpose::Policy, "PUT", URL)
        .with_body(text.as_bytes())
        .following(0);
    let statement = sign(&statement, &site);
    let other = leading_to("attacker").text();
    assert_eq!(
        refused(&answer(&site, with("PUT", URL, &statement, &other))),
        (
            401,
            "the statement is for another body (`body`: its SHA-256 in hex)".to_owned()
        )
    );
    of(&answer(&site, with("PUT", URL, &statement, &text)));
    put(&site, &other);
    assert_eq!(
        refused(&answer(&site, with("PUT", URL, &statement, &text))),
        (
            409,
            "the statement follows change 0 of the policy, but change 2 is in force; see what it is, and send this again".to_owned()
        ),
        "sent again by somebody who saw it"
    );
    let statement = Statement::new(Purpose::Policy, "PUT", URL).with_body(text.as_bytes());
    assert_eq!(
        refused(&answer(&site, with("PUT", URL, &sign(&statement, &site), &text))),
        (
            400,
            "the statement must say which change of the policy it follows (`number`, as GET tells it)".to_owned()
        )
    );
    let late = Statement::new(Purpose::Policy, "PUT", URL)
        .with_body(text.as_bytes())
        .following(2);
    let late = sign(&late, &site);
    site.memory.pass_seconds(LIFETIME);
    assert_eq!(answer(&site, with("PUT", URL, &late, &text)).status, 401);
}

#[test]
fn of_two_who_push_at_once_one_is_told_that_the_other_was_faster() {
    let site = Pushed::new();
    let other = site.instance();
    let (one, two) = (leading_to("one").text(), leading_to("two").text());
    of(&put(&site, &one));
    let answer = answer(&other, signed(&other, "PUT", URL, &two, 0));
    assert_eq!(answer.status, 409);
    assert_eq!(site.stored().in_force.version, Some(Version::of(&one)));
}

#[test]
fn other_methods_are_405() {
    let site = Pushed::new();
    for (method, rest, allow) in [
        ("POST", "", "GET, HEAD, PUT"),
        ("DELETE", "", "GET, HEAD, PUT"),
        ("PUT", "/deployed", "GET, HEAD, POST"),
    ] {
        let answer = answer(&site, signed(&site, method, &format!("{URL}{rest}"), "", 0));
        assert_eq!(refused(&answer), (405, "Method Not Allowed".to_owned()));
        assert_eq!(header(&answer, "allow"), Some(allow));
    }
}

#[test]
fn a_body_that_is_too_large_or_breaks_off_changes_nothing() {
    let site = Pushed::new();
    let large = " ".repeat(LARGEST + 1);
    let answer_to = |body: Result<Vec<u8>, FetchError>| {
        let mut request = signed(&site, "PUT", URL, "", 0);
        request.body = Body(body);
        answer(&site, request)
    };
    assert_eq!(
        refused(&answer_to(Ok(large.into_bytes()))),
        (413, "Request Entity Too Large".to_owned())
    );
    assert_eq!(answer_to(Err(FetchError::Unreachable)).status, 400);
    assert!(site.memory.store().is_empty());
}

#[test]
fn while_the_store_cannot_be_used_nothing_changes() {
    let site = Pushed::new();
    let text = leading_to("pushed").text();
    let unusable = |site: &Pushed, why: &str| {
        let answer = answer(site, signed(site, "PUT", URL, &text, 0));
        assert_eq!(
            refused(&answer),
            (503, format!("the store cannot be used: {why}"))
        );
        assert_eq!(header(&answer, "retry-after"), Some("5"));
        assert_eq!(site.leads_to(), "deployed");
    };
    site.memory.set_store_fails(true);
    unusable(&site, "the key-value store does not answer");
    site.memory.set_store_fails(false);
    site.memory.set_store_is_full(true);
    unusable(&site, "the key-value store is full");
    site.memory.set_store_is_full(false);
    site.memory.set_random_fails(true);
    unusable(&site, "there is no source of randomness");
    site.memory.set_random_fails(false);
    site.memory.set_secret(None);
    unusable(
        &site,
        "the secret KEYS_SECRET is not set; make one with `openssl rand -base64 32`, and see docs/keys.md for where to put it",
    );
    site.memory.set_secret(Some("short"));
    unusable(
        &site,
        "KEYS_SECRET has 5 characters; it needs at least 32 random ones. Make one with: openssl rand -base64 32",
    );
    assert!(!site.memory.store().contains_key(CURRENT));
}

#[test]
fn only_with_a_secret_of_the_operators_it_is_there_at_all() {
    let named = |secret: Value| leading_to("deployed").with("operator_secret", secret);
    for (site, outcome) in [
        (
            Pushed::of(named(Value::Null)),
            "http://deployed/.edge/policy",
        ),
        (
            Pushed::of(leading_to("deployed").with("policies", json!({ "refresh": null }))),
            "http://deployed/.edge/policy",
        ),
        (Pushed::of(named(json!("MISSING"))), "500"),
        (Pushed::of(named(json!("SHORT"))), "500"),
    ] {
        let statement = Statement::new(Purpose::Policy, "GET", URL);
        let (_, sent) = site.send(with("GET", URL, &sign(&statement, &site), ""));
        assert_eq!(sent.outcome(), outcome);
    }
    // Also a policy that was pushed cannot name another, or none.
    let site = Pushed::new();
    put(
        &site,
        &leading_to("pushed")
            .with("operator_secret", Value::Null)
            .text(),
    );
    assert_eq!(site.leads_to(), "pushed");
    assert_eq!(of(&get(&site, ""))["number"], 1);
}

#[test]
fn it_is_where_the_deployed_policy_or_the_one_in_force_serves() {
    let site = Pushed::of(
        leading_to("deployed")
            .with("hosts", json!(["app.test"]))
            .with("api_hosts", json!(["api.test"])),
    );
    let elsewhere = policy([]).with("hosts", json!(["elsewhere.test"]));
    put(&site, &elsewhere.text());
    assert_eq!(site.leads_to(), "404", "the wrong hosts were pushed");
    for (host, status) in [
        ("app.test", 200),
        ("api.test", 200),
        ("elsewhere.test", 200),
        ("other.test", 404),
    ] {
        let url = format!("https://{host}/.edge/policy");
        let statement = Statement::new(Purpose::Policy, "GET", &url);
        let (_, sent) = site.send(with("GET", &url, &sign(&statement, &site), ""));
        assert_eq!(sent.status(), status, "{host}");
    }
    back_to(&site, "deployed");
    assert_eq!(site.leads_to(), "deployed");
}

#[test]
fn documents_that_nobody_can_go_back_to_are_taken_off() {
    let site = Pushed::new();
    let document = |number: usize| leading_to(&format!("number-{number}")).text();
    for number in 0..=LONGEST_HISTORY {
        put(&site, &document(number));
        site.memory.run_later();
    }
    let first = Version::of(&document(0));
    assert!(site.memory.store().contains_key(&first.name()));
    put(&site, &document(LONGEST_HISTORY + 1));
    site.memory.run_later();
    assert!(!site.memory.store().contains_key(&first.name()));
    assert_eq!(site.stored().history.len(), LONGEST_HISTORY);
    // Of the documents and the pointer.
    assert_eq!(site.memory.store().len(), LONGEST_HISTORY + 2);
}

#[test]
fn the_log_says_what_was_done() {
    let site = Pushed::new();
    let text = leading_to("pushed").text();
    site.memory.take_log();
    let (_, sent) = site.send(signed(&site, "PUT", URL, &text, 0));
    assert_eq!(sent.status(), 200);
    let lines: Vec<Value> = site
        .memory
        .take_log()
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let version = Version::of(&text);
    let deployed = site.deployment.deployed().version().unwrap();
    assert_eq!(
        lines[0]["reason"],
        format!("{version} is in force now, as change 1, in place of {deployed}")
    );
    assert_eq!(lines[1]["reason"], "a policy was put in force");
    assert_eq!(lines[1]["policy"], deployed.short());
    assert_eq!(lines.len(), 2);
}

#[test]
fn while_no_policy_is_in_force_the_operator_is_let_in() {
    let refuse = json!({ "refresh": REFRESH, "on_store_failure": "refuse" });
    let site = Pushed::set(refuse);
    site.memory
        .store()
        .insert(CURRENT.to_owned(), "garbage".to_owned());
    assert_eq!(site.leads_to(), "503");
    let told = of(&put(&site, &leading_to("pushed").text()));
    assert_eq!(told["number"], 1);
    assert_eq!(site.leads_to(), "pushed");
    assert_ne!(site.stored(), Current::default());
}

#[test]
fn head_is_answered_as_get() {
    let site = Pushed::new();
    let answer = answer(&site, signed(&site, "HEAD", URL, "", 0));
    assert_eq!((answer.status, answer.body_for("HEAD")), (200, ""));
}
