//! URLs of upstreams and of Kratos, and other ways to them.

use std::collections::BTreeMap;

use url::{Host, Url};

use super::code::Code;
use crate::endpoint::Endpoint;

use super::edge::upstreams::Upstream;
use super::node::Node;
use super::stage::Context;

/// Another way to an origin.
#[derive(Debug, Clone)]
pub(super) enum Target {
    /// Another origin, perhaps with a base path.
    Url(Url),
    /// A binding of the runtime.
    Binding(String),
}

/// A URL as the policy document holds it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mapped {
    pub(super) url: String,
    pub(super) binding: Option<String>,
}

/// Reads an absolute `http` or `https` URL without credentials.
///
/// # Errors
/// Says what is wrong with it. The text itself is in the message only when it holds no credentials.
pub(super) fn absolute(text: &str) -> Result<Url, String> {
    let url = match Url::parse(text) {
        Ok(url) => url,
        Err(url::ParseError::RelativeUrlWithoutBase) => {
            return Err(format!(
                "`{text}` is not an absolute URL: it has no `http://` or `https://` in front"
            ));
        }
        Err(error) => return Err(format!("`{text}` is not a URL: {error}")),
    };
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("`{text}` is not an `http` or `https` URL"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            "a URL with a user or password in it is refused, because files like these are shared"
                .to_owned(),
        );
    }
    Ok(url)
}

/// Reads an origin: a URL without path, query and fragment. The result compares as text.
pub(super) fn origin(text: &str) -> Result<String, String> {
    let url = absolute(text)?;
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(format!("`{text}` is more than an origin"));
    }
    Ok(url.origin().ascii_serialization())
}

/// Applies `upstreams` of `edge.yml` to a URL, whose path and query are kept; without a trailing slash when it has no path.
pub(super) fn map(url: &Url, upstreams: &mut BTreeMap<String, Upstream>) -> Mapped {
    let origin = url.origin().ascii_serialization();
    let path = if url.path() == "/" { "" } else { url.path() };
    let query = url
        .query()
        .map(|query| format!("?{query}"))
        .unwrap_or_default();
    let target = upstreams.get_mut(&origin).map(|upstream| {
        upstream.used = true;
        upstream.target.clone()
    });
    match target {
        None => Mapped {
            url: format!("{origin}{path}{query}"),
            binding: None,
        },
        Some(Target::Binding(binding)) => Mapped {
            url: format!("{origin}{path}{query}"),
            binding: Some(binding),
        },
        Some(Target::Url(base)) => Mapped {
            url: format!(
                "{}{}{path}{query}",
                base.origin().ascii_serialization(),
                base.path().trim_end_matches('/')
            ),
            binding: None,
        },
    }
}

/// Scheme, host and port of an upstream's URL: the server, whatever the base path.
pub(super) fn server(url: &str) -> &str {
    let authority = url.find("://").map_or(0, |at| at.saturating_add(3));
    url.get(authority..)
        .and_then(|rest| rest.find('/'))
        .and_then(|end| url.get(..authority.saturating_add(end)))
        .unwrap_or(url)
}

/// As [`map`], and tells of a name that only a cluster knows and that is not mapped. Once for each origin.
pub(super) fn map_or_warn(url: &Url, node: &Node, cx: &mut Context<'_>) -> Mapped {
    let mapped = map(url, &mut cx.edge.upstreams);
    let origin = url.origin().ascii_serialization();
    let is_mapped = cx.edge.upstreams.contains_key(&origin);
    if cx.thorough && !is_mapped && is_internal(url) && cx.told_origins.insert(origin.clone()) {
        cx.report.warning(
            Code::UPSTREAM_UNMAPPED,
            node.span,
            format!("`{origin}` is a name that only its own network knows: from the edge nothing answers there"),
            format!(
                "say in `edge.yml` where it is for the gateway: `upstreams: {{ \"{origin}\": https://… }}`, or `{{ binding: NAME }}` on Workers; where the gateway runs in that network, map it to itself"
            ),
        );
    }
    mapped
}

/// Endings of names that are never in public DNS (RFC 6761, RFC 6762, RFC 8375, ICANN's `internal`, Kubernetes).
const INTERNAL: [&str; 8] = [
    "local",
    "localhost",
    "internal",
    "svc",
    "lan",
    "localdomain",
    "home.arpa",
    "test",
];

