//! `remote_json`: a service that is shown a JSON document.

use edgekeeper_policy::authorizer::RemoteJson;
use edgekeeper_template::Output;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::service::{self, Question};
use crate::Gateway;
use crate::authentication::Authentication;
use crate::go_json;
use crate::loaded::{LoadError, Loader};
use crate::passage::{Passage, Prepared};
use crate::refusal::Refusal;
use crate::runtime::Runtime;

pub(super) fn payload(loader: &Loader<'_>, config: &RemoteJson) -> Result<Prepared, LoadError> {
    loader.nameless(&config.payload)
}

pub(super) async fn authorize<R: Runtime>(
    gateway: &Gateway,
    runtime: &R,
    config: &RemoteJson,
    (templates, payload): (&[(HeaderName, Prepared)], &Prepared),
    passage: &Passage<'_>,
    authentication: &mut Authentication,
) -> Result<(), Refusal> {
    // By default a value cannot leave the string it stands in, so no header of the client's can add a field.
    let document = passage.render(payload, authentication, None, Output::Json)?;
    if let Err(error) = go_json::check(document.as_bytes()) {
        let message = format!("payload is not a JSON text: {}", error.0);
        return Err(if passage.strict {
            Refusal::new(500, message.clone()).logged(message)
        } else {
            Refusal::internal(message)
        });
    }
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let url = &config.endpoint.url;
    service::headers(&mut headers, url, templates, passage, authentication)?;
    let question = Question {
        url,
        binding: config.endpoint.binding.as_deref(),
        headers,
        body: document.into_bytes(),
        retry: config.retry,
    };
    let answer = service::ask(gateway, runtime, question).await?;
    let names = &config.forward_response_headers_to_upstream;
    service::forward(names, gateway, &answer, authentication);
    Ok(())
}
