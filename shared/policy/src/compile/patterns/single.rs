//! What is wrong with one pattern by itself.

use crate::pattern;

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
    pub fn wide_host(&mut self, number: usize) -> Option<WideHost> {
        let rule = *self.rules.get(number)?;
        let strict = self.strict;
        let urls = self.urls();
        let found = self.with_requests(urls, |_, requests| {
            let mut confirm = |url: &str| matches(&rule.url, url);
            requests.wide_host(&rule.url, strict, &mut confirm)
        });
        let url = found.ok().flatten()?;
        Some(WideHost {
            dot: dot(rule.url.source(), &url, strict),
            url,
        })
    }
}

/// Where a pattern is for more hosts than were meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WideHost {
    /// A URL of such a host.
    pub url: String,
    /// The `.` that stands for any character there, in bytes of the pattern, if one alone does.
    pub dot: Option<usize>,
}

/// Finds the `.` of a pattern without which, as a mere dot, it would not match a URL.
fn dot(pattern: &str, url: &str, strict: bool) -> Option<usize> {
    let compile = if strict {
        pattern::compile_strict
    } else {
        pattern::compile
    };
    let mut is_escaped = false;
    for (at, c) in pattern.char_indices() {
        let is_dot = c == '.' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        let repeated = pattern
            .get(at.saturating_add(1)..)
            .is_some_and(|rest| rest.starts_with(['*', '+', '?', '{']));
        if !is_dot || repeated {
            continue;
        }
        let (before, behind) = (pattern.get(..at)?, pattern.get(at..)?);
        let narrow = compile(&format!("{before}\\{behind}"));
        if narrow.is_ok_and(|narrow| !matches(&narrow, url)) {
            return Some(at);
        }
    }
    None
}
