//! `/decisions`: whether a request may pass that another proxy has before it, and what it is to tell the upstream.
//!
//! There are two ways to ask. A proxy that sends the request itself, only with `/decisions` before its path (Envoy), is asked
//! about what it sends. One that asks at `/decisions` alone (nginx, Traefik) says in `X-Forwarded-Method`, `-Proto`, `-Host`
//! and `-Uri` which request it means, and must be believed. By default the two are not mixed: a header that a client sent and
//! its proxy passed on would otherwise say what is judged. Strict mode mixes them as Oathkeeper does.

use std::rc::Rc;

use edgekeeper_policy::document::{Policy, Scheme};
use edgekeeper_policy::mutator::Mutator;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, HOST};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::no_store;
use super::trust::{self, Asker};
use crate::Gateway;
use crate::body::Body;
use crate::decision::Answer;
use crate::errors;
use crate::gateway::{Allowed, Refused};
use crate::hop_by_hop;
use crate::passage::Purpose;
use crate::path::CanonicalPath;
use crate::refusal::Refusal;
use crate::request::{self, Request};
use crate::runtime::{RequestBody, Runtime};
use crate::trace::Trace;

const PATH: &str = "/decisions";

const METHOD: HeaderName = HeaderName::from_static("x-forwarded-method");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const URI: HeaderName = HeaderName::from_static("x-forwarded-uri");

/// What is left of a path behind `/decisions`; `None` for a path that does not begin with it. Oathkeeper decodes the path
/// first, and takes `/decisionsx` for it, too.
pub(super) fn rest_of(path: &str, strict: bool) -> Option<&str> {
    if !strict {
        let rest = path.strip_prefix(PATH)?;
        return (rest.is_empty() || rest.starts_with('/')).then_some(rest);
    }
    PATH.chars().try_fold(path, |rest, letter| {
        rest.strip_prefix(letter).or_else(|| {
            let (escape, behind) = rest.split_at_checked(3)?;
            let wanted = format!("%{:02x}", u32::from(letter));
            escape.eq_ignore_ascii_case(&wanted).then_some(behind)
        })
    })
}

/// Judges the request that is meant. Allowed it is 200 without a body, with what the upstream is to be told as headers.
pub(super) async fn answer<R: Runtime, B: RequestBody>(
    gateway: &Rc<Gateway>,
    runtime: &R,
    asking: &Request,
    rest: &str,
    asker: &Asker,
    body: &Body<B>,
    trace: &mut Trace,
) -> Result<Answer, Refusal> {
    asker.must_be_let_in()?;
    let policy = gateway.policy();
    let meant = if policy.strict {
        as_oathkeeper(asking, rest, asker)
    } else {
        in_one_way(asking, rest, asker)
    };
    let mut request = match meant {
        Ok(request) => request,
        // No rule could be for it.
        Err(refusal) if policy.strict && refusal.status == 404 => {
            trace.reason.clone_from(&refusal.log);
            return Ok(errors::answer(runtime, policy, None, asking, &refusal));
        }
        Err(refusal) => return Err(refusal),
    };
    trace.method.clone_from(&request.method);
    trace.host = request.authority();
    trace.path = request.path.decoded().to_owned();
    gateway.must_serve(&request)?;
    let judged = gateway
        .judge(runtime, &mut request, Purpose::Decide, body, trace)
        .await;
    Ok(match judged {
        Ok(allowed) => tell(policy, &request, &allowed),
        Err(Refused { rule, refusal }) => {
            trace.reason.clone_from(&refusal.log);
            errors::answer(runtime, policy, rule, &request, &refusal)
        }
    })
}

