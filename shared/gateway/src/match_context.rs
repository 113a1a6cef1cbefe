//! `.MatchContext`, where it is another than the request's: a hydrator can put one in its place (strict mode).

use http::HeaderMap;

use crate::path::encode;
use crate::request::Request;

/// Oathkeeper's `MatchContext`. What is `None` is Go's nil.
#[derive(Debug, Clone, Default)]
pub struct MatchContext {
    /// `regexp_capture_groups`.
    pub(crate) captures: Option<Vec<String>>,
    /// `url`.
    pub(crate) url: Option<Url>,
    /// `method`.
    pub(crate) method: String,
    /// `header`.
    pub(crate) header: Option<HeaderMap>,
}

/// Go's `url.URL`, as far as a request has one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Url {
    pub(crate) scheme: String,
    /// With its port, unless that is the scheme's own.
    pub(crate) host: String,
    /// Decoded.
    pub(crate) path: String,
    /// The path as it was sent, where encoding [`Self::path`] gives another text.
    pub(crate) raw_path: String,
    /// Without `?`.
    pub(crate) raw_query: String,
    /// A `?` with nothing behind it.
    pub(crate) force_query: bool,
    /// Without `#`.
    pub(crate) fragment: String,
}

impl Url {
    pub(crate) fn of(request: &Request) -> Self {
        let path = request.path.decoded();
        let sent = request.path.encoded();
        Self {
            scheme: request.scheme.as_str().to_owned(),
            host: request.authority(),
            path: path.to_owned(),
            raw_path: if encode(path) == sent {
                String::new()
            } else {
                sent.to_owned()
            },
            raw_query: request.query.clone().unwrap_or_default(),
            force_query: request.query.as_deref() == Some(""),
            fragment: String::new(),
        }
    }

    /// The path, encoded.
    pub(crate) fn escaped_path(&self) -> String {
        if self.raw_path.is_empty() {
            encode(&self.path)
        } else {
            self.raw_path.clone()
        }
    }

    /// Go's `RequestURI`: the path, `/` if there is none, and the query.
    pub(crate) fn request_uri(&self) -> String {
        let path = match self.escaped_path() {
            path if path.is_empty() => "/".to_owned(),
            path => path,
        };
        format!("{path}{}", self.query())
    }

    fn query(&self) -> String {
        if self.raw_query.is_empty() && !self.force_query {
            String::new()
        } else {
            format!("?{}", self.raw_query)
        }
    }

    /// The host without its port, and the port, which can be empty.
    pub(crate) fn host_and_port(&self) -> (&str, &str) {
        let (host, port) = match self.host.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, port),
            _ => (self.host.as_str(), ""),
        };
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        (bare.unwrap_or(host), port)
    }

    /// The whole of it.
    pub(crate) fn text(&self) -> String {
        let scheme = match self.scheme.as_str() {
            "" => String::new(),
            scheme => format!("{scheme}:"),
        };
        let path = self.escaped_path();
        let slashes = if !self.host.is_empty() || (!scheme.is_empty() && path.starts_with("//")) {
            "//"
        } else {
            ""
        };
        let between = if !self.host.is_empty() && !path.is_empty() && !path.starts_with('/') {
            "/"
        } else {
            ""
        };
        let fragment = match self.fragment.as_str() {
            "" => String::new(),
            fragment => format!("#{}", encode(fragment)),
        };
        format!(
            "{scheme}{slashes}{}{between}{path}{}{fragment}",
            self.host,
            self.query()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_written_as_go_writes_it() {
        let url = |scheme: &str, host: &str, path: &str, query: &str| Url {
            scheme: scheme.to_owned(),
            host: host.to_owned(),
            path: path.to_owned(),
            raw_query: query.to_owned(),
            ..Url::default()
        };
        for (url, text, uri) in [
            (url("", "", "", ""), "", "/"),
            (url("http", "a", "", ""), "http://a", "/"),
            (url("http", "a", "x", ""), "http://a/x", "x"),
            (
                url("ftp", "h:1", "/a b", "q=1"),
                "ftp://h:1/a%20b?q=1",
                "/a%20b?q=1",
            ),
            (url("", "", "/x", "y"), "/x?y", "/x?y"),
        ] {
            assert_eq!(
                (url.text().as_str(), url.request_uri().as_str()),
                (text, uri)
            );
        }
        let fragment = Url {
            fragment: "f g".to_owned(),
            ..url("http", "a", "/", "")
        };
        assert_eq!(fragment.text(), "http://a/#f%20g");
    }

    #[test]
    fn the_port_stands_behind_the_host() {
        for (host, expected) in [
            ("", ("", "")),
            ("a", ("a", "")),
            ("a:80", ("a", "80")),
            ("[::1]:80", ("::1", "80")),
            ("[::1]", ("::1", "")),
            ("a:b", ("a:b", "")),
        ] {
            let url = Url {
                host: host.to_owned(),
                ..Url::default()
            };
            assert_eq!(url.host_and_port(), expected, "{host}");
        }
    }
}
