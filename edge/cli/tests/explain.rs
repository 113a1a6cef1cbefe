//! `edgekeeper explain` as somebody meets it who wonders about a request.

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
  anonymous: { enabled: true, config: { subject: guest } }
  cookie_session:
    enabled: true
    config:
      check_session_url: http://kratos.internal/sessions/whoami
      preserve_path: true
      extra_from: "@this"
      subject_from: identity.id
      only: [ory_kratos_session]
  oauth2_introspection:
    enabled: true
    config: { introspection_url: http://hydra.internal/introspect }
authorizers: { allow: { enabled: true }, deny: { enabled: true } }
mutators:
  noop: { enabled: true }
  header: { enabled: true, config: { headers: { X-User: "{{ print .Subject }}" } } }
  id_token: { enabled: true, config: { issuer_url: "https://gateway.example.com/", ttl: 60s } }
errors:
  fallback: [redirect, json]
  handlers:
    json: { enabled: true }
    redirect:
      enabled: true
      config:
        to: https://login.example.com/
        return_to_query_param: return_to
        when: [{ error: [unauthorized], request: { header: { accept: [text/html] } } }]
"#;

const RULES: &str = r#"[
  { "id": "api", "match": { "url": "https://app.example.com/api/<.*>", "methods": ["GET", "POST"] },
    "authenticators": [{ "handler": "cookie_session" }], "authorizer": { "handler": "allow" },
    "mutators": [{ "handler": "id_token", "config": { "claims": "{\"mail\": {{ .Extra.identity.traits.email | toJson }}}" } }, { "handler": "header" }],
    "upstream": { "url": "http://api.internal/v1", "strip_path": "/api" } },
  { "id": "api-slash", "match": { "url": "https://app.example.com/api/items/", "methods": ["DELETE"] },
    "authenticators": [{ "handler": "noop" }], "authorizer": { "handler": "allow" }, "mutators": [{ "handler": "noop" }],
    "upstream": { "url": "http://api.internal" } },
  { "id": "machine", "match": { "url": "https://machine.example.com/<.*>", "methods": ["GET"] },
    "authenticators": [{ "handler": "oauth2_introspection" }, { "handler": "anonymous" }], "authorizer": { "handler": "deny" },
    "mutators": [{ "handler": "noop" }], "upstream": { "url": "http://api.internal" } }
]"#;

const SESSION: &str = r#"{
  "id": "0d8c3a54", "active": true, "expires_at": "2999-01-01T00:00:00Z",
  "identity": { "id": "ada", "traits": { "email": "ada@example.com" } }
}"#;

/// An empty folder of a test's own, with the operator's files in it.
fn folder(name: &str) -> PathBuf {
    let files = [
        ("oathkeeper.yml", CONFIG),
        ("rules.json", RULES),
        ("ada.json", SESSION),
    ];
    folder::with(&format!("explain-{name}"), &files)
}

fn explain(folder: &Path, arguments: &[&str]) -> Ended {
    let arguments: Vec<&str> = ["explain"].iter().chain(arguments).copied().collect();
    process::run(folder, &arguments, "KEYS_SECRET", None)
}

/// Explains by the configuration.
fn explained(name: &str, arguments: &[&str]) -> String {
    let config = ["--config", "oathkeeper.yml"];
    let arguments: Vec<&str> = arguments.iter().chain(&config).copied().collect();
    let (code, out, err) = explain(&folder(name), &arguments);
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    out
}

/// What chance and the clock put into a token is taken out.
fn timeless(text: &str) -> String {
    let mut text = text.to_owned();
    for name in ["kid", "exp", "iat", "nbf", "jti"] {
        let member = format!("\"{name}\":");
        let Some((before, rest)) = text.split_once(&member) else {
            continue;
        };
        let (_, after) = rest.split_at(rest.find([',', '}']).unwrap());
        text = format!("{before}{member}_{after}");
    }
    text
}

