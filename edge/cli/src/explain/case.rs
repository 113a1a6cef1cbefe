//! One request to explain.

use edgekeeper_gateway::explanation::{Asked, Explanation, Step};
use edgekeeper_gateway::request::{Listener, RawRequest};
use edgekeeper_gateway::runtime::NoBody;
use http::HeaderMap;

use super::answer::Services;
use super::core::Core;
use super::credential;
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

impl Case {
    /// Lets the gateway decide, and tells why.
    ///
    /// # Errors
    /// When this machine has no clock or no randomness.
    pub(crate) fn explain(&self, core: &Core) -> Result<Explanation, String> {
        let bare = self.decide(core, None)?;
        let added = if self.adds_credential {
            credential::missing(core.policy(), &self.headers, &self.url, &bare)
        } else {
            None
        };
        match added {
            Some(added) => {
                let mut case = self.clone();
                added.put(&mut case.headers, &mut case.url);
                case.decide(core, Some(added.step()))
            }
            None => Ok(bare),
        }
    }

    /// By an instance and in a world of its own: nothing that was decided before is remembered.
    fn decide(&self, core: &Core, first: Option<Step>) -> Result<Explanation, String> {
        let gateway = core.instance()?;
        let world = World::new(core, self.services.clone())?;
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
        let decision = World::run(gateway.decide(&world, request))?;
        let asked = Asked {
            method: &self.method,
            url: &self.url,
            headers: &self.headers,
        };
        Ok(Explanation::new(
            &gateway,
            asked,
            world.take_steps(),
            &decision,
        ))
    }
}
