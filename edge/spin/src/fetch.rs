//! Requests that leave the component.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use edgekeeper_component::fields;
use edgekeeper_gateway::runtime::{FetchError, Inbound, Outbound, RequestBody};
use spin_sdk::time::sleep;
use spin_sdk::wasip3::http::client;
use spin_sdk::wasip3::http::types::{ErrorCode, Request, Response};
use spin_sdk::wasip3::wit_bindgen::{StreamReader, StreamResult};

use crate::exchange::End;
use crate::runtime::log_problem;
use crate::{exchange, wire};

/// The most to ask a body for at once, in bytes.
const CHUNK: usize = 16 * 1024;

/// The binding that names the next component in a chain of middleware.
#[cfg(feature = "middleware")]
const NEXT: &str = "NEXT";

/// Sends a request. Redirects are not followed.
pub(crate) async fn send(request: Request, binding: Option<&str>) -> Result<Response, FetchError> {
    // For the log: a path can hold what is nobody's business.
    let host = request.get_authority().unwrap_or_default();
    let result = match binding {
        None => client::send(request).await,
        #[cfg(feature = "middleware")]
        Some(NEXT) => next(request).await,
        Some(name) => {
            log_problem(
                "binding",
                &format!(
                    "the policy names the binding `{name}`, which Spin does not have; write the address of the service \
                     as `url` in edge.yml. In the middleware build, `NEXT` is the next component"
                ),
            );
            return Err(FetchError::Unreachable);
        }
    };
    result.map_err(|error| {
        let reason = match error {
            ErrorCode::HttpRequestDenied => format!(
                "Spin does not let the component reach {host}: it is not in `allowed_outbound_hosts` of spin.toml. \
                 `edgekeeper build --spin-manifest spin.toml` writes what the policy needs"
            ),
            _ => format!("{host} does not answer: {error:?}"),
        };
        log_problem("fetch", &reason);
        wire::failure(&error)
    })
}

/// Hands a request to the next component in a chain of middleware.
#[cfg(feature = "middleware")]
async fn next(request: Request) -> Result<Response, ErrorCode> {
    let response = spin_sdk::http::next(request).await?;
    // The SDK has wrapped it; nobody has touched its body.
    response
        .into_body()
        .take_unstarted()
        .ok_or(ErrorCode::InternalError(None))
}

/// Sends a request of the gateway's own and reads the answer, no longer and no further than it says.
pub(crate) async fn whole(outbound: Outbound) -> Result<Inbound, FetchError> {
    let end = Duration::from_millis(outbound.timeout);
    // One end for all of it: an answer that drips in ends as well.
    within(end, exchanged(outbound))
        .await
        .unwrap_or(Err(FetchError::Timeout))
}

async fn exchanged(outbound: Outbound) -> Result<Inbound, FetchError> {
    let mut headers = outbound.headers;
    fields::say_length(&mut headers, &outbound.method, &outbound.body);
    let request = exchange::request(
        &wire::method_named(&outbound.method),
        &outbound.url,
        &headers,
        exchange::held(outbound.body),
        exchange::end(),
    )?;
    let response = send(request, outbound.binding.as_deref()).await?;
    Ok(Inbound {
        status: response.get_status_code(),
        headers: fields::of_answer(response.get_headers().copy_all()),
        body: read(
            Response::consume_body(response, exchange::taken()),
            outbound.largest,
        )
        .await?,
    })
}

/// The body of the client's request, which goes on with the request unless it is read.
pub(crate) struct ClientBody<'a>(pub(crate) &'a Cell<Option<Request>>);

impl RequestBody for ClientBody<'_> {
    async fn read(&self, largest: usize) -> Result<Option<Vec<u8>>, FetchError> {
        let request = self.0.take().ok_or(FetchError::Unreachable)?;
        read(Request::consume_body(request, exchange::taken()), largest).await
    }
}

/// The whole of a body, or `None` once it is larger than allowed.
async fn read(
    (mut stream, end): (StreamReader<u8>, End),
    largest: usize,
) -> Result<Option<Vec<u8>>, FetchError> {
    let mut body = Vec::new();
    loop {
        let (result, chunk) = stream.read(Vec::with_capacity(CHUNK)).await;
        if body.len().saturating_add(chunk.len()) > largest {
            return Ok(None);
        }
        body.extend(chunk);
        if !matches!(result, StreamResult::Complete(_)) {
            // Only this tells a body that has ended from one that broke off.
            return match end.await {
                Ok(_) => Ok(Some(body)),
                Err(error) => Err(wire::failure(&error)),
            };
        }
    }
}

/// What comes of a future, unless the time is over before.
async fn within<T>(time: Duration, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut end = pin!(sleep(time));
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => end.as_mut().poll(context).map(|()| None),
    })
    .await
}
