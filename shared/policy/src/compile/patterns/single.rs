//! What is wrong with one pattern by itself.

use super::{Backtracking, Patterns, matches};

impl Patterns<'_> {
    /// A URL that the rule's pattern needs more steps for than the gateway takes, so that it is answered with 500. The
    /// matcher has confirmed it.
    pub fn backtracking(&mut self, number: usize) -> Option<Backtracking> {
        let rule = *self.rules.get(number)?;
        let language = self.take(number).ok()?;
        let urls = self.urls();
        let found = self.with_requests(urls, |_, requests| {
            requests.backtracking(&rule.url, &language)
        });
        self.keep(number, language);
        found.ok().flatten()
    }

    /// A URL whose host the rule's pattern matches only because a `.` inside `<...>` stands for any character:
    /// `https://xexample.com/` for `https://<.*.example.com>/`. The matcher has confirmed it.
    pub fn wide_host(&mut self, number: usize) -> Option<String> {
        let rule = *self.rules.get(number)?;
        let strict = self.strict;
        let urls = self.urls();
        let found = self.with_requests(urls, |_, requests| {
            let mut confirm = |url: &str| matches(&rule.url, url);
            requests.wide_host(&rule.url, strict, &mut confirm)
        });
        found.ok().flatten()
    }
}
