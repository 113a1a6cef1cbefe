//! `keto_engine_acp_ory`: access control policies of Keto before version 0.6.

use std::net::IpAddr;

use edgekeeper_policy::authorizer::KetoEngineAcpOry;
use edgekeeper_policy::endpoint::Endpoint;
use edgekeeper_template::Output;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::service;
use crate::Gateway;
use crate::authentication::Authentication;
use crate::go_json;
use crate::loaded::{LoadError, Loader};
use crate::passage::{Passage, Prepared};
use crate::refusal::Refusal;
use crate::request::Request;
use crate::retry::{Patience, fetch};
use crate::runtime::{Inbound, Outbound, Runtime};

/// The largest answer that is read, in bytes: `{"allowed":true}` and some room.
const LARGEST_ANSWER: usize = 64 << 10;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");

/// The parsed templates.
#[derive(Debug)]
pub(crate) struct Templates {
    action: Prepared,
    resource: Prepared,
    /// `None`: the authenticated subject.
    subject: Option<Prepared>,
}

impl Templates {
    pub(super) fn load(loader: &Loader<'_>, config: &KetoEngineAcpOry) -> Result<Self, LoadError> {
        Ok(Self {
            action: loader.nameless(&config.required_action)?,
            resource: loader.nameless(&config.required_resource)?,
            subject: match config.subject.as_str() {
                "" => None,
                subject => Some(loader.nameless(subject)?),
            },
        })
    }
}

pub(super) async fn authorize<R: Runtime>(
    gateway: &Gateway,
    runtime: &R,
    config: &KetoEngineAcpOry,
    templates: &Templates,
    passage: &Passage<'_>,
    authentication: &Authentication,
) -> Result<(), Refusal> {
    if config.without_regexp && passage.strict {
        return Err(Refusal::new(
            500,
            "The matched handler uses Regexp MatchingStrategy which is not selected in the configuration",
        )
        .logged("Oathkeeper's `keto_engine_acp_ory` wants the matching strategy `regexp`"));
    }
    let render = |template| passage.render(template, authentication, None, Output::Text);
    let subject = match &templates.subject {
        Some(template) => render(template)?,
        None => authentication.subject.clone(),
    };
    let question = json!({
        "action": render(&templates.action)?,
        "context": {
            "remoteIpAddress": remote_address(passage.request, passage.strict),
            "requestedAt": rfc3339(runtime.now()),
        },
        "resource": render(&templates.resource)?,
        "subject": subject,
    });
    ask(
        gateway,
        runtime,
        &config.endpoint,
        &question,
        passage.strict,
    )
    .await
}

/// Asks a Keto of whatever age, and takes nothing but a clear yes for one.
///
/// # Errors
/// 403 when it says no; 500 or 503 when it says nothing that means yes or no.
pub(super) async fn ask<R: Runtime>(
    gateway: &Gateway,
    runtime: &R,
    endpoint: &Endpoint,
    question: &Value,
    strict: bool,
) -> Result<(), Refusal> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let timeout = gateway.one_try();
    let outbound = Outbound {
        method: "POST".to_owned(),
        url: endpoint.url.clone(),
        binding: endpoint.binding.clone(),
        headers,
        body: question.to_string().into_bytes(),
        timeout,
        largest: LARGEST_ANSWER,
    };
    let answer = fetch(runtime, &outbound, Patience::of_keto(timeout, strict))
        .await
        .map_err(|gave_up| {
            let said = gave_up.in_gos_words("POST", &endpoint.url);
            service::failed(&gave_up, said, strict)
        })?;
    service::allowed(&answer, strict)?;
    read(&answer, strict)
}

/// Whether Keto says yes: `{"allowed":true}`.
///
/// # Errors
/// 403 when it says no; what [`service::nonsense`] is when it says neither.
fn read(answer: &Inbound, strict: bool) -> Result<(), Refusal> {
    let nonsense =
        |said: &str| service::nonsense("Keto's answer cannot be read".to_owned(), said, strict);
    let document = match answer.body.as_deref() {
        Some(body) => go_json::first(body).map_err(|error| nonsense(&error.0))?,
        None => return Err(nonsense("http: response body too large")),
    };
    let allowed = match &document {
        Value::Null => None,
        Value::Object(fields) => fields
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("allowed"))
            .map(|(_, value)| value),
        other => {
            return Err(nonsense(&format!(
                "json: cannot unmarshal {} into Go value of type struct {{ Allowed bool \"json:\\\"allowed\\\"\" }}",
                go_json::kind(other)
            )));
        }
    };
    match allowed {
        Some(Value::Bool(true)) => Ok(()),
        Some(Value::Bool(false)) => Err(Refusal::forbidden().logged("Keto said no")),
        // What is not there is Go's false.
        None | Some(Value::Null) if strict => Err(Refusal::forbidden().logged("Keto said nothing")),
        None => Err(nonsense("there is no `allowed`")),
        Some(other) => Err(nonsense(&format!(
            "json: cannot unmarshal {} into Go struct field .allowed of type bool",
            go_json::kind(other)
        ))),
    }
}

/// The client's address, as far as a header tells it. Oathkeeper believes `X-Real-Ip`, which any client can send; by
/// default only headers count whose sender the configuration trusts.
fn remote_address(request: &Request, strict: bool) -> String {
    if !request.believes_forwarded && !strict {
        return String::new();
    }
    let forwarded = request
        .header(&X_FORWARDED_FOR)
        .filter(|_| request.believes_forwarded)
        .into_iter()
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .find(|address| address.parse().is_ok_and(|address| !is_private(address)));
    let address = forwarded.or_else(|| request.header(&X_REAL_IP));
    address.unwrap_or_default().to_owned()
}

/// The networks that Oathkeeper's `realip` passes over.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

/// An instant in Unix milliseconds as RFC 3339 has it, in UTC.
fn rfc3339(milliseconds: u64) -> String {
    let seconds = i64::try_from(crate::runtime::seconds(milliseconds)).unwrap_or_default();
    let Ok(at) = OffsetDateTime::from_unix_timestamp(seconds) else {
        return String::new();
    };
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second(),
        milliseconds.checked_rem(1_000).unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_written_for_keto() {
        for (milliseconds, expected) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_700_000_000_123, "2023-11-14T22:13:20.123Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        ] {
            assert_eq!(rfc3339(milliseconds), expected);
        }
    }
}
