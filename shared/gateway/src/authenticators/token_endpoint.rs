//! A token for client credentials (RFC 6749 section 4.4), asked for as Go's `golang.org/x/oauth2` asks.

use edgekeeper_policy::endpoint::Endpoint;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use serde_json::Value;

use crate::refusal::status_text;
use crate::runtime::{FetchError, Outbound, Runtime};
use crate::{basic, go_json, query, retry};

/// The most that is read of an answer, in bytes. Go's reads a megabyte; a token is a few kilobytes.
const LARGEST: usize = 64 << 10;

/// The content of a form (WHATWG URL section 5).
pub(super) const FORM: &str = "application/x-www-form-urlencoded";

/// Who asks, and for what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Client<'a> {
    pub(super) endpoint: &'a Endpoint,
    pub(super) id: &'a str,
    pub(super) secret: &'a str,
    pub(super) scope: &'a [String],
    /// Empty for none.
    pub(super) audience: &'a str,
    /// Milliseconds to wait.
    pub(super) timeout: u64,
}

/// Where id and secret are in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// In `Authorization`, as RFC 6749 section 2.3.1 prefers.
    Header,
    /// In the form, which some servers insist on.
    Form,
}

/// A token.
pub(super) struct Issued {
    /// The value of `Authorization` that it makes.
    pub(super) authorization: String,
    /// How long it is good for, in milliseconds, if that was said.
    pub(super) life: Option<u64>,
}

/// There is none.
#[derive(Debug)]
pub(super) enum NotIssued {
    /// The server says no.
    Refused(Box<Refused>),
    /// There is no answer. The text is Go's.
    Silent { error: FetchError, text: String },
    /// There is none that makes sense. The text is Go's.
    Failed(String),
}

/// What a server said instead of a token.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) status: u16,
    /// Go's words for it, which can hold the body. Never log it.
    pub(super) text: String,
    pub(super) headers: HeaderMap,
}

impl NotIssued {
    /// What happened, for a log: nothing of the answer's body.
    pub(super) fn reason(&self) -> String {
        match self {
            Self::Refused(refused) => format!("the token endpoint answered {}", refused.status),
            Self::Silent { error, .. } => format!("the token endpoint failed: {}", error.reason()),
            Self::Failed(text) => format!("the token endpoint failed: {text}"),
        }
    }

    /// Go's words.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Refused(refused) => &refused.text,
            Self::Silent { text, .. } | Self::Failed(text) => text,
        }
    }
}

/// Asks for a token.
pub(super) async fn ask<R: Runtime>(
    runtime: &R,
    client: Client<'_>,
    style: Style,
) -> Result<Issued, NotIssued> {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(FORM));
    if style == Style::Header {
        let credentials = basic::encode(&query::encode(client.id), &query::encode(client.secret));
        if let Ok(credentials) = HeaderValue::from_str(&credentials) {
            headers.insert(AUTHORIZATION, credentials);
        }
    }
    let outbound = Outbound {
        method: "POST".to_owned(),
        url: client.endpoint.url.clone(),
        binding: client.endpoint.binding.clone(),
        headers,
        body: form(client, style).into_bytes(),
        timeout: client.timeout,
        largest: LARGEST,
    };
    let inbound = runtime
        .ask(outbound)
        .await
        .map_err(|error| NotIssued::Silent {
            text: retry::no_answer("POST", &client.endpoint.url, error),
            error,
        })?;
    let Some(body) = inbound.body else {
        return Err(NotIssued::Failed(
            "oauth2: cannot fetch token: the answer is larger than 64 KiB".to_owned(),
        ));
    };
    let content_type = inbound
        .headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    read(inbound.status, &inbound.headers, content_type, &body)
}

/// The form, its fields in the order of their names.
fn form(client: Client<'_>, style: Style) -> String {
    let scope = client.scope.join(" ");
    let in_form = style == Style::Form;
    [
        ("audience", client.audience, !client.audience.is_empty()),
        ("client_id", client.id, in_form && !client.id.is_empty()),
        (
            "client_secret",
            client.secret,
            in_form && !client.secret.is_empty(),
        ),
        ("grant_type", "client_credentials", true),
        ("scope", &scope, !client.scope.is_empty()),
    ]
    .into_iter()
    .filter(|(_, _, is_sent)| *is_sent)
    .map(|(name, value, _)| format!("{name}={}", query::encode(value)))
    .collect::<Vec<_>>()
    .join("&")
}

