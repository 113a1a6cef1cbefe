//! The canonical request: parsed once, and the only view there is of it afterwards.

use edgekeeper_policy::document::{Policy, Scheme};
use edgekeeper_session::cookie::is_token;
use http::header::HOST;
use http::{HeaderMap, HeaderName};

use crate::path::{Ambiguous, CanonicalPath};
use crate::runtime::NoBody;
use crate::sealed_cookie::Brought;

/// A request as a runtime hands it over.
#[derive(Debug, Clone)]
pub struct RawRequest<B = NoBody> {
    /// The method as sent.
    pub method: String,
    /// The absolute URL, as little changed as the runtime can give it.
    pub url: String,
    /// All headers, `Host` included.
    pub headers: HeaderMap,
    /// Where it came in.
    pub listener: Listener,
    /// Its body, unread.
    pub body: B,
}

impl<B> RawRequest<B> {
    /// The body, and what is to be judged.
    pub(crate) fn part(self) -> (B, RawRequest) {
        let head = RawRequest {
            method: self.method,
            url: self.url,
            headers: self.headers,
            listener: self.listener,
            body: NoBody,
        };
        (self.body, head)
    }
}

/// Oathkeeper's two listeners.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listener {
    /// Requests for the upstreams (Oathkeeper's port 4455).
    Proxy,
    /// Decisions, rules, keys and health (Oathkeeper's port 4456).
    Api,
}

/// A request with one meaning.
#[derive(Debug, Clone)]
pub struct Request {
    /// The method as sent; methods have case (RFC 9110 section 9.1).
    pub method: String,
    /// The scheme the browser used.
    pub scheme: Scheme,
    /// The host, lower case, without trailing dot and port.
    pub host: String,
    /// The port, the scheme's own if none was sent.
    pub port: u16,
    /// The path.
    pub path: CanonicalPath,
    /// What stood behind `?`, as it was sent; `None` without a `?`.
    pub query: Option<String>,
    /// All headers.
    pub headers: HeaderMap,
    /// Whether `X-Forwarded-*` among them are to be believed.
    pub believes_forwarded: bool,
    /// Strict mode: the authority as the client wrote it, where that is another spelling of it.
    pub(crate) spelt: Option<String>,
    /// What the gateway itself had given the browser to carry. It is not among the headers.
    pub(crate) brought: Brought,
}

impl Request {
    /// Reads a request.
    ///
    /// # Errors
    /// [`Ambiguous`] when its host or path has no meaning, or more than one: 400.
    pub fn parse(raw: RawRequest, policy: &Policy) -> Result<Self, Ambiguous> {
        let (scheme, rest) = match raw.url.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => (Scheme::Https, rest),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (Scheme::Http, rest),
            _ => return Err(Ambiguous("the URL is neither http nor https")),
        };
        let (authority, target) = match rest.find(['/', '?', '#']) {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        if query.is_some_and(is_unclear) {
            return Err(Ambiguous(
                "there is a fragment, a space or a control byte in the query",
            ));
        }
        if raw.headers.get_all(HOST).iter().count() > 1 {
            return Err(Ambiguous("there are two Host headers"));
        }
        let mut headers = raw.headers;
        let brought = Brought::take(&mut headers, policy);
        let scheme = public_scheme(scheme, &headers, policy);
        // Oathkeeper takes a dot in front for part of a name. No resolver knows such a name, so nobody's host is meant.
        let dotted = policy.strict && authority.starts_with('.');
        let named = authority.strip_prefix('.').filter(|_| dotted);
        let (host, port) = split_authority(named.unwrap_or(authority), scheme)?;
        let request = Self {
            method: raw.method,
            scheme,
            host: if dotted { format!(".{host}") } else { host },
            port,
            path: CanonicalPath::parse(path, policy.strict)?,
            query: query.map(str::to_owned),
            headers,
            believes_forwarded: policy.trust_forwarded_headers,
            spelt: None,
            brought,
        };
        let sent = request.header(&HOST).unwrap_or_default().to_owned();
        Ok(if policy.strict {
            request.spelt_as(&sent)
        } else {
            request
        })
    }

    /// The same request, whose client wrote its authority in this way.
    pub(crate) fn spelt_as(mut self, sent: &str) -> Self {
        self.spelt = (!sent.is_empty() && sent != self.authority()).then(|| sent.to_owned());
        self
    }

