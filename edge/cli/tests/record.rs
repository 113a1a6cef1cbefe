//! `edgekeeper test --record` as a team meets it, with a log of its gateway.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod folder;
mod process;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use process::Ended;

const CONFIG: &str = r#"
access_rules: { repositories: ["file://./rules.json"] }
authenticators:
  noop: { enabled: true }
  cookie_session:
    enabled: true
    config: { check_session_url: "http://kratos.internal/sessions/whoami", preserve_path: true, extra_from: "@this", subject_from: identity.id, only: [ory_kratos_session] }
authorizers: { allow: { enabled: true }, deny: { enabled: true } }
mutators:
  noop: { enabled: true }
  header: { enabled: true, config: { headers: { X-User: "{{ print .Subject }}", X-Key: "s3cr3t-of-the-upstream" } } }
  id_token: { enabled: true, config: { issuer_url: "https://gateway.example.com/", ttl: 60s, claims: "{\"email\": {{ .Extra.identity.traits.email | toJson }}}" } }
errors:
  fallback: [redirect, json]
  handlers:
    json: { enabled: true }
    redirect: { enabled: true, config: { to: "https://login.example.com/", when: [{ error: [unauthorized], request: { header: { accept: [text/html] } } }] } }
"#;

const RULES: &str = r#"[
  { "id": "web", "match": { "url": "https://app.example.com/orders<.*>", "methods": ["GET", "POST"] },
    "authenticators": [{ "handler": "cookie_session" }], "authorizer": { "handler": "allow" },
    "mutators": [{ "handler": "id_token" }, { "handler": "header" }], "upstream": { "url": "http://web-svc:8080" } },
  { "id": "public", "match": { "url": "https://app.example.com/public<.*>", "methods": ["GET"] },
    "authenticators": [{ "handler": "noop" }], "authorizer": { "handler": "allow" }, "mutators": [{ "handler": "noop" }],
    "upstream": { "url": "http://web-svc:8080" } },
  { "id": "never", "match": { "url": "https://app.example.com/never", "methods": ["GET"] },
    "authenticators": [{ "handler": "noop" }], "authorizer": { "handler": "deny" }, "mutators": [{ "handler": "noop" }],
    "upstream": { "url": "http://web-svc:8080" } }
]"#;

/// A folder of a test's own, with the team's files and a log of these lines.
fn folder(name: &str, log: &[String]) -> PathBuf {
    let files = [
        ("oathkeeper.yml", CONFIG),
        ("rules.json", RULES),
        ("gateway.log", &log.join("\n")),
    ];
    folder::with(&format!("record-{name}"), &files)
}

fn test(folder: &Path, arguments: &[&str]) -> Ended {
    let arguments: Vec<&str> = ["test"].iter().chain(arguments).copied().collect();
    process::run(folder, &arguments, "KEYS_SECRET", None)
}

fn record(folder: &Path, arguments: &[&str]) -> Ended {
    let arguments: Vec<&str> = ["--record", "gateway.log"]
        .iter()
        .chain(arguments)
        .copied()
        .collect();
    test(folder, &arguments)
}

fn written(folder: &Path) -> String {
    fs::read_to_string(folder.join("edgekeeper.test.yml")).unwrap()
}

/// A line without an explanation.
fn line(method: &str, path: &str, rule: Option<&str>, status: u16, more: Value) -> String {
    let mut line = json!({ "msg": "decision", "method": method, "host": "app.example.com", "path": path, "status": status, "ms": 1 });
    let members = line.as_object_mut().unwrap();
    if let Some(rule) = rule {
        members.insert("rule".to_owned(), json!(rule));
    }
    members.extend(more.as_object().unwrap().clone());
    format!("stderr [0] :: {line}")
}

