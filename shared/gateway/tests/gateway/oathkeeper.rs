//! The whole way: Oathkeeper's own files, compiled, put in force and asked.

use std::collections::BTreeMap;

use edgekeeper_gateway::Gateway;
use edgekeeper_policy::compile::{Options, compile};
use edgekeeper_policy::document::Policy;

use crate::memory::Memory;
use crate::site::{ADA, Site, get, header, request, session};

const CONFIG: &str = r#"
serve:
  proxy:
    cors:
      enabled: true
      allowed_origins: ["https://app.example.com"]
      allowed_methods: [GET, POST]
      allow_credentials: true
access_rules: { repositories: ["file://./rules.json"] }
authenticators:
  anonymous: { enabled: true }
  noop: { enabled: true }
  cookie_session:
    enabled: true
    config:
      check_session_url: http://kratos.test/sessions/whoami
      preserve_path: true
      extra_from: "@this"
      subject_from: identity.id
      only: [ory_kratos_session]
authorizers: { allow: { enabled: true } }
mutators:
  noop: { enabled: true }
  header:
    enabled: true
    config: { headers: { X-User: "{{ print .Subject }}" } }
errors:
  fallback: [json]
  handlers:
    redirect:
      enabled: true
      config:
        to: https://login.example.com/
        return_to_query_param: return_to
        when: [{ error: [unauthorized], request: { header: { accept: [text/html] } } }]
    json: { enabled: true }
"#;

const RULES: &str = r#"[
    {
        "id": "app",
        "match": { "url": "https://app.example.com/<.*>", "methods": ["GET", "POST"] },
        "authenticators": [{ "handler": "cookie_session" }],
        "authorizer": { "handler": "allow" },
        "mutators": [{ "handler": "header" }],
        "errors": [{ "handler": "redirect" }],
        "upstream": { "url": "http://up.test/base", "preserve_host": true }
    },
    {
        "id": "open",
        "match": { "url": "https://open.example.com/<.*>", "methods": ["GET"] },
        "authenticators": [{ "handler": "anonymous" }],
        "authorizer": { "handler": "allow" },
        "mutators": [{ "handler": "noop" }],
        "upstream": { "url": "http://open.test" }
    }
]"#;

/// A site whose policy is made from these files.
pub(crate) fn compiled(config: &str, rules: &str, strict: bool) -> Site {
    let files = BTreeMap::from([
        ("oathkeeper.yml".to_owned(), config.to_owned()),
        ("rules.json".to_owned(), rules.to_owned()),
    ]);
    let options = Options {
        config: "oathkeeper.yml".to_owned(),
        strict,
        ..Options::default()
    };
    let (policy, _) = compile(&files, &options).unwrap();
    // As it travels: through its text.
    let policy = Policy::from_json(&policy.to_json().unwrap()).unwrap();
    Site {
        memory: Memory::new(),
        gateway: Gateway::new(policy).unwrap(),
    }
}

fn site(strict: bool) -> Site {
    let site = compiled(CONFIG, RULES, strict);
    site.memory.script("", "=ada", session("ada").reply());
    site
}

#[test]
fn oathkeepers_files_mean_here_what_they_say() {
    for strict in [false, true] {
        let site = site(strict);
        let forwarded = site
            .send(get(
                "https://app.example.com/x?y",
                &[ADA, ("x-user", "root")],
            ))
            .forwarded();
        assert_eq!(forwarded.url(), "http://up.test/base/x?y");
        assert_eq!(forwarded.forward.host.as_deref(), Some("app.example.com"));
        assert_eq!(forwarded.values("x-user"), ["ada"]);
        let page = site
            .send(get("https://app.example.com/x", &[("accept", "text/html")]))
            .answered();
        assert_eq!(
            header(&page, "location"),
            Some("https://login.example.com/?return_to=https%3A%2F%2Fapp.example.com%2Fx")
        );
        assert_eq!(
            site.send(get(
                "https://app.example.com/x",
                &[("accept", "application/json")]
            ))
            .status(),
            401
        );
        assert_eq!(
            site.send(get("https://open.example.com/x", &[])).outcome(),
            "http://open.test/x"
        );
        assert_eq!(
            site.send(get("https://other.example.com/x", &[ADA]))
                .status(),
            404
        );
        let preflight = [
            ("origin", "https://app.example.com"),
            ("access-control-request-method", "POST"),
        ];
        let answer = site
            .send(request(
                "OPTIONS",
                "https://app.example.com/api/oauth-clients",
                &preflight,
            ))
            .answered();
        assert_eq!(
            (
                answer.status,
                header(&answer, "access-control-allow-methods")
            ),
            (204, Some("POST"))
        );
    }
}

#[test]
fn what_one_rule_sets_no_client_sends_to_another() {
    let forwarded = |strict| {
        site(strict)
            .send(get("https://open.example.com/", &[("X_User", "root")]))
            .forwarded()
    };
    assert!(forwarded(false).values("x_user").is_empty());
    assert_eq!(
        forwarded(true).values("x_user"),
        ["root"],
        "Oathkeeper passes it on"
    );
}
