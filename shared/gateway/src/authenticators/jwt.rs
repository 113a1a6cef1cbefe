//! `jwt`: verifies a signed token with published keys.

use std::rc::Rc;

use edgekeeper_policy::authenticator::Jwt;

use super::Denied;
use crate::Gateway;
use crate::authentication::Authentication;
use crate::refusal::Refusal;
use crate::request::Request;
use crate::runtime::Runtime;

pub(super) async fn authenticate<R: Runtime>(
    _gateway: &Rc<Gateway>,
    _runtime: &R,
    _config: &Jwt,
    _request: &Request,
) -> Result<Authentication, Denied> {
    Err(Refusal::internal("not here yet").into())
}
