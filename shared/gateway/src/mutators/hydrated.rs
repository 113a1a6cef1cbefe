//! A hydrator's answer: Oathkeeper's `AuthenticationSession` in JSON.

use http::header::{CONTENT_LENGTH, HOST, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value};

use crate::authentication::{Authentication, Extra};
use crate::go_json::kind;
use crate::hop_by_hop;
use crate::match_context::{MatchContext, Url};
use crate::passage::{Passage, Purpose};
use crate::refusal::{DEFAULT_RETRY_AFTER, Refusal};
use crate::view::canonical;

/// What an answer says. A part that is not there, or null, is `None`.
#[derive(Debug, Default)]
pub(super) struct Hydrated {
    pub(super) extra: Option<Extra>,
    pub(super) headers: Option<HeaderMap>,
    pub(super) match_context: MatchContext,
}

/// What Oathkeeper says of an answer about somebody else.
const MALFORMED: &str = "The call to an external API returned an invalid JSON object";

/// Reads an answer about a session.
///
/// # Errors
/// When it is not of the form, or about another subject.
pub(super) fn read(
    answer: &Value,
    authentication: &Authentication,
    passage: &Passage<'_>,
) -> Result<Hydrated, Refusal> {
    let strict = passage.strict;
    let nothing = Map::new();
    let fields = match answer {
        Value::Object(fields) => fields,
        // Go takes it for a document without fields.
        Value::Null => &nothing,
        other => {
            return Err(nonsense(
                &format!(
                    "json: cannot unmarshal {} into Go value of type authn.AuthenticationSession",
                    kind(other)
                ),
                strict,
            ));
        }
    };
    let mistyped = |value: &Value, field: &str, wanted: &str| {
        nonsense(
            &format!(
                "json: cannot unmarshal {} into Go struct field {field} of type {wanted}",
                kind(value)
            ),
            strict,
        )
    };
    let subject = match field(fields, "subject") {
        None => "",
        Some(Value::String(subject)) => subject,
        Some(other) => return Err(mistyped(other, "AuthenticationSession.subject", "string")),
    };
    let extra = match field(fields, "extra") {
        None => None,
        Some(extra @ Value::Object(_)) => Some(Extra::Own(extra.clone())),
        Some(other) => {
            return Err(mistyped(
                other,
                "AuthenticationSession.extra",
                "map[string]interface {}",
            ));
        }
    };
    let headers = match field(fields, "header") {
        None => None,
        Some(Value::Object(headers)) => Some(read_headers(headers, passage, &|value, wanted| {
            mistyped(value, "AuthenticationSession.header", wanted)
        })?),
        Some(other) => {
            return Err(mistyped(
                other,
                "AuthenticationSession.header",
                "http.Header",
            ));
        }
    };
    let match_context = match field(fields, "match_context") {
        Some(value) if strict => read_match_context(value, passage, &mistyped)?,
        _ => MatchContext::default(),
    };
    if subject != authentication.subject {
        return Err(if strict {
            Refusal::new(500, MALFORMED)
        } else {
            Refusal::internal("")
        }
        .logged("the hydrator answered about another subject than it was asked about"));
    }
    Ok(Hydrated {
        extra,
        headers,
        match_context,
    })
}

/// An answer that is none. In strict mode that is a 500 in Go's words.
pub(super) fn nonsense(said: &str, strict: bool) -> Refusal {
    let log = format!("the hydrator's answer cannot be read: {said}");
    if strict {
        Refusal::new(500, said).logged(log)
    } else {
        unavailable(log).with_header(RETRY_AFTER, DEFAULT_RETRY_AFTER)
    }
}

/// 503: the session could not be completed.
pub(super) fn unavailable(log: String) -> Refusal {
    Refusal::new(503, "The session could not be completed; please try again").logged(log)
}

/// A field by its name, in any case as in Go; null is not there.
fn field<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    fields
        .get(name)
        .or_else(|| {
            fields
                .iter()
                .find(|(known, _)| known.eq_ignore_ascii_case(name))
                .map(|(_, value)| value)
        })
        .filter(|value| !value.is_null())
}

