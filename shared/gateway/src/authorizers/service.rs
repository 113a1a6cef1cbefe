//! A service that decides: what `remote` and `remote_json` send it, and what its answer means.

use edgekeeper_policy::retry::Retry;
use edgekeeper_template::Output;
use http::header::{AUTHORIZATION, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::Gateway;
use crate::authentication::Authentication;
use crate::passage::{Passage, Prepared};
use crate::refusal::{DEFAULT_RETRY_AFTER, Refusal};
use crate::retry::{GaveUp, Patience, capitalized, fetch};
use crate::runtime::{Inbound, Outbound, Runtime};

/// The largest answer that is read, in bytes. Only its status and headers count.
const LARGEST_ANSWER: usize = 64 << 10;

/// What a service is asked.
pub(super) struct Question<'a> {
    pub(super) url: &'a str,
    pub(super) binding: Option<&'a str>,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    pub(super) retry: Retry,
}

/// The client's credential goes along, and what the templates make; an empty value is not sent.
///
/// # Errors
/// When a template fails, or makes what no header can hold.
pub(super) fn headers(
    question: &mut HeaderMap,
    url: &str,
    templates: &[(HeaderName, Prepared)],
    passage: &Passage<'_>,
    authentication: &Authentication,
) -> Result<(), Refusal> {
    if let Some(value) = passage.request.headers.get(AUTHORIZATION)
        && !value.is_empty()
    {
        question.insert(AUTHORIZATION, value.clone());
    }
    for (name, template) in templates {
        let text = passage.render(template, authentication, None, Output::Text)?;
        if text.is_empty() {
            continue;
        }
        let value = HeaderValue::from_bytes(text.as_bytes()).map_err(|_| {
            let log = format!("the value of header `{name}` has a control character in it");
            if passage.strict {
                let name = crate::view::canonical(name.as_str());
                Refusal::new(500, format!("Post \"{url}\": POST {url} giving up after 1 attempt(s): Post \"{url}\": net/http: invalid header field value for \"{name}\"")).logged(log)
            } else {
                Refusal::internal(log)
            }
        })?;
        question.insert(name.clone(), value);
    }
    Ok(())
}

/// Asks, and takes nothing but a clear yes for one.
///
/// # Errors
/// 403 when it says no; 500 or 503 when it says nothing that means yes or no.
pub(super) async fn ask<R: Runtime>(
    gateway: &Gateway,
    runtime: &R,
    question: Question<'_>,
) -> Result<Inbound, Refusal> {
    let strict = gateway.policy().strict;
    let patience = if strict {
        Patience::of_authorizer(question.retry, gateway.one_try())
    } else {
        Patience::of(question.retry)
    };
    let outbound = Outbound {
        method: "POST".to_owned(),
        url: question.url.to_owned(),
        binding: question.binding.map(str::to_owned),
        headers: question.headers,
        body: question.body,
        timeout: gateway.one_try(),
        largest: LARGEST_ANSWER,
    };
    let inbound = fetch(runtime, &outbound, patience)
        .await
        .map_err(|gave_up| {
            let said = gave_up.in_gos_words("POST", question.url);
            let said = format!("{} \"{}\": {said}", capitalized("POST"), question.url);
            failed(&gave_up, said, strict)
        })?;
    allowed(&inbound, strict)?;
    Ok(inbound)
}

/// There is no answer. In strict mode that is a 500 in Oathkeeper's words; by default whoever asked may try again.
pub(super) fn failed(gave_up: &GaveUp, said: String, strict: bool) -> Refusal {
    let log = format!("the authorizer's service failed: {}", gave_up.reason());
    if strict {
        return Refusal::new(500, said).logged(log);
    }
    let after = gave_up.retry_after().map(|seconds| seconds.to_string());
    unavailable(log).with_header(RETRY_AFTER, after.as_deref().unwrap_or(DEFAULT_RETRY_AFTER))
}

/// 503: nobody knows whether they may.
fn unavailable(log: String) -> Refusal {
    Refusal::new(503, "The permission could not be checked; please try again").logged(log)
}

/// An answer that is no answer.
pub(super) fn nonsense(log: String, said: &str, strict: bool) -> Refusal {
    if strict {
        Refusal::new(500, said).logged(log)
    } else {
        unavailable(log).with_header(RETRY_AFTER, DEFAULT_RETRY_AFTER)
    }
}

/// 200 is yes, 403 is no. By default 401 is a no as well; everything else means that the rule asks the wrong question.
pub(super) fn allowed(inbound: &Inbound, strict: bool) -> Result<(), Refusal> {
    match inbound.status {
        200 => Ok(()),
        403 => Err(Refusal::forbidden().logged("the authorizer's service said no (403)")),
        401 if !strict => {
            Err(Refusal::forbidden().logged("the authorizer's service said no (401)"))
        }
        status => {
            let log = format!(
                "the authorizer's service answered with status {status}; 200 is yes and 403 is no"
            );
            Err(if strict {
                Refusal::new(500, format!("expected status code 200 but got {status}")).logged(log)
            } else {
                Refusal::internal(log)
            })
        }
    }
}

/// Hands headers of the answer on to the upstream. One that is not there is empty, so that the client's own cannot
/// stand in its place; by default one that no client can send to any rule is left out.
pub(super) fn forward(
    names: &[String],
    gateway: &Gateway,
    answer: &Inbound,
    authentication: &mut Authentication,
) {
    for name in names {
        let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else {
            continue;
        };
        match answer.headers.get(&name) {
            Some(value) => {
                authentication.headers.insert(name, value.clone());
            }
            None if gateway
                .policy()
                .identity_headers
                .iter()
                .any(|own| *own == name.as_str().replace('_', "-")) =>
            {
                authentication.headers.remove(&name);
            }
            None => {
                authentication
                    .headers
                    .insert(name, HeaderValue::from_static(""));
            }
        }
    }
}