/// What the gateway would log for somebody: its own explanation, as `edgekeeper explain` has it.
fn explained(path: &str, who: Option<&str>) -> String {
    let session = folder::with(
        "record-session",
        &[("oathkeeper.yml", CONFIG), ("rules.json", RULES)],
    );
    let url = format!("https://app.example.com{path}");
    let mut arguments = vec![
        "explain",
        "GET",
        &url,
        "--config",
        "oathkeeper.yml",
        "--format",
        "json",
    ];
    if let Some(who) = who {
        let whoami = json!({
            "active": true, "expires_at": "2999-01-01T00:00:00Z", "authenticator_assurance_level": "aal1",
            "identity": { "id": format!("id-of-{who}"), "traits": { "email": format!("{who}@people.example") } },
        });
        fs::write(session.join("session.json"), whoami.to_string()).unwrap();
        arguments.extend(["--session", "session.json"]);
    }
    let (code, out, err) = process::run(&session, &arguments, "KEYS_SECRET", None);
    assert_eq!(code, Some(0), "{err}");
    let explanation: Value = serde_json::from_str(&out).unwrap();
    let rule = explanation["steps"]
        .as_array()
        .unwrap()
        .iter()
        .find(|step| step["step"] == "rule");
    let rule = rule.map(|rule| rule["id"].as_str().unwrap().to_owned());
    let status = explanation["outcome"]["status"].as_u64().unwrap_or(200);
    let more = json!({ "session": "hit", "explanation": explanation });
    line(
        "GET",
        path,
        rule.as_deref(),
        u16::try_from(status).unwrap(),
        more,
    )
}

#[test]
fn what_the_gateway_did_is_written_and_passes_at_once() {
    let folder = folder(
        "passes",
        &[
            explained("/orders/4711", Some("ada")),
            explained("/orders/4712", Some("bob")),
            explained("/orders/ada", Some("ada")),
            explained("/orders/list", None),
            explained("/public/about", None),
            line(
                "GET",
                "/never",
                Some("never"),
                403,
                json!({ "reason": "denied" }),
            ),
            line("GET", "/nothing", None, 404, json!({})),
            line("GET", "/health/alive", None, 200, json!({})),
            line(
                "GET",
                "/orders",
                Some("web"),
                302,
                json!({ "reason": "no session" }),
            ),
            "not a decision".to_owned(),
        ],
    );
    let (code, out, err) = record(&folder, &[]);
    assert_eq!((code, out.as_str()), (Some(0), ""), "{err}");
    assert_eq!(
        err,
        "edgekeeper.test.yml: 7 tests written from 9 decisions; 0 as comments, with why\n"
    );
    assert_eq!(
        written(&folder),
        "\
# Recorded from a gateway's log by `edgekeeper test --record`: what it did, and what these rules do today. docs/test.md
sessions:
  # Made up, for everybody who was signed in. What else your rules read of a session is to be added.
  someone: { id: 00000000-0000-4000-8000-000000000000, email: someone@example.com, verified: true }
tests:
  - request: GET https://app.example.com/health/alive
    listener: api
    expect:
      allow: false
      rule: none
      status: 200
  - request: GET https://app.example.com/never
    expect:
      allow: false
      rule: never
      status: 403
  - request: GET https://app.example.com/nothing
    expect:
      allow: false
      rule: none
      status: 404
  - request: GET https://app.example.com/orders
    headers: { accept: text/html }
    expect:
      allow: false
      rule: web
      status: 302
  - request: GET https://app.example.com/orders/list
    expect:
      allow: false
      rule: web
      status: 401
  - request: GET https://app.example.com/orders/1111
    session: someone
    expect:
      allow: true
      rule: web
      upstream:
        url: http://web-svc:8080/orders/1111
        headers:
          authorization: { claims: { email: someone@example.com, sub: '00000000-0000-4000-8000-000000000000' } }
          x-user: '00000000-0000-4000-8000-000000000000'
  - request: GET https://app.example.com/public/about
    expect:
      allow: true
      rule: public
      upstream:
        url: http://web-svc:8080/public/about
"
    );
    let (code, out, err) = test(&folder, &[]);
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
}

