//! The policy in force on one instance: the one that it was deployed with, or one that was pushed since.
//!
//! Which one it is stands in the key-value store, see [`crate::policies`]. The rule: a request is judged by the policy that was in
//! force at most `policy.refresh` ago, while the store answers. It is looked up behind a response when half of that time is over, so
//! that usually nobody waits for it. While the store fails, or what is in it cannot be used, the last good policy stays.
//!
//! `policy` and `operator` of `edge.yml` are those of the deployed policy: one that is pushed cannot keep the next one out.

pub(crate) mod change;
mod look;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use edgekeeper_policy::policies::{OnStoreFailure, Policies};
use http::header::RETRY_AFTER;

use crate::Gateway;
use crate::complaints::Complaints;
use crate::decision::Decision;
use crate::news::News;
use crate::policies::{Current, Version};
use crate::problem;
use crate::refusal::{DEFAULT_RETRY_AFTER, Refusal};
use crate::request::RawRequest;
use crate::runtime::{RequestBody, Runtime, Unavailable};

/// What one instance decides by, whichever policy that is. Every borrow ends before anybody awaits.
///
/// Keep one per instance, in an [`Rc`].
///
/// ```
/// use edgekeeper_gateway::Deployment;
///
/// let deployment = Deployment::new(r#"{"format":2,"errors":[{"kind":{"json":{}}}],"rules":[]}"#)?;
/// assert_eq!(deployment.gateway().version(), deployment.deployed().version());
/// # Ok::<(), String>(())
/// ```
#[derive(Debug)]
pub struct Deployment {
    deployed: Rc<Gateway>,
    /// The document that it was deployed with, where somebody may ask for it.
    document: Option<Rc<str>>,
    in_force: RefCell<InForce>,
    /// Whether the instance could ever tell which policy is in force.
    knows: Cell<bool>,
    /// When the instance looked which policy is in force.
    news: Rc<News>,
    complaints: Complaints,
    /// Why the last look changed nothing, for the operator.
    problem: RefCell<Option<String>>,
}

/// The policy in force.
#[derive(Debug)]
struct InForce {
    gateway: Rc<Gateway>,
    current: Current,
    /// When this instance took it, in Unix milliseconds.
    taken: u64,
}

impl Deployment {
    /// Puts the deployed policy document in force.
    ///
    /// # Errors
    /// As [`Gateway::from_json`].
    pub fn new(document: &str) -> Result<Rc<Self>, String> {
        let deployed = Gateway::from_json(document)?;
        let document = deployed
            .policy()
            .operator_secret
            .as_ref()
            .map(|_| document.into());
        Ok(Rc::new(Self::of(deployed, document)))
    }

    /// Another instance of the same deployment, which remembers nothing yet and knows of no other policy: see [`Gateway::another`].
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn another(&self) -> Result<Rc<Self>, String> {
        let deployed = self.deployed.another()?;
        Ok(Rc::new(Self::of(deployed, self.document.clone())))
    }

    fn of(deployed: Rc<Gateway>, document: Option<Rc<str>>) -> Self {
        Self {
            in_force: RefCell::new(InForce {
                gateway: Rc::clone(&deployed),
                current: Current::default(),
                taken: 0,
            }),
            deployed,
            document,
            knows: Cell::new(false),
            news: Rc::default(),
            complaints: Complaints::default(),
            problem: RefCell::new(None),
        }
    }

    /// Decides what becomes of a request by the policy in force. What is forwarded comes back to the same policy, with
    /// [`Gateway::finish`] or [`Gateway::upstream_failed`], whatever is in force by then.
    pub async fn decide<R: Runtime, B: RequestBody>(
        self: &Rc<Self>,
        runtime: &R,
        raw: RawRequest<B>,
    ) -> (Rc<Gateway>, Decision) {
        let gateway = self.current(runtime).await;
        let decision = gateway.decide_in(Some(self), runtime, raw).await;
        (gateway, decision)
    }

