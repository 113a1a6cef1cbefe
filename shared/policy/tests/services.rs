//! What a policy document holds for handlers that ask a service.

#![cfg(feature = "compile")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::collections::BTreeMap;

use edgekeeper_policy::authorizer::{Authorizer, Subject};
use edgekeeper_policy::compile::{Options, compile};
use edgekeeper_policy::document::Policy;
use edgekeeper_policy::mutator::Mutator;
use edgekeeper_policy::retry::Retry;
use serde_json::{Value, json};

const CONFIG: &str = "
access_rules: { repositories: [file://./rules.json] }
authenticators: { noop: { enabled: true } }
authorizers:
  allow: { enabled: true }
  remote: { enabled: true, config: { remote: http://authz/check, headers: { X-One: '1' } } }
  remote_json: { enabled: true, config: { remote: http://authz/json?x=1, payload: '{}' } }
  keto_engine_acp_ory: { enabled: true, config: { base_url: http://keto/base/?x=1, required_action: a, required_resource: b } }
mutators:
  noop: { enabled: true }
  cookie: { enabled: true, config: { cookies: { a: '1' } } }
  hydrator: { enabled: true, config: { api: { url: http://hydrator/ } } }
";

const EDGE: &str = "
upstreams: { http://authz: { url: http://elsewhere:81/sub }, http://keto: { binding: KETO } }
authorizers: { keto: { config: { base_url: http://keto, namespace: files } } }
";

fn build(authorizer: &Value, mutator: &Value, edge: &str, strict: bool) -> Policy {
    let rule = json!([{
        "id": "web",
        "match": { "url": "https://app.example.com/<.*>", "methods": ["GET"] },
        "authenticators": [{ "handler": "noop" }],
        "authorizer": authorizer,
        "mutators": [mutator],
        "upstream": { "url": "http://web" },
    }]);
    let files = BTreeMap::from([
        ("oathkeeper.yml".to_owned(), CONFIG.to_owned()),
        ("edge.yml".to_owned(), edge.to_owned()),
        ("rules.json".to_owned(), rule.to_string()),
    ]);
    let options = Options {
        config: "oathkeeper.yml".to_owned(),
        edge: Some("edge.yml".to_owned()),
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

fn noop() -> Value {
    json!({ "handler": "noop" })
}

fn authorizer(handler: &str, config: &Value, strict: bool) -> Policy {
    let authorizer = json!({ "handler": handler, "config": config });
    build(&authorizer, &noop(), EDGE, strict)
}

#[test]
fn a_remote_is_where_upstreams_say_and_headers_merge() {
    let config = json!({
        "headers": { "X-Two": "2" },
        "forward_response_headers_to_upstream": ["X-Authz_User", "x-authz_user", "Accept"],
        "retry": { "max_delay": "50ms" },
    });
    let policy = authorizer("remote", &config, false);
    let Authorizer::Remote(remote) = &policy.rules[0].authorizers[0] else {
        panic!("{policy:?}")
    };
    assert_eq!(remote.endpoint.url, "http://elsewhere:81/sub/check");
    let names: Vec<&str> = remote
        .headers
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(names, ["X-One", "X-Two"]);
    assert_eq!(
        remote.forward_response_headers_to_upstream,
        ["x-authz_user", "accept"]
    );
    assert_eq!(
        policy.identity_headers,
        ["x-authz-user"],
        "no client may send it"
    );
    assert!(
        authorizer("remote", &config, true)
            .identity_headers
            .is_empty()
    );
}

#[test]
fn patience_is_five_seconds_unless_told_otherwise_and_in_strict_mode_the_schemas() {
    for (retry, strict, max_delay, give_up_after) in [
        (json!({}), false, 100, 5_000),
        (json!({}), true, 100, 1_000),
        (json!({ "give_up_after": "2s" }), false, 100, 2_000),
        (
            json!({ "give_up_after": "1ns", "max_delay": "1h" }),
            true,
            3_600_000,
            1,
        ),
    ] {
        let policy = authorizer("remote_json", &json!({ "retry": retry }), strict);
        let Authorizer::RemoteJson(remote) = &policy.rules[0].authorizers[0] else {
            panic!("{policy:?}")
        };
        let expected = Retry {
            max_delay,
            give_up_after,
        };
        assert_eq!(remote.retry, expected, "{retry}, strict: {strict}");
    }
}

#[test]
fn the_old_engine_has_its_flavor_in_the_path() {
    for (config, expected) in [
        (
            json!({}),
            "http://keto/base/engines/acp/ory/regex/allowed?x=1",
        ),
        (
            json!({ "flavor": "exact", "base_url": "http://keto" }),
            "http://keto/engines/acp/ory/exact/allowed",
        ),
        (
            json!({ "flavor": "", "base_url": "http://keto/" }),
            "http://keto/engines/acp/ory/regex/allowed",
        ),
    ] {
        let policy = authorizer("keto_engine_acp_ory", &config, true);
        let Authorizer::KetoEngineAcpOry(keto) = &policy.rules[0].authorizers[0] else {
            panic!("{policy:?}")
        };
        assert_eq!(keto.endpoint.url, expected);
        assert_eq!(keto.endpoint.binding.as_deref(), Some("KETO"));
    }
}

#[test]
fn keto_stands_in_a_rule_or_beside_it() {
    let rule = authorizer("keto", &json!({ "object": "x", "relation": "view" }), false);
    let edge = format!("{EDGE}\nrules: {{ web: {{ keto: {{ object: x, relation: view }} }} }}\n");
    let beside = build(&json!({ "handler": "allow" }), &noop(), &edge, false);
    assert_eq!(beside.rules[0].authorizers[0], Authorizer::Allow);
    assert_eq!(beside.rules[0].authorizers[1], rule.rules[0].authorizers[0]);
    let Authorizer::Keto(keto) = &rule.rules[0].authorizers[0] else {
        panic!("{rule:?}")
    };
    assert_eq!(keto.endpoint.url, "http://keto/relation-tuples/check");
    assert_eq!(keto.relation.namespace, "files");
    assert_eq!(keto.subject, Subject::Id("{{ print .Subject }}".to_owned()));
}

#[test]
fn a_hydrator_remembers_for_a_minute_unless_told_otherwise() {
    for (cache, expected) in [
        (json!({}), None),
        (json!({ "ttl": "5m" }), None),
        (json!({ "enabled": false, "ttl": "5m" }), None),
        (json!({ "enabled": true }), Some(60_000)),
        (json!({ "enabled": true, "ttl": "0s" }), Some(60_000)),
        (json!({ "enabled": true, "ttl": "5m" }), Some(300_000)),
    ] {
        let mutator = json!({ "handler": "hydrator", "config": { "cache": cache } });
        let policy = build(&json!({ "handler": "allow" }), &mutator, EDGE, false);
        let Mutator::Hydrator(hydrator) = &policy.rules[0].mutators[0] else {
            panic!("{policy:?}")
        };
        assert_eq!(hydrator.cache_ttl, expected, "{cache}");
    }
}

#[test]
fn cookies_of_the_rule_are_laid_over_the_global_ones() {
    let mutator = json!({ "handler": "cookie", "config": { "cookies": { "b": "2", "a": "3" } } });
    let policy = build(&json!({ "handler": "allow" }), &mutator, EDGE, false);
    let Mutator::Cookie(cookie) = &policy.rules[0].mutators[0] else {
        panic!("{policy:?}")
    };
    let pairs: Vec<(&str, &str)> = cookie
        .cookies
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(pairs, [("a", "3"), ("b", "2")]);
}
