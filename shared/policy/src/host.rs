//! Hosts that are served.

use serde::{Deserialize, Serialize};

/// One entry of `hosts`: `app.example.com`, `*.example.com`, either with a port to mean only that one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HostPattern {
    subdomains: bool,
    host: String,
    port: Option<u16>,
}

impl HostPattern {
    /// Whether a canonical host (lower case, no trailing dot) on a port is this one.
    #[must_use]
    pub fn matches(&self, host: &str, port: u16) -> bool {
        if self.port.is_some_and(|own| own != port) {
            return false;
        }
        if !self.subdomains {
            return host == self.host;
        }
        // By label: `evilexample.com` does not end in `.example.com`.
        host.strip_suffix(self.host.as_str())
            .and_then(|labels| labels.strip_suffix('.'))
            .is_some_and(|labels| {
                !labels.is_empty() && labels.split('.').all(|label| !label.is_empty())
            })
    }

    /// The host without its wildcard and port.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether it stands for the hosts below [`Self::host`].
    #[must_use]
    pub fn is_wildcard(&self) -> bool {
        self.subdomains
    }
}

impl TryFrom<String> for HostPattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.contains("://") {
            return Err(format!(
                "`{text}` is not a host: it has a scheme; write only the name, such as `app.example.com`"
            ));
        }
        let lower = text.to_ascii_lowercase();
        let (host, port) = match lower.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
                let port = port
                    .parse()
                    .map_err(|_| format!("`{text}` is not a host: `{port}` is not a port"))?;
                (host, Some(port))
            }
            _ => (lower.as_str(), None),
        };
        let (subdomains, host) = match host.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, host),
        };
        let host = host.strip_suffix('.').unwrap_or(host);
        let is_name = |host: &str| {
            host.split('.').all(|label| {
                !label.is_empty()
                    && label
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            })
        };
        let is_ipv6 = |host: &str| {
            host.strip_prefix('[')
                .and_then(|rest| rest.strip_suffix(']'))
                .is_some_and(|inner| {
                    inner
                        .bytes()
                        .all(|b| b.is_ascii_hexdigit() || b == b':' || b == b'.')
                })
        };
        if !is_name(host) && (subdomains || !is_ipv6(host)) {
            return Err(format!(
                "`{text}` is not a host; write a name such as `app.example.com` or `*.example.com` (names beyond ASCII in their `xn--` form)"
            ));
        }
        Ok(Self {
            subdomains,
            host: host.to_owned(),
            port,
        })
    }
}

impl From<HostPattern> for String {
    fn from(pattern: HostPattern) -> Self {
        let star = if pattern.subdomains { "*." } else { "" };
        match pattern.port {
            Some(port) => format!("{star}{}:{port}", pattern.host),
            None => format!("{star}{}", pattern.host),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> HostPattern {
        HostPattern::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn hosts_compare_by_label() {
        for (text, host, port, expected) in [
            ("app.example.com", "app.example.com", 443, true),
            ("APP.example.com.", "app.example.com", 443, true),
            ("app.example.com", "app.example.com", 8443, true),
            ("app.example.com:8443", "app.example.com", 443, false),
            ("app.example.com", "evilapp.example.com", 443, false),
            ("*.example.com", "a.example.com", 443, true),
            ("*.example.com", "a.b.example.com", 443, true),
            ("*.example.com", "example.com", 443, false),
            ("*.example.com", ".example.com", 443, false),
            ("*.example.com", "a..example.com", 443, false),
            ("*.example.com", "evilexample.com", 443, false),
            ("a.b", "axb", 80, false),
            ("[::1]:8080", "[::1]", 8080, true),
        ] {
            assert_eq!(
                pattern(text).matches(host, port),
                expected,
                "{text} against {host}:{port}"
            );
        }
    }

    #[test]
    fn what_is_not_a_host_is_refused_with_its_text() {
        for bad in [
            "",
            "*",
            "*.",
            "*example.com",
            "a.*.com",
            "a..b",
            "a/b",
            "a b",
            "http://a.b",
            "a:b",
            "a:99999",
            "u@a",
            "a。b",
        ] {
            let error = HostPattern::try_from(bad.to_owned()).unwrap_err();
            assert!(error.contains(bad), "{error}");
        }
    }

    #[test]
    fn survives_its_own_text() {
        for text in ["a.b", "*.a.b", "a.b:81", "[::1]:80"] {
            assert_eq!(String::from(pattern(text)), text);
        }
    }
}
