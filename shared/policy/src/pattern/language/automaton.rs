//! A deterministic automaton of a pattern, made as far as it is looked at.
//!
//! A state is what the rest of the text must be like (Brzozowski's derivative, as a formula over the steps of the net), and
//! what of the text so far still matters: its last character and how far look-behinds have come.

use std::collections::HashMap;
use std::rc::Rc;

use super::super::instruction::Assertion;
use super::formula::{Clause, Formula, Literal, at_end, both};
use super::lower;
use super::net::{Net, Step, TooLarge, Tracker};
use super::symbols::Symbols;

/// More states than this are not made. They fit into a [`Place`](super::place::Place).
const MAX_STATES: usize = 20_000;

/// More kinds of characters than this are not told apart in one state.
const MAX_KINDS: usize = 600;

/// The state that no text leads out of to a match.
pub(super) const DEAD: usize = usize::MAX;

/// What of the text so far matters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Context {
    at_start: bool,
    after_word: bool,
    after_line: bool,
    /// For each tracker the steps that it can be at.
    trackers: Vec<Vec<usize>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    formula: Rc<Formula>,
    context: usize,
}

/// A way from one state to another.
#[derive(Clone, Debug)]
pub(super) struct Move {
    pub(super) on: Symbols,
    pub(super) to: usize,
}

/// The automaton.
pub(super) struct Automaton {
    net: Rc<Net>,
    word: Symbols,
    contexts: Vec<Context>,
    context_numbers: HashMap<Context, usize>,
    states: Vec<State>,
    numbers: HashMap<State, usize>,
    moves: Vec<Option<Rc<[Move]>>>,
    closures: HashMap<(usize, usize), Rc<Formula>>,
    /// The only context after the start, where nothing of the text so far matters.
    plain: Option<usize>,
    /// Whether many texts are gone through, so that it pays to keep all states.
    is_shared: bool,
    /// The states after texts that searches start with.
    after: HashMap<String, usize>,
}

impl Automaton {
    pub(super) fn new(net: Net) -> Automaton {
        let word = if net.words {
            lower::word()
        } else {
            Symbols::default()
        };
        Automaton {
            net: Rc::new(net),
            word,
            contexts: Vec::new(),
            context_numbers: HashMap::new(),
            states: Vec::new(),
            numbers: HashMap::new(),
            moves: Vec::new(),
            closures: HashMap::new(),
            plain: None,
            is_shared: false,
            after: HashMap::new(),
        }
    }

    /// Whether it accepts exactly what the pattern matches; otherwise that and more.
    pub(super) fn is_exact(&self) -> bool {
        self.net.exact
    }

    /// The same for many texts.
    pub(super) fn shared(self) -> Automaton {
        Automaton {
            is_shared: true,
            ..self
        }
    }

    pub(super) fn net(&self) -> &Net {
        &self.net
    }

    /// How many states were made.
    pub(super) fn size(&self) -> usize {
        self.states.len()
    }

    /// The state before the first character.
    pub(super) fn start(&mut self) -> Result<usize, TooLarge> {
        let mut context = Context {
            at_start: true,
            ..Context::default()
        };
        for tracker in self.net.trackers.clone() {
            context.trackers.push(self.reached([tracker.start], true));
        }
        let context = self.context(context);
        let formula = self.closure(self.net.start, context)?;
        self.state(formula, context)
    }

    /// The state after a text.
    pub(super) fn state_after(&mut self, text: &str) -> Result<usize, TooLarge> {
        if let Some(state) = self.after.get(text) {
            return Ok(*state);
        }
        let state = self.start()?;
        let state = if self.is_shared {
            text.chars()
                .try_fold(state, |state, c| self.after(state, c))?
        } else {
            self.passed(state, text)?
        };
        if self.after.len() < MAX_STATES {
            self.after.insert(text.to_owned(), state);
        }
        Ok(state)
    }

    /// The state after a text, without making those in between: nobody else comes by there.
    fn passed(&mut self, state: usize, text: &str) -> Result<usize, TooLarge> {
        let Some(State {
            mut formula,
            mut context,
        }) = self.states.get(state).cloned()
        else {
            return Ok(DEAD);
        };
        for c in text.chars() {
            context = self.context_after(context, c);
            formula = Rc::new(self.rest(&formula, c, context)?);
            if formula.clauses.is_empty() {
                return Ok(DEAD);
            }
        }
        self.state(formula, context)
    }

    /// Whether the text so far is one that matches.
    pub(super) fn accepts(&self, state: usize) -> bool {
        self.states
            .get(state)
            .is_some_and(|state| state.formula.accepts_nothing_more())
    }