/// The fields of an answer that matter.
#[derive(Default)]
struct Fields {
    access_token: String,
    token_type: String,
    expires_in: i64,
    error: [String; 3],
}

fn read(
    status: u16,
    headers: &HeaderMap,
    content_type: Option<&str>,
    body: &[u8],
) -> Result<Issued, NotIssued> {
    let refused = |text: String| {
        NotIssued::Refused(Box::new(Refused {
            status,
            text,
            headers: headers.clone(),
        }))
    };
    let plain = || {
        refused(format!(
            "oauth2: cannot fetch token: {status} {}\nResponse: {}",
            status_text(status),
            String::from_utf8_lossy(body)
        ))
    };
    let succeeded = (200..300).contains(&status);
    let media = content_type
        .and_then(|value| value.split(';').next())
        .map(|media| media.trim().to_ascii_lowercase());
    let fields = match media.as_deref() {
        Some(FORM | "text/plain") => of_form(&String::from_utf8_lossy(body)),
        _ => match of_json(body) {
            Ok(fields) => fields,
            Err(_) if !succeeded => return Err(plain()),
            Err(text) => {
                return Err(NotIssued::Failed(format!(
                    "oauth2: cannot parse json: {text}"
                )));
            }
        },
    };
    if fields.error.first().is_some_and(|code| !code.is_empty()) {
        let parts: Vec<String> = fields
            .error
            .iter()
            .filter(|part| !part.is_empty())
            .map(|part| format!("{part:?}"))
            .collect();
        return Err(refused(format!("oauth2: {}", parts.join(" "))));
    }
    if !succeeded {
        return Err(plain());
    }
    if fields.access_token.is_empty() {
        return Err(NotIssued::Failed(
            "oauth2: server response missing access_token".to_owned(),
        ));
    }
    let scheme = match fields.token_type.as_str() {
        "" => "Bearer",
        own if own.eq_ignore_ascii_case("bearer") => "Bearer",
        own => own,
    };
    Ok(Issued {
        authorization: format!("{scheme} {}", fields.access_token),
        life: match fields.expires_in {
            0 => None,
            seconds => Some(u64::try_from(seconds).unwrap_or(0).saturating_mul(1_000)),
        },
    })
}

fn of_form(body: &str) -> Fields {
    let field = |name: &str| {
        query::pairs(body)
            .find(|(own, _)| own == name)
            .map(|(_, value)| value)
            .unwrap_or_default()
    };
    Fields {
        access_token: field("access_token"),
        token_type: field("token_type"),
        expires_in: field("expires_in").parse().unwrap_or(0),
        error: ["error", "error_description", "error_uri"].map(field),
    }
}

