//! Requests that leave the gateway.

use std::time::Duration;

use edgekeeper_gateway::fields;
use edgekeeper_gateway::runtime::{FetchError, Inbound, Outbound};
use http::{HeaderMap, Uri};
use wasi::http::outgoing_handler;
use wasi::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingResponse, Method, OutgoingRequest,
    RequestOptions, Scheme,
};
use wasi::io::poll::{Pollable, poll};
use wasi::io::streams::StreamError;

use crate::blocking;
use crate::runtime::log_problem;

/// The most to ask a stream for at once, in bytes.
const CHUNK: u64 = 64 * 1024;

/// Headers as the host takes them.
///
/// # Errors
/// When they are too many; there is a line of log then.
pub(crate) fn fields(headers: &HeaderMap) -> Result<Fields, FetchError> {
    let reason = match fields::list(headers) {
        Ok(list) => match Fields::from_list(&list) {
            Ok(fields) => return Ok(fields),
            Err(error) => format!("the host does not take the headers: {error}"),
        },
        Err(error) => error.to_string(),
    };
    log_problem("headers", &reason);
    Err(FetchError::Unreachable)
}

/// A request to be sent, without a body so far.
///
/// # Errors
/// When the host takes no such method, URL or headers.
pub(crate) fn request(
    method: &Method,
    url: &str,
    headers: &HeaderMap,
) -> Result<OutgoingRequest, FetchError> {
    let url: Uri = url.parse().map_err(|_| FetchError::Unreachable)?;
    let scheme = match url.scheme_str() {
        Some("http") => Scheme::Http,
        Some("https") => Scheme::Https,
        _ => return Err(FetchError::Unreachable),
    };
    let request = OutgoingRequest::new(fields(headers)?);
    request
        .set_method(method)
        .and_then(|()| request.set_scheme(Some(&scheme)))
        .and_then(|()| request.set_authority(url.authority().map(|authority| authority.as_str())))
        .and_then(|()| {
            request.set_path_with_query(url.path_and_query().map(|target| target.as_str()))
        })
        .map_err(|()| FetchError::Unreachable)?;
    Ok(request)
}

/// Starts to send a request. Redirects are not followed.
pub(crate) fn send(
    request: OutgoingRequest,
    options: Option<RequestOptions>,
) -> Result<FutureIncomingResponse, FetchError> {
    outgoing_handler::handle(request, options).map_err(|error| failure(&error))
}

/// The answer's head, once it is there.
pub(crate) fn answer(
    future: &FutureIncomingResponse,
) -> Option<Result<IncomingResponse, FetchError>> {
    Some(match future.get()? {
        Ok(Ok(response)) => Ok(response),
        Ok(Err(error)) => Err(failure(&error)),
        // It was taken before, which nobody does.
        Err(()) => Err(FetchError::Unreachable),
    })
}

/// A binding is Cloudflare's way to name a service; here is only the network.
pub(crate) fn refuse_binding(binding: Option<&str>) -> Result<(), FetchError> {
    match binding {
        None => Ok(()),
        Some(name) => {
            log_problem(
                "binding",
                &format!(
                    "the policy names the service binding `{name}`, which only Cloudflare has; leave `binding` out of \
                     edge.yml and write the address of the service as `url`"
                ),
            );
            Err(FetchError::Unreachable)
        }
    }
}

/// Sends a request of the gateway's own and reads the answer, no longer and no further than it says.
pub(crate) fn whole(outbound: &Outbound) -> Result<Inbound, FetchError> {
    refuse_binding(outbound.binding.as_deref())?;
    let request = request(&named(&outbound.method), &outbound.url, &outbound.headers)?;
    // One end for all of it: an answer that drips in ends as well.
    let end = blocking::timer(Duration::from_millis(outbound.timeout));
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

fn named(method: &str) -> Method {
    match method {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "CONNECT" => Method::Connect,
        "OPTIONS" => Method::Options,
        "TRACE" => Method::Trace,
        "PATCH" => Method::Patch,
        other => Method::Other(other.to_owned()),
    }
}

fn failure(error: &ErrorCode) -> FetchError {
    match error {
        ErrorCode::DnsTimeout
        | ErrorCode::ConnectionTimeout
        | ErrorCode::ConnectionReadTimeout
        | ErrorCode::ConnectionWriteTimeout
        | ErrorCode::HttpResponseTimeout => FetchError::Timeout,
        _ => FetchError::Unreachable,
    }
}
