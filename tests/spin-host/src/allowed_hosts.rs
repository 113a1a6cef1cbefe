//! `allowed_outbound_hosts`: where a component may send requests.
//!
//! Each entry is `scheme://host[:port]`; `*` stands for any scheme, host or port, `*.host` for its
//! subdomains, `a..b` for the ports from a up to but without b, `self` for the application itself.
//! Networks (`10.0.0.0/8`) and service chaining (`*.spin.internal`) are Spin's, not this host's.

use std::ops::Range;

use anyhow::{Context as _, Result, bail, ensure};
use url::Host;

use crate::template::Template;
use crate::variables::Variables;

/// The entries of one component.
#[derive(Debug, Default)]
pub struct AllowedHosts(Vec<Entry>);

#[derive(Debug, PartialEq, Eq)]
struct Entry {
    scheme: Option<String>,
    host: HostRule,
    ports: Option<Range<u32>>,
}

#[derive(Debug, PartialEq, Eq)]
enum HostRule {
    Any,
    Subdomains(String),
    This,
    One(Host),
}

impl AllowedHosts {
    /// Reads the entries. One whose variables leave it empty allows nothing, as in Spin.
    ///
    /// # Errors
    /// An entry has a form this host does not know.
    pub fn parse(entries: &[String], variables: &Variables) -> Result<Self> {
        let mut allowed = Vec::with_capacity(entries.len());
        for text in entries {
            let resolved = variables.text(text)?;
            let optional = !Template::parse(text)?.is_literal();
            if optional && matches!(resolved.as_str(), "" | "http://" | "https://") {
                continue;
            }
            allowed.push(
                Entry::parse(&resolved)
                    .with_context(|| format!("allowed_outbound_hosts: {resolved:?}"))?,
            );
        }
        Ok(Self(allowed))
    }

    /// Whether a request may go there. The port is the scheme's own where there is none.
    #[must_use]
    pub fn allow(&self, scheme: &str, host: &str, port: Option<u16>) -> bool {
        let Ok(host) = Host::parse(host) else {
            return false;
        };
        let port = port.or_else(|| known_port(scheme));
        self.0.iter().any(|entry| {
            entry.allows_scheme(scheme) && entry.host.allows(&host) && entry.allows_port(port)
        })
    }

    /// Whether a request may go to the application itself.
    #[must_use]
    pub fn allow_self(&self) -> bool {
        self.0.iter().any(|entry| {
            (entry.allows_scheme("http") || entry.allows_scheme("https"))
                && matches!(entry.host, HostRule::Any | HostRule::This)
        })
    }
}

impl Entry {
    fn parse(text: &str) -> Result<Self> {
        let (scheme, rest) = text
            .trim()
            .split_once("://")
            .context("write scheme://host[:port]; `*` stands for any of them")?;
        ensure!(
            scheme == "*" || scheme.chars().all(char::is_alphabetic),
            "the scheme may contain only letters, or be `*`"
        );
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        ensure!(
            !rest.contains('/'),
            "neither a path nor a network may follow the scheme"
        );
        // The colons of an IPv6 address are no port's.
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port),
            _ => (rest, ""),
        };
        Ok(Self {
            scheme: (scheme != "*").then(|| scheme.to_owned()),
            host: HostRule::parse(host)?,
            ports: ports(port, scheme)?,
        })
    }

    fn allows_scheme(&self, scheme: &str) -> bool {
        self.scheme
            .as_deref()
            .is_none_or(|allowed| allowed == scheme)
    }

    fn allows_port(&self, port: Option<u16>) -> bool {
        match &self.ports {
            None => true,
            Some(ports) => port.is_some_and(|port| ports.contains(&u32::from(port))),
        }
    }
}

impl HostRule {
    fn parse(text: &str) -> Result<Self> {
        if text == "*" {
            return Ok(Self::Any);
        }
        if matches!(text, "self" | "self.alt") {
            return Ok(Self::This);
        }
        let (name, subdomains) = match text.strip_prefix("*.") {
            Some(name) => (name, true),
            None => (text, false),
        };
        ensure!(
            !name.contains('*'),
            "`*` stands for a whole host or for what is before the first dot"
        );
        let host = Host::parse(name).with_context(|| format!("no host: {name:?}"))?;
        if host.to_string().ends_with("spin.internal") {
            bail!("this host does no service chaining");
        }
        Ok(match (host, subdomains) {
            (host, false) => Self::One(host),
            (Host::Domain(domain), true) => Self::Subdomains(format!(".{domain}")),
            (_, true) => bail!("only a domain has subdomains"),
        })
    }

