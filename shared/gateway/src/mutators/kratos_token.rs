//! `id_token` of a rule with `tokenize_as`: the token that Kratos made of the session, in `Authorization`.

use edgekeeper_session::tokenized;
use edgekeeper_token::foreign::token::unverified_kid;
use http::HeaderValue;
use http::header::AUTHORIZATION;

use super::Session;
use crate::refusal::Refusal;

/// Passes Kratos' token on, and gives the `kid` of the key that signed it, if it names one.
pub(super) fn mutate(session: &mut Session) -> Result<Option<String>, Refusal> {
    let confirmed = session.authentication.session.as_ref();
    let token = confirmed
        .and_then(|session| tokenized::token(&session.answer.document))
        .ok_or_else(|| Refusal::internal("there is no token of Kratos' to pass on"))?
        .to_owned();
    let value = HeaderValue::from_str(&format!("Bearer {token}"))
        .map_err(|_| Refusal::internal("Kratos' token is not a header value"))?;
    session.authentication.headers.insert(AUTHORIZATION, value);
    let kid = unverified_kid(&token);
    session.id_token = Some(token);
    Ok(kid)
}
