//! Requests and answers of the gateway's own making.

use edgekeeper_gateway::decision::Answer;
use edgekeeper_gateway::fields;
use edgekeeper_gateway::runtime::FetchError;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderValue, Uri};
use spin_sdk::wasip3::http::types::{
    ErrorCode, Fields, Method, Request, Response, Scheme, Trailers,
};
use spin_sdk::wasip3::wit_bindgen::{FutureReader, StreamReader};
use spin_sdk::wasip3::{spawn, wit_future, wit_stream};

use crate::runtime::log_problem;

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

/// Headers as Spin takes them.
///
/// # Errors
/// When they are too many; there is a line of log then.
pub(crate) fn fields(headers: &HeaderMap) -> Result<Fields, FetchError> {
    let reason = match fields::list(headers) {
        Ok(list) => match Fields::from_list(&list) {
            Ok(fields) => return Ok(fields),
            Err(error) => format!("Spin does not take the headers: {error}"),
        },
        Err(error) => error.to_string(),
    };
    log_problem("headers", &reason);
    Err(FetchError::Unreachable)
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
    let url: Uri = url.parse().map_err(|_| FetchError::Unreachable)?;
    // How the sending ended is of no interest: what comes back says it.
    let (request, _sent) = Request::new(fields(headers)?, body, end, None);
    request
        .set_method(method)
        .and_then(|()| request.set_scheme(url.scheme().map(Scheme::from).as_ref()))
        .and_then(|()| request.set_authority(url.authority().map(|authority| authority.as_str())))
        .and_then(|()| {
            request.set_path_with_query(url.path_and_query().map(|target| target.as_str()))
        })
        .map_err(|()| FetchError::Unreachable)?;
    Ok(request)
}

/// An answer of the gateway's own. It has few headers and a status, so Spin takes it.
pub(crate) fn answer(answer: &Answer, method: &str) -> Result<Response, ErrorCode> {
    let body = answer.body_for(method);
    let mut headers: HeaderMap = answer.headers.iter().cloned().collect();
    if method != "HEAD" && !matches!(answer.status, 204 | 304) {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    }
    let fields = fields(&headers).map_err(|_| ErrorCode::HttpResponseHeaderSectionSize(None))?;
    let bytes = body.as_bytes().to_vec();
    let stream = (!bytes.is_empty()).then(|| {
        let (mut sender, stream) = wit_stream::new();
        // What is left over nobody wanted: the client has gone.
        spawn(async move { drop(sender.write_all(bytes).await) });
        stream
    });
    let (response, _sent) = Response::new(fields, stream, end());
    response
        .set_status_code(answer.status)
        .map_err(|()| ErrorCode::InternalError(None))?;
    Ok(response)
}
