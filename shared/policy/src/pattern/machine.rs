//! Runs a program on a text: a backtracking matcher with an explicit stack and a budget.
//!
//! The choices still open are frames on a stack, so depth costs memory of a known bound and never the call stack.
//! For programs where an instruction and a position alone decide what follows, a table remembers where both choices of
//! a branch have failed. Each such place is then tried once, and the work is at most program size times text length.
//! Only finished failures are remembered, so the table changes the cost but never the result.

use super::BudgetExceeded;
use super::class::Class;
use super::instruction::{Assertion, Direction, Instruction};
use super::program::Program;

/// The most frames kept; a match that needs more is given up. About 3 MB natively, 2 MB in Wasm.
const MAX_FRAMES: usize = 1 << 17;

/// The largest table of failures, in bits (256 KiB). Beyond it the budget alone bounds the work.
const MAX_TABLE_BITS: usize = 1 << 21;

/// Steps before the table is set up: most matches end earlier and need none.
const STEPS_WITHOUT_TABLE: u32 = 256;

/// What to do when the current choice fails.
enum Frame {
    /// Take the branch's second target at this position.
    Branch { at: usize, position: usize },
    /// Both targets of the branch failed at this position.
    Branched { at: usize, position: usize },
    /// A run failed with its end at `far`: try one character less, not below `near`.
    Shrink { at: usize, near: usize, far: usize },
    /// A run failed with its end at `position`: try one character more, `left` times at most.
    Grow {
        at: usize,
        position: usize,
        left: Option<u32>,
    },
    /// A run failed for good when started at this position.
    Ran { at: usize, position: usize },
    /// Put back what a group or loop had noted.
    Restore { slot: usize, value: Option<usize> },
    /// A look-around or atomic group failed.
    Look { outer: usize, position: usize },
    /// A look-around that must not match did not: go on at the target.
    Unless {
        outer: usize,
        position: usize,
        target: usize,
    },
}

/// The matcher at work on one text.
pub(super) struct Machine<'p, 't> {
    program: &'p Program,
    text: &'t str,
    budget: u32,
    spent: u32,
    at: usize,
    position: usize,
    /// Per group: where it opened, its start, its end. Then per loop: where the iteration started.
    slots: Vec<Option<usize>>,
    frames: Vec<Frame>,
    /// One more than the index of the innermost open look-around's frame; 0 if there is none.
    look: usize,
    failures: Option<Vec<u64>>,
}

impl<'p, 't> Machine<'p, 't> {
    pub(super) fn new(program: &'p Program, text: &'t str, budget: u32) -> Machine<'p, 't> {
        let slots = program
            .groups()
            .saturating_mul(3)
            .saturating_add(program.loops());
        Machine {
            program,
            text,
            budget,
            spent: 0,
            at: 0,
            position: 0,
            slots: vec![None; slots],
            frames: Vec::new(),
            look: 0,
            failures: None,
        }
    }

