//! URL patterns of access rules: Oathkeeper's `regexp` matching strategy.
//!
//! A pattern is literal text with regular expressions in angle brackets: `<https?>://app.example.com/api/<.*>`. Text
//! outside the brackets means itself. Each outermost `<...>` is a capture group; angle brackets inside it belong to the
//! regular expression. The pattern must match the whole URL, written `scheme://host/path` without query.
//!
//! With the `compile` feature (the CLI) `compile` turns a pattern into a [`Pattern`]: a short program with hints for
//! the rule index. The gateway only loads and runs that program, so nothing is parsed or compiled at the edge.
//!
//! # The regular expressions
//!
//! They are those of Oathkeeper's engine, regexp2 with its RE2 option: a backtracking matcher that prefers the leftmost
//! alternative. Look-ahead, look-behind of any length, back-references and atomic groups work. Unnamed groups are
//! numbered first, from left to right, then the named ones; a `<...>` counts as an unnamed group.
//!
//! What differs from Oathkeeper v26.2.0, and why:
//! - `$`, `\Z` and the end of the pattern match at the very end of the text only. Oathkeeper also accepts a line feed
//!   after it, so that `/12%0a` passes a rule for `<[0-9]+>`.
//! - `\d`, `\w`, `\s` and `\b` know ASCII only, as in RE2. In Oathkeeper a rule for `<\d+>` also lets digits of other
//!   scripts pass. `\p{Nd}` and its like are there for whoever means them.
//! - Hosts are compared in lower case, so the literal text of a pattern's host is turned into lower case here. What
//!   stands inside `<...>` is not touched.
//! - A match is bounded by steps, not by time, so it ends the same way on every machine. Without look-around,
//!   back-references and atomic groups the steps grow linearly with the length of the URL, whatever the pattern.
//! - Back-references may use the numbers of the whole pattern. Oathkeeper compiles each `<...>` on its own first and
//!   refuses `<(a)-\2>`, the only number that could ever work there.
//! - Look-behind and atomic groups can be written plainly: `<.*(?<!\.php)>`. Oathkeeper counts their angle brackets and
//!   finds them unbalanced.
//! - Lazy loops over something that can be empty, as `(a*)+?`, end and keep their groups; in regexp2 1.2 they may not.

#[cfg(feature = "compile")]
mod ast;
#[cfg(feature = "compile")]
mod charset;
mod class;
#[cfg(feature = "compile")]
mod compile;
#[cfg(feature = "compile")]
mod find_hints;
mod glob;
mod hints;
mod instruction;
#[cfg(feature = "compile")]
pub(crate) mod language;
mod machine;
#[cfg(feature = "compile")]
mod original;
mod program;
#[cfg(feature = "compile")]
mod regex;
#[cfg(feature = "compile")]
mod repeat;
#[cfg(feature = "compile")]
mod syntax;

#[cfg(all(test, feature = "compile"))]
mod tests;

use std::fmt;

use serde::{Deserialize, Serialize};

#[cfg(feature = "compile")]
pub use self::compile::{compile, compile_glob, compile_glob_strict, compile_strict};
#[cfg(feature = "compile")]
pub use self::syntax::PatternError;

use self::glob::Glob;
pub(crate) use self::hints::Hints;
use self::machine::Machine;
use self::program::Program;

/// Steps a match may take when nothing else is configured. Oathkeeper stops after 250 ms; this is a few milliseconds.
pub const DEFAULT_BUDGET: u32 = 1_000_000;

/// A compiled URL pattern.
///
/// Its serde form is part of the policy document: small strings, checked when they are loaded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pattern {
    source: String,
    #[serde(default, skip_serializing_if = "Hints::is_empty")]
    hints: Hints,
    #[serde(default, skip_serializing_if = "Program::is_empty")]
    program: Program,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    glob: Option<Glob>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    broken: Option<String>,
}

