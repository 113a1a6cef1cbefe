//! A compiled pattern: a list of instructions, checked when it is loaded.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::class::Class;
use super::instruction::{Direction, Instruction};

/// The largest program, in units of [`weight`].
pub(super) const MAX_WEIGHT: usize = 10_000;

/// A program for the machine. It matches if it ends.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub(super) struct Program {
    code: Vec<Instruction>,
    /// For each instruction, the first of its rows in the table of positions known to fail.
    rows: Vec<usize>,
    row_count: usize,
    groups: usize,
    loops: usize,
    memoisable: bool,
}

impl Program {
    /// Checks that every number in the program means something.
    ///
    /// # Errors
    /// [`BadProgram`] with the index of the first instruction that does not.
    pub(super) fn new(code: Vec<Instruction>) -> Result<Program, BadProgram> {
        let mut groups: usize = 0;
        let mut loops: usize = 0;
        let mut memoisable = true;
        let mut rows = Vec::with_capacity(code.len());
        let mut row_count: usize = 0;
        let mut total: usize = 0;
        for (index, instruction) in code.iter().enumerate() {
            let bad = BadProgram { index };
            total = total.saturating_add(weight(instruction));
            if total > MAX_WEIGHT {
                return Err(bad);
            }
            let inside = |target: usize| {
                if target <= code.len() {
                    Ok(())
                } else {
                    Err(bad)
                }
            };
            let counted = |number: usize| {
                if number < MAX_WEIGHT {
                    Ok(number.saturating_add(1))
                } else {
                    Err(bad)
                }
            };
            rows.push(row_count);
            match instruction {
                Instruction::Branch(first, second) => {
                    inside(*first)?;
                    inside(*second)?;
                    row_count = row_count.saturating_add(1);
                }
                Instruction::Jump(target) => inside(*target)?,
                Instruction::Again(slot, target) => {
                    inside(*target)?;
                    loops = loops.max(counted(*slot)?);
                }
                Instruction::Unless(target) => {
                    inside(*target)?;
                    memoisable = false;
                }
                Instruction::Mark(slot) => loops = loops.max(counted(*slot)?),
                Instruction::Open(group) | Instruction::Close(group) => {
                    // Group 0 is the whole match and has no brackets.
                    counted(group.checked_sub(1).ok_or(bad)?)?;
                    groups = groups.max(*group);
                }
                Instruction::Run {
                    min,
                    max,
                    direction,
                    ..
                } => {
                    memoisable &= *direction == Direction::Forward;
                    if *max != Some(*min) {
                        row_count = row_count.saturating_add(2);
                    }
                }
                Instruction::Text(_, direction) => memoisable &= *direction == Direction::Forward,
                Instruction::Reference { .. }
                | Instruction::Look
                | Instruction::Keep
                | Instruction::Commit
                | Instruction::Refuse => memoisable = false,
                Instruction::Assert(_) => {}
            }
        }
        Ok(Program {
            code,
            rows,
            row_count,
            groups,
            loops,
            memoisable,
        })
    }

    /// True for no program at all. The empty pattern has one: nothing may follow.
    pub(super) fn is_empty(&self) -> bool {
        self.code.is_empty()
    }

    pub(super) fn instruction(&self, index: usize) -> Option<&Instruction> {
        self.code.get(index)
    }

    /// The first row of an instruction in the table of failures.
    pub(super) fn row(&self, index: usize) -> usize {
        self.rows.get(index).copied().unwrap_or_default()
    }

    pub(super) fn row_count(&self) -> usize {
        self.row_count
    }

    /// The number of the last capture group.
    pub(super) fn groups(&self) -> usize {
        self.groups
    }

    pub(super) fn loops(&self) -> usize {
        self.loops
    }

    /// True if what follows a position depends on nothing but the instruction and the position.
    pub(super) fn memoisable(&self) -> bool {
        self.memoisable
    }
}

/// How much of a program's size an instruction takes: large classes and texts count for more than one.
pub(super) fn weight(instruction: &Instruction) -> usize {
    let size = match instruction {
        Instruction::Text(text, _) => text.len(),
        Instruction::Run { class, .. } => Class::size(class),
        _ => 0,
    };
    (size >> 3).saturating_add(1)
}

impl TryFrom<Vec<String>> for Program {
    type Error = BadProgram;

    fn try_from(texts: Vec<String>) -> Result<Program, BadProgram> {
        let mut code = Vec::with_capacity(texts.len());
        for (index, text) in texts.iter().enumerate() {
            code.push(Instruction::decode(text).ok_or(BadProgram { index })?);
        }
        Program::new(code)
    }
}

impl From<Program> for Vec<String> {
    fn from(program: Program) -> Vec<String> {
        program.code.iter().map(Instruction::encode).collect()
    }
}

/// A program that no compiler wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BadProgram {
    index: usize,
}

impl fmt::Display for BadProgram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the compiled pattern is damaged at instruction ")?;
        fmt::Display::fmt(&self.index, f)?;
        f.write_str("; build the policy again")
    }
}
