//! What a pattern says about host and path without being run, for the rule index.

use super::glob::Term;
use super::syntax::Piece;

/// See [`Pattern::host`](super::Pattern::host) and [`Pattern::path_prefix`](super::Pattern::path_prefix).
pub(super) struct Hints {
    pub(super) host: Option<String>,
    pub(super) path_prefix: String,
}

/// Turns the literal text of the host into lower case, and finds the hints.
///
/// They may never exclude a URL that the pattern matches, so they are given only when nothing before `://` can match a
/// colon or a slash: the pattern's `://` is then the URL's first one.
pub(super) fn of(pieces: &mut [Piece]) -> Hints {
    let mut hints = Hints {
        host: None,
        path_prefix: "/".to_owned(),
    };
    let mut pieces = pieces.iter_mut();
    let authority = loop {
        match pieces.next() {
            Some(Piece::Regex(node)) if node.may_eat(':') || node.may_eat('/') => return hints,
            Some(Piece::Regex(_)) => {}
            Some(Piece::Text(text)) => {
                if let Some(colon) = text.find([':', '/']) {
                    break (text, colon);
                }
            }
            None => return hints,
        }
    };
    let (text, colon) = authority;
    let Some((scheme, rest)) = text.split_at_checked(colon) else {
        return hints;
    };
    let Some(rest) = rest.strip_prefix("://") else {
        return hints;
    };
    if let Some((host, path)) = rest.split_once('/') {
        let host = host.to_ascii_lowercase();
        hints.path_prefix = format!("/{path}");
        *text = format!("{scheme}://{host}{}", hints.path_prefix);
        hints.host = Some(host);
        return hints;
    }
    *text = format!("{scheme}://{}", rest.to_ascii_lowercase());
    // The host goes on in `<...>`. Text after it is still the host's as long as no slash can have come before.
    for piece in pieces {
        match piece {
            Piece::Regex(node) if node.may_eat('/') => break,
            Piece::Regex(_) => {}
            Piece::Text(text) => match text.split_once('/') {
                Some((host, path)) => {
                    *text = format!("{}/{path}", host.to_ascii_lowercase());
                    break;
                }
                None => text.make_ascii_lowercase(),
            },
        }
    }
    hints
}

/// The same for the terms of a glob. Only text at its start tells, or after alternatives for the scheme.
pub(super) fn of_glob(terms: &mut [Term]) -> Hints {
    let mut hints = Hints {
        host: None,
        path_prefix: "/".to_owned(),
    };
    let is_scheme = |terms: &Vec<Term>| match terms.as_slice() {
        [Term::Text(text)] => !text.contains([':', '/']),
        _ => false,
    };
    let text = match terms {
        [Term::Text(text), ..] => text,
        [Term::AnyOf(schemes), Term::Text(text), ..] if schemes.iter().all(is_scheme) => text,
        _ => return hints,
    };
    let Some((scheme, rest)) = text.split_once("://") else {
        return hints;
    };
    if scheme.contains([':', '/']) {
        return hints;
    }
    let Some((host, path)) = rest.split_once('/') else {
        *text = format!("{scheme}://{}", rest.to_ascii_lowercase());
        return hints;
    };
    let host = host.to_ascii_lowercase();
    hints.path_prefix = format!("/{path}");
    *text = format!("{scheme}://{host}/{path}");
    hints.host = Some(host);
    hints
}
