//! `bearer_token`: asks a session check about a token.

use std::rc::Rc;

use edgekeeper_policy::authenticator::BearerToken;

use super::Denied;
use crate::Gateway;
use crate::authentication::Authentication;
use crate::refusal::Refusal;
use crate::request::Request;
use crate::runtime::Runtime;
use crate::trace::Trace;

pub(super) async fn authenticate<R: Runtime>(
    _gateway: &Rc<Gateway>,
    _runtime: &R,
    _config: &BearerToken,
    _request: &Request,
    _trace: &mut Trace,
) -> Result<Authentication, Denied> {
    Err(Refusal::internal("not here yet").into())
}
