//! What the texts start with that an automaton accepts.

use super::automaton::{Automaton, DEAD};
use super::net::TooLarge;

/// More starts than this tell little.
const MAX_STARTS: usize = 24;

/// Longer ones neither.
const MAX_LENGTH: usize = 200;

impl Automaton {
    /// What follows `before` in every accepted text that begins with it: one of these, as long as it is one of a few. What
    /// nothing can follow ends with a NUL.
    pub(super) fn starts(&mut self, before: &str) -> Result<Vec<String>, TooLarge> {
        let state = self.state_after(before)?;
        if state == DEAD {
            return Ok(Vec::new());
        }
        let mut open = vec![(String::new(), state)];
        let mut done = Vec::new();
        while let Some((text, state)) = open.pop() {
            let moves = self.moves(state)?;
            let only: Option<Vec<char>> = moves.iter().map(|found| found.on.only()).collect();
            let known = open.len().saturating_add(done.len());
            let few = known.saturating_add(moves.len()) < MAX_STARTS && text.len() < MAX_LENGTH;
            let Some(only) = only.filter(|_| few) else {
                done.push(text);
                continue;
            };
            if self.accepts(state) {
                done.push(format!("{text}\0"));
            }
            for (c, found) in only.iter().zip(moves.iter()) {
                open.push((format!("{text}{c}"), found.to));
            }
        }
        Ok(done)
    }
}
