//! `keto_engine_acp_ory`: access control policies of Keto before version 0.6.

use edgekeeper_policy::authorizer::KetoEngineAcpOry;

use crate::Gateway;
use crate::authentication::Authentication;
use crate::loaded::{LoadError, Loader};
use crate::passage::Passage;
use crate::refusal::Refusal;
use crate::runtime::Runtime;

/// The parsed templates.
#[derive(Debug)]
pub(crate) struct Templates;

impl Templates {
    pub(super) fn load(
        _loader: &Loader<'_>,
        _config: &KetoEngineAcpOry,
    ) -> Result<Self, LoadError> {
        Ok(Self)
    }
}

pub(super) async fn authorize<R: Runtime>(
    _gateway: &Gateway,
    _runtime: &R,
    _config: &KetoEngineAcpOry,
    _templates: &Templates,
    _passage: &Passage<'_>,
    _authentication: &Authentication,
) -> Result<(), Refusal> {
    Err(Refusal::internal("not here yet"))
}
