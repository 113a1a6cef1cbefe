//! `cookie_session`: asks Kratos' whoami, and remembers what it said.

use std::borrow::Cow;
use std::rc::Rc;

use edgekeeper_policy::authenticator::CookieSession;
use edgekeeper_session::credential::{Credential, Presented};
use edgekeeper_session::key::CacheKey;
use edgekeeper_session::whoami::{ActiveSession, Failure, FailureKind, LARGEST_ANSWER, Verdict};
use http::header::{ACCEPT, AUTHORIZATION, COOKIE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use super::Denied;
use crate::Gateway;
use crate::authentication::{Authenticated, Authentication, Extra};
use crate::path::encode;
use crate::refusal::{DEFAULT_RETRY_AFTER, Refusal};
use crate::request::Request;
use crate::runtime::{Outbound, Runtime};
use crate::trace::Trace;
use crate::upstream;
use crate::whoami::{Question, verdict};

const X_SESSION_TOKEN: HeaderName = HeaderName::from_static("x-session-token");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

pub(super) async fn authenticate<R: Runtime>(
    gateway: &Rc<Gateway>,
    runtime: &R,
    config: &CookieSession,
    request: &Request,
    trace: &mut Trace,
) -> Result<Authentication, Denied> {
    let credential = match credential(gateway, config, request) {
        Ok(Some(credential)) => credential,
        Ok(None) => return Err(Denied::NotResponsible),
        Err(refusal) => return Err(refusal.into()),
    };
    let question = Question::new(gateway, config, request, credential);
    let verdict = verdict(gateway, runtime, question.clone(), trace).await;
    match &verdict {
        Verdict::Active(session) => authentication(config, session, question.credential),
        Verdict::Refused => Err(Refusal::unauthorized()
            .logged("Kratos knows no active session for this credential")
            .into()),
        Verdict::AalRequired => {
            let mut refusal = Refusal::unauthorized()
                .logged("Kratos asks for a second factor (session_aal2_required)");
            refusal.aal_required = true;
            Err(refusal.into())
        }
        Verdict::Failed(failure) => Err(failed(failure, gateway.policy().strict).into()),
    }
}

/// The credential that a request presents to this handler.
///
/// # Errors
/// 401 when it is there but Kratos and the gateway could read it differently.
pub(crate) fn credential(
    gateway: &Gateway,
    config: &CookieSession,
    request: &Request,
) -> Result<Option<Credential>, Refusal> {
    let cookie = request.header_values(&COOKIE);
    if gateway.policy().strict {
        return Ok(Credential::all_cookies(&cookie, &config.only));
    }
    let names = match config.only.as_slice() {
        [] => &gateway.policy().session.cookies,
        _ => &config.only,
    };
    let presented = Presented {
        session_token: &request.header_values(&X_SESSION_TOKEN),
        cookie: &cookie,
        authorization: &request.header_values(&AUTHORIZATION),
    };
    Credential::choose(presented, names, config.bearer).map_err(|_| {
        Refusal::unauthorized()
            .logged("the session credential is given twice, is too long or is no credential")
    })
}

impl Question {
    fn new(
        gateway: &Gateway,
        config: &CookieSession,
        request: &Request,
        credential: Credential,
    ) -> Self {
        let strict = gateway.policy().strict;
        let method = match (config.force_method.as_str(), strict) {
            // The answer to HEAD has no body, and so no session in it.
            ("", true) if request.method != "HEAD" => request.method.clone(),
            ("", _) => "GET".to_owned(),
            (forced, _) => forced.to_owned(),
        };
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        for name in &config.forward_http_headers {
            if let Ok(name) = HeaderName::from_bytes(name.as_bytes())
                && may_be_forwarded(&name, strict)
            {
                for value in request.headers.get_all(&name) {
                    headers.append(name.clone(), value.clone());
                }
            }
        }
        if config.preserve_host
            && let Ok(host) = HeaderValue::from_str(&request.authority())
        {
            headers.insert(X_FORWARDED_HOST, host);
        }
        let (name, value) = credential.header();
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
        for (name, value) in &config.additional_headers {
            if let (Ok(name), Ok(value)) = (
                HeaderName::from_bytes(name.as_bytes()),
                HeaderValue::from_str(value),
            ) {
                headers.insert(name, value);
            }
        }
        let url = check_url(config, request);
        let sent_along = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes()));
        let key = CacheKey::new(&method, &url, sent_along, &credential);
        let session = &gateway.policy().session;
        Self {
            outbound: Outbound {
                method,
                url,
                binding: config.binding.clone(),
                headers,
                timeout: session.timeout.saturating_mul(1_000),
                largest: LARGEST_ANSWER,
            },
            key,
            credential: CacheKey::of_credential(&credential),
        }
    }
}

