//! A site with a page for everybody and one for those with a session.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::folder;
use crate::operator::{self, Ended, Running};

const CONFIG: &str = r#"
access_rules: { repositories: ["file://./rules.yml"] }
authenticators:
  noop: { enabled: true }
  cookie_session: { enabled: true, config: { check_session_url: "https://kratos.example.com/sessions/whoami", only: [ory_kratos_session], subject_from: identity.id } }
authorizers: { allow: { enabled: true } }
mutators: { noop: { enabled: true }, header: { enabled: true, config: { headers: { X-User: "{{ print .Subject }}" } } } }
"#;

const EDGE: &str = "operator: { secret: OPERATOR_SECRET }\ncors: { allowed_origins: [https://pages.example.com], allowed_methods: [GET] }\n";

/// The rules, with who may reach `/admin`.
pub(crate) fn rules(admin: &str) -> String {
    format!(
        r#"
- id: web
  match: {{ url: "https://app.example.com/<(?!admin).*>", methods: [GET] }}
  authenticators: [{{ handler: noop }}]
  authorizer: {{ handler: allow }}
  mutators: [{{ handler: noop }}]
  upstream: {{ url: https://web.example.com }}
- id: admin
  match: {{ url: "https://app.example.com/admin<.*>", methods: [GET] }}
  authenticators: [{{ handler: {admin} }}]
  authorizer: {{ handler: allow }}
  mutators: [{{ handler: header }}]
  upstream: {{ url: https://admin.example.com }}
"#
    )
}

pub(crate) fn site(name: &str) -> PathBuf {
    let files = [
        ("oathkeeper.yml", CONFIG.to_owned()),
        ("edge.yml", format!("scheme: https\n{EDGE}")),
        ("rules.yml", rules("cookie_session")),
    ];
    folder::with(&format!("push-{name}"), &files)
}

pub(crate) fn run(folder: &Path, arguments: &[&str]) -> Ended {
    operator::run(folder, arguments, &[], "")
}

/// A gateway that was deployed with the files of a folder.
pub(crate) fn deployed(folder: &Path) -> Running {
    let (code, _, err) = run(
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
    );
    assert_eq!(code, Some(0), "{err}");
    operator::start(fs::read_to_string(folder.join("policy.json")).unwrap())
}

pub(crate) fn opened(folder: &Path) {
    fs::write(folder.join("rules.yml"), rules("noop")).unwrap();
}

/// The number of the change in force, by the command's own word.
pub(crate) fn number(folder: &Path, place: &[&str]) -> u64 {
    let arguments = [&["versions", "--format", "json"], place].concat();
    let (code, out, err) = run(folder, &arguments);
    assert_eq!(code, Some(0), "{err}");
    let told: Value = serde_json::from_str(&out).unwrap();
    told["in_force"]["number"].as_u64().unwrap()
}
