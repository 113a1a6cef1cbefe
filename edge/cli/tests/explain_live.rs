//! `edgekeeper explain` where somebody is asked: the services of a policy, or a running gateway.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod folder;
mod operator;
mod stub;

use std::fs;
use std::path::{Path, PathBuf};

use operator::{Ended, OPERATOR, Running};

const COOKIE: &str = "ory_kratos_session=MTY5-very-secret";
const URL: &str = "https://app.example.com/orders?page=2";

/// Rules that ask Kratos at this address.
fn site(name: &str, kratos: &str, edge: &str) -> PathBuf {
    let config = format!(
        r#"
access_rules: {{ repositories: ["file://./rules.yml"] }}
authenticators:
  cookie_session: {{ enabled: true, config: {{ check_session_url: "{kratos}/sessions/whoami", only: [ory_kratos_session], subject_from: identity.id }} }}
authorizers: {{ allow: {{ enabled: true }} }}
mutators: {{ header: {{ enabled: true, config: {{ headers: {{ X-User: "{{{{ print .Subject }}}}" }} }} }} }}
"#
    );
    let rules = r#"
- id: web
  match: { url: "https://app.example.com/<.*>", methods: [GET, HEAD, POST] }
  authenticators: [{ handler: cookie_session }]
  authorizer: { handler: allow }
  mutators: [{ handler: header }]
  upstream: { url: https://web.example.com }
"#;
    let files = [
        ("oathkeeper.yml", config.as_str()),
        ("rules.yml", rules),
        ("edge.yml", edge),
    ];
    folder::with(&format!("explain-live-{name}"), &files)
}

fn explain(folder: &Path, more: &[&str], input: &str) -> Ended {
    operator::run(folder, &[&["explain"], more].concat(), &[], input)
}

fn json_answer(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn deployed(folder: &Path) -> Running {
    let built = operator::run(
        folder,
        &[
            "build",
            "-c",
            "oathkeeper.yml",
            "--edge",
            "edge.yml",
            "-o",
            "policy.json",
        ],
        &[],
        "",
    );
    assert_eq!(built.0, Some(0), "{}", built.2);
    operator::start(fs::read_to_string(folder.join("policy.json")).unwrap())
}

#[test]
fn live_asks_kratos_and_says_so_and_shows_no_cookie() {
    let session = r#"{"id":"s","active":true,"expires_at":"2999-01-01T00:00:00Z","identity":{"id":"ada","traits":{}}}"#;
    let (kratos, asked) = stub::start(move |head| {
        if head.contains(COOKIE) {
            json_answer("200 OK", session)
        } else {
            json_answer("401 Unauthorized", "{}")
        }
    });
    let folder = site("kratos", &kratos, "");
    let config = ["GET", URL, "-c", "oathkeeper.yml", "--live"];
    let (code, out, err) = explain(
        &folder,
        &[&config[..], &["--cookie", "-"]].concat(),
        &format!("{COOKIE}\n"),
    );
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    assert!(
        out.contains(&format!(
            "  question      GET {kratos}/sessions/whoami → 200 (asked by this command)\n"
        )),
        "{out}"
    );
    assert!(
        out.contains("authenticator   cookie_session: knows ada\n")
            && out.contains("x-user: ada\n"),
        "{out}"
    );
    assert!(!out.contains("very-secret"), "{out}");
    assert_eq!(asked.lock().unwrap().len(), 1, "whoami, and nobody else");

    let (_, out, _) = explain(
        &folder,
        &[&config[..], &["--cookie", "ory_kratos_session=other"]].concat(),
        "",
    );
    assert!(out.contains("→ 401 (asked by this command)"), "{out}");
    let (_, out, _) = explain(
        &folder,
        &["GET", URL, "-c", "oathkeeper.yml", "--cookie", COOKIE],
        "",
    );
    assert!(
        out.contains("not asked: without a session the credential counts as unknown"),
        "{out}"
    );
    assert_eq!(
        asked.lock().unwrap().len(),
        2,
        "without --live nobody is asked"
    );
}

#[test]
fn a_service_that_cannot_be_reached_is_part_of_the_explanation() {
    let folder = site("nobody", "http://127.0.0.1:9", "");
    let (code, out, err) = explain(
        &folder,
        &[
            "GET",
            URL,
            "-c",
            "oathkeeper.yml",
            "--live",
            "--cookie",
            COOKIE,
        ],
        "",
    );
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(
        out.contains(
            "  question      GET http://127.0.0.1:9/sessions/whoami (asked by this command: "
        ),
        "{out}"
    );
    assert!(out.contains("→ 503") || out.contains("→ 502"), "{out}");
}

#[test]
fn a_running_gateway_explains_itself_and_sends_nothing_on() {
    let folder = site(
        "gateway",
        "http://127.0.0.1:9",
        "scheme: https\noperator: { secret: OPERATOR_SECRET }\n",
    );
    let gateway = deployed(&folder);
    let ask = ["GET", URL, "--gateway", &gateway.origin];
    let (code, out, err) = explain(&folder, &ask, "");
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    assert!(out.starts_with("request         GET https://app.example.com/orders\nrule            web  https://app.example.com/<.*>\n"), "{out}");
    assert!(
        out.contains("not responsible; it takes requests with the cookie `ory_kratos_session`")
            && out.contains("\n→ 401 Unauthorized\n"),
        "{out}"
    );
    assert!(
        !out.contains(OPERATOR) && !out.contains("edge-explain"),
        "{out}"
    );
    let asked = gateway.inside.lock().unwrap().asked.clone();
    assert_eq!(
        asked,
        [
            "GET app.example.com/.edge/policy",
            "GET app.example.com/orders?page=2"
        ]
    );

    // A name that is whole by its dot is the same name.
    let dotted = URL.replace("example.com/", "example.com./");
    let ask_dotted = ["GET", &dotted, "--gateway", &gateway.origin];
    let (code, of_dotted, err) = explain(&folder, &ask_dotted, "");
    assert_eq!((code, err.as_str()), (Some(0), ""), "{of_dotted}");
    assert_eq!(of_dotted, out);

    // Text is written from the gateway's JSON, so nothing is lost on the way.
    let (_, json, _) = explain(&folder, &[&ask[..], &["--format", "json"]].concat(), "");
    let (_, offline, _) = explain(
        &folder,
        &["GET", URL, "--policy", "policy.json", "--format", "json"],
        "",
    );
    let read = |text: &str| -> serde_json::Value { serde_json::from_str(text).unwrap() };
    assert_eq!(read(&json)["steps"], read(&offline)["steps"]);
}

#[test]
fn a_running_gateway_is_asked_with_the_headers_that_were_given_and_no_others() {
    let folder = site("headers", "http://127.0.0.1:9", "");
    let state =
        r#"{"version":null,"number":0,"source":"deployed","at":0,"deployed":null,"history":[]}"#;
    let (origin, asked) = stub::start(move |head| {
        if head.contains("/.edge/policy") {
            json_answer("200 OK", state)
        } else {
            let explained = r#"{"format":1,"steps":[],"outcome":{"kind":"answer","status":404,"headers":[],"body":""}}"#;
            json_answer("200 OK", explained)
        }
    });
    for (given, expected) in [
        (&[][..], vec!["edge-explain", "host"]),
        (
            &["-H", "Accept: text/html", "-H", "User-Agent: me"],
            vec!["accept", "edge-explain", "host", "user-agent"],
        ),
    ] {
        let ask = [&["GET", URL, "--gateway", &origin][..], given].concat();
        let (code, _, err) = explain(&folder, &ask, "");
        assert_eq!(code, Some(0), "{err}");
        let head = asked.lock().unwrap().last().unwrap().clone();
        let mut names: Vec<String> = head
            .lines()
            .skip(1)
            .map(|line| line.split(':').next().unwrap().to_ascii_lowercase())
            .collect();
        names.sort();
        assert_eq!(names, expected, "{head}");
    }
}

#[test]
fn a_request_goes_to_no_gateway_that_would_send_it_on() {
    let folder = site("stranger", "http://127.0.0.1:9", "scheme: https\n");
    let gateway = deployed(&folder);
    let (code, out, err) = explain(&folder, &["POST", URL, "--gateway", &gateway.origin], "");
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(
        err.contains("does not know you for its operator: ")
            && err.ends_with("the request was not sent\n"),
        "{err}"
    );
    assert!(
        err.contains("help: set `operator.secret` in its edge.yml"),
        "{err}"
    );
    let asked = gateway.inside.lock().unwrap().asked.clone();
    assert_eq!(asked, ["GET app.example.com/.edge/policy"]);

    let folder = site(
        "wrong",
        "http://127.0.0.1:9",
        "scheme: https\noperator: { secret: OPERATOR_SECRET }\n",
    );
    let gateway = deployed(&folder);
    let ask = ["explain", "GET", URL, "--gateway", &gateway.origin];
    let wrong = [("OPERATOR_SECRET", "another secret of more than 32 bytes")];
    let (code, _, err) = operator::run(&folder, &ask, &wrong, "");
    assert!(
        code == Some(1)
            && err.contains("help: OPERATOR_SECRET must be the secret that `operator.secret`"),
        "{err}"
    );

    // Without an operator, an upstream that says 200 to everything answers.
    let (other, asked) = stub::start(|_| json_answer("200 OK", r#"{"status":"ok"}"#));
    let (code, _, err) = explain(&folder, &["POST", URL, "--gateway", &other], "");
    assert!(
        code == Some(1) && err.ends_with("the request was not sent\n"),
        "{err}"
    );
    assert_eq!(asked.lock().unwrap().len(), 1, "{err}");

    let state =
        r#"{"version":null,"number":0,"source":"deployed","at":0,"deployed":null,"history":[]}"#;
    let (other, _) = stub::start(move |head| match head.contains("/.edge/policy") {
        true => json_answer("200 OK", state),
        false => json_answer("200 OK", r#"{"format":99}"#),
    });
    let (code, _, err) = explain(&folder, &["GET", URL, "--gateway", &other], "");
    assert!(code == Some(1) && err.contains("in a form that this command cannot read\n  help: use the command of the gateway's version"), "{err}");
}

#[test]
fn wrong_arguments_are_refused_and_no_cookie_is_repeated() {
    let folder = site("arguments", "http://127.0.0.1:9", "");
    let config = ["-c", "oathkeeper.yml"];
    let rows: [(&[&str], &str, &str); 8] = [
        (
            &["GET", URL, config[0], config[1], "--cookie", "very-secret"],
            "",
            "--cookie: write `name=value`",
        ),
        (
            &[
                "GET",
                URL,
                config[0],
                config[1],
                "--cookie",
                "a=very-secret\nb=c",
            ],
            "",
            "--cookie: write `name=value`",
        ),
        (
            &["GET", URL, config[0], config[1], "--cookie", "-"],
            "",
            "--cookie: write `name=value`",
        ),
        (
            &[
                "GET",
                URL,
                config[0],
                config[1],
                "--live",
                "--session",
                "ada.json",
            ],
            "",
            "cannot be used with",
        ),
        (
            &[
                "GET",
                URL,
                config[0],
                config[1],
                "--gateway",
                "https://app.example.com",
            ],
            "",
            "cannot be used with",
        ),
        (
            &["GET", URL, "--gateway", "http://app.example.com"],
            "",
            "plain http",
        ),
        (
            &["HEAD", URL, "--gateway", "https://app.example.com"],
            "",
            "an answer to HEAD has no body",
        ),
        (
            &["GET", URL, "--gateway", "https://app.example.com/x"],
            "",
            "`--gateway https://app.example.com`",
        ),
    ];
    for (arguments, input, message) in rows {
        let (code, out, err) = explain(&folder, arguments, input);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{arguments:?}: {err}");
        assert!(err.contains(message), "{arguments:?}: {err}");
        assert!(!err.contains("very-secret"), "{err}");
    }
    let none = [("OPERATOR_SECRET", "")];
    let (code, _, err) = operator::run(
        &folder,
        &[
            "explain",
            "GET",
            URL,
            "--gateway",
            "https://app.example.com",
        ],
        &none,
        "",
    );
    assert!(
        code == Some(2) && err.starts_with("error: OPERATOR_SECRET is not set\n  help: "),
        "{err}"
    );
}
