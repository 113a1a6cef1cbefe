//! A request's way to the upstream, and its answer's way back.

use std::rc::Rc;

use edgekeeper_gateway::Gateway;
use edgekeeper_gateway::decision::{Forward, apply};
use edgekeeper_gateway::fields;
use edgekeeper_gateway::runtime::FetchError;
use http::HeaderMap;
use spin_sdk::wasip3::http::types::{ErrorCode, Request, Response};

use crate::runtime::Spin;
use crate::{exchange, fetch};

/// Sends a request on with the gateway's changes, and brings back the answer with the gateway's changes.
///
/// # Errors
/// Spin's, when an answer cannot be made.
pub(crate) async fn pass(
    gateway: &Rc<Gateway>,
    forward: &Forward,
    request: Request,
    headers: HeaderMap,
    method: &str,
) -> Result<Response, ErrorCode> {
    let result = match there(forward, request, headers).await {
        Ok(response) => back(gateway, forward, response).await,
        Err(error) => Err(error),
    };
    match result {
        Ok(response) => Ok(response),
        Err(error) => exchange::answer(&gateway.upstream_failed(&Spin, forward, error), method),
    }
}

/// To the upstream. Its answer comes as soon as it begins, whether or not the request's body has ended.
async fn there(
    forward: &Forward,
    request: Request,
    mut headers: HeaderMap,
) -> Result<Response, FetchError> {
    apply(&mut headers, &forward.edits);
    let method = request.get_method();
    // A body that nobody has read is not copied through the Wasm, and breaks off for the upstream when it does for us.
    let (body, end) = Request::consume_body(request, exchange::taken());
    let upstream = exchange::request(&method, &forward.url, &headers, Some(body), end)?;
    fetch::send(upstream, forward.binding.as_deref()).await
}

/// Back to the client, who sees it when the upstream breaks off.
async fn back(
    gateway: &Rc<Gateway>,
    forward: &Forward,
    response: Response,
) -> Result<Response, FetchError> {
    let status = response.get_status_code();
    let mut headers = fields::of_answer(response.get_headers().copy_all());
    let edits = gateway.finish(&Spin, forward, status, &headers).await;
    apply(&mut headers, &edits);
    let (body, end) = Response::consume_body(response, exchange::taken());
    let (answer, _sent) = Response::new(exchange::fields(&headers)?, Some(body), end);
    answer
        .set_status_code(status)
        .map_err(|()| FetchError::Unreachable)?;
    Ok(answer)
}
