//! `cookie_session`: asks Kratos' whoami, and remembers what it said.

use std::borrow::Cow;
use std::rc::Rc;

use edgekeeper_policy::authenticator::CookieSession;
use edgekeeper_session::cache::footprint;
use edgekeeper_session::credential::{Credential, Presented};
use edgekeeper_session::freshness::Standing;
use edgekeeper_session::key::CacheKey;
use edgekeeper_session::whoami::{
    ActiveSession, Answer, Failure, FailureKind, LARGEST_ANSWER, Verdict,
};
use http::header::{ACCEPT, AUTHORIZATION, COOKIE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use super::Denied;
use crate::Gateway;
use crate::authentication::{Authenticated, Authentication, Extra};
use crate::memory::Moments;
use crate::path::encode;
use crate::refusal::Refusal;
use crate::request::Request;
use crate::runtime::{FetchError, Inbound, Outbound, Runtime};
use crate::trace::Trace;
use crate::upstream;

const X_SESSION_TOKEN: HeaderName = HeaderName::from_static("x-session-token");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// What explains a rate limit (Oathkeeper passes these on since v26.2.0).
const RATE_LIMIT: [&str; 4] = [
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-ratelimit-type",
];

/// How long a request that waits for another's answer sleeps before it looks again, in milliseconds.
const LOOK_AGAIN: u64 = 5;

/// When to try again, where Kratos did not say, in seconds.
const DEFAULT_RETRY_AFTER: &str = "5";

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

/// One question to whoami, complete.
#[derive(Clone)]
struct Question {
    outbound: Outbound,
    key: CacheKey,
    credential: CacheKey,
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

/// What is known of a question, or what Kratos says to it.
async fn verdict<R: Runtime>(
    gateway: &Rc<Gateway>,
    runtime: &R,
    question: Question,
    trace: &mut Trace,
) -> Verdict {
    let patience = question.outbound.timeout.saturating_add(1_000);
    let give_up = runtime.now().saturating_add(patience);
    let mut waited = false;
    loop {
        let now = runtime.now();
        match gateway.memory().remembered(&question.key, now) {
            Some((entry, Standing::Fresh)) => {
                trace.session = Some(if waited { "wait" } else { "hit" });
                return entry.verdict.clone();
            }
            Some((entry, Standing::Revalidate)) => {
                trace.session = Some("stale");
                let failed = gateway
                    .memory()
                    .recent_failure(&question.key, now)
                    .is_some();
                if !failed
                    && let Some(flight) = Flight::take_off(gateway, &question.key, now, patience)
                {
                    let (runtime_later, question) = (runtime.clone(), question.clone());
                    runtime.later(async move {
                        ask(&runtime_later, &question, flight).await;
                    });
                }
                return entry.verdict.clone();
            }
            Some((_, Standing::Fallback | Standing::Gone)) | None => {}
        }
        if let Some(failure) = gateway.memory().recent_failure(&question.key, now) {
            trace.session = Some(if waited { "wait" } else { "failed" });
            return fallback(gateway, &question, failure, now, trace);
        }
        if let Some(flight) = Flight::take_off(gateway, &question.key, now, patience) {
            trace.session = Some("miss");
            return match ask(runtime, &question, flight).await {
                Verdict::Failed(failure) => {
                    fallback(gateway, &question, failure, runtime.now(), trace)
                }
                verdict => verdict,
            };
        }
        if now >= give_up {
            let failure = Failure::new(
                FailureKind::Timeout,
                "another request's whoami did not come back in time",
            );
            return fallback(gateway, &question, failure, now, trace);
        }
        waited = true;
        runtime.sleep(LOOK_AGAIN).await;
    }
}

/// While Kratos fails, an older answer serves up to its ceiling.
fn fallback(
    gateway: &Gateway,
    question: &Question,
    failure: Failure,
    now: u64,
    trace: &mut Trace,
) -> Verdict {
    if failure.kind.allows_fallback()
        && let Some((entry, _)) = gateway.memory().remembered(&question.key, now)
    {
        trace.session = Some("stale");
        trace.reason = Some(failure.reason);
        return entry.verdict.clone();
    }
    Verdict::Failed(failure)
}

/// Asks Kratos and remembers what it said.
async fn ask<R: Runtime>(runtime: &R, question: &Question, flight: Flight) -> Verdict {
    let gateway = &flight.gateway;
    let asked = runtime.now();
    let answer = runtime.fetch(question.outbound.clone()).await;
    let now = runtime.now();
    let (verdict, size) = match answer {
        Ok(inbound) => (
            read(&inbound, gateway.policy().strict, now),
            inbound.body.map_or(0, |body| body.len()),
        ),
        Err(FetchError::Timeout) => (
            Verdict::Failed(Failure::new(
                FailureKind::Timeout,
                "whoami did not answer in time",
            )),
            0,
        ),
        Err(FetchError::Unreachable) => (
            Verdict::Failed(Failure::new(
                FailureKind::Unreachable,
                "whoami cannot be reached",
            )),
            0,
        ),
    };
    gateway.memory().remember(
        question.key,
        question.credential,
        &verdict,
        footprint(size),
        Moments { asked, now },
    );
    verdict
}

fn read(inbound: &Inbound, strict: bool, now: u64) -> Verdict {
    let header = |name: &str| {
        inbound
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    let rate_limit: Vec<(&'static str, String)> = RATE_LIMIT
        .into_iter()
        .filter_map(|name| Some((name, header(name)?.to_owned())))
        .collect();
    let answer = Answer {
        status: inbound.status,
        body: inbound.body.as_deref(),
        cache_for: header("ory-session-cache-for"),
        retry_after: header("retry-after"),
        rate_limit: &rate_limit,
    };
    Verdict::read(&answer, strict, now.checked_div(1_000).unwrap_or(0))
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

/// The right to ask, given back when it is dropped, also when the request is cut off.
struct Flight {
    gateway: Rc<Gateway>,
    key: CacheKey,
}

impl Flight {
    fn take_off(gateway: &Rc<Gateway>, key: &CacheKey, now: u64, patience: u64) -> Option<Self> {
        // Where nothing is remembered, whoever waits would only wait in line.
        let alone = gateway.policy().session.ttl == 0;
        (alone
            || gateway
                .memory()
                .take_off(*key, now, now.saturating_add(patience)))
        .then(|| Self {
            gateway: Rc::clone(gateway),
            key: *key,
        })
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.gateway.memory().land(&self.key);
    }
}
