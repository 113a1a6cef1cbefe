//! Rules whose preflights another rule answers.

use std::collections::BTreeSet;

use super::Placed;

/// The ids of rules of which another rule takes `OPTIONS`, for all their URLs: it has the same pattern, or one that goes on in
/// any way where theirs goes on.
pub(super) fn answered(rules: &[Placed]) -> BTreeSet<&str> {
    let takes = rules
        .iter()
        .map(|placed| &placed.rule)
        .filter(|rule| rule.methods.iter().any(|method| method == "OPTIONS"));
    let mut same = BTreeSet::new();
    let mut beginnings = BTreeSet::new();
    for rule in takes {
        let url = rule.url.source();
        same.insert(url);
        let beginning = ["<.*>", "<**>"]
            .iter()
            .find_map(|any| url.strip_suffix(any));
        beginnings.extend(beginning);
    }
    rules
        .iter()
        .filter(|placed| {
            let url = placed.rule.url.source();
            let begins = |end| {
                url.get(..end)
                    .is_some_and(|start| beginnings.contains(start))
            };
            same.contains(url) || (0..=url.len()).any(begins)
        })
        .map(|placed| placed.rule.id.as_str())
        .collect()
}
