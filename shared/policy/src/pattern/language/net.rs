//! A pattern as a net of steps that can be reasoned on: what a text must have for the pattern to match it.

use super::super::instruction::Assertion;
use super::symbols::Symbols;

/// What a look-ahead ends with: any text may follow.
pub(super) const ANYTHING: usize = 0;

/// The end of the text.
pub(super) const END: usize = 1;

/// The largest net.
const MAX_STEPS: usize = 20_000;

/// One step. Numbers are those of other steps.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// One character of the set, then the next step.
    Eat(Symbols, usize),
    /// One of these.
    Fork(Vec<usize>),
    /// The rest of the text must, or must not, begin with what the inner steps say.
    Ahead {
        negated: bool,
        inner: usize,
        next: usize,
    },
    /// The text so far must, or must not, end with what the tracker says.
    Behind {
        negated: bool,
        tracker: usize,
        next: usize,
    },
    /// A condition on the position. `probe` eats one character of the set the condition asks about.
    Condition {
        assertion: Assertion,
        probe: usize,
        next: usize,
    },
    Anything,
    /// The end of the text, or of what a tracker looks for.
    End,
}

/// What a look-behind looks for, read forward from every position.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tracker {
    pub(super) start: usize,
    pub(super) end: usize,
}

/// All steps of a pattern.
#[derive(Clone, Debug)]
pub(super) struct Net {
    steps: Vec<Step>,
    pub(super) start: usize,
    pub(super) trackers: Vec<Tracker>,
    /// Whether it matches exactly what the pattern matches; otherwise that and more.
    pub(super) exact: bool,
    /// Whether it is of a glob.
    pub(super) is_glob: bool,
    /// Whether it matters what is part of a word.
    pub(super) words: bool,
    /// Whether it matters what is a line.
    pub(super) lines: bool,
}

/// A pattern with too many steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLarge;

impl Net {
    pub(super) fn new() -> Net {
        Net {
            steps: vec![Step::Anything, Step::End],
            start: END,
            trackers: Vec::new(),
            exact: true,
            is_glob: false,
            words: false,
            lines: false,
        }
    }

    pub(super) fn add(&mut self, step: Step) -> Result<usize, TooLarge> {
        if self.steps.len() >= MAX_STEPS {
            return Err(TooLarge);
        }
        self.steps.push(step);
        Ok(self.steps.len().saturating_sub(1))
    }

    pub(super) fn replace(&mut self, at: usize, step: Step) {
        if let Some(place) = self.steps.get_mut(at) {
            *place = step;
        }
    }

    pub(super) fn step(&self, at: usize) -> &Step {
        self.steps.get(at).unwrap_or(&Step::End)
    }

    pub(super) fn len(&self) -> usize {
        self.steps.len()
    }
}
