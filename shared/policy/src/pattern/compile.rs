//! Compiles a parsed pattern into a program.

use super::Pattern;
use super::ast::{Groups, Node};
use super::charset::CharSet;
use super::find_hints;
use super::glob::{self, Glob};
use super::hints::Hints;
use super::instruction::{Assertion, Direction, Instruction};
use super::original;
use super::program::{MAX_WEIGHT, Program, weight};
use super::syntax::{self, PatternError, Piece};

/// Compiles a pattern of the `regexp` strategy.
///
/// # Errors
/// [`PatternError`] with the place and what to do: unbalanced brackets, a regular expression that is not one, a
/// construct that is not supported, or one that needs too large a program.
///
/// ```
/// use edgekeeper_policy::pattern::{DEFAULT_BUDGET, compile};
///
/// let pattern = compile("<https?>://App.example.com/users/<[0-9]+>")?;
/// assert_eq!(pattern.host(), Some("app.example.com"));
/// assert_eq!(pattern.path_prefix(), "/users/");
/// let groups = pattern.find("https://app.example.com/users/42", DEFAULT_BUDGET)?.expect("a match");
/// assert_eq!(groups.iter().collect::<Vec<_>>(), ["https", "42"]);
///
/// let error = compile("https://app.example.com/<.*").unwrap_err();
/// assert_eq!(error.offset, 24);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn compile(pattern: &str) -> Result<Pattern, PatternError> {
    compile_as(pattern, false)
}

/// Compiles a pattern for strict mode: as Oathkeeper v26.2.0 reads it, where that is not unsafe.
///
/// What Oathkeeper cannot read compiles too, to a pattern that answers each question with Oathkeeper's error
/// ([`Pattern::broken`]): Oathkeeper keeps such a rule.
///
/// # Errors
/// [`PatternError`] for what Oathkeeper can read and this cannot.
///
/// ```
/// use edgekeeper_policy::pattern::compile_strict;
///
/// let pattern = compile_strict("http://app.example.com/<(>")?;
/// assert_eq!(pattern.broken(), Some("error parsing regexp: missing closing ) in `^($`"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn compile_strict(pattern: &str) -> Result<Pattern, PatternError> {
    or_broken(pattern, compile_as(pattern, true))
}

fn compile_as(pattern: &str, strict: bool) -> Result<Pattern, PatternError> {
    let (pieces, groups, hints) = parsed(pattern, strict)?;
    Ok(Pattern {
        source: pattern.to_owned(),
        hints,
        program: program(&pieces, &groups)?,
        glob: None,
        broken: None,
    })
}

/// A pattern of the `regexp` strategy as it is compiled and reasoned on: its host is in the case in which hosts are matched.
pub(super) fn parsed(
    pattern: &str,
    strict: bool,
) -> Result<(Vec<Piece>, Groups, Hints), PatternError> {
    let (mut pieces, groups) = syntax::parse(pattern, strict)?;
    let hints = find_hints::of(&mut pieces, strict);
    Ok((pieces, groups, hints))
}

/// The program of a parsed pattern.
pub(super) fn program(pieces: &[Piece], groups: &Groups) -> Result<Program, PatternError> {
    let mut compiler = Compiler {
        code: Vec::new(),
        weight: 0,
        loops: 0,
        groups,
    };
    for piece in pieces {
        match piece {
            Piece::Text(text) => {
                compiler.emit(Instruction::Text(text.clone(), Direction::Forward))?
            }
            Piece::Regex(node) => compiler.node(node, Direction::Forward)?,
        };
    }
    compiler.emit(Instruction::Assert(Assertion::TextEnd))?;
    Program::new(compiler.code).map_err(|error| PatternError::new(0, error.to_string()))
}

/// Compiles a pattern of the `glob` strategy. It captures nothing.
///
/// # Errors
/// [`PatternError`] for what the original does not read either: angle brackets that do not pair, a class that is none.
///
/// ```
/// use edgekeeper_policy::pattern::{DEFAULT_BUDGET, compile_glob};
///
/// let pattern = compile_glob("https://app.example.com/<{docs,blog}>/<**>")?;
/// assert_eq!(pattern.host(), Some("app.example.com"));
/// assert!(pattern.find("https://app.example.com/docs/a/b.html", DEFAULT_BUDGET)?.is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn compile_glob(pattern: &str) -> Result<Pattern, PatternError> {
    let text = original::glob(pattern)?;
    let mut terms = glob::parse(&text)?;
    let hints = find_hints::of_glob(&mut terms);
    Ok(Pattern {
        source: pattern.to_owned(),
        hints,
        program: Program::default(),
        glob: Some(Glob(glob::build(&terms))),
        broken: None,
    })
}

/// Compiles a pattern of the `glob` strategy for strict mode, as [`compile_strict`] does for `regexp`.
///
/// # Errors
/// [`PatternError`] for what Oathkeeper can read and this cannot.
pub fn compile_glob_strict(pattern: &str) -> Result<Pattern, PatternError> {
    or_broken(pattern, compile_glob(pattern))
}

