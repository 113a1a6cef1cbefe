//! What the rest of a text must be like: one of several clauses, each a set of conditions that must all hold.

use super::net::{END, TooLarge};

/// More clauses than this are not looked at.
const MAX_CLAUSES: usize = 4_000;

/// The rest of the text is, or is not, one that this step leads to the end of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Literal {
    pub(super) step: usize,
    pub(super) negated: bool,
}

/// Conditions that must all hold, in order. None at all: any text.
pub(super) type Clause = Vec<Literal>;

/// One of these clauses must hold, in order. None at all: no text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Formula {
    pub(super) clauses: Vec<Clause>,
}

/// The clauses as one; `None` if they contradict each other.
pub(super) fn both(left: &[Literal], right: &[Literal]) -> Option<Clause> {
    let mut clause: Clause = left.iter().chain(right).copied().collect();
    clause.sort_unstable();
    clause.dedup();
    let steps = clause.iter().zip(clause.iter().skip(1));
    if steps.clone().any(|(a, b)| a.step == b.step) {
        return None;
    }
    // At the end of the text nothing else can be eaten, and nothing needs to be forbidden.
    if clause.contains(&at_end(false)) {
        let others = clause
            .iter()
            .any(|known| !known.negated && known.step != END);
        return (!others).then(|| vec![at_end(false)]);
    }
    if clause.iter().any(|known| !known.negated) {
        clause.retain(|known| *known != at_end(true));
    }
    Some(clause)
}

/// The end of the text is, or is not, here.
pub(super) fn at_end(negated: bool) -> Literal {
    Literal { step: END, negated }
}

impl Formula {
    pub(super) fn anything() -> Formula {
        Formula {
            clauses: vec![Vec::new()],
        }
    }

    /// Puts the clauses in order, without those that another one makes superfluous.
    pub(super) fn new(mut clauses: Vec<Clause>) -> Result<Formula, TooLarge> {
        clauses.sort_unstable();
        clauses.dedup();
        if clauses.len() > MAX_CLAUSES {
            return Err(TooLarge);
        }
        if clauses.first().is_some_and(Vec::is_empty) {
            return Ok(Formula::anything());
        }
        if clauses.iter().any(|clause| clause.len() > 1) {
            let all = std::mem::take(&mut clauses);
            clauses = all
                .iter()
                .filter(|clause| {
                    let implied = |other: &&Clause| {
                        other.len() < clause.len()
                            && other.iter().all(|literal| clause.contains(literal))
                    };
                    !all.iter().any(|other| implied(&other))
                })
                .cloned()
                .collect();
        }
        Ok(Formula { clauses })
    }

    pub(super) fn and(&self, other: &Formula) -> Result<Formula, TooLarge> {
        if self.clauses.len().saturating_mul(other.clauses.len()) > MAX_CLAUSES {
            return Err(TooLarge);
        }
        let pairs = self
            .clauses
            .iter()
            .flat_map(|left| other.clauses.iter().filter_map(|right| both(left, right)));
        Formula::new(pairs.collect())
    }

    pub(super) fn not(&self) -> Result<Formula, TooLarge> {
        let mut formula = Formula::anything();
        for clause in &self.clauses {
            let denied = clause.iter().map(|literal| {
                vec![Literal {
                    negated: !literal.negated,
                    ..*literal
                }]
            });
            formula = formula.and(&Formula::new(denied.collect())?)?;
        }
        Ok(formula)
    }

    /// Whether the empty text is one of them.
    pub(super) fn accepts_nothing_more(&self) -> bool {
        self.clauses.iter().any(|clause| {
            clause
                .iter()
                .all(|literal| (literal.step == END) != literal.negated)
        })
    }
}