    /// Host, with the port unless it is the scheme's own.
    #[must_use]
    pub fn authority(&self) -> String {
        if self.port == self.scheme.default_port() {
            self.host.clone()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// What rules are matched against: scheme, authority and a decoded path.
    #[must_use]
    pub fn match_target(&self, path: &str) -> String {
        self.target_at(&self.authority(), path)
    }

    /// The same with another spelling of the authority.
    pub(crate) fn target_at(&self, authority: &str, path: &str) -> String {
        format!("{}://{authority}{path}", self.scheme.as_str())
    }

    /// The URL a browser has in its address bar.
    #[must_use]
    pub fn public_url(&self) -> String {
        let query = match &self.query {
            Some(query) => format!("?{query}"),
            None => String::new(),
        };
        format!(
            "{}://{}{}{query}",
            self.scheme.as_str(),
            self.authority(),
            self.path.encoded()
        )
    }

    /// The first value of a header; `None` when it is missing or not text.
    #[must_use]
    pub fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// All values of a header that are text.
    #[must_use]
    pub fn header_values(&self, name: &HeaderName) -> Vec<&str> {
        self.headers
            .get_all(name)
            .iter()
            .map(|value| std::str::from_utf8(value.as_bytes()).unwrap_or("\u{fffd}"))
            .collect()
    }
}

fn public_scheme(scheme: Scheme, headers: &HeaderMap, policy: &Policy) -> Scheme {
    if policy.trust_forwarded_headers {
        let forwarded = headers
            .get("x-forwarded-proto")
            .and_then(|value| value.to_str().ok());
        match forwarded {
            Some(value) if value.eq_ignore_ascii_case("https") => return Scheme::Https,
            Some(value) if value.eq_ignore_ascii_case("http") => return Scheme::Http,
            _ => {}
        }
    }
    policy.scheme.unwrap_or(scheme)
}

/// Whether a query has in it what no URL has.
pub(crate) fn is_unclear(query: &str) -> bool {
    query.contains('#') || query.bytes().any(|b| b <= b' ' || b == 0x7f)
}

/// The `Cookie` headers that a runtime has joined as if they were a list (RFC 6265 section 5.4 joins by `;`): a comma and a
/// space stand in no cookie (section 4.1.1), so what follows them and has a name begins another header.
pub fn parted_cookies(joined: &str) -> impl Iterator<Item = &str> {
    let begins = |rest: &str| {
        let name = rest.split(['=', ';', ',', ' ']).next().unwrap_or_default();
        is_token(name)
            && rest
                .get(name.len()..)
                .is_some_and(|rest| rest.starts_with('='))
    };
    let mut rest = Some(joined);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = text
            .match_indices(", ")
            .map(|(at, _)| at)
            .find(|at| text.get(at.saturating_add(2)..).is_some_and(begins));
        let (part, next) = match end {
            Some(at) => (text.get(..at)?, text.get(at.saturating_add(2)..)),
            None => (text, None),
        };
        rest = next;
        Some(part)
    })
}

/// Host, lower case and without trailing dot, and port of an authority.
pub(crate) fn split_authority(authority: &str, scheme: Scheme) -> Result<(String, u16), Ambiguous> {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, port),
        _ => (authority, ""),
    };
    let port = match port {
        "" => scheme.default_port(),
        digits if digits.len() <= 5 && digits.bytes().all(|b| b.is_ascii_digit()) => digits
            .parse()
            .map_err(|_| Ambiguous("the port is not a port"))?,
        _ => return Err(Ambiguous("the port is not a port")),
    };
    // A default port of the other scheme, where TLS ends before the gateway, is nobody's port.
    let port = match (scheme, port) {
        (Scheme::Https, 80) => 443,
        (_, port) => port,
    };
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    let is_name = host.split('.').all(|label| {
        !label.is_empty()
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    });
    let is_ipv6 = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .is_some_and(|inner| {
            inner.contains(':')
                && inner
                    .bytes()
                    .all(|b| b.is_ascii_hexdigit() || b == b':' || b == b'.')
        });
    if host.len() > 253 || !(is_name || is_ipv6) {
        return Err(Ambiguous("the host is not a host"));
    }
    Ok((host, port))
}

#[cfg(test)]
mod tests {
    use super::parted_cookies;

    #[test]
    fn joined_cookie_headers_are_parted_and_no_cookie_is() {
        for (joined, parts) in [
            ("", vec![""]),
            ("a=1; b=2", vec!["a=1; b=2"]),
            ("a=1, b=2", vec!["a=1", "b=2"]),
            ("a=1; x=2, b=2; c=3, d=", vec!["a=1; x=2", "b=2; c=3", "d="]),
            (r#"p={"a":1, "b":2}"#, vec![r#"p={"a":1, "b":2}"#]),
            ("a=Mon, 01 Jan", vec!["a=Mon, 01 Jan"]),
            ("a=1,b=2", vec!["a=1,b=2"]),
        ] {
            assert_eq!(
                parted_cookies(joined).collect::<Vec<_>>(),
                parts,
                "{joined}"
            );
        }
    }
}
