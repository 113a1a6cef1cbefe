//! `redirect`: sends a browser to login, and tells it where to come back to.

use edgekeeper_policy::document::Policy;
use http::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use http::{HeaderName, HeaderValue};
use sha2::{Digest, Sha256};

use crate::decision::Answer;
use crate::path::encode;
use crate::query;
use crate::refusal::{Refusal, status_text};
use crate::request::Request;

const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
const X_REQUESTED_WITH: HeaderName = HeaderName::from_static("x-requested-with");

/// The cookie that counts redirects of one URL.
const GUARD: &str = "edgekeeper_login";

/// After so many redirects of one URL in a row, login evidently does not help.
const MOST_REDIRECTS: u32 = 4;

/// How long the count lasts, in seconds: longer than a redirect takes, shorter than a person.
const GUARD_MAX_AGE: u32 = 20;

/// Where to, and the guard's cookie.
pub(super) struct Target {
    pub(super) location: HeaderValue,
    pub(super) guard: Option<HeaderValue>,
}

/// The redirect for a refused request; `None` when it would not help, in which case the next handler answers.
///
/// Strict mode redirects whenever Oathkeeper does. By default only a navigation is redirected (a script that
/// gets a login page instead of data fails obscurely), and never into a loop: not from the login page to itself, not
/// when there is a session already, and not over and over.
pub(super) fn target(
    policy: &Policy,
    to: &str,
    return_to_query_param: &str,
    request: &Request,
    refusal: &Refusal,
) -> Option<Target> {
    let return_to = return_url(policy, request);
    if policy.strict {
        let location = match (return_to_query_param, return_to) {
            ("", _) | (_, None) => to.to_owned(),
            (name, Some(url)) => with_parameter(to, name, &url),
        };
        return Some(Target {
            location: HeaderValue::from_str(&location).ok()?,
            guard: None,
        });
    }
    if !is_navigation(request) || is_login_page(to, request) {
        return None;
    }
    let guard = guard(request)?;
    // A `%s` that nothing can fill is left out with its parameter's value, so that no `%s` reaches the browser.
    let filled = to.replace(
        "%s",
        &return_to.as_deref().map(query::encode).unwrap_or_default(),
    );
    let mut location = match (return_to_query_param, return_to) {
        ("", _) | (_, None) => filled,
        (name, Some(url)) => with_parameter(&filled, name, &url),
    };
    if refusal.aal_required {
        location = with_parameter(&location, "aal", "aal2");
    }
    Some(Target {
        location: HeaderValue::from_str(&location).ok()?,
        guard: Some(guard),
    })
}

/// The answer: the status, `Location`, and for `GET` the link that Go's `http.Redirect` writes.
pub(super) fn answer(
    location: &HeaderValue,
    code: u16,
    guard: Option<HeaderValue>,
    request: &Request,
) -> Answer {
    let mut headers = vec![(LOCATION, location.clone())];
    if let Some(guard) = guard {
        headers.push((SET_COOKIE, guard));
    }
    let mut body = String::new();
    if request.method == "GET" || request.method == "HEAD" {
        headers.push((
            CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        ));
    }
    if request.method == "GET" {
        let href = escape_html(location.to_str().unwrap_or_default());
        body = format!("<a href=\"{href}\">{}</a>.\n\n", status_text(code));
    }
    Answer {
        status: code,
        headers,
        body,
    }
}

/// The request's public URL, if a login may lead back to it.
fn return_url(policy: &Policy, request: &Request) -> Option<String> {
    let allowed = match &policy.return_to {
        None => true,
        Some(list) => list.iter().any(|entry| {
            entry.matches(
                request.scheme,
                &request.host,
                request.port,
                request.path.decoded(),
            )
        }),
    };
    allowed.then(|| {
        if policy.strict && request.believes_forwarded {
            forwarded_url(request)
        } else {
            request.public_url()
        }
    })
}

/// The URL that Oathkeeper's `redirect` puts together of `X-Forwarded-*`. It takes `X-Forwarded-Uri` for a path, the query in
/// it included, and escapes it once more.
fn forwarded_url(request: &Request) -> String {
    let forwarded = |name| {
        let value = request.headers.get(HeaderName::from_static(name))?;
        std::str::from_utf8(value.as_bytes())
            .ok()
            .filter(|value| !value.is_empty())
    };
    let scheme = forwarded("x-forwarded-proto").unwrap_or(request.scheme.as_str());
    let host = forwarded("x-forwarded-host").map_or_else(|| request.authority(), str::to_owned);
    let path = match forwarded("x-forwarded-uri") {
        None => request.path.encoded().to_owned(),
        Some(uri) if uri.starts_with('/') => encode(uri),
        Some(uri) => format!("/{}", encode(uri)),
    };
    let query = match &request.query {
        Some(query) => format!("?{query}"),
        None => String::new(),
    };
    format!("{scheme}://{host}{path}{query}")
}

