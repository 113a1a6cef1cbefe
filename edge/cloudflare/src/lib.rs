//! Edgekeeper on Cloudflare Workers.
//!
//! This is the whole adapter: it hands requests to [`edgekeeper_gateway::Deployment`], applies the changes that come
//! back to the runtime's own request and response, and passes bodies on without looking. It works on `web_sys`
//! types, because the `http` types would carry every body through the Wasm at three times the cost.
//!
//! `scripts/build` wraps it in `shim.mjs`, which gives it the policy document before the first event:
//!
//! ```js
//! import * as gateway from './index.js';
//! import policy from './policy.json';
//! gateway.load_policy(policy);
//! ```

mod cache;
mod fetch;
mod headers;
mod runtime;

use std::cell::RefCell;
use std::rc::Rc;

use edgekeeper_gateway::decision::{Answer, Decision, Forward};
use edgekeeper_gateway::request::{Listener, RawRequest};
use edgekeeper_gateway::runtime::FetchError;
use edgekeeper_gateway::{Deployment, Gateway};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsError, JsValue};
use web_sys::{Request, RequestCache, RequestInit, Response, ResponseInit};
use worker::{Context, Env, ScheduleContext, ScheduledEvent, console_error, event};

use crate::fetch::ClientBody;
use crate::runtime::Cloudflare;

thread_local! {
    static DEPLOYMENT: RefCell<Option<Rc<Deployment>>> = const { RefCell::new(None) };
}

/// Puts the deployed policy document in force. Called once per instance, before any event.
///
/// # Errors
/// When the document cannot be used. Thrown at start-up, it fails the deploy and not the first visitor.
#[wasm_bindgen]
pub fn load_policy(text: &str) -> Result<(), JsError> {
    let deployment = Deployment::new(text).map_err(|error| JsError::new(&error))?;
    DEPLOYMENT.with(|current| *current.borrow_mut() = Some(deployment));
    Ok(())
}

fn deployment() -> worker::Result<Rc<Deployment>> {
    let deployment = DEPLOYMENT.with(|current| current.borrow().clone());
    deployment.ok_or_else(|| "no policy is loaded".into())
}

/// Decides a request, and answers it or sends it on.
#[event(fetch)]
async fn fetch(request: Request, env: Env, context: Context) -> worker::Result<Response> {
    let deployment = deployment()?;
    let runtime = Cloudflare::new(env, move |task| context.wait_until(task));
    let raw = RawRequest {
        method: request.method(),
        url: request.url(),
        headers: headers::read(&request.headers())?,
        listener: listener(&runtime.env),
        body: ClientBody(&request),
    };
    let (gateway, decision) = deployment.decide(&runtime, raw).await;
    match decision {
        Decision::Answer(answer) => Ok(respond(&answer, &request.method())?),
        Decision::Forward(decision) => Ok(match forward(&runtime, &decision, &request).await {
            Ok(response) => finish(&gateway, &runtime, &decision, response).await?,
            Err(error) => {
                let answer = gateway.upstream_failed(&runtime, &decision, error);
                respond(&answer, &request.method())?
            }
        }),
    }
}

/// The schedule's work: makes the next signing key when it is due.
#[event(scheduled)]
async fn scheduled(_event: ScheduledEvent, env: Env, context: ScheduleContext) {
    let runtime = Cloudflare::new(env, move |task| context.wait_until(task));
    if let Ok(deployment) = deployment()
        && let Err(error) = deployment.scheduled(&runtime).await
    {
        console_error!("the next signing key could not be made: {error}");
    }
}

/// Which of Oathkeeper's two listeners this Worker is. Deployed it is the proxy; `api.hosts` gives the API hosts.
fn listener(env: &Env) -> Listener {
    match env.var("LISTENER") {
        Ok(name) if name.to_string() == "api" => Listener::Api,
        _ => Listener::Proxy,
    }
}

/// Sends the request on with the gateway's changes. Its body goes from stream to stream, unless it was read.
async fn forward(
    runtime: &Cloudflare,
    decision: &Forward,
    request: &Request,
) -> Result<Response, FetchError> {
    let upstream = upstream(decision, request).map_err(|_| FetchError::Unreachable)?;
    let options = RequestInit::new();
    if decision.is_private() {
        // Cloudflare's cache goes by the URL; what one person may see is not to be found there by another.
        options.set_cache(RequestCache::NoStore);
    }
    let binding = decision.binding.as_deref();
    let response = fetch::send(&runtime.env, binding, &upstream, &options).await?;
    match response.status() {
        // workerd takes an interim answer for the last one; what follows on that connection is nobody's answer.
        100 | 102..=199 => Err(FetchError::Unreachable),
        _ => Ok(response),
    }
}

/// The request as the upstream gets it.
fn upstream(decision: &Forward, request: &Request) -> Result<Request, JsValue> {
    let method = request.method();
    let upstream = if decision.body.is_none() && !fetch::has_no_body(&method) {
        // A request serves as its own init: method, headers and the unread body.
        Request::new_with_str_and_init(&decision.url, request.unchecked_ref())?
    } else {
        let init = RequestInit::new();
        init.set_method(&method);
        init.set_headers(&request.headers());
        if let Some(body) = &decision.body {
            fetch::set_body(&init, &method, body);
        }
        Request::new_with_str_and_init(&decision.url, &init)?
    };
    headers::apply(&upstream.headers(), &decision.edits)?;
    Ok(upstream)
}

/// The upstream's answer with the gateway's changes. Without any, and for a WebSocket, it is the upstream's own object.
async fn finish(
    gateway: &Gateway,
    runtime: &Cloudflare,
    decision: &Forward,
    response: Response,
) -> Result<Response, JsValue> {
    let status = response.status();
    let received = headers::read(&response.headers())?;
    let edits = gateway.finish(runtime, decision, status, &received).await;
    if edits.is_empty() || status == 101 {
        return Ok(response);
    }
    let changed = Response::new_with_opt_readable_stream_and_init(
        response.body().as_ref(),
        response.unchecked_ref::<ResponseInit>(),
    )?;
    headers::apply(&changed.headers(), &edits)?;
    Ok(changed)
}

/// An answer of the gateway's own.
fn respond(answer: &Answer, method: &str) -> Result<Response, JsValue> {
    let init = ResponseInit::new();
    init.set_status(answer.status);
    let sent = answer.headers.iter().map(|(name, value)| (name, value));
    init.set_headers(&headers::write(sent)?);
    let body = answer.body_for(method);
    Response::new_with_opt_str_and_init((!body.is_empty()).then_some(body), &init)
}