#[test]
fn nobody_and_no_secret_gets_into_the_file() {
    let secret = "ory_kratos_session=SECRET-SECRET";
    let mut lines = vec![
        explained("/orders/ada", Some("ada")),
        explained("/orders/id-of-ada/items", Some("ada")),
        explained("/orders/x-ada-y", Some("ada")),
        line(
            "GET",
            "/public/ada@people.example",
            Some("public"),
            200,
            json!({}),
        ),
        line(
            "GET",
            "/public/bob@people.example\n- x: SECRET",
            Some("public"),
            200,
            json!({}),
        ),
        line(
            "GET",
            "/public/kXhQmZpLrTvWnYbDSECRET",
            Some("public"),
            200,
            json!({}),
        ),
        line(
            "GET",
            "/never/ada",
            Some("never"),
            403,
            json!({ "reason": secret }),
        ),
        line(
            "GET",
            "/public",
            Some("public"),
            200,
            json!({ "explanation": { "steps": [], "outcome": {
            "kind": "forward", "headers": [{ "name": "cookie", "value": secret }] } } }),
        ),
        line("GET\nx: SECRET", "/public", Some("public"), 200, json!({})),
    ];
    lines.push(line(
        "GET",
        "/public",
        Some("public"),
        200,
        json!({ "host": "x: SECRET\n#" }),
    ));
    let folder = folder("nobody", &lines);
    let (code, _, err) = record(&folder, &[]);
    assert_eq!(code, Some(0), "{err}");
    let text = written(&folder).to_lowercase();
    let own = text.replace("someone@example.com", "");
    for (number, line) in own.lines().enumerate() {
        // What the log has for a method or a host is not what a client can choose there; it is told as it is, on a line of its own.
        if !line.contains("# not recorded: get\u{fffd}") && !line.contains("x: secret\u{fffd}#") {
            for secret in ["ada", "bob", "people", "secret", "s3cr3t", "- x:"] {
                assert!(!line.contains(secret), "line {number}: {line}");
            }
        }
    }
    assert_eq!(test(&folder, &[]).0, Some(0));
}

#[test]
fn what_these_rules_do_not_do_is_a_comment_with_the_reason() {
    let folder = folder(
        "comments",
        &[
            line("GET", "/public", Some("web"), 200, json!({})),
            line("GET", "/gone", Some("gone"), 200, json!({})),
            line("GET", "/public/a", Some("public"), 200, json!({})),
            line(
                "GET",
                "/orders/99",
                Some("web"),
                500,
                json!({ "session": "miss", "reason": "template" }),
            ),
            line(
                "GET",
                "/orders/98",
                Some("web"),
                500,
                json!({ "session": "miss", "reason": "template" }),
            ),
        ],
    );
    let (code, _, err) = record(&folder, &[]);
    assert_eq!(code, Some(0), "{err}");
    let text = written(&folder);
    let comments: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("  # not"))
        .collect();
    assert_eq!(
        comments,
        [
            "  # not recorded: GET app.example.com/gone (rule gone, allowed, once): without the real request, allow would be an answer with 404 and was `true`",
            "  # not recorded: GET app.example.com/orders/{id} (rule web, 500, 2 times): without the real request, status would be an answer with 401 and was 500",
            "  # not recorded: GET app.example.com/public (rule web, allowed, once): without the real request, rule would be `public` and was `web`",
        ]
    );
    assert!(
        err.ends_with("1 test written from 5 decisions; 3 as comments, with why\n"),
        "{err}"
    );
}

#[test]
fn a_file_that_is_there_stays_unless_somebody_says_otherwise() {
    let folder = folder(
        "there",
        &[line("GET", "/public", Some("public"), 200, json!({}))],
    );
    let own = "tests: []\n";
    fs::write(folder.join("edgekeeper.test.yml"), own).unwrap();
    let (code, _, err) = record(&folder, &[]);
    assert_eq!(code, Some(2));
    assert_eq!(
        err,
        "error: `edgekeeper.test.yml` is there already; `--append` adds to it, `--force` writes it anew, `--out FILE` names another\n"
    );
    assert_eq!(written(&folder), own);
    assert_eq!(record(&folder, &["--out", "other.yml"]).0, Some(0));
    assert_eq!(written(&folder), own);
    assert_eq!(test(&folder, &["other.yml"]).0, Some(0));
    assert_eq!(record(&folder, &["--force"]).0, Some(0));
    assert!(written(&folder).contains("/public"));
    // Another folder's configuration has its file beside it.
    let parent = folder.parent().unwrap();
    let (code, _, err) = process::run(
        parent,
        &[
            "test",
            "--record",
            "record-there/gateway.log",
            "--config",
            "record-there/oathkeeper.yml",
            "--force",
        ],
        "KEYS_SECRET",
        None,
    );
    assert_eq!(code, Some(0), "{err}");
    assert!(
        err.starts_with("record-there/edgekeeper.test.yml: 1 test written"),
        "{err}"
    );
}

