//! Edgekeeper on Spin.
//!
//! This is the whole adapter: it hands requests to [`edgekeeper_gateway::Deployment`], applies the changes that come back
//! to the headers, and gives the bodies back to Spin as it got them, without reading: Spin then connects the two sides
//! itself, in both directions at once.
//!
//! It is set up by `spin.toml`, which names what it takes from Spin:
//!
//! | variable | default | |
//! |---|---|---|
//! | `policy` | `file:/policy.json` | the document that `edgekeeper build` makes; `store:NAME` takes it from the key-value store |
//! | `listener` | `proxy` | `api` for decisions, rules, keys and health, Oathkeeper's second port |
//! | `keys_secret` | | seals signing keys and what instances tell each other of sessions |
//!
//! Built with the feature `middleware` it can also stand before the other components of a Spin app, see
//! `examples/spin-middleware`.

mod exchange;
mod fetch;
mod instance;
mod runtime;
mod store;
mod wire;

use std::cell::Cell;

use edgekeeper_component::fields;
use edgekeeper_component::http::HeaderMap;
use edgekeeper_gateway::Gateway;
use edgekeeper_gateway::decision::{Answer, Decision, Forward, apply};
use edgekeeper_gateway::request::RawRequest;
use edgekeeper_gateway::runtime::FetchError;
use spin_sdk::wasip3::exports::http::handler::Guest;
use spin_sdk::wasip3::http::types::{ErrorCode, Request, Response};

use crate::fetch::ClientBody;
use crate::runtime::{Spin, log_problem};

struct Edgekeeper;

spin_sdk::wasip3::http::service::export!(Edgekeeper);

impl Guest for Edgekeeper {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let method = wire::name(request.get_method());
        let instance = match instance::current().await {
            Ok(instance) => instance,
            Err(reason) => {
                log_problem("policy", &reason);
                return exchange::answer(&Answer::unavailable(), &method);
            }
        };
        let authority = request.get_authority().unwrap_or_default();
        let headers = fields::of_request(request.get_headers().copy_all(), &authority);
        let url = wire::url(
            request.get_scheme(),
            &authority,
            request.get_path_with_query(),
        );
        let unread = Cell::new(Some(request));
        let raw = RawRequest {
            method: method.clone(),
            url,
            headers: headers.clone(),
            listener: instance.listener,
            body: ClientBody(&unread),
        };
        let spin = Spin::default();
        let (gateway, decision) = instance.deployment.decide(&spin, raw).await;
        match decision {
            Decision::Answer(answer) => exchange::answer(&answer, &method),
            Decision::Forward(mut forward) => {
                let sent = there(&mut forward, unread.take(), headers, &method).await;
                pass(&gateway, &spin, &forward, sent, &method).await
            }
        }
    }
}

/// Brings back what came of a request that was sent on, with the gateway's changes.
async fn pass(
    gateway: &Gateway,
    spin: &Spin,
    forward: &Forward,
    sent: Result<Response, FetchError>,
    method: &str,
) -> Result<Response, ErrorCode> {
    let result = async { back(gateway, spin, forward, sent?).await };
    result
        .await
        .or_else(|error| exchange::answer(&gateway.upstream_failed(spin, forward, error), method))
}

/// To the upstream, with the gateway's changes. Its answer comes as soon as it begins, whether or not the request's body
/// has ended.
async fn there(
    forward: &mut Forward,
    unread: Option<Request>,
    mut headers: HeaderMap,
    method: &str,
) -> Result<Response, FetchError> {
    apply(&mut headers, &forward.edits);
    let (body, end) = match (forward.body.take(), unread) {
        (Some(read), _) => {
            fields::say_length(&mut headers, method, &read);
            (exchange::held(read), exchange::end())
        }
        // A body that nobody has read is not copied through the Wasm, and breaks off for the upstream when it does for us.
        (None, Some(request)) => {
            let (body, end) = Request::consume_body(request, exchange::taken());
            (Some(body), end)
        }
        (None, None) => return Err(FetchError::Unreachable),
    };
    let method = wire::method_named(method);
    let upstream = exchange::request(&method, &forward.url, &headers, body, end)?;
    fetch::send(upstream, forward.binding.as_deref()).await
}

/// Back to the client, who sees it when the upstream breaks off.
async fn back(
    gateway: &Gateway,
    spin: &Spin,
    forward: &Forward,
    response: Response,
) -> Result<Response, FetchError> {
    let status = response.get_status_code();
    let mut headers = fields::of_answer(response.get_headers().copy_all());
    let edits = gateway.finish(spin, forward, status, &headers).await;
    apply(&mut headers, &edits);
    let (body, end) = Response::consume_body(response, exchange::taken());
    let (answer, _sent) = Response::new(wire::fields(&headers)?, Some(body), end);
    answer
        .set_status_code(status)
        .map_err(|()| FetchError::Unreachable)?;
    Ok(answer)
}
