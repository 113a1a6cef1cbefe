//! What must not be shown of a request, and what stands in its place.

use edgekeeper_policy::authenticator::{Authenticator, TokenFrom};
use edgekeeper_policy::document::Policy;
use edgekeeper_session::cookie::cookies;
use http::HeaderMap;
use http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION};

use super::step::Header;
use crate::query;

/// What is shown instead.
const MASK: &str = "***";

/// A shorter value, in bytes, is masked where it stands but not looked for elsewhere: it would be found in every word.
const SHORTEST: usize = 8;

/// Headers that hold a URL with its query.
const URLS: [&str; 2] = ["x-forwarded-uri", "referer"];

/// A header or query parameter whose name has one of these in it holds a credential, whoever takes it for one.
const TELLING: [&str; 9] = [
    "token",
    "secret",
    "password",
    "passwd",
    "api-key",
    "api_key",
    "apikey",
    "credential",
    "jwt",
];

/// The credentials of one request.
#[derive(Debug)]
pub(super) struct Secrets {
    /// Headers whose value is one.
    headers: Vec<String>,
    /// Query parameters whose value is one.
    parameters: Vec<String>,
    /// The names and values of the client's cookies.
    cookies: Vec<(String, String)>,
    /// What is not to be seen anywhere, longest first.
    values: Vec<String>,
}

impl Secrets {
    pub(super) fn of(policy: &Policy, url: &str, sent: &HeaderMap) -> Self {
        let sources = || {
            policy
                .rules
                .iter()
                .flat_map(|rule| rule.authenticators.iter().filter_map(token_from))
        };
        let headers = sources().filter_map(|from| match from {
            TokenFrom::Header(name) => Some(name.clone()),
            _ => None,
        });
        let mut secrets = Self {
            headers: headers.collect(),
            parameters: Vec::new(),
            cookies: Vec::new(),
            values: Vec::new(),
        };
        for line in sent.get_all(COOKIE) {
            let line = String::from_utf8_lossy(line.as_bytes());
            for pair in line.split(';').filter(|pair| !pair.trim().is_empty()) {
                let (name, value) = named(pair);
                secrets.cookies.push((name.to_owned(), value.to_owned()));
            }
            for cookie in cookies([line.as_ref()]) {
                secrets.learn(cookie.value);
            }
        }
        let values: Vec<String> = secrets
            .cookies
            .iter()
            .map(|(_, value)| value.clone())
            .collect();
        values.iter().for_each(|value| secrets.learn(value));
        for (name, value) in sent {
            if secrets.is_credential(name.as_str()) {
                secrets.learn_credential(&String::from_utf8_lossy(value.as_bytes()));
            }
        }
        secrets
            .parameters
            .extend(sources().filter_map(|from| match from {
                TokenFrom::QueryParameter(name) => Some(name.clone()),
                _ => None,
            }));
        secrets.learn_query(url);
        for name in URLS {
            for value in sent.get_all(name) {
                secrets.learn_query(&String::from_utf8_lossy(value.as_bytes()));
            }
        }
        secrets
    }

    /// Learns what a mutator made: a minted token must not be usable wherever else it is told.
    pub(super) fn learn_made(&mut self, header: &Header) {
        if is_authorization(&header.name) {
            self.learn_credential(&header.value);
        }
    }

    /// Masks the values that are none of a reader's business by the header's name.
    pub(super) fn mask_header(&self, header: &mut Header) {
        header.value = match header.name.as_str() {
            "cookie" => {
                let pairs = header.value.split(';').map(|pair| self.shown_cookie(pair));
                pairs.collect::<Vec<_>>().join("; ")
            }
            "set-cookie" => {
                let (pair, attributes) =
                    header.value.split_once(';').unwrap_or((&header.value, ""));
                let (name, _) = pair.split_once('=').unwrap_or((pair, ""));
                let end = if attributes.is_empty() { "" } else { ";" };
                format!("{name}={MASK}{end}{attributes}")
            }
            name if is_authorization(name) => match header.value.split_once(' ') {
                Some((scheme, _)) => format!("{scheme} {MASK}"),
                None => MASK.to_owned(),
            },
            name if self.is_credential(name) && !header.value.is_empty() => MASK.to_owned(),
            name if URLS.contains(&name) => return self.mask_url(&mut header.value),
            _ => return,
        };
    }

