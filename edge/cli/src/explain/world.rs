//! The world of one request: memory, this machine's clock and randomness, and a whoami that says what it was told to.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::env;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use edgekeeper_gateway::explanation::{Step, Steps};
use edgekeeper_gateway::keys;
use edgekeeper_gateway::runtime::{FetchError, Inbound, Outbound, Runtime, Unavailable, Unshared};

use super::answer::{Answer, Services};
use super::case::NearMisses;
use super::core::{Core, Endpoints};
use crate::client::{self, Question};
use crate::time;

/// How often a future is asked before it is given up. Nothing here waits for anything, so that each is ready at once.
const MOST_POLLS: u32 = 1_000;

/// A runtime for one request. Clones share one world.
#[derive(Clone)]
pub(super) struct World(Rc<Inner>);

struct Inner {
    /// Unix milliseconds. It stands still but for what sleeps.
    now: Cell<u64>,
    store: RefCell<BTreeMap<String, String>>,
    /// Under which keys are sealed and revocations signed: made for this one request.
    secret: String,
    revocation_secret: Option<String>,
    services: Services,
    endpoints: Rc<Endpoints>,
    steps: Steps,
    near_misses: NearMisses,
}

impl World {
    /// # Errors
    /// When this machine has no clock or no randomness.
    pub(super) fn new(
        core: &Core,
        services: Services,
        near_misses: NearMisses,
    ) -> Result<Self, String> {
        let mut random = [0_u8; 32];
        crate::keys::random(&mut random)?;
        Ok(Self(Rc::new(Inner {
            now: Cell::new(time::now()?.saturating_mul(1_000)),
            store: RefCell::default(),
            secret: random.iter().map(|byte| format!("{byte:02x}")).collect(),
            revocation_secret: core.policy().session.revocation_secret.clone(),
            services,
            endpoints: core.services(),
            steps: wanted(),
            near_misses,
        })))
    }

    /// Runs a decision to its end.
    ///
    /// # Errors
    /// When it waits for something that cannot come.
    pub(super) fn run<T>(future: impl Future<Output = T>) -> Result<T, String> {
        let mut future = pin!(future);
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..MOST_POLLS {
            if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
                return Ok(value);
            }
        }
        Err("error: the decision does not end; please report this".to_owned())
    }

    /// What happened so far.
    pub(super) fn take_steps(&self) -> Vec<Step> {
        self.0.steps.take()
    }

    pub(super) fn push(&self, step: Step) {
        self.0.steps.tell_once(step);
    }

    fn assume(&self, text: String) {
        self.push(Step::Assumed { text });
    }

    /// Whether a question is for one of the policy's session checks. Their path can be that of the request.
    fn is_session_check(&self, url: &str) -> bool {
        let is_other = self
            .0
            .endpoints
            .others
            .iter()
            .any(|other| without_query(&other.url) == without_query(url));
        let origin_of = |url: &str| origin(url).to_ascii_lowercase();
        !is_other
            && self
                .0
                .endpoints
                .checks
                .iter()
                .any(|check| origin_of(&check.url) == origin_of(url))
    }
}

impl Runtime for World {
    type Shared = Unshared;

    const WEBSOCKETS: bool = true;

    /// No timer runs here: the request makes the key that it needs.
    const SCHEDULE: bool = false;

    const SETTLE: u64 = 0;

    const EXPLAINS: bool = true;

    fn shared(&self) -> Option<&Unshared> {
        None
    }

    fn now(&self) -> u64 {
        self.0.now.get()
    }

    fn random(&self, bytes: &mut [u8]) -> Result<(), Unavailable> {
        crate::keys::random(bytes).map_err(Unavailable)
    }

    async fn secret(&self, name: &str) -> Option<String> {
        if name == keys::SECRET || self.0.revocation_secret.as_deref() == Some(name) {
            return Some(self.0.secret.clone());
        }
        let secret = env::var(name).ok();
        if secret.is_none() {
            self.assume(format!("the secret {name} is not known here; set the environment variable of that name to what the gateway has"));
        }
        secret
    }

