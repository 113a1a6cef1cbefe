//! `jwt`: verifies a signed token with published keys.

mod claims;

use std::rc::Rc;

use edgekeeper_policy::authenticator::Jwt;
use edgekeeper_token::foreign::set::JwkSet;
use edgekeeper_token::foreign::token::{Options, VerifyError, unverified_claims, verify};
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
        Err(Unverified::Keys(_)) if strict => {
            let error = VerifyError::KidUnknown;
            let refusal = refused(&token, strict, &error.oathkeeper(), "", "");
            return Err(refusal.logged(error.to_string()).into());
        }
        Err(Unverified::Keys(failure)) => {
            return Err(
                Refusal::new(503, "The token could not be checked; please try again")
                    .with_header(RETRY_AFTER, DEFAULT_RETRY_AFTER)
                    .logged(format!(
                        "no keys to check the token with: {}",
                        failure.reason
                    ))
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
    /// It names a key that a server might know which does not answer.
    Keys(Failure),
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
    let check = |keys: &[Rc<Keys>]| {
        let sets: Vec<&JwkSet> = keys.iter().filter_map(|keys| keys.to_verify()).collect();
        let options = Options {
            algorithms: &config.allowed_algorithms,
            now: runtime.seconds(),
            strict: gateway.policy().strict,
        };
        verify(token, &sets, &options)
    };
    let known: Vec<Rc<Keys>> = sets
        .iter()
        .filter_map(|set| jwks::fresh(gateway, runtime, set))
        .collect();
    match check(&known) {
        Err(VerifyError::KidUnknown) => {}
        settled => return settled.map_err(Unverified::Token),
    }
    let (mut newer, mut failure) = (Vec::new(), None);
    for set in &sets {
        let Found { keys, failure: why } = jwks::newer(gateway, runtime, set).await;
        newer.extend(keys);
        failure = failure.or(why);
    }
    match (check(&newer), failure) {
        (Err(VerifyError::KidUnknown), Some(failure)) => Err(Unverified::Keys(failure)),
        (settled, _) => settled.map_err(Unverified::Token),
    }
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
