//! Edgekeeper as a plain `wasi:http` 0.2 component, for `wasmtime serve` and every other host of that world.
//!
//! This is the whole adapter: it hands requests to [`edgekeeper_gateway::Deployment`], applies the changes that come back
//! to the headers, and passes bodies from stream to stream without looking. An instance serves one request at a time and
//! waits for everything in place; nothing of it is asynchronous, see [`blocking`].
//!
//! It is set up by its environment and by two folders:
//!
//! | variable | default | |
//! |---|---|---|
//! | `POLICY` | `/policy/policy.json` | the document that `edgekeeper build` makes |
//! | `STATE` | `/state` | the folder of signing keys and sessions; without it there is no store |
//! | `KEYS_SECRET` | | seals both |
//! | `LISTENER` | `proxy` | `api` for decisions, rules, keys and health, Oathkeeper's second port |
//!
//! ```sh
//! export KEYS_SECRET=...
//! wasmtime serve -Scli --dir policy::/policy --dir state::/state --env KEYS_SECRET edgekeeper.wasm
//! ```

mod blocking;
mod fetch;
mod relay;
mod runtime;
mod wire;

use std::rc::Rc;

use edgekeeper_component::fields;
use edgekeeper_component::instance::{self, Instance};
use edgekeeper_gateway::decision::{Answer, Decision};
use edgekeeper_gateway::request::RawRequest;
use wasi::http::types::{
    ErrorCode, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam,
};

use crate::fetch::ClientBody;
use crate::runtime::{Wasi, log_problem, setting};

struct Edgekeeper;

wasi::http::proxy::export!(Edgekeeper);

impl wasi::exports::http::incoming_handler::Guest for Edgekeeper {
    fn handle(request: IncomingRequest, response: ResponseOutparam) {
        let runtime = Wasi::new();
        match instance() {
            Ok(instance) => serve(&instance, &runtime, request, response),
            Err(reason) => {
                log_problem("policy", &reason);
                let method = wire::name(request.method());
                respond(response, &Answer::unavailable(), &method);
            }
        }
        runtime.finish_later();
    }
}

/// This instance. While it cannot be set up, each request tries again.
fn instance() -> Result<Rc<Instance>, String> {
    if let Some(instance) = instance::current() {
        return Ok(instance);
    }
    let path = setting("POLICY").unwrap_or_else(|| "/policy/policy.json".to_owned());
    let document = std::fs::read_to_string(&path).map_err(|error| {
        format!(
            "the policy {path} cannot be read: {error}; make it with `edgekeeper build` and let the host open its \
             folder, with wasmtime by `--dir FOLDER::/policy`"
        )
    })?;
    instance::set_up(&path, &document, setting("LISTENER").as_deref())
}

fn serve(
    instance: &Instance,
    runtime: &Wasi,
    request: IncomingRequest,
    response: ResponseOutparam,
) {
    let method = wire::name(request.method());
    let authority = request.authority().unwrap_or_default();
    let raw = RawRequest {
        method: method.clone(),
        url: wire::url(request.scheme(), &authority, request.path_with_query()),
        headers: fields::of_request(request.headers().entries(), &authority),
        listener: instance.listener,
        body: ClientBody(&request),
    };
    let (gateway, decision) = blocking::wait(instance.deployment.decide(runtime, raw));
    match decision {
        Decision::Answer(answer) => respond(response, &answer, &method),
        Decision::Forward(mut forward) => {
            let relayed = relay::pass(&gateway, runtime, &mut forward, request, response);
            if let Err((response, error)) = relayed {
                let answer = gateway.upstream_failed(runtime, &forward, error);
                respond(response, &answer, &method);
            }
        }
    }
}

/// An answer of the gateway's own.
fn respond(response: ResponseOutparam, answer: &Answer, method: &str) {
    let text = answer.body_for(method);
    let Ok(fields) = wire::fields(&fields::of_own_answer(answer, method)) else {
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
        && edgekeeper_pipe::write(&body, text.as_bytes()).is_ok()
    {
        // A client that has gone is no failure of ours.
        drop(OutgoingBody::finish(body, None));
    }
}
