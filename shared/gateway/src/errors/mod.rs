//! How a refusal is told: Oathkeeper's error handlers, one file each, and the choice between them.

mod json;
mod redirect;
mod when;
mod www_authenticate;

use edgekeeper_policy::document::Policy;
use edgekeeper_policy::error_handler::{ErrorHandler, ErrorHandlerKind, ErrorKind};
use edgekeeper_policy::rule::Rule;
use http::HeaderValue;
use http::header::CACHE_CONTROL;

use crate::decision::Answer;
use crate::explanation::{self, Choice, Step, Whose};
use crate::refusal::{INTERNAL, Refusal};
use crate::request::Request;
use crate::runtime::Runtime;

pub(crate) use json::{X_REQUEST_ID, write as json_answer};

/// The answer to a refused request: by the handler of the rule that fits, else by the fallback that does.
pub(crate) fn answer<R: Runtime>(
    runtime: &R,
    policy: &Policy,
    rule: Option<&Rule>,
    request: &Request,
    refusal: &Refusal,
) -> Answer {
    let request_id = request.header(&X_REQUEST_ID);
    runtime.explain(|| Step::of_refusal(refusal));
    // An upstream that cannot be told what it is to be told fails in Oathkeeper's transport, past all handlers.
    if policy.strict && refusal.status == 502 {
        return json::text(502, "");
    }
    let mut answer = match choose(runtime, policy, rule, request, refusal) {
        Ok(Chosen::Json { verbose }) => json::answer(refusal, verbose, request_id),
        Ok(Chosen::Redirect {
            location,
            code,
            guard,
        }) => redirect::answer(&location, code, guard, request),
        Ok(Chosen::WwwAuthenticate { realm }) => www_authenticate::answer(realm, policy.strict),
        Err(conflict) => json::answer(&conflict, true, request_id),
    };
    if !policy.strict {
        never_store(&mut answer);
    }
    answer
}

/// The answer to what is refused before any rule, and so before any error handler.
pub(crate) fn refuse(policy: &Policy, refusal: &Refusal, request_id: Option<&str>) -> Answer {
    if policy.strict
        && let Some(text) = said_by_gos_server(refusal.status)
    {
        return json::text(refusal.status, text);
    }
    let mut answer = json::write(refusal.status, &refusal.message, None, request_id);
    answer.headers.extend(refusal.headers.iter().cloned());
    if !policy.strict {
        never_store(&mut answer);
    }
    answer
}

/// What was refused now may be allowed in a second, after login.
fn never_store(answer: &mut Answer) {
    answer
        .headers
        .push((CACHE_CONTROL, HeaderValue::from_static("no-store")));
}

/// What Go's server, and so Oathkeeper, answers to a request that it does not hand on.
fn said_by_gos_server(status: u16) -> Option<&'static str> {
    match status {
        400 => Some("400 Bad Request"),
        417 => Some(""),
        _ => None,
    }
}

enum Chosen<'a> {
    Json {
        verbose: bool,
    },
    WwwAuthenticate {
        realm: &'a str,
    },
    Redirect {
        location: HeaderValue,
        code: u16,
        guard: Option<HeaderValue>,
    },
}

fn choose<'a, R: Runtime>(
    runtime: &R,
    policy: &'a Policy,
    rule: Option<&'a Rule>,
    request: &Request,
    refusal: &Refusal,
) -> Result<Chosen<'a>, Refusal> {
    let considered = |of, number, handler| Considered {
        of,
        number,
        handler,
        policy,
        request,
        refusal,
    };
    let mut of_rule: Option<Considered<'_, 'a>> = None;
    let own = rule.map(|rule| rule.errors.as_slice()).unwrap_or_default();
    for (number, handler) in (1..).zip(own) {
        let handler = considered(Whose::Rule, number, handler);
        if !handler.fits(runtime)? {
            continue;
        }
        if of_rule.is_some() {
            let refusal = Refusal::new(500, INTERNAL)
                .with_reason(
                    "Found more than one error handlers to be responsible for this request. This is a configuration error that needs to be resolved by the system administrator.\"",
                );
            handler.tell(runtime, || Choice::Failed {
                reason: "another one of the rule is for it, too".to_owned(),
            });
            return Err(refusal);
        }
        of_rule = Some(handler);
    }
    if let Some(chosen) = of_rule.and_then(|handler| handler.apply(runtime)) {
        return Ok(chosen);
    }
    let mut of_policy = None;
    for (number, handler) in (1..).zip(&policy.errors) {
        let handler = considered(Whose::Fallback, number, handler);
        if handler.fits(runtime)? {
            of_policy = handler.apply(runtime);
        }
        if of_policy.is_some() {
            break;
        }
    }
    match of_policy {
        Some(chosen) => Ok(chosen),
        None if policy.strict => Err(Refusal::new(
            500,
            INTERNAL,
        )
        .with_reason(
            "Unable to handle HTTP request because no matching error handling strategy was found. This is a bug and should be reported to: http://github.com/ory/oathkeeper",
        )),
        // Nobody would learn why from Oathkeeper's 500; the error itself is the better answer.
        None => Ok(Chosen::Json { verbose: false }),
    }
}

