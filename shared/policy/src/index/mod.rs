//! Finds the rules that a URL can match without trying them all.

mod place;
mod trie;

use std::collections::HashMap;

use crate::pattern::Pattern;

use self::place::Place;
use self::trie::Trie;

/// An index over the URL patterns of a rule set: by host, by the ends of a host that is not literal, by the start of the
/// path, and where that leaves many, by a text that the URL must contain.
///
/// What it costs to look a URL up depends on the length of the URL, not on how many rules there are. Rules whose patterns
/// say nothing without being run are candidates for every URL.
#[derive(Clone, Debug, Default)]
pub struct RuleIndex {
    hosts: HashMap<String, Place>,
    /// What hosts that are not literal end with, read backwards.
    ends: Trie,
    /// For each of these ends what the hosts start with.
    starts: Vec<Starts>,
    /// Rules without any part of a host.
    anywhere: Place,
}

#[derive(Clone, Debug, Default)]
struct Starts {
    texts: Trie,
    places: Vec<Place>,
}

impl RuleIndex {
    /// Builds the index. A rule's number is its place in `patterns`, from 0.
    pub fn new<'a>(patterns: impl Iterator<Item = &'a Pattern>) -> RuleIndex {
        let mut index = RuleIndex::default();
        for (rule, pattern) in patterns.enumerate() {
            let hints = pattern.hints();
            if let Some(host) = &hints.host {
                index
                    .hosts
                    .entry(host.clone())
                    .or_default()
                    .add(rule, hints);
            } else if hints.host_start.is_empty() && hints.host_end.is_empty() {
                index.anywhere.add(rule, hints);
            } else {
                let backwards: Vec<u8> = hints.host_end.bytes().rev().collect();
                let end = index.ends.number(&backwards);
                with_number(&mut index.starts, end, |starts| {
                    let start = starts.texts.number(hints.host_start.as_bytes());
                    with_number(&mut starts.places, start, |place| place.add(rule, hints));
                });
            }
        }
        let partial = index
            .starts
            .iter_mut()
            .flat_map(|starts| &mut starts.places);
        let all = index.hosts.values_mut().chain(partial);
        all.chain([&mut index.anywhere]).for_each(Place::settle);
        index
    }

    /// The numbers of the rules that may match, ascending. Every other rule does not match.
    ///
    /// `url` is what the patterns are matched against: `scheme://host/path`, the host in lower case.
    #[must_use]
    pub fn candidates(&self, url: &str) -> Vec<usize> {
        let mut candidates = Vec::new();
        let (host, path) = host_and_path(url).unwrap_or_default();
        self.anywhere.find(path, url, &mut candidates);
        if let Some(place) = self.hosts.get(host) {
            place.find(path, url, &mut candidates);
        }
        if !self.ends.is_empty() {
            self.ends.walk(host.bytes().rev(), |end| {
                let Some(starts) = self.starts.get(end) else {
                    return;
                };
                starts.texts.walk(host.bytes(), |start| {
                    if let Some(place) = starts.places.get(start) {
                        place.find(path, url, &mut candidates);
                    }
                });
            });
        }
        candidates.sort_unstable();
        candidates.dedup();
        candidates
    }
}

/// What stands between `://` and the next slash, and what begins there.
fn host_and_path(url: &str) -> Option<(&str, &str)> {
    // Looking for one character is much cheaper than looking for a text.
    let (_, rest) = url.split_once(':')?;
    let rest = rest.strip_prefix("//")?;
    rest.split_at_checked(rest.find('/').unwrap_or(rest.len()))
}

/// Hands out the value of a number that a [`Trie`] gave.
fn with_number<T: Default>(values: &mut Vec<T>, number: usize, change: impl FnOnce(&mut T)) {
    if values.len() <= number {
        values.resize_with(number.saturating_add(1), T::default);
    }
    if let Some(value) = values.get_mut(number) {
        change(value);
    }
}
