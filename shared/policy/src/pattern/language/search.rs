//! Looks for the shortest URL that some patterns match and others do not.

use std::collections::{HashMap, HashSet, VecDeque};

use super::automaton::{Automaton, DEAD};
use super::net::TooLarge;
use super::request::Urls;
use super::symbols::Symbols;

/// Candidates that the matcher may refuse before the search is given up. Only patterns that cannot be said exactly have any.
const MAX_REFUSED: usize = 64;

/// What a search found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// There is no such URL.
    Never,
    /// This is the shortest, and the matcher agrees.
    Url(String),
    /// It could not be decided, for this reason.
    Undecided(&'static str),
}

const LARGE: Answer = Answer::Undecided("the patterns have too many cases to go through");
const INEXACT: Answer =
    Answer::Undecided("a back-reference, atomic group or look-around decides it");

/// What to look for.
pub(crate) struct Question<'q> {
    /// Patterns that must match.
    pub(crate) matching: &'q mut [&'q mut Automaton],
    /// Patterns that must not.
    pub(crate) failing: &'q mut [&'q mut Automaton],
    /// How many places to look at.
    pub(crate) limit: usize,
}

/// A place in all automata, and how the search came there.
struct Node {
    states: Vec<usize>,
    before: usize,
    c: Option<char>,
}

struct Search<'s> {
    urls: Urls,
    automata: Vec<&'s mut Automaton>,
    /// The automata up to here must match; the first is that of request URLs.
    matching: usize,
    nodes: Vec<Node>,
    seen: HashSet<Vec<usize>>,
    open: VecDeque<usize>,
}

/// Finds the shortest URL of requests that the first patterns match and the others do not, and tells how many places it took.
///
/// In default mode the gateway matches `/a/` against `/a` first and takes the slash into account only where no rule matches
/// that; so a URL with a slash at its end counts when none of the patterns matches it without.
pub(super) fn find(
    urls: Urls,
    requests: &mut Automaton,
    question: &mut Question<'_>,
    confirm: &mut dyn FnMut(&str) -> bool,
) -> (Answer, usize) {
    let matching = question.matching.len().saturating_add(1);
    let automata = std::iter::once(requests)
        .chain(
            question
                .matching
                .iter_mut()
                .map(|automaton| &mut **automaton),
        )
        .chain(
            question
                .failing
                .iter_mut()
                .map(|automaton| &mut **automaton),
        );
    let mut search = Search {
        urls,
        automata: automata.collect(),
        matching,
        nodes: Vec::new(),
        seen: HashSet::new(),
        open: VecDeque::new(),
    };
    let answer = search.run(question.limit, confirm);
    (answer.unwrap_or(LARGE), search.nodes.len())
}

