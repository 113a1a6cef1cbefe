//! `edgekeeper test` as a team meets it, with its own expectations.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod folder;
mod process;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use process::Ended;

const CONFIG: &str = r#"
access_rules: { repositories: ["file://./rules.json"] }
authenticators:
  noop: { enabled: true }
  cookie_session:
    enabled: true
    config:
      check_session_url: http://kratos.internal/sessions/whoami
      preserve_path: true
      extra_from: "@this"
      subject_from: identity.id
      only: [ory_kratos_session]
authorizers: { allow: { enabled: true } }
mutators:
  noop: { enabled: true }
  header: { enabled: true, config: { headers: { X-User: "{{ print .Subject }}", X-Aal: "{{ print .Extra.authenticator_assurance_level }}" } } }
  id_token: { enabled: true, config: { issuer_url: "https://gateway.example.com/", ttl: 60s } }
errors:
  fallback: [redirect, json]
  handlers:
    json: { enabled: true }
    redirect:
      enabled: true
      config:
        to: https://login.example.com/
        when: [{ error: [unauthorized], request: { header: { accept: [text/html] } } }]
"#;

const RULES: &str = r#"[
  { "id": "web", "match": { "url": "https://app.example.com/orders<.*>", "methods": ["GET", "POST"] },
    "authenticators": [{ "handler": "cookie_session" }], "authorizer": { "handler": "allow" },
    "mutators": [{ "handler": "id_token", "config": { "claims": "{\"email\": {{ .Extra.identity.traits.email | toJson }}, \"ok\": {{ (index .Extra.identity.verifiable_addresses 0).verified | toJson }}}" } }, { "handler": "header" }],
    "upstream": { "url": "http://web-svc:8080" } },
  { "id": "public", "match": { "url": "https://app.example.com/public", "methods": ["GET"] },
    "authenticators": [{ "handler": "noop" }], "authorizer": { "handler": "allow" }, "mutators": [{ "handler": "noop" }],
    "upstream": { "url": "http://web-svc:8080" } }
]"#;

const SESSIONS: &str = "\
sessions:
  ada: { id: ada, email: ada@example.com, verified: true, aal: aal2, traits: { name: { first: Ada } } }
  bob: file://./bob.session.json
";

const BOB: &str = r#"{
  "active": true,
  "identity": { "id": "bob", "traits": { "email": "bob@example.com" }, "verifiable_addresses": [{ "verified": false }] }
}"#;

/// A folder of a test's own, with the team's files in it and these tests.
fn folder(name: &str, tests: &str) -> PathBuf {
    let files = [
        ("oathkeeper.yml", CONFIG),
        ("rules.json", RULES),
        ("bob.session.json", BOB),
        ("edgekeeper.test.yml", tests),
    ];
    folder::with(&format!("expectations-{name}"), &files)
}

fn test(folder: &Path, arguments: &[&str]) -> Ended {
    let arguments: Vec<&str> = ["test"].iter().chain(arguments).copied().collect();
    process::run(folder, &arguments, "KEYS_SECRET", None)
}

/// Runs tests that stand behind the sessions.
fn tested(name: &str, tests: &str) -> Ended {
    test(&folder(name, &format!("{SESSIONS}tests:\n{tests}")), &[])
}

/// What was said before the explanation of the one test that failed.
fn misses(name: &str, expect: &str) -> Vec<String> {
    let tests = format!(
        "  - request: GET https://app.example.com/orders\n    session: ada\n    expect: {expect}\n"
    );
    let (code, out, err) = tested(name, &tests);
    assert_eq!((code, err.as_str()), (Some(1), ""), "{expect}: {out}");
    let lines = out.lines().skip(1).take_while(|line| !line.is_empty());
    lines.map(|line| line.trim().to_owned()).collect()
}

/// The last line, without the time.
fn summary(out: &str) -> &str {
    let last = out.lines().last().unwrap();
    last.rsplit_once(", ").unwrap().0
}

