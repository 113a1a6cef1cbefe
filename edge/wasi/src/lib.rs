//! Edgekeeper as a plain `wasi:http` 0.2 component, for `wasmtime serve` and every other host of that world.
//!
//! This is the whole adapter: it hands requests to [`edgekeeper_gateway::Gateway`], applies the changes that come back
//! to the host's own header fields, and passes bodies from stream to stream without looking. An instance serves one
//! request at a time and waits for everything in place; nothing of it is asynchronous, see [`blocking`].
//!
//! It is set up by its environment and by two folders:
//!
//! | variable | default | |
//! |---|---|---|
//! | `POLICY` | `/policy/policy.json` | the document that `edgekeeper build` makes |
//! | `STATE` | `/state` | the folder of signing keys and sessions; without it there is no store |
//! | `KEYS_SECRET` | | seals both |
//! | `LISTENER` | `proxy` | `api` for keys and health alone, Oathkeeper's second port |
//!
//! ```sh
//! export KEYS_SECRET=...
//! wasmtime serve -Scli --dir policy::/policy --dir state::/state --env KEYS_SECRET edgekeeper.wasm
//! ```

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::string_slice,
        clippy::arithmetic_side_effects
    )
)]

mod blocking;
mod fetch;
mod pipe;
mod relay;
mod runtime;
mod store;

use std::cell::RefCell;
use std::rc::Rc;

use edgekeeper_gateway::decision::{Answer, Decision};
use edgekeeper_gateway::request::{Listener, RawRequest};
use edgekeeper_gateway::{Gateway, fields};
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderValue};
use wasi::http::types::{
    ErrorCode, IncomingRequest, Method, OutgoingBody, OutgoingResponse, ResponseOutparam, Scheme,
};

use crate::runtime::{Wasi, log_problem, setting};

struct Edgekeeper;

wasi::http::proxy::export!(Edgekeeper);

impl wasi::exports::http::incoming_handler::Guest for Edgekeeper {
    fn handle(request: IncomingRequest, response: ResponseOutparam) {
        let runtime = Wasi::new();
        match gateway() {
            Ok(gateway) => serve(&gateway, &runtime, request, response),
            Err(reason) => {
                log_problem("policy", &reason);
                respond(response, &Answer::unavailable(), &method(&request));
            }
        }
        runtime.finish_later();
    }
}

fn serve(
    gateway: &Rc<Gateway>,
    runtime: &Wasi,
    request: IncomingRequest,
    response: ResponseOutparam,
) {
    let method = method(&request);
    let authority = request.authority().unwrap_or_default();
    let raw = RawRequest {
        method: method.clone(),
        url: url(&request, &authority),
        headers: fields::of_request(request.headers().entries(), &authority),
        listener: listener(),
    };
    match blocking::wait(gateway.decide(runtime, raw)) {
        Decision::Answer(answer) => respond(response, &answer, &method),
        Decision::Forward(forward) => {
            relay::pass(gateway, runtime, &forward, request, response);
        }
    }
}

/// An answer of the gateway's own.
fn respond(response: ResponseOutparam, answer: &Answer, method: &str) {
    let text = answer.body_for(method);
    let mut headers: HeaderMap = answer.headers.iter().cloned().collect();
    if !text.is_empty() {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(text.len()));
    }
    let Ok(fields) = fetch::fields(&headers) else {
        // That one is small; the log says what this one was.
        return respond(response, &Answer::unavailable(), method);
    };
    let outgoing = OutgoingResponse::new(fields);
    if outgoing.set_status_code(answer.status).is_err() {
        log_problem("answer", "the host does not take its status");
        return ResponseOutparam::set(response, Err(ErrorCode::InternalError(None)));
    }
    let body = (!text.is_empty()).then(|| outgoing.body());
    ResponseOutparam::set(response, Ok(outgoing));
    if let Some(Ok(body)) = body
        && blocking::write(&body, text.as_bytes()).is_ok()
    {
        // A client that has gone is no failure of ours.
        drop(OutgoingBody::finish(body, None));
    }
}

thread_local! {
    /// The policy in force, for as long as the host keeps the instance.
    static GATEWAY: RefCell<Option<Rc<Gateway>>> = const { RefCell::new(None) };
}

/// The gateway of this instance. While the policy cannot be loaded, each request tries again.
fn gateway() -> Result<Rc<Gateway>, String> {
    if let Some(gateway) = GATEWAY.with(|known| known.borrow().clone()) {
        return Ok(gateway);
    }
    let path = setting("POLICY").unwrap_or_else(|| "/policy/policy.json".to_owned());
    let document = std::fs::read_to_string(&path).map_err(|error| {
        format!(
            "the policy {path} cannot be read: {error}; make it with `edgekeeper build` and let the host open its \
             folder, with wasmtime by `--dir FOLDER::/policy`"
        )
    })?;
    let gateway = Gateway::from_json(&document)
        .map_err(|error| format!("the policy {path} cannot be used: {error}"))?;
    GATEWAY.with(|known| *known.borrow_mut() = Some(Rc::clone(&gateway)));
    Ok(gateway)
}

/// Which of Oathkeeper's two listeners this process is.
fn listener() -> Listener {
    match setting("LISTENER").as_deref() {
        Some("api") => Listener::Api,
        _ => Listener::Proxy,
    }
}

fn method(request: &IncomingRequest) -> String {
    let name = match request.method() {
        Method::Get => "GET",
        Method::Head => "HEAD",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Delete => "DELETE",
        Method::Connect => "CONNECT",
        Method::Options => "OPTIONS",
        Method::Trace => "TRACE",
        Method::Patch => "PATCH",
        Method::Other(name) => return name,
    };
    name.to_owned()
}

/// The URL, put together from the parts that the host took it apart into. What is none comes out as none: `OPTIONS *`,
/// and a `Host` that reaches into the path.
fn url(request: &IncomingRequest, authority: &str) -> String {
    let scheme = match request.scheme() {
        Some(Scheme::Https) => "https",
        Some(Scheme::Http) | None => "http",
        Some(Scheme::Other(_)) => "other",
    };
    let authority = if authority.contains(['/', '?', '#']) {
        ""
    } else {
        authority
    };
    let target = request.path_with_query().unwrap_or_default();
    format!("{scheme}://{authority}{target}")
}
