//! The question about a session that `cookie_session` and `bearer_token` ask.

use std::borrow::Cow;
use std::rc::Rc;

use edgekeeper_policy::authenticator::SessionCheck;
use edgekeeper_session::credential::Credential;
use edgekeeper_session::key::CacheKey;
use edgekeeper_session::whoami::{Failure, FailureKind, LARGEST_ANSWER, Store, Verdict};
use http::header::{ACCEPT, AUTHORIZATION, COOKIE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use super::Denied;
use crate::authentication::{Authenticated, Authentication, Extra};
use crate::explanation::{SessionAnswer, Step};
use crate::path::encode;
use crate::refusal::{DEFAULT_RETRY_AFTER, Refusal};
use crate::request::Request;
use crate::runtime::{FetchError, Outbound, Runtime};
use crate::trace::Trace;
use crate::whoami::{Question, verdict};
use crate::{Gateway, go_json, outbound, retry, sealed_cookie, upstream};

const X_SESSION_TOKEN: HeaderName = HeaderName::from_static("x-session-token");

/// Asks, or remembers.
pub(super) async fn ask<R: Runtime>(
    gateway: &Rc<Gateway>,
    runtime: &R,
    check: &SessionCheck,
    question: Question,
    trace: &mut Trace,
) -> Result<Authentication, Denied> {
    let credential = question.credential;
    let carried = question.carried.is_some().then_some(question.key);
    let strict = gateway.policy().strict;
    let asked = strict.then(|| {
        (
            question.outbound.method.clone(),
            question.outbound.url.clone(),
        )
    });
    let verdict = verdict(gateway, runtime, question, trace).await;
    runtime.explain(|| Step::Session {
        source: trace.session.unwrap_or_default().to_owned(),
        answer: match &verdict {
            Verdict::Active(session) => SessionAnswer::Active {
                expires: session.expires_at,
            },
            Verdict::Refused => SessionAnswer::None,
            Verdict::AalRequired => SessionAnswer::SecondFactor,
            Verdict::Failed(failure) => SessionAnswer::Failed {
                reason: failure.reason.clone(),
            },
        },
    });
    match &verdict {
        Verdict::Active(session) => {
            let confirmed = Authenticated {
                answer: Rc::clone(session),
                credential,
                carried,
            };
            authentication(check, confirmed, strict)
        }
        Verdict::Refused => Err(Refusal::unauthorized()
            .logged("Kratos knows no active session for this credential")
            .into()),
        Verdict::AalRequired => {
            let mut refusal = Refusal::unauthorized()
                .logged("Kratos asks for a second factor (session_aal2_required)");
            refusal.aal_required = true;
            Err(refusal.into())
        }
        Verdict::Failed(failure) => Err(failed(failure, asked.as_ref()).into()),
    }
}

/// Whose session is asked about, and how.
pub(super) struct Subject<'a> {
    pub(super) credential: &'a Credential,
    /// The headers it travels in.
    pub(super) sent: Vec<(HeaderName, HeaderValue)>,
    pub(super) store: Store,
}