/// A handler that may tell of a refusal.
struct Considered<'r, 'a> {
    of: Whose,
    /// Its place there, from 1.
    number: usize,
    handler: &'a ErrorHandler,
    policy: &'a Policy,
    request: &'r Request,
    refusal: &'r Refusal,
}

impl<'a> Considered<'_, 'a> {
    /// Whether it is for the refusal.
    ///
    /// # Errors
    /// What Oathkeeper says of a handler that it cannot run.
    fn fits<R: Runtime>(&self, runtime: &R) -> Result<bool, Refusal> {
        if let ErrorHandlerKind::Broken(fault) = &self.handler.kind {
            let refusal = Refusal::fault(fault);
            self.tell(runtime, || Choice::Failed {
                reason: explanation::why(&refusal),
            });
            return Err(refusal);
        }
        let fits = when::holds(&self.handler.when, self.request, self.refusal);
        if !fits {
            self.tell(runtime, || Choice::NotForIt {
                reason: when::misfits(&self.handler.when, self.request, self.refusal),
            });
        }
        Ok(fits)
    }

    /// What it says, unless that would not help.
    fn apply<R: Runtime>(&self, runtime: &R) -> Option<Chosen<'a>> {
        let chosen = apply(self.policy, self.handler, self.request, self.refusal);
        self.tell(runtime, || match &chosen {
            Some(_) => Choice::Chosen,
            None => Choice::NoHelp {
                reason: no_help(self.handler, self.refusal).to_owned(),
            },
        });
        chosen
    }

    fn tell<R: Runtime>(&self, runtime: &R, verdict: impl FnOnce() -> Choice) {
        runtime.explain(|| Step::ErrorHandler {
            of: self.of,
            number: self.number,
            handler: explanation::error_handler(&self.handler.kind).to_owned(),
            verdict: verdict(),
        });
    }
}

/// Why a handler that fits says nothing.
fn no_help(handler: &ErrorHandler, refusal: &Refusal) -> &'static str {
    match &handler.kind {
        ErrorHandlerKind::WwwAuthenticate { .. } => "a password would not change anything",
        _ if leads_to_login(handler) && refusal.has_session => {
            "logging in would not change anything: there is a session already"
        }
        _ if leads_to_login(handler) && refusal.status == 503 => {
            "logging in would not change anything: a service does not answer"
        }
        _ => "there is nothing safe that it could lead to from this request",
    }
}

fn apply<'a>(
    policy: &Policy,
    handler: &'a ErrorHandler,
    request: &Request,
    refusal: &Refusal,
) -> Option<Chosen<'a>> {
    match &handler.kind {
        ErrorHandlerKind::Broken(_) => None,
        ErrorHandlerKind::WwwAuthenticate { realm } => (policy.strict
            || password_helps(handler, refusal))
        .then_some(Chosen::WwwAuthenticate { realm }),
        ErrorHandlerKind::Json { verbose } => Some(Chosen::Json { verbose: *verbose }),
        ErrorHandlerKind::Redirect {
            to,
            code,
            return_to_query_param,
        } => {
            if !policy.strict && leads_to_login(handler) && !login_helps(refusal) {
                return None;
            }
            let target = redirect::target(policy, to, return_to_query_param, request, refusal)?;
            Some(Chosen::Redirect {
                location: target.location,
                code: *code,
                guard: target.guard,
            })
        }
    }
}

/// Whether a challenge could change anything. Oathkeeper answers every error with 401, also one of the server's own; here
/// that is done only where `when` names it, and never while a service is down.
fn password_helps(handler: &ErrorHandler, refusal: &Refusal) -> bool {
    let is_named = handler
        .when
        .iter()
        .any(|when| when.error.contains(&refusal.kind()));
    match refusal.status {
        503 => false,
        401 => true,
        403 => is_named || !refusal.has_session,
        _ => is_named,
    }
}

/// Whether a redirect is to login. One that is only for errors that login cannot mend is to a page that explains them.
fn leads_to_login(handler: &ErrorHandler) -> bool {
    handler.when.is_empty()
        || handler
            .when
            .iter()
            .any(|when| when.error.is_empty() || when.error.contains(&ErrorKind::Unauthorized))
}

/// Whether logging in could change anything: not with a session already, and not while Kratos is down.
fn login_helps(refusal: &Refusal) -> bool {
    !refusal.has_session && refusal.status != 503
}