impl Pattern {
    /// Matches `text`, a URL as `scheme://host/path` with its host in lower case, against the whole pattern.
    ///
    /// `budget` bounds the work in steps of the matcher; [`DEFAULT_BUDGET`] suits URLs.
    ///
    /// # Errors
    /// [`Unmatched`] if the pattern needs more steps than that, or is [broken](Self::broken). Whether the text matches is
    /// then unknown; the request must be refused, as Oathkeeper does with its timeout.
    pub fn find<'t>(&self, text: &'t str, budget: u32) -> Result<Option<Captures<'t>>, Unmatched> {
        if let Some(glob) = &self.glob {
            let none = Captures { groups: Vec::new() };
            return Ok(glob.matches(text, budget)?.then_some(none));
        }
        if self.program.is_empty() {
            return Err(Unmatched::Broken);
        }
        let groups = Machine::new(&self.program, text, budget).run()?;
        Ok(groups.map(|groups| Captures { groups }))
    }

    /// How many steps a match takes, more than `budget` if it is given up; `forgetful` is for a matcher that remembers no
    /// failures, as Oathkeeper's.
    #[cfg(feature = "compile")]
    fn cost(&self, text: &str, budget: u32, forgetful: bool) -> u32 {
        let machine = Machine::new(&self.program, text, budget);
        match forgetful {
            true => machine.forgetful().cost(),
            false => machine.cost(),
        }
    }

    /// Whether it was written as a glob.
    #[cfg(feature = "compile")]
    pub(crate) fn is_glob(&self) -> bool {
        self.glob.is_some()
    }

    /// What Oathkeeper says about this pattern, if it cannot read it.
    ///
    /// In strict mode such a rule is kept: each request with one of its methods is answered with this message and 500,
    /// whatever its URL.
    #[must_use]
    pub fn broken(&self) -> Option<&str> {
        self.broken.as_deref()
    }

    #[cfg(feature = "compile")]
    fn of_broken(source: &str, original: String) -> Pattern {
        Pattern {
            source: source.to_owned(),
            hints: Hints::default(),
            program: Program::default(),
            glob: None,
            broken: Some(original),
        }
    }

    /// The one host, with its port if it has one, that the pattern can match, if that can be told without running it.
    ///
    /// A text that matches has exactly this between its first `://` and the next `/`.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        self.hints.host.as_deref()
    }

    /// What the path of every matching URL starts with: `/` at least.
    ///
    /// Longer only if it can be told where the host ends.
    #[must_use]
    pub fn path_prefix(&self) -> &str {
        match self.hints.path_start.as_str() {
            "" => "/",
            path => path,
        }
    }

    pub(crate) fn hints(&self) -> &Hints {
        &self.hints
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }
}

/// What the groups of a pattern matched, without group 0, in the engine's order: the unnamed groups from left to right,
/// then the named ones.
///
/// This is `.MatchContext.RegexpCaptureGroups` of Oathkeeper's templates. A group that took no part is an empty string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Captures<'t> {
    groups: Vec<&'t str>,
}

impl<'t> Captures<'t> {
    /// The text of a group; 0 is the first group of the pattern.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&'t str> {
        self.groups.get(index).copied()
    }

    /// The texts of all groups in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &'t str> {
        self.groups.iter().copied()
    }

    /// How many groups the pattern has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.groups.len()
    }

    /// True if the pattern is literal throughout.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }
}

/// Why it is not known whether a text matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unmatched {
    /// The match was given up because it took more steps than allowed.
    BudgetExceeded,
    /// The pattern is none: see [`Pattern::broken`].
    Broken,
}

impl fmt::Display for Unmatched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unmatched::BudgetExceeded => "the URL pattern needs too many steps for this URL",
            Unmatched::Broken => "the URL pattern cannot be read",
        })
    }
}

impl std::error::Error for Unmatched {}

/// The machine's way to say [`Unmatched::BudgetExceeded`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct BudgetExceeded;

impl From<BudgetExceeded> for Unmatched {
    fn from(_: BudgetExceeded) -> Unmatched {
        Unmatched::BudgetExceeded
    }
}
