//! The gateway's own token for the introspection endpoint.

use std::rc::Rc;

use edgekeeper_policy::authenticator::PreAuthorization;
use http::HeaderValue;
use serde_json::Value;

use crate::authenticators::token_endpoint::{self, Client, NotIssued, Style};
use crate::runtime::Runtime;
use crate::{Gateway, answers};

/// How long before its end a token is no longer used, in milliseconds: a question takes time, and clocks differ.
const LEEWAY: u64 = 10_000;

/// How long a token is used that does not say how long it is good for, in milliseconds.
const UNSAID: u64 = 300_000;

/// What to say to the endpoint.
pub(super) struct Authorization {
    pub(super) value: HeaderValue,
    /// Whether it is an older token, which may have been revoked meanwhile.
    pub(super) was_remembered: bool,
}

/// Remembers a token, or asks for one; `renew` does not go by what is remembered.
///
/// # Errors
/// Why there is none.
pub(super) async fn authorization<R: Runtime>(
    gateway: &Rc<Gateway>,
    runtime: &R,
    config: &PreAuthorization,
    renew: bool,
) -> Result<Authorization, NotIssued> {
    let scope = config.scope.join(" ");
    let key = answers::key(
        "pre_authorization",
        &[
            config.endpoint.url.as_bytes(),
            config.client_id.as_bytes(),
            config.client_secret.as_bytes(),
            config.audience.as_bytes(),
            scope.as_bytes(),
        ],
    );
    let asked = runtime.now();
    let remembered = if renew {
        None
    } else {
        gateway.memory().answer(&key, asked)
    };
    if let Some(value) = remembered.as_deref().and_then(Value::as_str) {
        return Ok(Authorization {
            value: header(value)?,
            was_remembered: true,
        });
    }
    let client = Client {
        endpoint: &config.endpoint,
        id: &config.client_id,
        secret: &config.client_secret,
        scope: &config.scope,
        audience: &config.audience,
        timeout: gateway.one_try(),
    };
    let mut issued = token_endpoint::ask(runtime, client, Style::Header).await;
    // Some servers want id and secret in the form.
    if matches!(&issued, Err(NotIssued::Refused(refused)) if matches!(refused.status, 400 | 401 | 403))
    {
        issued = token_endpoint::ask(runtime, client, Style::Form).await;
    }
    let issued = issued?;
    let value = header(&issued.authorization)?;
    let life = issued
        .life
        .map_or(UNSAID, |life| life.saturating_sub(LEEWAY.min(life / 10)));
    gateway.memory().remember_answer(
        key,
        Rc::new(Value::String(issued.authorization.clone())),
        issued.authorization.len(),
        asked,
        asked.saturating_add(life),
    );
    Ok(Authorization {
        value,
        was_remembered: false,
    })
}

fn header(value: &str) -> Result<HeaderValue, NotIssued> {
    HeaderValue::from_str(value)
        .map_err(|_| NotIssued::Failed("its token cannot stand in a header".to_owned()))
}