impl Question {
    /// The question of a session check about a credential.
    pub(super) fn new(
        gateway: &Gateway,
        check: &SessionCheck,
        request: &Request,
        subject: Subject<'_>,
    ) -> Self {
        let strict = gateway.policy().strict;
        // An answer to `HEAD` could not hold a token.
        let own_method = strict && check.tokenize_as.is_none();
        let method = match (check.force_method.as_str(), own_method) {
            ("", true) => request.method.clone(),
            ("", _) => "GET".to_owned(),
            (forced, _) => forced.to_owned(),
        };
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        for name in &check.forward_http_headers {
            if let Ok(name) = HeaderName::from_bytes(name.as_bytes())
                && may_be_forwarded(&name, strict)
            {
                for value in request.headers.get_all(&name) {
                    headers.append(name.clone(), value.clone());
                }
            }
        }
        if check.preserve_host {
            outbound::tell_host(&mut headers, request);
        }
        for (name, _) in &subject.sent {
            headers.remove(name);
        }
        for (name, value) in subject.sent {
            headers.append(name, value);
        }
        outbound::set_configured(&mut headers, &check.additional_headers);
        let url = check_url(check, request);
        let sent_along = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes()));
        // What is a session to one handler need not be one to the other, so neither goes by the other's answers.
        let store = (subject.store == Store::Any).then_some((":store", &b"any"[..]));
        let key = CacheKey::new(&method, &url, sent_along.chain(store), subject.credential);
        Self {
            outbound: Outbound {
                method,
                url,
                binding: check.endpoint.binding.clone(),
                headers,
                body: Vec::new(),
                timeout: gateway.one_try(),
                largest: LARGEST_ANSWER,
            },
            key,
            credential: CacheKey::of_credential(subject.credential),
            store: subject.store,
            tokenize_as: check.tokenize_as.clone(),
            carried: sealed_cookie::carried(gateway, request, subject.credential),
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
fn check_url(check: &SessionCheck, request: &Request) -> String {
    let (base, own_query) = match check.endpoint.url.split_once('?') {
        Some((base, query)) => (base, Some(query)),
        None => (check.endpoint.url.as_str(), None),
    };
    let base = if check.preserve_path {
        base.to_owned()
    } else {
        let (origin, _) = upstream::split(base);
        format!("{origin}{}", encode(request.path.decoded()))
    };
    let query = if check.preserve_query {
        own_query.map(str::to_owned)
    } else {
        request.query.as_deref().map(without_tokenize)
    };
    // In front: of two Kratos takes the first.
    let tokenize = check.tokenize_as.as_ref();
    let tokenize = tokenize.map(|template| format!("tokenize_as={template}"));
    let query = query.filter(|query| !query.is_empty());
    let query: Vec<String> = tokenize.into_iter().chain(query).collect();
    if query.is_empty() {
        base
    } else {
        format!("{base}?{}", query.join("&"))
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
    check: &SessionCheck,
    session: Authenticated,
    strict: bool,
) -> Result<Authentication, Denied> {
    let not = |what: &str,
               path: &dyn std::fmt::Display,
               kind: &str,
               found: &Value,
               go_type: &str| {
        let reason = if strict {
            format!(
                "The configured {what} GJSON path returned an error on JSON output: json: cannot unmarshal {} into Go value of type {go_type}",
                go_json::kind(found)
            )
        } else {
            format!("{what} `{path}` is not {kind} in the session check's answer")
        };
        let log = format!("{what} `{path}` is not {kind} in the session check's answer");
        Denied::from(Refusal::forbidden().with_reason(reason).logged(log))
    };
    let answer = &session.answer;
    let subject = match check.subject_from.eval(&answer.document).as_deref() {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(subject)) => subject.clone(),
        Some(other) => {
            let path = &check.subject_from;
            return Err(not("subject_from", path, "a string", other, "string"));
        }
    };
    let extra = match check.extra_from.eval(&answer.document) {
        None => Extra::Nothing,
        Some(part) if part.is_null() => Extra::Nothing,
        // `@this`, as Kratos' own quickstart has it: no copy of the answer for every request.
        Some(Cow::Borrowed(whole)) if std::ptr::eq(whole, &raw const answer.document) => {
            Extra::Whole(Rc::clone(answer))
        }
        Some(part) if part.is_object() => Extra::Own(part.into_owned()),
        Some(other) => {
            let (path, go_type) = (&check.extra_from, "map[string]interface {}");
            return Err(not("extra_from", path, "an object", &other, go_type));
        }
    };
    Ok(Authentication {
        subject,
        extra,
        session: Some(session),
        ..Authentication::default()
    })
}

/// Kratos could not tell: never 401, which would send every user to log in again.
///
/// Strict mode answers as Oathkeeper does: 429 as it is, 401 for its failures, 403 without a connection. What is not
/// Kratos' own answer, and would pass there, is 503 in both modes.
fn failed(failure: &Failure, asked_strictly: Option<&(String, String)>) -> Refusal {
    let refusal = match (asked_strictly, failure.kind) {
        (Some(_), FailureKind::RateLimited) => {
            let mut refusal = Refusal::new(429, "Too many requests");
            for (name, value) in &failure.rate_limit {
                refusal = refusal.with_header(HeaderName::from_static(name), value);
            }
            match &failure.retry_after {
                Some(seconds) => refusal.with_header(RETRY_AFTER, seconds),
                None => refusal,
            }
        }
        (Some(_), FailureKind::Server) => Refusal::unauthorized(),
        (Some((method, url)), kind @ (FailureKind::Timeout | FailureKind::Unreachable)) => {
            let error = if kind == FailureKind::Timeout {
                FetchError::Timeout
            } else {
                FetchError::Unreachable
            };
            Refusal::forbidden().with_reason(retry::no_answer(method, url, error))
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