#[test]
fn what_is_as_expected_passes() {
    let (code, out, err) = tested(
        "passes",
        r"  - name: a guest is sent to log in
    request: GET https://app.example.com/orders
    headers: { Accept: text/html }
    expect: { allow: false, status: 302, rule: web, headers: { Location: '/^https:\/\/login\./', x-user: absent } }
  - request: GET https://app.example.com/orders?page=2#not-sent
    session: ada
    expect:
      allow: true
      rule: web
      upstream:
        url: http://web-svc:8080/orders?page=2
        headers:
          x-user: ada
          x-aal: aal2
          x-other: absent
          cookie: ory_kratos_session=***
          authorization: { claims: { sub: ada, email: /@example\.com$/, ok: true, phone: absent } }
  - request: POST https://app.example.com/orders
    session: bob
    expect: { upstream: { headers: { authorization: { claims: { email: bob@example.com, ok: false } } } } }
  - request: GET https://app.example.com/nowhere
    expect: { rule: none, status: 404 }
  - name: a decision for another proxy
    request: GET https://app.example.com/decisions/orders
    listener: api
    session: ada
    expect: { allow: true, status: 200, rule: web, headers: { x-user: ada } }
",
    );
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    let (tests, numbers) = out.split_once("\n\n").unwrap();
    assert_eq!(
        tests,
        "\
ok      a guest is sent to log in
ok      GET https://app.example.com/orders?…
ok      POST https://app.example.com/orders
ok      GET https://app.example.com/nowhere
ok      a decision for another proxy"
    );
    assert_eq!(summary(numbers), "5 tests, 0 failed");
}

#[test]
fn every_expectation_can_fail_and_says_what_came() {
    for (name, expect, said) in [
        (
            "allow",
            "{ allow: false }",
            "allow: expected `false`, found a request to the upstream `http://web-svc:8080/orders`",
        ),
        (
            "status",
            "{ status: 401 }",
            "status: expected 401, found a request to the upstream `http://web-svc:8080/orders`",
        ),
        (
            "headers",
            "{ headers: { location: /login/ } }",
            "headers.location: expected /login/, found a request to the upstream `http://web-svc:8080/orders`",
        ),
        (
            "rule",
            "{ rule: public }",
            "rule: expected `public`, found `web`",
        ),
        (
            "rule-none",
            "{ rule: none }",
            "rule: expected none, found `web`",
        ),
        (
            "rule-typo",
            "{ rule: publik }",
            "rule: expected `publik` (no rule has this id; did you mean `public`?), found `web`",
        ),
        (
            "url",
            "{ upstream: { url: http://web.internal/orders } }",
            "upstream.url: expected `http://web.internal/orders`, found `http://web-svc:8080/orders`",
        ),
        (
            "text",
            "{ upstream: { headers: { X-User: bob } } }",
            "upstream.headers.x-user: expected `bob`, found `ada`",
        ),
        (
            "pattern",
            "{ upstream: { headers: { x-user: '/^a$/' } } }",
            "upstream.headers.x-user: expected /^a$/, found `ada`",
        ),
        (
            "absent",
            "{ upstream: { headers: { x-user: absent } } }",
            "upstream.headers.x-user: expected absent, found `ada`",
        ),
        (
            "not-absent",
            "{ upstream: { headers: { x-mail: a@b } } }",
            "upstream.headers.x-mail: expected `a@b`, found absent",
        ),
        (
            "claim",
            "{ upstream: { headers: { authorization: { claims: { ok: false } } } } }",
            "upstream.headers.authorization.claims.ok: expected `false`, found `true`",
        ),
        (
            "claim-absent",
            "{ upstream: { headers: { authorization: { claims: { email: absent } } } } }",
            "upstream.headers.authorization.claims.email: expected absent, found `ada@example.com`",
        ),
        (
            "no-claim",
            "{ upstream: { headers: { authorization: { claims: { phone: null } } } } }",
            "upstream.headers.authorization.claims.phone: expected `null`, found absent",
        ),
        (
            "no-token",
            "{ upstream: { headers: { x-user: { claims: { sub: ada } } } } }",
            "upstream.headers.x-user: expected a token that a mutator makes, found `ada`",
        ),
        (
            "credential",
            "{ upstream: { headers: { authorization: Bearer do-not-show-me } } }",
            "upstream.headers.authorization: expected a text that is not shown (credentials are compared as `***`), found `Bearer ***`",
        ),
    ] {
        assert_eq!(misses(name, expect), [said], "{expect}");
    }
}

