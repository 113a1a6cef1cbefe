//! `allowlist`: people named by e-mail address, e-mail domain or subject.

use edgekeeper_policy::allowlist::{Allowlist, Email};
use serde_json::Value;

use crate::authentication::{Authenticated, Authentication};
use crate::refusal::Refusal;

pub(super) fn authorize(list: &Allowlist, authentication: &Authentication) -> Result<(), Refusal> {
    let named =
        !authentication.subject.is_empty() && list.subjects.contains(&authentication.subject);
    if named {
        return Ok(());
    }
    let email = authentication
        .session
        .as_ref()
        .and_then(|session| address(list, session));
    let listed = email.is_some_and(|email| {
        list.emails.contains(&email) || list.domains.iter().any(|domain| domain.matches(&email))
    });
    if listed {
        Ok(())
    } else {
        Err(Refusal::forbidden()
            .logged("neither the subject nor the e-mail address is on the allowlist"))
    }
}

/// The address that counts: a plain one, and a verified one where the list asks for it.
fn address(list: &Allowlist, session: &Authenticated) -> Option<Email> {
    let value = session.value(&list.email_from)?;
    let text = value.as_str()?;
    let email = Email::parse(text)?;
    (!list.require_verified || is_verified(session, text)).then_some(email)
}

/// Whether Kratos lists the very address as verified (`identity.verifiable_addresses`). Kratos keeps those in
/// lower case, whatever the trait looks like.
fn is_verified(session: &Authenticated, address: &str) -> bool {
    session
        .answer
        .document
        .get("identity")
        .and_then(|identity| identity.get("verifiable_addresses"))
        .and_then(Value::as_array)
        .is_some_and(|addresses| {
            addresses.iter().any(|entry| {
                entry.get("verified") == Some(&Value::Bool(true))
                    && entry.get("via").and_then(Value::as_str) == Some("email")
                    && entry
                        .get("value")
                        .and_then(Value::as_str)
                        .is_some_and(|value| value.eq_ignore_ascii_case(address))
            })
        })
}
