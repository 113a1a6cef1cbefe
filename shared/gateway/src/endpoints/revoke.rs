//! `POST /.edge/sessions/revoke`: ends what is remembered of a session, or of all sessions of an identity.
//!
//! Whoever knows the secret that `session.revocation_secret` names may say so: Kratos by a web hook, or a program. Who is
//! signed in remains Kratos' to say, so the worst that a message can do is a question to Kratos.

use std::rc::Rc;

use edgekeeper_session::revocation::message::{Message, MessageError};
use edgekeeper_token::hs256::SHORTEST_SECRET;
use edgekeeper_token::object::parse_object;
use http::HeaderValue;
use http::header::{ALLOW, RETRY_AFTER};
use serde_json::Value;

use super::{no_store, refused};
use crate::Gateway;
use crate::body::Body;
use crate::decision::Answer;
use crate::refusal::{DEFAULT_RETRY_AFTER, INTERNAL, Refusal};
use crate::request::Request;
use crate::revocations::{self, Effect};
use crate::runtime::{RequestBody, Runtime};
use crate::trace::Trace;

/// Where it is.
pub(super) const PATH: &str = "/.edge/sessions/revoke";

/// The largest body, in bytes.
const LARGEST: usize = 16 << 10;

/// 204 when the message has its effect or had it before. Errors are told in the same form in both modes: Oathkeeper has no
/// such endpoint.
pub(super) async fn answer<R: Runtime, B: RequestBody>(
    gateway: &Rc<Gateway>,
    runtime: &R,
    request: &Request,
    body: &Body<B>,
    trace: &mut Trace,
) -> Answer {
    let mut answer = match revoke(gateway, runtime, request, body).await {
        Ok(effect) => {
            trace.reason = Some(
                match effect {
                    Effect::Now => "a revocation",
                    Effect::Before => "a revocation that was known",
                }
                .to_owned(),
            );
            Answer {
                status: 204,
                headers: Vec::new(),
                body: String::new(),
            }
        }
        Err(refusal) => refused(request, refusal, trace),
    };
    answer.headers.push(no_store());
    answer
}

async fn revoke<R: Runtime, B: RequestBody>(
    gateway: &Rc<Gateway>,
    runtime: &R,
    request: &Request,
    body: &Body<B>,
) -> Result<Effect, Refusal> {
    if request.method != "POST" {
        let mut refusal = Refusal::new(405, "Method Not Allowed: revocations are sent with POST");
        refusal
            .headers
            .push((ALLOW, HeaderValue::from_static("POST")));
        return Err(refusal);
    }
    let name = gateway
        .policy()
        .session
        .revocation_secret
        .as_deref()
        .unwrap_or_default();
    let secret = runtime.secret(name).await.unwrap_or_default();
    if secret.len() < SHORTEST_SECRET {
        return Err(Refusal::new(500, INTERNAL).logged(format!(
            "the runtime's secret {name}, which `session.revocation_secret` names, is not set or shorter than {SHORTEST_SECRET} bytes"
        )));
    }
    let body = body.at_most(LARGEST).await?;
    let token = token(&body).ok_or_else(|| {
        Refusal::new(
            400,
            r#"the body must be a JSON object with the signed message: {"token":"…"}"#,
        )
    })?;
    let message = Message::read(&token, secret.as_bytes(), runtime.seconds()).map_err(|error| {
        let status = match error {
            MessageError::Signature => 401,
            _ => 400,
        };
        Refusal::new(status, error.to_string())
    })?;
    revocations::revoke(gateway, runtime, &message)
        .await
        .map_err(|error| {
            Refusal::new(
                503,
                "the revocation could not be written; please send it again",
            )
            .with_header(RETRY_AFTER, DEFAULT_RETRY_AFTER)
            .logged(format!("the revocation could not be written: {error}"))
        })
}

fn token(body: &[u8]) -> Option<String> {
    let mut body = parse_object(std::str::from_utf8(body).ok()?).ok()?;
    match body.remove("token") {
        Some(Value::String(token)) if body.is_empty() => Some(token),
        _ => None,
    }
}
