//! Requests and answers of the gateway's own making.

use edgekeeper_component::fields;
use edgekeeper_component::http::HeaderMap;
use edgekeeper_gateway::decision::Answer;
use edgekeeper_gateway::runtime::FetchError;
use spin_sdk::wasip3::http::types::{ErrorCode, Method, Request, Response, Trailers};
use spin_sdk::wasip3::wit_bindgen::{FutureReader, StreamReader};
use spin_sdk::wasip3::{spawn, wit_future, wit_stream};

use crate::wire;

/// What a body ends with: its trailers, or why it broke off.
pub(crate) type End = FutureReader<Result<Option<Trailers>, ErrorCode>>;

/// The end of a body that is complete and has no trailers.
pub(crate) fn end() -> End {
    // Dropping the other half resolves it with the default.
    wit_future::new(|| Ok(None)).1
}

/// Says of a body that nothing went wrong with it on this side.
pub(crate) fn taken() -> FutureReader<Result<(), ErrorCode>> {
    wit_future::new(|| Ok(())).1
}

/// A body that is held in memory; `None` when it is empty.
pub(crate) fn held(body: Vec<u8>) -> Option<StreamReader<u8>> {
    (!body.is_empty()).then(|| {
        let (mut sender, stream) = wit_stream::new();
        // What is left over nobody wanted: whoever reads has gone.
        spawn(async move { drop(sender.write_all(body).await) });
        stream
    })
}

/// A request to be sent to a URL.
///
/// # Errors
/// When Spin takes no such method, URL or headers.
pub(crate) fn request(
    method: &Method,
    url: &str,
    headers: &HeaderMap,
    body: Option<StreamReader<u8>>,
    end: End,
) -> Result<Request, FetchError> {
    // How the sending ended is of no interest: what comes back says it.
    let (request, _sent) = Request::new(wire::fields(headers)?, body, end, None);
    wire::aim(&request, method, url)?;
    Ok(request)
}

/// An answer of the gateway's own. It has few headers and a status, so Spin takes it.
pub(crate) fn answer(answer: &Answer, method: &str) -> Result<Response, ErrorCode> {
    let body = answer.body_for(method);
    let fields = wire::fields(&fields::of_own_answer(answer, method))
        .map_err(|_| ErrorCode::HttpResponseHeaderSectionSize(None))?;
    let (response, _sent) = Response::new(fields, held(body.as_bytes().to_vec()), end());
    response
        .set_status_code(answer.status)
        .map_err(|()| ErrorCode::InternalError(None))?;
    Ok(response)
}