#[test]
fn an_allowed_request_is_explained_to_the_upstream() {
    let text = explained(
        "allowed",
        &[
            "GET",
            "https://app.example.com/api/items?page=2",
            "--session",
            "ada.json",
        ],
    );
    assert_eq!(
        timeless(&text),
        r#"assumed         a session was given and no credential, so `Cookie: ory_kratos_session=***` was added: there the rule looks for one
request         GET https://app.example.com/api/items
rule            api  https://app.example.com/api/<.*>
  captured      "items"
  not           api-slash  https://app.example.com/api/items/: it is for DELETE; it is for the path with a slash at its end
  question      GET http://kratos.internal/sessions/whoami → 200 (from the session that was given, not asked)
  session       miss: active until 2999-01-01T00:00:00Z
authenticator   cookie_session: knows ada
authorizer      allow: allows
mutator         id_token: sets authorization
                authorization: Bearer ***
  token         header {"alg":"EdDSA","kid":_,"typ":"JWT"}
                claims {"exp":_,"iat":_,"iss":"https://gateway.example.com/","jti":_,"mail":"ada@example.com","nbf":_,"sub":"ada"}
mutator         header: sets x-user
                x-user: ada
→ upstream GET http://api.internal/v1/items?page=2
                host: api.internal
                cookie: ory_kratos_session=***
                x-forwarded-host: app.example.com
                x-forwarded-proto: https
                authorization: Bearer ***
                x-user: ada
"#
    );
}

#[test]
fn a_request_without_a_rule_is_explained_by_the_near_misses() {
    let text = explained("no-rule", &["DELETE", "https://app.example.com/api/items"]);
    assert_eq!(
        text,
        r#"request         DELETE https://app.example.com/api/items
rule            none: Requested url does not match any rules
  not           api  https://app.example.com/api/<.*>: it is for GET, POST
  not           api-slash  https://app.example.com/api/items/: it is for the path with a slash at its end
  not           machine  https://machine.example.com/<.*>: it is for GET; it is for the host machine.example.com
refused         404 Requested url does not match any rules
error handler   redirect (number 1 of the fallback): not for this: `error` is unauthorized, this one is not_found, and `accept` is text/html, the request accepts application/octet-stream
error handler   json (number 2 of the fallback): tells of it
→ 404 Not Found
                content-type: application/json
                cache-control: no-store
                {"error":{"code":404,"message":"The requested resource could not be found","status":"Not Found"}}
"#
    );
}

#[test]
fn a_refusal_is_explained_to_the_answer() {
    let text = explained(
        "refused",
        &[
            "GET",
            "https://app.example.com/api/items",
            "-H",
            "Accept: application/json",
            "-H",
            "Cookie: theme=dark; ory_kratos_session=MTcwMDAwMDAwMHxzZWNyZXQ",
        ],
    );
    assert_eq!(
        text,
        r#"request         GET https://app.example.com/api/items
rule            api  https://app.example.com/api/<.*>
  captured      "items"
  not           api-slash  https://app.example.com/api/items/: it is for DELETE; it is for the path with a slash at its end
  question      GET http://kratos.internal/sessions/whoami → 401 (not asked: without a session the credential counts as unknown)
  session       miss: none that counts
authenticator   cookie_session: refuses: Kratos knows no active session for this credential
refused         401 Access credentials are invalid
  why           Kratos knows no active session for this credential
error handler   redirect (number 1 of the fallback): not for this: `accept` is text/html, the request accepts application/json
error handler   json (number 2 of the fallback): tells of it
→ 401 Unauthorized
                content-type: application/json
                cache-control: no-store
                {"error":{"code":401,"message":"The request could not be authorized","status":"Unauthorized"}}
"#
    );
}

#[test]
fn another_service_is_said_to_be_not_asked() {
    let text = explained(
        "offline",
        &[
            "GET",
            "https://machine.example.com/a",
            "-H",
            "Authorization: Bearer ory_at_0123456789",
        ],
    );
    assert!(
        text.contains("\n  question      POST http://hydra.internal/introspect (not asked: explanations are made offline)\n"),
        "{text}"
    );
    assert!(!text.contains("0123456789"), "{text}");
    assert!(text.contains("\n→ 503 Service Unavailable\n"), "{text}");
}