    async fn fetch(&self, request: Outbound) -> Result<Inbound, FetchError> {
        let asked = |status, note: &str| Step::Asked {
            method: request.method.clone(),
            url: request.url.clone(),
            status,
            note: note.to_owned(),
        };
        let (answer, note) = match &self.0.services {
            Services::Recorded(answers) => {
                let answer = answers.iter().find(|(url, _)| *url == request.url);
                let Some((_, answer)) = answer else {
                    self.push(asked(None, "not asked: no answer was given for it"));
                    return Err(FetchError::Unreachable);
                };
                (
                    answer.clone(),
                    "from the answers that were given, not asked",
                )
            }
            Services::Live => {
                let (step, answer) = live(&request);
                self.push(step);
                return answer;
            }
            Services::Offline(_) if !self.is_session_check(&request.url) => {
                self.push(asked(None, "not asked: explanations are made offline"));
                return Err(FetchError::Unreachable);
            }
            Services::Offline(Some(whoami)) => {
                let mut answer = whoami.clone();
                // Strict mode asks with the request's own method, and no answer to HEAD has a body.
                if request.method == "HEAD" {
                    answer.body.clear();
                }
                (answer, "from the session that was given, not asked")
            }
            Services::Offline(None) => (
                Answer::unknown(),
                "not asked: without a session the credential counts as unknown",
            ),
        };
        self.push(asked(Some(answer.status), note));
        Ok(Inbound {
            status: answer.status,
            headers: answer.headers,
            body: Some(answer.body).filter(|body| body.len() <= request.largest),
        })
    }

    async fn get(&self, key: &str) -> Result<Option<String>, Unavailable> {
        let value = self.0.store.borrow().get(key).cloned();
        if value.is_none() && key.starts_with("jwks/") {
            self.assume(format!("the gateway has a key set from a file (`{key}` in its store), which is not known here"));
        }
        Ok(value)
    }

    async fn put(&self, key: &str, value: &str) -> Result<(), Unavailable> {
        let mut store = self.0.store.borrow_mut();
        store.insert(key.to_owned(), value.to_owned());
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<(), Unavailable> {
        self.0.store.borrow_mut().remove(key);
        Ok(())
    }

    async fn names(&self, prefix: &str) -> Result<Vec<String>, Unavailable> {
        let store = self.0.store.borrow();
        let names = store.keys().filter(|name| name.starts_with(prefix));
        Ok(names.cloned().collect())
    }

    /// Nobody waits for an explanation: the clock moves instead.
    async fn sleep(&self, milliseconds: u64) {
        let now = &self.0.now;
        now.set(now.get().saturating_add(milliseconds));
    }

    /// What comes after the response changes nothing of it.
    fn later(&self, task: impl Future<Output = ()> + 'static) {
        drop(task);
    }

    /// The steps say more than the line would.
    fn log(&self, _line: &str) {}

    fn steps(&self) -> Option<&Steps> {
        Some(&self.0.steps)
    }

    fn wants_near_misses(&self) -> bool {
        self.0.near_misses == NearMisses::Named
    }

    /// What is known of a question is told where it is answered.
    async fn ask(&self, request: Outbound) -> Result<Inbound, FetchError> {
        self.fetch(request).await
    }
}

/// Asks a service, as the gateway would.
fn live(request: &Outbound) -> (Step, Result<Inbound, FetchError>) {
    let asked = |status, note: String| Step::Asked {
        method: request.method.clone(),
        url: request.url.clone(),
        status,
        note,
    };
    if let Some(binding) = &request.binding {
        let note = format!("not asked: only the runtime reaches it, by the binding {binding}");
        return (asked(None, note), Err(FetchError::Unreachable));
    }
    let answer = client::ask(&Question {
        method: &request.method,
        url: &request.url,
        headers: request.headers.clone(),
        is_of_another: true,
        body: &request.body,
        patience: Duration::from_millis(request.timeout),
        largest: request.largest,
    });
    match answer {
        Ok(reply) => {
            let step = asked(Some(reply.status), "asked by this command".to_owned());
            let answer = Inbound {
                status: reply.status,
                headers: reply.headers,
                body: reply.body,
            };
            (step, Ok(answer))
        }
        Err(error) => {
            let note = format!("asked by this command: {}", error.reason);
            let failure = if error.is_late {
                FetchError::Timeout
            } else {
                FetchError::Unreachable
            };
            (asked(None, note), Err(failure))
        }
    }
}

fn wanted() -> Steps {
    let steps = Steps::default();
    steps.want();
    steps
}

fn without_query(url: &str) -> &str {
    url.split_once('?').map_or(url, |(url, _)| url)
}

/// Scheme and authority of a URL.
fn origin(url: &str) -> &str {
    let authority = url.find("://").map_or(0, |at| at.saturating_add(3));
    let end = url
        .get(authority..)
        .and_then(|rest| rest.find(['/', '?', '#']))
        .map_or(url.len(), |at| authority.saturating_add(at));
    url.get(..end).unwrap_or(url)
}
