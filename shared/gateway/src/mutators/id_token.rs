//! `id_token`: a signed token in `Authorization`, made once and used until a tenth of its life is left.

mod signer;

use edgekeeper_policy::mutator::IdToken;
use edgekeeper_template::Output;
use edgekeeper_token::cache::{TokenInputs, cache_key};
use edgekeeper_token::claims::{Issue, parse_claims};
use http::HeaderValue;
use http::header::AUTHORIZATION;
use serde_json::Value;

use self::signer::Signer;
use super::Session;
use crate::Gateway;
use crate::go_json;
use crate::passage::{Passage, Prepared};
use crate::refusal::Refusal;
use crate::runtime::Runtime;

/// Makes the token, and gives the `kid` of the key that signed it.
pub(super) async fn mutate<R: Runtime>(
    gateway: &Gateway,
    runtime: &R,
    config: &IdToken,
    claims: Option<&Prepared>,
    passage: &Passage<'_>,
    session: &mut Session,
) -> Result<String, Refusal> {
    // By default a value cannot leave the string it stands in, so no trait can add a claim.
    let rendered = match claims {
        Some(template) => session.render(passage, template, Output::Json)?,
        None => "{}".to_owned(),
    };
    let signer = Signer::of(gateway, runtime, config).await?;
    let kid = signer.kid(passage.strict)?;
    let now = runtime.seconds();
    let confirmed = session.authentication.session.as_ref();
    let session_expires = confirmed.and_then(|session| session.answer.expires_at);
    // A session that was cut short gets a token that is cut short.
    let mut about = session_expires.unwrap_or_default().to_be_bytes().to_vec();
    about.extend(
        confirmed
            .iter()
            .flat_map(|session| session.credential.as_bytes()),
    );
    let inputs = TokenInputs {
        rule: &passage.rule.id,
        session: &about,
        subject: &session.authentication.subject,
        claims: &rendered,
        kid: &signer.name(&kid),
        issuer: &config.issuer_url,
        ttl: config.ttl,
    };
    let cached = cache_key(&inputs);
    let token = match gateway.memory().cached_token(&cached, now) {
        Some(token) => token,
        None => {
            // The keys may have taken their time.
            if session_expires.is_some_and(|end| end <= now) {
                return Err(Refusal::unauthorized()
                    .logged("the session ended while the request was decided"));
            }
            let mut jti = [0; 16];
            runtime
                .random(&mut jti)
                .map_err(|error| Refusal::internal(error.to_string()))?;
            let issue = Issue {
                issuer: &config.issuer_url,
                subject: &session.authentication.subject,
                now,
                ttl: config.ttl,
                session_expires,
                jti,
            };
            let failed = |error: &dyn std::fmt::Display| {
                Refusal::internal(format!(
                    "rule `{}`: no token could be made: {error}",
                    passage.rule.id
                ))
            };
            let rendered = parse_claims(&rendered).map_err(|error| {
                let refusal = failed(&error);
                match in_gos_words(&rendered) {
                    Some(message) if passage.strict => Refusal { message, ..refusal },
                    _ => refusal,
                }
            })?;
            let claims = issue.claims(rendered).map_err(|error| failed(&error))?;
            let expires = issue.expires().map_err(|error| failed(&error))?;
            let token = signer.sign(runtime, &claims, passage.strict).await?;
            gateway
                .memory()
                .cache_token(cached, token.clone(), now, expires);
            token
        }
    };
    let value = HeaderValue::from_str(&format!("Bearer {token}"))
        .map_err(|_| Refusal::internal("the minted token is not a header value"))?;
    session.authentication.headers.insert(AUTHORIZATION, value);
    session.id_token = Some(token);
    Ok(kid)
}

/// What Go says of rendered claims that are no JSON object. It can repeat a part of them.
fn in_gos_words(rendered: &str) -> Option<String> {
    match go_json::check(rendered.as_bytes()) {
        Err(error) => Some(error.0),
        Ok(()) => match serde_json::from_str(rendered).ok()? {
            Value::Object(_) | Value::Null => None,
            other => Some(format!(
                "json: cannot unmarshal {} into Go value of type jwt.MapClaims",
                go_json::kind(&other)
            )),
        },
    }
}
