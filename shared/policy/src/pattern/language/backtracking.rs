//! Patterns that take too many steps for some URL, confirmed by the matcher.

use super::super::{DEFAULT_BUDGET, Pattern};
use super::attack::{self, Loop};
use super::net::Net;
use super::{Language, Requests, simplified};

/// The longest URL that is tried, in bytes: longer ones are refused by what stands in front of a gateway.
const MAX_URL: usize = 8_000;

/// So few repetitions show that each doubles the work.
const FEW: usize = 60;

/// Steps that all patterns together are tried for: some seconds. Patterns after that are taken to be good.
pub(super) const STEPS: u32 = 1_000_000_000;

/// Steps that one pattern is tried for.
const STEPS_OF_ONE: u32 = 60_000_000;

/// Characters that are tried for each repeated one.
const CHOICES: usize = 3;

/// So many repetitions more take a hundred times as long where each doubles the work.
const LONGER: usize = 8;

/// What may keep a pattern from matching at the end.
const ENDS: &[&str] = &["", "!", "~", "-", "/!", "\u{e9}"];

/// A URL that a pattern needs too many steps for: `before`, `times` times `repeated`, `after`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backtracking {
    /// How the URL starts.
    pub before: String,
    /// What is repeated.
    pub repeated: String,
    /// How often: the least that is too much, and where it is Oathkeeper that is kept busy, enough for all the time it takes.
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
        let strict = self.urls.strict;
        let mut left = self.steps.min(STEPS_OF_ONE);
        let before = left;
        let mut found = None;
        if !program.memoisable() || most >= budget {
            found = self.search(pattern, language.0.net(), false, &mut left);
        }
        // Only a repetition of what has one in it can double the work; most patterns have none.
        let nested = [")*", ")+", "){"];
        let is_nested = nested.iter().any(|end| pattern.source().contains(end));
        if found.is_none()
            && program.memoisable()
            && is_nested
            && let Some((pattern, net)) = simplified::by_the_engine(pattern, strict)
        {
            found = self.search(&pattern, &net, true, &mut left);
        }
        self.steps = self.steps.saturating_sub(before.saturating_sub(left));
        found
    }

    /// Tries the loops of a net, and then those that are loops only where many times are taken for any number.
    fn search(
        &mut self,
        pattern: &Pattern,
        net: &Net,
        elsewhere: bool,
        left: &mut u32,
    ) -> Option<Backtracking> {
        let found = self.tried_all(pattern, net, elsewhere, left);
        if found.is_some() {
            return found;
        }
        let net = simplified::without_bounds(pattern, self.urls.strict)?;
        self.tried_all(pattern, &net, elsewhere, left)
    }

    fn tried_all(
        &mut self,
        pattern: &Pattern,
        net: &Net,
        elsewhere: bool,
        left: &mut u32,
    ) -> Option<Backtracking> {
        for choice in 0..CHOICES {
            if *left == 0 {
                return None;
            }
            let loops = attack::loops(net, choice, &mut self.automaton);
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
                match self.tried(pattern, &found, elsewhere, left) {
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

    fn tried(
        &mut self,
        pattern: &Pattern,
        found: &Loop,
        elsewhere: bool,
        left: &mut u32,
    ) -> Option<Backtracking> {
        let room = MAX_URL.saturating_sub(found.before.len()).saturating_sub(4);
        let most = room.checked_div(found.word.len())?;
        let few = most.min(FEW);
        for end in ENDS {
            let attack = |times: usize| Backtracking {
                before: found.before.clone(),
                repeated: found.word.clone(),
                times,
                after: (*end).to_owned(),
                exponential: times <= FEW,
                elsewhere,
            };
            if !attack::is_request(&mut self.automaton, &attack(2).url()) {
                continue;
            }
            let mut is_too_much = |times: usize| is_too_much(pattern, &attack(times), left);
            let times = if is_too_much(few) {
                // Each repetition doubles the work, so that all shorter ones together take no more than this one.
                (1..=few).find(|times| is_too_much(*times))
            } else if elsewhere || !is_too_much(most) {
                // What takes a long URL there is not told: it keeps nobody busy for long.
                None
            } else {
                let (mut enough, mut too_few) = (most, few);
                while enough.saturating_sub(too_few) > 1 {
                    let middle = too_few.midpoint(enough);
                    if is_too_much(middle) {
                        enough = middle;
                    } else {
                        too_few = middle;
                    }
                }
                is_too_much(enough).then_some(enough)
            };
            let Some(times) = times else {
                continue;
            };
            // Oathkeeper goes on for a quarter of a second, which is many times as long as it takes here to be given up.
            let times = match elsewhere {
                true => times.saturating_add(times.max(LONGER)).min(few),
                false => times,
            };
            let attack = attack(times);
            if attack::is_request(&mut self.automaton, &attack.url()) {
                return Some(attack);
            }
        }
        None
    }
}

/// Whether a match is given up, as far as there are steps left to see.
fn is_too_much(pattern: &Pattern, attack: &Backtracking, left: &mut u32) -> bool {
    let cost = match *left {
        0 => 0,
        _ => pattern.cost(&attack.url(), DEFAULT_BUDGET, attack.elsewhere),
    };
    *left = left.saturating_sub(cost);
    cost > DEFAULT_BUDGET
}
