//! Reasoning on URL patterns: which URLs several of them match, decided and not tried out.
//!
//! A pattern becomes a [`net`] of steps, the net a deterministic [`automaton`] that is made as far as it is looked at, and a
//! [`search`] goes through several automata at once, that of the [URLs of requests](request) among them. Look-aheads are
//! conditions on the rest of the text (an alternating automaton), look-behinds and word boundaries are followed from the left.
//!
//! | in a pattern | how it is read |
//! |---|---|
//! | literals, classes, repetition, alternatives, groups, flags, anchors, `\b` | exactly; greedy and lazy are the same |
//! | look-ahead, nested as well | exactly |
//! | look-behind of any length without a look-around or `\b` in it | exactly |
//! | atomic groups, back-references, other look-behinds | too widely; then a URL counts only if the matcher agrees |
//! | globs | exactly, save for the few forms that the original matches by another reading: those too widely |
//!
//! All of it is bounded: by steps of a net, states of an automaton and places of a search. What goes beyond is undecided.

mod attack;
mod automaton;
mod backtracking;
mod formula;
mod from_glob;
mod from_glob_front;
mod lower;
mod net;
mod place;
mod request;
mod search;
mod simplified;
mod starts;
mod symbols;
mod wide_host;

#[cfg(test)]
mod tests;

use super::{Pattern, compile};

use self::automaton::Automaton;
use self::net::TooLarge;
use self::search::Question;

pub use self::backtracking::Backtracking;
pub(crate) use self::request::Urls;
pub(crate) use self::search::Answer;

/// Places that one search looks at.
const LIMIT: usize = 40_000;

/// What can be reasoned on of one pattern.
pub(crate) struct Language(Automaton);

impl Language {
    /// Reads a pattern again; `strict` must be what it was compiled with.
    ///
    /// # Errors
    /// Why it cannot be reasoned on.
    pub(crate) fn new(pattern: &Pattern, strict: bool) -> Result<Language, &'static str> {
        let net = match &pattern.glob {
            Some(glob) => from_glob::net(glob),
            None => {
                let (pieces, ..) = compile::parsed(pattern.source(), strict)
                    .map_err(|_| "the pattern cannot be read")?;
                lower::pieces(&pieces)
            }
        };
        let net = net.map_err(|TooLarge| "the pattern is too large")?;
        Ok(Language(Automaton::new(net)))
    }

    /// Whether it stands for exactly what the pattern matches; otherwise for that and more.
    pub(crate) fn is_exact(&self) -> bool {
        self.0.is_exact()
    }

    /// What the rest of every matching URL starts with, behind `before`, where that is one of a few texts. A text that
    /// nothing can follow ends with a NUL.
    pub(crate) fn starts(&mut self, before: &str) -> Vec<String> {
        self.0
            .starts(before)
            .unwrap_or_else(|TooLarge| vec![String::new()])
    }

    /// How much memory it takes, in states.
    pub(crate) fn size(&self) -> usize {
        self.0.size()
    }
}

/// The URLs of requests, to look for some among them.
pub(crate) struct Requests {
    urls: Urls,
    automaton: Automaton,
    /// Steps that may still be taken to find what takes too long.
    steps: u32,
}

impl Requests {
    pub(crate) fn new(urls: Urls) -> Result<Requests, &'static str> {
        let net = lower::node(&urls.node(), true).map_err(|TooLarge| "too large")?;
        Ok(Requests {
            urls,
            automaton: Automaton::new(net).shared(),
            steps: backtracking::STEPS,
        })
    }

    /// Whether they are URLs and nothing else.
    pub(crate) fn are_urls(&self) -> bool {
        !self.urls.anything
    }

    /// The shortest URL that all of `matching` match and none of `failing`, if `confirm` agrees, and how many places were
    /// looked at.
    ///
    /// All of `failing` must be exact. Every URL that could be found must begin with one of `starts`, and go on behind it.
    pub(crate) fn find<'l>(
        &'l mut self,
        matching: Vec<&'l mut Language>,
        failing: Vec<&'l mut Language>,
        starts: &[String],
        confirm: &mut dyn FnMut(&str) -> bool,
    ) -> (Answer, usize) {
        let must = matching.len().saturating_add(1);
        let languages = matching.into_iter().chain(failing);
        let automata = std::iter::once(&mut self.automaton)
            .chain(languages.map(|language| &mut language.0))
            .collect();
        let question = Question {
            urls: self.urls,
            starts,
            automata,
            matching: must,
            limit: LIMIT,
        };
        search::find(question, confirm)
    }
}
