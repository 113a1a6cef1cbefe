//! Runs a program on a text: a backtracking matcher with an explicit stack and a budget.
//!
//! The choices still open are frames on a stack, so depth costs memory of a known bound and never the call stack.
//! For programs where an instruction and a position alone decide what follows, a table remembers where both choices of
//! a branch have failed. Each such place is then tried once, and the work is at most program size times text length.
//! Only finished failures are remembered, so the table changes the cost but never the result.

mod failures;
mod frames;
mod run;
mod slots;
mod subject;

use edgekeeper_template::letter_case;

use super::BudgetExceeded;
use super::instruction::{Direction, Instruction};
use super::program::Program;

use self::failures::Failures;
use self::frames::{Frame, Frames};
use self::slots::Slots;
use self::subject::Subject;

/// Steps before the table is set up: most matches end earlier and need none.
const STEPS_WITHOUT_TABLE: u32 = 256;

/// The matcher at work on one text.
pub(super) struct Machine<'p, 't> {
    program: &'p Program,
    subject: Subject<'t>,
    budget: u32,
    spent: u32,
    at: usize,
    position: usize,
    slots: Slots,
    frames: Frames,
    failures: Option<Failures>,
    /// Whether it goes without the table, as Oathkeeper's matcher does.
    forgets: bool,
}

impl<'p, 't> Machine<'p, 't> {
    pub(super) fn new(program: &'p Program, text: &'t str, budget: u32) -> Machine<'p, 't> {
        Machine {
            program,
            subject: Subject::new(text),
            budget,
            spent: 0,
            at: 0,
            position: 0,
            slots: Slots::new(program),
            frames: Frames::default(),
            failures: None,
            forgets: false,
        }
    }

    /// The same matcher, which remembers no failures: its work may double with each character.
    #[cfg(feature = "compile")]
    pub(super) fn forgetful(self) -> Self {
        Self {
            forgets: true,
            ..self
        }
    }

