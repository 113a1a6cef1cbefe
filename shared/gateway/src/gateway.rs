//! One request's way through.

mod inquiry;
mod own_answer;
mod passed;
mod pipeline;
mod succession;

use std::cell::Cell;
use std::rc::Rc;

use edgekeeper_policy::authenticator::CookieSession;
use edgekeeper_policy::document::Policy;
use edgekeeper_policy::index::RuleIndex;
use edgekeeper_session::key::CacheKey;
use edgekeeper_token::ring::KeyRing;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::body::Body;
use crate::decision::{Answer, Decision, Edit, Forward, ResponseContext};
use crate::deployment::Deployment;
use crate::endpoints::Place;
use crate::explanation::{self, Step};
use crate::keys::{Keys, Published};
use crate::loaded::Loaded;
use crate::memory::Memory;
use crate::passage::Purpose;
use crate::policies::Version;
use crate::refusal::Refusal;
use crate::request::{RawRequest, Request};
use crate::revocations::Revocations;
use crate::runtime::{FetchError, RequestBody, Runtime, Unavailable};
use crate::trace::Trace;
use crate::{authenticators, cors, endpoints, errors, response, sealed_cookie, second_tier};

use self::inquiry::Inquiry;
pub(crate) use self::pipeline::{Allowed, Refused};

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// A policy in force, and what one instance remembers under it.
///
/// Keep one per instance, in an [`Rc`]: what it remembers is what spares Kratos a question per request.
#[derive(Debug)]
pub struct Gateway {
    policy: Rc<Policy>,
    index: Rc<RuleIndex>,
    /// The handlers of each rule.
    loaded: Rc<[Loaded]>,
    /// That of the document, where it was made from one.
    version: Option<Version>,
    keys: Rc<Keys>,
    /// Names of every cookie that is a session to some rule.
    session_cookies: Vec<String>,
    /// The session checks of all rules, one for each way to find a credential in a request.
    session_checks: Vec<CookieSession>,
    memory: Memory,
    revocations: Revocations,
    /// Whether the deployment wants explanations in its log, once that is known.
    explains: Cell<Option<bool>>,
}

impl Gateway {
    /// Puts a policy in force.
    ///
    /// # Errors
    /// When the policy holds a template, a rotation or an algorithm that cannot be used; `edgekeeper build` would have
    /// refused it. The text names the rule.
    pub fn new(policy: Policy) -> Result<Rc<Self>, String> {
        Self::put_in_force(policy, None, None)
    }

    /// Puts the policy of a document in force.
    ///
    /// # Errors
    /// When the text is not a policy document that this build can use; it says why, for the log.
    pub fn from_json(document: &str) -> Result<Rc<Self>, String> {
        Self::from_document(document, None)
    }

    /// The version of the document in force; `None` for a policy that comes from none.
    #[must_use]
    pub fn version(&self) -> Option<&Version> {
        self.version.as_ref()
    }

    /// The policy in force.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Decides what becomes of a request. A forwarded one comes back with its answer to [`Self::finish`], or to
    /// [`Self::upstream_failed`] without.
    pub async fn decide<R: Runtime, B: RequestBody>(
        self: &Rc<Self>,
        runtime: &R,
        raw: RawRequest<B>,
    ) -> Decision {
        self.decide_in(None, runtime, raw).await
    }

    /// The same for a deployment, in which other policies may follow this one.
    pub(crate) async fn decide_in<R: Runtime, B: RequestBody>(
        self: &Rc<Self>,
        deployment: Option<&Rc<Deployment>>,
        runtime: &R,
        mut raw: RawRequest<B>,
    ) -> Decision {
        let started = runtime.micros();
        let mut trace = Trace {
            started: runtime.now(),
            method: raw.method.clone(),
            policy: self.version.clone(),
            ..Trace::default()
        };
        let inquiry = if R::EXPLAINS {
            // Who the operator is says the deployed policy, as for all that is not a rule's.
            let deployed = deployment.map_or(&**self, |own| own.deployed());
            Inquiry::of(deployed, runtime, &mut raw).await
        } else {
            Ok(None)
        };
        let mut decision = match &inquiry {
            Ok(_) => {
                self.decide_traced(deployment, runtime, raw, &mut trace)
                    .await
            }
            Err(refusal) => {
                trace.reason = Some(explanation::why(refusal));
                Decision::Answer(errors::refuse(&self.policy, refusal, None))
            }
        };
        trace.took = runtime.micros().checked_sub(started);
        if let (Ok(Some(inquiry)), Some(steps)) = (inquiry, runtime.steps()) {
            decision = inquiry.explain(self, steps, decision, &mut trace);
        }
        match &mut decision {
            Decision::Answer(answer) => runtime.log(&trace.line(answer.status, runtime.now())),
            Decision::Forward(forward) => forward.context.trace = trace,
        }
        decision
    }

