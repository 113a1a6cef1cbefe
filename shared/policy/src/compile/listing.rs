//! A rule as `/rules` shows it: the object that was written, as Oathkeeper prints it.

use super::node::{Node, Value};

/// The version that Oathkeeper fills in, whatever was written.
const VERSION: &str = "v26.2.0";

/// What stands in place of a secret.
const REDACTED: &str = "[redacted]";

/// How the names of keys end whose values nobody is to read, in lower case and without `_` and `-`.
const SECRETS: [&str; 7] = [
    "secret",
    "password",
    "token",
    "authorization",
    "cookie",
    "key",
    "credentials",
];

/// Keys whose tables are headers that the gateway sends itself: what is in them is for one service alone.
const SENT: [&str; 1] = ["additional_headers"];

/// A rule as compact JSON. In strict mode it is whole; otherwise without the secrets in its handlers' configuration.
pub(super) fn json(rule: &Node, strict: bool) -> String {
    let mut out = Writer {
        text: String::new(),
        redact: !strict,
    };
    let version = if strict {
        VERSION.to_owned()
    } else {
        rule.text_at("version")
    };
    let text = |key: &str| Node::new(Value::Text(rule.text_at(key)), rule.span);
    out.open('{');
    out.member("id", |out| out.node(&text("id")));
    out.member("version", |out| out.text(&version));
    out.member("description", |out| out.node(&text("description")));
    out.member("match", |out| match rule.get("match") {
        None => out.text.push_str("null"),
        Some(matching) => {
            out.open('{');
            out.member("methods", |out| out.optional(matching.get("methods")));
            out.member("url", |out| out.text(&matching.text_at("url")));
            out.close('}');
        }
    });
    out.member("authenticators", |out| {
        out.handlers(rule.get("authenticators"));
    });
    out.member("authorizer", |out| out.handler(rule.get("authorizer")));
    out.member("mutators", |out| out.handlers(rule.get("mutators")));
    out.member("errors", |out| out.handlers(rule.get("errors")));
    let upstream = rule.get("upstream");
    let of_upstream = |key: &str| upstream.map_or_else(String::new, |node| node.text_at(key));
    out.member("upstream", |out| {
        out.open('{');
        let preserve = upstream.is_some_and(|node| node.flag_at("preserve_host", false));
        out.member("preserve_host", |out| {
            out.text.push_str(if preserve { "true" } else { "false" });
        });
        out.member("strip_path", |out| out.text(&of_upstream("strip_path")));
        out.member("url", |out| out.text(&of_upstream("url")));
        out.close('}');
    });
    out.close('}');
    out.text
}

struct Writer {
    text: String,
    redact: bool,
}

impl Writer {
    fn open(&mut self, bracket: char) {
        self.text.push(bracket);
    }

    fn close(&mut self, bracket: char) {
        if self.text.ends_with(',') {
            self.text.pop();
        }
        self.text.push(bracket);
    }

    fn member(&mut self, name: &str, value: impl FnOnce(&mut Self)) {
        self.quoted(name);
        self.text.push(':');
        value(self);
        self.text.push(',');
    }

    fn quoted(&mut self, text: &str) {
        self.text
            .push_str(&serde_json::Value::from(text).to_string());
    }

    /// A text, without the password of a URL and without keys that stand in it.
    fn text(&mut self, text: &str) {
        if self.redact {
            self.quoted(&without_secrets(text));
        } else {
            self.quoted(text);
        }
    }

    fn optional(&mut self, node: Option<&Node>) {
        match node {
            Some(node) => self.node(node),
            None => self.text.push_str("null"),
        }
    }

    fn handlers(&mut self, list: Option<&Node>) {
        let Some(list) = list else {
            return self.text.push_str("null");
        };
        self.open('[');
        for handler in list.items() {
            self.handler(Some(handler));
            self.text.push(',');
        }
        self.close(']');
    }

    fn handler(&mut self, handler: Option<&Node>) {
        let name = handler.map_or_else(String::new, |handler| handler.text_at("handler"));
        self.open('{');
        self.member("handler", |out| out.text(&name));
        self.member("config", |out| {
            out.optional(handler.and_then(|handler| handler.get("config")));
        });
        self.close('}');
    }

    fn node(&mut self, node: &Node) {
        match &node.value {
            Value::Null => self.text.push_str("null"),
            Value::Flag(flag) => self.text.push_str(if *flag { "true" } else { "false" }),
            Value::Text(_) if node.flag().is_some() => {
                let flag = node.flag() == Some(true);
                self.text.push_str(if flag { "true" } else { "false" });
            }
            // YAML has spellings of a number that JSON has not.
            Value::Number(number) if serde_json::from_str::<f64>(number).is_ok() => {
                self.text.push_str(number);
            }
            Value::Number(text) | Value::Text(text) => self.text(text),
            Value::List(items) => {
                self.open('[');
                for item in items {
                    self.node(item);
                    self.text.push(',');
                }
                self.close(']');
            }
            Value::Table(entries) => {
                self.open('{');
                for (key, value) in entries {
                    self.member(&key.name, |out| out.entry(&key.name, value));
                }
                self.close('}');
            }
        }
    }

