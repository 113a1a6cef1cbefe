//! A request and its answer on their way through, both at the same time.

use std::time::Duration;

use edgekeeper_component::fields;
use edgekeeper_gateway::Gateway;
use edgekeeper_gateway::decision::{Forward, apply};
use edgekeeper_gateway::runtime::FetchError;
use edgekeeper_pipe::{Broken, Exchange, Source};
use wasi::http::types::{
    FutureIncomingResponse, IncomingRequest, IncomingResponse, OutgoingRequest, OutgoingResponse,
    RequestOptions, ResponseOutparam,
};

use crate::runtime::Wasi;
use crate::{blocking, fetch, wire};

/// How long a connection may take, as in Oathkeeper (the dialer of Go's default transport). wasmtime takes ten minutes.
const CONNECT: Duration = Duration::from_secs(30);

/// Sends the request on and its answer back, with the gateway's changes to both. Returns when both are through.
///
/// # Errors
/// Why there is no answer to send, with what to answer to instead.
pub(crate) fn pass(
    gateway: &Gateway,
    runtime: &Wasi,
    forward: &mut Forward,
    request: IncomingRequest,
    out: ResponseOutparam,
) -> Result<(), (ResponseOutparam, FetchError)> {
    let prepared = there(forward, request).and_then(|(answer, mut exchange)| {
        let response = exchange
            .until(|| fetch::answer(&answer), || answer.subscribe())
            .unwrap_or(Err(FetchError::Timeout))?;
        let (answer, source) = back(gateway, runtime, forward, &response)?;
        // No body at all, so that the host leaves a Content-Length as it is: HEAD has one of the body it does not send.
        let download = match source {
            None => None,
            Some(source) => source.into(answer.body().map_err(|()| FetchError::Unreachable)?),
        };
        Ok((answer, exchange, download))
    });
    match prepared {
        Ok((answer, exchange, download)) => {
            ResponseOutparam::set(out, Ok(answer));
            exchange.run(download);
            Ok(())
        }
        Err(error) => Err((out, error)),
    }
}

/// To the upstream: the request's head, with as much of its body as goes at once.
fn there(
    forward: &mut Forward,
    request: IncomingRequest,
) -> Result<(FutureIncomingResponse, Exchange), FetchError> {
    fetch::refuse_binding(forward.binding.as_deref())?;
    let mut headers = fields::of_answer(request.headers().entries());
    apply(&mut headers, &forward.edits);
    let source = match forward.body.take() {
        Some(body) => {
            fields::say_length(&mut headers, &wire::name(request.method()), &body);
            Source::held(body)
        }
        None => {
            let incoming = request.consume().map_err(|()| FetchError::Unreachable)?;
            Source::open(incoming, &headers).map_err(|Broken| FetchError::Unreachable)?
        }
    };
    let outgoing = OutgoingRequest::new(wire::fields(&headers)?);
    wire::aim(&outgoing, &request.method(), &forward.url)?;
    let upload = fetch::upload(source, &outgoing)?;
    let options = RequestOptions::new();
    let connect = u64::try_from(CONNECT.as_nanos()).unwrap_or(u64::MAX);
    // A host may not know this option; it then has a time of its own.
    let known = options.set_connect_timeout(Some(connect)).is_ok();
    let answer = fetch::send(outgoing, known.then_some(options))?;
    Ok((answer, Exchange::new(upload)))
}

/// Back to the client: the answer's head with the gateway's changes, and what there is of a body.
fn back(
    gateway: &Gateway,
    runtime: &Wasi,
    forward: &Forward,
    response: &IncomingResponse,
) -> Result<(OutgoingResponse, Option<Source>), FetchError> {
    let status = response.status();
    // The host takes no interim answer, and none is asked for.
    if status < 200 {
        return Err(FetchError::Unreachable);
    }
    let mut headers = fields::of_answer(response.headers().entries());
    let incoming = response.consume().map_err(|()| FetchError::Unreachable)?;
    let source = Source::open(incoming, &headers).map_err(|Broken| FetchError::Unreachable)?;
    let edits = blocking::wait(gateway.finish(runtime, forward, status, &headers));
    apply(&mut headers, &edits);
    let answer = OutgoingResponse::new(wire::fields(&headers)?);
    answer
        .set_status_code(status)
        .map_err(|()| FetchError::Unreachable)?;
    Ok((answer, source))
}