    /// All ways out of a state; a character that is in none of them leads nowhere.
    pub(super) fn moves(&mut self, state: usize) -> Result<Rc<[Move]>, TooLarge> {
        if let Some(Some(moves)) = self.moves.get(state) {
            return Ok(Rc::clone(moves));
        }
        let Some(State { formula, context }) = self.states.get(state).cloned() else {
            return Ok(Rc::from([]));
        };
        let mut moves = Vec::new();
        for on in self.kinds(&formula, context)? {
            let Some((_, c)) = on.readable() else {
                continue;
            };
            let context = self.context_after(context, c);
            let rest = self.rest(&formula, c, context)?;
            if !rest.clauses.is_empty() {
                let to = self.state(Rc::new(rest), context)?;
                moves.push(Move { on, to });
            }
        }
        let moves: Rc<[Move]> = Rc::from(moves);
        if let Some(place) = self.moves.get_mut(state) {
            *place = Some(Rc::clone(&moves));
        }
        Ok(moves)
    }

    /// The state after a character.
    pub(super) fn after(&mut self, state: usize, c: char) -> Result<usize, TooLarge> {
        let moves = self.moves(state)?;
        let found = moves.iter().find(|found| found.on.contains(c));
        Ok(found.map_or(DEAD, |found| found.to))
    }

    fn state(&mut self, formula: Rc<Formula>, context: usize) -> Result<usize, TooLarge> {
        let state = State { formula, context };
        if let Some(number) = self.numbers.get(&state) {
            return Ok(*number);
        }
        let number = self.states.len();
        if number >= MAX_STATES {
            return Err(TooLarge);
        }
        self.states.push(state.clone());
        self.moves.push(None);
        self.numbers.insert(state, number);
        Ok(number)
    }

    fn context(&mut self, context: Context) -> usize {
        if let Some(number) = self.context_numbers.get(&context) {
            return *number;
        }
        let number = self.contexts.len();
        self.contexts.push(context.clone());
        self.context_numbers.insert(context, number);
        number
    }

    fn context_after(&mut self, context: usize, c: char) -> usize {
        let plain = self.net.trackers.is_empty() && !self.net.words && !self.net.lines;
        if plain && let Some(context) = self.plain {
            return context;
        }
        let mut next = Context {
            at_start: false,
            after_word: self.net.words && self.word.contains(c),
            after_line: self.net.lines && c == '\n',
            trackers: Vec::new(),
        };
        let known = self.contexts.get(context).cloned().unwrap_or_default();
        for (tracker, at) in self.net.trackers.clone().into_iter().zip(known.trackers) {
            let eaten = at.iter().filter_map(|step| match self.net.step(*step) {
                Step::Eat(set, next) if set.contains(c) => Some(*next),
                _ => None,
            });
            let steps: Vec<usize> = eaten.chain([tracker.start]).collect();
            next.trackers.push(self.reached(steps, false));
        }
        let next = self.context(next);
        self.plain = plain.then_some(next);
        next
    }

    /// The steps of a tracker that can be reached without eating.
    fn reached(&self, from: impl IntoIterator<Item = usize>, at_start: bool) -> Vec<usize> {
        let mut open: Vec<usize> = from.into_iter().collect();
        let mut seen = Vec::new();
        while let Some(step) = open.pop() {
            if seen.contains(&step) {
                continue;
            }
            seen.push(step);
            match self.net.step(step) {
                Step::Fork(steps) => open.extend(steps),
                Step::Condition { next, .. } if at_start => open.push(*next),
                _ => {}
            }
        }
        seen.retain(|step| matches!(self.net.step(*step), Step::Eat(..) | Step::End));
        seen.sort_unstable();
        seen
    }

    /// Characters that lead to the same state, together.
    fn kinds(&self, formula: &Formula, context: usize) -> Result<Vec<Symbols>, TooLarge> {
        let trackers = self.contexts.get(context).into_iter();
        let tracked = trackers.flat_map(|context| context.trackers.iter().flatten().copied());
        let literals = formula.clauses.iter().flatten();
        let steps = literals.map(|literal| literal.step).chain(tracked);
        // The usual case: a literal character.
        if let ([clause], []) = (formula.clauses.as_slice(), self.net.trackers.as_slice())
            && let [literal] = clause.as_slice()
            && !(literal.negated || self.net.words || self.net.lines)
        {
            return Ok(match self.net.step(literal.step) {
                Step::Eat(set, _) => vec![set.clone()],
                _ => Vec::new(),
            });
        }
        let line = Symbols::single('\n');
        let mut sets: Vec<&Symbols> = Vec::new();
        let eaten = steps.filter_map(|step| match self.net.step(step) {
            Step::Eat(set, _) => Some(set),
            _ => None,
        });
        let context = [(self.net.words, &self.word), (self.net.lines, &line)];
        let asked = context.into_iter().filter(|(asked, _)| *asked);
        for set in eaten.chain(asked.map(|(_, set)| set)) {
            if !sets.contains(&set) {
                sets.push(set);
            }
        }
        let mut kinds = vec![Symbols::all()];
        for set in sets {
            let mut cut = Vec::new();
            for kind in kinds {
                let (inside, outside) = (kind.and(set), kind.minus(set));
                cut.extend(
                    [inside, outside]
                        .into_iter()
                        .filter(|kind| !kind.is_empty()),
                );
            }
            if cut.len() > MAX_KINDS {
                return Err(TooLarge);
            }
            kinds = cut;
        }
        Ok(kinds)
    }

