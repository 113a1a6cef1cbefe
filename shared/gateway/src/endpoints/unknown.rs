//! What is no endpoint.

use edgekeeper_policy::document::Policy;
use http::HeaderValue;
use http::header::{ACCEPT, CONTENT_TYPE, LOCATION};

use super::{ALIVE, JWKS, READY, RULES};
use crate::decision::Answer;
use crate::path::{clean, encode};
use crate::refusal::Refusal;
use crate::request::Request;

/// The page that Ory's servers show (ory/x `serverx`, Apache-2.0), byte for byte: strict mode is compared with it.
const PAGE: &str = include_str!("unknown.html");

const TEXT: &str =
    "The requested route does not exist. Make sure you are using the right path, domain, and port.";

/// 404; in strict mode as Oathkeeper's router answers, which knows a path again that is almost right. `path` is the
/// request's, decoded and otherwise as sent.
pub(super) fn answer(policy: &Policy, request: &Request, path: &str) -> Result<Answer, Refusal> {
    if !policy.strict {
        return Err(Refusal::new(
            404,
            "The requested resource could not be found",
        ));
    }
    if request.method == "GET"
        && path != "/"
        && let Some(right) = corrected(path)
    {
        return Ok(moved(&right, request.query.as_deref()));
    }
    let (content_type, body) = match preferred(request) {
        Offer::Page => ("text/html; charset=utf-8", PAGE.to_owned()),
        Offer::Text => ("text/plain; charset=utf-8", format!("Error 404 - {TEXT}")),
        Offer::Json => (
            "application/json; charset=utf-8",
            format!(
                "{{\n  \"error\": {{\n    \"code\": 404,\n    \"message\": \"Not Found\",\n    \"reason\": \"{TEXT}\"\n  }}\n}}\n"
            ),
        ),
    };
    Ok(Answer {
        status: 404,
        headers: vec![(CONTENT_TYPE, HeaderValue::from_static(content_type))],
        body,
    })
}

/// The path that is meant: cleaned, without a slash at its end, whatever its case.
fn corrected(path: &str) -> Option<String> {
    let clean = clean(path);
    if let Some(right) = [RULES, ALIVE, READY, JWKS]
        .into_iter()
        .find(|right| right.eq_ignore_ascii_case(&clean))
    {
        return Some(right.to_owned());
    }
    let (folder, id) = clean.rsplit_once('/')?;
    folder
        .eq_ignore_ascii_case(RULES)
        .then(|| format!("{RULES}/{id}"))
}

fn moved(path: &str, query: Option<&str>) -> Answer {
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    let location = format!("{}{query}", encode(path));
    let href = location.replace('&', "&amp;").replace('"', "&#34;");
    Answer {
        status: 301,
        headers: vec![
            (
                LOCATION,
                HeaderValue::from_str(&location).unwrap_or(HeaderValue::from_static(RULES)),
            ),
            (
                CONTENT_TYPE,
                HeaderValue::from_static("text/html; charset=utf-8"),
            ),
        ],
        body: format!("<a href=\"{href}\">Moved Permanently</a>.\n\n"),
    }
}

#[derive(Clone, Copy)]
enum Offer {
    Page,
    Text,
    Json,
}

/// Which of the three `Accept` asks for most; the page when it asks for none of them. The more specific range goes before
/// the wider one of the same weight, and then the first offer.
fn preferred(request: &Request) -> Offer {
    let offers = [
        (Offer::Page, "text/html"),
        (Offer::Text, "text/plain"),
        (Offer::Json, "application/json"),
    ];
    let mut best = (Offer::Page, 0, 3);
    for (offer, media_type) in offers {
        for (range, weight) in request.header_values(&ACCEPT).into_iter().flat_map(ranges) {
            let wildness = match range.split_once('/') {
                Some(("*", "*")) => 2,
                Some((kind, "*")) if media_type.split('/').next() == Some(kind) => 1,
                _ if range == media_type => 0,
                _ => continue,
            };
            if weight > best.1 || weight > 0 && weight == best.1 && wildness < best.2 {
                best = (offer, weight, wildness);
            }
        }
    }
    best.0
}

/// The media ranges of `Accept` with their weights in thousandths (RFC 9110 section 12.5.1). The parser that Oathkeeper uses
/// knows no parameter but `q`, and stops at any other.
fn ranges(value: &str) -> impl Iterator<Item = (&str, u32)> {
    value.split(',').map_while(|part| {
        let Some((range, parameter)) = part.split_once(';') else {
            return Some((part.trim(), 1_000));
        };
        let weight = parameter.trim().strip_prefix("q=")?;
        let (whole, fraction) = weight.split_once('.').unwrap_or((weight, ""));
        let digits: String = fraction.chars().chain("000".chars()).take(3).collect();
        let weight = match whole {
            "1" => 1_000,
            _ => digits.parse().ok()?,
        };
        Some((range.trim(), weight))
    })
}
