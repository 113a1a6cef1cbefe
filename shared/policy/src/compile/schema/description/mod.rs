//! What each key means, in a sentence or two, for who has the file open in an editor. `docs/edge-yml.md` has the whole.

mod edge;
mod handlers;
mod oathkeeper;

pub(super) use self::edge::EDGE;
pub(super) use self::handlers::HANDLERS;
pub(super) use self::oathkeeper::{AROUND, CONFIG, RULE};

/// Texts by the path of the key; see [`super::form::Beside`].
pub(super) type Descriptions = &'static [(&'static str, &'static str)];

/// The text at a path.
pub(super) fn find(descriptions: Descriptions, path: &str) -> Option<&'static str> {
    descriptions
        .iter()
        .find(|(known, _)| *known == path)
        .map(|(_, text)| *text)
}

/// The text for a key of a handler's `config`: its own, or the one for all that have a key of that name.
pub(super) fn of_handler(handler: &str, path: &str) -> Option<&'static str> {
    let own = HANDLERS.iter().find(|(known, _)| {
        known
            .strip_prefix(handler)
            .and_then(|rest| rest.strip_prefix('.'))
            == Some(path)
    });
    own.or_else(|| {
        HANDLERS
            .iter()
            .find(|(known, _)| known.strip_prefix("*.") == Some(path))
    })
    .map(|(_, text)| *text)
}
