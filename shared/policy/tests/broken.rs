//! Files that are broken anywhere are refused, never a panic.

#![cfg(feature = "compile")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects
)]

use std::collections::BTreeMap;

use edgekeeper_policy::compile::{Options, compile};

const CONFIG: &str = include_str!("refusals/base/oathkeeper.yml");
const RULES: &str = include_str!("refusals/base/rules.json");

fn try_to_build(config: &str, rules: &str) -> bool {
    let files = BTreeMap::from([
        ("oathkeeper.yml".to_owned(), config.to_owned()),
        ("rules.json".to_owned(), rules.to_owned()),
    ]);
    let options = Options {
        config: "oathkeeper.yml".to_owned(),
        ..Options::default()
    };
    match compile(&files, &options) {
        Ok(_) => true,
        Err(found) => {
            assert!(!found.is_empty(), "a refusal says why");
            false
        }
    }
}

/// The text with something put in, taken out or cut off at every place.
fn variants(text: &str) -> impl Iterator<Item = String> {
    const INSERTED: [&str; 22] = [
        "\0", "\t", "\n", "\r", " ", "\"", "'", "#", "&a ", "*a", ",", "-", ": ", "<", ">", "[",
        "]", "{", "}", "|\n", "\u{feff}", "é",
    ];
    let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    places.into_iter().flat_map(move |at| {
        let (before, after) = text.split_at(at);
        let inserted = INSERTED
            .iter()
            .map(move |what| format!("{before}{what}{after}"));
        let mut rest = after.chars();
        rest.next();
        inserted.chain([
            before.to_owned(),
            after.to_owned(),
            format!("{before}{}", rest.as_str()),
        ])
    })
}

#[test]
fn broken_rules_never_panic() {
    assert!(try_to_build(CONFIG, RULES));
    for rules in variants(RULES) {
        try_to_build(CONFIG, &rules);
    }
}

#[test]
fn broken_configurations_never_panic() {
    for config in variants(CONFIG) {
        try_to_build(&config, RULES);
    }
}