/// The answer to who may pass. By default it has what the mutators made, and an empty value for every header by which some
/// rule tells who the user is and this one does not: a proxy that lets these headers replace the client's has none of the
/// client's left.
fn tell(policy: &Policy, request: &Request, allowed: &Allowed<'_>) -> Answer {
    let told = &allowed.told;
    let mut headers: Vec<(HeaderName, HeaderValue)> = Vec::new();
    if policy.strict {
        // Oathkeeper's `noop` makes the request's own headers those of the session.
        if allowed.rule.mutators.contains(&Mutator::Noop) {
            headers.extend(own_headers(&request.headers, told));
        }
    } else {
        for name in &policy.identity_headers {
            if let Ok(name) = HeaderName::from_bytes(name.as_bytes())
                && !told.contains_key(&name)
            {
                headers.push((name, HeaderValue::from_static("")));
            }
        }
        headers.push(no_store());
    }
    headers.extend(
        told.iter()
            .filter(|(name, _)| is_told(name))
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    Answer {
        status: 200,
        headers,
        body: String::new(),
    }
}

/// The first value of each header of the request that the mutators did not replace.
fn own_headers<'a>(
    own: &'a HeaderMap,
    told: &'a HeaderMap,
) -> impl Iterator<Item = (HeaderName, HeaderValue)> + 'a {
    own.keys()
        .filter(|name| !told.contains_key(*name) && is_told(name))
        // The answer's body is another than the request's, and what the runtime added nobody sent.
        .filter(|name| **name != CONTENT_ENCODING && !hop_by_hop::is_runtime_header(name.as_str()))
        .filter_map(|name| Some((name.clone(), own.get(name)?.clone())))
}

/// Headers that are about this answer, and so not the upstream's to be told.
fn is_told(name: &HeaderName) -> bool {
    *name != CONTENT_LENGTH && *name != HOST && !hop_by_hop::is_hop_by_hop(name)
}

/// The request that Oathkeeper would judge.
///
/// # Errors
/// 404 when no rule could be for it, 400 when its path has no meaning or two. Oathkeeper takes `X-Forwarded-Uri` for decoded
/// already, so that a dot segment in it is judged as one path and served as another; here it is read like any path.
fn as_oathkeeper(asking: &Request, rest: &str, asker: &Asker) -> Result<Request, Refusal> {
    for name in [&METHOD, &PROTO, &FORWARDED_HOST, &URI] {
        let is_text = |value: &HeaderValue| std::str::from_utf8(value.as_bytes()).is_ok();
        if asker.believed && !asking.headers.get(name).is_none_or(is_text) {
            return Err(Refusal::bad_request("an X-Forwarded-* header is not UTF-8"));
        }
    }
    let forwarded =
        |name: &HeaderName| text(asking, name).filter(|value| asker.believed && !value.is_empty());
    let nobodys = |log: &str| Refusal::not_found().logged(log);
    let scheme = match forwarded(&PROTO) {
        None => asking.scheme,
        Some("http") => Scheme::Http,
        Some("https") => Scheme::Https,
        Some(_) => return Err(nobodys("X-Forwarded-Proto is neither http nor https")),
    };
    let own = asking.spelt.clone().unwrap_or_else(|| asking.authority());
    let sent = forwarded(&FORWARDED_HOST).unwrap_or(&own);
    let (host, port) =
        request::split_authority(sent, scheme).map_err(|ambiguous| nobodys(ambiguous.0))?;
    let uri = forwarded(&URI)
        .and_then(|uri| uri.split('?').next())
        .filter(|path| !path.is_empty());
    let path = match uri.unwrap_or(rest) {
        "" => CanonicalPath::empty(),
        path if path.starts_with('/') => CanonicalPath::parse(path, true)
            .map_err(|ambiguous| Refusal::bad_request(ambiguous.0))?
            .encoded_anew(),
        _ => return Err(nobodys("the path does not begin with `/`")),
    };
    Ok(Request {
        method: forwarded(&METHOD).unwrap_or(&asking.method).to_owned(),
        scheme,
        host,
        port,
        path,
        query: asking.query.clone(),
        headers: without_secret(asking),
        believes_forwarded: asker.believed,
        spelt: None,
        brought: asking.brought.clone(),
    }
    .spelt_as(sent))
}

