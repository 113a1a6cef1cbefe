//! What the gateway answers itself before any rule.

use std::rc::Rc;

use http::header::EXPECT;

use super::Gateway;
use crate::body::Body;
use crate::decision::Answer;
use crate::deployment::Deployment;
use crate::endpoints::{Place, Question};
use crate::explanation::Step;
use crate::refusal::Refusal;
use crate::request::Request;
use crate::runtime::{RequestBody, Runtime};
use crate::trace::Trace;
use crate::{cors, endpoints, errors};

/// Methods that carry a request back, or away from the gateway: no rule can allow them.
const FORBIDDEN_METHODS: [&str; 3] = ["CONNECT", "TRACE", "TRACK"];

impl Gateway {
    /// What the gateway answers itself before any rule: its endpoints, hosts it does not serve, methods nobody serves.
    pub(super) async fn own_answer<R: Runtime, B: RequestBody>(
        self: &Rc<Self>,
        runtime: &R,
        place: Place<'_>,
        request: &Request,
        body: &Body<B>,
        trace: &mut Trace,
    ) -> Option<Answer> {
        let answer = if let Err(refusal) = may_have_method(request) {
            Err(refusal)
        } else if expects_the_unknown(request) {
            Err(Refusal::new(417, "Expectation Failed")
                .logged("Expect asks for something else than 100-continue"))
        } else if let Some(endpoint) = endpoints::endpoint(self, place, request) {
            if let Some(cors) = self
                .policy
                .api_cors
                .as_ref()
                .filter(|_| cors::is_preflight(request))
            {
                runtime.explain(|| Step::own("CORS of the API: the request is a preflight"));
                return Some(cors::answer_preflight(cors, request, self.policy.strict));
            }
            runtime.explain(|| endpoint.step());
            let question = Question {
                endpoint,
                place,
                request,
                body,
            };
            endpoints::answer(self, runtime, question, trace).await
        } else if place.deployment.is_some_and(|own| own.is_withheld()) {
            Err(Deployment::refusal())
        } else {
            match self.must_serve(request) {
                Ok(()) => return None,
                Err(refusal) => Err(refusal),
            }
        };
        Some(answer.unwrap_or_else(|refusal| {
            trace.reason.clone_from(&refusal.log);
            runtime.explain(|| Step::of_refusal(&refusal));
            let request_id = request.header(&errors::X_REQUEST_ID);
            errors::refuse(&self.policy, &refusal, request_id)
        }))
    }

    /// # Errors
    /// 404 for a host that nobody is to reach.
    pub(crate) fn must_serve(&self, request: &Request) -> Result<(), Refusal> {
        may_have_method(request)?;
        if self.serves(request) {
            return Ok(());
        }
        Err(
            Refusal::new(404, "The requested resource could not be found")
                .logged("the host is not served"),
        )
    }

    pub(super) fn serves(&self, request: &Request) -> bool {
        self.policy.hosts.as_ref().is_none_or(|hosts| {
            hosts
                .iter()
                .any(|host| host.matches(&request.host, request.port))
        })
    }
}

/// # Errors
/// 405 for a method that is never served.
fn may_have_method(request: &Request) -> Result<(), Refusal> {
    let forbidden = FORBIDDEN_METHODS
        .iter()
        .any(|method| method.eq_ignore_ascii_case(&request.method));
    if forbidden {
        return Err(Refusal::new(405, "Method Not Allowed").logged("the method is never served"));
    }
    Ok(())
}

/// Whether `Expect` names what nobody can promise (RFC 9110 section 10.1.1).
fn expects_the_unknown(request: &Request) -> bool {
    request
        .header(&EXPECT)
        .is_some_and(|value| !value.is_empty() && !value.eq_ignore_ascii_case("100-continue"))
}
