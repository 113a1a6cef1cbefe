//! What was found, and how much of it.

use edgekeeper_policy::compile::{Diagnostic, Severity};

/// The findings that are told.
pub(super) struct Findings {
    told: Vec<Diagnostic>,
    /// How many rules there are, where the policy can be built.
    rules: Option<usize>,
}

impl Findings {
    /// Of all findings those that are at least so serious.
    pub(super) fn new(all: Vec<Diagnostic>, least: Severity, rules: Option<usize>) -> Self {
        let told = all
            .into_iter()
            .filter(|finding| finding.severity <= least)
            .collect();
        Self { told, rules }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.told.iter()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.told.is_empty()
    }

    /// How many rules there are, where the policy can be built.
    pub(super) fn rules(&self) -> Option<usize> {
        self.rules
    }

    /// The most serious there is.
    pub(super) fn worst(&self) -> Option<Severity> {
        self.told.iter().map(|finding| finding.severity).min()
    }

    /// Each severity with how many there are of it, the most serious first; without those of which there are none.
    pub(super) fn counts(&self) -> Vec<(Severity, usize)> {
        [
            Severity::Error,
            Severity::Warning,
            Severity::Note,
            Severity::Hint,
        ]
        .into_iter()
        .map(|severity| {
            let of_it = self
                .told
                .iter()
                .filter(|finding| finding.severity == severity);
            (severity, of_it.count())
        })
        .filter(|(_, count)| *count > 0)
        .collect()
    }
}
