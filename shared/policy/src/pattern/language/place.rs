//! Where a search is: one state of each automaton.

use super::automaton::DEAD;

/// How many automata can be gone through at once.
pub(super) const MAX_STATES_OF_A_PLACE: usize = 8;

const BITS: u32 = 16;
const NONE: u128 = 0xffff;

/// One state of each automaton, in 16 bits each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place(u128);

impl Place {
    /// The same with the state of one automaton, which has none yet.
    pub(super) fn with(self, number: usize, state: usize) -> Place {
        let state = u128::try_from(state).unwrap_or(NONE).min(NONE);
        Place(self.0 | state.wrapping_shl(shift(number)))
    }

    pub(super) fn state(self, number: usize) -> usize {
        match self.0.wrapping_shr(shift(number)) & NONE {
            NONE => DEAD,
            state => usize::try_from(state).unwrap_or(DEAD),
        }
    }
}

fn shift(number: usize) -> u32 {
    u32::try_from(number).unwrap_or_default().wrapping_mul(BITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_kept() {
        let states = [0, 1, 19_999, DEAD, 65_534, 7, DEAD, 3];
        let numbered = states.iter().enumerate();
        let place = numbered.fold(Place::default(), |place, (number, state)| {
            place.with(number, *state)
        });
        for (number, state) in states.iter().enumerate() {
            assert_eq!(place.state(number), *state, "state {number}");
        }
    }
}
