//! `bearer_token`: asks a session check about a token, and remembers what it said.

use std::rc::Rc;

use edgekeeper_policy::authenticator::{BearerToken, TokenFrom};
use edgekeeper_session::credential::Credential;
use edgekeeper_session::whoami::Store;
use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderName, HeaderValue};

use super::session_check::Subject;
use super::{Denied, session_check, token};
use crate::Gateway;
use crate::authentication::Authentication;
use crate::refusal::Refusal;
use crate::request::Request;
use crate::runtime::Runtime;
use crate::trace::Trace;
use crate::whoami::Question;

pub(super) async fn authenticate<R: Runtime>(
    gateway: &Rc<Gateway>,
    runtime: &R,
    config: &BearerToken,
    request: &Request,
    trace: &mut Trace,
) -> Result<Authentication, Denied> {
    let strict = gateway.policy().strict;
    let token = token::find(&config.token_from, &config.prefix, request, strict)?;
    let sent = if strict {
        authorization(request)
    } else {
        token_headers(config, &token)
    };
    let credential = Credential::Bearer(token);
    let subject = Subject {
        credential: &credential,
        sent,
        store: Store::Any,
    };
    let question = Question::new(gateway, &config.check, request, subject);
    let authentication =
        session_check::ask(gateway, runtime, &config.check, question, trace).await?;
    if authentication.subject.is_empty() && !strict {
        let path = &config.check.subject_from;
        return Err(Refusal::unauthorized()
            .logged(format!(
                "subject_from `{path}` finds no subject in the session check's answer"
            ))
            .into());
    }
    Ok(authentication)
}

/// What Oathkeeper sends: the request's own `Authorization`, wherever the token is.
fn authorization(request: &Request) -> Vec<(HeaderName, HeaderValue)> {
    let values = request.headers.get_all(AUTHORIZATION);
    values
        .iter()
        .map(|value| (AUTHORIZATION, value.clone()))
        .collect()
}

/// The token as a bearer token, wherever it was; and also where it was, if that is to be sent along, without what else is
/// there.
fn token_headers(config: &BearerToken, token: &str) -> Vec<(HeaderName, HeaderValue)> {
    let forwarded = |name: &str| {
        let mut names = config.check.forward_http_headers.iter();
        names.any(|own| own == name)
    };
    let own = match &config.token_from {
        TokenFrom::Header(name) if forwarded(name) => HeaderName::from_bytes(name.as_bytes())
            .ok()
            .map(|name| (name, token.to_owned())),
        TokenFrom::Cookie(name) if forwarded(COOKIE.as_str()) => {
            Some((COOKIE, format!("{name}={token}")))
        }
        _ => None,
    };
    [(AUTHORIZATION, format!("Bearer {token}"))]
        .into_iter()
        .chain(own)
        .filter_map(|(name, value)| Some((name, HeaderValue::from_str(&value).ok()?)))
        .collect()
}
