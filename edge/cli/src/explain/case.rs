//! One request to explain.

use edgekeeper_gateway::decision::Decision;
use edgekeeper_gateway::explanation::{Asked, Explanation, Step};
use edgekeeper_gateway::request::{Listener, RawRequest};
use edgekeeper_gateway::runtime::NoBody;
use http::HeaderMap;

use super::answer::Services;
use super::core::Core;
use super::credential::{self, Added};
use super::world::World;

/// A request, and what other services say to it.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) headers: HeaderMap,
    pub(crate) listener: Listener,
    pub(crate) services: Services,
    /// Whether a request without a credential gets one, where its rule would look for it.
    pub(crate) adds_credential: bool,
}

/// What became of a request.
pub(crate) struct Decided {
    /// Why, with every secret masked.
    pub(crate) explanation: Explanation,
    /// The decision itself: not to be shown.
    pub(crate) decision: Decision,
    /// The headers that the request had when it was decided: not to be shown.
    pub(crate) headers: HeaderMap,
}

/// Whether the rules that are nearly for a request are named, for which each rule is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NearMisses {
    Named,
    LeftOut,
}

impl Case {
    /// Lets the gateway decide, and tells why.
    ///
    /// # Errors
    /// When this machine has no clock or no randomness.
    pub(crate) fn explain(&self, core: &Core) -> Result<Explanation, String> {
        let bare = self.once(core, None, NearMisses::Named)?;
        let decided = match self.credential(core, &bare) {
            Some(added) => {
                let case = self.with(&added);
                case.once(core, Some(added.step()), NearMisses::Named)?
            }
            None => bare,
        };
        Ok(decided.explanation)
    }

    /// Lets the gateway decide the request as it is, for somebody who compares decisions and does not look for near misses.
    ///
    /// # Errors
    /// As [`Self::explain`].
    pub(crate) fn decide(&self, core: &Core) -> Result<Decided, String> {
        self.once(core, None, NearMisses::LeftOut)
    }

    /// The same request with the credential that it is given under this policy; `None` where it is given none.
    ///
    /// # Errors
    /// As [`Self::explain`].
    pub(crate) fn with_credential(&self, core: &Core) -> Result<Option<Self>, String> {
        if !self.adds_credential {
            return Ok(None);
        }
        let bare = self.decide(core)?;
        let added = self.credential(core, &bare);
        Ok(added.map(|added| self.with(&added)))
    }

    fn credential(&self, core: &Core, bare: &Decided) -> Option<Added> {
        if !self.adds_credential {
            return None;
        }
        credential::missing(core.policy(), &self.headers, &self.url, &bare.explanation)
    }

    fn with(&self, added: &Added) -> Self {
        let mut case = self.clone();
        added.put(&mut case.headers, &mut case.url);
        case
    }

    /// By an instance and in a world of its own: nothing that was decided before is remembered.
    fn once(
        &self,
        core: &Core,
        first: Option<Step>,
        near_misses: NearMisses,
    ) -> Result<Decided, String> {
        let deployment = core.instance()?;
        let world = World::new(core, self.services.clone(), near_misses)?;
        if let Some(first) = first {
            world.push(first);
        }
        let request = RawRequest {
            method: self.method.clone(),
            url: self.url.clone(),
            headers: self.headers.clone(),
            listener: self.listener,
            body: NoBody,
        };
        let (gateway, decision) = World::run(deployment.decide(&world, request))?;
        let asked = Asked {
            method: &self.method,
            url: &self.url,
            headers: &self.headers,
        };
        Ok(Decided {
            explanation: Explanation::new(&gateway, asked, world.take_steps(), &decision),
            decision,
            headers: self.headers.clone(),
        })
    }
}
