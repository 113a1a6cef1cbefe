//! What Kratos said, carried by the browser: a new instance need not ask it again.
//!
//! It proves nothing alone: it opens only beside the credential that Kratos was asked about, on the same host, for the same
//! question. It is taken out of a request before anybody looks at that, and so reaches neither Kratos nor an upstream.

use std::rc::Rc;

use edgekeeper_policy::document::{Policy, Scheme};
use edgekeeper_session::cache::Entry;
use edgekeeper_session::credential::Credential;
use edgekeeper_session::freshness::Standing;
use edgekeeper_session::key::CacheKey;
use edgekeeper_session::record::Record;
use edgekeeper_session::sealed_cookie::{self, Purpose, Taken};
use edgekeeper_session::whoami::Verdict;
use edgekeeper_token::seal::NONCE_LENGTH;
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};

use crate::Gateway;
use crate::decision::Edit;
use crate::request::Request;
use crate::revocations::{self, Known, Stands};
use crate::runtime::{Runtime, Unavailable};
use crate::second_tier;
use crate::whoami::Question;

/// The cookies of this kind that came with a request: their values, and whether under the name that https has.
#[derive(Debug, Clone, Default)]
pub(crate) struct Brought(Vec<(String, bool)>);

/// What a question may be answered by instead of Kratos.
#[derive(Clone)]
pub(crate) struct Carried {
    authority: String,
    /// The cookie's value; `None` where the browser brought none.
    value: Option<String>,
}

/// Whether browsers carry sessions. Strict mode sends all cookies on, as Oathkeeper does.
fn is_on(policy: &Policy) -> bool {
    policy.session.sealed_cookie && !policy.strict
}

impl Brought {
    /// Takes the cookies out of a request's headers.
    pub(crate) fn take(headers: &mut HeaderMap, policy: &Policy) -> Self {
        let mut brought = Self::default();
        if !is_on(policy) {
            return brought;
        }
        let mut rest: Vec<HeaderValue> = Vec::new();
        for header in headers.get_all(COOKIE) {
            match sealed_cookie::take(header.as_bytes()) {
                None => rest.push(header.clone()),
                Some(Taken { rest: left, values }) => {
                    brought.0.extend(values);
                    let left = HeaderValue::from_bytes(&left).ok();
                    rest.extend(left.filter(|left| !left.is_empty()));
                }
            }
        }
        if !brought.0.is_empty() {
            headers.remove(COOKIE);
            for left in rest {
                headers.append(COOKIE, left);
            }
        }
        brought
    }

    /// Of two of one name nobody knows which is whose, so neither counts.
    fn one(&self, scheme: Scheme) -> Option<&str> {
        let mut own = self
            .0
            .iter()
            .filter(|(_, https)| *https == (scheme == Scheme::Https));
        let (value, _) = own.next()?;
        own.next().is_none().then_some(value.as_str())
    }
}

/// The change that takes the cookies out of what the upstream sees.
pub(crate) fn upstream_edit(request: &Request) -> Option<Edit> {
    if request.brought.0.is_empty() {
        return None;
    }
    let rest = request.headers.get_all(COOKIE).iter();
    let rest: Vec<&[u8]> = rest.map(HeaderValue::as_bytes).collect();
    match HeaderValue::from_bytes(&rest.join(&b"; "[..])) {
        Ok(rest) if !rest.is_empty() => Some(Edit::Set(COOKIE, rest)),
        _ => Some(Edit::Remove(COOKIE)),
    }
}

/// What a request brings for the question about its credential. Only for a session cookie: a program that sends a token keeps no
/// cookies.
pub(crate) fn carried(
    gateway: &Gateway,
    request: &Request,
    credential: &Credential,
) -> Option<Carried> {
    let is_cookie = matches!(credential, Credential::Cookie(_));
    (is_on(gateway.policy()) && is_cookie).then(|| Carried {
        authority: request.authority(),
        value: request.brought.one(request.scheme).map(str::to_owned),
    })
}

