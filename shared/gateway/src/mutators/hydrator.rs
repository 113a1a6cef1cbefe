//! `hydrator`: what a service knows of the session besides.

use edgekeeper_policy::mutator::Hydrator;

use super::Session;
use crate::Gateway;
use crate::passage::Passage;
use crate::refusal::Refusal;
use crate::runtime::Runtime;

pub(super) async fn mutate<R: Runtime>(
    _gateway: &Gateway,
    _runtime: &R,
    _config: &Hydrator,
    _passage: &Passage<'_>,
    _session: &mut Session,
) -> Result<(), Refusal> {
    Err(Refusal::internal("not here yet"))
}
