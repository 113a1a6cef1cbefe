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

#[cfg(test)]
mod tests {
    use super::super::tests::regexps;
    use super::*;
    use crate::pattern::DEFAULT_BUDGET;

    #[test]
    fn patterns_that_backtrack_are_found_with_the_url() {
        for (url, exponential) in [
            ("https://a.test/<(?!admin/)(a+)+>", true),
            ("https://a.test/<(?=.)(a|a)*b>", true),
            ("https://a.test/<(?!x)([a-z]+)*\\.html>", true),
            ("https://a.test/<(?=.)(?:a|[a-z])*!>", true),
            ("https://a.test/<(?!x/)(.*/)*edit>", true),
            ("https://a.test/<(?=(a*)*b)>", true),
            ("https://a.test/<(?!x)(?:\\w+\\s?)+/z>", true),
            ("https://a.test/<(?!x).*a.*b.*c>", false),
            ("https://a.test/<(?!x)a*[a-z]*a*b>", false),
        ] {
            let rules = regexps(&[url]);
            let found = Patterns::new(rules.iter(), false).backtracking(0);
            let Some(found) = found else {
                panic!("{url} is not found");
            };
            assert_eq!(found.exponential, exponential, "{url}: {found}");
            let attack = found.url();
            let result = rules[0].url.find(&attack, DEFAULT_BUDGET);
            assert!(result.is_err(), "{url}: {found} is matched in time");
            assert!(found.url().starts_with("https://a.test/"), "{url}: {found}");
        }
        for url in [
            "https://a.test/<(?!admin/).*>",
            "https://a.test/<.*>/x/<.*>/y/<.*>",
            "https://a.test/<(?:[a-z]+/)*[0-9]+>",
            "https://a.test/<.*.*=.*>",
            "https://a.test/<(?!admin/)[^/]+>/items/<[^/]+>",
            "https://a.test/<(?!(?:api|admin)/)(?:[^/]+/)*[^/]+>",
            "https://a.test/<.*(?<!\\.php)>",
            "https://a.test/<(?!x)(?>a+)+b>",
            "<https?>://a.test/<(?!x)(assets/.*|favicon\\.ico|)>",
        ] {
            let rules = regexps(&[url]);
            let found = Patterns::new(rules.iter(), false).backtracking(0);
            assert_eq!(found, None, "{url}");
        }
    }

    #[test]
    fn what_keeps_a_matcher_busy_that_remembers_no_failures_is_told_apart() {
        for url in [
            "https://a.test/<(a+)+>",
            "https://a.test/<(a+)+$>",
            "https://a.test/<(x|xx)*y>",
            "https://a.test/<([a-z]+)*[0-9]>",
            "https://a.test/<(\\w+\\s?)*!>",
            "https://a.test/<([a-zA-Z]+){1,}!>",
            "https://a.test/<(?:a|b|ab)*c>",
            "https://a.test/<(a?){30}a{30}b>",
            // So many branches that failures are not remembered for every place of a long URL.
            "https://a.test/<(?:aa|bb|cc|dd|ee|ff|gg|hh|ii|jj|kk|ll|mm|nn|oo|pp|qq|rr|ss|tt|uu|vv|ww|xx|yy|zz|ab|ac|ad|ae|af|ag|ah)?(a+)+!>",
        ] {
            let rules = regexps(&[url]);
            let found = Patterns::new(rules.iter(), false).backtracking(0);
            let Some(found) = found else {
                panic!("{url} is not found");
            };
            assert!(found.elsewhere && found.exponential, "{url}: {found}");
            let attack = found.url();
            assert!(rules[0].url.find(&attack, DEFAULT_BUDGET).is_ok(), "{url}");
        }
    }

    #[test]
    fn what_oathkeepers_engine_simplifies_keeps_it_busy_no_more() {
        for url in [
            "https://a.test/<(a|a)*b>",
            "https://a.test/<(?:[a-c]|[b-d]|x)+e>",
            "https://a.test/<(?:[\\w.]+)*@x>",
            "https://a.test/<(?:(?:x?)*)*z>",
            "https://a.test/<(?:(?:a)+?)+?b>",
            "https://a.test/<(?i:(a|A)+)+b>",
            "https://a.test/<(?:a{1,10}){5,50}b>",
        ] {
            let rules = regexps(&[url]);
            let found = Patterns::new(rules.iter(), false).backtracking(0);
            assert_eq!(found, None, "{url}");
        }
    }

    #[test]
    fn what_is_shown_of_oathkeeper_goes_far_beyond_what_is_given_up_here() {
        let rules = regexps(&["https://a.test/<(a+)+b>", "https://a.test/<(?!b)(a+)+b>"]);
        let mut patterns = Patterns::new(rules.iter(), false);
        let there = patterns.backtracking(0).map(|found| found.url().len());
        let here = patterns.backtracking(1).map(|found| found.url().len());
        assert!(
            there > here.map(|length| length + 14),
            "{there:?}, {here:?}"
        );
    }

    #[test]
    fn many_patterns_that_backtrack_are_all_found() {
        let urls: Vec<String> = (0..60)
            .map(|number| format!("https://a.test/{number}/<([a-z]+)*\\.html>"))
            .collect();
        let rules = regexps(&urls.iter().map(String::as_str).collect::<Vec<_>>());
        let mut patterns = Patterns::new(rules.iter(), false);
        for number in 0..rules.len() {
            assert!(patterns.backtracking(number).is_some(), "{number}");
        }
    }
}
