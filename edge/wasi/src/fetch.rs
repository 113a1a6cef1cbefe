//! Requests that leave the gateway.

use std::time::Duration;

use edgekeeper_component::fields;
use edgekeeper_gateway::runtime::{FetchError, Inbound, Outbound, RequestBody};
use edgekeeper_pipe::{Exchange, Late, Pipe, Source};
use wasi::http::outgoing_handler;
use wasi::http::types::{
    FutureIncomingResponse, IncomingBody, IncomingRequest, IncomingResponse, OutgoingRequest,
    RequestOptions,
};
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
pub(crate) fn whole(outbound: Outbound) -> Result<Inbound, FetchError> {
    refuse_binding(outbound.binding.as_deref())?;
    let mut headers = outbound.headers;
    fields::say_length(&mut headers, &outbound.method, &outbound.body);
    let request = OutgoingRequest::new(wire::fields(&headers)?);
    wire::aim(
        &request,
        &wire::method_named(&outbound.method),
        &outbound.url,
    )?;
    let upload = upload(Source::held(outbound.body), &request)?;
    // One end for all of it: an answer that drips in ends as well.
    let mut exchange = Exchange::new(upload).within(Duration::from_millis(outbound.timeout));
    let future = send(request, None)?;
    let response = exchange
        .until(|| answer(&future), || future.subscribe())
        .unwrap_or(Err(FetchError::Timeout))?;
    let body = response.consume().map_err(|()| FetchError::Unreachable)?;
    Ok(Inbound {
        status: response.status(),
        headers: fields::of_answer(response.headers().entries()),
        body: read(&body, outbound.largest, &mut exchange)?,
    })
}

/// Gives a request its body. One without says nothing to the host, which then leaves a Content-Length as it is.
pub(crate) fn upload(
    source: Option<Source>,
    request: &OutgoingRequest,
) -> Result<Option<Pipe>, FetchError> {
    match source {
        None => Ok(None),
        Some(source) => Ok(source.into(request.body().map_err(|()| FetchError::Unreachable)?)),
    }
}

/// The whole of a body, or `None` once it is larger than allowed.
fn read(
    incoming: &IncomingBody,
    largest: usize,
    exchange: &mut Exchange,
) -> Result<Option<Vec<u8>>, FetchError> {
    let stream = incoming.stream().map_err(|()| FetchError::Unreachable)?;
    let chunk = || match stream.read(CHUNK) {
        Ok(bytes) if bytes.is_empty() => None,
        read => Some(read),
    };
    let mut body = Vec::new();
    loop {
        match exchange.until(chunk, || stream.subscribe()) {
            Ok(Ok(bytes)) if body.len().saturating_add(bytes.len()) > largest => return Ok(None),
            Ok(Ok(bytes)) => body.extend(bytes),
            Ok(Err(StreamError::Closed)) => return Ok(Some(body)),
            Ok(Err(StreamError::LastOperationFailed(_))) => return Err(FetchError::Unreachable),
            Err(Late) => return Err(FetchError::Timeout),
        }
    }
}

/// The body of the client's request. A request whose body was read has none left to send on.
pub(crate) struct ClientBody<'a>(pub(crate) &'a IncomingRequest);

impl RequestBody for ClientBody<'_> {
    async fn read(&self, largest: usize) -> Result<Option<Vec<u8>>, FetchError> {
        let incoming = self.0.consume().map_err(|()| FetchError::Unreachable)?;
        // As long as the client takes: it is the only one that this instance keeps waiting.
        read(&incoming, largest, &mut Exchange::default())
    }
}
