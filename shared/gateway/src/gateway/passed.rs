//! Where an allowed request goes.

use edgekeeper_policy::mutator::Mutator;
use http::HeaderValue;
use http::header::ACCEPT_ENCODING;

use super::{Allowed, Gateway, Refused};
use crate::decision::Edit;
use crate::refusal::Refusal;
use crate::request::Request;
use crate::runtime::Runtime;
use crate::{hop_by_hop, told, upstream};

/// Where an allowed request goes, and with which changes.
pub(super) struct Passed {
    pub(super) url: String,
    pub(super) binding: Option<String>,
    pub(super) host: Option<String>,
    pub(super) edits: Vec<Edit>,
    pub(super) has_session: bool,
    pub(super) carried: Option<Edit>,
    pub(super) asks_for_gzip: bool,
}

impl Gateway {
    /// How an allowed request goes on.
    pub(super) fn pass<'a, R: Runtime>(
        &self,
        request: &Request,
        allowed: Allowed<'a>,
    ) -> Result<Passed, Refused<'a>> {
        let Allowed {
            rule,
            told,
            has_session,
            carried,
        } = allowed;
        let refused = |mut refusal: Refusal| {
            refusal.has_session = has_session;
            Refused {
                rule: Some(rule),
                refusal,
            }
        };
        if !R::WEBSOCKETS && hop_by_hop::asks_for_websocket(&request.headers) {
            let refusal = Refusal::new(426, "WebSockets do not pass here")
                .logged("this runtime cannot switch protocols");
            return Err(refused(refusal));
        }
        let target = rule
            .upstream
            .as_ref()
            .ok_or_else(|| refused(Refusal::no_upstream()))?;
        let first_only = self.policy.strict && rule.mutators.contains(&Mutator::Noop);
        let preserve_host = target.preserve_host;
        let mut edits = told::edits(&self.policy, request, &told, preserve_host, first_only);
        let asks_for_gzip = R::DECODES && self.policy.strict && told::asks_for_gzip(request, &told);
        if asks_for_gzip {
            edits.push(Edit::Set(ACCEPT_ENCODING, HeaderValue::from_static("gzip")));
        }
        Ok(Passed {
            url: upstream::url(target, request, self.policy.strict).map_err(refused)?,
            binding: target.binding.clone(),
            host: (target.preserve_host && target.binding.is_none()).then(|| request.authority()),
            edits,
            has_session,
            carried,
            asks_for_gzip,
        })
    }
}
