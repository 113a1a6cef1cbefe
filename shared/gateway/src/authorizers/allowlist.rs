//! `allowlist`: people named by e-mail address, e-mail domain or subject.

use edgekeeper_policy::allowlist::{Allowlist, Email};
use serde_json::Value;

use crate::authentication::Authentication;
use crate::refusal::Refusal;

pub(super) fn authorize(list: &Allowlist, authentication: &Authentication) -> Result<(), Refusal> {
    let named =
        !authentication.subject.is_empty() && list.subjects.contains(&authentication.subject);
    if named {
        return Ok(());
    }
    let email = address(list, authentication);
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
fn address(list: &Allowlist, authentication: &Authentication) -> Option<Email> {
    let value = authentication.value(&list.email_from)?;
    let text = value.as_str()?;
    let email = Email::parse(text)?;
    (!list.require_verified || is_verified(authentication, text)).then_some(email)
}

/// Whether Kratos lists the very address as verified (`identity.verifiable_addresses`). Kratos keeps those in
/// lower case, whatever the trait looks like.
fn is_verified(authentication: &Authentication, address: &str) -> bool {
    let Some(document) = authentication.document() else {
        return false;
    };
    document
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
