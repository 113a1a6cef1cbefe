//! A setup for somebody who has Kratos, and no Oathkeeper.

use edgekeeper_policy::compile::is_internal;
use serde_json::json;
use url::Url;

use super::Written;

/// The name of Oathkeeper's configuration.
pub(super) const CONFIG: &str = "oathkeeper.yml";

/// Oathkeeper's configuration, one rule, and `edge.yml`.
pub(super) fn files(kratos: &Url, host: &str, upstream: &Url, login: Option<&Url>) -> Vec<Written> {
    let kratos = kratos.as_str().trim_end_matches('/');
    let login = login.map_or_else(
        || format!("{kratos}/self-service/login/browser"),
        |login| login.as_str().to_owned(),
    );
    let config = format!(
        "\
access_rules:
  repositories: [file://./access-rules.json]

authenticators:
  cookie_session:
    enabled: true
    config:
      check_session_url: {kratos}/sessions/whoami
      preserve_path: true
      preserve_query: true
      only: [ory_kratos_session]
      subject_from: identity.id
      extra_from: '@this'

authorizers:
  allow: {{ enabled: true }}

mutators:
  # The upstream is told who it is. A header of that name that a client sends never gets there.
  header: {{ enabled: true, config: {{ headers: {{ X-User-Id: '{{{{ print .Subject }}}}' }} }} }}

errors:
  fallback: [redirect, json]
  handlers:
    json: {{ enabled: true }}
    redirect:
      enabled: true
      config:
        to: {login}
        return_to_query_param: return_to
        when:
          - error: [unauthorized]
            request: {{ header: {{ accept: [text/html] }} }}
"
    );
    let rules = json!([{
        "id": "app",
        "match": {
            "url": format!("<https?>://{host}/<.*>"),
            "methods": ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
        },
        "authenticators": [{ "handler": "cookie_session" }],
        "authorizer": { "handler": "allow" },
        "mutators": [{ "handler": "header" }],
        "upstream": { "url": upstream.as_str().trim_end_matches('/') },
    }]);
    let mut edge = format!(
        "\
# What Oathkeeper has no words for; docs/edge-yml.md has all of it.

# The hosts that are served. Any other is 404.
hosts: [{host}]

# Where a login may send a browser back to.
return_to: [https://{host}]

# Pages of other origins that may call it, with cookies. Preflights are answered by the gateway.
# cors:
#   allowed_origins: [https://www.example.com]
#   allow_credentials: true
"
    );
    let mut internal: Vec<String> = [kratos, upstream.as_str()]
        .into_iter()
        .filter_map(|url| Url::parse(url).ok())
        .filter(is_internal)
        .map(|url| url.origin().ascii_serialization())
        .collect();
    internal.dedup();
    if !internal.is_empty() {
        edge.push_str("\n# Names that only one network knows: here the gateway runs in it. Elsewhere say where they are.\nupstreams:\n");
        for origin in internal {
            edge.push_str(&format!("  \"{origin}\": {origin}\n"));
        }
    }
    vec![
        (CONFIG, config),
        ("access-rules.json", format!("{rules:#}\n")),
        ("edge.yml", edge),
    ]
}
