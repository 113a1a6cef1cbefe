//! The CORS preflight (Fetch section 3.3.2).

use edgekeeper_policy::cors::Cors;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, VARY,
};
use http::{HeaderName, HeaderValue};

use super::allowed_origin;
use crate::decision::Answer;
use crate::request::Request;

/// The most header names a page may ask for at once; a list of 65,536 commas is an attack (CVE-2025-47908).
const MOST_HEADERS: usize = 64;

/// Whether this is a preflight: `OPTIONS` that asks for a method. Without that it is a request like any other.
pub(crate) fn is_preflight(request: &Request) -> bool {
    request.method == "OPTIONS"
        && request
            .headers
            .get(ACCESS_CONTROL_REQUEST_METHOD)
            .is_some_and(|method| !method.is_empty())
}

/// Answers a preflight, for URLs without a rule too: 204, with permission or without.
pub(crate) fn answer(cors: &Cors, request: &Request, strict: bool) -> Answer {
    let mut headers: Vec<(HeaderName, HeaderValue)> = vec![(
        VARY,
        HeaderValue::from_static(
            "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
        ),
    )];
    if let Some(permission) = permission(cors, request, strict) {
        headers.extend(permission);
    }
    Answer {
        status: 204,
        headers,
        body: String::new(),
    }
}

fn permission(
    cors: &Cors,
    request: &Request,
    strict: bool,
) -> Option<Vec<(HeaderName, HeaderValue)>> {
    let origin = allowed_origin(cors, &request.headers)?;
    let method = request.headers.get(ACCESS_CONTROL_REQUEST_METHOD)?;
    let method_text = method.to_str().ok()?;
    // `OPTIONS` itself may always be asked for, as in rs/cors.
    if method_text != "OPTIONS"
        && !cors
            .allowed_methods
            .iter()
            .any(|allowed| allowed == method_text)
    {
        return None;
    }
    let mut headers = vec![
        (ACCESS_CONTROL_ALLOW_ORIGIN, origin),
        (ACCESS_CONTROL_ALLOW_METHODS, method.clone()),
    ];
    let asked = request.headers.get_all(ACCESS_CONTROL_REQUEST_HEADERS);
    for value in asked {
        if !headers_are_allowed(cors, value.to_str().ok()?, strict) {
            return None;
        }
        if !value.is_empty() {
            headers.push((ACCESS_CONTROL_ALLOW_HEADERS, value.clone()));
        }
    }
    if cors.allow_credentials {
        headers.push((
            ACCESS_CONTROL_ALLOW_CREDENTIALS,
            HeaderValue::from_static("true"),
        ));
    }
    if cors.max_age > 0 {
        headers.push((ACCESS_CONTROL_MAX_AGE, HeaderValue::from(cors.max_age)));
    }
    Some(headers)
}

/// Whether all names asked for are allowed. rs/cors wants them lower case and sorted, as browsers send them;
/// that is only asked in strict mode.
fn headers_are_allowed(cors: &Cors, asked: &str, strict: bool) -> bool {
    let names: Vec<&str> = asked
        .split(',')
        .take(MOST_HEADERS.saturating_add(1))
        .map(|name| name.trim_matches([' ', '\t']))
        .filter(|name| !name.is_empty())
        .collect();
    let in_order = !strict || names.is_sorted();
    let too_many = asked.split(',').nth(MOST_HEADERS).is_some();
    let all_allowed = names.iter().all(|name| {
        cors.allowed_headers.iter().any(|allowed| {
            allowed == "*"
                || if strict {
                    allowed == name
                } else {
                    allowed.eq_ignore_ascii_case(name)
                }
        })
    });
    in_order && !too_many && all_allowed
}
