//! `hydrator`: what a service knows of the session besides.

use std::rc::Rc;

use edgekeeper_policy::mutator::{BasicAuth, Hydrator};
use edgekeeper_template::{Missing, Output, Style, Template, Value as TemplateValue};
use http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, EXPECT,
    HOST, RETRY_AFTER,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use super::Session;
use super::hydrated::{self, Hydrated};
use crate::Gateway;
use crate::answers;
use crate::hop_by_hop;
use crate::passage::Passage;
use crate::query;
use crate::refusal::{DEFAULT_RETRY_AFTER, Refusal};
use crate::request::Request;
use crate::retry::{GaveUp, Patience, capitalized, fetch};
use crate::runtime::{Inbound, Outbound, Runtime};
use crate::view::{IdTokenField, SessionView};

/// The largest answer that is read, in bytes: as much as whoami's.
const LARGEST_ANSWER: usize = 1 << 20;

/// Credentials of the client's. By default a hydrator is not shown them: it is told who it is.
const CREDENTIALS: [HeaderName; 4] = [
    AUTHORIZATION,
    COOKIE,
    HeaderName::from_static("x-session-token"),
    HeaderName::from_static("x-session-cookie"),
];

/// What belongs to the client's own connection and body, and says nothing true of the question.
const OF_THE_CLIENT: [HeaderName; 5] = [
    HOST,
    CONTENT_LENGTH,
    CONTENT_ENCODING,
    ACCEPT_ENCODING,
    EXPECT,
];

pub(super) async fn mutate<R: Runtime>(
    gateway: &Gateway,
    runtime: &R,
    config: &Hydrator,
    passage: &Passage<'_>,
    session: &mut Session,
) -> Result<(), Refusal> {
    let seen = if passage.strict {
        without_runtimes(&passage.request.headers)
    } else {
        shown(gateway, passage.request)
    };
    let document = document(passage, session, &seen)?;
    let question = question(gateway, config, passage, &seen, document)?;
    let key = config.cache_ttl.map(|_| {
        let authorization = question.headers.get(AUTHORIZATION);
        let parts = [
            question.url.as_bytes(),
            authorization.map_or(&b""[..], HeaderValue::as_bytes),
            &question.body,
        ];
        answers::key("hydrator", &parts)
    });
    let now = runtime.now();
    let remembered = key.and_then(|key| gateway.memory().answer(&key, now));
    let answer = match remembered {
        Some(answer) => answer,
        None => {
            let (answer, size) = ask(gateway, runtime, config, passage, &question).await?;
            let answer = Rc::new(answer);
            // What does not fit is not kept.
            hydrated::read(&answer, &session.authentication, passage)?;
            if let (Some(key), Some(ttl)) = (key, config.cache_ttl) {
                let now = runtime.now();
                gateway.memory().remember_answer(
                    key,
                    Rc::clone(&answer),
                    size,
                    now,
                    now.saturating_add(ttl),
                );
            }
            answer
        }
    };
    let hydrated = hydrated::read(&answer, &session.authentication, passage)?;
    apply(hydrated, passage, session);
    Ok(())
}

/// The client's headers without those that the runtime has added.
fn without_runtimes(headers: &HeaderMap) -> HeaderMap {
    let names = headers.keys();
    let added = names.filter(|name| hop_by_hop::is_runtime_header(name.as_str()));
    let mut own = headers.clone();
    for name in added {
        own.remove(name);
    }
    own
}

/// The client's headers as a hydrator is shown them by default: no credential, and nothing that only a gateway may say.
fn shown(gateway: &Gateway, request: &Request) -> HeaderMap {
    let policy = gateway.policy();
    let mut seen = request.headers.clone();
    let names: Vec<HeaderName> = request.headers.keys().cloned().collect();
    for name in names {
        let spelling = name.as_str().replace('_', "-");
        let is_hidden = CREDENTIALS.iter().any(|own| own.as_str() == spelling)
            || policy.identity_headers.contains(&spelling)
            || !request.believes_forwarded && spelling.starts_with("x-forwarded");
        if is_hidden {
            seen.remove(&name);
        }
    }
    seen
}

/// The session as Oathkeeper writes it in JSON.
fn document(passage: &Passage<'_>, session: &Session, seen: &HeaderMap) -> Result<String, Refusal> {
    let view = SessionView::new(
        &session.authentication,
        passage.request,
        passage.captures,
        IdTokenField::Missing,
    );
    let view = if session.authentication.match_context.is_some() {
        view
    } else {
        view.with_request_headers(seen)
    };
    let style = Style {
        missing: Missing::Go,
        output: Output::Text,
    };
    Template::parse("session", "{{ . | toJson }}")
        .map_err(|error| Refusal::internal(error.to_string()))?
        .render(&TemplateValue::Object(&view), style)
        .map_err(|error| Refusal::internal(error.to_string()))
}

