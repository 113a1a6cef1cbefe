//! A policy in force, for many requests that know nothing of each other.

use std::rc::Rc;

use edgekeeper_gateway::Deployment;
use edgekeeper_policy::authenticator::Authenticator;
use edgekeeper_policy::document::Policy;
use edgekeeper_policy::endpoint::Endpoint;

/// What is made of a policy once. Nothing in it changes when a request is decided.
#[derive(Debug)]
pub(crate) struct Core {
    deployment: Rc<Deployment>,
    services: Rc<Endpoints>,
}

/// The services that a policy asks.
#[derive(Debug)]
pub(super) struct Endpoints {
    /// Where it asks about sessions.
    pub(super) checks: Vec<Endpoint>,
    /// All others.
    pub(super) others: Vec<Endpoint>,
}

impl Core {
    /// A policy that was compiled here, as the document that `edgekeeper build` makes of it.
    ///
    /// # Errors
    /// What to print when the policy cannot be put in force.
    pub(crate) fn new(policy: &Policy) -> Result<Self, String> {
        let document = policy
            .to_json()
            .map_err(|error| format!("error: {error}"))?;
        Self::of_document(&document)
    }

    /// A policy document.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub(crate) fn of_document(document: &str) -> Result<Self, String> {
        let deployment = Deployment::new(document).map_err(|error| format!("error: {error}"))?;
        let policy = deployment.deployed().policy();
        let checks = session_checks(policy);
        let others = policy.rules.iter().flat_map(|rule| rule.endpoints());
        let others = others
            .filter(|endpoint| !checks.contains(endpoint))
            .cloned()
            .collect();
        Ok(Self {
            services: Rc::new(Endpoints { checks, others }),
            deployment,
        })
    }

    pub(crate) fn policy(&self) -> &Policy {
        self.deployment.deployed().policy()
    }

    pub(super) fn services(&self) -> Rc<Endpoints> {
        Rc::clone(&self.services)
    }

    /// A gateway that remembers nothing.
    pub(super) fn instance(&self) -> Result<Rc<Deployment>, String> {
        self.deployment
            .another()
            .map_err(|error| format!("error: {error}"))
    }
}

fn session_checks(policy: &Policy) -> Vec<Endpoint> {
    let authenticators = policy.rules.iter().flat_map(|rule| &rule.authenticators);
    let mut checks: Vec<Endpoint> = Vec::new();
    for check in authenticators.filter_map(Authenticator::session_check) {
        if !checks.contains(check) {
            checks.push(check.clone());
        }
    }
    checks
}
