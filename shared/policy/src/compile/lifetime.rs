//! What goes on counting when a session has ended.

use crate::session::Session;

use super::code::Code;
use super::node::{Node, Span};
use super::report::Report;

/// So long something may count that nothing can end, in seconds, before it is noted: an hour.
const NOTED: u64 = 3_600;

/// So long Kratos' sessions last where it is not told otherwise (`session.lifespan`), in seconds: a day.
const LIFESPAN: u64 = 86_400;

/// Tells of a token of the gateway's that counts long after a logout.
pub(super) fn token(node: &Node, ttl: u64, report: &mut Report) {
    let elsewhere = report.elsewhere(node.span);
    let message = |what: &str| {
        format!(
            "a token counts for up to {}{what} after a logout{elsewhere}: nothing can take it back",
            hours(ttl)
        )
    };
    let help = "write `ttl: 15m`: a new token is made whenever the session still counts; here a token ends at the latest with the session's own time, in Oathkeeper it does not";
    tell(node.span, ttl, message, help, report);
}

/// Tells of sessions that are remembered long after a logout, where nobody can revoke one.
pub(super) fn session(edge: &Node, session: &Session, report: &mut Report) {
    let Some(node) = edge.get("session") else {
        return;
    };
    if session.revocation_secret.is_some() {
        return;
    }
    let remembered = session.ttl.saturating_add(session.stale_while_revalidate);
    let key = if node.get("ttl").is_some() {
        "ttl"
    } else {
        "stale_while_revalidate"
    };
    let message = |what: &str| {
        format!(
            "a session counts for up to {}{what} after a logout that did not pass through this instance: `ttl` and `stale_while_revalidate` together",
            hours(remembered)
        )
    };
    let help = "write minutes, such as `ttl: 60s`, or set `revocation_secret` and let Kratos say who logged out (docs/revocation.md)";
    tell(node.key_span(key), remembered, message, help, report);
}

fn tell(
    span: Span,
    seconds: u64,
    message: impl Fn(&str) -> String,
    help: &str,
    report: &mut Report,
) {
    if seconds >= LIFESPAN {
        let message =
            message(", as long as Kratos' sessions last where nobody says otherwise, or longer,");
        report.warning(Code::OUTLIVES_SESSION, span, message, help);
    } else if seconds > NOTED {
        report.note(Code::OUTLIVES_SESSION, span, message(""), help);
    }
}

/// A time of more than an hour, for a person.
fn hours(seconds: u64) -> String {
    let minutes = seconds.checked_div(60).unwrap_or_default();
    match (minutes.checked_rem(60), minutes.checked_div(60)) {
        (Some(0), Some(hours)) => format!("{hours} h"),
        (Some(rest), Some(hours)) => format!("{hours} h {rest} min"),
        _ => format!("{seconds} s"),
    }
}
