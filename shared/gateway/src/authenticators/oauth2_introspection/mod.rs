//! `oauth2_introspection`: asks an authorization server about a token (RFC 7662).

mod answer;
mod pre_authorization;

use std::rc::Rc;

use edgekeeper_policy::authenticator::{OAuth2Introspection, ScopeStrategy};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue};
use serde_json::{Map, Value};

use self::answer::Introspected;
use super::token_endpoint::FORM;
use super::{Denied, token};
use crate::answers::{self, AnswerKey};
use crate::authentication::{Authentication, Extra};
use crate::refusal::{DEFAULT_RETRY_AFTER, Refusal};
use crate::request::Request;
use crate::runtime::{Inbound, Outbound, Runtime};
use crate::{Gateway, go_json, grant, outbound, query, rate_limit, retry};

/// The most that is read of an answer, in bytes.
const LARGEST: usize = 256 << 10;

/// Why a token could not be introspected.
struct Failure {
    /// Oathkeeper's words, for strict mode.
    text: String,
    /// What the log learns: nothing of an answer's body.
    log: String,
    retry_after: Option<String>,
}

impl Failure {
    fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            log: text.clone(),
            text,
            retry_after: None,
        }
    }

    /// 500 in Oathkeeper. But the token may be good, and trying again may help.
    fn into_refusal(self, strict: bool) -> Refusal {
        let refusal = if strict {
            Refusal::new(500, self.text.clone())
        } else {
            let after = self.retry_after.as_deref().unwrap_or(DEFAULT_RETRY_AFTER);
            Refusal::new(503, "The token could not be checked; please try again")
                .with_header(RETRY_AFTER, after)
        };
        refusal.logged(format!("introspection failed: {}", self.log))
    }
}

pub(super) async fn authenticate<R: Runtime>(
    gateway: &Rc<Gateway>,
    runtime: &R,
    config: &OAuth2Introspection,
    request: &Request,
) -> Result<Authentication, Denied> {
    let strict = gateway.policy().strict;
    let token = token::find(&config.token_from, &config.prefix, request, strict)?;
    let asked = runtime.now();
    let failed = |text: String| Denied::from(Failure::new(text).into_refusal(strict));
    let key = cache_key(config, &token, request, strict);
    if let Some(key) = &key
        && let Some(document) = gateway.memory().answer(key, asked)
    {
        let known = Introspected::read(&document, strict).map_err(failed)?;
        return judge(config, &known, strict, asked);
    }
    let (document, size) = ask(gateway, runtime, config, &token, request).await?;
    let introspected = Introspected::read(&document, strict).map_err(failed)?;
    let authentication = judge(config, &introspected, strict, runtime.now())?;
    if let Some(key) = key
        && let Some(until) = until(config, &introspected, asked)
    {
        gateway
            .memory()
            .remember_answer(key, Rc::new(document), size, asked, until);
    }
    Ok(authentication)
}

/// Under which name an answer is kept: the token, the endpoint, and all else that the question depends on. `None` when it
/// is not kept. Rules that ask the same question share its answer; what they make of it is each one's own.
fn cache_key(
    config: &OAuth2Introspection,
    token: &str,
    request: &Request,
    strict: bool,
) -> Option<AnswerKey> {
    config.cache_ttl?;
    let scope = asked_scope(config);
    // Oathkeeper's key knows no scope, so it keeps nothing here.
    if strict && !scope.is_empty() {
        return None;
    }
    let host = if config.preserve_host {
        request.authority()
    } else {
        String::new()
    };
    let (url, client, audience, own_scope) = match &config.pre_authorization {
        None => ("", "", "", String::new()),
        Some(own) => (
            own.endpoint.url.as_str(),
            own.client_id.as_str(),
            own.audience.as_str(),
            own.scope.join(" "),
        ),
    };
    let mut parts: Vec<&[u8]> = [
        token,
        &config.endpoint.url,
        &scope,
        &host,
        url,
        client,
        audience,
        &own_scope,
    ]
    .into_iter()
    .map(str::as_bytes)
    .collect();
    for (name, value) in &config.headers {
        parts.extend([name.as_bytes(), value.as_bytes()]);
    }
    Some(answers::key("oauth2_introspection", &parts))
}

/// The scopes that the endpoint is asked to compare: with a strategy, it is done here.
fn asked_scope(config: &OAuth2Introspection) -> String {
    match config.scope_strategy {
        ScopeStrategy::None => config.required_scope.join(" "),
        _ => String::new(),
    }
}

/// Until when an answer counts, in Unix milliseconds: the configured time and never past the token's end. `None` without
/// either.
fn until(config: &OAuth2Introspection, introspected: &Introspected<'_>, asked: u64) -> Option<u64> {
    let configured = match config.cache_ttl? {
        0 => None,
        ttl => Some(asked.saturating_add(ttl)),
    };
    match (configured, introspected.end()) {
        (Some(configured), Some(end)) => Some(configured.min(end)),
        (one, other) => one.or(other),
    }
}

