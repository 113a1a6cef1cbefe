//! `remote`: a service that is shown the request's body.

use edgekeeper_policy::authorizer::Remote;
use http::HeaderName;

use crate::Gateway;
use crate::authentication::Authentication;
use crate::body::Body;
use crate::passage::{Passage, Prepared};
use crate::refusal::Refusal;
use crate::runtime::{RequestBody, Runtime};

pub(super) async fn authorize<R: Runtime, B: RequestBody>(
    _gateway: &Gateway,
    _runtime: &R,
    _config: &Remote,
    _headers: &[(HeaderName, Prepared)],
    _passage: &Passage<'_>,
    _body: &Body<B>,
    _authentication: &mut Authentication,
) -> Result<(), Refusal> {
    Err(Refusal::internal("not here yet"))
}
