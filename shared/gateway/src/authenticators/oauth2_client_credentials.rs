//! `oauth2_client_credentials`: checks a client's id and secret by asking for a token with them (RFC 6749 section 4.4).

use std::rc::Rc;

use edgekeeper_policy::authenticator::OAuth2ClientCredentials;

use super::Denied;
use crate::Gateway;
use crate::authentication::Authentication;
use crate::refusal::Refusal;
use crate::request::Request;
use crate::runtime::Runtime;

pub(super) async fn authenticate<R: Runtime>(
    _gateway: &Rc<Gateway>,
    _runtime: &R,
    _config: &OAuth2ClientCredentials,
    _request: &Request,
) -> Result<Authentication, Denied> {
    Err(Refusal::internal("not here yet").into())
}
