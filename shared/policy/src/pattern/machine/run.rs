//! Runs of characters of one class: the first try, and each shorter or longer one after it.

use super::super::BudgetExceeded;
use super::super::class::Class;
use super::super::instruction::{Direction, Instruction};
use super::Machine;
use super::frames::Frame;

impl Machine<'_, '_> {
    /// Takes as many characters as possible, or as few; false if nothing can follow from here.
    pub(super) fn run_of(
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
            match self.subject.char_at(near, direction) {
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
            self.frames.push(Frame::Ran {
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
            self.frames.push(Frame::Grow {
                at: self.at,
                position: near,
                left,
            })?;
        } else {
            while left != Some(0) {
                self.spend()?;
                match self.subject.char_at(far, direction) {
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
            self.frames.push(Frame::Shrink {
                at: self.at,
                near,
                far,
            })?;
        }
        self.position = far;
        self.at = self.at.saturating_add(1);
        Ok(true)
    }

    /// A greedy run takes one character less.
    pub(super) fn shrink(
        &mut self,
        at: usize,
        near: usize,
        far: usize,
    ) -> Result<bool, BudgetExceeded> {
        self.remember_run(at, far);
        if far != near
            && let Some(Instruction::Run { direction, .. }) = self.program.instruction(at)
            && let Some((_, shorter)) = self.subject.char_at(far, direction.reverse())
        {
            self.frames.push(Frame::Shrink {
                at,
                near,
                far: shorter,
            })?;
            self.at = at.saturating_add(1);
            self.position = shorter;
            return Ok(true);
        }
        Ok(false)
    }

    /// A lazy run takes one character more.
    pub(super) fn grow(
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
        let after = match self.subject.char_at(position, *direction) {
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
            self.frames.push(Frame::Shrink {
                at,
                near: position,
                far: position,
            })?;
        }
        self.frames.push(Frame::Grow {
            at,
            position: after,
            left: left.map(|left| left.saturating_sub(1)),
        })?;
        self.at = at.saturating_add(1);
        self.position = after;
        Ok(true)
    }

    /// An open-ended run that got to `position` failed there, and so did every longer one.
    fn remember_run(&mut self, at: usize, position: usize) {
        if self.failures.is_some()
            && let Some(Instruction::Run { max: None, .. }) = self.program.instruction(at)
        {
            self.remember(self.program.row(at).saturating_add(1), position);
        }
    }
}

impl Direction {
    fn reverse(self) -> Direction {
        match self {
            Direction::Forward => Direction::Back,
            Direction::Back => Direction::Forward,
        }
    }
}