    /// What must follow after `c`.
    fn rest(&mut self, formula: &Formula, c: char, context: usize) -> Result<Formula, TooLarge> {
        let mut clauses: Vec<Clause> = Vec::new();
        for clause in &formula.clauses {
            if let [literal] = clause.as_slice() {
                clauses.extend(self.rest_of(*literal, c, context)?.clauses.iter().cloned());
                continue;
            }
            let mut all = Formula::anything();
            for literal in clause {
                all = all.and(&*self.rest_of(*literal, c, context)?)?;
            }
            clauses.extend(all.clauses);
        }
        Formula::new(clauses)
    }

    fn rest_of(
        &mut self,
        literal: Literal,
        c: char,
        context: usize,
    ) -> Result<Rc<Formula>, TooLarge> {
        let rest = match self.net.step(literal.step) {
            Step::Eat(set, next) if set.contains(c) => {
                let next = *next;
                self.closure(next, context)?
            }
            _ => Rc::new(Formula::default()),
        };
        Ok(match literal.negated {
            true => Rc::new(rest.not()?),
            false => rest,
        })
    }

    /// What must follow at a step, as conditions on steps that eat.
    // As deep as look-aheads are nested, which the parser limits.
    fn closure(&mut self, from: usize, context: usize) -> Result<Rc<Formula>, TooLarge> {
        if let Some(formula) = self.closures.get(&(from, context)) {
            return Ok(Rc::clone(formula));
        }
        let net = Rc::clone(&self.net);
        if let Step::Eat(..) = net.step(from) {
            let literal = Literal {
                step: from,
                negated: false,
            };
            return Ok(Rc::new(Formula {
                clauses: vec![vec![literal]],
            }));
        }
        let known = self.contexts.get(context).cloned().unwrap_or_default();
        let mut clauses: Vec<Clause> = Vec::new();
        let mut seen: HashMap<usize, Vec<Clause>> = HashMap::new();
        let mut open: Vec<(usize, Clause)> = vec![(from, Vec::new())];
        while let Some((at, conditions)) = open.pop() {
            let before = seen.entry(at).or_default();
            let weaker = |other: &Clause| other.iter().all(|known| conditions.contains(known));
            if before.iter().any(weaker) {
                continue;
            }
            before.push(conditions.clone());
            let with = |literal: Literal| both(&conditions, &[literal]);
            let positive = Literal {
                step: at,
                negated: false,
            };
            match net.step(at) {
                Step::Anything => clauses.push(conditions),
                Step::End => clauses.extend(with(at_end(false))),
                Step::Eat(..) => clauses.extend(with(positive)),
                Step::Fork(steps) => {
                    open.extend(steps.iter().rev().map(|at| (*at, conditions.clone())));
                }
                Step::Ahead {
                    negated,
                    inner,
                    next,
                } => {
                    let ahead = self.closure(*inner, context)?;
                    let ahead = if *negated {
                        Rc::new(ahead.not()?)
                    } else {
                        ahead
                    };
                    let all = ahead.clauses.iter();
                    open.extend(all.filter_map(|own| Some((*next, both(&conditions, own)?))));
                }
                Step::Behind {
                    negated,
                    tracker,
                    next,
                } => {
                    let end = self
                        .net
                        .trackers
                        .get(*tracker)
                        .map(|Tracker { end, .. }| end);
                    let at = known.trackers.get(*tracker);
                    let holds = end.is_some_and(|end| at.is_some_and(|at| at.contains(end)));
                    if holds != *negated {
                        open.push((*next, conditions));
                    }
                }
                Step::Condition {
                    assertion,
                    probe,
                    next,
                } => {
                    let probe = |negated| Literal {
                        step: *probe,
                        negated,
                    };
                    let holds: Vec<Option<Clause>> = match assertion {
                        Assertion::TextStart => vec![known.at_start.then_some(conditions)],
                        Assertion::LineStart => {
                            vec![(known.at_start || known.after_line).then_some(conditions)]
                        }
                        Assertion::TextEnd => vec![with(at_end(false))],
                        Assertion::LineEnd => vec![with(at_end(false)), with(probe(false))],
                        Assertion::WordBoundary => vec![with(probe(known.after_word))],
                        Assertion::NoWordBoundary => vec![with(probe(!known.after_word))],
                    };
                    open.extend(holds.into_iter().flatten().map(|clause| (*next, clause)));
                }
            }
            if seen.len() > self.net.len() || clauses.len() > MAX_STATES {
                return Err(TooLarge);
            }
        }
        let formula = Rc::new(Formula::new(clauses)?);
        self.closures.insert((from, context), Rc::clone(&formula));
        Ok(formula)
    }
}