    fn entry(&mut self, name: &str, value: &Node) {
        let is_value = matches!(value.value, Value::Text(_) | Value::Number(_));
        if self.redact && is_value && is_secret(name) {
            self.quoted(REDACTED);
        } else if self.redact && SENT.contains(&name) {
            self.open('{');
            for (key, _) in value.entries() {
                self.member(&key.name, |out| out.quoted(REDACTED));
            }
            self.close('}');
        } else {
            self.node(value);
        }
    }
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace(['_', '-'], "");
    SECRETS.iter().any(|end| name.ends_with(end))
}

/// Keys that are written into a URL (`inline:`, `base64:`, `data:`), and the password before its host.
fn without_secrets(text: &str) -> String {
    if ["inline:", "base64:", "data:"]
        .iter()
        .any(|scheme| text.starts_with(scheme))
    {
        return REDACTED.to_owned();
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        return text.to_owned();
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    match authority.rsplit_once('@') {
        // A pattern of a rule's own may have an `@` in it, but no password.
        Some((user, host)) if !user.contains('<') => {
            let behind = rest.get(authority.len()..).unwrap_or_default();
            format!("{scheme}://{REDACTED}@{host}{behind}")
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::report::Report;

    fn listed(rule: &str, strict: bool) -> String {
        let mut report = Report::default();
        let node = crate::compile::json::parse(rule, 0, &mut report).unwrap();
        json(&node, strict)
    }

    #[test]
    fn a_rule_is_printed_as_oathkeeper_prints_it() {
        let written = r#"{
            "upstream": { "url": "http://127.0.0.1:38001" }, "id": "r1", "more": 1,
            "match": { "url": "http://m.test/<a>", "methods": ["GET"] },
            "authenticators": [{ "handler": "noop" }],
            "authorizer": { "handler": "allow", "config": {} },
            "mutators": [{ "config": { "b": [1, 2.50, true, null], "a": "x" }, "handler": "header" }]
        }"#;
        assert_eq!(
            listed(written, true),
            concat!(
                r#"{"id":"r1","version":"v26.2.0","description":"","match":{"methods":["GET"],"url":"http://m.test/<a>"},"#,
                r#""authenticators":[{"handler":"noop","config":null}],"authorizer":{"handler":"allow","config":{}},"#,
                r#""mutators":[{"handler":"header","config":{"b":[1,2.50,true,null],"a":"x"}}],"errors":null,"#,
                r#""upstream":{"preserve_host":false,"strip_path":"","url":"http://127.0.0.1:38001"}}"#
            )
        );
        assert_eq!(
            listed(
                r#"{ "id": "r", "version": "v0.40.0", "errors": [] }"#,
                false
            ),
            concat!(
                r#"{"id":"r","version":"v0.40.0","description":"","match":null,"authenticators":null,"#,
                r#""authorizer":{"handler":"","config":null},"mutators":null,"errors":[],"#,
                r#""upstream":{"preserve_host":false,"strip_path":"","url":""}}"#
            )
        );
    }

    #[test]
    fn secrets_are_shown_in_strict_mode_alone() {
        let written = r#"{ "id": "r", "authenticators": [{ "handler": "x", "config": {
            "client_secret": "s3cret", "auth": { "config": { "user": "u", "password": "s3cret", "value": "v" } },
            "headers": { "Authorization": "Basic s3cret", "X-Api-Key": "s3cret", "X-User": "{{ print .Subject }}" },
            "additional_headers": { "X-Anything": "s3cret" },
            "jwks_urls": ["inline://s3cret", "https://u:s3cret@keys.test/a@b?c#d"],
            "token_url": "https://t.test/x@y", "token_from": { "cookie": "shown-not" }, "cookies": { "a": "b" }
        } }], "match": { "url": "http://<[a-z@]+>.m.test/", "methods": [] } }"#;
        let shown = listed(written, false);
        assert!(!shown.contains("s3cret"), "{shown}");
        for kept in [
            r#""X-User":"{{ print .Subject }}""#,
            r#""user":"u""#,
            r#""https://[redacted]@keys.test/a@b?c#d""#,
            r#""token_url":"https://t.test/x@y""#,
            r#""cookies":{"a":"b"}"#,
            r#""url":"http://<[a-z@]+>.m.test/""#,
        ] {
            assert!(shown.contains(kept), "{kept} in {shown}");
        }
        assert_eq!(listed(written, true).matches("s3cret").count(), 7);
    }
}
