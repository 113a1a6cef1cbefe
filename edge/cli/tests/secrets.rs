//! What `edgekeeper` says of files with credentials in them, in each format: everything but the credential.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod folder;
mod process;

use serde_json::Value;

/// What nobody may see. Each stands in `CONFIG` or `RULES` in one way or another.
const SECRETS: [&str; 9] = [
    "correct-horse",
    "aHVudGVyMjpodW50ZXIy",
    "4f9d0c2b7a6e",
    "hunter2",
    "battery",
    "MC4CAQAwBQYDK2VwBCIEIA",
    "c2VjcmV0LXNlY3JldC1zZWNyZXQ",
    "ory_pat_",
    "987654321",
];

const CONFIG: &str = r#"
access_rules: { repositories: ["file://./rules.json"] }
authenticators:
  noop: { enabled: true }
  oauth2_introspection:
    enabled: true
    config:
      introspection_url: "https://gateway:hunter2@hydra.internal/introspect"
      pre_authorization: { enabled: true, client_id: x, client_secret: correct-horse, token_url: "https://hydra.internal/token", more: 1 }
      introspection_request_headers: { Authorization: "Basic aHVudGVyMjpodW50ZXIy", X: 1 }
  jwt: { enabled: true, config: { jwks_urls: ['data:application/json,{"keys":[{"kty":"oct","k":"c2VjcmV0LXNlY3JldC1zZWNyZXQ"}]}'] } }
authorizers:
  allow: { enabled: true }
  remote: { enabled: true, config: { remote: "https://authz.internal", headers: { X-Api-Key: 4f9d0c2b7a6e4f9d0c2b }, unknown: 1 } }
mutators:
  noop: { enabled: true }
  header:
    enabled: true
    config:
      headers:
        X-Signing-Key: |
          -----BEGIN PRIVATE KEY-----
          MC4CAQAwBQYDK2VwBCIEIA
          -----END PRIVATE KEY-----
  hydrator: { enabled: true, config: { api: { url: "https://p.internal/", auth: { basic: { username: u, password: 987654321 } } } } }
tracing: { providers: { otlp: { authorization_header: "horse \x62attery battery", unknown: 1 } } }
"#;

const RULES: &str = r#"[
  { "id": "web", "match": { "url": "https://app.example.com/<.*>", "methods": ["GET"] },
    "authenticators": [{ "handler": "noop", "config": { "token": "ory_pat_abcdefghijklmnop" } }], "authorizer": { "handler": "allow" },
    "mutators": [{ "handler": "header", "config": { "headers": { "Authorization": "Bearer {{ print \"ory_pat_abcdefghijklmnop\" }", } } }],
    "upstream": { "url": "http://u:hunter2@web-svc" } }
]"#;

fn runs(name: &str, config: &str, rules: &str) -> Vec<(String, String)> {
    let folder = folder::with(
        &format!("secrets-{name}"),
        &[("oathkeeper.yml", config), ("rules.json", rules)],
    );
    let check = |arguments: &[&'static str]| {
        let all: Vec<&str> = ["check", "--hints"]
            .iter()
            .chain(arguments)
            .copied()
            .collect();
        let (_, out, err) = process::run(&folder, &all, "NO_COLOR", None);
        (format!("{name}: {all:?}"), format!("{out}{err}"))
    };
    let mut told = vec![
        check(&[]),
        check(&["--color", "always"]),
        check(&["--strict"]),
        check(&["--format", "json"]),
        check(&["--format", "sarif"]),
        check(&["--format", "github"]),
    ];
    for arguments in [
        &[
            "build",
            "--config",
            "oathkeeper.yml",
            "--out",
            "policy.json",
        ][..],
        &[
            "explain",
            "GET",
            "https://app.example.com/",
            "--config",
            "oathkeeper.yml",
        ],
    ] {
        let (_, out, err) = process::run(&folder, arguments, "NO_COLOR", None);
        told.push((format!("{name}: {arguments:?}"), format!("{out}{err}")));
    }
    told
}

#[test]
fn no_message_and_no_excerpt_shows_a_credential() {
    let cases = [
        ("all", CONFIG.to_owned(), RULES.to_owned()),
        ("crlf", CONFIG.replace('\n', "\r\n"), RULES.replace('\n', "\r\n")),
        ("bom", format!("\u{feff}{CONFIG}"), format!("\u{feff}{RULES}")),
        // What cannot be read has no tree that would say where the credentials are.
        ("no-yaml", CONFIG.replace("more: 1 }", "more: [1 }"), RULES.to_owned()),
        ("no-quote", CONFIG.replace("battery\", unknown", "battery, unknown"), RULES.to_owned()),
        ("no-json", CONFIG.to_owned(), RULES.replace("\"token\": ", "\"token\" ")),
        ("comment", CONFIG.to_owned(), RULES.replace("\"upstream\"", "// \"upstream\"")),
        ("block", CONFIG.replace("client_secret: correct-horse, token_url: \"https://hydra.internal/token\", more: 1 }", "\n        client_secret: >-\n          correct-horse\n          battery\n        more: 1").replace("pre_authorization: { enabled: true, client_id: x, ", "pre_authorization:"), RULES.to_owned()),
        ("twice", CONFIG.replace("client_id: x", "client_secret: correct-horse"), RULES.to_owned()),
    ];
    for (name, config, rules) in cases {
        for (which, told) in runs(name, &config, &rules) {
            for secret in SECRETS {
                assert!(!told.contains(secret), "{which} tells {secret}:\n{told}");
            }
        }
    }
}

#[test]
fn each_format_says_where_they_are() {
    let told = runs("places", CONFIG, RULES);
    let of = |format: &str| {
        let found = told.iter().find(|(which, _)| which.contains(format));
        found.map(|(_, told)| told.as_str()).unwrap()
    };
    let json: Value = serde_json::from_str(of("\"json\"")).unwrap();
    let places: Vec<(&str, u64)> = json["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["code"] == "secret-in-file")
        .map(|finding| {
            (
                finding["file"].as_str().unwrap(),
                finding["line"].as_u64().unwrap(),
            )
        })
        .collect();
    let config = "oathkeeper.yml";
    let expected = [9, 10, 11, 14, 22, 25, 26].map(|line| (config, line));
    assert_eq!(places[..7], expected);
    assert_eq!(places[7..], [("rules.json", 3), ("rules.json", 4)]);
    let human = of("[\"check\", \"--hints\"]");
    assert!(
        human.contains("client_id: x, client_secret: ***\n"),
        "{human}"
    );
    for format in ["\"sarif\"", "\"github\""] {
        assert!(
            of(format).matches("secret-in-file").count() >= 9,
            "{format}"
        );
    }
}
