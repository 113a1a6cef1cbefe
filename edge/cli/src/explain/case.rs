//! One request to explain.

use edgekeeper_gateway::Gateway;
use edgekeeper_gateway::explanation::{Asked, Explanation, Step};
use edgekeeper_gateway::request::{Listener, RawRequest};
use edgekeeper_gateway::runtime::NoBody;
use edgekeeper_policy::document::Policy;
use http::HeaderMap;

use super::answer::Services;
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
    /// What to print when the policy cannot be put in force.
    pub(crate) fn explain(&self, policy: &Policy) -> Result<Explanation, String> {
        let bare = self.decide(policy, None)?;
        let added = if self.adds_credential {
            credential::missing(policy, &self.headers, &self.url, &bare)
        } else {
            None
        };
        match added {
            Some(added) => {
                let mut case = self.clone();
                added.put(&mut case.headers, &mut case.url);
                case.decide(policy, Some(added.step()))
            }
            None => Ok(bare),
        }
    }

    fn decide(&self, policy: &Policy, first: Option<Step>) -> Result<Explanation, String> {
        let gateway = Gateway::new(policy.clone()).map_err(|error| format!("error: {error}"))?;
        let world = World::new(policy, self.services.clone())?;
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
