//! `cookie_session`: asks Kratos' whoami, and remembers what it said.

use std::rc::Rc;

use edgekeeper_policy::authenticator::CookieSession;
use edgekeeper_session::credential::{Credential, Presented};
use edgekeeper_session::whoami::Store;
use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderName, HeaderValue};

use super::session_check::Subject;
use super::{Denied, session_check};
use crate::Gateway;
use crate::authentication::Authentication;
use crate::refusal::Refusal;
use crate::request::Request;
use crate::runtime::Runtime;
use crate::trace::Trace;
use crate::whoami::Question;

const X_SESSION_TOKEN: HeaderName = HeaderName::from_static("x-session-token");

pub(super) async fn authenticate<R: Runtime>(
    gateway: &Rc<Gateway>,
    runtime: &R,
    config: &CookieSession,
    request: &Request,
    trace: &mut Trace,
) -> Result<Authentication, Denied> {
    let credential = match credential(gateway, config, request) {
        Ok(Some(credential)) => credential,
        Ok(None) => return Err(Denied::NotResponsible),
        Err(refusal) => return Err(refusal.into()),
    };
    let (name, value) = credential.header();
    let sent = HeaderValue::from_str(&value).map(|value| (HeaderName::from_static(name), value));
    let subject = Subject {
        credential: &credential,
        sent: sent.into_iter().collect(),
        store: Store::Kratos,
    };
    let question = Question::new(gateway, &config.check, request, subject);
    session_check::ask(gateway, runtime, &config.check, question, trace).await
}

/// The credential that a request presents to this handler.
///
/// # Errors
/// 401 when it is there but Kratos and the gateway could read it differently.
pub(crate) fn credential(
    gateway: &Gateway,
    config: &CookieSession,
    request: &Request,
) -> Result<Option<Credential>, Refusal> {
    let cookie = request.header_values(&COOKIE);
    if gateway.policy().strict {
        return Ok(Credential::all_cookies(&cookie, &config.only));
    }
    let names = match config.only.as_slice() {
        [] => &gateway.policy().session.cookies,
        _ => &config.only,
    };
    let presented = Presented {
        session_token: &request.header_values(&X_SESSION_TOKEN),
        cookie: &cookie,
        authorization: &request.header_values(&AUTHORIZATION),
    };
    Credential::choose(presented, names, config.bearer).map_err(|_| {
        Refusal::unauthorized()
            .logged("the session credential is given twice, is too long or is no credential")
    })
}
