//! May they? The handlers of a rule's `authorizer`, one file each.

mod allow;
mod allowlist;
mod deny;

use edgekeeper_policy::authorizer::Authorizer;
use edgekeeper_policy::rule::Rule;

use crate::authentication::Authentication;
use crate::refusal::Refusal;

/// Asks every authorizer of a rule; all must allow. It is asked anew for each request, also when the
/// session was remembered: two rules can think differently of one person.
pub(crate) fn authorize(rule: &Rule, authentication: &Authentication) -> Result<(), Refusal> {
    for authorizer in &rule.authorizers {
        match authorizer {
            Authorizer::Allow => allow::authorize()?,
            Authorizer::Deny => deny::authorize()?,
            Authorizer::Allowlist(config) => allowlist::authorize(config, authentication)?,
        }
    }
    Ok(())
}
