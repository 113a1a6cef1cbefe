//! `remote_json`: a service that is shown a JSON document.

use edgekeeper_policy::authorizer::RemoteJson;
use http::HeaderName;

use crate::Gateway;
use crate::authentication::Authentication;
use crate::loaded::{LoadError, Loader};
use crate::passage::{Passage, Prepared};
use crate::refusal::Refusal;
use crate::runtime::Runtime;

pub(super) fn payload(loader: &Loader<'_>, config: &RemoteJson) -> Result<Prepared, LoadError> {
    loader.template("payload", &loader.rule.id, &config.payload)
}

pub(super) async fn authorize<R: Runtime>(
    _gateway: &Gateway,
    _runtime: &R,
    _config: &RemoteJson,
    _templates: (&[(HeaderName, Prepared)], &Prepared),
    _passage: &Passage<'_>,
    _authentication: &mut Authentication,
) -> Result<(), Refusal> {
    Err(Refusal::internal("not here yet"))
}
