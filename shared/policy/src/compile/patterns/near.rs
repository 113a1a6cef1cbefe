//! The rules that may overlap, told without going through both patterns: by host, start of the path and method.

use std::collections::HashMap;

use super::Patterns;

/// What is known of each rule, and where to find it.
pub(super) struct Near {
    rules: Vec<Known>,
    /// Those with a literal host, by host and start of the path, in order.
    named: Vec<(String, usize)>,
    /// The same by the whole text.
    at: HashMap<String, Vec<usize>>,
    /// Those without one.
    unnamed: Vec<usize>,
}

#[derive(Default)]
struct Known {
    /// One bit for each method.
    methods: u64,
    host_start: String,
    host_end: String,
    path: String,
    /// Host and starts of the path, where the host is literal.
    starts: Vec<String>,
}

/// Each method has a bit of its own, but for those that come last.
const LAST_BIT: usize = 63;

impl Patterns<'_> {
    /// The other rules that this one may overlap with, ascending. All others are sure not to.
    pub fn near(&mut self, number: usize) -> Vec<usize> {
        let near = match self.near.take() {
            Some(near) => near,
            None => self.survey(),
        };
        let found = near.of(number);
        self.near = Some(near);
        found
    }

    fn survey(&mut self) -> Near {
        let mut methods: Vec<String> = Vec::new();
        let mut near = Near {
            rules: Vec::new(),
            named: Vec::new(),
            at: HashMap::new(),
            unnamed: Vec::new(),
        };
        let mut hosts: HashMap<&str, usize> = HashMap::new();
        for host in self.rules.iter().filter_map(|rule| rule.url.host()) {
            let count = hosts.entry(host).or_default();
            *count = count.saturating_add(1);
        }
        for number in 0..self.rules.len() {
            let rule = self.rules.get(number);
            let host = rule.and_then(|rule| hosts.get(rule.url.host()?));
            let known = self.known(number, host > Some(&1), &mut methods);
            if known.starts.is_empty() {
                near.unnamed.push(number);
            }
            for start in &known.starts {
                near.named.push((start.clone(), number));
                near.at.entry(start.clone()).or_default().push(number);
            }
            near.rules.push(known);
        }
        near.named.sort_unstable();
        near
    }

    /// `closely` looks into the pattern for the starts of its paths, where other rules have the same host.
    fn known(&mut self, number: usize, closely: bool, methods: &mut Vec<String>) -> Known {
        let Some(rule) = self.rules.get(number) else {
            return Known::default();
        };
        let mut known = Known::default();
        if rule.url.broken().is_some() {
            // It is answered with its error before any overlap is.
            return known;
        }
        for method in &rule.methods {
            let index = methods.iter().position(|known| known == method);
            let index = index.unwrap_or_else(|| {
                let next = methods.len();
                // Methods beyond the last bit share it.
                if next < LAST_BIT {
                    methods.push(method.clone());
                }
                next
            });
            known.methods |= 1_u64.wrapping_shl(u32::try_from(index).unwrap_or(63));
        }
        let hints = rule.url.hints();
        known.path = rule.url.path_prefix().to_owned();
        let Some(host) = &hints.host else {
            known.host_start.clone_from(&hints.host_start);
            known.host_end.clone_from(&hints.host_end);
            return known;
        };
        known.host_start.clone_from(host);
        known.host_end.clone_from(host);
        let start = format!("{host}{}", known.path);
        if !closely {
            known.starts.push(start);
            return known;
        }
        known.starts = match self.take(number) {
            Ok(mut language) => {
                let schemes = ["https", "http"].iter();
                let mut rests: Vec<String> = schemes
                    .flat_map(|scheme| language.starts(&format!("{scheme}://{start}")))
                    .collect();
                self.keep(number, language);
                rests.sort_unstable();
                rests.dedup();
                rests.iter().map(|rest| format!("{start}{rest}")).collect()
            }
            Err(_) => Vec::new(),
        };
        if known.starts.is_empty() {
            known.starts.push(start);
        }
        known
    }
}

impl Near {
    fn of(&self, number: usize) -> Vec<usize> {
        let Some(own) = self.rules.get(number) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for start in &own.starts {
            // What goes on from here stands right behind it, what this goes on from is one of its own starts.
            let from = self.named.partition_point(|(other, _)| other < start);
            let after = self.named.iter().skip(from);
            let longer = after.take_while(|(other, _)| other.starts_with(start.as_str()));
            found.extend(longer.map(|(_, number)| *number));
            let shorter = start
                .char_indices()
                .filter_map(|(at, _)| self.at.get(start.get(..at)?));
            found.extend(shorter.flatten());
        }
        let others = match own.starts.is_empty() {
            true => (0..self.rules.len()).collect(),
            false => self.unnamed.clone(),
        };
        let may_share = |other: &usize| {
            self.rules.get(*other).is_some_and(|other| {
                may_start(&own.path, &other.path)
                    && may_start(&own.host_start, &other.host_start)
                    && may_end(&own.host_end, &other.host_end)
            })
        };
        found.extend(others.into_iter().filter(may_share));
        found.retain(|other| {
            let shared = self.rules.get(*other).map_or(0, |other| other.methods);
            *other != number && shared & own.methods != 0
        });
        found.sort_unstable();
        found.dedup();
        found
    }
}

fn may_start(one: &str, other: &str) -> bool {
    one.starts_with(other) || other.starts_with(one)
}

fn may_end(one: &str, other: &str) -> bool {
    one.ends_with(other) || other.ends_with(one)
}
