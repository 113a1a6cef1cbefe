//! Where a service sends whoever asks it with a credential.

use http::HeaderValue;
use http::header::{LOCATION, REFERER};

use crate::retry::address;
use crate::runtime::{Inbound, Outbound};
use crate::upstream;

/// The request that an answer leads to, as Go's client makes it: `GET` but for 307 and 308, with the same headers and a
/// `Referer` unless there `is_told` one already. `None` for an answer that leads nowhere, or to another origin: that one
/// must not see the credential.
pub(crate) fn next(asked: &Outbound, answer: &Inbound, is_told: bool) -> Option<Outbound> {
    let keeps_method = match answer.status {
        301..=303 => false,
        307 | 308 => true,
        _ => return None,
    };
    let location = answer.headers.get(LOCATION)?.to_str().ok()?;
    let mut next = asked.clone();
    next.url = resolved(&asked.url, location)?;
    if !keeps_method {
        "GET".clone_into(&mut next.method);
        next.body.clear();
    }
    if !is_told {
        let referer = HeaderValue::from_str(&without_user(&asked.url)).ok()?;
        next.headers.insert(REFERER, referer);
    }
    Some(next)
}

/// A reference resolved against the URL it was found at (RFC 3986, section 5.2), if that is of the same origin.
fn resolved(base: &str, location: &str) -> Option<String> {
    // What parsers of URLs do not read alike could be another origin to one of them.
    let is_odd = |byte: u8| byte <= b' ' || byte == b'\\' || byte >= 0x7f;
    if location.is_empty() || location.bytes().any(is_odd) {
        return None;
    }
    let (origin, base_path) = upstream::split(base);
    let (scheme, _) = origin.split_once("://")?;
    let reference = location.split('#').next().unwrap_or_default();
    let head = reference.split(['/', '?']).next().unwrap_or_default();
    let from_root = if head.contains(':') || reference.starts_with("//") {
        let absolute = match reference.strip_prefix("//") {
            Some(rest) => format!("{scheme}://{rest}"),
            None => reference.to_owned(),
        };
        let (other, _) = upstream::split(&absolute);
        if !is_same_origin(origin, other) {
            return None;
        }
        absolute.get(other.len()..)?.to_owned()
    } else if reference.is_empty() {
        return base.split('#').next().map(str::to_owned);
    } else if reference.starts_with('/') {
        reference.to_owned()
    } else if reference.starts_with('?') {
        format!("{base_path}{reference}")
    } else {
        let folder = base_path.rsplit_once('/').map_or("", |(folder, _)| folder);
        format!("{folder}/{reference}")
    };
    let (path, query) = match from_root.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (from_root.as_str(), None),
    };
    let path = without_dots(path);
    Some(match query {
        Some(query) => format!("{origin}{path}?{query}"),
        None => format!("{origin}{path}"),
    })
}

fn is_same_origin(own: &str, other: &str) -> bool {
    let scheme = |origin: &str| {
        origin
            .split_once("://")
            .map(|(scheme, _)| scheme.to_ascii_lowercase())
    };
    !other.contains('@')
        && scheme(own) == scheme(other)
        && address(&without_user(own)).eq_ignore_ascii_case(&address(&other.to_ascii_lowercase()))
}

/// A path from the root without its segments `.` and `..`.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut is_folder = false;
    for segment in path.split('/').skip(1) {
        is_folder = matches!(segment, "." | "..");
        match segment {
            "." => {}
            ".." => {
                kept.pop();
            }
            name => kept.push(name),
        }
    }
    if is_folder {
        kept.push("");
    }
    format!("/{}", kept.join("/"))
}

fn without_user(url: &str) -> String {
    let (origin, _) = upstream::split(url);
    let rest = url.get(origin.len()..).unwrap_or_default();
    match origin.split_once("://") {
        Some((scheme, authority)) => {
            let host = authority.rsplit('@').next().unwrap_or_default();
            format!("{scheme}://{host}{rest}")
        }
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_resolved_as_rfc_3986_says() {
        let base = "http://check.test/a/b?c=1";
        for (location, expected) in [
            ("/login", "/login"),
            ("/login?x=/../y#z", "/login?x=/../y"),
            ("login", "/a/login"),
            ("./login", "/a/login"),
            ("../login", "/login"),
            ("../../../login", "/login"),
            ("c/./d/../e/..", "/a/c/"),
            ("?d=2", "/a/b?d=2"),
            ("#top", "/a/b?c=1"),
            ("a?b:c", "/a/a?b:c"),
            ("http://check.test/x", "/x"),
            ("HTTP://CHECK.TEST:80/x?y", "/x?y"),
            ("//check.test/x", "/x"),
            ("http://check.test", "/"),
            ("http://check.test?x", "/?x"),
            ("/a/..//evil.test", "//evil.test"),
        ] {
            assert_eq!(
                resolved(base, location).as_deref(),
                Some(format!("http://check.test{expected}").as_str()),
                "{location}"
            );
        }
        assert_eq!(
            resolved("https://check.test:8443", "x").as_deref(),
            Some("https://check.test:8443/x")
        );
    }

    #[test]
    fn another_origin_is_not_gone_to_however_it_is_written() {
        for location in [
            "",
            "https://check.test/x",
            "http://check.test:8080/x",
            "http://evil.test/x",
            "//evil.test/x",
            "///x",
            "http:///x",
            "http://check.test.evil.test/",
            "http://check.test@evil.test/",
            "http://user@check.test/",
            "http://evil.test\\@check.test/",
            "/\\evil.test/",
            "\\\\evil.test",
            "\t//evil.test",
            " /x",
            "/\u{e9}",
            "http:x",
            "http:/x",
            "javascript:alert(1)",
            "http://check.test:/x",
        ] {
            assert_eq!(
                resolved("http://check.test/a", location),
                None,
                "{location}"
            );
        }
    }

    #[test]
    fn a_referer_names_nobody() {
        assert_eq!(
            without_user("http://ada@check.test/a?b=@c"),
            "http://check.test/a?b=@c"
        );
    }
}
