//! Reasoning on the URL patterns of all rules: which overlap, which never match, which backtrack, which say more than was
//! meant.
//!
//! Everything is decided on what the gateway sees: canonical URLs of requests, matched by the patterns themselves. What is
//! found is confirmed by the matcher before it is told; what cannot be decided is said to be so.

mod example;
mod near;
mod never;
mod overlap;
mod single;

#[cfg(test)]
mod tests;

use crate::index::RuleIndex;
use crate::pattern::language::{Answer, Language, Requests, Urls};
use crate::pattern::{DEFAULT_BUDGET, Pattern};
use crate::rule::Rule;

pub use crate::pattern::language::Backtracking;

pub use self::never::{Never, NeverBecause};
pub use self::overlap::{Overlap, Pair};
pub use self::single::WideHost;

use self::near::Near;

/// Places that all searches together look at: some seconds. What is left then is undecided.
const TOTAL: usize = 2_000_000;

const TOO_MANY: &str = "there are too many rules to compare them all";

/// Kept automata may have so many states, about 100 MB, before all are dropped and made anew.
const MAX_KEPT: usize = 200_000;

/// The patterns of a policy's rules. A rule's number is its place among them, from 0.
///
/// ```
/// use edgekeeper_policy::compile::Patterns;
/// # use edgekeeper_policy::compile::{Options, compile};
/// # use std::collections::BTreeMap;
/// # let rule = |id: &str, url: &str| format!(
/// #     r#"{{ "id": "{id}", "match": {{ "url": "{url}", "methods": ["GET"] }}, "authenticators": [{{ "handler": "noop" }}],
/// #     "authorizer": {{ "handler": "allow" }}, "mutators": [{{ "handler": "noop" }}] }}"#
/// # );
/// # let rules = format!("[{}, {}]", rule("web", "https://app.example.com/<.*>"), rule("admin", "https://app.example.com/admin/<.*>"));
/// # let config = "
/// # access_rules: { repositories: [\"file://./rules.json\"] }
/// # authenticators: { noop: { enabled: true } }
/// # authorizers: { allow: { enabled: true } }
/// # mutators: { noop: { enabled: true } }
/// # ";
/// # let files = BTreeMap::from([("oathkeeper.yml".to_owned(), config.to_owned()), ("rules.json".to_owned(), rules)]);
/// # let options = Options { config: "oathkeeper.yml".to_owned(), ..Options::default() };
/// # let (policy, _) = compile(&files, &options).expect("rules");
/// // `https://app.example.com/<.*>` and `https://app.example.com/admin/<.*>`
/// let mut patterns = Patterns::new(policy.rules.iter(), policy.strict);
/// let overlap = patterns.overlap(0, 1);
/// assert_eq!(overlap.url(), Some("https://app.example.com/admin/x"));
/// ```
pub struct Patterns<'r> {
    rules: Vec<&'r Rule>,
    strict: bool,
    index: RuleIndex,
    near: Option<Near>,
    languages: Vec<Kept>,
    kept: usize,
    spent: usize,
    requests: Vec<(Urls, Requests)>,
}