    async fn decide_traced<R: Runtime, B: RequestBody>(
        self: &Rc<Self>,
        deployment: Option<&Rc<Deployment>>,
        runtime: &R,
        raw: RawRequest<B>,
        trace: &mut Trace,
    ) -> Decision {
        let (body, raw) = raw.part();
        let body = Body::new(body);
        let listener = raw.listener;
        let path_as_sent = endpoints::path_as_sent(&self.policy, &raw);
        let cors_edits = cors::edits(
            self.policy.cors.as_ref(),
            &raw.method,
            &raw.headers,
            self.policy.strict,
        );
        let request_id = raw.headers.get(errors::X_REQUEST_ID).cloned();
        let mut request = match Request::parse(raw, &self.policy) {
            Ok(request) => request,
            Err(ambiguous) => {
                trace.reason = Some(ambiguous.0.to_owned());
                let refusal = Refusal::bad_request(ambiguous.0);
                runtime.explain(|| Step::of_refusal(&refusal));
                let request_id = request_id.as_ref().and_then(|id| id.to_str().ok());
                let answer = errors::refuse(&self.policy, &refusal, request_id);
                return self.answered(runtime, answer, cors_edits, trace);
            }
        };
        trace.host = request.authority();
        trace.path = request.path.decoded().to_owned();

        if let Some(answer) = self
            .own_answer(
                runtime,
                Place {
                    deployment,
                    listener,
                    as_sent: path_as_sent.as_deref(),
                },
                &request,
                &body,
                trace,
            )
            .await
        {
            let edits = if endpoints::is_api(&self.policy, listener, &request) {
                let cors = self.policy.api_cors.as_ref();
                cors::edits(cors, &request.method, &request.headers, self.policy.strict)
            } else if answer.status == 200 || !self.serves(&request) {
                // The public keys say themselves that any page may read them; a host that is not served says nothing.
                Vec::new()
            } else {
                cors_edits
            };
            return self.answered(runtime, answer, edits, trace);
        }
        let cors = self.policy.cors.as_ref();
        if let Some(cors) = cors.filter(|_| cors::is_preflight(&request)) {
            runtime.explain(|| Step::own("CORS: the request is a preflight"));
            let answer = cors::answer_preflight(cors, &request, self.policy.strict);
            return self.answered(runtime, answer, Vec::new(), trace);
        }
        let passed = match self
            .judge(runtime, &mut request, Purpose::Forward, &body, trace)
            .await
        {
            Ok(allowed) => self.pass::<R>(&request, allowed),
            Err(refused) => Err(refused),
        };
        match passed {
            Ok(passed) => Decision::Forward(Box::new(Forward {
                url: passed.url,
                binding: passed.binding,
                host: passed.host,
                edits: passed.edits,
                body: body.into_read(),
                context: ResponseContext {
                    own: cors_edits
                        .into_iter()
                        .chain(self.server_timing(runtime, trace))
                        .collect(),
                    carried: passed.carried,
                    private: passed.has_session && !self.policy.strict,
                    asked_for_gzip: passed.asks_for_gzip,
                    request,
                    trace: Trace::default(),
                },
            })),
            Err(Refused { rule, refusal }) => {
                trace.reason.clone_from(&refusal.log);
                let answer = errors::answer(runtime, &self.policy, rule, &request, &refusal);
                self.answered(runtime, answer, cors_edits, trace)
            }
        }
    }

    /// The changes to an upstream's answer, given its status and headers. A switch of protocols (101) has none.
    ///
    /// The answer goes on only after this: a logout is over for every instance before the browser knows of it.
    pub async fn finish<R: Runtime>(
        &self,
        runtime: &R,
        forward: &Forward,
        status: u16,
        headers: &HeaderMap,
    ) -> Vec<Edit> {
        let context = &forward.context;
        let mut carried = context.carried.clone();
        if response::changes_session(&self.session_cookies, headers) {
            let credentials = self.presented_credentials(&context.request);
            for credential in &credentials {
                self.memory.forget(credential, runtime.now());
            }
            second_tier::changed(self, runtime, &credentials).await;
            carried = sealed_cookie::clear(&self.policy, &context.request);
        }
        runtime.log(&context.trace.line(status, runtime.now()));
        if status == 101 {
            return Vec::new();
        }
        let mut edits = response::edits(context, headers);
        edits.extend(carried);
        edits
    }