const OWN: &str = "\
# The team's own.
sessions:
    # who
    ada: { id: ada }
tests:   # all of them
- request: GET https://app.example.com/public   # for all
  expect: { allow: true }

# The end.";

#[test]
fn a_file_grows_and_keeps_what_it_has() {
    let log = [
        explained("/orders/1", Some("ada")),
        line("GET", "/public", Some("public"), 200, json!({})),
        line("GET", "/public/a", Some("public"), 200, json!({})),
        line("GET", "/gone", Some("gone"), 200, json!({})),
    ];
    let folder = folder("grows", &log);
    // Somebody has an editor of Windows.
    let own = OWN.replace("ada }\n", "ada }\r\n");
    fs::write(folder.join("edgekeeper.test.yml"), &own).unwrap();
    let (code, _, err) = record(&folder, &["--append"]);
    assert_eq!(code, Some(0), "{err}");
    assert!(
        err.ends_with("2 tests written from 4 decisions; 1 as comments, with why\n"),
        "{err}"
    );
    let text = written(&folder);
    assert!(text.contains("{ id: ada }\r\n"), "{text}");
    let kept: Vec<&str> = text
        .lines()
        .filter(|line| OWN.lines().any(|own| own == *line))
        .collect();
    assert_eq!(kept, OWN.lines().collect::<Vec<_>>());
    assert!(text.contains("sessions:\n    # Made up, for"), "{text}");
    assert!(
        text.contains(
            "\n# The end.\n- request: GET https://app.example.com/orders/1\n  session: someone\n"
        ),
        "{text}"
    );
    assert_eq!(test(&folder, &[]).0, Some(0));
    // It has all of it now.
    let (code, _, err) = record(&folder, &["--append"]);
    assert_eq!(
        (code, err.as_str()),
        (
            Some(1),
            "error: `edgekeeper.test.yml` has all of this already\n"
        )
    );
    assert_eq!(written(&folder), text);
    // Where there are no sessions yet, they come before the tests. A file that is not there is made.
    let own = "tests:\n    - { request: GET https://app.example.com/x, expect: { rule: none } }\n";
    fs::write(folder.join("other.yml"), own).unwrap();
    for out in ["other.yml", "anew.yml"] {
        assert_eq!(
            record(&folder, &["--append", "--out", out]).0,
            Some(0),
            "{out}"
        );
        assert_eq!(test(&folder, &[out]).0, Some(0), "{out}");
    }
    let other = fs::read_to_string(folder.join("other.yml")).unwrap();
    assert!(other.starts_with("sessions:\n  # Made up"), "{other}");
    assert!(other.contains("\ntests:\n    - { request"), "{other}");
}

