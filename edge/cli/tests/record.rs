//! `edgekeeper test --record` as a team meets it, with a log of its gateway.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod folder;
mod process;
mod recording;

use std::fs;

use serde_json::json;

use recording::{explained, line, record, team, test, written};

#[test]
fn what_the_gateway_did_is_written_and_passes_at_once() {
    let folder = team(
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
    let folder = team("nobody", &lines);
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
    let folder = team(
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
        let folder = team(name, &log);
        let (ended, out, err) = record(&folder, &[]);
        assert_eq!((ended, out.as_str()), (Some(code), ""), "{name}");
        assert!(err.starts_with(message), "{err}");
        assert!(!folder.join("edgekeeper.test.yml").exists());
    }
    let folder = team("arguments", &[]);
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
    let folder = team("large", &log);
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
