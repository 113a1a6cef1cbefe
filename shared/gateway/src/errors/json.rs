//! `json`: Ory's error object.

use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue};
use serde_json::{Map, Value};

use crate::decision::Answer;
use crate::refusal::{INTERNAL, Refusal, status_text};

pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The error object of a refusal. Terse, it says no more than the status does.
pub(super) fn answer(refusal: &Refusal, verbose: bool, request_id: Option<&str>) -> Answer {
    let message = match (verbose, general_message(refusal.status)) {
        (false, Some(general)) => general,
        _ => refusal.message.as_str(),
    };
    let reason = refusal.reason.as_deref().filter(|_| verbose);
    let detail = refusal.detail.as_deref().filter(|_| verbose);
    let mut answer = document(refusal.status, message, reason, detail, request_id);
    answer.headers.extend(refusal.headers.iter().cloned());
    answer
}

/// `{"error":{"code":…,"status":…,"message":…}}`, as Ory's servers write it.
pub(crate) fn write(
    status: u16,
    message: &str,
    reason: Option<&str>,
    request_id: Option<&str>,
) -> Answer {
    document(status, message, reason, None, request_id)
}

fn document(
    status: u16,
    message: &str,
    reason: Option<&str>,
    detail: Option<&(&str, String)>,
    request_id: Option<&str>,
) -> Answer {
    let mut error = Map::new();
    error.insert("code".to_owned(), Value::from(status));
    error.insert("status".to_owned(), Value::from(status_text(status)));
    for (name, value) in [
        ("request", request_id),
        ("reason", reason),
        ("message", Some(message)),
    ] {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            error.insert(name.to_owned(), Value::from(value));
        }
    }
    if let Some((name, value)) = detail {
        let mut details = Map::new();
        details.insert((*name).to_owned(), Value::from(value.as_str()));
        error.insert("details".to_owned(), Value::Object(details));
    }
    let mut document = Map::new();
    document.insert("error".to_owned(), Value::Object(error));
    Answer {
        status,
        headers: vec![(CONTENT_TYPE, HeaderValue::from_static("application/json"))],
        body: format!("{}\n", Value::Object(document)),
    }
}

/// What Go's server or its transport answers by itself: plain text, or nothing.
pub(crate) fn text(status: u16, text: &str) -> Answer {
    let headers = match text {
        "" => Vec::new(),
        _ => vec![(
            CONTENT_TYPE,
            HeaderValue::from_static("text/plain; charset=utf-8"),
        )],
    };
    Answer {
        status,
        headers,
        body: text.to_owned(),
    }
}

/// What the terse handler says instead of the refusal's own message (the texts of Ory's herodot).
fn general_message(status: u16) -> Option<&'static str> {
    Some(match status {
        400 => "The request was malformed or contained invalid parameters",
        401 => "The request could not be authorized",
        403 => "The requested action was forbidden",
        404 => "The requested resource could not be found",
        409 => "The resource could not be created due to a conflict",
        415 => "The request is using an unknown content type",
        429 => "Too many requests",
        500 => INTERNAL,
        _ => return None,
    })
}
