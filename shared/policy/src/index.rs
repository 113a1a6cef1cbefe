//! Finds the rules that a URL can match without trying them all.

use std::collections::HashMap;

use crate::pattern::Pattern;

/// An index over the URL patterns of a rule set, by host and by the start of the path.
///
/// What it costs to look a URL up depends on how many different lengths the path prefixes of its host have, not on how
/// many rules there are. Rules whose host can only be told by running their pattern are candidates for every URL.
#[derive(Clone, Debug, Default)]
pub struct RuleIndex {
    hosts: HashMap<String, Prefixes>,
    /// Rules without a literal host, ascending.
    anywhere: Vec<usize>,
}

#[derive(Clone, Debug, Default)]
struct Prefixes {
    rules: HashMap<String, Vec<usize>>,
    /// The different lengths of the prefixes, ascending.
    lengths: Vec<usize>,
}

impl RuleIndex {
    /// Builds the index. A rule's number is its place in `patterns`, from 0.
    pub fn new<'a>(patterns: impl Iterator<Item = &'a Pattern>) -> RuleIndex {
        let mut index = RuleIndex::default();
        for (rule, pattern) in patterns.enumerate() {
            let Some(host) = pattern.host() else {
                index.anywhere.push(rule);
                continue;
            };
            let prefixes = index.hosts.entry(host.to_owned()).or_default();
            let prefix = pattern.path_prefix();
            if let Err(place) = prefixes.lengths.binary_search(&prefix.len()) {
                prefixes.lengths.insert(place, prefix.len());
            }
            prefixes
                .rules
                .entry(prefix.to_owned())
                .or_default()
                .push(rule);
        }
        index
    }

    /// The numbers of the rules that may match, ascending. Every other rule does not match.
    ///
    /// `host` is in lower case, with the port if the URL has one; `path` starts with a slash. Both are as in the text
    /// that the patterns are matched against.
    #[must_use]
    pub fn candidates(&self, host: &str, path: &str) -> Vec<usize> {
        let mut candidates = self.anywhere.clone();
        if let Some(prefixes) = self.hosts.get(host) {
            for &length in &prefixes.lengths {
                if length > path.len() {
                    break;
                }
                if let Some(rules) = path
                    .get(..length)
                    .and_then(|prefix| prefixes.rules.get(prefix))
                {
                    candidates.extend_from_slice(rules);
                }
            }
            candidates.sort_unstable();
        }
        candidates
    }
}
