//! Rules that no request is ever for.

use crate::pattern;
use crate::pattern::language::{Answer, Urls};

use super::Patterns;

/// Other rules than this are not taken into account to find that a rule is shadowed.
const MAX_OTHERS: usize = 6;

/// Why no request is for a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Never {
    /// What is in the way.
    pub because: NeverBecause,
    /// The shortest URL that the pattern matches, as no request has it. Empty where there is none.
    pub wanted: String,
}

/// What keeps a rule from ever being chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NeverBecause {
    /// It has no methods.
    NoMethods,
    /// The pattern matches no text at all.
    Impossible,
    /// Hosts are in lower case by the time they are matched.
    UpperCaseHost,
    /// Paths are percent-decoded by the time they are matched.
    Escapes,
    /// A slash at the end of the path, or two in a row, are cleaned away.
    Slashes,
    /// `.` and `..` are resolved.
    DotSegments,
    /// Query and fragment are not matched.
    Query,
    /// The port is the scheme's own, which is left out, or none.
    Port,
    /// It is not the URL of a request: another scheme, no host, no path.
    NotAUrl,
    /// Every request that it matches is for another rule too, and answered with 500, or for another rule alone.
    Shadowed,
}

impl Patterns<'_> {
    /// The host of a pattern that has one written out, if not all of it is in lower case.
    pub fn upper_case_host(&self, number: usize) -> Option<&str> {
        let source = self.rules.get(number)?.url.source();
        let (_, rest) = source.split_once("://")?;
        let host = rest.split(['/', ':']).next()?;
        let is_written_out = !host.contains(['<', '>', '{', '\\', '*']);
        (is_written_out && host.bytes().any(|byte| byte.is_ascii_uppercase())).then_some(host)
    }

    /// Whether no request is for a rule in Oathkeeper because it is for paths with a slash at their end. By default such a slash
    /// counts here.
    pub fn needs_slash(&self, number: usize) -> bool {
        self.never_in_oathkeeper(number)
            .is_some_and(|never| never.because == NeverBecause::Slashes)
    }

    fn never_in_oathkeeper(&self, number: usize) -> Option<Never> {
        let rule = *self.rules.get(number)?;
        let source = rule.url.source();
        if !(source.ends_with('/') || source.ends_with("/>")) {
            return None;
        }
        let compile = if rule.url.is_glob() {
            pattern::compile_glob_strict
        } else {
            pattern::compile_strict
        };
        let mut strict = rule.clone();
        strict.url = compile(source).ok()?;
        Patterns::new(std::iter::once(&strict), true).never(0)
    }

    /// Why no request is ever for this rule; `None` if one may be.
    ///
    /// A path with a percent-encoded `?` or `#`, or one that is percent-encoded twice, counts as none: nobody writes a rule for it.
    pub fn never(&mut self, number: usize) -> Option<Never> {
        let rule = *self.rules.get(number)?;
        if rule.methods.is_empty() {
            return Some(Never {
                because: NeverBecause::NoMethods,
                wanted: String::new(),
            });
        }
        let urls = Urls {
            plain: true,
            ..self.urls()
        };
        if self.shortest(number, urls)? != Answer::Never {
            return None;
        }
        let kinds = [
            (
                NeverBecause::UpperCaseHost,
                Urls {
                    any_case: true,
                    ..urls
                },
            ),
            (
                NeverBecause::Escapes,
                Urls {
                    any_escapes: true,
                    ..urls
                },
            ),
            (
                NeverBecause::Slashes,
                Urls {
                    any_slashes: true,
                    ..urls
                },
            ),
            (
                NeverBecause::DotSegments,
                Urls {
                    any_dots: true,
                    ..urls
                },
            ),
            (
                NeverBecause::Query,
                Urls {
                    plain: false,
                    query: true,
                    ..urls
                },
            ),
            (
                NeverBecause::Port,
                Urls {
                    any_port: true,
                    ..urls
                },
            ),
            (
                NeverBecause::NotAUrl,
                Urls {
                    anything: true,
                    ..urls
                },
            ),
        ];
        for (because, urls) in kinds {
            match self.shortest(number, urls)? {
                Answer::Url(wanted) => return Some(Never { because, wanted }),
                Answer::Never => {}
                Answer::Undecided(_) => return None,
            }
        }
        Some(Never {
            because: NeverBecause::Impossible,
            wanted: String::new(),
        })
    }

    /// The others that together leave no request for this rule alone; `None` if one may be left.
    ///
    /// `others` are those that may overlap with it, as [`Self::near`] tells them.
    pub fn shadowed(&mut self, number: usize, others: &[usize]) -> Option<Never> {
        let rule = *self.rules.get(number)?;
        let mut wanted = String::new();
        for method in &rule.methods {
            let mut shadows = Vec::new();
            for other in others {
                let shares = self
                    .rules
                    .get(*other)
                    .is_some_and(|rule| rule.methods.contains(method));
                if shares && *other != number && self.is_exact(*other) {
                    shadows.push(*other);
                }
            }
            shadows.truncate(MAX_OTHERS);
            if shadows.is_empty()
                || self.find(self.urls(), &[number], &shadows, &|_, _| true) != Answer::Never
            {
                return None;
            }
            if wanted.is_empty()
                && let Answer::Url(url) =
                    self.find(self.urls(), &[number], &[], &|patterns, url| {
                        patterns.is_for(number, url)
                    })
            {
                wanted = url;
            }
        }
        Some(Never {
            because: NeverBecause::Shadowed,
            wanted,
        })
    }

    /// The shortest of these URLs that the rule's pattern matches; `None` if it cannot be told.
    fn shortest(&mut self, number: usize, urls: Urls) -> Option<Answer> {
        let is_for = |patterns: &Patterns<'_>, url: &str| patterns.is_for(number, url);
        match self.find(urls, &[number], &[], &is_for) {
            Answer::Undecided(_) => None,
            answer => Some(answer),
        }
    }
}
