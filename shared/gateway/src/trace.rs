//! What happened to a request, for one line of log.

use http::HeaderValue;
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
    /// Where the session came from: `hit` (memory), `shared` (another instance), `cookie` (the browser), `wait` (another
    /// request), `stale`, `miss` (Kratos was asked), `revoked` (Kratos was asked, since what was known no longer counted),
    /// `failed`.
    pub session: Option<&'static str>,
    /// The `kid` of the key that signed what the upstream is told.
    pub key: Option<String>,
    /// Why it was refused.
    pub reason: Option<String>,
    /// How long the decision took, in microseconds of the runtime's clock, which need not be that fine.
    pub took: Option<u64>,
    /// The [`crate::explanation::Explanation`] in JSON, where the deployment wants it in its log.
    pub explanation: Option<String>,
}

impl Trace {
    /// The line: JSON, one level but for the explanation.
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
        put("key", self.key.as_deref());
        put("reason", self.reason.as_deref());
        if let Some(took) = self.took {
            line.insert("us".to_owned(), Value::from(took));
        }
        line.insert("status".to_owned(), Value::from(status));
        line.insert(
            "ms".to_owned(),
            Value::from(now.saturating_sub(self.started)),
        );
        let mut line = Value::Object(line).to_string();
        if let Some(explanation) = &self.explanation {
            line.pop();
            line.push_str(",\"explanation\":");
            line.push_str(explanation);
            line.push('}');
        }
        line
    }

    /// `Server-Timing` (W3C): how long the gateway took to decide until `now` (Unix milliseconds), where the session came from,
    /// which key signed. A key's name that a quoted string cannot hold as it is stays out.
    pub(crate) fn server_timing(&self, now: u64) -> Option<HeaderValue> {
        let mut value = format!("edge;dur={}", now.saturating_sub(self.started));
        let is_plain = |text: &&str| {
            let mut bytes = text.bytes();
            bytes.all(|byte| (byte == b' ' || byte.is_ascii_graphic()) && !b"\"\\".contains(&byte))
        };
        let key = self.key.as_deref().filter(is_plain);
        for (name, text) in [("session", self.session), ("key", key)] {
            if let Some(text) = text {
                value.push_str(&format!(", {name};desc=\"{text}\""));
            }
        }
        HeaderValue::from_str(&value).ok()
    }
}