/// What the browser knows of a question, if it counts. It is remembered by this instance, too. `revoked` is set when it no longer
/// counts since the session has changed.
pub(crate) async fn find<R: Runtime>(
    gateway: &Rc<Gateway>,
    runtime: &R,
    question: &Question,
    revoked: &mut bool,
) -> Option<(Rc<Entry>, Standing)> {
    let carried = question.carried.as_ref()?;
    let value = carried.value.as_ref()?;
    let sealer = match second_tier::sealer(runtime).await {
        Ok(sealer) => sealer,
        Err(error) => {
            complain(gateway, runtime, &error);
            return None;
        }
    };
    let purpose = Purpose::new(&question.key, &carried.authority);
    let (record, size) = sealed_cookie::open(value, &sealer, &purpose, runtime.seconds())?;
    let credential = &question.credential;
    let changed = || gateway.memory().has_changed_since(credential, record.asked);
    if changed() || second_tier::has_changed_since(gateway, runtime, credential, record.asked).await
    {
        *revoked = true;
        return None;
    }
    let known = Known::told(&record.session.document, record.asked);
    let stands = revocations::stands(gateway, runtime, &known).await;
    if stands != Stands::Yes {
        *revoked |= stands == Stands::Revoked;
        return None;
    }
    // It may have changed while this waited.
    if changed() {
        *revoked = true;
        return None;
    }
    let now = runtime.now();
    let (entry, standing) = second_tier::told(gateway, question, &record, size, now)
        .filter(|(_, standing)| matches!(standing, Standing::Fresh | Standing::Revalidate))?;
    entry.carried.set(true);
    gateway.memory().adopt(question.key, Rc::clone(&entry), now);
    Some((entry, standing))
}

/// A `Set-Cookie` with what Kratos said to a question, once for each of its answers: with the response that waited for it, or the
/// first one after it was asked behind a response.
pub(crate) async fn hand_out<R: Runtime>(
    gateway: &Gateway,
    runtime: &R,
    request: &Request,
    question: &CacheKey,
) -> Option<Edit> {
    let (entry, _) = gateway.memory().remembered(question, runtime.now())?;
    let Verdict::Active(session) = &entry.verdict else {
        return None;
    };
    if entry.carried.replace(true) {
        return None;
    }
    let freshness = &entry.freshness;
    let until = freshness.fresh_until.max(freshness.revalidate_until);
    let life = until.saturating_sub(runtime.seconds());
    if life == 0 {
        return None;
    }
    let record = Record {
        session: Rc::clone(session),
        asked: entry.asked,
        answered: freshness.since,
    };
    let purpose = Purpose::new(question, &request.authority());
    match seal(runtime, &record, &purpose, until).await {
        Ok(value) => {
            let https = request.scheme == Scheme::Https;
            edit(&sealed_cookie::set(&value?, life, https))
        }
        Err(error) => {
            complain(gateway, runtime, &error);
            None
        }
    }
}

async fn seal<R: Runtime>(
    runtime: &R,
    record: &Record,
    purpose: &Purpose,
    until: u64,
) -> Result<Option<String>, Unavailable> {
    let sealer = second_tier::sealer(runtime).await?;
    let mut nonce = [0; NONCE_LENGTH];
    runtime.random(&mut nonce)?;
    sealed_cookie::seal(record, &sealer, purpose, until, nonce)
        .map_err(|error| Unavailable(error.to_string()))
}

/// The `Set-Cookie` that takes the cookie from a browser whose session has changed.
pub(crate) fn clear(policy: &Policy, request: &Request) -> Option<Edit> {
    if !is_on(policy) {
        return None;
    }
    edit(&sealed_cookie::clear(request.scheme == Scheme::Https))
}

fn edit(set_cookie: &str) -> Option<Edit> {
    let value = HeaderValue::from_str(set_cookie).ok()?;
    Some(Edit::Append(SET_COOKIE, value))
}

/// Without the cookie Kratos is asked, which is no reason to refuse anybody.
fn complain<R: Runtime>(gateway: &Gateway, runtime: &R, error: &Unavailable) {
    second_tier::complain(gateway, runtime, error);
}