    /// Matches from the start of the text; on success, the texts of groups 1 and up.
    pub(super) fn run(mut self) -> Result<Option<Vec<&'t str>>, BudgetExceeded> {
        if !self.decide()? {
            return Ok(None);
        }
        let text = self.subject.as_str();
        let groups = self
            .slots
            .groups()
            .map(|range| range.and_then(|range| text.get(range)).unwrap_or_default());
        Ok(Some(groups.collect()))
    }

    /// How many steps that takes: more than the budget where it is given up.
    #[cfg(feature = "compile")]
    pub(super) fn cost(mut self) -> u32 {
        match self.decide() {
            Ok(_) => self.spent,
            Err(BudgetExceeded) => self.budget.saturating_add(1),
        }
    }

    fn decide(&mut self) -> Result<bool, BudgetExceeded> {
        let program = self.program;
        while let Some(instruction) = program.instruction(self.at) {
            self.spend()?;
            if !self.step(instruction)? && !self.backtrack()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn spend(&mut self) -> Result<(), BudgetExceeded> {
        self.spent = self.spent.saturating_add(1);
        if self.spent > self.budget {
            return Err(BudgetExceeded);
        }
        if self.spent == STEPS_WITHOUT_TABLE && self.program.memoisable() && !self.forgets {
            self.failures = Failures::new(self.program.row_count(), self.subject.as_str().len());
        }
        Ok(())
    }

    /// Runs one instruction; false if it fails here.
    fn step(&mut self, instruction: &Instruction) -> Result<bool, BudgetExceeded> {
        let next = self.at.saturating_add(1);
        match instruction {
            Instruction::Text(text, direction) => {
                let Some(position) = self.subject.after(self.position, text, *direction) else {
                    return Ok(false);
                };
                self.position = position;
            }
            Instruction::Run {
                class,
                min,
                max,
                lazy,
                direction,
            } => {
                return self.run_of(class, *min, *max, *lazy, *direction);
            }
            Instruction::Reference {
                group,
                fold,
                direction,
            } => {
                let Some(position) = self.refer(*group, *fold, *direction)? else {
                    return Ok(false);
                };
                self.position = position;
            }
            Instruction::Branch(first, _) => {
                if self.failed_before(self.program.row(self.at), self.position) {
                    return Ok(false);
                }
                self.frames.push(Frame::Branch {
                    at: self.at,
                    position: self.position,
                })?;
                self.at = *first;
                return Ok(true);
            }
            Instruction::Jump(target) => {
                self.at = *target;
                return Ok(true);
            }
            Instruction::Open(group) => self.note(Slots::opened(*group), Some(self.position))?,
            Instruction::Close(group) => {
                let opened = self
                    .slots
                    .get(Slots::opened(*group))
                    .unwrap_or(self.position);
                self.note(Slots::start(*group), Some(opened.min(self.position)))?;
                self.note(Slots::end(*group), Some(opened.max(self.position)))?;
            }
            Instruction::Mark(number) => {
                self.note(self.slots.iteration(*number), Some(self.position))?
            }
            Instruction::Again(number, target) => {
                if self.slots.get(self.slots.iteration(*number)) != Some(self.position) {
                    self.at = *target;
                    return Ok(true);
                }
            }
            Instruction::Assert(assertion) => {
                if !self.subject.holds(*assertion, self.position) {
                    return Ok(false);
                }
            }
            Instruction::Look => self.frames.open_look(self.position)?,
            Instruction::Unless(target) => self.frames.open_unless(self.position, *target)?,
            Instruction::Keep => match self.frames.cut() {
                Some(start) => self.position = start,
                None => return Ok(false),
            },
            Instruction::Commit => {
                if self.frames.cut().is_none() {
                    return Ok(false);
                }
            }
            Instruction::Refuse => {
                self.frames.refuse(&mut self.slots);
                return Ok(false);
            }
        }
        self.at = next;
        Ok(true)
    }

    /// Undoes the latest choice and takes its next alternative; false if none is left.
    fn backtrack(&mut self) -> Result<bool, BudgetExceeded> {
        while let Some(frame) = self.frames.pop() {
            self.spend()?;
            match frame {
                Frame::Branch { at, position } => {
                    if let Some(Instruction::Branch(_, second)) = self.program.instruction(at) {
                        if self.failures.is_some() {
                            self.frames.push(Frame::Branched { at, position })?;
                        }
                        self.at = *second;
                        self.position = position;
                        return Ok(true);
                    }
                }
                Frame::Branched { at, position } | Frame::Ran { at, position } => {
                    self.remember(self.program.row(at), position);
                }
                Frame::Shrink { at, near, far } => {
                    if self.shrink(at, near, far)? {
                        return Ok(true);
                    }
                }
                Frame::Grow { at, position, left } => {
                    if self.grow(at, position, left)? {
                        return Ok(true);
                    }
                }
                Frame::Restore { slot, value } => self.slots.set(slot, value),
                Frame::Look { .. } => {}
                Frame::Unless {
                    position, target, ..
                } => {
                    self.position = position;
                    self.at = target;
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Eats what a group matched.
    fn refer(
        &mut self,
        group: usize,
        fold: bool,
        direction: Direction,
    ) -> Result<Option<usize>, BudgetExceeded> {
        let Some(wanted) = self
            .slots
            .group(group)
            .and_then(|range| self.subject.as_str().get(range))
        else {
            return Ok(None);
        };
        // A comparison is as much work as the text is long.
        self.spent = self
            .spent
            .saturating_add(u32::try_from(wanted.len()).unwrap_or(u32::MAX) >> 3);
        if !fold {
            return Ok(self.subject.after(self.position, wanted, direction));
        }
        let mut position = self.position;
        let mut wanted = wanted.chars();
        while let Some(want) = if direction == Direction::Back {
            wanted.next_back()
        } else {
            wanted.next()
        } {
            self.spend()?;
            match self.subject.char_at(position, direction) {
                Some((c, after))
                    if c == want || letter_case::lower(c) == letter_case::lower(want) =>
                {
                    position = after
                }
                _ => return Ok(None),
            }
        }
        Ok(Some(position))
    }

    /// Sets a slot so that backtracking undoes it.
    fn note(&mut self, slot: usize, value: Option<usize>) -> Result<(), BudgetExceeded> {
        // Without a choice to come back to, nothing will ever be undone.
        if !self.frames.is_empty() {
            self.frames.push(Frame::Restore {
                slot,
                value: self.slots.get(slot),
            })?;
        }
        self.slots.set(slot, value);
        Ok(())
    }

    fn failed_before(&self, row: usize, position: usize) -> bool {
        self.failures
            .as_ref()
            .is_some_and(|failures| failures.contains(row, position))
    }

    fn remember(&mut self, row: usize, position: usize) {
        if let Some(failures) = &mut self.failures {
            failures.insert(row, position);
        }
    }
}
