//! Texts on which the matcher goes back and forth: ambiguous loops of a pattern, and what to put before, into and behind them.
//!
//! A loop that can read a text in two ways takes twice as long with each repetition of it (exponential); a loop that can hand
//! over to a later one anywhere in a text takes the square of its length (polynomial). Both are seen in the net: two ways that
//! read the same word, from a step back to itself, or from it to a later one that reads the word too.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::rc::Rc;

use super::automaton::{Automaton, DEAD, Move};
use super::net::{Net, Step};

/// Nets with more steps that eat are not looked at.
const MAX_EATERS: usize = 400;

/// Pairs or triples of steps that one search looks at.
const MAX_TUPLES: usize = 8_000;

/// Ways without eating that are counted from one step.
const MAX_WAYS: usize = 2_000;

/// Loops that are tried out.
const MAX_LOOPS: usize = 24;

/// An ambiguous loop and how to get there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Loop {
    /// What leads to it.
    pub(super) before: String,
    /// What it reads in several ways.
    pub(super) word: String,
    /// Whether it does so by itself, and not together with a later one.
    pub(super) alone: bool,
}

/// The steps that eat, and how many ways lead from each to the next.
struct Graph<'n> {
    net: &'n Net,
    /// Which of the characters that serve is taken. Look-arounds, which are not followed here, may refuse the first.
    choice: usize,
    next: HashMap<usize, Vec<(usize, usize)>>,
}

/// All ambiguous loops, those that read a word in two ways by themselves first. Another `choice` gives other words.
pub(super) fn loops(net: &Net, choice: usize, requests: &mut Automaton) -> Vec<Loop> {
    let Some(graph) = Graph::new(net, choice) else {
        return Vec::new();
    };
    let inside = graph.inside();
    let mut words = Vec::new();
    for step in &inside {
        words.extend(graph.twice(*step).map(|word| (*step, word, true)));
    }
    for step in &inside {
        for later in inside.iter().filter(|later| *later != step) {
            let word = graph.word(&[*step, *step, *later], &[*step, *later, *later], false);
            words.extend(word.map(|word| (*step, word, false)));
            if words.len() > MAX_LOOPS {
                break;
            }
        }
    }
    let mut loops: Vec<Loop> = Vec::new();
    for (step, word, alone) in words.into_iter().take(MAX_LOOPS) {
        if let Some(before) = graph.before(step, requests) {
            let found = Loop {
                before,
                word,
                alone,
            };
            if !loops.contains(&found) {
                loops.push(found);
            }
        }
    }
    loops
}