/// Asks; a token of the gateway's own that is no longer good is replaced once.
async fn ask<R: Runtime>(
    gateway: &Rc<Gateway>,
    runtime: &R,
    config: &OAuth2Introspection,
    token: &str,
    request: &Request,
) -> Result<(Value, usize), Denied> {
    let strict = gateway.policy().strict;
    let denied = |failure: Failure| Denied::from(failure.into_refusal(strict));
    let mut inbound = None;
    for attempt in [Attempt::First, Attempt::Renewed] {
        let mut outbound = question(gateway, config, token, request);
        let mut was_remembered = false;
        if let Some(own) = &config.pre_authorization {
            let renew = attempt == Attempt::Renewed;
            let authorization = pre_authorization::authorization(gateway, runtime, own, renew)
                .await
                .map_err(|why| {
                    denied(Failure {
                        log: why.reason(),
                        ..Failure::new(format!("Post \"{}\": {}", config.endpoint.url, why.text()))
                    })
                })?;
            was_remembered = authorization.was_remembered;
            outbound.headers.insert(AUTHORIZATION, authorization.value);
        }
        let answer = runtime.ask(outbound).await.map_err(|error| {
            denied(Failure {
                log: error.reason().to_owned(),
                ..Failure::new(retry::no_answer("POST", &config.endpoint.url, error))
            })
        })?;
        let again = answer.status == 401 && was_remembered;
        inbound = Some(answer);
        if !again {
            break;
        }
    }
    match inbound {
        Some(inbound) if inbound.status == 429 && strict => {
            Err(rate_limit::refusal(&inbound.headers)
                .logged("the introspection endpoint answered 429")
                .into())
        }
        Some(inbound) => document(inbound, strict).map_err(denied),
        None => Err(denied(Failure::new("nothing was asked"))),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Attempt {
    First,
    Renewed,
}

fn question(
    gateway: &Gateway,
    config: &OAuth2Introspection,
    token: &str,
    request: &Request,
) -> Outbound {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    outbound::set_configured(&mut headers, &config.headers);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(FORM));
    if config.preserve_host {
        outbound::tell_host(&mut headers, request);
    }
    let scope = asked_scope(config);
    // Oathkeeper sends it even when it is empty.
    let sends_scope = config.scope_strategy == ScopeStrategy::None
        && (gateway.policy().strict || !scope.is_empty());
    let mut body = String::new();
    if sends_scope {
        body = format!("scope={}&", query::encode(&scope));
    }
    body.push_str("token=");
    body.push_str(&query::encode(token));
    Outbound {
        method: "POST".to_owned(),
        url: config.endpoint.url.clone(),
        binding: config.endpoint.binding.clone(),
        headers,
        body: body.into_bytes(),
        timeout: gateway.one_try(),
        largest: LARGEST,
    }
}

/// The document of an answer, and how many bytes its text had.
fn document(inbound: Inbound, strict: bool) -> Result<(Value, usize), Failure> {
    if inbound.status != 200 {
        let retry_after = inbound.headers.get(RETRY_AFTER);
        return Err(Failure {
            retry_after: retry_after
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned),
            ..Failure::new(format!(
                "Introspection returned status code {} but expected 200",
                inbound.status
            ))
        });
    }
    let Some(body) = inbound.body else {
        return Err(Failure::new("the answer is larger than 256 KiB"));
    };
    if !strict {
        go_json::check(&body).map_err(|error| Failure::new(error.0))?;
    }
    let document = go_json::first(&body).map_err(|error| Failure::new(error.0))?;
    Ok((document, body.len()))
}

/// What a rule makes of a token, remembered or not.
fn judge(
    config: &OAuth2Introspection,
    introspected: &Introspected<'_>,
    strict: bool,
    now: u64,
) -> Result<Authentication, Denied> {
    let refused = |refusal: Refusal, reason: String| {
        Err(Denied::from(
            refusal.with_reason(reason.clone()).logged(reason),
        ))
    };
    if !matches!(introspected.token_use, "" | "access_token") {
        return refused(
            Refusal::forbidden(),
            format!(
                "Use of introspected token is not an access token but {:?}",
                introspected.token_use
            ),
        );
    }
    if !introspected.active {
        return refused(
            Refusal::unauthorized(),
            "Access token is not active".to_owned(),
        );
    }
    if introspected.has_ended(now, strict) {
        return refused(Refusal::unauthorized(), "Access token expired".to_owned());
    }
    if let Some(audience) = grant::missing_audience(&config.target_audience, &introspected.audience)
    {
        return refused(
            Refusal::forbidden(),
            format!("Token audience is not intended for target audience {audience}"),
        );
    }
    if !grant::trusts(&config.trusted_issuers, introspected.issuer) {
        return refused(
            Refusal::forbidden(),
            "Token issuer does not match any trusted issuer".to_owned(),
        );
    }
    let granted: Vec<&str> = introspected.scope.split(' ').collect();
    if let Some(scope) =
        grant::missing_scope(config.scope_strategy, &config.required_scope, &granted)
    {
        return refused(
            Refusal::forbidden(),
            format!("Scope {scope} was not granted"),
        );
    }
    Ok(Authentication {
        extra: Extra::Own(Value::Object(extra(introspected))),
        ..Authentication::of(introspected.subject)
    })
}

/// `.Extra`: `ext`, and over it what the server says of the token.
fn extra(introspected: &Introspected<'_>) -> Map<String, Value> {
    let mut extra = introspected.extra.cloned().unwrap_or_default();
    for (name, value) in [
        ("username", introspected.username),
        ("client_id", introspected.client_id),
        ("scope", introspected.scope),
    ] {
        extra.insert(name.to_owned(), value.into());
    }
    if !introspected.audience.is_empty() {
        let audience = introspected.audience.iter().map(|&one| one.into());
        extra.insert("aud".to_owned(), Value::Array(audience.collect()));
    }
    extra
}