fn question(
    gateway: &Gateway,
    config: &Hydrator,
    passage: &Passage<'_>,
    seen: &HeaderMap,
    document: String,
) -> Result<Outbound, Refusal> {
    let mut headers = seen.clone();
    let names: Vec<HeaderName> = seen.keys().cloned().collect();
    for name in names {
        if OF_THE_CLIENT.contains(&name) || hop_by_hop::is_hop_by_hop(&name) {
            headers.remove(&name);
        }
    }
    if let Some(basic) = &config.basic {
        headers.insert(AUTHORIZATION, authorization(basic)?);
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(Outbound {
        method: "POST".to_owned(),
        url: url(&config.endpoint.url, passage),
        binding: config.endpoint.binding.clone(),
        headers,
        body: document.into_bytes(),
        timeout: gateway.one_try(),
        largest: LARGEST_ANSWER,
    })
}

/// Oathkeeper puts the request's query in place of the configured one. By default the configured one, where there is
/// one, is what the service gets.
fn url(configured: &str, passage: &Passage<'_>) -> String {
    let (base, own) = configured.split_once('?').unwrap_or((configured, ""));
    let sent = query::sorted(passage.request.query.as_deref().unwrap_or_default());
    let query = if passage.strict || own.is_empty() {
        sent.as_str()
    } else {
        own
    };
    // Go has a path at least.
    let has_path = base
        .split_once("://")
        .is_some_and(|(_, rest)| rest.contains('/'));
    let slash = if has_path || query.is_empty() {
        ""
    } else {
        "/"
    };
    match query {
        "" => base.to_owned(),
        query => format!("{base}{slash}?{query}"),
    }
}

/// RFC 7617 section 2.
fn authorization(basic: &BasicAuth) -> Result<HeaderValue, Refusal> {
    let value = crate::basic::encode(&basic.username, &basic.password);
    let mut value = HeaderValue::from_str(&value)
        .map_err(|_| Refusal::internal("the hydrator's credentials cannot be a header"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// The answer and its size.
async fn ask<R: Runtime>(
    gateway: &Gateway,
    runtime: &R,
    config: &Hydrator,
    passage: &Passage<'_>,
    question: &Outbound,
) -> Result<(Value, usize), Refusal> {
    let patience = if passage.strict {
        Patience::of_hydrator(config.retry, gateway.one_try())
    } else {
        Patience::of(config.retry)
    };
    let inbound = fetch(runtime, question, patience)
        .await
        .map_err(|gave_up| failed(&gave_up, &question.url, passage.strict))?;
    read(&inbound, config, passage.strict)
}

fn read(inbound: &Inbound, config: &Hydrator, strict: bool) -> Result<(Value, usize), Refusal> {
    let said = match inbound.status {
        200 => {
            let Some(body) = inbound.body.as_deref() else {
                return Err(hydrated::nonsense(
                    "the hydrator's answer is too large",
                    strict,
                ));
            };
            return match crate::go_json::first(body) {
                Ok(answer) => Ok((answer, body.len())),
                Err(error) => Err(hydrated::nonsense(&error.0, strict)),
            };
        }
        401 if config.basic.is_some() => {
            "Invalid credentials were provided in mutator configuration"
        }
        401 => "No credentials were provided in mutator configuration",
        _ => "The call to an external API returned a non-200 HTTP response",
    };
    let log = format!("the hydrator answered with status {}", inbound.status);
    Err(if strict {
        Refusal::new(500, said).logged(log)
    } else {
        Refusal::internal(log)
    })
}

/// There is no answer: by default whoever asked may try again.
fn failed(gave_up: &GaveUp, url: &str, strict: bool) -> Refusal {
    let log = format!("the hydrator failed: {}", gave_up.reason());
    if strict {
        let said = gave_up.in_gos_words("POST", url);
        return Refusal::new(500, format!("{} \"{url}\": {said}", capitalized("POST"))).logged(log);
    }
    let after = gave_up.retry_after().map(|seconds| seconds.to_string());
    hydrated::unavailable(log)
        .with_header(RETRY_AFTER, after.as_deref().unwrap_or(DEFAULT_RETRY_AFTER))
}

/// Puts the answer in place of the session. By default a part that is not there stays as it was, headers are laid over
/// those that were made before, and the request remains what it is.
fn apply(hydrated: Hydrated, passage: &Passage<'_>, session: &mut Session) {
    let authentication = &mut session.authentication;
    if passage.strict {
        authentication.extra = hydrated.extra.unwrap_or_default();
        authentication.headers = hydrated.headers.unwrap_or_default();
        authentication.match_context = Some(Rc::new(hydrated.match_context));
        return;
    }
    if let Some(extra) = hydrated.extra {
        authentication.extra = extra;
    }
    for (name, value) in hydrated.headers.iter().flatten() {
        authentication.headers.insert(name.clone(), value.clone());
    }
}
