//! `remote`: a service that is shown the request's body.

use edgekeeper_policy::authorizer::Remote;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::service::{self, Question};
use crate::Gateway;
use crate::authentication::Authentication;
use crate::body::Body;
use crate::passage::{Passage, Prepared};
use crate::refusal::Refusal;
use crate::runtime::{RequestBody, Runtime};

pub(super) async fn authorize<R: Runtime, B: RequestBody>(
    gateway: &Gateway,
    runtime: &R,
    config: &Remote,
    templates: &[(HeaderName, Prepared)],
    passage: &Passage<'_>,
    body: &Body<B>,
    authentication: &mut Authentication,
) -> Result<(), Refusal> {
    let mut headers = HeaderMap::new();
    match passage.request.headers.get(CONTENT_TYPE) {
        Some(value) => {
            headers.insert(CONTENT_TYPE, value.clone());
        }
        // Oathkeeper sends one that is empty.
        None if passage.strict => {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(""));
        }
        None => {}
    }
    let url = &config.endpoint.url;
    service::headers(&mut headers, url, templates, passage, authentication)?;
    let question = Question {
        url,
        binding: config.endpoint.binding.as_deref(),
        headers,
        body: body.bytes().await?.to_vec(),
        retry: config.retry,
    };
    let answer = service::ask(gateway, runtime, question).await?;
    let names = &config.forward_response_headers_to_upstream;
    service::forward(names, gateway, &answer, authentication);
    Ok(())
}