fn or_broken(
    pattern: &str,
    result: Result<Pattern, PatternError>,
) -> Result<Pattern, PatternError> {
    match result {
        Err(PatternError {
            original: Some(original),
            ..
        }) => Ok(Pattern::of_broken(pattern, original)),
        result => result,
    }
}

/// Writes a program.
pub(super) struct Compiler<'g> {
    pub(super) code: Vec<Instruction>,
    weight: usize,
    pub(super) loops: usize,
    groups: &'g Groups,
}

impl Compiler<'_> {
    /// Appends an instruction and tells its index.
    pub(super) fn emit(&mut self, instruction: Instruction) -> Result<usize, PatternError> {
        self.weight = self.weight.saturating_add(weight(&instruction));
        if self.weight > MAX_WEIGHT {
            return Err(PatternError::new(
                0,
                format!(
                    "the pattern compiles to more than {MAX_WEIGHT} instructions; use smaller counts in {{n,m}}"
                ),
            ));
        }
        let index = self.code.len();
        self.code.push(instruction);
        Ok(index)
    }

    pub(super) fn replace(&mut self, index: usize, instruction: Instruction) {
        if let Some(place) = self.code.get_mut(index) {
            *place = instruction;
        }
    }

    // As deep as the groups of the pattern, which the parser limits.
    pub(super) fn node(
        &mut self,
        node: &Node,
        direction: Direction,
    ) -> Result<usize, PatternError> {
        let start = self.code.len();
        match node {
            Node::Empty => {}
            Node::Text(text) => {
                self.emit(Instruction::Text(text.clone(), direction))?;
            }
            Node::Set(set) => {
                self.run(set, 1, Some(1), false, direction)?;
            }
            Node::Concat(nodes) => match direction {
                Direction::Forward => nodes
                    .iter()
                    .try_for_each(|node| self.node(node, direction).map(drop))?,
                Direction::Back => nodes
                    .iter()
                    .rev()
                    .try_for_each(|node| self.node(node, direction).map(drop))?,
            },
            Node::Alternate(nodes) => self.alternate(nodes, direction)?,
            Node::Repeat {
                node,
                min,
                max,
                lazy,
            } => self.repeat(node, *min, *max, *lazy, direction)?,
            Node::Group(id, node) => {
                let group = self.groups.number(id).unwrap_or(MAX_WEIGHT);
                self.emit(Instruction::Open(group))?;
                self.node(node, direction)?;
                self.emit(Instruction::Close(group))?;
            }
            Node::Atomic(node) => {
                self.emit(Instruction::Look)?;
                self.node(node, direction)?;
                self.emit(Instruction::Commit)?;
            }
            Node::Look {
                behind,
                negated,
                node,
            } => {
                let inner = if *behind {
                    Direction::Back
                } else {
                    Direction::Forward
                };
                let open = self.emit(Instruction::Look)?;
                self.node(node, inner)?;
                if *negated {
                    let end = self.emit(Instruction::Refuse)?;
                    self.replace(open, Instruction::Unless(end.saturating_add(1)));
                } else {
                    self.emit(Instruction::Keep)?;
                }
            }
            Node::Reference {
                group,
                fold,
                offset,
            } => {
                let Some(group) = self.groups.number(group) else {
                    return Err(PatternError::new(
                        *offset,
                        "there is no such group; groups count from 1, and each `<...>` is one of them",
                    ));
                };
                self.emit(Instruction::Reference {
                    group,
                    fold: *fold,
                    direction,
                })?;
            }
            Node::Assert(assertion) => {
                self.emit(Instruction::Assert(*assertion))?;
            }
        }
        Ok(start)
    }

    pub(super) fn run(
        &mut self,
        set: &CharSet,
        min: u32,
        max: Option<u32>,
        lazy: bool,
        direction: Direction,
    ) -> Result<usize, PatternError> {
        // With a fixed count there is nothing to be lazy about.
        let lazy = lazy && max != Some(min);
        self.emit(Instruction::Run {
            class: set.to_class(),
            min,
            max,
            lazy,
            direction,
        })
    }

    fn alternate(&mut self, nodes: &[Node], direction: Direction) -> Result<(), PatternError> {
        let mut exits = Vec::new();
        for (index, node) in nodes.iter().enumerate() {
            if index.saturating_add(1) == nodes.len() {
                self.node(node, direction)?;
                break;
            }
            let branch = self.emit(Instruction::Branch(0, 0))?;
            self.node(node, direction)?;
            exits.push(self.emit(Instruction::Jump(0))?);
            self.replace(
                branch,
                Instruction::Branch(branch.saturating_add(1), self.code.len()),
            );
        }
        let end = self.code.len();
        for exit in exits {
            self.replace(exit, Instruction::Jump(end));
        }
        Ok(())
    }
}
