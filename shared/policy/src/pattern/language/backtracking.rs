//! Patterns that take too many steps for some URL, confirmed by the matcher.

use super::super::{DEFAULT_BUDGET, Pattern, Unmatched};
use super::attack::{self, Loop};
use super::{Language, Requests};

/// The longest URL that is tried, in bytes: longer ones are refused by what stands in front of a gateway.
const MAX_URL: usize = 8_000;

/// So few repetitions show that each doubles the work.
const FEW: usize = 60;

/// URLs that are tried on all patterns together: some seconds. Patterns after that are taken to be good.
pub(super) const TRIES: usize = 600;

/// Characters that are tried for each repeated one.
const CHOICES: usize = 3;

/// What may keep a pattern from matching at the end.
const ENDS: &[&str] = &["", "!", "~", "-", "/!", "\u{e9}"];

/// A URL that a pattern needs too many steps for: `before`, `times` times `repeated`, `after`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backtracking {
    /// How the URL starts.
    pub before: String,
    /// What is repeated.
    pub repeated: String,
    /// How often: the least that is too much.
    pub times: usize,
    /// How the URL ends.
    pub after: String,
    /// Whether a short URL is enough, since each repetition doubles the work; otherwise it takes a long one.
    pub exponential: bool,
    /// Whether it is Oathkeeper's matcher alone that takes so many steps: here failures are remembered.
    pub elsewhere: bool,
}

impl Backtracking {
    /// The URL in full.
    #[must_use]
    pub fn url(&self) -> String {
        let Backtracking {
            before,
            repeated,
            times,
            after,
            ..
        } = self;
        format!("{before}{}{after}", repeated.repeat(*times))
    }
}

/// The URL in short: `https://app.example.com/` + `a` × 30 + `!`.
impl std::fmt::Display for Backtracking {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "`{}` + `{}` × {}",
            self.before, self.repeated, self.times
        )?;
        match self.after.as_str() {
            "" => Ok(()),
            after => write!(f, " + `{after}`"),
        }
    }
}

impl Requests {
    /// A URL that the pattern needs more steps for than the gateway takes. `None` if none was found.
    pub(crate) fn backtracking(
        &mut self,
        pattern: &Pattern,
        language: &Language,
    ) -> Option<Backtracking> {
        // With its table of failures the matcher is linear, and most patterns stay far below the limit.
        let program = &pattern.program;
        let most = program
            .row_count()
            .saturating_mul(MAX_URL.saturating_mul(4));
        let budget = usize::try_from(DEFAULT_BUDGET).unwrap_or(usize::MAX);
        if program.is_empty() {
            return None;
        }
        let elsewhere = program.memoisable() && most < budget;
        // Only a repetition of what has one in it can double the work; most patterns have none.
        let source = pattern.source();
        if elsewhere
            && ![")*", ")+", "){"]
                .iter()
                .any(|nested| source.contains(nested))
        {
            return None;
        }
        for choice in 0..CHOICES {
            if self.tries == 0 {
                return None;
            }
            let loops = attack::loops(language.0.net(), choice, &mut self.automaton);
            if loops.is_empty() {
                // Another choice of characters makes no other loops.
                return None;
            }
            let mut polynomial = None;
            for found in loops {
                // Two loops together are never worse than one by itself.
                if polynomial.is_some() && !found.alone {
                    break;
                }
                match self.tried(pattern, &found, elsewhere) {
                    Some(attack) if attack.exponential => return Some(attack),
                    _ if elsewhere => {}
                    Some(attack) if polynomial.is_none() => polynomial = Some(attack),
                    _ => {}
                }
            }
            if polynomial.is_some() {
                return polynomial;
            }
        }
        None
    }

    fn tried(&mut self, pattern: &Pattern, found: &Loop, elsewhere: bool) -> Option<Backtracking> {
        let room = MAX_URL.saturating_sub(found.before.len()).saturating_sub(4);
        let most = room.checked_div(found.word.len())?;
        // What takes a long URL there is not told: it keeps nobody busy for long.
        let most = if elsewhere { most.min(FEW) } else { most };
        for end in ENDS {
            let attack = |times: usize| Backtracking {
                before: found.before.clone(),
                repeated: found.word.clone(),
                times,
                after: (*end).to_owned(),
                exponential: times <= FEW,
                elsewhere,
            };
            let is_url = attack::is_request(&mut self.automaton, &attack(2).url());
            if !is_url || !self.is_too_much(pattern, &attack(most)) {
                continue;
            }
            let (mut enough, mut too_few) = (most, 0_usize);
            while enough.saturating_sub(too_few) > 1 {
                let middle = too_few.midpoint(enough);
                if self.is_too_much(pattern, &attack(middle)) {
                    enough = middle;
                } else {
                    too_few = middle;
                }
            }
            let attack = attack(enough);
            if self.is_too_much(pattern, &attack)
                && attack::is_request(&mut self.automaton, &attack.url())
            {
                return Some(attack);
            }
        }
        None
    }

    fn is_too_much(&mut self, pattern: &Pattern, attack: &Backtracking) -> bool {
        let Some(left) = self.tries.checked_sub(1) else {
            return false;
        };
        self.tries = left;
        let url = attack.url();
        if attack.elsewhere {
            return pattern.keeps_busy(&url, DEFAULT_BUDGET);
        }
        pattern.find(&url, DEFAULT_BUDGET) == Err(Unmatched::BudgetExceeded)
    }
}
