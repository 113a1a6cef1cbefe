//! The choices still open, and what to undo on the way back to them.

use super::super::BudgetExceeded;
use super::slots::Slots;

/// The most frames kept; a match that needs more is given up. About 3 MB natively, 2 MB in Wasm.
const MAX_FRAMES: usize = 1 << 17;

/// What to do when the current choice fails.
pub(super) enum Frame {
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

/// The stack of frames.
#[derive(Default)]
pub(super) struct Frames {
    stack: Vec<Frame>,
    /// One more than the index of the innermost open look-around's frame; 0 if there is none.
    look: usize,
}

impl Frames {
    pub(super) fn is_empty(&self) -> bool {
        self.stack.is_empty()
    }

    /// # Errors
    /// [`BudgetExceeded`] if the stack is full.
    pub(super) fn push(&mut self, frame: Frame) -> Result<(), BudgetExceeded> {
        if self.stack.len() >= MAX_FRAMES {
            return Err(BudgetExceeded);
        }
        self.stack.push(frame);
        Ok(())
    }

    /// Takes the latest frame. If it is that of a look-around, the one around it is now the innermost.
    pub(super) fn pop(&mut self) -> Option<Frame> {
        let frame = self.stack.pop()?;
        if let Frame::Look { outer, .. } | Frame::Unless { outer, .. } = frame {
            self.look = outer;
        }
        Some(frame)
    }

    /// Opens a look-around that must match, or an atomic group.
    pub(super) fn open_look(&mut self, position: usize) -> Result<(), BudgetExceeded> {
        self.push(Frame::Look {
            outer: self.look,
            position,
        })?;
        self.look = self.stack.len();
        Ok(())
    }

    /// Opens a look-around that must not match; when it does not, the match goes on at the target.
    pub(super) fn open_unless(
        &mut self,
        position: usize,
        target: usize,
    ) -> Result<(), BudgetExceeded> {
        self.push(Frame::Unless {
            outer: self.look,
            position,
            target,
        })?;
        self.look = self.stack.len();
        Ok(())
    }

    /// Ends the innermost look-around: drops its alternatives, keeps what its groups noted undoable, and tells where
    /// it started. `None` if there is none, which only a damaged program can ask for.
    pub(super) fn cut(&mut self) -> Option<usize> {
        let index = self.look.checked_sub(1)?;
        let &Frame::Look { outer, position } = self.stack.get(index)? else {
            return None;
        };
        let inner = self.stack.split_off(index);
        self.stack.extend(
            inner
                .into_iter()
                .filter(|frame| matches!(frame, Frame::Restore { .. })),
        );
        self.look = outer;
        Some(position)
    }

    /// A look-around that must not match did: undoes everything since it started.
    pub(super) fn refuse(&mut self, slots: &mut Slots) {
        let bottom = self.look.saturating_sub(1);
        while self.stack.len() > bottom {
            if let Some(Frame::Restore { slot, value }) = self.pop() {
                slots.set(slot, value);
            }
        }
    }
}
