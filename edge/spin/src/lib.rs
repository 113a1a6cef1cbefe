//! Edgekeeper on Spin.
//!
//! This is the whole adapter: it hands requests to [`edgekeeper_gateway::Gateway`], applies the changes that come back
//! to the headers, and gives the bodies back to Spin as it got them, without reading: Spin then connects the two sides
//! itself, in both directions at once.
//!
//! It is set up by `spin.toml`, which names what it takes from Spin:
//!
//! | variable | default | |
//! |---|---|---|
//! | `policy` | `file:/policy.json` | the document that `edgekeeper build` makes; `store:NAME` takes it from the key-value store |
//! | `listener` | `proxy` | `api` for keys and health alone, Oathkeeper's second port |
//! | `keys_secret` | | seals signing keys and what instances tell each other of sessions |
//!
//! Built with the feature `middleware` it can also stand before the other components of a Spin app, see
//! `examples/spin-middleware`.

mod exchange;
mod fetch;
mod instance;
mod relay;
mod runtime;
mod store;

use edgekeeper_gateway::decision::{Answer, Decision};
use edgekeeper_gateway::fields;
use edgekeeper_gateway::request::RawRequest;
use spin_sdk::wasip3::exports::http::handler::Guest;
use spin_sdk::wasip3::http::types::{ErrorCode, Method, Request, Response, Scheme};

use crate::runtime::{Spin, log_problem};

struct Edgekeeper;

spin_sdk::wasip3::http::service::export!(Edgekeeper);

impl Guest for Edgekeeper {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let method = method(&request);
        let instance = match instance::current().await {
            Ok(instance) => instance,
            Err(reason) => {
                log_problem("policy", &reason);
                return exchange::answer(&Answer::unavailable(), &method);
            }
        };
        let authority = request.get_authority().unwrap_or_default();
        let headers = fields::of_request(request.get_headers().copy_all(), &authority);
        let raw = RawRequest {
            method: method.clone(),
            url: url(&request, &authority),
            headers: headers.clone(),
            listener: instance.listener,
        };
        match instance.gateway.decide(&Spin, raw).await {
            Decision::Answer(answer) => exchange::answer(&answer, &method),
            Decision::Forward(forward) => {
                relay::pass(&instance.gateway, &forward, request, headers, &method).await
            }
        }
    }
}

fn method(request: &Request) -> String {
    let name = match request.get_method() {
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

/// The URL, from the parts that Spin made of the request line and `Host`. Its header `spin-full-url` says the same, but
/// a client can send one, too. `OPTIONS *` comes out as a URL that is none.
fn url(request: &Request, authority: &str) -> String {
    let scheme = match request.get_scheme() {
        Some(Scheme::Https) => "https",
        Some(Scheme::Http) | None => "http",
        Some(Scheme::Other(_)) => "other",
    };
    let target = request.get_path_with_query().unwrap_or_default();
    format!("{scheme}://{authority}{target}")
}
