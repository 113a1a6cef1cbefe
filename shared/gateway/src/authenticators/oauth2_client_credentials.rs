//! `oauth2_client_credentials`: checks a client's id and secret by asking for a token with them (RFC 6749 section 4.4).

use std::rc::Rc;

use edgekeeper_policy::authenticator::OAuth2ClientCredentials;
use http::header::{AUTHORIZATION, RETRY_AFTER};
use serde_json::Value;

use super::Denied;
use super::token_endpoint::{self, Client, NotIssued, Refused, Style};
use crate::authentication::Authentication;
use crate::refusal::{DEFAULT_RETRY_AFTER, Refusal};
use crate::request::Request;
use crate::runtime::Runtime;
use crate::{Gateway, answers, basic, query, rate_limit};

/// The longest value of `Authorization` that is looked at, in bytes.
const LONGEST: usize = 8 << 10;

pub(super) async fn authenticate<R: Runtime>(
    gateway: &Rc<Gateway>,
    runtime: &R,
    config: &OAuth2ClientCredentials,
    request: &Request,
) -> Result<Authentication, Denied> {
    let strict = gateway.policy().strict;
    let presented = request.header_values(&AUTHORIZATION);
    let Some((id, secret)) = presented.first().and_then(|value| basic::decode(value)) else {
        return Err(Denied::NotResponsible);
    };
    if !strict && (presented.len() > 1 || presented.iter().any(|value| value.len() > LONGEST)) {
        return Err(Refusal::unauthorized()
            .logged("`Authorization` is given twice, or is too long")
            .into());
    }
    let id = unescaped(&id, strict)?;
    let secret = unescaped(&secret, strict)?;
    let scope = config.required_scope.join(" ");
    let key = answers::key(
        "oauth2_client_credentials",
        &[
            config.endpoint.url.as_bytes(),
            scope.as_bytes(),
            id.as_bytes(),
            secret.as_bytes(),
        ],
    );
    let asked = runtime.now();
    if config.cache_ttl.is_some() && gateway.memory().answer(&key, asked).is_some() {
        return Ok(Authentication::of(id));
    }
    let client = Client {
        endpoint: &config.endpoint,
        id: &id,
        secret: &secret,
        scope: &config.required_scope,
        audience: "",
        timeout: gateway.one_try(),
    };
    let issued = token_endpoint::ask(runtime, client, Style::Header)
        .await
        .map_err(|why| refusal(&why, strict))?;
    if let Some(ttl) = config.cache_ttl
        && let Some(life) = shorter(ttl, issued.life)
    {
        // That they are right is all that is remembered; the token itself is nobody's.
        gateway.memory().remember_answer(
            key,
            Rc::new(Value::Null),
            0,
            asked,
            asked.saturating_add(life),
        );
    }
    Ok(Authentication::of(id))
}

/// How long a success is kept: as long as the configuration and the token say. 0 is as long as the token.
fn shorter(ttl: u64, life: Option<u64>) -> Option<u64> {
    match (ttl, life) {
        (0, life) => life,
        (ttl, None) => Some(ttl),
        (ttl, Some(life)) => Some(ttl.min(life)),
    }
}

/// Undoes the form encoding of RFC 6749 section 2.3.1.
fn unescaped(bytes: &[u8], strict: bool) -> Result<String, Refusal> {
    std::str::from_utf8(bytes)
        .ok()
        .and_then(query::decode)
        .ok_or_else(|| {
            let refusal = Refusal::unauthorized().logged("the client's id or secret is not encoded as RFC 6749 section 2.3.1 has it: a `%` is to be sent as `%25`");
            match query::bad_escape(&String::from_utf8_lossy(bytes)) {
                Some(escape) if strict => Refusal {
                    message: format!("invalid URL escape {escape:?}: {}", refusal.message),
                    ..refusal
                },
                _ => refusal,
            }
        })
}

fn refusal(why: &NotIssued, strict: bool) -> Refusal {
    let refusal = match why {
        NotIssued::Refused(refused) if strict => in_oathkeepers_words(refused),
        NotIssued::Refused(refused) => match refused.status {
            200 | 400..=403 | 405..=428 | 430..=499 => Refusal::unauthorized(),
            _ => {
                let said = refused.headers.get(RETRY_AFTER);
                unavailable(said.and_then(|value| value.to_str().ok()))
            }
        },
        NotIssued::Silent { text, .. } | NotIssued::Failed(text) if strict => Refusal::new(
            503,
            format!("{text}: The upstream service is not available"),
        ),
        NotIssued::Silent { .. } | NotIssued::Failed(_) => unavailable(None),
    };
    refusal.logged(why.reason())
}

fn unavailable(retry_after: Option<&str>) -> Refusal {
    Refusal::new(503, "The client could not be checked; please try again")
        .with_header(RETRY_AFTER, retry_after.unwrap_or(DEFAULT_RETRY_AFTER))
}

fn in_oathkeepers_words(refused: &Refused) -> Refusal {
    let told =
        |status: u16, message: &str| Refusal::new(status, format!("{}: {message}", refused.text));
    match refused.status {
        429 => rate_limit::refusal(&refused.headers),
        // Oathkeeper would follow it.
        300..=399 | 503 => told(503, "The upstream service is not available"),
        500 => told(500, "The upstream service encountered an unexpected error"),
        504 => told(504, "The upstream service is timing out"),
        404 => told(404, "Upstream service not found"),
        _ => told(401, "Access credentials are invalid"),
    }
}