    fn allows(&self, host: &Host) -> bool {
        match (self, host) {
            (Self::Any, _) => true,
            (Self::One(allowed), host) => allowed == host,
            (Self::Subdomains(suffix), Host::Domain(domain)) => domain.ends_with(suffix),
            (Self::Subdomains(_) | Self::This, _) => false,
        }
    }
}

fn ports(text: &str, scheme: &str) -> Result<Option<Range<u32>>> {
    let number = |text: &str| {
        text.parse::<u16>()
            .with_context(|| format!("no port: {text:?}"))
            .map(u32::from)
    };
    let one = |port: u32| port..port.saturating_add(1);
    Ok(Some(match text {
        "*" => return Ok(None),
        "" => one(known_port(scheme).map(u32::from).with_context(|| {
            format!("the scheme {scheme:?} has no port of its own: add `:port` or `:*`")
        })?),
        text => match text.split_once("..") {
            Some((first, end)) => number(first)?..number(end)?,
            None => one(number(text)?),
        },
    }))
}

fn known_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn hosts(entries: &[&str], variables: &str) -> Result<AllowedHosts> {
        let declared: BTreeMap<_, _> = toml::from_str(variables).unwrap();
        let variables = Variables::resolve(&declared, &[]).unwrap();
        let entries: Vec<String> = entries.iter().map(|entry| (*entry).to_owned()).collect();
        AllowedHosts::parse(&entries, &variables)
    }

    #[test]
    fn allows_what_an_entry_names_and_nothing_else() {
        for (entry, scheme, host, port, expected) in [
            ("http://a.test", "http", "a.test", None, true),
            ("http://a.test", "http", "A.TEST", Some(80), true),
            ("http://a.test/", "http", "a.test", None, true),
            ("http://a.test", "https", "a.test", None, false),
            ("http://a.test", "http", "a.test", Some(8080), false),
            ("http://a.test", "http", "b.a.test", None, false),
            ("http://a.test:8080", "http", "a.test", Some(8080), true),
            ("http://a.test:8080", "http", "a.test", None, false),
            ("http://a.test:*", "http", "a.test", Some(1), true),
            ("http://a.test:10..12", "http", "a.test", Some(11), true),
            ("http://a.test:10..12", "http", "a.test", Some(12), false),
            ("*://a.test:443", "https", "a.test", None, true),
            ("*://*:*", "http", "127.0.0.1", Some(1), true),
            ("https://*", "https", "any.test", None, true),
            ("https://*.a.test", "https", "b.a.test", None, true),
            ("https://*.a.test", "https", "a.test", None, false),
            ("https://*.a.test", "https", "ba.test", None, false),
            ("http://127.0.0.1:1", "http", "127.0.0.1", Some(1), true),
            ("http://127.0.0.1:1", "http", "127.0.0.2", Some(1), false),
            ("http://127.0.0.1:1", "http", "localhost", Some(1), false),
            ("http://[::1]:1", "http", "[::1]", Some(1), true),
            ("http://[::1]", "http", "[::1]", None, true),
            ("http://self", "http", "self", None, false),
        ] {
            let allowed = hosts(&[entry], "").unwrap();
            assert_eq!(
                allowed.allow(scheme, host, port),
                expected,
                "{entry} {scheme}://{host} {port:?}"
            );
        }
        assert!(!AllowedHosts::default().allow("http", "a.test", None));
        assert!(hosts(&["http://self"], "").unwrap().allow_self());
        assert!(!hosts(&["http://a.test"], "").unwrap().allow_self());
    }

    #[test]
    fn entries_may_be_templates_and_an_empty_one_allows_nothing() {
        let variables = "origin = { default = \"http://a.test:1\" }\nempty = { default = \"\" }";
        let allowed = hosts(
            &["{{ origin }}", "{{ empty }}", "https://{{ empty }}"],
            variables,
        )
        .unwrap();
        assert!(allowed.allow("http", "a.test", Some(1)));
        assert!(!allowed.allow("https", "a.test", None));
    }

    #[test]
    fn other_forms_are_refused() {
        for entry in [
            "",
            "*",
            "a.test",
            "http://a.test/path",
            "http://10.0.0.0/8",
            "http://a.*",
            "http://*.*.a",
            "redis://a",
            "http://a:b",
            "http://a:1..",
            "http://*.127.0.0.1",
            "http://b.spin.internal",
            "h2://a:1",
        ] {
            assert!(hosts(&[entry], "").is_err(), "{entry}");
        }
    }
}