/// Whether a URL's host is one that only its own network or machine knows: `http://web-svc`, `http://10.0.0.7`.
pub fn is_internal(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(host)) => {
            let host = host.trim_end_matches('.');
            let ends_with = |ending: &&str| {
                host.strip_suffix(*ending)
                    .is_some_and(|rest| rest.ends_with('.'))
            };
            // No registry knows such an ending: `web.default`, `wiki.corp`. What documents write (RFC 2606) stands for any.
            let is_unregistered = || {
                !ends_with(&"example")
                    && psl::suffix(host.as_bytes()).is_none_or(|suffix| !suffix.is_known())
            };
            !host.contains('.') || INTERNAL.iter().any(ends_with) || is_unregistered()
        }
        Some(Host::Ipv4(address)) => {
            // RFC 6598: what providers use behind their own address translation.
            let is_shared = matches!(address.octets(), [100, 64..=127, ..]);
            address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address.is_unspecified()
                || is_shared
        }
        Some(Host::Ipv6(address)) => {
            address.is_loopback()
                || address.is_unspecified()
                || address.is_unique_local()
                || address.is_unicast_link_local()
        }
        None => false,
    }
}

/// Reads the URL of a service that the gateway asks; `help` says what to write instead of a wrong one.
pub(super) fn endpoint(node: &Node, help: &str, cx: &mut Context<'_>) -> Option<Endpoint> {
    match absolute(node.text()?) {
        Ok(url) => {
            let mapped = map_or_warn(&url, node, cx);
            Some(Endpoint {
                url: mapped.url,
                binding: mapped.binding,
            })
        }
        Err(message) => {
            cx.report
                .error(Code::UPSTREAM_ADDRESS, node.span, message, help);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::node::Span;
    use super::*;

    #[test]
    fn only_the_origin_is_replaced() {
        let target = |target| Upstream {
            target,
            span: Span {
                file: 0,
                line: 1,
                column: 1,
            },
            used: false,
        };
        let mut upstreams = BTreeMap::from([
            (
                "http://a".to_owned(),
                target(Target::Url(Url::parse("https://b:9000/base/").unwrap())),
            ),
            (
                "http://c:8080".to_owned(),
                target(Target::Binding("C".to_owned())),
            ),
        ]);
        for (url, expected, binding) in [
            ("http://a", "https://b:9000/base", None),
            ("http://A:80/x/y?z=1", "https://b:9000/base/x/y?z=1", None),
            ("http://c:8080/x", "http://c:8080/x", Some("C")),
            ("http://c/x", "http://c/x", None),
            ("https://a/", "https://a", None),
        ] {
            let mapped = map(&Url::parse(url).unwrap(), &mut upstreams);
            assert_eq!(mapped.url, expected);
            assert_eq!(mapped.binding.as_deref(), binding, "{url}");
        }
        assert!(upstreams.values().all(|upstream| upstream.used));
    }

    #[test]
    fn what_only_its_own_network_knows_is_told_from_the_rest() {
        for (url, expected) in [
            ("http://web-svc", true),
            ("http://web.default", true),
            ("http://web.default.svc.cluster.local:8080", true),
            ("http://wiki.corp", true),
            ("http://10.0.0.7", true),
            ("http://100.64.0.1", true),
            ("http://100.128.0.1", false),
            ("http://0.0.0.0:80", true),
            ("http://[::]", true),
            ("http://[fd00::1]", true),
            ("http://8.8.8.8", false),
            ("https://app.example.com", false),
            ("https://app.shop.example", false),
            ("https://app.example.co.uk.", false),
            ("https://team.github.io", false),
            ("https://app.xn--p1ai", false),
        ] {
            assert_eq!(is_internal(&Url::parse(url).unwrap()), expected, "{url}");
        }
    }

    #[test]
    fn a_server_is_told_by_its_origin() {
        for (url, server_of_it) in [
            ("http://a:1/base", "http://a:1"),
            ("http://a", "http://a"),
            ("http://a/", "http://a"),
        ] {
            assert_eq!(server(url), server_of_it);
        }
    }

    #[test]
    fn what_is_not_an_absolute_url_is_refused() {
        for bad in [
            "",
            "web-svc",
            "/x",
            "ftp://a",
            "http://",
            "http://u@a",
            "http://u:p@a",
            "http://a b",
        ] {
            let error = absolute(bad).unwrap_err();
            assert!(!error.contains("u:p"), "{error}");
        }
        for bad in ["http://a/x", "http://a?x", "http://a#x"] {
            assert!(origin(bad).is_err(), "{bad}");
        }
    }
}
