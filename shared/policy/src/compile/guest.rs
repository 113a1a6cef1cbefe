//! Who comes to a rule without a session, and what its templates read all the same.

use crate::authenticator::Authenticator;

use super::code::Code;
use super::node::Span;
use super::stage::Context;
use super::template::Without;

/// Tells of a template that reads what is not there for who comes by an authenticator without a session.
pub(super) fn tell(
    authenticators: &[Authenticator],
    place: impl Fn(usize) -> Span,
    cx: &mut Context<'_>,
) {
    let takes_all = |authenticator: &Authenticator| {
        matches!(
            authenticator,
            Authenticator::Noop | Authenticator::Unauthorized | Authenticator::Broken(_)
        )
    };
    let is_guest = |authenticator: &Authenticator| {
        matches!(
            authenticator,
            Authenticator::Anonymous(_)
                | Authenticator::Noop
                | Authenticator::OAuth2ClientCredentials(_)
        )
    };
    let asked = authenticators
        .iter()
        .position(takes_all)
        .map_or(authenticators.len(), |last| last.saturating_add(1));
    let mut asked = authenticators.iter().take(asked);
    let (Some(guest), Some(needed)) = (asked.clone().position(is_guest), cx.extra.first()) else {
        return;
    };
    let path = &needed.path;
    let oathkeeper = match needed.without {
        Without::Fails => "answer 500",
        Without::NoValue => "write `<no value>` in its place",
    };
    if asked.any(|authenticator| !is_guest(authenticator) && !takes_all(authenticator)) {
        let message = format!("a guest has no session, so `.{path}` is empty for one");
        let help = if cx.strict {
            format!(
                "Oathkeeper would {oathkeeper} for a guest, and so does this gateway in strict mode; take the guest's authenticator out, or write `{{{{ if .Extra }}}}…{{{{ end }}}}`"
            )
        } else {
            format!("that is fine here; Oathkeeper would {oathkeeper}")
        };
        cx.report
            .note(Code::GUEST_WITHOUT_SESSION, place(guest), message, help);
    } else {
        let message = format!(
            "nobody has a session by this rule's authenticators, so `.{path}` is always empty"
        );
        let help = format!(
            "put one in front that finds a session, such as `cookie_session`, or take the template out; Oathkeeper would {oathkeeper}"
        );
        cx.report
            .warning(Code::GUEST_WITHOUT_SESSION, place(guest), message, help);
    }
}
