//! Patterns and paths against the modules that Oathkeeper is built from, on generated questions.
//!
//! `tests/originals/patterns/run [seed]` builds the Go program that asks them and runs these tests. What differs on
//! purpose is a [`tally::Kind`], listed with its reason in `tests/originals/patterns/README.md`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects
)]

mod dice;
mod glob;
mod oracle;
mod path;
mod regexp;
mod tally;

fn seed() -> u64 {
    let text = std::env::var("SEED").unwrap_or_default();
    if text.is_empty() {
        1
    } else {
        text.parse().expect("SEED is a number")
    }
}

#[test]
#[ignore = "needs Go: tests/originals/patterns/run"]
fn regexps_match_as_in_regexp2() {
    regexp::compare(seed(), 5_600, false).finish("regexp", 20_000);
}

#[test]
#[ignore = "needs Go: tests/originals/patterns/run"]
fn strict_regexps_match_as_in_regexp2() {
    regexp::compare(seed(), 5_600, true).finish("regexp, strict", 20_000);
}

#[test]
#[ignore = "needs Go: tests/originals/patterns/run"]
fn globs_match_as_in_gobwas() {
    glob::compare(seed(), 6_000).finish("glob", 20_000);
}

#[test]
#[ignore = "needs Go: tests/originals/patterns/run"]
fn paths_find_what_gjson_finds() {
    path::compare(seed(), 9_000).finish("gjson", 5_000);
}
