//! Counts what was compared.

use std::collections::BTreeMap;

/// What came of a comparison.
#[derive(Default)]
pub(crate) struct Tally {
    /// Compared and equal.
    same: usize,
    /// Of these, how many matched or found something.
    hits: usize,
    /// Refused by both.
    refused: usize,
    /// Differences on purpose, by their name in the README.
    listed: BTreeMap<&'static str, usize>,
    /// All other differences.
    wrong: Vec<String>,
}

impl Tally {
    pub(crate) fn same(&mut self, hit: bool) {
        self.same += 1;
        self.hits += usize::from(hit);
    }

    pub(crate) fn refused(&mut self) {
        self.refused += 1;
    }

    /// A difference, and the kind of it if it is meant to be.
    pub(crate) fn differs(&mut self, kind: Option<&'static str>, difference: String) {
        match kind {
            Some(kind) => *self.listed.entry(kind).or_default() += 1,
            None => self.wrong.push(difference),
        }
    }

    /// Prints the counts.
    ///
    /// # Panics
    /// If anything differs that is not listed, if less than `least` was compared, or if hardly anything was found.
    pub(crate) fn finish(self, name: &str, least: usize) {
        println!(
            "{name}: {} equal ({} of them found something), {} refused by both, {} differ",
            self.same,
            self.hits,
            self.refused,
            self.wrong.len(),
        );
        for (kind, count) in &self.listed {
            println!("{name}: {count} differ as listed: {kind}");
        }
        for difference in self.wrong.iter().take(70) {
            println!("{name}: {difference}");
        }
        assert!(
            self.wrong.is_empty(),
            "{} {name} cases differ",
            self.wrong.len()
        );
        assert!(self.same >= least, "{} {name} cases are too few", self.same);
        assert!(
            self.hits * 5 >= self.same,
            "{} {name} hits are too few",
            self.hits
        );
    }
}
