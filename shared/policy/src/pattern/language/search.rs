//! Looks for the shortest URL that some patterns match and others do not.

use std::collections::{HashMap, HashSet, VecDeque};

use super::automaton::{Automaton, DEAD};
use super::net::TooLarge;
use super::place::{MAX_STATES_OF_A_PLACE, Place};
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

const GLOB: Answer = Answer::Undecided(
    "a glob in which `{…}`, `*` or `?` stand side by side may match otherwise than it reads",
);

const TAKEN: Answer = Answer::Undecided("another rule takes the URLs that they would share");

/// What to look for.
pub(super) struct Question<'q> {
    /// Which URLs the first automaton accepts.
    pub(super) urls: Urls,
    /// What every URL that could be found begins with, without a slash at the end: one of these.
    pub(super) starts: &'q [String],
    /// That of request URLs, those that must match, and those that must not.
    pub(super) automata: Vec<&'q mut Automaton>,
    /// How many automata must match.
    pub(super) matching: usize,
    /// How many places to look at.
    pub(super) limit: usize,
}

/// A place and how the search came there.
struct Node {
    place: Place,
    from: From,
}

#[derive(Clone, Copy)]
enum From {
    Start(usize),
    Node(usize, char),
}

struct Search<'q> {
    question: Question<'q>,
    nodes: Vec<Node>,
    seen: HashSet<Place>,
    open: VecDeque<usize>,
}

/// Finds the shortest URL of requests that the first patterns match and the others do not, and tells how many places it
/// took.
///
/// In default mode the gateway matches `/a/` against `/a` first and takes the slash into account only where no rule matches
/// that; so a URL with a slash at its end counts when none of the patterns matches it without.
pub(super) fn find(
    question: Question<'_>,
    confirm: &mut dyn FnMut(&str) -> bool,
) -> (Answer, usize) {
    if question.automata.len() > MAX_STATES_OF_A_PLACE {
        return (LARGE, 0);
    }
    let mut search = Search {
        question,
        nodes: Vec::new(),
        seen: HashSet::new(),
        open: VecDeque::new(),
    };
    let answer = search.run(confirm);
    (answer.unwrap_or(LARGE), search.nodes.len())
}