/// # Errors
/// Go's words for what is wrong with it.
fn of_json(body: &[u8]) -> Result<Fields, String> {
    go_json::check(body).map_err(|error| error.0)?;
    let document: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    if !document.is_object() && !document.is_null() {
        return Err(format!(
            "json: cannot unmarshal {} into Go value of type internal.tokenJSON",
            go_json::kind(&document)
        ));
    }
    let text = |name: &str| match document.get(name) {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(other) => Err(format!(
            "json: cannot unmarshal {} into Go struct field tokenJSON.{name} of type string",
            go_json::kind(other)
        )),
    };
    let expires_in = match document.get("expires_in") {
        None | Some(Value::Null) => 0,
        Some(Value::Number(number)) => number
            .as_i64()
            .ok_or_else(|| "`expires_in` is not a whole number".to_owned())?,
        Some(Value::String(digits)) => digits
            .parse()
            .map_err(|_| "`expires_in` is not a whole number".to_owned())?,
        Some(_) => return Err("`expires_in` is not a number".to_owned()),
    };
    Ok(Fields {
        access_token: text("access_token")?,
        token_type: text("token_type")?,
        expires_in,
        error: [
            text("error")?,
            text("error_description")?,
            text("error_uri")?,
        ],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: Option<&str> = Some("application/json");

    fn outcome(status: u16, content_type: Option<&str>, body: &str) -> String {
        match read(status, &HeaderMap::new(), content_type, body.as_bytes()) {
            Ok(issued) => format!("{} {:?}", issued.authorization, issued.life),
            Err(NotIssued::Refused(refused)) => format!("{}: {}", refused.status, refused.text),
            Err(other) => format!("failed: {}", other.text()),
        }
    }

    #[test]
    fn a_token_is_a_token() {
        for (content_type, body, expected) in [
            (
                JSON,
                r#"{"access_token":"t","token_type":"bearer","expires_in":3600}"#,
                "Bearer t Some(3600000)",
            ),
            (JSON, r#"{"access_token":"t"}"#, "Bearer t None"),
            (
                JSON,
                r#"{"access_token":"t","token_type":"DPoP","expires_in":"60"}"#,
                "DPoP t Some(60000)",
            ),
            (
                JSON,
                r#"{"access_token":"t","expires_in":-5}"#,
                "Bearer t Some(0)",
            ),
            (None, r#"{"access_token":"t"}"#, "Bearer t None"),
            (
                Some("application/x-www-form-urlencoded; charset=utf-8"),
                "access_token=a%2Bb&expires_in=60",
                "Bearer a+b Some(60000)",
            ),
            (Some("Text/Plain"), "access_token=t", "Bearer t None"),
        ] {
            assert_eq!(outcome(200, content_type, body), expected, "{body}");
        }
        assert_eq!(
            outcome(201, JSON, r#"{"access_token":"t"}"#),
            "Bearer t None"
        );
    }

    #[test]
    fn a_no_is_told_in_gos_words() {
        for (status, body, expected) in [
            (
                400,
                r#"{"error":"invalid_client"}"#,
                "400: oauth2: \"invalid_client\"",
            ),
            (
                401,
                r#"{"error":"invalid_client","error_description":"say \"please\"","error_uri":"u"}"#,
                "401: oauth2: \"invalid_client\" \"say \\\"please\\\"\" \"u\"",
            ),
            (
                200,
                r#"{"error":"invalid_client","access_token":"t"}"#,
                "200: oauth2: \"invalid_client\"",
            ),
            (
                500,
                "{}",
                "500: oauth2: cannot fetch token: 500 Internal Server Error\nResponse: {}",
            ),
            (
                502,
                "<html>",
                "502: oauth2: cannot fetch token: 502 Bad Gateway\nResponse: <html>",
            ),
            (
                302,
                "",
                "302: oauth2: cannot fetch token: 302 Found\nResponse: ",
            ),
        ] {
            assert_eq!(outcome(status, JSON, body), expected, "{body}");
        }
    }

    #[test]
    fn nonsense_is_no_token() {
        for (body, expected) in [
            (
                "",
                "failed: oauth2: cannot parse json: unexpected end of JSON input",
            ),
            (
                "<html>",
                "failed: oauth2: cannot parse json: invalid character '<' looking for beginning of value",
            ),
            (
                "[]",
                "failed: oauth2: cannot parse json: json: cannot unmarshal array into Go value of type internal.tokenJSON",
            ),
            (
                "null",
                "failed: oauth2: server response missing access_token",
            ),
            ("{}", "failed: oauth2: server response missing access_token"),
            (
                r#"{"access_token":""}"#,
                "failed: oauth2: server response missing access_token",
            ),
            (
                r#"{"access_token":1}"#,
                "failed: oauth2: cannot parse json: json: cannot unmarshal number into Go struct field tokenJSON.access_token of type string",
            ),
            (
                r#"{"access_token":"t","expires_in":1.5}"#,
                "failed: oauth2: cannot parse json: `expires_in` is not a whole number",
            ),
            (
                r#"{"access_token":"t","expires_in":[]}"#,
                "failed: oauth2: cannot parse json: `expires_in` is not a number",
            ),
        ] {
            assert_eq!(outcome(200, JSON, body), expected, "{body}");
        }
    }

    #[test]
    fn the_form_holds_what_is_asked_for_and_only_if_need_be_the_secret() {
        let endpoint = Endpoint {
            url: "http://idp/token".to_owned(),
            binding: None,
        };
        let scope = ["a b".to_owned(), "c".to_owned()];
        let client = Client {
            endpoint: &endpoint,
            id: "i&d",
            secret: "s e",
            scope: &scope,
            audience: "https://x",
            timeout: 1,
        };
        assert_eq!(
            form(client, Style::Header),
            "audience=https%3A%2F%2Fx&grant_type=client_credentials&scope=a+b+c"
        );
        assert_eq!(
            form(client, Style::Form),
            "audience=https%3A%2F%2Fx&client_id=i%26d&client_secret=s+e&grant_type=client_credentials&scope=a+b+c"
        );
        let bare = Client {
            scope: &[],
            audience: "",
            ..client
        };
        assert_eq!(form(bare, Style::Header), "grant_type=client_credentials");
    }
}
