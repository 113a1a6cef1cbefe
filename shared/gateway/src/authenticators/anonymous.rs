//! `anonymous`: a guest. A request that presents `Authorization` is no guest and is left to others.

use edgekeeper_policy::authenticator::Anonymous;
use http::header::AUTHORIZATION;

use super::Denied;
use crate::authentication::Authentication;
use crate::request::Request;

pub(super) fn authenticate(
    config: &Anonymous,
    request: &Request,
) -> Result<Authentication, Denied> {
    if request
        .headers
        .get(AUTHORIZATION)
        .is_some_and(|value| !value.is_empty())
    {
        return Err(Denied::NotResponsible);
    }
    Ok(Authentication::of(&config.subject))
}