impl Search<'_> {
    fn run(&mut self, confirm: &mut dyn FnMut(&str) -> bool) -> Result<Answer, TooLarge> {
        for (start, text) in self.question.starts.iter().enumerate() {
            let mut place = Place::default();
            let mut dead = false;
            for (number, automaton) in self.question.automata.iter_mut().enumerate() {
                let state = automaton.state_after(text)?;
                dead |= state == DEAD && number < self.question.matching;
                place = place.with(number, state);
            }
            if !dead {
                self.add(place, From::Start(start));
            }
        }
        let mut refused: usize = 0;
        while let Some(at) = self.open.pop_front() {
            for url in self.candidates(at)?.into_iter().flatten() {
                if let Some(url) = confirmed(url, confirm) {
                    return Ok(Answer::Url(url));
                }
                refused = refused.saturating_add(1);
            }
            if refused > MAX_REFUSED {
                return Ok(self.refused());
            }
            self.expand(at)?;
            if self.nodes.len() > self.question.limit {
                return Ok(LARGE);
            }
        }
        Ok(match refused {
            0 => Answer::Never,
            _ => self.refused(),
        })
    }

    /// Why the matcher did not agree.
    fn refused(&self) -> Answer {
        let mut automata = self.question.automata.iter();
        match automata.find(|automaton| !automaton.is_exact()) {
            None => TAKEN,
            Some(automaton) if automaton.net().is_glob => GLOB,
            Some(_) => INEXACT,
        }
    }

    fn add(&mut self, place: Place, from: From) {
        if self.seen.insert(place) {
            self.open.push_back(self.nodes.len());
            self.nodes.push(Node { place, from });
        }
    }

    /// The URLs that a place stands for, without a slash at the end and with one, if they are what is looked for.
    fn candidates(&mut self, at: usize) -> Result<[Option<String>; 2], TooLarge> {
        let Some(&Node { place, from }) = self.nodes.get(at) else {
            return Ok([None, None]);
        };
        let matching = self.question.matching;
        let (mut wanted, mut anybody) = (true, false);
        for (number, automaton) in self.question.automata.iter().enumerate() {
            let accepts = automaton.accepts(place.state(number));
            if number == 0 && !accepts {
                return Ok([None, None]);
            }
            wanted &= accepts == (number < matching);
            anybody |= number > 0 && accepts && automaton.is_exact();
        }
        let plain = wanted.then(|| self.text(at));
        let at_root = match from {
            From::Node(_, c) => c == '/',
            From::Start(start) => {
                let start = self.question.starts.get(start);
                start.is_some_and(|start| start.ends_with('/'))
            }
        };
        if self.question.urls.strict || anybody || at_root {
            return Ok([plain, None]);
        }
        let mut with_slash = true;
        for (number, automaton) in self.question.automata.iter_mut().enumerate().skip(1) {
            let after = automaton.after(place.state(number), '/')?;
            with_slash &= automaton.accepts(after) == (number < matching);
            if !with_slash {
                break;
            }
        }
        let slash = with_slash.then(|| format!("{}/", self.text(at)));
        Ok([plain, slash])
    }

    fn expand(&mut self, at: usize) -> Result<(), TooLarge> {
        let Some(&Node { place, .. }) = self.nodes.get(at) else {
            return Ok(());
        };
        let mut ways: Vec<(Symbols, Place)> = Vec::new();
        for (number, automaton) in self.question.automata.iter_mut().enumerate() {
            let moves = automaton.moves(place.state(number))?;
            if number == 0 {
                let all = moves.iter();
                ways.extend(
                    all.map(|found| (found.on.clone(), Place::default().with(0, found.to))),
                );
                continue;
            }
            let mut cut = Vec::new();
            for (on, to) in ways {
                // What must not match may come to nothing.
                let mut left = (number >= self.question.matching).then(|| on.clone());
                for found in moves.iter() {
                    let both = on.and(&found.on);
                    if both.is_empty() {
                        continue;
                    }
                    left = left.map(|left| left.minus(&both));
                    cut.push((both, to.with(number, found.to)));
                }
                if let Some(left) = left.filter(|left| !left.is_empty()) {
                    cut.push((left, to.with(number, DEAD)));
                }
            }
            ways = cut;
        }
        if let [(on, to)] = ways.as_slice() {
            if let Some((_, c)) = on.readable() {
                self.add(*to, From::Node(at, c));
            }
            return Ok(());
        }
        let mut best: HashMap<Place, (usize, char)> = HashMap::new();
        for (on, to) in ways {
            if let Some(readable) = on.readable() {
                let known = best.entry(to).or_insert(readable);
                *known = readable.min(*known);
            }
        }
        let best = best.into_iter().map(|(to, readable)| (readable, to));
        let mut best: Vec<((usize, char), Place)> = best.collect();
        best.sort_unstable();
        for ((_, c), to) in best {
            self.add(to, From::Node(at, c));
        }
        Ok(())
    }

    fn text(&self, at: usize) -> String {
        let mut end = Vec::new();
        let mut from = self.nodes.get(at).map(|node| node.from);
        while let Some(From::Node(before, c)) = from {
            end.push(c);
            from = self.nodes.get(before).map(|node| node.from);
        }
        let start = match from {
            Some(From::Start(start)) => self.question.starts.get(start),
            _ => None,
        };
        let start = start.map_or("", String::as_str).chars();
        start.chain(end.iter().rev().copied()).collect()
    }
}

/// The URL if the matcher agrees, with `https` where that is as good.
fn confirmed(url: String, confirm: &mut dyn FnMut(&str) -> bool) -> Option<String> {
    let has_port = |rest: &&str| {
        rest.split('/')
            .next()
            .is_some_and(|host| host.contains(':'))
    };
    let secure = url
        .strip_prefix("http://")
        .filter(|rest| !has_port(rest))
        .map(|rest| format!("https://{rest}"));
    if let Some(secure) = secure
        && confirm(&secure)
    {
        return Some(secure);
    }
    confirm(&url).then_some(url)
}
