//! Where a request goes: the upstream's URL with the request's path and query.

use edgekeeper_policy::rule::Upstream;

use crate::path::{clean, encode};
use crate::query;
use crate::refusal::Refusal;
use crate::request::Request;

/// The URL to send a request on to.
///
/// By default `strip_path` takes whole segments off the front of the request's path, and the client's escapes and
/// trailing slash survive. Strict mode does as Oathkeeper: it joins first, then takes out the first occurrence anywhere.
///
/// # Errors
/// 400 when what is left after stripping climbs out of the upstream's path.
pub(crate) fn url(upstream: &Upstream, request: &Request, strict: bool) -> Result<String, Refusal> {
    let (origin, base) = split(&upstream.url);
    let path = if strict {
        joined_then_stripped(base, &upstream.strip_path, request)?
    } else {
        stripped_then_joined(base, &upstream.strip_path, request)
    };
    let origin = match (&upstream.binding, upstream.preserve_host) {
        // A binding has no host of its own, so it can be given the client's.
        (Some(_), true) => {
            let scheme = origin
                .split_once("://")
                .map_or("http", |(scheme, _)| scheme);
            format!("{scheme}://{}", request.authority())
        }
        _ => origin.to_owned(),
    };
    let query = match request.query.as_deref() {
        None => String::new(),
        Some("") => "?".to_owned(),
        Some(query) if strict => match query::clean(query).as_str() {
            "" => String::new(),
            clean => format!("?{clean}"),
        },
        Some(query) => format!("?{query}"),
    };
    Ok(format!("{origin}{path}{query}"))
}

/// The origin and the path of an absolute URL.
pub(crate) fn split(url: &str) -> (&str, &str) {
    let authority = url.find("://").map_or(0, |at| at.saturating_add(3));
    let end = url
        .get(authority..)
        .and_then(|rest| rest.find(['/', '?', '#']))
        .map_or(url.len(), |at| authority.saturating_add(at));
    let (origin, path) = url.split_at_checked(end).unwrap_or((url, ""));
    let path = path
        .find(['?', '#'])
        .and_then(|at| path.get(..at))
        .unwrap_or(path);
    (origin, path)
}

fn stripped_then_joined(base: &str, strip: &str, request: &Request) -> String {
    let rest = without_prefix(request, strip).unwrap_or_else(|| request.path.encoded().to_owned());
    match base.trim_end_matches('/') {
        "" => rest,
        base if rest == "/" => base.to_owned(),
        base => format!("{base}{rest}"),
    }
}

/// The request's path without leading segments; `None` when it does not begin with them.
fn without_prefix(request: &Request, strip: &str) -> Option<String> {
    let strip = strip.trim_matches('/');
    if strip.is_empty() {
        return None;
    }
    let decoded = request
        .path
        .decoded()
        .strip_prefix('/')?
        .strip_prefix(strip)?;
    if !(decoded.is_empty() || decoded.starts_with('/')) {
        return None;
    }
    let escaped = format!("/{strip}");
    let slash = if request.path.has_trailing_slash() {
        "/"
    } else {
        ""
    };
    let rest = match request.path.encoded().strip_prefix(escaped.as_str()) {
        // The prefix was sent as it is written, so what follows can stay as it was sent.
        Some(rest) if rest.is_empty() || rest.starts_with('/') => rest.to_owned(),
        _ => format!("{}{slash}", encode(decoded)),
    };
    Some(if rest.is_empty() {
        "/".to_owned()
    } else {
        rest
    })
}

fn joined_then_stripped(base: &str, strip: &str, request: &Request) -> Result<String, Refusal> {
    let strip = strip.trim_matches('/');
    if base.trim_matches('/').is_empty() && strip.is_empty() {
        return Ok(request.path.encoded().to_owned());
    }
    let joined = clean(&format!("{}/{}", decode_base(base), request.path.decoded()));
    let stripped = match strip {
        "" => joined,
        strip => joined.replacen(&format!("/{strip}"), "", 1),
    };
    if stripped
        .split('/')
        .any(|segment| segment == "." || segment == "..")
    {
        return Err(Refusal::bad_request(
            "strip_path leaves a dot segment in the path",
        ));
    }
    let stripped = stripped.trim_start_matches('/');
    Ok(format!("/{}", encode(stripped)))
}

/// The base path comes from the policy, where escapes were checked; what cannot be read stays as it is.
fn decode_base(base: &str) -> String {
    crate::path::CanonicalPath::parse(base, true)
        .map_or_else(|_| base.to_owned(), |path| path.decoded().to_owned())
}