/// The gateway's own connection has headers of its own; and a second credential must not travel along.
fn may_be_forwarded(name: &HeaderName, strict: bool) -> bool {
    let of_the_connection = ["host", "content-length", "accept-encoding", "expect"]
        .contains(&name.as_str())
        || crate::hop_by_hop::is_hop_by_hop(name);
    let credential = [COOKIE, AUTHORIZATION, X_SESSION_TOKEN].contains(name);
    !of_the_connection && (strict || !credential)
}

/// The URL to ask. Oathkeeper puts the request's path and query into it unless told to preserve its own.
fn check_url(config: &CookieSession, request: &Request) -> String {
    let (base, own_query) = match config.check_session_url.split_once('?') {
        Some((base, query)) => (base, Some(query)),
        None => (config.check_session_url.as_str(), None),
    };
    let base = if config.preserve_path {
        base.to_owned()
    } else {
        let (origin, _) = upstream::split(base);
        format!("{origin}{}", encode(request.path.decoded()))
    };
    let query = if config.preserve_query {
        own_query.map(str::to_owned)
    } else {
        request.query.as_deref().map(without_tokenize)
    };
    match query {
        Some(query) if !query.is_empty() => format!("{base}?{query}"),
        _ => base,
    }
}

/// `tokenize_as` turns whoami into a mint; a client does not get to ask for that.
fn without_tokenize(query: &str) -> String {
    query
        .split('&')
        .filter(|pair| {
            let name = pair.split_once('=').map_or(*pair, |(name, _)| name);
            !name.eq_ignore_ascii_case("tokenize_as") && !name.contains('%')
        })
        .collect::<Vec<_>>()
        .join("&")
}

/// A session, seen through `subject_from` and `extra_from`.
fn authentication(
    config: &CookieSession,
    answer: &Rc<ActiveSession>,
    credential: CacheKey,
) -> Result<Authentication, Denied> {
    let not = |what: &str, path: &dyn std::fmt::Display, kind: &str| {
        Denied::from(
            Refusal::forbidden()
                .with_reason(format!(
                    "{what} `{path}` is not {kind} in the session check's answer"
                ))
                .logged(format!("{what} `{path}` is not {kind} in whoami's answer")),
        )
    };
    let subject = match config.subject_from.eval(&answer.document).as_deref() {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(subject)) => subject.clone(),
        Some(_) => return Err(not("subject_from", &config.subject_from, "a string")),
    };
    let extra = match config.extra_from.eval(&answer.document) {
        None => Extra::Nothing,
        // `@this`, as Kratos' own quickstart has it: no copy of the answer for every request.
        Some(Cow::Borrowed(whole)) if std::ptr::eq(whole, &raw const answer.document) => {
            Extra::Whole
        }
        Some(part) if part.is_null() => Extra::Nothing,
        Some(part) if part.is_object() => Extra::Part(part.into_owned()),
        Some(_) => return Err(not("extra_from", &config.extra_from, "an object")),
    };
    Ok(Authentication {
        subject,
        session: Some(Authenticated {
            answer: Rc::clone(answer),
            extra,
            credential,
        }),
    })
}

/// Kratos could not tell: never 401, which would send every user to log in again.
///
/// Strict mode answers as Oathkeeper does: 429 as it is, 401 for its failures, 403 without a connection. What is not
/// Kratos' own answer, and would pass there, is 503 in both modes.
fn failed(failure: &Failure, strict: bool) -> Refusal {
    let refusal = match (strict, failure.kind) {
        (true, FailureKind::RateLimited) => {
            let mut refusal = Refusal::new(429, "Too many requests");
            for (name, value) in &failure.rate_limit {
                refusal = refusal.with_header(HeaderName::from_static(name), value);
            }
            match &failure.retry_after {
                Some(seconds) => refusal.with_header(RETRY_AFTER, seconds),
                None => refusal,
            }
        }
        (true, FailureKind::Server) => Refusal::unauthorized(),
        (true, FailureKind::Timeout | FailureKind::Unreachable) => {
            Refusal::forbidden().with_reason(failure.reason.clone())
        }
        _ => Refusal::new(503, "The session could not be checked; please try again").with_header(
            RETRY_AFTER,
            failure
                .retry_after
                .as_deref()
                .unwrap_or(DEFAULT_RETRY_AFTER),
        ),
    };
    refusal.logged(failure.reason.clone())
}