type Mistyped<'a> = &'a dyn Fn(&Value, &str) -> Refusal;

/// Headers, the first value of each: Oathkeeper sends no other.
fn read_headers(
    fields: &Map<String, Value>,
    passage: &Passage<'_>,
    mistyped: Mistyped<'_>,
) -> Result<HeaderMap, Refusal> {
    let mut headers = HeaderMap::new();
    for (text, values) in fields {
        let values = match values {
            Value::Null => &[],
            Value::Array(values) => values.as_slice(),
            other => return Err(mistyped(other, "[]string")),
        };
        let mut first = None;
        for value in values {
            match value {
                Value::String(value) => {
                    first.get_or_insert(value.as_str());
                }
                Value::Null => {
                    first.get_or_insert("");
                }
                other => return Err(mistyped(other, "string")),
            }
        }
        let unusable = |what: &str| {
            Refusal::internal(format!(
                "the hydrator's answer has a header whose {what} no header can have"
            ))
        };
        let name = HeaderName::from_bytes(text.as_bytes()).map_err(|_| unusable("name"))?;
        if name == HOST || name == CONTENT_LENGTH || hop_by_hop::is_hop_by_hop(&name) {
            continue;
        }
        // Go's `Get` finds no name that is not written its way.
        let is_lost = passage.strict
            && passage.purpose == Purpose::Decide
            && canonical(name.as_str()) != *text;
        let value = first.filter(|_| !is_lost).unwrap_or_default();
        let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| unusable("value"))?;
        headers.insert(name, value);
    }
    Ok(headers)
}

fn read_match_context(
    value: &Value,
    passage: &Passage<'_>,
    mistyped: &dyn Fn(&Value, &str, &str) -> Refusal,
) -> Result<MatchContext, Refusal> {
    let Value::Object(fields) = value else {
        return Err(mistyped(
            value,
            "AuthenticationSession.match_context",
            "authn.MatchContext",
        ));
    };
    let captures = match field(fields, "regexp_capture_groups") {
        None => None,
        Some(Value::Array(groups)) => Some(
            groups
                .iter()
                .map(|group| match group {
                    Value::String(group) => Ok(group.clone()),
                    Value::Null => Ok(String::new()),
                    other => Err(mistyped(
                        other,
                        "MatchContext.match_context.regexp_capture_groups",
                        "string",
                    )),
                })
                .collect::<Result<_, _>>()?,
        ),
        Some(other) => {
            return Err(mistyped(
                other,
                "MatchContext.match_context.regexp_capture_groups",
                "[]string",
            ));
        }
    };
    let text = |fields: &Map<String, Value>, name: &str, of: &str| match field(fields, name) {
        None => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(other) => Err(mistyped(other, of, "string")),
    };
    let url = match field(fields, "url") {
        None => None,
        Some(Value::Object(url)) => {
            let part = |name: &str| text(url, name, &format!("URL.match_context.url.{name}"));
            Some(Url {
                scheme: part("Scheme")?,
                host: part("Host")?,
                path: part("Path")?,
                raw_path: part("RawPath")?,
                raw_query: part("RawQuery")?,
                force_query: field(url, "ForceQuery") == Some(&Value::Bool(true)),
                fragment: part("Fragment")?,
            })
        }
        Some(other) => {
            return Err(mistyped(other, "MatchContext.match_context.url", "url.URL"));
        }
    };
    let header = match field(fields, "header") {
        None => None,
        Some(Value::Object(headers)) => Some(read_headers(headers, passage, &|value, wanted| {
            mistyped(value, "MatchContext.match_context.header", wanted)
        })?),
        Some(other) => {
            return Err(mistyped(
                other,
                "MatchContext.match_context.header",
                "http.Header",
            ));
        }
    };
    Ok(MatchContext {
        captures,
        url,
        method: text(fields, "method", "MatchContext.match_context.method")?,
        header,
    })
}
