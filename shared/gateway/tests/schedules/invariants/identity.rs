//! I3: nobody gets another person's identity: what the upstream is told was said of the credential that was presented.

use super::Allowed;
use super::verifiable::claims;
use crate::ledger::Said;
use crate::visit::Visit;

pub(crate) fn check(visit: &Visit<'_>, allowed: &Allowed<'_>) {
    let ledger = &visit.world.ledger;
    let answers = ledger.answers(allowed.credential);
    let is_theirs = answers.iter().any(|answer| match &answer.said {
        Said::Confirmed(session) => {
            session.subject == allowed.subject && session.email == allowed.email
        }
        Said::Refused | Said::Failed => false,
    });
    if !is_theirs {
        let (subject, email) = (allowed.subject, allowed.email);
        let what = format!(
            "the upstream was told `{subject}`, `{email}`, which Kratos never said of that credential"
        );
        ledger.violate("I3", what);
    }
}

/// What the token says is what the headers say.
pub(crate) fn token(visit: &Visit<'_>, allowed: &Allowed<'_>, token: &str) {
    let claims = claims(token);
    let claim = |name: &str| claims[name].as_str().unwrap_or_default().to_owned();
    if claim("sub") != allowed.subject || claim("email") != allowed.email {
        let what = format!(
            "the token says `{}`, `{}` beside headers that say `{}`, `{}`",
            claim("sub"),
            claim("email"),
            allowed.subject,
            allowed.email
        );
        visit.world.ledger.violate("I3", what);
    }
}