#[test]
fn what_cannot_be_added_to_stays_as_it_is_and_the_reason_is_said() {
    let folder = folder("cannot", &[explained("/orders/1", Some("ada"))]);
    let item = "{ request: GET https://app.example.com/x, expect: { rule: none } }";
    for (own, reason) in [
        (
            format!("tests: [{item}]\n"),
            "in line 1 something stands behind `tests:`; write that below it, each on a line of its own",
        ),
        (
            format!("tests:\n- {item}\nsessions:\n  a: {{ id: a }}\n"),
            "something comes after `tests`; move that before it",
        ),
        (
            format!("sessions: {{ a: {{ id: a }} }}\ntests:\n- {item}\n"),
            "in line 1 something stands behind `sessions:`",
        ),
        (format!("\"tests\":\n- {item}\n"), "it has no line `tests:`"),
        (
            format!("sessions:\n  someone: {{ id: a }}\ntests:\n- {item}\n"),
            "its session `someone` is not the one that recorded tests are about; call yours otherwise",
        ),
    ] {
        fs::write(folder.join("edgekeeper.test.yml"), &own).unwrap();
        let (code, _, err) = record(&folder, &["--append"]);
        assert_eq!(code, Some(2), "{own}");
        assert!(
            err.starts_with("error: `edgekeeper.test.yml` cannot be added to: "),
            "{err}"
        );
        assert!(err.contains(reason), "{own}: {err}");
        assert_eq!(written(&folder), own);
    }
    fs::write(folder.join("edgekeeper.test.yml"), "tests: 7").unwrap();
    let (code, _, err) = record(&folder, &["--append"]);
    assert_eq!(code, Some(2));
    assert!(err.starts_with("edgekeeper.test.yml:1:8: error: "), "{err}");
}

#[test]
fn a_log_with_nothing_in_it_writes_nothing() {
    for (name, log, code, message) in [
        (
            "empty",
            vec![],
            1,
            "error: there is no decision in `gateway.log`; a line of one has `\"msg\":\"decision\"`",
        ),
        (
            "other",
            vec![
                "{\"msg\":\"decision\"".to_owned(),
                "\u{0}\u{feff}".to_owned(),
            ],
            1,
            "error: there is no decision",
        ),
        (
            "none",
            vec![line("GET", "/gone", Some("gone"), 200, json!({}))],
            1,
            "error: nothing of `gateway.log` can be expected of these rules\n  not recorded: GET app.example.com/gone",
        ),
    ] {
        let folder = folder(name, &log);
        let (ended, out, err) = record(&folder, &[]);
        assert_eq!((ended, out.as_str()), (Some(code), ""), "{name}");
        assert!(err.starts_with(message), "{err}");
        assert!(!folder.join("edgekeeper.test.yml").exists());
    }
    let folder = folder("arguments", &[]);
    for (arguments, message) in [
        (
            &["--record", "none.log"][..],
            "error: `none.log` cannot be read: no such file or folder\n",
        ),
        (&["--append"], "--record <LOG>"),
        (&["--out", "x"], "--record <LOG>"),
        (
            &["--record", "x", "--append", "--force"],
            "cannot be used with",
        ),
        (&["--record", "x", "y.yml"], "cannot be used with"),
        (
            &["--record", "x", "--format", "json"],
            "cannot be used with",
        ),
    ] {
        let (code, _, err) = test(&folder, arguments);
        assert_eq!(code, Some(2), "{arguments:?}");
        assert!(err.contains(message), "{arguments:?}: {err}");
    }
    fs::write(folder.join("rules.json"), "[{").unwrap();
    let (code, _, err) = record(&folder, &[]);
    assert_eq!(code, Some(1));
    assert!(err.ends_with("nothing was recorded\n"), "{err}");
}

#[test]
fn a_large_log_gives_no_more_tests_than_somebody_reads() {
    let log: Vec<String> = (0..3_000)
        .map(|number| {
            let word: String = format!("{number:04}")
                .bytes()
                .map(|byte| char::from(byte + 49))
                .collect();
            // Ten names in each place, so that none is taken for one of many.
            let path: String = word.chars().map(|c| format!("/{c}")).collect();
            line(
                "GET",
                &format!("/public{path}"),
                Some("public"),
                200,
                json!({}),
            )
        })
        .collect();
    let folder = folder("large", &log);
    let (code, _, err) = record(&folder, &[]);
    assert_eq!(code, Some(0), "{err}");
    let text = written(&folder);
    assert_eq!(text.matches("- request:").count(), 200);
    assert!(
        text.ends_with(
            "# 2800 more kinds of requests are not here: 200 tests are written, and 200 notes\n"
        ),
        "{}",
        text.lines().last().unwrap()
    );
}
