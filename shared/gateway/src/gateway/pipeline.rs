//! What a rule makes of a request, whether the request then goes on or only the decision is told.

use std::rc::Rc;

use edgekeeper_policy::rule::Rule;
use http::HeaderMap;

use super::Gateway;
use crate::body::Body;
use crate::decision::Edit;
use crate::explanation::{self, Step};
use crate::matching::Matched;
use crate::passage::{Passage, Purpose};
use crate::refusal::Refusal;
use crate::request::Request;
use crate::runtime::{RequestBody, Runtime};
use crate::trace::Trace;
use crate::{authenticators, authorizers, matching, mutators, sealed_cookie};

/// A request that its rule lets through.
pub(crate) struct Allowed<'a> {
    pub(crate) rule: &'a Rule,
    /// The headers that the mutators made.
    pub(crate) told: HeaderMap,
    /// Whether that depends on a session.
    pub(crate) has_session: bool,
    /// What the browser is given to carry with the answer.
    pub(crate) carried: Option<Edit>,
}

/// A request that does not go through, and the rule that says so, if there is one.
pub(crate) struct Refused<'a> {
    pub(crate) rule: Option<&'a Rule>,
    pub(crate) refusal: Refusal,
}

impl Gateway {
    /// Finds the rule for a request and runs its handlers: who, may they, what is told.
    pub(crate) async fn judge<R: Runtime, B: RequestBody>(
        self: &Rc<Self>,
        runtime: &R,
        request: &mut Request,
        purpose: Purpose,
        body: &Body<B>,
        trace: &mut Trace,
    ) -> Result<Allowed<'_>, Refused<'_>> {
        let strict = self.policy.strict;
        let unmatched = |refusal| Refused {
            rule: None,
            refusal,
        };
        let matched = matching::find(&self.policy.rules, &self.index, request, strict);
        if runtime.is_explaining() {
            self.explain_matching(runtime, request, &matched);
        }
        let matched = matched.map_err(unmatched)?;
        if !matched.keeps_slash {
            // Whoever asks for a decision serves the path as it is.
            if purpose == Purpose::Decide && !strict && request.path.has_trailing_slash() {
                let refusal = Refusal::not_found()
                    .logged("the rule is for the path without the slash at its end");
                return Err(unmatched(refusal));
            }
            request.path.drop_trailing_slash();
        }
        let (rule, loaded) = self
            .policy
            .rules
            .get(matched.rule)
            .zip(self.loaded.get(matched.rule))
            .ok_or_else(|| unmatched(Refusal::not_found()))?;
        trace.rule = Some(rule.id.clone());
        let refused = |refusal| Refused {
            rule: Some(rule),
            refusal,
        };
        let passage = Passage {
            rule,
            request,
            captures: &matched.captures,
            purpose,
            strict,
        };
        let mut authentication = authenticators::authenticate(self, runtime, rule, request, trace)
            .await
            .map_err(refused)?;
        let has_session = authentication.session.is_some();
        let question = authentication.session.as_ref();
        let question = question.and_then(|session| session.carried);
        let refused_with_session = |mut refusal: Refusal| {
            refusal.has_session = has_session;
            refused(refusal)
        };
        authorizers::authorize(
            self,
            runtime,
            &loaded.authorizers,
            &passage,
            body,
            &mut authentication,
        )
        .await
        .map_err(refused_with_session)?;
        let told = mutators::mutate(
            self,
            runtime,
            &loaded.mutators,
            &passage,
            authentication,
            trace,
        )
        .await
        .map_err(refused_with_session)?
        .headers;
        let carried = match question.filter(|_| purpose == Purpose::Forward) {
            Some(question) => {
                sealed_cookie::hand_out(self, runtime, passage.request, &question).await
            }
            None => None,
        };
        Ok(Allowed {
            rule,
            told,
            has_session,
            carried,
        })
    }

    /// Tells which rule was found, and which others were near.
    fn explain_matching<R: Runtime>(
        &self,
        runtime: &R,
        request: &Request,
        matched: &Result<Matched, Refusal>,
    ) {
        runtime.explain(|| Step::Request {
            method: request.method.clone(),
            url: request.match_target(request.path.decoded()),
        });
        let chosen = matched.as_ref().ok();
        let rule = chosen.and_then(|matched| self.policy.rules.get(matched.rule));
        runtime.explain(|| match (rule, matched) {
            (Some(rule), Ok(matched)) => Step::Rule {
                id: rule.id.clone(),
                pattern: rule.url.source().to_owned(),
                captures: matched.captures.clone(),
            },
            (_, Err(refusal)) => Step::NoRule {
                reason: explanation::why(refusal),
            },
            (None, Ok(_)) => Step::NoRule {
                reason: "the index names a rule that is not there".to_owned(),
            },
        });
        let chosen = chosen.map(|matched| matched.rule);
        if !runtime.wants_near_misses() {
            return;
        }
        for miss in explanation::near_misses(&self.policy, request, chosen) {
            runtime.explain(|| Step::NearMiss(miss));
        }
    }
}
