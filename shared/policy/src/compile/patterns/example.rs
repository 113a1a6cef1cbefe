//! URLs that tell rules apart.

use crate::pattern::language::{Answer, Urls};

use super::Patterns;

/// Others than these are not told apart from a rule at once.
const MAX_OTHERS: usize = 6;

impl Patterns<'_> {
    /// The shortest URL of a request that all of `matching` match and none of `failing`, percent-decoded, as the patterns see it;
    /// `None` where there is none, or none that was found in time. No more than six of `failing` are looked at. Methods play no part.
    pub fn example(&mut self, matching: &[usize], failing: &[usize]) -> Option<String> {
        let failing = failing.get(..MAX_OTHERS).unwrap_or(failing);
        let fits = |patterns: &Patterns<'_>, url: &str| {
            matching.iter().all(|number| patterns.is_for(*number, url))
                && !failing.iter().any(|number| patterns.is_for(*number, url))
        };
        let urls = Urls {
            plain: true,
            ..self.urls()
        };
        match self.find(urls, matching, failing, &fits) {
            Answer::Url(url) => Some(url),
            Answer::Never | Answer::Undecided(_) => None,
        }
    }
}
