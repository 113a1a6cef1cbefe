//! `jwt`: verifies a signed token with published keys.

mod claims;

use std::rc::Rc;

use edgekeeper_policy::authenticator::Jwt;
use edgekeeper_token::foreign::check::Verdict;
use edgekeeper_token::foreign::set::JwkSet;
use edgekeeper_token::foreign::token::{Options, VerifyError, begin, unverified_claims};
use http::header::RETRY_AFTER;
use serde_json::{Map, Value};

use self::claims::Unfit;
use super::{Denied, token};
use crate::Gateway;
use crate::authentication::{Authentication, Extra};
use crate::jwks::{self, Failure, Found, Keys, Purpose, Wanted};
use crate::refusal::{DEFAULT_RETRY_AFTER, Refusal};
use crate::request::Request;
use crate::runtime::Runtime;

/// herodot's text for 401 in an error of an error.
const UNAUTHORIZED: &str = "The request could not be authorized";

/// Oathkeeper's text for what its configuration does not allow.
const FEATURE_DISABLED: &str =
    "The matched rule uses a feature which is not enabled in the server configuration";

pub(super) async fn authenticate<R: Runtime>(
    gateway: &Rc<Gateway>,
    runtime: &R,
    config: &Jwt,
    request: &Request,
) -> Result<Authentication, Denied> {
    let strict = gateway.policy().strict;
    let token = token::find(&config.token_from, "", request, strict)?;
    // Another authenticator may know what this is.
    if token.split('.').count() != 3 {
        return Err(Denied::NotResponsible);
    }
    let mut claims = match verified(gateway, runtime, config, &token).await {
        Ok(claims) => claims,
        Err(Unverified::Token(error)) => {
            let refusal = refused(&token, strict, &error.oathkeeper(), "", "");
            return Err(refusal.logged(error.to_string()).into());
        }
        Err(Unverified::Unknown(_)) if strict => {
            let error = VerifyError::KidUnknown;
            let refusal = refused(&token, strict, &error.oathkeeper(), "", "");
            return Err(refusal.logged(error.to_string()).into());
        }
        Err(Unverified::Unknown(reason)) => {
            return Err(
                Refusal::new(503, "The token could not be checked; please try again")
                    .with_header(RETRY_AFTER, DEFAULT_RETRY_AFTER)
                    .logged(reason)
                    .into(),
            );
        }
    };
    claims::check(config, &mut claims).map_err(|unfit| {
        let (error, details) = match &unfit {
            Unfit::Audience { .. } | Unfit::Scope(_) => (UNAUTHORIZED, String::new()),
            Unfit::Issuer(_) => (
                UNAUTHORIZED,
                format!("received issuers:{}", config.trusted_issuers.join(", ")),
            ),
            Unfit::NoStrategy => (FEATURE_DISABLED, String::new()),
        };
        refused(&token, strict, error, &unfit.to_string(), &details).logged(unfit.for_log())
    })?;
    Ok(Authentication {
        subject: claims::text(&claims, "sub").to_owned(),
        extra: Extra::Own(Value::Object(claims)),
        ..Authentication::default()
    })
}

/// Why a token's claims are not believed.
enum Unverified {
    /// It is the token's fault.
    Token(VerifyError),
    /// It may be good: it names a key that a server might know which does not answer, or nobody could check its signature.
    Unknown(String),
}

async fn verified<R: Runtime>(
    gateway: &Gateway,
    runtime: &R,
    config: &Jwt,
    token: &str,
) -> Result<Map<String, Value>, Unverified> {
    let sets: Vec<Wanted<'_>> = config
        .jwks
        .iter()
        .map(|endpoint| Wanted {
            endpoint,
            purpose: Purpose::Verify,
            ttl: config.jwks_ttl,
            max_wait: config.jwks_max_wait,
        })
        .collect();
    let strict = gateway.policy().strict;
    let known: Vec<Rc<Keys>> = sets
        .iter()
        .filter_map(|set| jwks::fresh(gateway, runtime, set))
        .collect();
    match check(runtime, config, token, &known, strict).await {
        Err(Unverified::Token(VerifyError::KidUnknown)) => {}
        settled => return settled,
    }
    let (mut newer, mut failure) = (Vec::new(), None);
    for set in &sets {
        let Found { keys, failure: why } = jwks::newer(gateway, runtime, set).await;
        newer.extend(keys);
        failure = failure.or(why);
    }
    match (check(runtime, config, token, &newer, strict).await, failure) {
        (Err(Unverified::Token(VerifyError::KidUnknown)), Some(Failure { reason, .. })) => Err(
            Unverified::Unknown(format!("no keys to check the token with: {reason}")),
        ),
        (settled, _) => settled,
    }
}

/// Checks a token with these keys.
async fn check<R: Runtime>(
    runtime: &R,
    config: &Jwt,
    token: &str,
    keys: &[Rc<Keys>],
    strict: bool,
) -> Result<Map<String, Value>, Unverified> {
    let sets: Vec<&JwkSet> = keys.iter().filter_map(|keys| keys.to_verify()).collect();
    let options = Options {
        algorithms: &config.allowed_algorithms,
        now: runtime.seconds(),
        strict,
    };
    let begun = begin(token, &sets, &options).map_err(Unverified::Token)?;
    let verdict = match begun.check() {
        None => Verdict::Genuine,
        Some(check) => runtime.verify_signature(check).await.map_err(|error| {
            Unverified::Unknown(format!("the token's signature was not checked: {error}"))
        })?,
    };
    begun.finish(verdict).map_err(Unverified::Token)
}

/// 401, in strict mode with what Oathkeeper tells of the error and of the token.
fn refused(token: &str, strict: bool, error: &str, reason: &str, details: &str) -> Refusal {
    let refusal = Refusal::unauthorized();
    if !strict {
        return refusal;
    }
    let refusal = refusal.with_reason(format!(
        "id=\nrid=\nerror={error}\nreason={reason}\ndetails=map[{details}]"
    ));
    match unverified_claims(token) {
        Some(claims) => {
            refusal.with_detail("jwt_claims", escaped(&Value::Object(claims).to_string()))
        }
        None => refusal,
    }
}

/// JSON as Go writes it: safe in HTML.
fn escaped(json: &str) -> String {
    json.replace('&', "\\u0026")
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
}