    /// The schedule's work under the policy in force.
    ///
    /// # Errors
    /// As [`Gateway::scheduled`].
    pub async fn scheduled<R: Runtime>(self: &Rc<Self>, runtime: &R) -> Result<(), Unavailable> {
        self.current(runtime).await.scheduled(runtime).await
    }

    /// The policy in force, looked up if what is known is too old.
    pub async fn current<R: Runtime>(self: &Rc<Self>, runtime: &R) -> Rc<Gateway> {
        look::if_due(self, runtime).await;
        self.gateway()
    }

    /// The policy in force, as far as this instance knows.
    #[must_use]
    pub fn gateway(&self) -> Rc<Gateway> {
        Rc::clone(&self.in_force.borrow().gateway)
    }

    /// The policy that it was deployed with.
    #[must_use]
    pub fn deployed(&self) -> &Gateway {
        &self.deployed
    }

    /// Which change of the policy is in force here, and those before it.
    #[must_use]
    pub fn changes(&self) -> Current {
        self.in_force.borrow().current.clone()
    }

    /// Whether nobody is let in: the instance cannot tell which policy is in force, never could, and is not to guess.
    pub(crate) fn is_withheld(&self) -> bool {
        let settings = self.settings();
        settings.refresh.is_some()
            && settings.on_store_failure == OnStoreFailure::Refuse
            && !self.knows.get()
    }

    /// What everybody is told while no policy is in force.
    pub(crate) fn refusal() -> Refusal {
        Refusal::new(503, "The gateway is not ready")
            .with_header(RETRY_AFTER, DEFAULT_RETRY_AFTER)
            .logged("it is not known which policy is in force (`policy.on_store_failure: refuse`)")
    }

    /// Whether somebody may change the policy while it runs.
    pub(crate) fn has_operator(&self) -> bool {
        self.document.is_some() && self.settings().refresh.is_some()
    }

    /// The document that it was deployed with, where [`Self::has_operator`].
    pub(crate) fn document(&self) -> &str {
        self.document.as_deref().unwrap_or_default()
    }

    /// Why the last look changed nothing, if something was wrong.
    pub(crate) fn problem(&self) -> Option<String> {
        self.problem.borrow().clone()
    }

    fn settings(&self) -> &Policies {
        &self.deployed.policy().policies
    }

    /// Takes a policy, unless another request has taken a later one meanwhile.
    fn take<R: Runtime>(&self, runtime: &R, current: Current, gateway: Rc<Gateway>) {
        if self.is_outdated(&current) {
            return;
        }
        let mut in_force = self.in_force.borrow_mut();
        if !Rc::ptr_eq(&in_force.gateway, &gateway) {
            let name = |gateway: &Gateway| gateway.version().map(Version::to_string);
            let reason = format!(
                "{} is in force now, as change {}, in place of {}",
                name(&gateway).unwrap_or_default(),
                current.in_force.number,
                name(&in_force.gateway).unwrap_or_default()
            );
            runtime.log(&problem::line("policy", &reason));
        }
        *in_force = InForce {
            gateway,
            current,
            taken: runtime.now(),
        };
    }

    /// Whether an entry is of before what is in force here: an old one that somebody put back, or one that the store still gives
    /// out. A later push counts also where the one who pushed could not read the number before it.
    fn is_outdated(&self, current: &Current) -> bool {
        let order = |current: &Current| (current.in_force.number, current.in_force.at);
        let (known, read) = (order(&self.in_force.borrow().current), order(current));
        read.0 <= known.0 && read.1 <= known.1 && read != known
    }

    fn complain<R: Runtime>(&self, runtime: &R, reason: String) {
        if self.complaints.are_due(runtime.now()) {
            runtime.log(&problem::line("policy", &reason));
        }
        *self.problem.borrow_mut() = Some(reason);
    }
}