#[test]
fn a_refusal_fails_what_expects_to_pass() {
    let (code, out, _) = tested(
        "refusal",
        r"  - request: GET https://app.example.com/orders?token=do-not-show-me
    headers: { X-Api-Token: do-not-show-me, Cookie: ory_kratos_session=do-not-show-me }
    expect: { allow: true, rule: web, upstream: { url: /x/ } }
  - request: GET https://app.example.com/public
    expect: { status: 200 }
",
    );
    assert_eq!(code, Some(1), "{out}");
    assert_eq!(summary(&out), "2 tests, 2 failed");
    let (tests, _) = out.rsplit_once("\n\n").unwrap();
    assert_eq!(
        tests,
        r#"FAILED  GET https://app.example.com/orders?…  (edgekeeper.test.yml:5)
        allow: expected `true`, found an answer with 401
        upstream: expected a request to it, found an answer with 401

          request         GET https://app.example.com/orders
          rule            web  https://app.example.com/orders<.*>
            captured      ""
            question      GET http://kratos.internal/sessions/whoami → 401 (not asked: without a session the credential counts as unknown)
            session       miss: none that counts
          authenticator   cookie_session: refuses: Kratos knows no active session for this credential
          refused         401 Access credentials are invalid
            why           Kratos knows no active session for this credential
          error handler   redirect (number 1 of the fallback): not for this: `accept` is text/html, the request accepts application/octet-stream
          error handler   json (number 2 of the fallback): tells of it
          → 401 Unauthorized
                          content-type: application/json
                          cache-control: no-store
                          {"error":{"code":401,"message":"The request could not be authorized","status":"Unauthorized"}}

FAILED  GET https://app.example.com/public  (edgekeeper.test.yml:8)
        status: expected 200, found a request to the upstream `http://web-svc:8080/public`

          request         GET https://app.example.com/public
          rule            public  https://app.example.com/public
          authenticator   noop: lets pass, without a subject
          authorizer      allow: allows
          mutator         noop: sets nothing
          → upstream GET http://web-svc:8080/public
                          host: web-svc:8080
                          x-forwarded-host: app.example.com
                          x-forwarded-proto: https"#
    );
    assert!(!out.contains("do-not-show-me"), "{out}");
}

const MIXED: &str = r"tests:
  - name: passes & <is> shown
    request: GET https://app.example.com/public
    expect: { allow: true }
  - request: GET https://app.example.com/public
    expect: { rule: web }
";

#[test]
fn json_has_every_test_and_the_explanation_of_those_that_failed() {
    let (code, out, err) = test(&folder("json", MIXED), &["--format", "json"]);
    assert_eq!((code, err.as_str()), (Some(1), ""));
    let mut document: Value = serde_json::from_str(&out).unwrap();
    let explanation = document["tests"][1]["explanation"].take();
    assert_eq!(explanation["outcome"]["kind"], "forward");
    assert_eq!(explanation["steps"][1]["id"], "public");
    assert!(document["milliseconds"].take().is_u64());
    let expected = serde_json::json!({
        "format": 1,
        "tests": [
            { "name": "passes & <is> shown", "file": "edgekeeper.test.yml", "line": 2, "passed": true },
            {
                "name": "GET https://app.example.com/public", "file": "edgekeeper.test.yml", "line": 5, "passed": false,
                "failures": [{ "what": "rule", "expected": "`web`", "found": "`public`" }], "explanation": null,
            },
        ],
        "failed": 1,
        "milliseconds": null,
    });
    assert_eq!(document, expected);
}

#[test]
fn junit_is_written_for_ci() {
    let (code, out, _) = test(&folder("junit", MIXED), &["--format", "junit"]);
    assert_eq!(code, Some(1));
    for part in [
        "<testsuites tests=\"2\" failures=\"1\" time=\"0.",
        "<testcase classname=\"edgekeeper.test.yml\" name=\"passes &amp; &lt;is&gt; shown\" file=\"edgekeeper.test.yml\" line=\"2\"/>",
        "<failure message=\"rule: expected `web`, found `public`\">rule: expected `web`, found `public`\n\nrequest         GET https://app.example.com/public\n",
        "</failure>\n    </testcase>\n  </testsuite>\n</testsuites>\n",
    ] {
        assert!(out.contains(part), "{part} is not in {out}");
    }
}

#[test]
fn files_are_found_beside_the_configuration_or_named() {
    let found = folder("found", MIXED);
    let above = found.parent().unwrap();
    let config = "expectations-found/oathkeeper.yml";
    let (code, out, _) = test(above, &["--config", config]);
    assert_eq!(code, Some(1));
    assert!(
        out.contains("(expectations-found/edgekeeper.test.yml:5)"),
        "{out}"
    );

    fs::rename(found.join("edgekeeper.test.yml"), found.join("other.yml")).unwrap();
    let (code, _, err) = test(&found, &[]);
    assert_eq!(
        (code, err.as_str()),
        (
            Some(2),
            "error: there is no `edgekeeper.test.yml` beside `oathkeeper.yml`; write one, as docs/test.md shows, or name another: `edgekeeper test path/to/tests.yml`\n"
        )
    );
    let (code, out, _) = test(&found, &["other.yml", "other.yml"]);
    assert_eq!(code, Some(1));
    assert_eq!(summary(&out), "4 tests, 2 failed");

    fs::remove_file(found.join("oathkeeper.yml")).unwrap();
    let (code, _, err) = test(&found, &["other.yml"]);
    assert_eq!(
        (code, err.as_str()),
        (
            Some(2),
            "error: there is no `oathkeeper.yml` in this folder; name Oathkeeper's configuration: `edgekeeper test --config path/to/oathkeeper.yml`\n"
        )
    );
}