impl Search<'_> {
    fn run(
        &mut self,
        limit: usize,
        confirm: &mut dyn FnMut(&str) -> bool,
    ) -> Result<Answer, TooLarge> {
        let starts: Result<Vec<usize>, TooLarge> = self
            .automata
            .iter_mut()
            .map(|automaton| automaton.start())
            .collect();
        self.add(starts?, 0, None);
        let mut refused: usize = 0;
        while let Some(at) = self.open.pop_front() {
            for url in self.candidates(at)? {
                if let Some(url) = confirmed(url, confirm) {
                    return Ok(Answer::Url(url));
                }
                refused = refused.saturating_add(1);
            }
            if refused > MAX_REFUSED {
                return Ok(INEXACT);
            }
            self.expand(at)?;
            if self.nodes.len() > limit {
                return Ok(LARGE);
            }
        }
        Ok(if refused > 0 { INEXACT } else { Answer::Never })
    }

    fn add(&mut self, states: Vec<usize>, before: usize, c: Option<char>) {
        if self.seen.insert(states.clone()) {
            self.open.push_back(self.nodes.len());
            self.nodes.push(Node { states, before, c });
        }
    }

    /// The URLs that a place stands for, if they are what is looked for.
    fn candidates(&mut self, at: usize) -> Result<Vec<String>, TooLarge> {
        let Some(node) = self.nodes.get(at) else {
            return Ok(Vec::new());
        };
        let (states, last) = (node.states.clone(), node.c);
        let accepts: Vec<bool> = self
            .automata
            .iter()
            .zip(&states)
            .map(|(automaton, state)| automaton.accepts(*state))
            .collect();
        let mut found = Vec::new();
        if accepts.first() != Some(&true) {
            return Ok(found);
        }
        if self.is_wanted(accepts.iter().copied()) {
            found.push(self.text(at));
        }
        let anybody = self
            .automata
            .iter()
            .zip(&accepts)
            .skip(1)
            .any(|(automaton, accepts)| *accepts && automaton.is_exact());
        if self.urls.strict || anybody || last == Some('/') {
            return Ok(found);
        }
        let mut with_slash = vec![true];
        for (automaton, state) in self.automata.iter_mut().zip(&states).skip(1) {
            let after = automaton.after(*state, '/')?;
            with_slash.push(automaton.accepts(after));
        }
        if self.is_wanted(with_slash.into_iter()) {
            found.push(format!("{}/", self.text(at)));
        }
        Ok(found)
    }

    fn is_wanted(&self, accepts: impl Iterator<Item = bool>) -> bool {
        accepts
            .enumerate()
            .all(|(number, accepts)| accepts == (number < self.matching))
    }

    fn expand(&mut self, at: usize) -> Result<(), TooLarge> {
        let Some(node) = self.nodes.get(at) else {
            return Ok(());
        };
        let states = node.states.clone();
        let mut ways: Vec<(Symbols, Vec<usize>)> = vec![(Symbols::all(), Vec::new())];
        for (number, (automaton, state)) in self.automata.iter_mut().zip(&states).enumerate() {
            let moves = automaton.moves(*state)?;
            let mut cut = Vec::new();
            for (on, to) in ways {
                let mut left = on.clone();
                for found in moves.iter() {
                    let both = on.and(&found.on);
                    if both.is_empty() {
                        continue;
                    }
                    left = left.minus(&both);
                    cut.push((both, with(&to, found.to)));
                }
                // What must not match may come to nothing.
                if number >= self.matching && !left.is_empty() {
                    cut.push((left, with(&to, DEAD)));
                }
            }
            ways = cut;
        }
        let mut best: HashMap<Vec<usize>, (usize, char)> = HashMap::new();
        for (on, to) in ways {
            if let Some(readable) = on.readable() {
                let known = best.entry(to).or_insert(readable);
                *known = readable.min(*known);
            }
        }
        let mut best: Vec<((usize, char), Vec<usize>)> = best
            .into_iter()
            .map(|(to, readable)| (readable, to))
            .collect();
        best.sort_unstable();
        for ((_, c), to) in best {
            self.add(to, at, Some(c));
        }
        Ok(())
    }

    fn text(&self, at: usize) -> String {
        let mut text = Vec::new();
        let mut node = self.nodes.get(at);
        while let Some(Node {
            before, c: Some(c), ..
        }) = node
        {
            text.push(*c);
            node = self.nodes.get(*before);
        }
        text.iter().rev().collect()
    }
}

fn with(states: &[usize], state: usize) -> Vec<usize> {
    let mut all = Vec::with_capacity(states.len().saturating_add(1));
    all.extend_from_slice(states);
    all.push(state);
    all
}

/// The URL if the matcher agrees, with `https` where that is as good.
fn confirmed(url: String, confirm: &mut dyn FnMut(&str) -> bool) -> Option<String> {
    let secure = url
        .strip_prefix("http://")
        .filter(|rest| {
            !rest
                .split('/')
                .next()
                .is_some_and(|host| host.contains(':'))
        })
        .map(|rest| format!("https://{rest}"));
    if let Some(secure) = secure
        && confirm(&secure)
    {
        return Some(secure);
    }
    confirm(&url).then_some(url)
}
