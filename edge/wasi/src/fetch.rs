//! Requests that leave the gateway.

use std::time::Duration;

use edgekeeper_component::fields;
use edgekeeper_gateway::runtime::{FetchError, Inbound, Outbound};
use edgekeeper_pipe::timer;
use wasi::http::outgoing_handler;
use wasi::http::types::{
    FutureIncomingResponse, IncomingResponse, OutgoingRequest, RequestOptions,
};
use wasi::io::poll::{Pollable, poll};
use wasi::io::streams::StreamError;

use crate::runtime::log_problem;
use crate::wire;

/// The most to ask a stream for at once, in bytes.
const CHUNK: u64 = 64 * 1024;

/// Starts to send a request. Redirects are not followed.
pub(crate) fn send(
    request: OutgoingRequest,
    options: Option<RequestOptions>,
) -> Result<FutureIncomingResponse, FetchError> {
    outgoing_handler::handle(request, options).map_err(|error| wire::failure(&error))
}

/// The answer's head, once it is there.
pub(crate) fn answer(
    future: &FutureIncomingResponse,
) -> Option<Result<IncomingResponse, FetchError>> {
    Some(match future.get()? {
        Ok(Ok(response)) => Ok(response),
        Ok(Err(error)) => Err(wire::failure(&error)),
        // It was taken before, which nobody does.
        Err(()) => Err(FetchError::Unreachable),
    })
}

/// A binding is Cloudflare's way to name a service; here is only the network.
pub(crate) fn refuse_binding(binding: Option<&str>) -> Result<(), FetchError> {
    let Some(name) = binding else {
        return Ok(());
    };
    log_problem(
        "binding",
        &format!(
            "the policy names the service binding `{name}`, which only Cloudflare has; leave `binding` out of edge.yml \
             and write the address of the service as `url`"
        ),
    );
    Err(FetchError::Unreachable)
}

/// Sends a request of the gateway's own and reads the answer, no longer and no further than it says.
pub(crate) fn whole(outbound: &Outbound) -> Result<Inbound, FetchError> {
    refuse_binding(outbound.binding.as_deref())?;
    let request = OutgoingRequest::new(wire::fields(&outbound.headers)?);
    wire::aim(
        &request,
        &wire::method_named(&outbound.method),
        &outbound.url,
    )?;
    // One end for all of it: an answer that drips in ends as well.
    let end = timer(Duration::from_millis(outbound.timeout));
    let future = send(request, None)?;
    let response = loop {
        if let Some(response) = answer(&future) {
            break response?;
        }
        before(&end, &future.subscribe())?;
    };
    Ok(Inbound {
        status: response.status(),
        headers: fields::of_answer(response.headers().entries()),
        body: read(&response, outbound.largest, &end)?,
    })
}

/// The body, or `None` once it is larger than allowed.
fn read(
    response: &IncomingResponse,
    largest: usize,
    end: &Pollable,
) -> Result<Option<Vec<u8>>, FetchError> {
    let incoming = response.consume().map_err(|()| FetchError::Unreachable)?;
    let stream = incoming.stream().map_err(|()| FetchError::Unreachable)?;
    let mut body = Vec::new();
    loop {
        match stream.read(CHUNK) {
            Ok(bytes) if bytes.is_empty() => before(end, &stream.subscribe())?,
            Ok(bytes) => {
                if body.len().saturating_add(bytes.len()) > largest {
                    return Ok(None);
                }
                body.extend(bytes);
            }
            Err(StreamError::Closed) => return Ok(Some(body)),
            Err(StreamError::LastOperationFailed(_)) => return Err(FetchError::Unreachable),
        }
    }
}

/// Waits until something is ready, which must be before the end.
fn before(end: &Pollable, awaited: &Pollable) -> Result<(), FetchError> {
    poll(&[end, awaited]);
    // Asked for by itself: what is read without a pause never lets the end be the only one that is ready.
    if end.ready() {
        Err(FetchError::Timeout)
    } else {
        Ok(())
    }
}
