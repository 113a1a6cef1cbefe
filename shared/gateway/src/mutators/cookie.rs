//! `cookie`: cookies made from templates.

use edgekeeper_policy::mutator::Cookie;

use super::Session;
use crate::loaded::{LoadError, Loader};
use crate::passage::{Passage, Prepared};
use crate::refusal::Refusal;

pub(super) fn load(
    _loader: &Loader<'_>,
    _config: &Cookie,
) -> Result<Vec<(String, Prepared)>, LoadError> {
    Ok(Vec::new())
}

pub(super) fn mutate(
    _cookies: &[(String, Prepared)],
    _passage: &Passage<'_>,
    _session: &mut Session,
) -> Result<(), Refusal> {
    Err(Refusal::internal("not here yet"))
}
