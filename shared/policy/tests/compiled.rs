//! What a policy document holds for files that are right.

#![cfg(feature = "compile")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::collections::BTreeMap;

use edgekeeper_policy::authenticator::{Authenticator, Bearer, CookieSession};
use edgekeeper_policy::authorizer::Authorizer;
use edgekeeper_policy::compile::{Options, compile};
use edgekeeper_policy::document::{Policy, Scheme};
use edgekeeper_policy::error_handler::{ErrorHandlerKind, ErrorKind};
use edgekeeper_policy::mutator::Mutator;
use serde_json::{Value, json};

const CONFIG: &str = "
access_rules:
  repositories: [file://./rules.json]
authenticators:
  noop: { enabled: true }
  unauthorized: { enabled: true }
  anonymous: { enabled: true, config: { subject: guest } }
  cookie_session:
    enabled: true
    config:
      check_session_url: http://kratos-public:4433/sessions/whoami?x=1
      additional_headers: { X-One: '1', X-Two: '2' }
authorizers: { allow: { enabled: true }, deny: { enabled: true } }
errors:
  fallback: [redirect, json]
  handlers:
    json: { enabled: true, config: { verbose: true } }
    redirect:
      enabled: true
      config:
        to: https://login.example.com
        return_to_query_param: return_to
        when: [{ error: [unauthorized], request: { header: { accept: [text/html] } } }]
mutators:
  noop: { enabled: true }
  header: { enabled: true, config: { headers: { X-User-Id: '{{ print .Subject }}' } } }
  id_token: { enabled: true, config: { issuer_url: https://gw.example.com } }
";

fn rule(changes: Value) -> Value {
    let mut rule = json!({
        "id": "web",
        "match": { "url": "https://app.example.com/<.*>", "methods": ["get"] },
        "authenticators": [{ "handler": "cookie_session" }],
        "authorizer": { "handler": "allow" },
        "mutators": [{ "handler": "id_token" }],
        "upstream": { "url": "http://web-svc/base/" },
    });
    for (key, value) in changes.as_object().unwrap() {
        rule[key] = value.clone();
    }
    rule
}

fn build(config: &str, edge: &str, strict: bool, rules: &[Value]) -> Policy {
    let files = BTreeMap::from([
        ("oathkeeper.yml".to_owned(), config.to_owned()),
        ("edge.yml".to_owned(), edge.to_owned()),
        ("rules.json".to_owned(), Value::from(rules).to_string()),
    ]);
    let options = Options {
        config: "oathkeeper.yml".to_owned(),
        edge: (!edge.is_empty()).then(|| "edge.yml".to_owned()),
        strict,
        ..Options::default()
    };
    let (policy, _) = compile(&files, &options).unwrap_or_else(|found| panic!("{found:#?}"));
    assert_eq!(
        Policy::from_json(&policy.to_json().unwrap()).as_ref(),
        Ok(&policy),
        "the edge can load it"
    );
    policy
}

fn session(policy: &Policy) -> &CookieSession {
    match &policy.rules[0].authenticators[0] {
        Authenticator::CookieSession(config) => config,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_rules_configuration_lies_over_the_global_one() {
    let own = json!([{ "handler": "cookie_session", "config": {
        "additional_headers": { "X-Two": "22" }, "only": ["a"], "force_method": "get", "preserve_path": true,
    } }]);
    let policy = build(CONFIG, "", false, &[rule(json!({ "authenticators": own }))]);
    let config = session(&policy);
    assert_eq!(config.check.additional_headers["x-one"], "1");
    assert_eq!(config.check.additional_headers["x-two"], "22");
    assert_eq!(
        (config.check.force_method.as_str(), config.only.as_slice()),
        ("GET", ["a".to_owned()].as_slice())
    );
    assert!(
        config.check.preserve_path && config.check.preserve_query,
        "the query is kept unless told otherwise"
    );
    assert_eq!(
        config.check.endpoint.url,
        "http://kratos-public:4433/sessions/whoami?x=1"
    );
}

#[test]
fn defaults_are_oathkeepers() {
    let policy = build(CONFIG, "", false, &[rule(json!({}))]);
    assert_eq!(policy.rules[0].methods, ["GET"]);
    let Mutator::IdToken(id_token) = &policy.rules[0].mutators[0] else {
        panic!()
    };
    assert_eq!((id_token.ttl, id_token.claims.as_str()), (900, ""));
    let ErrorHandlerKind::Redirect { code, .. } = &policy.errors[0].kind else {
        panic!()
    };
    assert_eq!(*code, 302);
    assert_eq!(policy.errors[0].when[0].error, [ErrorKind::Unauthorized]);
    assert_eq!(
        policy.errors[1].kind,
        ErrorHandlerKind::Json { verbose: true }
    );
    assert_eq!(
        (policy.cors, policy.api_cors, policy.trust_forwarded_headers),
        (None, None, false)
    );
}

/// Oathkeeper asks Kratos for the request's own path unless told otherwise, which is 404 there and so 401 here.
#[test]
fn whoami_is_asked_where_it_is_and_in_strict_mode_where_oathkeeper_asks() {
    let own = |preserve: bool| {
        rule(json!({ "authenticators": [
            { "handler": "cookie_session", "config": { "preserve_path": preserve } }
        ] }))
    };
    for (strict, rules, expected) in [
        (false, rule(json!({})), true),
        (true, rule(json!({})), false),
        (false, own(false), false),
        (true, own(true), true),
    ] {
        let policy = build(CONFIG, "", strict, &[rules]);
        assert_eq!(
            session(&policy).check.preserve_path,
            expected,
            "strict: {strict}"
        );
    }
}

#[test]
fn errors_fall_back_to_terse_json() {
    let config = CONFIG
        .replace("  fallback: [redirect, json]\n", "")
        .replace(
            "    json: { enabled: true, config: { verbose: true } }\n",
            "",
        );
    let policy = build(&config, "", false, &[rule(json!({}))]);
    assert_eq!(policy.errors.len(), 1);
    assert_eq!(
        policy.errors[0].kind,
        ErrorHandlerKind::Json { verbose: false }
    );
}

#[test]
fn a_rules_error_handler_inherits_when() {
    let errors = json!([{ "handler": "redirect", "config": { "to": "/login" } }]);
    let policy = build(CONFIG, "", false, &[rule(json!({ "errors": errors }))]);
    assert_eq!(policy.rules[0].errors[0].when, policy.errors[0].when);
}

#[test]
fn a_bearer_token_is_left_to_whoever_can_take_it() {
    for (authenticators, expected) in [
        (json!(["cookie_session"]), Bearer::Any),
        (json!(["cookie_session", "anonymous"]), Bearer::Any),
        (json!(["cookie_session", "unauthorized"]), Bearer::Any),
        (json!(["cookie_session", "noop"]), Bearer::SessionToken),
        (
            json!(["cookie_session", "cookie_session"]),
            Bearer::SessionToken,
        ),
    ] {
        let list: Vec<Value> = authenticators
            .as_array()
            .unwrap()
            .iter()
            .map(|name| json!({ "handler": name }))
            .collect();
        let policy = build(
            CONFIG,
            "",
            false,
            &[rule(json!({ "authenticators": list }))],
        );
        assert_eq!(session(&policy).bearer, expected, "{authenticators}");
    }
}

#[test]
fn subject_matches_means_addresses_domains_and_subjects() {
    let authorizer = |verified| {
        json!({ "handler": "allow", "config": { "require_verified": verified, "subject_matches": [
            "user1@example.com", "@corp.example", "*.corp.example", "partner.example", "b1f9b1f0-1111-4000-8000-000000000000", "root",
        ] } })
    };
    for verified in [true, false] {
        let policy = build(
            CONFIG,
            "",
            false,
            &[rule(json!({ "authorizer": authorizer(verified) }))],
        );
        let Authorizer::Allowlist(list) = &policy.rules[0].authorizers[0] else {
            panic!()
        };
        assert_eq!(list.emails.len(), 1);
        assert_eq!(list.domains.len(), 3);
        assert_eq!(list.require_verified, verified);
        assert_eq!(
            list.subjects.contains(&"user1@example.com".to_owned()),
            !verified,
            "an unverified address is no way around"
        );
        for subject in [
            "partner.example",
            "b1f9b1f0-1111-4000-8000-000000000000",
            "root",
        ] {
            assert!(list.subjects.contains(&subject.to_owned()), "{subject}");
        }
    }
}

#[test]
fn several_authorizers_must_all_allow() {
    let mut several = rule(json!({ "authorizers": [
        { "handler": "allow" },
        { "handler": "allowlist", "config": { "subjects": ["a"] } },
    ] }));
    several.as_object_mut().unwrap().remove("authorizer");
    let edge = "
authorizers: { allowlist: { config: { require_verified: true } } }
rules: { web: { allowlist: { domains: [example.com] } } }
";
    let policy = build(CONFIG, edge, false, &[several]);
    let [
        Authorizer::Allow,
        Authorizer::Allowlist(own),
        Authorizer::Allowlist(edge),
    ] = policy.rules[0].authorizers.as_slice()
    else {
        panic!("{:?}", policy.rules[0].authorizers);
    };
    assert!(
        own.require_verified && edge.require_verified,
        "the defaults of edge.yml are under both"
    );
}

#[test]
fn names_of_edge_yml_replace_origins() {
    let edge = "
upstreams:
  http://web-svc: { url: 'http://127.0.0.1:9000/demo/' }
  http://kratos-public:4433: { binding: KRATOS }
";
    let policy = build(CONFIG, edge, false, &[rule(json!({}))]);
    assert_eq!(
        policy.rules[0].upstream.as_ref().unwrap().url,
        "http://127.0.0.1:9000/demo/base/"
    );
    assert_eq!(
        session(&policy).check.endpoint.binding.as_deref(),
        Some("KRATOS")
    );
    assert_eq!(
        session(&policy).check.endpoint.url,
        "http://kratos-public:4433/sessions/whoami?x=1"
    );
}

#[test]
fn headers_that_name_the_user_are_known() {
    let mutators = json!([{ "handler": "header", "config": { "headers": {
        "X_User_Email": "a", "Authorization": "b", "Cookie": "c", "Accept": "d",
    } } }]);
    let rules = [rule(json!({ "mutators": mutators }))];
    assert_eq!(
        build(CONFIG, "", false, &rules).identity_headers,
        ["x-user-email", "x-user-id"]
    );
    assert!(build(CONFIG, "", true, &rules).identity_headers.is_empty());
}

#[test]
fn a_login_returns_to_hosts_that_are_ours() {
    let rules = [
        rule(json!({})),
        rule(
            json!({ "id": "b", "match": { "url": "http://b.example.com:8080/<.*>", "methods": ["GET"] } }),
        ),
        rule(
            json!({ "id": "c", "match": { "url": "http://<[a-z]+>.example.com/<.*>", "methods": ["GET"] } }),
        ),
    ];
    let texts = |policy: Policy| {
        policy
            .return_to
            .map(|entries| entries.into_iter().map(String::from).collect::<Vec<_>>())
    };
    let own = Some(vec![
        "app.example.com".to_owned(),
        "b.example.com:8080".to_owned(),
    ]);
    assert_eq!(
        texts(build(CONFIG, "", false, &rules)),
        own,
        "a host that is an expression is not taken"
    );
    assert_eq!(
        texts(build(CONFIG, "", true, &rules)),
        None,
        "in strict mode: wherever a rule matched"
    );
    let hosts = Some(vec!["*.example.com".to_owned()]);
    assert_eq!(
        texts(build(CONFIG, "hosts: ['*.example.com']", true, &rules)),
        hosts
    );
    let listed = Some(vec!["https://app.example.com/x".to_owned()]);
    assert_eq!(
        texts(build(
            CONFIG,
            "hosts: ['*.example.com']\nreturn_to: ['https://app.example.com/x']",
            false,
            &rules
        )),
        listed
    );
}

#[test]
fn edge_yml_says_what_oathkeeper_cannot() {
    let edge = "
mode: strict
scheme: https
hosts: [app.example.com]
api: { hosts: [gateway.example.com] }
cors: { allowed_origins: ['https://*.example.com'], allow_credentials: true }
session: { ttl: 2m, stale_while_revalidate: 0s, stale_if_error: 1h, timeout: 2s, negative_ttl: 1s, max_entries: 5, max_bytes: 99, cookies: [a] }
keys: { algorithm: ES256, rotation: 7d, development: true }
";
    let policy = build(CONFIG, edge, false, &[rule(json!({}))]);
    assert!(policy.strict);
    assert_eq!(policy.scheme, Some(Scheme::Https));
    assert_eq!(
        (policy.hosts.unwrap().len(), policy.api_hosts.len()),
        (1, 1)
    );
    let cors = policy.cors.unwrap();
    assert!(cors.allow_credentials);
    assert_eq!(cors.allowed_headers, ["authorization", "content-type"]);
    assert_eq!(
        cors.allowed_methods,
        ["GET", "POST", "PUT", "PATCH", "DELETE"]
    );
    let session = policy.session;
    assert_eq!(
        (
            session.ttl,
            session.stale_while_revalidate,
            session.stale_if_error
        ),
        (120, 0, 3600)
    );
    assert_eq!(
        (
            session.timeout,
            session.negative_ttl,
            session.max_entries,
            session.max_bytes
        ),
        (2, 1, 5, 99)
    );
    assert_eq!(
        (
            policy.keys.algorithm.as_str(),
            policy.keys.rotation,
            policy.keys.development
        ),
        ("ES256", 604_800, true)
    );
}

#[test]
fn cors_of_the_configuration_comes_before_that_of_edge_yml() {
    let config = format!(
        "{CONFIG}serve: {{ proxy: {{ cors: {{ enabled: true }} }}, api: {{ cors: {{ enabled: true, max_age: 9 }} }} }}\n"
    );
    let policy = build(&config, "cors: { max_age: 5 }", false, &[rule(json!({}))]);
    assert_eq!(policy.cors.unwrap().max_age, 0);
    assert_eq!(policy.api_cors.unwrap().max_age, 9);
    let policy = build(CONFIG, "cors: { max_age: 5 }", false, &[rule(json!({}))]);
    assert_eq!(policy.cors.unwrap().max_age, 5);
}

#[test]
fn a_rule_may_do_without_an_upstream() {
    let mut decisions = rule(json!({}));
    decisions.as_object_mut().unwrap().remove("upstream");
    assert_eq!(
        build(CONFIG, "", false, &[decisions]).rules[0].upstream,
        None
    );
}

#[test]
fn with_tokenize_as_kratos_makes_the_token_and_no_key_of_ours_is_needed() {
    let edge = "keys: { source: own }\nrules: { web: { tokenize_as: jwt_v1 } }";
    let token_check = json!([
        { "handler": "bearer_token" },
        { "handler": "cookie_session" },
        { "handler": "unauthorized" },
    ]);
    for strict in [false, true] {
        let web = rule(json!({ "id": "web", "authenticators": token_check }));
        let other = rule(
            json!({ "id": "other", "match": { "url": "https://other.example.com/<.*>", "methods": ["GET"] } }),
        );
        let bearer = "  bearer_token: { enabled: true, config: { check_session_url: http://kratos-public:4433/sessions/whoami, subject_from: identity.id } }";
        let config = CONFIG.replace("authenticators:\n", &format!("authenticators:\n{bearer}\n"));
        let policy = build(&config, edge, strict, &[web, other]);
        let asked: Vec<_> = policy.rules[0]
            .authenticators
            .iter()
            .map(|authenticator| match authenticator {
                Authenticator::CookieSession(config) => config.check.tokenize_as.as_deref(),
                Authenticator::BearerToken(config) => config.check.tokenize_as.as_deref(),
                _ => None,
            })
            .collect();
        assert_eq!(asked, [Some("jwt_v1"), Some("jwt_v1"), None]);
        assert_eq!(policy.rules[0].mutators, [Mutator::KratosToken]);
        assert_eq!(policy.rules[0].id_tokens().count(), 0);
        assert_eq!(policy.rules[1].id_tokens().count(), 1, "of that rule alone");
        let Authenticator::CookieSession(other) = &policy.rules[1].authenticators[0] else {
            panic!("{:?}", policy.rules[1].authenticators);
        };
        assert_eq!(other.check.tokenize_as, None);
    }
}
