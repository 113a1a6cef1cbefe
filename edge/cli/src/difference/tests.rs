//! What changed is found, and told in the order in which it matters.

use std::collections::BTreeMap;

use edgekeeper_policy::compile::{Options, compile};
use edgekeeper_policy::document::Policy;

use super::change::Kind;
use super::*;

const CONFIG: &str = r#"
access_rules: { repositories: ["file://./rules.json"] }
authenticators:
  noop: { enabled: true }
  anonymous: { enabled: true, config: { subject: guest } }
  cookie_session:
    enabled: true
    config: { check_session_url: http://kratos.internal/sessions/whoami, extra_from: "@this", subject_from: identity.id, only: [ory_kratos_session] }
  oauth2_introspection: { enabled: true, config: { introspection_url: http://hydra.internal/introspect } }
authorizers: { allow: { enabled: true }, deny: { enabled: true } }
mutators:
  noop: { enabled: true }
  header: { enabled: true, config: { headers: { X-User: "{{ print .Subject }}" } } }
  id_token: { enabled: true, config: { issuer_url: "https://gateway.example.com/", ttl: 60s } }
"#;

/// A rule with a session, unless `more` says otherwise.
fn rule(id: &str, url: &str, more: &[(&str, &str)]) -> String {
    let mut parts = BTreeMap::from([
        (
            "match",
            format!(r#"{{ "url": "https://app.example.com{url}", "methods": ["GET", "POST"] }}"#),
        ),
        (
            "authenticators",
            r#"[{ "handler": "cookie_session" }]"#.to_owned(),
        ),
        ("authorizer", r#"{ "handler": "allow" }"#.to_owned()),
        ("mutators", r#"[{ "handler": "header" }]"#.to_owned()),
        ("upstream", r#"{ "url": "http://web.internal" }"#.to_owned()),
    ]);
    for (name, value) in more {
        parts.insert(name, (*value).to_owned());
    }
    let parts: Vec<String> = parts
        .iter()
        .map(|(name, value)| format!("\"{name}\": {value}"))
        .collect();
    format!(r#"{{ "id": "{id}", {} }}"#, parts.join(", "))
}

fn policy_of(config: &str, rules: &[String]) -> Policy {
    let files = BTreeMap::from([
        ("oathkeeper.yml".to_owned(), config.to_owned()),
        ("rules.json".to_owned(), format!("[{}]", rules.join(","))),
    ]);
    let options = Options {
        config: "oathkeeper.yml".to_owned(),
        ..Options::default()
    };
    compile(&files, &options)
        .unwrap_or_else(|found| panic!("{found:?}"))
        .0
}

fn policy(rules: &[String]) -> Policy {
    policy_of(CONFIG, rules)
}

fn compared(old: &[String], new: &[String]) -> Difference {
    between(&policy(old), &policy(new), Vec::new()).unwrap()
}

/// Each group in a line, as a person reads it.
fn told(difference: &Difference) -> Vec<String> {
    let text = text(difference, false);
    text.lines().skip(2).map(str::to_owned).collect()
}

#[test]
fn the_same_policy_decides_the_same() {
    let rules = [
        rule("web", "/<(?!admin).*>", &[]),
        rule(
            "admin",
            "/admin<.*>",
            &[("mutators", r#"[{ "handler": "id_token" }]"#)],
        ),
    ];
    let difference = compared(&rules, &rules);
    assert_eq!(difference.differing, 0, "{:?}", difference.groups);
    assert!(difference.generated > 20, "{}", difference.generated);
    assert_eq!(
        text(&difference, false),
        format!(
            "{} requests (made of the rules): all are decided as before\n",
            difference.generated
        )
    );
}

#[test]
fn what_is_open_now_comes_first_and_is_marked() {
    let old = [
        rule("web", "/<(?!admin).*>", &[]),
        rule("admin", "/admin<.*>", &[]),
    ];
    let new = [
        rule(
            "web",
            "/<(?!admin).*>",
            &[("upstream", r#"{ "url": "http://other.internal" }"#)],
        ),
        rule(
            "public",
            "/admin<.*>",
            &[("authenticators", r#"[{ "handler": "anonymous" }]"#)],
        ),
    ];
    let difference = compared(&old, &new);
    assert_eq!(difference.groups[0].kind, Kind::Opened);
    assert!(difference.opened() > 0);
    let lines = told(&difference);
    assert_eq!(
        lines[0],
        r#"! NOW ALLOWED         GET https://app.example.com/admin without a session: 401 -> http://web.internal/admin (rule "admin" -> "public")"#
    );
    assert!(
        lines.iter().any(|line| line.starts_with("  goes elsewhere")
            && line.contains("http://web.internal/ -> http://other.internal/ (rule \"web\")")),
        "{lines:#?}"
    );
    assert!(text(&difference, true).contains("\u{1b}[1;31m! NOW ALLOWED"));
}

#[test]
fn a_pattern_that_takes_in_more_is_met_where_it_does() {
    let guest = [("authenticators", r#"[{ "handler": "anonymous" }]"#)];
    // Nobody would guess this path: only reasoning on the patterns finds it.
    let old = [rule("open", "/<(?!k7-billing/).*>", &guest)];
    let new = [rule("open", "/<.*>", &guest)];
    let difference = compared(&old, &new);
    let opened: Vec<&Group> = difference
        .groups
        .iter()
        .filter(|group| group.kind == Kind::Opened)
        .collect();
    assert_eq!(opened.len(), 1);
    assert!(
        opened[0].examples[0]
            .request
            .starts_with("GET https://app.example.com/k7-billing/"),
        "{opened:?}"
    );
    assert_eq!(
        (
            opened[0].rule_before.as_deref(),
            opened[0].rule_after.as_deref()
        ),
        (None, Some("open"))
    );

    let back = compared(&new, &old);
    assert_eq!(back.groups[0].kind, Kind::Closed, "{:?}", back.groups);
    assert!(told(&back)[0].contains("(rule \"open\" -> none)"));
}

#[test]
fn rules_that_overlap_now_are_met_where_they_do() {
    let old = [rule("web", "/a/<[a-z]+>", &[])];
    let new = [
        rule("web", "/a/<[a-z]+>", &[]),
        rule("other", "/<[a-z]>/b", &[]),
    ];
    let difference = compared(&old, &new);
    assert!(
        difference
            .groups
            .iter()
            .any(|group| group.kind == Kind::Closed && group.examples[0].after == "500"),
        "{:?}",
        difference.groups
    );
}

#[test]
fn what_the_upstream_is_told_is_compared_value_by_value() {
    let web = |mutators: &str| [rule("web", "/<.*>", &[("mutators", mutators)])];
    let token = |claims: &str, more: &str| {
        format!(
            r#"[{{ "handler": "id_token", "config": {{ "claims": "{}"{more} }} }}]"#,
            claims.replace('"', "\\\"")
        )
    };
    let mail = token(r#"{"mail": "{{ .Extra.identity.traits.email }}"}"#, "");
    let role = token(r#"{"role": "admin"}"#, "");
    let long = token(
        r#"{"mail": "{{ .Extra.identity.traits.email }}"}"#,
        r#", "ttl": "90s""#,
    );
    let header = |value: &str| {
        format!(
            r#"[{{ "handler": "header", "config": {{ "headers": {{ "X-User": "{value}" }} }} }}]"#
        )
    };
    for (old, new, details) in [
        (
            r#"[{ "handler": "header" }]"#.to_owned(),
            r#"[{ "handler": "noop" }]"#.to_owned(),
            vec!["x-user is gone"],
        ),
        (
            header("{{ print .Subject }}"),
            header("{{ print .Extra.identity.traits.email }}"),
            vec!["x-user has another value"],
        ),
        (
            r#"[{ "handler": "noop" }]"#.to_owned(),
            mail.clone(),
            vec!["authorization is new"],
        ),
        (
            mail.clone(),
            role,
            vec!["the token's `mail` is gone", "the token's `role` is new"],
        ),
        (
            mail.clone(),
            long,
            vec!["the token's `exp - iat` has another value"],
        ),
    ] {
        let difference = compared(&web(&old), &web(&new));
        assert_eq!(difference.groups.len(), 1, "{:?}", difference.groups);
        assert_eq!(difference.groups[0].kind, Kind::Told);
        assert_eq!(difference.groups[0].details, details);
        assert_eq!(
            difference.groups[0].examples[0].circumstances,
            "with a session"
        );
    }
}

#[test]
fn a_browser_sends_the_same_cookie_under_both() {
    let old = [rule("web", "/<.*>", &[])];
    let new = [rule(
        "web",
        "/<.*>",
        &[("authenticators", r#"[{ "handler": "noop" }]"#)],
    )];
    let difference = compared(&old, &new);
    let told: Vec<&Group> = difference
        .groups
        .iter()
        .filter(|group| group.kind == Kind::Told)
        .collect();
    assert_eq!(told.len(), 1, "{:?}", difference.groups);
    assert_eq!(told[0].details, ["x-user has another value"]);

    let only = CONFIG.replace("only: [ory_kratos_session]", "only: [other_session]");
    let difference = between(&policy(&old), &policy_of(&only, &old), Vec::new()).unwrap();
    assert_eq!(
        difference.groups[0].kind,
        Kind::Closed,
        "{:?}",
        difference.groups
    );
}

#[test]
fn answers_and_rules_that_change_are_told_last() {
    let old = [rule("web", "/<.*>", &[])];
    let renamed = compared(&old, &[rule("site", "/<.*>", &[])]);
    assert!(
        renamed.groups.iter().all(|group| group.kind == Kind::Rule),
        "{:?}",
        renamed.groups
    );
    assert!(told(&renamed)[0].starts_with("  another rule        GET https://app.example.com/ without a session: 401 (rule \"web\" -> \"site\")"), "{:?}", told(&renamed));

    let denied = compared(
        &old,
        &[rule(
            "web",
            "/<.*>",
            &[("authorizer", r#"{ "handler": "deny" }"#)],
        )],
    );
    assert_eq!(denied.groups[0].kind, Kind::Closed);
    assert!(
        denied
            .groups
            .iter()
            .all(|group| group.examples[0].after == "403"),
        "{:?}",
        denied.groups
    );

    let redirect = "errors: { fallback: [redirect], handlers: { redirect: { enabled: true, config: { to: https://login.example.com/ } } } }";
    let (before, after) = (
        policy(&old),
        policy_of(&format!("{CONFIG}{redirect}"), &old),
    );
    let difference = between(&before, &after, Vec::new()).unwrap();
    assert_eq!(difference.groups[0].kind, Kind::Answer);
    assert_eq!(
        difference.groups[0].examples[0].after,
        "302 to https://login.example.com/"
    );
    assert_eq!(difference.settings, ["errors"]);
}

#[test]
fn a_change_that_no_request_shows_is_told() {
    let asks = |scope: &str| {
        let authenticators = format!(
            r#"[{{ "handler": "oauth2_introspection", "config": {{ "required_scope": ["{scope}"] }} }}]"#
        );
        [rule(
            "machine",
            "/<.*>",
            &[("authenticators", &authenticators)],
        )]
    };
    let difference = compared(&asks("read"), &asks("write"));
    assert_eq!(difference.differing, 0, "{:?}", difference.groups);
    assert_eq!(difference.unseen, ["the rule \"machine\" changed"]);
    assert!(
        text(&difference, false)
            .contains("note: the rule \"machine\" changed, and none of these requests shows it")
    );
}

#[test]
fn requests_are_bounded_and_those_for_what_changed_come_first() {
    let mut rules: Vec<String> = (0..600)
        .map(|number| rule(&format!("r{number}"), &format!("/{number}/<.*>"), &[]))
        .collect();
    let old = policy(&rules);
    rules[599] = rule(
        "r599",
        "/599/<.*>",
        &[("authenticators", r#"[{ "handler": "noop" }]"#)],
    );
    let start = std::time::Instant::now();
    let difference = between(&old, &policy(&rules), Vec::new()).unwrap();
    println!(
        "{} requests on 600 rules in {:?}",
        difference.generated,
        start.elapsed()
    );
    assert_eq!(difference.generated, MOST);
    assert_eq!(difference.groups[0].kind, Kind::Opened);
}

#[test]
fn the_json_has_every_group() {
    let difference = compared(
        &[rule("web", "/<.*>", &[])],
        &[rule(
            "web",
            "/<.*>",
            &[("authenticators", r#"[{ "handler": "noop" }]"#)],
        )],
    );
    let document = json(&difference);
    assert_eq!(document["format"], 1);
    assert_eq!(document["changes"][0]["kind"], "opened");
    assert_eq!(document["changes"][0]["examples"][0]["before"], "401");
    assert_eq!(document["opened"], difference.opened());
}
