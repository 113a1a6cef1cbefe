//! A team's files, and lines of its gateway's log.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use crate::process::Ended;
use crate::{folder, process};

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
pub(crate) fn team(name: &str, log: &[String]) -> PathBuf {
    let files = [
        ("oathkeeper.yml", CONFIG),
        ("rules.json", RULES),
        ("gateway.log", &log.join("\n")),
    ];
    folder::with(&format!("record-{name}"), &files)
}

pub(crate) fn test(folder: &Path, arguments: &[&str]) -> Ended {
    let arguments: Vec<&str> = ["test"].iter().chain(arguments).copied().collect();
    process::run(folder, &arguments, "KEYS_SECRET", None)
}

pub(crate) fn record(folder: &Path, arguments: &[&str]) -> Ended {
    let arguments: Vec<&str> = ["--record", "gateway.log"]
        .iter()
        .chain(arguments)
        .copied()
        .collect();
    test(folder, &arguments)
}

pub(crate) fn written(folder: &Path) -> String {
    fs::read_to_string(folder.join("edgekeeper.test.yml")).unwrap()
}

/// A line without an explanation.
pub(crate) fn line(
    method: &str,
    path: &str,
    rule: Option<&str>,
    status: u16,
    more: Value,
) -> String {
    let mut line = json!({ "msg": "decision", "method": method, "host": "app.example.com", "path": path, "status": status, "ms": 1 });
    let members = line.as_object_mut().unwrap();
    if let Some(rule) = rule {
        members.insert("rule".to_owned(), json!(rule));
    }
    members.extend(more.as_object().unwrap().clone());
    format!("stderr [0] :: {line}")
}

/// What the gateway would log for somebody: its own explanation, as `edgekeeper explain` has it.
pub(crate) fn explained(path: &str, who: Option<&str>) -> String {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    // Tests run at the same time, in one process and in several.
    let call = CALLS.fetch_add(1, Ordering::Relaxed);
    let name = format!("record-session-{}-{call}", std::process::id());
    let session = folder::with(&name, &[("oathkeeper.yml", CONFIG), ("rules.json", RULES)]);
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
    fs::remove_dir_all(&session).unwrap();
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
