//! What came of the tests.

use edgekeeper_gateway::explanation::Explanation;

use super::comparison::{Miss, misses};
use super::file::Test;
use crate::explain::core::Core;

/// A run.
#[derive(Debug)]
pub(super) struct Results {
    /// In the order of the files.
    pub(super) tested: Vec<Tested>,
    /// From reading the files to the last decision.
    pub(super) milliseconds: u64,
}

/// A test that was run.
#[derive(Debug)]
pub(super) struct Tested {
    pub(super) test: Test,
    /// None, if it passed.
    pub(super) misses: Vec<Miss>,
    pub(super) explanation: Explanation,
}

impl Results {
    pub(super) fn failed(&self) -> usize {
        self.tested.iter().filter(|tested| !tested.passed()).count()
    }

    /// Every failure and the numbers, as the last line has them.
    pub(super) fn summary(&self) -> String {
        let tests = match self.tested.len() {
            1 => "1 test".to_owned(),
            many => format!("{many} tests"),
        };
        format!(
            "{tests}, {} failed, {} ms",
            self.failed(),
            self.milliseconds
        )
    }
}

impl Tested {
    /// Runs a test.
    ///
    /// # Errors
    /// When this machine has no clock or no randomness.
    pub(super) fn of(test: Test, core: &Core) -> Result<Self, String> {
        let explanation = test.case.explain(core)?;
        Ok(Self {
            misses: misses(&test.expected, &explanation, core.policy()),
            test,
            explanation,
        })
    }

    pub(super) fn passed(&self) -> bool {
        self.misses.is_empty()
    }
}