    /// Masks what is known to be a credential, anywhere in a text.
    pub(super) fn mask(&self, text: &mut String) {
        for value in &self.values {
            if text.contains(value.as_str()) {
                *text = text.replace(value.as_str(), MASK);
            }
        }
    }

    /// Masks the query parameters of a URL whose names say what they are.
    pub(super) fn mask_url(&self, url: &mut String) {
        let Some((path, query)) = url.split_once('?') else {
            return;
        };
        let parts = query.split('&').map(|part| match self.credential(part) {
            Some((name, _)) => format!("{name}{MASK}"),
            None => part.to_owned(),
        });
        *url = format!("{path}?{}", parts.collect::<Vec<_>>().join("&"));
    }

    /// A cookie of the client's is masked; one that a mutator made is what somebody wants to see.
    fn shown_cookie(&self, pair: &str) -> String {
        let (name, value) = named(pair);
        let sent = |(own, sent): &(String, String)| own == name && sent == value;
        let value = if self.cookies.iter().any(sent) {
            MASK
        } else {
            value
        };
        if pair.contains('=') {
            format!("{name}={value}")
        } else {
            value.to_owned()
        }
    }

    fn is_credential(&self, name: &str) -> bool {
        holds_credential(name) || self.headers.iter().any(|own| own == name)
    }

    fn is_parameter(&self, name: &str) -> bool {
        is_telling(name) || self.parameters.iter().any(|own| own == name)
    }

    /// Learns the parameters of a URL whose names say what they are.
    fn learn_query(&mut self, url: &str) {
        let (_, query) = url.split_once('?').unwrap_or_default();
        for part in query.split('&') {
            if let Some((_, sent)) = self.credential(part) {
                self.learn(&decoded(sent));
                // How it was sent need not be how it would be escaped here.
                self.learn(sent);
            }
        }
    }

    /// A part of a query that holds a credential: what stands before its value, and the value. Some servers read a `;` as an `&`.
    fn credential<'a>(&self, part: &'a str) -> Option<(&'a str, &'a str)> {
        let mut start = 0_usize;
        for piece in part.split_inclusive(';') {
            if let Some((name, _)) = piece.split_once('=')
                && self.is_parameter(&decoded(name))
            {
                let before = start.saturating_add(name.len()).saturating_add(1);
                return part.split_at_checked(before);
            }
            start = start.saturating_add(piece.len());
        }
        None
    }

    fn learn_credential(&mut self, value: &str) {
        self.learn(value);
        if let Some((_, credentials)) = value.split_once(' ') {
            self.learn(credentials);
        }
    }

    /// Also as it looks in a query, where a redirect may repeat it, and in the query of a URL in one.
    ///
    /// A template may escape the quotes around a cookie's value, so they are no part of what is looked for.
    fn learn(&mut self, value: &str) {
        let value = value.trim().trim_matches('"');
        if value.len() < SHORTEST {
            return;
        }
        let escaped = query::encode(value);
        let twice = query::encode(&escaped);
        for form in [value.to_owned(), escaped, twice] {
            if !self.values.contains(&form) {
                let place = self.values.iter().position(|own| own.len() < form.len());
                self.values.insert(place.unwrap_or(self.values.len()), form);
            }
        }
    }
}

/// A cookie's name and value. One without a name is all value (RFC 6265bis, 5.6).
fn named(pair: &str) -> (&str, &str) {
    let (name, value) = pair.split_once('=').unwrap_or(("", pair));
    (name.trim(), value.trim())
}

/// A part of a query; as it is where it cannot be decoded.
fn decoded(text: &str) -> String {
    query::decode(text).unwrap_or_else(|| text.to_owned())
}

/// Whether a header of this name, in lower case, holds a credential whatever the policy says. Cookies are another matter: only their
/// values are one.
#[must_use]
pub fn holds_credential(name: &str) -> bool {
    is_authorization(name) || is_telling(name)
}

fn is_authorization(name: &str) -> bool {
    [AUTHORIZATION.as_str(), PROXY_AUTHORIZATION.as_str()].contains(&name)
}

fn is_telling(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    TELLING.iter().any(|part| name.contains(part))
}

fn token_from(authenticator: &Authenticator) -> Option<&TokenFrom> {
    match authenticator {
        Authenticator::BearerToken(config) => Some(&config.token_from),
        Authenticator::Jwt(config) => Some(&config.token_from),
        Authenticator::OAuth2Introspection(config) => Some(&config.token_from),
        _ => None,
    }
}