/// What is known of a rule's pattern.
enum Kept {
    Unread,
    Read(Box<Language>),
    Unreadable(&'static str),
}

impl<'r> Patterns<'r> {
    /// Takes the rules of a policy in order; `strict` is that of the policy.
    pub fn new(rules: impl Iterator<Item = &'r Rule>, strict: bool) -> Patterns<'r> {
        let rules: Vec<&Rule> = rules.collect();
        Patterns {
            index: RuleIndex::new(rules.iter().map(|rule| &rule.url)),
            near: None,
            languages: rules.iter().map(|_| Kept::Unread).collect(),
            rules,
            strict,
            kept: 0,
            spent: 0,
            requests: Vec::new(),
        }
    }

    /// The shortest of these URLs that all of `matching` match and none of `failing`, if `confirm` agrees.
    fn find(
        &mut self,
        urls: Urls,
        matching: &[usize],
        failing: &[usize],
        confirm: &dyn Fn(&Patterns<'_>, &str) -> bool,
    ) -> Answer {
        self.with_requests(urls, |patterns, requests| {
            patterns.find_among(requests, matching, failing, confirm)
        })
        .unwrap_or_else(Answer::Undecided)
    }

    /// Does something with the URLs of requests, which are made once.
    fn with_requests<T>(
        &mut self,
        urls: Urls,
        work: impl FnOnce(&mut Self, &mut Requests) -> T,
    ) -> Result<T, &'static str> {
        let known = self.requests.iter().position(|(known, _)| *known == urls);
        let mut requests = match known {
            Some(at) => self.requests.swap_remove(at).1,
            None => Requests::new(urls)?,
        };
        let done = work(self, &mut requests);
        self.requests.push((urls, requests));
        Ok(done)
    }

    /// What all URLs begin with that these rules match together: their host and the longest start of a path, for both
    /// schemes.
    fn starts(&self, requests: &Requests, numbers: &[usize]) -> Vec<String> {
        let mut start = None;
        for number in numbers {
            let hints = self.rules.get(*number).map(|rule| rule.url.hints());
            if let Some(hints) = hints
                && let Some(host) = &hints.host
            {
                let own = format!("{host}{}", hints.path_start);
                start = start.max(Some(own));
            }
        }
        match start {
            Some(start) if requests.are_urls() => {
                let start = start.strip_suffix('/').unwrap_or(&start);
                ["https", "http"]
                    .map(|scheme| format!("{scheme}://{start}"))
                    .to_vec()
            }
            _ => vec![String::new()],
        }
    }

    /// The URLs of requests.
    fn urls(&self) -> Urls {
        Urls {
            strict: self.strict,
            ..Urls::default()
        }
    }

    fn find_among(
        &mut self,
        requests: &mut Requests,
        matching: &[usize],
        failing: &[usize],
        confirm: &dyn Fn(&Patterns<'_>, &str) -> bool,
    ) -> Answer {
        if self.spent >= TOTAL {
            return Answer::Undecided(TOO_MANY);
        }
        let starts = self.starts(requests, matching);
        let mut musts = Vec::new();
        let mut others = Vec::new();
        let mut unreadable = None;
        for (numbers, languages) in [(matching, &mut musts), (failing, &mut others)] {
            for number in numbers {
                match self.take(*number) {
                    Ok(language) => languages.push((*number, language)),
                    Err(why) => unreadable = Some(why),
                }
            }
        }
        let answer = match unreadable {
            Some(why) => Answer::Undecided(why),
            None => {
                let (answer, places) = requests.find(
                    musts
                        .iter_mut()
                        .map(|(_, language)| &mut **language)
                        .collect(),
                    others
                        .iter_mut()
                        .map(|(_, language)| &mut **language)
                        .collect(),
                    &starts,
                    &mut |url| confirm(self, url),
                );
                self.spent = self.spent.saturating_add(places);
                answer
            }
        };
        for (number, language) in musts.into_iter().chain(others) {
            self.keep(number, language);
        }
        answer
    }

    fn take(&mut self, number: usize) -> Result<Box<Language>, &'static str> {
        let (Some(rule), Some(kept)) = (self.rules.get(number), self.languages.get_mut(number))
        else {
            return Err("there is no such rule");
        };
        match std::mem::replace(kept, Kept::Unread) {
            Kept::Read(language) => {
                self.kept = self.kept.saturating_sub(language.size());
                Ok(language)
            }
            Kept::Unreadable(why) => {
                *kept = Kept::Unreadable(why);
                Err(why)
            }
            Kept::Unread => Language::new(&rule.url, self.strict)
                .map(Box::new)
                .inspect_err(|why| *kept = Kept::Unreadable(why)),
        }
    }

    fn keep(&mut self, number: usize, language: Box<Language>) {
        self.kept = self.kept.saturating_add(language.size());
        if self.kept > MAX_KEPT {
            self.kept = 0;
            for kept in &mut self.languages {
                if matches!(kept, Kept::Read(_)) {
                    *kept = Kept::Unread;
                }
            }
        } else if let Some(kept) = self.languages.get_mut(number) {
            *kept = Kept::Read(language);
        }
    }

    /// Whether a language is exactly what the rule's pattern matches.
    fn is_exact(&mut self, number: usize) -> bool {
        let Ok(language) = self.take(number) else {
            return false;
        };
        let exact = language.is_exact();
        self.keep(number, language);
        exact
    }

    fn is_for(&self, number: usize, url: &str) -> bool {
        let rule = self.rules.get(number);
        rule.is_some_and(|rule| matches(&rule.url, url))
    }

    /// Whether a URL with a slash at its end is another rule's: one that matches it without the slash comes first.
    fn is_taken(&self, url: &str, method: &str) -> bool {
        let without = url
            .strip_suffix('/')
            .filter(|url| !self.strict && url.matches('/').nth(2).is_some());
        let Some(url) = without else {
            return false;
        };
        let numbers = self.index.candidates(url).into_iter();
        let mut rules = numbers.filter_map(|number| self.rules.get(number));
        rules.any(|rule| rule.methods.iter().any(|own| own == method) && matches(&rule.url, url))
    }
}

/// Whether the matcher says so.
fn matches(pattern: &Pattern, url: &str) -> bool {
    matches!(pattern.find(url, DEFAULT_BUDGET), Ok(Some(_)))
}
