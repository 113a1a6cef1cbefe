//! Requests that leave the Worker.

use edgekeeper_gateway::runtime::{FetchError, Inbound, Outbound, RequestBody};
use js_sys::{Promise, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortSignal, ReadableStream, ReadableStreamDefaultReader, Request, RequestInit,
    RequestRedirect, Response, WorkerGlobalScope,
};
use worker::{Env, Fetcher};

use crate::headers;

/// The Worker's global scope.
pub(crate) fn global() -> WorkerGlobalScope {
    js_sys::global().unchecked_into()
}

/// Sends a request, through a service binding if one is named. Redirects are not followed.
pub(crate) async fn send(
    env: &Env,
    binding: Option<&str>,
    request: &Request,
    init: &RequestInit,
) -> Result<Response, FetchError> {
    init.set_redirect(RequestRedirect::Manual);
    let promise = match binding {
        None => global().fetch_with_request_and_init(request, init),
        Some(name) => bound(env, name, request, init)?,
    };
    match JsFuture::from(promise).await {
        Ok(response) => Ok(response.unchecked_into()),
        Err(error) => Err(failure(&error)),
    }
}

/// Sends a request of the gateway's own and reads the answer, no longer and no further than it says.
pub(crate) async fn whole(env: &Env, outbound: &Outbound) -> Result<Inbound, FetchError> {
    let init = RequestInit::new();
    init.set_method(&outbound.method);
    init.set_headers(&headers::write(&outbound.headers).map_err(|error| failure(&error))?);
    set_body(&init, &outbound.method, &outbound.body);
    let timeout = u32::try_from(outbound.timeout).unwrap_or(u32::MAX);
    // The signal goes on while the body is read: an answer that drips in ends as well.
    init.set_signal(Some(&AbortSignal::timeout_with_u32(timeout)));
    let request = Request::new_with_str_and_init(&outbound.url, &init);
    let request = request.map_err(|error| failure(&error))?;
    let response = send(env, outbound.binding.as_deref(), &request, &init).await?;
    Ok(Inbound {
        status: response.status(),
        headers: headers::read(&response.headers()).map_err(|_| FetchError::Unreachable)?,
        body: read(response.body(), outbound.largest).await?,
    })
}

/// Gives a request a body that is held in memory; the runtime says its length. A request of these methods can have none.
pub(crate) fn set_body(init: &RequestInit, method: &str, body: &[u8]) {
    if !has_no_body(method) {
        init.set_body(&Uint8Array::new_from_slice(body));
    }
}

/// Whether the runtime takes no body for a request of this method.
pub(crate) fn has_no_body(method: &str) -> bool {
    matches!(method, "GET" | "HEAD")
}

/// The body of the client's request. The runtime lets it be read once, so one that was read cannot be sent on.
pub(crate) struct ClientBody<'a>(pub(crate) &'a Request);

impl RequestBody for ClientBody<'_> {
    async fn read(&self, largest: usize) -> Result<Option<Vec<u8>>, FetchError> {
        read(self.0.body(), largest).await
    }
}

/// The whole of a body, or `None` once it is larger than allowed.
async fn read(
    stream: Option<ReadableStream>,
    largest: usize,
) -> Result<Option<Vec<u8>>, FetchError> {
    let Some(stream) = stream else {
        return Ok(Some(Vec::new()));
    };
    let reader: ReadableStreamDefaultReader = stream.get_reader().unchecked_into();
    let mut body = Vec::new();
    loop {
        let chunk = JsFuture::from(reader.read()).await;
        let chunk = chunk.map_err(|error| failure(&error))?;
        if Reflect::get(&chunk, &"done".into()).is_ok_and(|done| done.is_truthy()) {
            return Ok(Some(body));
        }
        let bytes = Reflect::get(&chunk, &"value".into()).map_err(|error| failure(&error))?;
        let bytes: Uint8Array = bytes.unchecked_into();
        let length = usize::try_from(bytes.length()).unwrap_or(usize::MAX);
        if body.len().saturating_add(length) > largest {
            // Nobody waits for the rest; whether the cancelling itself succeeds does not matter.
            drop(reader.cancel());
            return Ok(None);
        }
        body.extend(bytes.to_vec());
    }
}

fn bound(
    env: &Env,
    name: &str,
    request: &Request,
    init: &RequestInit,
) -> Result<Promise, FetchError> {
    let fetcher: Fetcher = env.service(name).map_err(|_| FetchError::Unreachable)?;
    let fetcher: JsValue = fetcher.into();
    let fetch = Reflect::get(&fetcher, &"fetch".into()).unwrap_or_default();
    let sent = fetch.dyn_ref::<js_sys::Function>();
    let sent = sent.and_then(|fetch| fetch.call2(&fetcher, request, init).ok());
    sent.map(JsCast::unchecked_into)
        .ok_or(FetchError::Unreachable)
}

fn failure(error: &JsValue) -> FetchError {
    let name = Reflect::get(error, &"name".into()).unwrap_or_default();
    match name.as_string().as_deref() {
        Some("TimeoutError" | "AbortError") => FetchError::Timeout,
        _ => FetchError::Unreachable,
    }
}