#[test]
fn no_credential_is_shown_in_either_format() {
    let secrets = [
        "MTcwMDAwMDAwMHxzZWNyZXQ",
        "b3BlbiBzZXNhbWU=",
        "ory_st_secret",
        "hunter2",
        "placeholder",
    ];
    for format in ["text", "json"] {
        for url in [
            "https://app.example.com/api/items?token=hunter2hunter2",
            "https://app.example.com/?token=hunter2hunter2",
            "https://machine.example.com/a",
        ] {
            let text = explained(
                "masked",
                &[
                    "GET",
                    url,
                    "--format",
                    format,
                    "--session",
                    "ada.json",
                    "-H",
                    "Accept: text/html",
                    "-H",
                    "Cookie: ory_kratos_session=MTcwMDAwMDAwMHxzZWNyZXQ",
                    "-H",
                    "Proxy-Authorization: Basic b3BlbiBzZXNhbWU=",
                    "-H",
                    "X-Api-Key: hunter2",
                    "-H",
                    "X-Other: ory_st_secret",
                    "-H",
                    "X-Session-Token: ory_st_secret",
                ],
            );
            for secret in secrets {
                assert!(
                    !text.contains(secret),
                    "{secret} is shown for {url}: {text}"
                );
            }
        }
    }
}

#[test]
fn json_is_what_the_text_says() {
    let text = explained(
        "json",
        &[
            "GET",
            "https://app.example.com/api/items",
            "--session",
            "ada.json",
            "--format",
            "json",
        ],
    );
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["format"], 1);
    let steps: Vec<&str> = document["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["step"].as_str().unwrap())
        .collect();
    assert_eq!(
        steps,
        [
            "assumed",
            "request",
            "rule",
            "near_miss",
            "asked",
            "session",
            "authenticator",
            "authorizer",
            "mutator",
            "mutator"
        ]
    );
    assert_eq!(
        document["steps"][8]["token"]["claims"]["mail"],
        "ada@example.com"
    );
    assert_eq!(document["outcome"]["kind"], "forward");
    assert_eq!(document["outcome"]["url"], "http://api.internal/v1/items");
}

#[test]
fn a_policy_document_explains_as_its_configuration_does() {
    let folder = folder("document");
    let build = [
        "build",
        "--config",
        "oathkeeper.yml",
        "--out",
        "policy.json",
    ];
    let (code, _, err) = process::run(&folder, &build, "KEYS_SECRET", None);
    assert_eq!(code, Some(0), "{err}");
    let of = |source: &[&str]| {
        let request = ["GET", "https://app.example.com/other", "--format", "json"];
        let arguments: Vec<&str> = request.iter().chain(source).copied().collect();
        explain(&folder, &arguments)
    };
    let by_document = of(&["--policy", "policy.json"]);
    assert_eq!(by_document.0, Some(0), "{}", by_document.2);
    assert_eq!(by_document, of(&["--config", "oathkeeper.yml"]));
}

#[test]
fn strict_mode_is_explained_as_such() {
    let url = "https://app.example.com/api/items/";
    let text = explained("strict", &["DELETE", url, "--strict"]);
    assert!(
        text.contains("no path keeps that one in strict mode"),
        "{text}"
    );
    assert!(text.contains("\n→ 404 Not Found\n"), "{text}");
    assert!(
        explained("not-strict", &["DELETE", url])
            .contains("\n→ upstream DELETE http://api.internal/api/items/\n")
    );
}

#[test]
fn the_api_is_explained_on_its_listener() {
    let text = explained(
        "api",
        &[
            "GET",
            "https://api.example.com/health/alive",
            "--listener",
            "api",
        ],
    );
    assert!(
        text.starts_with("answered by     the endpoint /health/alive\n→ 200 OK\n"),
        "{text}"
    );
}

