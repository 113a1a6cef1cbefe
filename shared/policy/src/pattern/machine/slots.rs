//! What groups and loops have noted so far.

use std::ops::Range;

use super::super::program::Program;

/// Per group: where it opened, its start, its end. Then per loop: where the iteration started.
pub(super) struct Slots {
    values: Vec<Option<usize>>,
    groups: usize,
}

impl Slots {
    pub(super) fn new(program: &Program) -> Slots {
        let groups = program.groups();
        let count = groups.saturating_mul(3).saturating_add(program.loops());
        Slots {
            values: vec![None; count],
            groups,
        }
    }

    pub(super) fn get(&self, slot: usize) -> Option<usize> {
        self.values.get(slot).copied().flatten()
    }

    pub(super) fn set(&mut self, slot: usize, value: Option<usize>) {
        if let Some(place) = self.values.get_mut(slot) {
            *place = value;
        }
    }

    /// A group's slot of where it opened. Groups count from 1.
    pub(super) fn opened(group: usize) -> usize {
        group.saturating_sub(1).saturating_mul(3)
    }

    pub(super) fn start(group: usize) -> usize {
        Slots::opened(group).saturating_add(1)
    }

    pub(super) fn end(group: usize) -> usize {
        Slots::opened(group).saturating_add(2)
    }

    /// A loop's slot. Loops count from 0.
    pub(super) fn iteration(&self, number: usize) -> usize {
        self.groups.saturating_mul(3).saturating_add(number)
    }

    /// What a group matched last; `None` if it took no part yet.
    pub(super) fn group(&self, group: usize) -> Option<Range<usize>> {
        Some(self.get(Slots::start(group))?..self.get(Slots::end(group))?)
    }

    /// What each group matched last, from group 1 on.
    pub(super) fn groups(&self) -> impl Iterator<Item = Option<Range<usize>>> {
        (1..=self.groups).map(|group| self.group(group))
    }
}
