//! Where a login may send a browser back to.

use serde::{Deserialize, Serialize};

use crate::document::Scheme;
use crate::host::HostPattern;

/// One entry of `return_to`: a host (`app.example.com`, `*.example.com`) or a URL whose path is a prefix
/// by segment (`https://app.example.com/shop`). Without a port only the scheme's own port fits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ReturnTo {
    scheme: Option<Scheme>,
    host: HostPattern,
    has_port: bool,
    path: String,
}

impl ReturnTo {
    /// Whether a public URL, given in its canonical parts, may be returned to.
    #[must_use]
    pub fn matches(&self, scheme: Scheme, host: &str, port: u16, path: &str) -> bool {
        let port_fits = self.has_port || port == scheme.default_port();
        let path_fits = match path.strip_prefix(self.path.as_str()) {
            Some(rest) => rest.is_empty() || self.path.ends_with('/') || rest.starts_with('/'),
            None => false,
        };
        self.scheme.is_none_or(|own| own == scheme)
            && port_fits
            && self.host.matches(host, port)
            && (self.path.is_empty() || path_fits)
    }

    /// The host that may be returned to.
    #[must_use]
    pub fn host(&self) -> &HostPattern {
        &self.host
    }
}

impl TryFrom<String> for ReturnTo {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (scheme, rest) = match text.split_once("://") {
            Some(("http", rest)) => (Some(Scheme::Http), rest),
            Some(("https", rest)) => (Some(Scheme::Https), rest),
            Some((scheme, _)) => {
                return Err(format!(
                    "`{text}` cannot be returned to: the scheme is http or https, not `{scheme}`"
                ));
            }
            None if text.starts_with("http:") || text.starts_with("https:") => {
                return Err(format!(
                    "`{text}` cannot be returned to: there is no `//` behind its scheme"
                ));
            }
            None if scheme_of(&text).is_some() => {
                let scheme = scheme_of(&text).unwrap_or_default();
                return Err(format!(
                    "`{text}` cannot be returned to: the scheme is http or https, not `{scheme}`"
                ));
            }
            None => (None, text.as_str()),
        };
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        if authority.is_empty() {
            return Err(format!("`{text}` cannot be returned to: it has no host"));
        }
        if path.contains(['?', '#', '*', '\\', '%'])
            || path.split('/').any(|segment| segment == "..")
        {
            return Err(format!(
                "`{text}` cannot be returned to: its path is a plain prefix, without query, wildcard or escapes"
            ));
        }
        let host = HostPattern::try_from(authority.to_owned())?;
        let has_port = String::from(host.clone())
            .rsplit_once(':')
            .is_some_and(|(_, port)| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()));
        Ok(Self {
            scheme,
            host,
            has_port,
            path: if path == "/" {
                String::new()
            } else {
                path.to_owned()
            },
        })
    }
}

/// The scheme of a URL that has no host, such as `javascript:…`. A port makes a host of what stands before it.
fn scheme_of(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_once(':')?;
    let is_port = rest
        .split('/')
        .next()
        .is_some_and(|port| port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit()));
    let is_scheme = !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphabetic());
    (is_scheme && !is_port).then_some(scheme)
}

impl From<ReturnTo> for String {
    fn from(entry: ReturnTo) -> Self {
        let scheme = match entry.scheme {
            Some(scheme) => format!("{}://", scheme.as_str()),
            None => String::new(),
        };
        format!("{scheme}{}{}", Self::from(entry.host), entry.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(text: &str) -> ReturnTo {
        ReturnTo::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn only_what_is_listed_may_be_returned_to() {
        use Scheme::{Http, Https};
        for (text, scheme, host, port, path, expected) in [
            ("app.example.com", Https, "app.example.com", 443, "/x", true),
            ("app.example.com", Http, "app.example.com", 80, "/x", true),
            (
                "app.example.com",
                Https,
                "app.example.com",
                8443,
                "/x",
                false,
            ),
            (
                "app.example.com:8443",
                Https,
                "app.example.com",
                8443,
                "/x",
                true,
            ),
            (
                "https://app.example.com",
                Http,
                "app.example.com",
                80,
                "/x",
                false,
            ),
            ("*.example.com", Https, "a.example.com", 443, "/", true),
            ("*.example.com", Https, "example.com", 443, "/", false),
            ("*.example.com", Https, "evilexample.com", 443, "/", false),
            ("https://a.test/shop", Https, "a.test", 443, "/shop", true),
            (
                "https://a.test/shop",
                Https,
                "a.test",
                443,
                "/shop/cart",
                true,
            ),
            (
                "https://a.test/shop",
                Https,
                "a.test",
                443,
                "/shopping",
                false,
            ),
            (
                "https://a.test/shop/",
                Https,
                "a.test",
                443,
                "/shop/cart",
                true,
            ),
            ("https://a.test/", Https, "a.test", 443, "/any", true),
        ] {
            assert_eq!(
                entry(text).matches(scheme, host, port, path),
                expected,
                "{text}: {host}:{port}{path}"
            );
        }
    }

    #[test]
    fn what_cannot_be_returned_to_is_refused() {
        for bad in [
            "javascript://x",
            "https://a.test/?x",
            "https://a.test/../b",
            "https://",
            "https://a@b",
            "*",
            "https://*a.test",
        ] {
            assert!(ReturnTo::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }

    #[test]
    fn survives_its_own_text() {
        for text in [
            "app.example.com",
            "https://*.a.test:81/x",
            "http://[::1]:80",
            "[::1]",
        ] {
            assert_eq!(String::from(entry(text)), text);
        }
    }
}
