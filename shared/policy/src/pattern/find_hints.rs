//! Finds out what a pattern says without being run, and turns the literal text of its host into lower case, except in
//! strict mode: Oathkeeper compares hosts as text.
//!
//! Hints may never exclude a URL that the pattern matches, so those for host and path are given only when nothing before
//! `://` can match a colon or a slash: the pattern's `://` is then the URL's first one.

use super::glob::Term;
use super::hints::Hints;
use super::syntax::Piece;

/// For a pattern of the `regexp` strategy.
pub(super) fn of(pieces: &mut [Piece], strict: bool) -> Hints {
    let mut hints = Hints::default();
    let case = if strict {
        str::to_owned
    } else {
        str::to_ascii_lowercase
    };
    let known = authority(pieces, case, &mut hints);
    let texts = pieces.iter().skip(known).filter_map(|piece| match piece {
        Piece::Text(text) => Some(text.as_str()),
        Piece::Regex(_) => None,
    });
    hints.text = longest(texts);
    if hints.path_start == "/" {
        hints.path_start.clear();
    }
    hints
}

/// Reads host and path, and tells how many pieces that took.
fn authority(pieces: &mut [Piece], case: fn(&str) -> String, hints: &mut Hints) -> usize {
    let mut pieces = pieces.iter_mut().enumerate();
    let (at, text, colon) = loop {
        match pieces.next() {
            Some((_, Piece::Regex(node))) if node.may_eat(':') || node.may_eat('/') => return 0,
            Some((_, Piece::Regex(_))) => {}
            Some((at, Piece::Text(text))) => {
                if let Some(colon) = text.find([':', '/']) {
                    break (at, text, colon);
                }
            }
            None => return 0,
        }
    };
    let Some((scheme, rest)) = text.split_at_checked(colon) else {
        return 0;
    };
    let Some(rest) = rest.strip_prefix("://") else {
        return 0;
    };
    let next = at.saturating_add(1);
    if let Some((host, path)) = rest.split_once('/') {
        let host = case(host);
        hints.path_start = format!("/{path}");
        *text = format!("{scheme}://{host}/{path}");
        hints.host = Some(host);
        return next;
    }
    hints.host_start = case(rest);
    *text = format!("{scheme}://{}", hints.host_start);
    // The host goes on in `<...>`. Text after it is still the host's as long as no slash can have come before.
    for (at, piece) in pieces {
        match piece {
            Piece::Regex(node) if node.may_eat('/') => break,
            Piece::Regex(_) => {}
            Piece::Text(text) => match text.split_once('/') {
                Some((host, path)) => {
                    hints.host_end = case(host);
                    hints.path_start = format!("/{path}");
                    *text = format!("{}/{path}", hints.host_end);
                    return at.saturating_add(1);
                }
                None => *text = case(text),
            },
        }
    }
    next
}

/// For the terms of a glob, where only few forms are sure to match what they say.
pub(super) fn of_glob(terms: &mut [Term]) -> Hints {
    let mut hints = Hints::default();
    let known = glob_authority(terms, &mut hints);
    let texts = terms.iter().skip(known).filter_map(|term| match term {
        Term::Text(text) => Some(text.as_str()),
        _ => None,
    });
    hints.text = longest(texts);
    if hints.path_start == "/" {
        hints.path_start.clear();
    }
    hints
}

fn glob_authority(terms: &mut [Term], hints: &mut Hints) -> usize {
    let is_scheme = |terms: &Vec<Term>| match terms.as_slice() {
        [Term::Text(text)] => !text.contains([':', '/']),
        _ => false,
    };
    let (at, rest): (usize, _) = match terms {
        [Term::AnyOf(schemes), rest @ ..] if schemes.iter().all(is_scheme) => (1, rest),
        rest => (0, rest),
    };
    let (text, rest) = match rest {
        [Term::Text(text), rest @ ..] => (text, rest),
        _ => return 0,
    };
    let Some((scheme, after)) = text.split_once("://") else {
        return 0;
    };
    if scheme.contains([':', '/']) {
        return 0;
    }
    if let Some((host, path)) = after.split_once('/') {
        let host = host.to_ascii_lowercase();
        hints.path_start = format!("/{path}");
        *text = format!("{scheme}://{host}/{path}");
        hints.host = Some(host);
        return at.saturating_add(1);
    }
    hints.host_start = after.to_ascii_lowercase();
    *text = format!("{scheme}://{}", hints.host_start);
    if let [Term::Any, Term::Text(text), ..] = rest
        && let Some((host, path)) = text.split_once('/')
    {
        hints.host_end = host.to_ascii_lowercase();
        hints.path_start = format!("/{path}");
        *text = format!("{}/{path}", hints.host_end);
        return at.saturating_add(3);
    }
    at.saturating_add(1)
}

fn longest<'p>(texts: impl Iterator<Item = &'p str>) -> String {
    let mut longest = "";
    for text in texts {
        if text.len() > longest.len() {
            longest = text;
        }
    }
    // Every URL has a slash; one character tells little.
    if longest.len() > 1 {
        longest.to_owned()
    } else {
        String::new()
    }
}
