//! One request to explain.

use std::borrow::Borrow;
use std::rc::Rc;

use edgekeeper_gateway::Gateway;
use edgekeeper_gateway::decision::Decision;
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

/// A policy in force in a world of its own. What it remembers of services is what they say: one for each [`Services`].
pub(crate) struct Bench {
    gateway: Rc<Gateway>,
    world: World,
}

impl Bench {
    /// For many requests, whose rules are told, and not those that are nearly for them.
    ///
    /// # Errors
    /// What to print when the policy cannot be put in force.
    pub(crate) fn new(core: &Core, services: Services) -> Result<Self, String> {
        Self::of(core, services, false)
    }

    fn of(core: &Core, services: Services, near_misses: bool) -> Result<Self, String> {
        Ok(Self {
            gateway: core.instance()?,
            world: World::new(core, services, near_misses)?,
        })
    }
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

impl Case {
    /// Lets the gateway decide, and tells why. Nothing that was decided before is remembered.
    ///
    /// # Errors
    /// What to print when the policy cannot be put in force.
    pub(crate) fn explain(&self, core: &Core) -> Result<Explanation, String> {
        let bench = || Bench::of(core, self.services.clone(), true);
        Ok(self.decide(bench)?.explanation)
    }

    /// Lets a gateway decide that is already in force. Its services must say what this request's do.
    ///
    /// # Errors
    /// What to print when the decision does not end.
    pub(crate) fn decide_at(&self, bench: &Bench) -> Result<Decided, String> {
        self.decide(|| Ok(bench))
    }

    /// The same request with the credential that it is given under this policy; `None` where it is given none.
    ///
    /// # Errors
    /// As [`Self::decide_at`].
    pub(crate) fn with_credential(&self, bench: &Bench) -> Result<Option<Self>, String> {
        if !self.adds_credential {
            return Ok(None);
        }
        let bare = self.once(bench, None)?.explanation;
        let policy = bench.gateway.policy();
        let added = credential::missing(policy, &self.headers, &self.url, &bare);
        Ok(added.map(|added| {
            let mut case = self.clone();
            added.put(&mut case.headers, &mut case.url);
            case.adds_credential = false;
            case
        }))
    }

    /// A request without a credential is decided twice where it gets one: its rule says which.
    fn decide<B: Borrow<Bench>>(
        &self,
        bench: impl Fn() -> Result<B, String>,
    ) -> Result<Decided, String> {
        let first = bench()?;
        let bare = self.once(first.borrow(), None)?;
        let added = if self.adds_credential {
            let policy = first.borrow().gateway.policy();
            credential::missing(policy, &self.headers, &self.url, &bare.explanation)
        } else {
            None
        };
        match added {
            Some(added) => {
                let mut case = self.clone();
                added.put(&mut case.headers, &mut case.url);
                case.once(bench()?.borrow(), Some(added.step()))
            }
            None => Ok(bare),
        }
    }

    fn once(&self, bench: &Bench, first: Option<Step>) -> Result<Decided, String> {
        let Bench { gateway, world } = bench;
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
        let decision = World::run(gateway.decide(world, request))?;
        let asked = Asked {
            method: &self.method,
            url: &self.url,
            headers: &self.headers,
        };
        Ok(Decided {
            explanation: Explanation::new(gateway, asked, world.take_steps(), &decision),
            decision,
            headers: self.headers.clone(),
        })
    }
}