#[test]
fn what_the_gateway_says_of_its_policy_is_that_of_the_document() {
    let folder = folder("version");
    fs::write(
        folder.join("edge.yml"),
        "operator: { secret: OPERATOR_SECRET }\n",
    )
    .unwrap();
    let files = ["--config", "oathkeeper.yml", "--edge", "edge.yml"];
    let ask = |url: &str, more: &[&str]| {
        let (code, out, err) = explain(&folder, &[&["GET", url][..], more].concat());
        assert_eq!(code, Some(0), "{err}");
        out
    };
    let health = "https://api.example.com/health/alive";
    let built = ["build", "--out", "policy.json"];
    let built = process::run(&folder, &[&built[..], &files].concat(), "KEYS_SECRET", None);
    assert_eq!(built.0, Some(0), "{}", built.2);
    let listener = ["--listener", "api"];
    let compiled = ask(health, &[&files[..], &listener].concat());
    let (_, version) = compiled
        .split_once(r#"{"status":"ok","policy":""#)
        .expect(&compiled);
    assert!(
        version.len() > 16
            && version
                .chars()
                .take(16)
                .all(|digit| digit.is_ascii_hexdigit()),
        "{compiled}"
    );
    let of_document = ask(
        health,
        &[&["--policy", "policy.json"][..], &listener].concat(),
    );
    assert_eq!(compiled, of_document);
    // Not the document's meaning but its text is what a version is of, as in the gateway.
    let text = fs::read_to_string(folder.join("policy.json")).unwrap();
    fs::write(folder.join("policy.json"), format!("{text}\n")).unwrap();
    let other = ask(
        health,
        &[&["--policy", "policy.json"][..], &listener].concat(),
    );
    assert_ne!(compiled, other);

    let endpoint = ask("https://app.example.com/.edge/policy", &files);
    assert!(
        endpoint.contains("answered by     the endpoint for the policy in force\n"),
        "{endpoint}"
    );
}

#[test]
fn whoami_tells_nobody_where_strict_mode_asks_it_by_head() {
    let folder = folder("head");
    let rules = RULES.replace(r#"["GET", "POST"]"#, r#"["HEAD"]"#);
    fs::write(folder.join("rules.json"), rules).unwrap();
    let url = "https://app.example.com/api/items";
    let ask = ["HEAD", url, "--session", "ada.json", "--config"];
    let (_, text, _) = explain(&folder, &[&ask[..], &["oathkeeper.yml"]].concat());
    assert!(text.contains("knows ada"), "{text}");
    let (_, text, _) = explain(
        &folder,
        &[&ask[..], &["oathkeeper.yml", "--strict"]].concat(),
    );
    assert!(
        text.contains("question      HEAD ") && !text.contains("knows ada"),
        "{text}"
    );
}

#[test]
fn a_url_is_read_as_a_browser_sends_it() {
    // What is behind a `#` stays in the browser.
    let whole = "https://app.example.com/api/items?page=2#id_token=not-sent";
    let text = explained("fragment", &["GET", whole, "--session", "ada.json"]);
    assert!(
        text.contains("\n→ upstream GET http://api.internal/v1/items?page=2\n"),
        "{text}"
    );
    // A browser makes a header of it, which is not for this command to guess.
    let url = "https://ada:not-to-be-told@app.example.com/api/items";
    let arguments = ["GET", url, "--config", "oathkeeper.yml"];
    assert_eq!(
        explain(&folder("credentials"), &arguments),
        (
            Some(2),
            String::new(),
            "error: the URL has credentials in it; write them as a browser sends them: `--header 'Authorization: Basic …'`\n".to_owned()
        )
    );
}

#[test]
fn a_policy_that_does_not_compile_is_told_as_build_tells_it() {
    let folder = folder("broken");
    fs::write(
        folder.join("rules.json"),
        RULES.replace("\"deny\"", "\"dany\""),
    )
    .unwrap();
    let arguments = [
        "GET",
        "https://app.example.com/",
        "--config",
        "oathkeeper.yml",
    ];
    let (code, out, err) = explain(&folder, &arguments);
    assert_eq!((code, out.as_str()), (Some(1), ""));
    let found = "\nrules.json:10:119: error[unknown-handler]: rule \"machine\": there is no authorizer `dany`\n  help: ";
    assert!(err.contains(found), "{err}");
    assert!(err.ends_with("\n1 error; nothing was explained\n"), "{err}");
    fs::write(folder.join("policy.json"), "{}").unwrap();
    let arguments = ["GET", "https://app.example.com/", "--policy", "policy.json"];
    let (code, _, err) = explain(&folder, &arguments);
    assert_eq!(code, Some(1));
    assert!(
        err.starts_with("policy.json: error: the policy document cannot be used: "),
        "{err}"
    );
}

#[test]
fn wrong_arguments_are_told_with_their_cure_and_without_their_secrets() {
    let folder = folder("arguments");
    fs::write(folder.join("text.json"), "hello").unwrap();
    fs::write(folder.join("list.json"), "[]").unwrap();
    fs::write(folder.join("lines"), "{\"method\": \"GET\", \"url\": \"https://a.test/\"}\n{\"method\": 1, \"secret\": \"hunter2\"}\n").unwrap();
    let url = "https://app.example.com/";
    for (arguments, message) in [
        (
            &["GET", "/api/items"][..],
            "error: the URL is not absolute; write it with scheme and host, such as `https://app.example.com/path`\n",
        ),
        (
            &["GET", "https:///a"],
            "error: the URL is not absolute; write it with scheme and host, such as `https://app.example.com/path`\n",
        ),
        (
            &["GET", "ftp://app.example.com/"],
            "error: the URL is neither http nor https\n",
        ),
        (
            &["G ET", url],
            "error: `G ET` is no method; write one such as `GET`\n",
        ),
        (
            &["GET", url, "-H", "hunter2"],
            "error: --header number 1 has no colon; write it as 'Name: value'\n",
        ),
        (
            &["GET", url, "-H", "a: b", "-H", "b c: hunter2"],
            "error: --header number 2: what is before the colon is no header name; write it as 'Name: value'\n",
        ),
        (
            &["GET", url, "-H", "cookie: hunter2\nx"],
            "error: --header number 1: the value of `cookie` has a control character in it\n",
        ),
        (
            &["GET", url, "-H", "Host: b.test"],
            "error: --header number 1 is `Host`; write the host into the URL, where the browser has it\n",
        ),
        (
            &["GET", url, "--session", "none.json"],
            "error: `none.json` cannot be read: no such file or folder\n",
        ),
        (
            &["GET", url, "--session", "text.json"],
            "error: `text.json` is not JSON: expected value at line 1 column 1\n",
        ),
        (
            &["GET", url, "--session", "list.json"],
            "error: `list.json` is not a JSON object, as whoami answers; `curl -b 'ory_kratos_session=…' KRATOS/sessions/whoami` writes one\n",
        ),
        (
            &["--requests", "lines"],
            "error: `lines`, line 2: at column 12 it is not the JSON object that docs/explain.md describes\n",
        ),
    ] {
        let arguments: Vec<&str> = arguments
            .iter()
            .chain(&["--config", "oathkeeper.yml"])
            .copied()
            .collect();
        let (code, out, err) = explain(&folder, &arguments);
        assert_eq!(
            (code, out.as_str(), err.as_str()),
            (Some(2), "", message),
            "{arguments:?}"
        );
    }
    for arguments in [
        &["GET", url][..],
        &["GET", "--config", "oathkeeper.yml"],
        &[
            "GET",
            url,
            "--config",
            "oathkeeper.yml",
            "--policy",
            "policy.json",
        ],
        &["GET", url, "--policy", "policy.json", "--strict"],
        &["GET", url, "--config", "oathkeeper.yml", "--format", "yaml"],
        &[
            "GET",
            url,
            "--config",
            "oathkeeper.yml",
            "--listener",
            "door",
        ],
    ] {
        let (code, _, err) = explain(&folder, arguments);
        assert_eq!(code, Some(2), "{arguments:?}: {err}");
        assert!(err.starts_with("error: "), "{err}");
    }
    let policy = ["GET", url, "--policy", "none.json"];
    assert_eq!(
        explain(&folder, &policy),
        (
            Some(2),
            String::new(),
            "error: `none.json` cannot be read: no such file or folder\n".to_owned()
        )
    );
}

#[test]
fn many_requests_are_explained_line_by_line() {
    let folder = folder("lines");
    let lines = [
        r#"{"method":"GET","url":"https://app.example.com/api/a","session":{"active":true,"expires_at":"2999-01-01T00:00:00Z","identity":{"id":"ada","traits":{"email":"a@b.c"}}}}"#,
        r#"{"method":"GET","url":"https://app.example.com/api/a","headers":[["Cookie","ory_kratos_session=x"]],"answers":[{"url":"http://kratos.internal/sessions/whoami","status":500}]}"#,
        r#"{"method":"GET","url":"https://api.example.com/health/alive","listener":"api"}"#,
    ];
    fs::write(folder.join("lines"), lines.join("\n")).unwrap();
    let (code, out, err) = explain(
        &folder,
        &["--requests", "lines", "--config", "oathkeeper.yml"],
    );
    assert_eq!(code, Some(0), "{err}");
    let outcomes: Vec<Value> = out
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["outcome"].clone())
        .collect();
    assert_eq!(outcomes.len(), 3);
    assert_eq!(outcomes[0]["url"], "http://api.internal/v1/a");
    assert_eq!(outcomes[1]["status"], 503);
    assert_eq!(outcomes[2]["status"], 200);
}
