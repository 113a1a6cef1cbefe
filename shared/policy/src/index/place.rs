//! The rules of one host, by the start of their paths.

use crate::pattern::Hints;

use super::trie::Trie;
use super::with_number;

/// More rules than this with one start of their paths are told apart by a text that they need.
const FEW: usize = 4;

/// Rules by the start of their paths.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    paths: Trie,
    /// For each start.
    rules: Vec<Rules>,
}

/// Rules with the same start.
#[derive(Clone, Debug, Default)]
struct Rules {
    /// With the text that each needs, until all are there.
    unsettled: Vec<(usize, String)>,
    /// Those to try for every URL.
    always: Vec<usize>,
    texts: Trie,
    /// For each text those to try where the URL contains it.
    with_text: Vec<Vec<usize>>,
}

impl Place {
    pub(super) fn add(&mut self, rule: usize, hints: &Hints) {
        let start = self.paths.number(hints.path_start.as_bytes());
        with_number(&mut self.rules, start, |rules| {
            rules.unsettled.push((rule, hints.text.clone()));
        });
    }

    /// Sorts the rules once all are there.
    pub(super) fn settle(&mut self) {
        for rules in &mut self.rules {
            let few = rules.unsettled.len() <= FEW;
            for (rule, text) in std::mem::take(&mut rules.unsettled) {
                if few || text.is_empty() {
                    rules.always.push(rule);
                } else {
                    let text = rules.texts.number(text.as_bytes());
                    with_number(&mut rules.with_text, text, |rules| rules.push(rule));
                }
            }
        }
    }

    /// Appends the rules that may match; one may come several times.
    pub(super) fn find(&self, path: &str, url: &str, candidates: &mut Vec<usize>) {
        self.paths.walk(path.bytes(), |start| {
            if let Some(rules) = self.rules.get(start) {
                rules.find(url.as_bytes(), candidates);
            }
        });
    }
}

impl Rules {
    fn find(&self, url: &[u8], candidates: &mut Vec<usize>) {
        candidates.extend_from_slice(&self.always);
        if self.texts.is_empty() {
            return;
        }
        let mut rest = url;
        while !rest.is_empty() {
            self.texts.walk(rest.iter().copied(), |text| {
                candidates.extend_from_slice(self.with_text.get(text).map_or(&[], Vec::as_slice));
            });
            rest = rest.get(1..).unwrap_or_default();
        }
    }
}
