//! `oauth2_introspection`: asks an authorization server about a token (RFC 7662).

use std::rc::Rc;

use edgekeeper_policy::authenticator::OAuth2Introspection;

use super::Denied;
use crate::Gateway;
use crate::authentication::Authentication;
use crate::refusal::Refusal;
use crate::request::Request;
use crate::runtime::Runtime;

pub(super) async fn authenticate<R: Runtime>(
    _gateway: &Rc<Gateway>,
    _runtime: &R,
    _config: &OAuth2Introspection,
    _request: &Request,
) -> Result<Authentication, Denied> {
    Err(Refusal::internal("not here yet").into())
}