#[test]
fn a_policy_that_does_not_compile_fails() {
    let folder = folder("policy", MIXED);
    fs::write(
        folder.join("rules.json"),
        RULES.replace("\"noop\"", "\"nop\""),
    )
    .unwrap();
    let (code, out, err) = test(&folder, &[]);
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(err.contains("error[unknown-handler]"), "{err}");
    assert!(err.ends_with("errors; nothing was tested\n"), "{err}");
}

#[test]
fn edge_yml_is_found_and_strict_is_strict() {
    let one = |request: &str, expect: &str| {
        format!("tests:\n  - request: GET {request}\n    expect: {expect}\n")
    };
    let tests = one(
        "https://app.example.com/public",
        "{ upstream: { url: https://web.example.net/public } }",
    );
    let folder = folder("edge", &tests);
    let before = test(&folder, &[]).0;
    let edge = "upstreams: { http://web-svc:8080: https://web.example.net }\n";
    fs::write(folder.join("edge.yml"), edge).unwrap();
    let after = test(&folder, &[]).0;
    assert_eq!(
        (before, after),
        (Some(1), Some(0)),
        "`edge.yml` maps the upstream"
    );

    let tests = one(
        "https://app.example.com/public\n    headers: { X-User: root }",
        "{ upstream: { headers: { x-user: absent } } }",
    );
    fs::write(folder.join("edgekeeper.test.yml"), tests).unwrap();
    let codes = (test(&folder, &[]).0, test(&folder, &["--strict"]).0);
    assert_eq!(
        codes,
        (Some(0), Some(1)),
        "as Oathkeeper, strict mode lets a client's identity header pass where no rule sets it"
    );
}

#[test]
fn the_example_of_the_documentation_passes() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/test.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, rest) = page.split_once("```yaml\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    let (code, out, err) = test(&folder("page", example), &[]);
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    assert_eq!(summary(&out), "2 tests, 0 failed");
}

#[test]
fn no_test_knows_what_another_was_told() {
    // The same credential is of three people, one after the other: who is remembered from before would pass for the next.
    let mut tests = String::new();
    for _ in 0..2 {
        for (session, expected) in [
            (
                "    session: ada\n",
                "{ allow: true, upstream: { headers: { x-user: ada, authorization: { claims: { sub: ada } } } } }",
            ),
            (
                "    session: bob\n",
                "{ allow: true, upstream: { headers: { x-user: bob, authorization: { claims: { sub: bob } } } } }",
            ),
            ("", "{ allow: false, status: 401 }"),
        ] {
            tests.push_str(&format!(
                "  - request: GET https://app.example.com/orders\n    headers: {{ Cookie: ory_kratos_session=the-same }}\n{session}    expect: {expected}\n"
            ));
        }
    }
    let (code, out, err) = tested("apart", &tests);
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    assert_eq!(summary(&out), "6 tests, 0 failed");
}

#[test]
fn a_policy_document_is_tested_as_the_files_it_was_made_of() {
    let tests = format!(
        "{SESSIONS}tests:\n  - request: GET https://app.example.com/orders\n    session: ada\n    expect: {{ rule: web, upstream: {{ headers: {{ x-user: ada }} }} }}\n"
    );
    let folder = folder("document", &tests);
    let build = [
        "build",
        "--config",
        "oathkeeper.yml",
        "--out",
        "policy.json",
    ];
    let (code, _, err) = process::run(&folder, &build, "KEYS_SECRET", None);
    assert_eq!(code, Some(0), "{err}");
    for name in ["oathkeeper.yml", "rules.json"] {
        fs::remove_file(folder.join(name)).unwrap();
    }
    let (code, out, err) = test(&folder, &["--policy", "policy.json"]);
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    assert_eq!(summary(&out), "1 test, 0 failed");
    let (code, _, err) = test(&folder, &["--policy", "none.json"]);
    assert_eq!(
        (code, err.as_str()),
        (
            Some(2),
            "error: `none.json` cannot be read: no such file or folder\n"
        )
    );
    let (code, _, err) = test(&folder, &["--policy", "edgekeeper.test.yml"]);
    assert_eq!(code, Some(1));
    assert!(err.starts_with("edgekeeper.test.yml: error: "), "{err}");
    for both in [
        &["--config", "x.yml"][..],
        &["--edge", "x.yml"],
        &["--root", "x"],
        &["--strict"],
    ] {
        let arguments: Vec<&str> = ["--policy", "policy.json"]
            .iter()
            .chain(both)
            .copied()
            .collect();
        let (code, _, err) = test(&folder, &arguments);
        assert_eq!(code, Some(2));
        assert!(err.contains("cannot be used with"), "{err}");
    }
}
