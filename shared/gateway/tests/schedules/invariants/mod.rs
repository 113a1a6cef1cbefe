//! What must never happen, whatever does: one file each.
//!
//! `I0` is what makes the others worth something: where nothing is wrong, whoever has a session gets through.

pub(crate) mod available;
pub(crate) mod confirmed;
pub(crate) mod identity;
pub(crate) mod outage;
pub(crate) mod questions;
pub(crate) mod revoked;
pub(crate) mod secrets;
pub(crate) mod verifiable;

use crate::visit::{Outcome, Visit};

/// What an upstream was told.
pub(crate) struct Allowed<'a> {
    pub(crate) credential: &'a str,
    pub(crate) subject: &'a str,
    pub(crate) email: &'a str,
}

/// Holds what became of a request against all of them.
pub(crate) fn check(visit: &Visit<'_>) {
    match &visit.outcome {
        Outcome::Answered(answer) => {
            secrets::answer(visit.world, answer);
            outage::answer(visit, answer);
            available::answer(visit, answer);
        }
        Outcome::Allowed(headers) => {
            let ledger = &visit.world.ledger;
            secrets::passed_on(visit.world, headers);
            ledger.allowed.set(ledger.allowed.get() + 1);
            let Some(credential) = visit.credential.as_deref() else {
                ledger.violate("I1", "a request without a credential was let through");
                return;
            };
            let value = |name: &str| {
                let mut values = headers.get_all(name).iter();
                let first = values.next().and_then(|value| value.to_str().ok());
                first.filter(|_| values.next().is_none()).unwrap_or("")
            };
            let allowed = Allowed {
                credential,
                subject: value("x-user"),
                email: value("x-email"),
            };
            confirmed::check(visit, &allowed);
            identity::check(visit, &allowed);
            revoked::check(visit, &allowed);
            if visit.wants_token {
                let token = value("authorization").strip_prefix("Bearer ").unwrap_or("");
                identity::token(visit, &allowed, token);
                verifiable::minted(visit.world, token);
            }
        }
    }
}