    /// Matches from the start of the text; on success, the texts of groups 1 and up.
    pub(super) fn run(mut self) -> Result<Option<Vec<&'t str>>, BudgetExceeded> {
        let program = self.program;
        while let Some(instruction) = program.instruction(self.at) {
            self.spend()?;
            if !self.step(instruction)? && !self.backtrack()? {
                return Ok(None);
            }
        }
        let text = self.text;
        let groups = self
            .slots
            .chunks_exact(3)
            .take(program.groups())
            .map(|group| match group {
                &[_, Some(start), Some(end)] => text.get(start..end).unwrap_or_default(),
                _ => "",
            });
        Ok(Some(groups.collect()))
    }

    fn spend(&mut self) -> Result<(), BudgetExceeded> {
        self.spent = self.spent.saturating_add(1);
        if self.spent > self.budget {
            return Err(BudgetExceeded);
        }
        if self.spent == STEPS_WITHOUT_TABLE && self.program.memoisable() {
            let bits = self
                .text
                .len()
                .saturating_add(1)
                .saturating_mul(self.program.row_count());
            if bits <= MAX_TABLE_BITS {
                self.failures = Some(vec![0; bits.div_ceil(64)]);
            }
        }
        Ok(())
    }

    /// Runs one instruction; false if it fails here.
    fn step(&mut self, instruction: &Instruction) -> Result<bool, BudgetExceeded> {
        let next = self.at.saturating_add(1);
        match instruction {
            Instruction::Text(text, direction) => {
                let Some(position) = self.eat(text, *direction) else {
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
                self.push(Frame::Branch {
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
            Instruction::Open(group) => self.note(group_slot(*group, 0), Some(self.position))?,
            Instruction::Close(group) => {
                let opened = self.slot(group_slot(*group, 0)).unwrap_or(self.position);
                self.note(group_slot(*group, 1), Some(opened.min(self.position)))?;
                self.note(group_slot(*group, 2), Some(opened.max(self.position)))?;
            }
            Instruction::Mark(number) => self.note(self.loop_slot(*number), Some(self.position))?,
            Instruction::Again(number, target) => {
                if self.slot(self.loop_slot(*number)) != Some(self.position) {
                    self.at = *target;
                    return Ok(true);
                }
            }
            Instruction::Assert(assertion) => {
                if !self.holds(*assertion) {
                    return Ok(false);
                }
            }
            Instruction::Look => {
                self.push(Frame::Look {
                    outer: self.look,
                    position: self.position,
                })?;
                self.look = self.frames.len();
            }
            Instruction::Unless(target) => {
                self.push(Frame::Unless {
                    outer: self.look,
                    position: self.position,
                    target: *target,
                })?;
                self.look = self.frames.len();
            }
            Instruction::Keep => match self.cut() {
                Some(start) => self.position = start,
                None => return Ok(false),
            },
            Instruction::Commit => {
                if self.cut().is_none() {
                    return Ok(false);
                }
            }
            Instruction::Refuse => {
                self.refuse();
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
                            self.push(Frame::Branched { at, position })?;
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
                    self.remember_run(at, far);
                    if far != near
                        && let Some(Instruction::Run { direction, .. }) =
                            self.program.instruction(at)
                        && let Some((_, shorter)) = self.char_at(far, direction.reverse())
                    {
                        self.push(Frame::Shrink {
                            at,
                            near,
                            far: shorter,
                        })?;
                        self.at = at.saturating_add(1);
                        self.position = shorter;
                        return Ok(true);
                    }
                }
                Frame::Grow { at, position, left } => {
                    if self.grow(at, position, left)? {
                        return Ok(true);
                    }
                }
                Frame::Restore { slot, value } => self.set(slot, value),
                Frame::Look { outer, .. } => self.look = outer,
                Frame::Unless {
                    outer,
                    position,
                    target,
                } => {
                    self.look = outer;
                    self.position = position;
                    self.at = target;
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    fn run_of(
        &mut self,
        class: &Class,
        min: u32,
        max: Option<u32>,
        lazy: bool,
        direction: Direction,
    ) -> Result<bool, BudgetExceeded> {
        let start = self.position;
        let varies = max != Some(min);
        let row = self.program.row(self.at);
        if varies && self.failed_before(row, start) {
            return Ok(false);
        }
        let mut near = start;
        for _ in 0..min {
            self.spend()?;
            match self.char_at(near, direction) {
                Some((c, after)) if class.contains(c) => near = after,
                _ => return Ok(false),
            }
        }
        if !varies {
            self.position = near;
            self.at = self.at.saturating_add(1);
            return Ok(true);
        }
        if self.failures.is_some() {
            self.push(Frame::Ran {
                at: self.at,
                position: start,
            })?;
        }
        let open_ended = max.is_none();
        let inner_row = row.saturating_add(1);
        if open_ended && self.failed_before(inner_row, near) {
            return Ok(false);
        }
        let mut left = max.map(|max| max.saturating_sub(min));
        let mut far = near;
        if lazy {
            self.push(Frame::Grow {
                at: self.at,
                position: near,
                left,
            })?;
        } else {
            while left != Some(0) {
                self.spend()?;
                match self.char_at(far, direction) {
                    Some((c, after)) if class.contains(c) => {
                        if open_ended && self.failed_before(inner_row, after) {
                            break;
                        }
                        far = after;
                    }
                    _ => break,
                }
                left = left.map(|left| left.saturating_sub(1));
            }
            self.push(Frame::Shrink {
                at: self.at,
                near,
                far,
            })?;
        }
        self.position = far;
        self.at = self.at.saturating_add(1);
        Ok(true)
    }

    /// A lazy run takes one character more.
    fn grow(
        &mut self,
        at: usize,
        position: usize,
        left: Option<u32>,
    ) -> Result<bool, BudgetExceeded> {
        if left == Some(0) {
            return Ok(false);
        }
        let Some(Instruction::Run {
            class, direction, ..
        }) = self.program.instruction(at)
        else {
            return Ok(false);
        };
        let inner_row = self.program.row(at).saturating_add(1);
        let after = match self.char_at(position, *direction) {
            Some((c, after)) if class.contains(c) => after,
            _ => {
                self.remember_run(at, position);
                return Ok(false);
            }
        };
        if left.is_none() && self.failed_before(inner_row, after) {
            self.remember_run(at, position);
            return Ok(false);
        }
        if self.failures.is_some() {
            // Nothing to shrink: once popped, it says that every longer run from here failed.
            self.push(Frame::Shrink {
                at,
                near: position,
                far: position,
            })?;
        }
        self.push(Frame::Grow {
            at,
            position: after,
            left: left.map(|left| left.saturating_sub(1)),
        })?;
        self.at = at.saturating_add(1);
        self.position = after;
        Ok(true)
    }

    /// Eats a literal text.
    fn eat(&self, text: &str, direction: Direction) -> Option<usize> {
        let text = text.as_bytes();
        match direction {
            Direction::Forward => {
                let rest = self.text.as_bytes().get(self.position..)?;
                rest.starts_with(text)
                    .then(|| self.position.saturating_add(text.len()))
            }
            Direction::Back => {
                let rest = self.text.as_bytes().get(..self.position)?;
                rest.ends_with(text)
                    .then(|| self.position.saturating_sub(text.len()))
            }
        }
    }

    /// Eats what a group matched.
    fn refer(
        &mut self,
        group: usize,
        fold: bool,
        direction: Direction,
    ) -> Result<Option<usize>, BudgetExceeded> {
        let (Some(start), Some(end)) = (
            self.slot(group_slot(group, 1)),
            self.slot(group_slot(group, 2)),
        ) else {
            return Ok(None);
        };
        let Some(wanted) = self.text.get(start..end) else {
            return Ok(None);
        };
        // A comparison is as much work as the text is long.
        self.spent = self
            .spent
            .saturating_add(u32::try_from(wanted.len()).unwrap_or(u32::MAX) >> 3);
        if !fold {
            return Ok(self.eat(wanted, direction));
        }
        let mut position = self.position;
        let mut wanted = wanted.chars();
        while let Some(want) = if direction == Direction::Back {
            wanted.next_back()
        } else {
            wanted.next()
        } {
            self.spend()?;
            match self.char_at(position, direction) {
                Some((c, after)) if c == want || c.to_lowercase().eq(want.to_lowercase()) => {
                    position = after
                }
                _ => return Ok(None),
            }
        }
        Ok(Some(position))
    }

    fn holds(&self, assertion: Assertion) -> bool {
        let before = || self.char_at(self.position, Direction::Back).map(|(c, _)| c);
        let after = || {
            self.char_at(self.position, Direction::Forward)
                .map(|(c, _)| c)
        };
        let boundary = || before().is_some_and(is_word) != after().is_some_and(is_word);
        match assertion {
            Assertion::TextStart => self.position == 0,
            Assertion::TextEnd => self.position == self.text.len(),
            Assertion::LineStart => before().is_none_or(|c| c == '\n'),
            Assertion::LineEnd => after().is_none_or(|c| c == '\n'),
            Assertion::WordBoundary => boundary(),
            Assertion::NoWordBoundary => !boundary(),
        }
    }

    /// The character beside a position, and the position on its other side.
    fn char_at(&self, position: usize, direction: Direction) -> Option<(char, usize)> {
        match direction {
            Direction::Forward => {
                let c = self.text.get(position..)?.chars().next()?;
                Some((c, position.saturating_add(c.len_utf8())))
            }
            Direction::Back => {
                let c = self.text.get(..position)?.chars().next_back()?;
                Some((c, position.saturating_sub(c.len_utf8())))
            }
        }
    }

    /// Ends the innermost look-around: drops its alternatives, keeps what its groups noted undoable, and tells where
    /// it started. `None` if there is none, which only a damaged program can ask for.
    fn cut(&mut self) -> Option<usize> {
        let index = self.look.checked_sub(1)?;
        let &Frame::Look { outer, position } = self.frames.get(index)? else {
            return None;
        };
        let inner = self.frames.split_off(index);
        self.frames.extend(
            inner
                .into_iter()
                .filter(|frame| matches!(frame, Frame::Restore { .. })),
        );
        self.look = outer;
        Some(position)
    }

    /// A look-around that must not match did: undoes everything since it started.
    fn refuse(&mut self) {
        let bottom = self.look.saturating_sub(1);
        while self.frames.len() > bottom {
            match self.frames.pop() {
                Some(Frame::Restore { slot, value }) => self.set(slot, value),
                Some(Frame::Unless { outer, .. } | Frame::Look { outer, .. }) => self.look = outer,
                _ => {}
            }
        }
    }

    fn push(&mut self, frame: Frame) -> Result<(), BudgetExceeded> {
        if self.frames.len() >= MAX_FRAMES {
            return Err(BudgetExceeded);
        }
        self.frames.push(frame);
        Ok(())
    }

    fn loop_slot(&self, number: usize) -> usize {
        self.program
            .groups()
            .saturating_mul(3)
            .saturating_add(number)
    }

    fn slot(&self, index: usize) -> Option<usize> {
        self.slots.get(index).copied().flatten()
    }

    fn set(&mut self, index: usize, value: Option<usize>) {
        if let Some(slot) = self.slots.get_mut(index) {
            *slot = value;
        }
    }

    /// Sets a slot so that backtracking undoes it.
    fn note(&mut self, slot: usize, value: Option<usize>) -> Result<(), BudgetExceeded> {
        // Without a choice to come back to, nothing will ever be undone.
        if !self.frames.is_empty() {
            self.push(Frame::Restore {
                slot,
                value: self.slot(slot),
            })?;
        }
        self.set(slot, value);
        Ok(())
    }

    fn failed_before(&self, row: usize, position: usize) -> bool {
        let (word, bit) = self.place(row, position);
        self.failures
            .as_ref()
            .and_then(|table| table.get(word))
            .is_some_and(|word| word & bit != 0)
    }

    fn remember(&mut self, row: usize, position: usize) {
        let (word, bit) = self.place(row, position);
        if let Some(word) = self.failures.as_mut().and_then(|table| table.get_mut(word)) {
            *word |= bit;
        }
    }

    /// An open-ended run that got to `position` failed there, and so did every longer one.
    fn remember_run(&mut self, at: usize, position: usize) {
        if self.failures.is_some()
            && let Some(Instruction::Run { max: None, .. }) = self.program.instruction(at)
        {
            self.remember(self.program.row(at).saturating_add(1), position);
        }
    }

    fn place(&self, row: usize, position: usize) -> (usize, u64) {
        let index = row
            .saturating_mul(self.text.len().saturating_add(1))
            .saturating_add(position);
        (
            index >> 6,
            1_u64.wrapping_shl(u32::try_from(index & 63).unwrap_or_default()),
        )
    }
}

/// A group's slots: 0 where it opened, 1 its start, 2 its end. Groups count from 1.
fn group_slot(group: usize, part: usize) -> usize {
    group
        .saturating_sub(1)
        .saturating_mul(3)
        .saturating_add(part)
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

impl Direction {
    fn reverse(self) -> Direction {
        match self {
            Direction::Forward => Direction::Back,
            Direction::Back => Direction::Forward,
        }
    }
}