/// Whether a person's browser asks for a page: it says so in `Sec-Fetch-Mode`; without that, it is no known script.
fn is_navigation(request: &Request) -> bool {
    let mode_fits = request
        .header(&SEC_FETCH_MODE)
        .is_none_or(|mode| mode == "navigate");
    let dest_fits = request
        .header(&SEC_FETCH_DEST)
        .is_none_or(|dest| ["document", "iframe", "frame"].contains(&dest));
    let scripted = request
        .header(&X_REQUESTED_WITH)
        .is_some_and(|with| with.eq_ignore_ascii_case("xmlhttprequest"));
    matches!(request.method.as_str(), "GET" | "HEAD") && mode_fits && dest_fits && !scripted
}

/// Whether the request is for the very page it would be sent to.
fn is_login_page(to: &str, request: &Request) -> bool {
    let page = to.split_once(['?', '#']).map_or(to, |(page, _)| page);
    let (same_origin, path) = match page.split_once("://") {
        Some((scheme, rest)) => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            let default_port = format!(":{}", request.scheme.default_port());
            let authority = authority.strip_suffix(&default_port).unwrap_or(authority);
            let same_scheme = scheme.eq_ignore_ascii_case(request.scheme.as_str());
            (
                same_scheme && authority.eq_ignore_ascii_case(&request.authority()),
                path,
            )
        }
        None => (page.starts_with('/') && !page.starts_with("//"), page),
    };
    same_origin && path.trim_end_matches('/') == request.path.decoded().trim_end_matches('/')
}

/// The guard's next cookie; `None` when this URL was redirected too often in a row.
fn guard(request: &Request) -> Option<HeaderValue> {
    let hash: [u8; 32] = Sha256::digest(request.public_url().as_bytes()).into();
    let url: String = hash
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let cookies = request.header_values(&COOKIE);
    let count = edgekeeper_session::cookie::cookies(cookies)
        .find(|cookie| cookie.name == GUARD)
        .and_then(|cookie| cookie.value.split_once('.'))
        .filter(|(of, _)| *of == url)
        .and_then(|(_, count)| count.parse::<u32>().ok())
        .unwrap_or(0)
        .saturating_add(1);
    if count > MOST_REDIRECTS {
        return None;
    }
    let secure = match request.scheme.as_str() {
        "https" => "; Secure",
        _ => "",
    };
    HeaderValue::from_str(&format!(
        "{GUARD}={url}.{count}; Path=/; Max-Age={GUARD_MAX_AGE}; HttpOnly; SameSite=Lax{secure}"
    ))
    .ok()
}

/// A URL with a query parameter set; the others are kept as they are, in their places.
fn with_parameter(url: &str, name: &str, value: &str) -> String {
    let (rest, fragment) = match url.split_once('#') {
        Some((rest, fragment)) => (rest, format!("#{fragment}")),
        None => (url, String::new()),
    };
    let (page, query) = rest.split_once('?').unwrap_or((rest, ""));
    let added = format!("{name}={}", query::encode(value));
    let mut pairs = query
        .split('&')
        .map(|pair| (pair.split('=').next().unwrap_or(pair), pair))
        .filter(|(own, pair)| !pair.is_empty() && *own != name)
        .chain([(name, added.as_str())])
        .map(|(own, pair)| (own.to_owned(), pair.to_owned()));
    // Oathkeeper writes the query anew, which sorts it by name.
    let query = query::by_name(&mut pairs);
    format!("{page}?{query}{fragment}")
}

fn escape_html(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&#34;")
        .replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_takes_its_place() {
        for (url, expected) in [
            (
                "https://l.test/login",
                "https://l.test/login?return_to=https%3A%2F%2Fa",
            ),
            (
                "https://l.test/login?app=1",
                "https://l.test/login?app=1&return_to=https%3A%2F%2Fa",
            ),
            (
                "https://l.test/login?return_to=old&z=1",
                "https://l.test/login?return_to=https%3A%2F%2Fa&z=1",
            ),
            (
                "https://l.test/login#x",
                "https://l.test/login?return_to=https%3A%2F%2Fa#x",
            ),
        ] {
            assert_eq!(with_parameter(url, "return_to", "https://a"), expected);
        }
    }

    #[test]
    fn a_link_cannot_break_out_of_its_attribute() {
        assert_eq!(
            escape_html("\"><script>&'"),
            "&#34;&gt;&lt;script&gt;&amp;&#39;"
        );
    }
}
