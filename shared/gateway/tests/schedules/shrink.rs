//! The shortest schedule that still breaks the same invariant.

use std::rc::Rc;

use crate::climate::Climate;
use crate::play::play;
use crate::schedule::Step;

/// Drops steps, many at once first, as long as the invariant stays broken.
pub(crate) fn shrink(
    climate: &Rc<Climate>,
    seed: u64,
    steps: Vec<Step>,
    invariant: &str,
) -> Vec<Step> {
    let mut shortest = steps;
    let mut size = shortest.len() / 2;
    while size > 0 {
        let mut at = 0;
        while at < shortest.len() {
            let mut shorter = shortest.clone();
            shorter.drain(at..shortest.len().min(at + size));
            let broken = play(climate, seed, &shorter).violation;
            if broken.is_some_and(|(_, violation)| violation.invariant == invariant) {
                shortest = shorter;
            } else {
                at += size;
            }
        }
        size /= 2;
    }
    shortest
}
