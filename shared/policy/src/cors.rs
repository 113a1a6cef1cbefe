//! CORS settings, in Fetch's words.

use serde::{Deserialize, Serialize};

/// `serve.proxy.cors` when it is enabled, else `cors` of `edge.yml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cors {
    /// Origins that may read answers.
    pub allowed_origins: Vec<OriginPattern>,
    /// Methods a preflight may ask for, upper case.
    pub allowed_methods: Vec<String>,
    /// Request headers a preflight may ask for, lower case; `*` for any.
    pub allowed_headers: Vec<String>,
    /// Response headers a page may read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exposed_headers: Vec<String>,
    /// Whether cookies may come along. Never true together with the origin `*`.
    #[serde(default)]
    pub allow_credentials: bool,
    /// Seconds a browser may remember a preflight; 0 sends no such header.
    #[serde(default)]
    pub max_age: u64,
}

/// One entry of `allowed_origins`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum OriginPattern {
    /// `*`
    Any,
    /// `https://app.example.com`, lower case.
    Exact(String),
    /// `https://*.example.com`: any number of labels in front, never none.
    Subdomains {
        /// `https://`
        scheme: String,
        /// `.example.com`, with a port if one was given.
        suffix: String,
    },
}

impl OriginPattern {
    /// Whether an `Origin` header is this origin. Compared without case, as Oathkeeper v26.2.0 does.
    #[must_use]
    pub fn matches(&self, origin: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(exact) => origin.eq_ignore_ascii_case(exact),
            Self::Subdomains { scheme, suffix } => {
                let origin = origin.to_ascii_lowercase();
                origin
                    .strip_prefix(scheme.as_str())
                    .and_then(|rest| rest.strip_suffix(suffix.as_str()))
                    .is_some_and(|labels| {
                        labels.split('.').all(|label| {
                            !label.is_empty()
                                && label
                                    .bytes()
                                    .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
                        })
                    })
            }
        }
    }
}

impl TryFrom<String> for OriginPattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text == "*" {
            return Ok(Self::Any);
        }
        let lower = text.to_ascii_lowercase();
        let Some((scheme, host)) = lower.split_once("://") else {
            return Err(format!(
                "`{text}` is not an origin; write a scheme and a host, such as `https://app.example.com`"
            ));
        };
        if scheme.is_empty()
            || !scheme
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
        {
            return Err(format!(
                "`{text}` is not an origin: `{scheme}` is not a scheme"
            ));
        }
        let host = host.strip_suffix('/').unwrap_or(host);
        if host.is_empty() || host.contains(['/', '?', '#', '@', ' ', '\\', ',']) {
            return Err(format!(
                "`{text}` is not an origin; it is a scheme, a host and perhaps a port, with nothing behind them"
            ));
        }
        match host.strip_prefix("*.") {
            Some(rest) if !rest.is_empty() && !rest.contains('*') && !rest.starts_with('.') => {
                Ok(Self::Subdomains {
                    scheme: format!("{scheme}://"),
                    suffix: format!(".{rest}"),
                })
            }
            None if !host.contains('*') => Ok(Self::Exact(format!("{scheme}://{host}"))),
            _ => Err(format!(
                "`{text}` has a wildcard that is not a whole label in front, so it would let in look-alike hosts; write `https://*.example.com`"
            )),
        }
    }
}

impl From<OriginPattern> for String {
    fn from(pattern: OriginPattern) -> Self {
        match pattern {
            OriginPattern::Any => "*".to_owned(),
            OriginPattern::Exact(exact) => exact,
            OriginPattern::Subdomains { scheme, suffix } => format!("{scheme}*{suffix}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str) -> OriginPattern {
        OriginPattern::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn origins_compare_by_label() {
        for (pattern, header, expected) in [
            ("*", "https://any.test", true),
            ("https://a.test", "https://a.test", true),
            ("https://a.test", "HTTPS://A.TEST", true),
            ("https://a.test", "http://a.test", false),
            ("https://a.test", "https://a.test:8443", false),
            ("https://a.test", "https://evila.test", false),
            ("https://a.test", "null", false),
            ("https://a.test", "", false),
            ("https://a.test", "https://a.test, https://b.test", false),
            ("https://*.w.test", "https://x.w.test", true),
            ("https://*.w.test", "https://x.y.w.test", true),
            ("https://*.w.test", "https://a_b.w.test", true),
            ("https://*.w.test", "https://w.test", false),
            ("https://*.w.test", "https://.w.test", false),
            ("https://*.w.test", "https://xw.test", false),
            ("https://*.w.test", "https://x.w.test:444", false),
            ("https://*.w.test", "https://u@x.w.test", false),
            ("https://*.w.test", "https://evil.test/x.w.test", false),
            ("https://*.w.test:444", "https://x.w.test:444", true),
        ] {
            assert_eq!(
                origin(pattern).matches(header),
                expected,
                "{pattern} against {header}"
            );
        }
    }

    #[test]
    fn wildcards_must_be_a_whole_label_in_front() {
        for bad in [
            "https://*foo.test",
            "https://www.foo.*",
            "https://*",
            "https://*.",
            "https://*..test",
            "https://a.*.test",
            "a.test",
            "https://",
            "https://a.test/path",
            "://a.test",
        ] {
            let error = OriginPattern::try_from(bad.to_owned()).unwrap_err();
            assert!(error.contains(bad), "{error}");
        }
    }

    #[test]
    fn survives_its_own_text() {
        for text in ["*", "https://a.test", "https://*.w.test:8443"] {
            assert_eq!(String::from(origin(text)), text);
        }
    }
}
