//! A site with one rule, whose one authenticator is asked about a token.

use edgekeeper_gateway::runtime::Outbound;
use serde_json::{Value, json};

use crate::memory::Reply;
use crate::oathkeeper::compiled;
use crate::site::{Sent, Site, error, get};

/// Where the rule is.
pub(crate) const URL: &str = "https://app.test/x";

/// A site with this authenticator, which tells the upstream what it found out. Its errors are verbose.
pub(crate) fn site(handler: &str, config: &Value, strict: bool) -> Site {
    chain(json!([{ "handler": handler, "config": config }]), strict)
}

/// As [`site`], with several authenticators.
pub(crate) fn chain(authenticators: Value, strict: bool) -> Site {
    let config = json!({
        "access_rules": { "repositories": ["file://./rules.json"] },
        "authenticators": {
            "anonymous": { "enabled": true },
            "bearer_token": { "enabled": true, "config": { "check_session_url": "http://check.test/session" } },
            "cookie_session": { "enabled": true, "config": { "check_session_url": "http://check.test/session" } },
            "oauth2_introspection": { "enabled": true, "config": { "introspection_url": "http://idp.test/introspect" } },
            "oauth2_client_credentials": { "enabled": true, "config": { "token_url": "http://idp.test/token" } },
        },
        "authorizers": { "allow": { "enabled": true } },
        "mutators": { "header": { "enabled": true, "config": { "headers": {} } } },
        "errors": { "fallback": ["json"], "handlers": { "json": { "enabled": true, "config": { "verbose": true } } } },
    });
    let rules = json!([{
        "id": "app",
        "match": { "url": "https://app.test/<.*>", "methods": ["GET", "POST"] },
        "authenticators": authenticators,
        "authorizer": { "handler": "allow" },
        "mutators": [{ "handler": "header", "config": { "headers": {
            "X-Sub": "{{ print .Subject }}",
            "X-Extra": "{{ .Extra | toJson }}",
        } } }],
        "upstream": { "url": "http://up.test" },
    }]);
    compiled(&config.to_string(), &rules.to_string(), strict)
}

impl Site {
    /// Whatever is asked, this is the answer.
    pub(crate) fn answers(self, reply: Reply) -> Self {
        self.memory.script("", "", reply);
        self
    }

    /// A request with a bearer token.
    pub(crate) fn bearer(&self, token: &str) -> Sent {
        self.send(get(URL, &[("authorization", &format!("Bearer {token}"))]))
    }
}

/// What the upstream is told: the subject, and `.Extra`.
#[track_caller]
pub(crate) fn told(sent: Sent) -> (String, Value) {
    let forwarded = sent.forwarded();
    let extra = forwarded.values("x-extra").remove(0);
    (
        forwarded.values("x-sub").remove(0),
        serde_json::from_str(&extra).unwrap(),
    )
}

/// The status, message and reason of a refusal.
#[track_caller]
pub(crate) fn refused(sent: Sent) -> (u16, String, String) {
    let answer = sent.answered();
    let error = error(&answer);
    let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
    (answer.status, text("message"), text("reason"))
}

/// The headers of a question, sorted, without `accept`.
pub(crate) fn headers(asked: &Outbound) -> Vec<String> {
    let mut headers: Vec<String> = asked
        .headers
        .iter()
        .filter(|(name, _)| *name != "accept")
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    headers.sort();
    headers
}

/// The body of a question.
pub(crate) fn body(asked: &Outbound) -> String {
    String::from_utf8(asked.body.clone()).unwrap()
}