/// The request that is meant, said in one of the two ways.
fn in_one_way(asking: &Request, rest: &str, asker: &Asker) -> Result<Request, Refusal> {
    let bad = |log: &str| Refusal::new(400, "It is not clear which request is meant").logged(log);
    if rest.is_empty() {
        return forwarded(asking, asker, bad);
    }
    if asking.headers.contains_key(URI) {
        return Err(bad(
            "there is a path behind /decisions and one in X-Forwarded-Uri; ask at /decisions alone, or take the header off",
        ));
    }
    let scheme = match one(asking, &PROTO) {
        Ok(Some(proto)) if asker.believed => scheme(proto).map_err(bad)?,
        _ => asking.scheme,
    };
    let (host, port) =
        request::split_authority(&asking.authority(), scheme).map_err(|why| bad(why.0))?;
    Ok(Request {
        method: asking.method.clone(),
        scheme,
        host,
        port,
        path: as_served(rest)?,
        query: asking.query.clone(),
        headers: without_secret(asking),
        believes_forwarded: asker.believed,
        spelt: None,
        brought: asking.brought.clone(),
    })
}

/// The request that `X-Forwarded-*` describe. All four must be there: one that a proxy forgets to set is the client's to
/// choose, and a `POST` that is judged as the proxy's own `GET` is judged wrongly.
fn forwarded(
    asking: &Request,
    asker: &Asker,
    bad: impl Fn(&str) -> Refusal,
) -> Result<Request, Refusal> {
    if !asker.believed {
        return Err(Asker::forbidden(
            "X-Forwarded-* are not believed: set `api.trust_forwarded_headers` in edge.yml if only proxies reach the API, or let the proxy send the secret that `api.secret` names",
        ));
    }
    let value = |name: &HeaderName| {
        one(asking, name).and_then(|value| {
            value.ok_or("one of X-Forwarded-Method, X-Forwarded-Proto, X-Forwarded-Host and X-Forwarded-Uri is missing")
        })
    };
    let method = value(&METHOD).map_err(&bad)?;
    let scheme = value(&PROTO).and_then(scheme).map_err(&bad)?;
    let (host, port) = value(&FORWARDED_HOST)
        .and_then(|host| request::split_authority(host, scheme).map_err(|why| why.0))
        .map_err(&bad)?;
    let uri = value(&URI).map_err(&bad)?;
    let (path, query) = match uri.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (uri, None),
    };
    if query.is_some_and(request::is_unclear) {
        return Err(bad(
            "there is a fragment, a space or a control byte in the query",
        ));
    }
    Ok(Request {
        method: method.to_owned(),
        scheme,
        host,
        port,
        path: as_served(path)?,
        query: query.map(str::to_owned),
        headers: without_secret(asking),
        believes_forwarded: true,
        spelt: None,
        brought: asking.brought.clone(),
    })
}

/// The first value of a header, as Go reads it: not only ASCII.
fn text<'a>(asking: &'a Request, name: &HeaderName) -> Option<&'a str> {
    std::str::from_utf8(asking.headers.get(name)?.as_bytes()).ok()
}

/// The one value of a header; `None` when it is missing.
fn one<'a>(asking: &'a Request, name: &HeaderName) -> Result<Option<&'a str>, &'static str> {
    let mut values = asking.headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    match (value.to_str(), values.next()) {
        (Ok(text), None) if !text.is_empty() => Ok(Some(text)),
        _ => Err("an X-Forwarded-* header is empty, there twice or not ASCII"),
    }
}

/// A proxy says `ws` and `wss` for a WebSocket's handshake, which rules know as `http` and `https`.
fn scheme(text: &str) -> Result<Scheme, &'static str> {
    match text.to_ascii_lowercase().as_str() {
        "http" | "ws" => Ok(Scheme::Http),
        "https" | "wss" => Ok(Scheme::Https),
        _ => Err("X-Forwarded-Proto is neither http nor https"),
    }
}

/// A path that the upstream gets as it was sent: it must be the same before and after it is cleaned.
fn as_served(raw: &str) -> Result<CanonicalPath, Refusal> {
    let path = CanonicalPath::parse(raw, false).map_err(|why| Refusal::bad_request(why.0))?;
    if path.encoded() != raw {
        return Err(Refusal::bad_request(
            "there is an empty segment or a dot segment in the path, and who only asks for a decision serves it uncleaned",
        ));
    }
    Ok(path)
}

/// What nobody else is to see: no handler shows it to a service, and no answer gives it back.
fn without_secret(asking: &Request) -> HeaderMap {
    let mut headers = asking.headers.clone();
    headers.remove(trust::SECRET);
    headers
}
