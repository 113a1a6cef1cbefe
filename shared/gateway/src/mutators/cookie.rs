//! `cookie`: cookies made from templates.

use std::borrow::Cow;

use edgekeeper_policy::mutator::Cookie;
use edgekeeper_session::cookie::is_token;
use edgekeeper_template::Output;
use http::HeaderValue;
use http::header::COOKIE;

use super::Session;
use crate::loaded::{LoadError, Loader};
use crate::passage::{Passage, Prepared};
use crate::path::push_escape;
use crate::refusal::Refusal;

pub(super) fn load(
    loader: &Loader<'_>,
    config: &Cookie,
) -> Result<Vec<(String, Prepared)>, LoadError> {
    config
        .cookies
        .iter()
        .map(|(name, template)| {
            let of_rule = format!("{}:{name}", loader.rule.id);
            Ok((name.clone(), loader.template("cookie", &of_rule, template)?))
        })
        .collect()
}

/// Sets the rule's cookies, in front of the client's others. None of the client's stays beside one of the rule's name.
pub(super) fn mutate(
    cookies: &[(String, Prepared)],
    passage: &Passage<'_>,
    session: &mut Session,
) -> Result<(), Refusal> {
    let mut pairs: Vec<Vec<u8>> = Vec::new();
    for (name, template) in cookies {
        let value = session.render(passage, template, Output::Text)?;
        pairs.push(pair(name, &value, passage.strict));
    }
    let before: Vec<HeaderValue> = match session.authentication.headers.get(COOKIE) {
        // What a mutator before it made; Oathkeeper takes the client's again.
        Some(made) if !passage.strict => vec![made.clone()],
        _ => passage
            .request
            .headers
            .get_all(COOKIE)
            .iter()
            .cloned()
            .collect(),
    };
    for line in &before {
        for part in line.as_bytes().split(|byte| *byte == b';') {
            let others = if passage.strict {
                as_go_reads(part)
                    .filter(|(name, _)| cookies.iter().all(|(own, _)| own != name))
                    .map(|(name, value)| go_pair(name, &value))
            } else {
                other(part, cookies)
            };
            pairs.extend(others);
        }
    }
    let header = HeaderValue::from_bytes(&pairs.join(&b"; "[..]))
        .map_err(|_| Refusal::internal("the cookies cannot be written as a header"))?;
    session.authentication.headers.insert(COOKIE, header);
    Ok(())
}

/// A cookie of the rule's. Go drops what a cookie cannot hold, so that two people can look alike; by default it is
/// percent-encoded, and so is `%` itself.
fn pair(name: &str, value: &str, strict: bool) -> Vec<u8> {
    let name = name.replace(['\r', '\n'], "-");
    if strict {
        return go_pair(&name, value.as_bytes());
    }
    let mut encoded = String::with_capacity(value.len());
    for byte in value.bytes() {
        if is_cookie_byte(byte) && byte != b'%' {
            encoded.push(char::from(byte));
        } else {
            push_escape(&mut encoded, byte);
        }
    }
    go_pair(&name, encoded.as_bytes())
}

/// A cookie as Go's `AddCookie` writes it: bytes that it cannot hold are dropped, a space or comma puts it in quotes.
fn go_pair(name: &str, value: &[u8]) -> Vec<u8> {
    let was_quoted = value.len() > 1 && value.starts_with(b"\"") && value.ends_with(b"\"");
    let mut kept: Vec<u8> = value
        .iter()
        .copied()
        .filter(|byte| is_cookie_byte(*byte))
        .collect();
    let is_quoted = was_quoted || kept.iter().any(|byte| b" ,".contains(byte));
    if is_quoted && !kept.is_empty() {
        kept.insert(0, b'"');
        kept.push(b'"');
    }
    [name.as_bytes(), b"=", &kept].concat()
}

/// What Go lets a cookie's value hold.
fn is_cookie_byte(byte: u8) -> bool {
    (0x20..0x7f).contains(&byte) && !b"\";\\".contains(&byte)
}

/// One cookie of the client's as Go's `Cookies` reads it, quotes included; `None` where it passes it over.
fn as_go_reads(part: &[u8]) -> Option<(&str, Cow<'_, [u8]>)> {
    let part = part.trim_ascii();
    let (name, value) = match part.iter().position(|byte| *byte == b'=') {
        Some(at) => (part.get(..at)?, part.get(at.saturating_add(1)..)?),
        None => (part, &b""[..]),
    };
    let name = std::str::from_utf8(name.trim_ascii()).ok()?;
    let bare = value
        .strip_prefix(b"\"")
        .and_then(|value| value.strip_suffix(b"\""))
        .unwrap_or(value);
    (is_token(name) && bare.iter().all(|byte| is_cookie_byte(*byte)))
        .then_some((name, Cow::Borrowed(value)))
}

/// One cookie of the client's as it came, unless it has the name of one of the rule's: in any case, for not every server
/// tells cases apart.
fn other(part: &[u8], cookies: &[(String, Prepared)]) -> Option<Vec<u8>> {
    let part = part.trim_ascii();
    let name = part
        .split(|byte| *byte == b'=')
        .next()
        .unwrap_or_default()
        .trim_ascii();
    let is_set = cookies
        .iter()
        .any(|(own, _)| own.as_bytes().eq_ignore_ascii_case(name));
    (!part.is_empty() && !is_set).then(|| part.to_vec())
}
