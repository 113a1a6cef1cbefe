//! That somebody wants to know why a request is decided as it is: its operator, by `Edge-Explain`, or its log.

use edgekeeper_policy::document::Policy;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};

use super::Gateway;
use crate::decision::{Answer, Decision};
use crate::explanation::{Asked, Explanation, Steps};
use crate::operator::{self, EDGE_EXPLAIN, Purpose};
use crate::refusal::Refusal;
use crate::request::RawRequest;
use crate::runtime::Runtime;
use crate::trace::Trace;

/// The setting of a deployment that has explanations logged.
const SETTING: &str = "EXPLAIN";

/// A request whose decision is to be explained, as it came in.
pub(super) struct Inquiry {
    method: String,
    url: String,
    headers: HeaderMap,
    by: By,
}

/// Who wants to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// The operator, who gets the explanation for an answer: the request goes no further.
    Operator,
    /// The log.
    Log,
}

impl Inquiry {
    /// Whether somebody wants to know. The operator's statement is for nobody behind the gateway.
    ///
    /// # Errors
    /// 401 for a statement that is not the operator's for this request. Without `operator.secret` the header means nothing.
    pub(super) async fn of<R: Runtime, B>(
        gateway: &Gateway,
        runtime: &R,
        raw: &mut RawRequest<B>,
    ) -> Result<Option<Self>, Refusal> {
        // Who wants them already shows them himself.
        let Some(steps) = runtime.steps().filter(|steps| !steps.are_wanted()) else {
            return Ok(None);
        };
        let statement = is_known(&gateway.policy)
            .then(|| raw.headers.remove(EDGE_EXPLAIN))
            .flatten();
        let by = if let Some(statement) = statement {
            let request = (raw.method.as_str(), raw.url.as_str());
            // What is no text is not signed either.
            let statement = statement.to_str().unwrap_or_default();
            operator::verify(
                &gateway.policy,
                runtime,
                Purpose::Explain,
                request,
                statement,
            )
            .await?;
            By::Operator
        } else if gateway.is_log_explained(runtime).await {
            By::Log
        } else {
            return Ok(None);
        };
        steps.want();
        Ok(Some(Self {
            method: raw.method.clone(),
            url: raw.url.clone(),
            headers: raw.headers.clone(),
            by,
        }))
    }

    /// Tells why it was decided so, and what becomes of the request.
    pub(super) fn explain(
        self,
        gateway: &Gateway,
        steps: &Steps,
        decision: Decision,
        trace: &mut Trace,
    ) -> Decision {
        let asked = Asked {
            method: &self.method,
            url: &self.url,
            headers: &self.headers,
        };
        // No runtime's client takes another `Host` than its URL's: for `preserve_host` a binding is given the URL with the client's.
        let explanation = Explanation::new(gateway, asked, steps.take(), &decision)
            .by_url()
            .to_json();
        match self.by {
            By::Log => {
                trace.explanation = Some(explanation);
                decision
            }
            By::Operator => {
                trace.reason = Some("explained to the operator, not sent on".to_owned());
                Decision::Answer(answer(explanation))
            }
        }
    }
}

impl Gateway {
    async fn is_log_explained<R: Runtime>(&self, runtime: &R) -> bool {
        if let Some(known) = self.explains.get() {
            return known;
        }
        let explains = runtime.secret(SETTING).await.as_deref() == Some("log");
        self.explains.set(Some(explains));
        explains
    }
}

fn is_known(policy: &Policy) -> bool {
    policy.operator_secret.is_some()
}

fn answer(explanation: String) -> Answer {
    let header = HeaderValue::from_static;
    Answer {
        status: 200,
        headers: vec![
            (CONTENT_TYPE, header("application/json")),
            (CACHE_CONTROL, header("no-store")),
        ],
        body: explanation,
    }
}
