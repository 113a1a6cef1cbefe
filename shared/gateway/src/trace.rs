//! What happened to a request, for one line of log.

use serde_json::{Map, Value};

/// The course of a decision. It holds names and numbers, never a cookie, a token or a query.
#[derive(Debug, Clone, Default)]
pub struct Trace {
    /// When the request came in, in Unix milliseconds.
    pub started: u64,
    /// Its method.
    pub method: String,
    /// Its host.
    pub host: String,
    /// Its path.
    pub path: String,
    /// The rule that was for it.
    pub rule: Option<String>,
    /// The authenticator that was responsible.
    pub authenticator: Option<&'static str>,
    /// Where the session came from: `hit` (memory), `shared` (another instance), `wait` (another request), `stale`, `miss`
    /// (Kratos was asked), `failed`.
    pub session: Option<&'static str>,
    /// Why it was refused.
    pub reason: Option<String>,
}

impl Trace {
    /// The line: JSON, one level.
    #[must_use]
    pub fn line(&self, status: u16, now: u64) -> String {
        let mut line = Map::new();
        let mut put = |name: &str, value: Option<&str>| {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                line.insert(name.to_owned(), Value::from(value));
            }
        };
        put("msg", Some("decision"));
        put("method", Some(&self.method));
        put("host", Some(&self.host));
        put("path", Some(&self.path));
        put("rule", self.rule.as_deref());
        put("authenticator", self.authenticator);
        put("session", self.session);
        put("reason", self.reason.as_deref());
        line.insert("status".to_owned(), Value::from(status));
        line.insert(
            "ms".to_owned(),
            Value::from(now.saturating_sub(self.started)),
        );
        Value::Object(line).to_string()
    }
}
