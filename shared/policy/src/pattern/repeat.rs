//! Compiles repetitions.
//!
//! An iteration that eats nothing ends its loop, once the least count is reached: there is nothing more to gain, and
//! the loop would not end otherwise.

use super::ast::Node;
use super::charset::CharSet;
use super::compile::Compiler;
use super::instruction::{Direction, Instruction};
use super::syntax::PatternError;

impl Compiler<'_> {
    /// `node`, `min` to `max` times.
    pub(super) fn repeat(
        &mut self,
        node: &Node,
        min: u32,
        max: Option<u32>,
        lazy: bool,
        direction: Direction,
    ) -> Result<(), PatternError> {
        if matches!(node, Node::Empty) {
            return Ok(());
        }
        if max == Some(0) {
            // Never run, but its groups are there and count.
            let skip = self.emit(Instruction::Jump(0))?;
            self.node(node, direction)?;
            self.replace(skip, Instruction::Jump(self.code.len()));
            return Ok(());
        }
        if let Some(set) = single(node) {
            return self.run(&set, min, max, lazy, direction).map(drop);
        }
        for _ in 1..min {
            if self.node(node, direction)? == self.code.len() {
                // It comes to nothing, however often.
                return Ok(());
            }
        }
        let slot = node.may_be_empty().then(|| {
            let slot = self.loops;
            self.loops = self.loops.saturating_add(1);
            slot
        });
        let mut iterations = Iterations {
            node,
            direction,
            slot,
            exits: Vec::new(),
        };
        let mut branches = Vec::new();
        let start = self.code.len();
        if min > 0 {
            iterations.add(self)?;
        }
        match max {
            None if min > 0 => {
                let branch = self.emit(Instruction::Branch(0, 0))?;
                self.replace(branch, choice(start, branch.saturating_add(1), lazy));
            }
            None => {
                branches.push(self.emit(Instruction::Branch(0, 0))?);
                iterations.add(self)?;
                self.emit(Instruction::Jump(start))?;
            }
            Some(max) => {
                for _ in min..max {
                    branches.push(self.emit(Instruction::Branch(0, 0))?);
                    iterations.add(self)?;
                }
            }
        }
        let end = self.code.len();
        for branch in branches {
            self.replace(branch, choice(branch.saturating_add(1), end, lazy));
        }
        for exit in iterations.exits {
            self.replace(exit, Instruction::Jump(end));
        }
        Ok(())
    }
}

/// The iterations of a loop after which it may end.
struct Iterations<'n> {
    node: &'n Node,
    direction: Direction,
    /// Where an iteration notes its start, if it can eat nothing.
    slot: Option<usize>,
    /// Jumps to the loop's end, to be filled in.
    exits: Vec<usize>,
}

impl Iterations<'_> {
    fn add(&mut self, compiler: &mut Compiler<'_>) -> Result<(), PatternError> {
        let Some(slot) = self.slot else {
            return compiler.node(self.node, self.direction).map(drop);
        };
        compiler.emit(Instruction::Mark(slot))?;
        compiler.node(self.node, self.direction)?;
        let again = compiler.emit(Instruction::Again(slot, 0))?;
        let exit = compiler.emit(Instruction::Jump(0))?;
        compiler.replace(again, Instruction::Again(slot, exit.saturating_add(1)));
        self.exits.push(exit);
        Ok(())
    }
}

/// The set, if the node is one character.
fn single(node: &Node) -> Option<CharSet> {
    match node {
        Node::Set(set) => Some(set.clone()),
        Node::Text(text) => {
            let mut chars = text.chars();
            chars
                .next()
                .filter(|_| chars.next().is_none())
                .map(CharSet::single)
        }
        _ => None,
    }
}

/// Once more, or on to the end.
fn choice(body: usize, end: usize, lazy: bool) -> Instruction {
    if lazy {
        Instruction::Branch(end, body)
    } else {
        Instruction::Branch(body, end)
    }
}