impl<'n> Graph<'n> {
    fn new(net: &'n Net, choice: usize) -> Option<Graph<'n>> {
        let mut graph = Graph {
            net,
            choice,
            next: HashMap::new(),
        };
        for step in 0..net.len() {
            if let Step::Eat(_, next) = net.step(step) {
                graph.next.insert(step, ways(net, *next));
                if graph.next.len() > MAX_EATERS {
                    return None;
                }
            }
        }
        Some(graph)
    }

    fn after(&self, step: usize) -> &[(usize, usize)] {
        self.next.get(&step).map_or(&[], Vec::as_slice)
    }

    /// The steps that a loop leads back to, in order.
    fn inside(&self) -> Vec<usize> {
        let mut edges = Vec::new();
        for (step, after) in &self.next {
            edges.extend(after.iter().map(|(next, _)| (*step, *next)));
        }
        // Most steps are literal text before all loops or behind them.
        let back = edges.iter().map(|(step, next)| (*next, *step)).collect();
        let steps: BTreeSet<usize> = self.next.keys().copied().collect();
        let steps = on_loops(on_loops(steps, edges), back).into_iter();
        steps
            .filter(|step| self.word(&[*step], &[*step], false).is_some())
            .collect()
    }

    /// A word that a loop through this step can read in two ways.
    fn twice(&self, step: usize) -> Option<String> {
        // Two ways to the next step without eating are two ways to read the same.
        for (next, ways) in self.after(step) {
            if *ways < 2 {
                continue;
            }
            if *next == step {
                return self.word(&[step], &[step], false);
            }
            if let Some(back) = self.word(&[*next], &[step], false)
                && let Step::Eat(set, _) = self.net.step(step)
                && let Some(c) = set.choice(self.choice)
            {
                return Some(format!("{c}{back}"));
            }
        }
        self.word(&[step, step], &[step, step], true)
    }

    /// The shortest word that all of `from` can read on their ways to `to`; `apart` if two of them must part in between.
    fn word(&self, from: &[usize], to: &[usize], apart: bool) -> Option<String> {
        let mut seen: HashSet<(Vec<usize>, bool)> = HashSet::new();
        let mut open: VecDeque<(Vec<usize>, bool, String)> = VecDeque::new();
        open.push_back((from.to_vec(), false, String::new()));
        while let Some((at, parted, word)) = open.pop_front() {
            let mut sets = at.iter().filter_map(|step| match self.net.step(*step) {
                Step::Eat(set, _) => Some(set),
                _ => None,
            });
            let first = sets.next()?.clone();
            let common = sets.fold(first, |common, set| common.and(set));
            let Some(c) = common.choice(self.choice) else {
                continue;
            };
            let mut nexts: Vec<Vec<usize>> = vec![Vec::new()];
            for step in &at {
                let mut longer = Vec::new();
                for next in &nexts {
                    for (after, _) in self.after(*step) {
                        longer.push(next.iter().copied().chain([*after]).collect());
                    }
                }
                nexts = longer;
            }
            let word = format!("{word}{c}");
            for next in nexts {
                let parted = parted || next.first() != next.last();
                if next == to && (parted || !apart) {
                    return Some(word);
                }
                if seen.len() < MAX_TUPLES && seen.insert((next.clone(), parted)) {
                    open.push_back((next, parted, word.clone()));
                }
            }
        }
        None
    }

    /// The shortest start of a request's URL that leads to a step.
    fn before(&self, goal: usize, requests: &mut Automaton) -> Option<String> {
        let start = requests.start().ok()?;
        let mut seen: HashSet<(usize, usize)> = HashSet::new();
        let mut open: VecDeque<(usize, usize, String)> = VecDeque::new();
        for (step, _) in ways(self.net, self.net.start) {
            open.push_back((step, start, String::new()));
        }
        while let Some((step, state, text)) = open.pop_front() {
            if step == goal {
                return Some(text);
            }
            let moves: Rc<[Move]> = requests.moves(state).ok()?;
            let Step::Eat(set, _) = self.net.step(step) else {
                continue;
            };
            for found in moves.iter() {
                let Some(c) = found.on.and(set).choice(self.choice) else {
                    continue;
                };
                for (after, _) in self.after(step) {
                    if seen.len() < MAX_TUPLES && seen.insert((*after, found.to)) {
                        open.push_back((*after, found.to, format!("{text}{c}")));
                    }
                }
            }
        }
        None
    }
}

/// The steps without those that no way leads to from a loop.
fn on_loops(mut steps: BTreeSet<usize>, edges: Vec<(usize, usize)>) -> BTreeSet<usize> {
    let mut ways: HashMap<usize, usize> = HashMap::new();
    let mut after: HashMap<usize, Vec<usize>> = HashMap::new();
    for (step, next) in edges {
        if steps.contains(&step) && steps.contains(&next) {
            let count = ways.entry(next).or_default();
            *count = count.saturating_add(1);
            after.entry(step).or_default().push(next);
        }
    }
    let first = steps
        .iter()
        .copied()
        .filter(|step| !ways.contains_key(step));
    let mut open: Vec<usize> = first.collect();
    while let Some(step) = open.pop() {
        steps.remove(&step);
        for next in after.remove(&step).unwrap_or_default() {
            if let Some(count) = ways.get_mut(&next) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    open.push(next);
                }
            }
        }
    }
    steps
}

/// The steps that eat next, and in how many ways each is reached: one, or two for more. Conditions are taken to hold.
fn ways(net: &Net, from: usize) -> Vec<(usize, usize)> {
    let mut found: Vec<(usize, usize)> = Vec::new();
    // With each step the steps passed on the way to it. Only a loop over nothing passes one twice, which is a second way.
    let mut open: Vec<(usize, Vec<usize>)> = vec![(from, Vec::new())];
    let mut left = MAX_WAYS;
    while let Some((at, passed)) = open.pop() {
        left = left.saturating_sub(1);
        let times = passed.iter().filter(|step| **step == at).count();
        if left == 0 || times > 1 {
            continue;
        }
        let mut go = |next: usize| {
            let passed = passed.iter().copied().chain([at]).collect();
            open.push((next, passed));
        };
        match net.step(at) {
            Step::Eat(..) => match found.iter_mut().find(|(step, _)| *step == at) {
                Some((_, ways)) => *ways = 2,
                None => found.push((at, 1)),
            },
            Step::Fork(steps) => steps.iter().for_each(|step| go(*step)),
            Step::Ahead { inner, next, .. } => [*inner, *next].into_iter().for_each(go),
            Step::Behind { next, .. } | Step::Condition { next, .. } => go(*next),
            Step::Anything | Step::End => {}
        }
    }
    found
}

/// Whether a text is a request's URL.
pub(super) fn is_request(requests: &mut Automaton, url: &str) -> bool {
    let Ok(mut state) = requests.start() else {
        return false;
    };
    for c in url.chars() {
        state = match requests.after(state, c) {
            Ok(DEAD) | Err(_) => return false,
            Ok(state) => state,
        };
    }
    requests.accepts(state)
}
