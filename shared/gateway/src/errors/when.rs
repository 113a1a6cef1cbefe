//! `when`: whether an error handler is for this error and this request (Oathkeeper `pipeline/errors/when.go`).

use edgekeeper_policy::error_handler::{ErrorKind, When};
use http::HeaderName;
use http::header::{ACCEPT, CONTENT_TYPE};

use crate::refusal::Refusal;
use crate::request::Request;

/// Without the header, this is what a request is taken to accept and to contain.
const UNKNOWN: &str = "application/octet-stream";

pub(super) fn holds(alternatives: &[When], request: &Request, refusal: &Refusal) -> bool {
    alternatives.is_empty()
        || alternatives
            .iter()
            .any(|when| one_holds(when, request, refusal))
}

fn one_holds(when: &When, request: &Request, refusal: &Refusal) -> bool {
    error_fits(when, refusal) && content_type_fits(when, request) && accept_fits(when, request)
}

/// What of each alternative does not hold, for a person who wonders.
pub(super) fn misfits(alternatives: &[When], request: &Request, refusal: &Refusal) -> String {
    let misfits = alternatives.iter().map(|when| {
        let mut parts = Vec::new();
        if !error_fits(when, refusal) {
            let wanted: Vec<&str> = when.error.iter().map(|kind| error_name(*kind)).collect();
            let kind = error_name(refusal.kind());
            parts.push(format!(
                "`error` is {}, this one is {kind}",
                wanted.join(" or ")
            ));
        }
        if !content_type_fits(when, request) {
            let sent = header(request, &CONTENT_TYPE);
            let wanted = when.content_type.join(" or ");
            parts.push(format!(
                "`content_type` is {wanted}, the request's is {sent}"
            ));
        }
        if !accept_fits(when, request) {
            let sent = header(request, &ACCEPT);
            let wanted = when.accept.join(" or ");
            parts.push(format!("`accept` is {wanted}, the request accepts {sent}"));
        }
        parts.join(", and ")
    });
    misfits.collect::<Vec<_>>().join("; ")
}

fn error_name(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Unauthorized => "unauthorized",
        ErrorKind::Forbidden => "forbidden",
        ErrorKind::NotFound => "not_found",
        ErrorKind::InternalServerError => "internal_server_error",
    }
}

fn error_fits(when: &When, refusal: &Refusal) -> bool {
    when.error.is_empty() || when.error.contains(&refusal.kind())
}

fn content_type_fits(when: &When, request: &Request) -> bool {
    media_type_fits(&when.content_type, || {
        content_types(header(request, &CONTENT_TYPE))
    })
}

fn accept_fits(when: &When, request: &Request) -> bool {
    media_type_fits(&when.accept, || Some(accepted(header(request, &ACCEPT))))
}

fn header<'a>(request: &'a Request, name: &HeaderName) -> &'a str {
    request
        .header(name)
        .filter(|value| !value.is_empty())
        .unwrap_or(UNKNOWN)
}

fn media_type_fits<'a>(wanted: &[String], present: impl FnOnce() -> Option<Vec<&'a str>>) -> bool {
    if wanted.is_empty() {
        return true;
    }
    present().is_some_and(|present| {
        present
            .iter()
            .any(|present| wanted.iter().any(|wanted| fits(wanted, present)))
    })
}

/// A wildcard of the handler covers; one of the request does not: `Accept: */*` is every script's default and
/// must not look like a browser's.
fn fits(wanted: &str, present: &str) -> bool {
    match wanted.strip_suffix("/*") {
        Some("*") => true,
        Some(kind) => present.split_once('/').is_some_and(|(own, _)| own == kind),
        None => wanted == present,
    }
}

/// The media types of `Accept`, whatever their weight. Like the parser Oathkeeper uses, it stops at the first part
/// it does not understand, and it understands no parameter but `q`.
fn accepted(value: &str) -> Vec<&str> {
    let mut types = Vec::new();
    for part in value.split(',') {
        let (media_type, rest) = match part.split_once(';') {
            Some((media_type, parameters)) => (media_type.trim(), Some(parameters.trim())),
            None => (part.trim(), None),
        };
        let is_media_type = !media_type.is_empty()
            && media_type
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~/".contains(&b));
        let is_weighted = rest.is_none_or(|rest| rest.strip_prefix("q=").is_some_and(is_weight));
        if !is_media_type || !is_weighted {
            break;
        }
        types.push(media_type);
    }
    types
}

fn is_weight(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    matches!(whole, "0" | "1" | "")
        && !text.is_empty()
        && fraction.bytes().all(|b| b.is_ascii_digit())
}

/// The media types of `Content-Type`; `None` when one of them is none (Oathkeeper then fails; here the handler does not fit).
fn content_types(value: &str) -> Option<Vec<&str>> {
    value
        .split(',')
        .map(|part| {
            let media_type = part
                .split_once(';')
                .map_or(part, |(media_type, _)| media_type)
                .trim();
            media_type.contains('/').then_some(media_type)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accept_is_read_as_oathkeeper_reads_it() {
        for (value, expected) in [
            ("text/html", vec!["text/html"]),
            (
                "text/html;q=0.1, application/json",
                vec!["text/html", "application/json"],
            ),
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                vec![
                    "text/html",
                    "application/xhtml+xml",
                    "application/xml",
                    "*/*",
                ],
            ),
            ("application/json; charset=utf-8", vec![]),
            (
                "text/html, application/json; charset=utf-8, a/b",
                vec!["text/html"],
            ),
            (";;;", vec![]),
            ("", vec![]),
            ("TEXT/HTML", vec!["TEXT/HTML"]),
            ("text/html;q=2", vec![]),
        ] {
            assert_eq!(accepted(value), expected, "{value}");
        }
    }

    #[test]
    fn only_the_handlers_wildcards_cover() {
        for (wanted, present, expected) in [
            ("text/html", "text/html", true),
            ("text/html", "TEXT/HTML", false),
            ("text/html", "*/*", false),
            ("text/html", "text/*", false),
            ("text/*", "text/html", true),
            ("text/*", "text/*", true),
            ("text/*", "application/json", false),
            ("*/*", "anything/else", true),
        ] {
            assert_eq!(fits(wanted, present), expected, "{wanted} {present}");
        }
    }
}