    /// The answer when the upstream gave none: 502, or 504 when it took too long. In strict mode without a body,
    /// as Oathkeeper's.
    pub fn upstream_failed<R: Runtime>(
        &self,
        runtime: &R,
        forward: &Forward,
        error: FetchError,
    ) -> Answer {
        let (status, message) = match error {
            FetchError::Timeout => (504, "The upstream did not answer in time"),
            FetchError::Unreachable => (502, "The upstream could not be reached"),
        };
        let context = &forward.context;
        runtime.log(&context.trace.line(status, runtime.now()));
        let request_id = context.request.header(&errors::X_REQUEST_ID);
        let mut answer = errors::json_answer(status, message, None, request_id);
        if self.policy.strict {
            answer.headers.clear();
            answer.body.clear();
        }
        apply(&mut answer.headers, &context.own);
        answer
    }

    /// The schedule's work: makes the next signing key when it is due.
    ///
    /// # Errors
    /// When the key-value store or the secret is not there; the text says what to do.
    pub async fn scheduled<R: Runtime>(&self, runtime: &R) -> Result<(), Unavailable> {
        if self.policy.needs_own_keys() {
            self.keys.rotate(runtime).await?;
        }
        Ok(())
    }

    /// The credentials to forget should the answer change the session: on whatever rule that happens, Kratos' own
    /// logout included. Rules with different `only` can see different ones in one request.
    fn presented_credentials(&self, request: &Request) -> Vec<CacheKey> {
        let mut keys: Vec<CacheKey> = Vec::new();
        for config in &self.session_checks {
            if let Ok(Some(credential)) = authenticators::credential(self, config, request) {
                let key = CacheKey::of_credential(&credential);
                if !keys.contains(&key) {
                    keys.push(key);
                }
            }
        }
        keys
    }

    fn answered<R: Runtime>(
        &self,
        runtime: &R,
        mut answer: Answer,
        cors: Vec<Edit>,
        trace: &Trace,
    ) -> Decision {
        apply(&mut answer.headers, &cors);
        apply(
            &mut answer.headers,
            self.server_timing(runtime, trace).as_slice(),
        );
        Decision::Answer(answer)
    }

    /// What the answer says of the decision, where the policy wants it said. What the upstream says itself stays.
    fn server_timing<R: Runtime>(&self, runtime: &R, trace: &Trace) -> Option<Edit> {
        if !self.policy.server_timing {
            return None;
        }
        let value = trace.server_timing(runtime.now())?;
        Some(Edit::Append(SERVER_TIMING, value))
    }

    /// How long one question of the gateway's own may take, in milliseconds: as long as whoami.
    pub(crate) fn one_try(&self) -> u64 {
        self.policy.session.timeout.saturating_mul(1_000)
    }

    pub(crate) fn revocations(&self) -> &Revocations {
        &self.revocations
    }

    pub(crate) fn memory(&self) -> &Memory {
        &self.memory
    }

    pub(crate) async fn key_ring<R: Runtime>(
        &self,
        runtime: &R,
    ) -> Result<Rc<KeyRing>, Unavailable> {
        self.keys.signing_ring(runtime).await
    }

    pub(crate) async fn published_keys<R: Runtime>(
        &self,
        runtime: &R,
    ) -> Result<Published, Unavailable> {
        self.keys.published(runtime).await
    }

    /// Seconds for which a verifier may keep the published keys.
    pub(crate) fn keys_max_age(&self) -> u64 {
        self.keys.max_age()
    }
}

/// Applies changes to an answer of the gateway's own.
fn apply(headers: &mut Vec<(HeaderName, HeaderValue)>, edits: &[Edit]) {
    for edit in edits {
        match edit {
            Edit::Remove(name) => headers.retain(|(own, _)| own != name),
            Edit::Set(name, value) => {
                headers.retain(|(own, _)| own != name);
                headers.push((name.clone(), value.clone()));
            }
            Edit::Append(name, value) => headers.push((name.clone(), value.clone())),
        }
    }
}
