//! CORS, answered at the edge: a preflight needs no rule, no cookie and no upstream.
//!
//! The words are Fetch's (section 3.3, "CORS protocol"). What an origin may do is decided by the policy's
//! [`Cors`]; the headers are written here, one file for the preflight, this one for everything else.

mod preflight;

use edgekeeper_policy::cors::{Cors, OriginPattern};
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS,
    ORIGIN, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue};

pub(crate) use preflight::{answer as answer_preflight, is_preflight};

use crate::decision::Edit;

/// The headers an upstream may have set itself; the gateway's own take their place.
const OWNED: [HeaderName; 6] = [
    ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_ALLOW_CREDENTIALS,
    ACCESS_CONTROL_EXPOSE_HEADERS,
    http::header::ACCESS_CONTROL_ALLOW_METHODS,
    http::header::ACCESS_CONTROL_ALLOW_HEADERS,
    http::header::ACCESS_CONTROL_MAX_AGE,
];

/// The CORS changes to whatever answer a request gets, an error or a redirect too: without them a page
/// cannot even read why it was refused.
pub(crate) fn edits(
    cors: Option<&Cors>,
    method: &str,
    headers: &HeaderMap,
    strict: bool,
) -> Vec<Edit> {
    let Some(cors) = cors else {
        return Vec::new();
    };
    // rs/cors says nothing to a method that is not listed; here a page may always read its refusal.
    let method_is_listed =
        method == "OPTIONS" || cors.allowed_methods.iter().any(|allowed| allowed == method);
    let origin = allowed_origin(cors, headers).filter(|_| !strict || method_is_listed);
    let mut edits = Vec::new();
    // Who may read what is the gateway's to say. In strict mode an upstream may say it to whom the gateway says nothing.
    if !strict || origin.is_some() {
        edits.extend(OWNED.into_iter().map(Edit::Remove));
    }
    edits.push(Edit::Append(VARY, HeaderValue::from_static("Origin")));
    if let Some(origin) = origin {
        edits.push(Edit::Set(ACCESS_CONTROL_ALLOW_ORIGIN, origin));
        if cors.allow_credentials {
            edits.push(Edit::Set(
                ACCESS_CONTROL_ALLOW_CREDENTIALS,
                HeaderValue::from_static("true"),
            ));
        }
        if let Ok(exposed) = HeaderValue::from_str(&cors.exposed_headers.join(", "))
            && !exposed.is_empty()
        {
            edits.push(Edit::Set(ACCESS_CONTROL_EXPOSE_HEADERS, exposed));
        }
    }
    edits
}

/// What `Access-Control-Allow-Origin` is to say; `None` when the origin is not allowed.
fn allowed_origin(cors: &Cors, headers: &HeaderMap) -> Option<HeaderValue> {
    let mut origins = headers.get_all(ORIGIN).iter();
    let origin = origins.next()?;
    if origins.next().is_some() {
        return None;
    }
    let text = origin.to_str().ok().filter(|text| !text.is_empty())?;
    if cors.allowed_origins.contains(&OriginPattern::Any) && !cors.allow_credentials {
        return Some(HeaderValue::from_static("*"));
    }
    cors.allowed_origins
        .iter()
        .any(|pattern| *pattern != OriginPattern::Any && pattern.matches(text))
        .then(|| origin.clone())
}
