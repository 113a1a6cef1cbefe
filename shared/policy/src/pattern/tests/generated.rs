//! A second opinion: generated patterns without look-around against the `regex` crate, on ASCII texts.

use super::super::{DEFAULT_BUDGET, compile};

/// A small generator of numbers, the same on every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.roll(from.len())]
    }
}

fn regex(dice: &mut Dice, depth: usize) -> String {
    let mut out = String::new();
    for branch in 0..=dice.roll(3) / 2 {
        if branch > 0 {
            out.push('|');
        }
        for _ in 0..dice.roll(4) {
            match dice.roll(if depth == 0 { 6 } else { 9 }) {
                0..=3 => out.push_str(dice.pick(&["a", "b", "c", "/", "\\."])),
                4 => out.push_str(dice.pick(&["[ab]", "[^a]", "[a-c/]", "[^/]", "\\w", "\\d"])),
                5 => out.push('.'),
                6 => out.push_str(&format!("({})", regex(dice, depth - 1))),
                7 => out.push_str(&format!("(?:{})", regex(dice, depth - 1))),
                _ => out.push_str(&format!("(?i:{})", regex(dice, depth - 1))),
            }
            if dice.roll(3) == 0 {
                out.push_str(dice.pick(&["*", "+", "?", "{2}", "{1,}", "{0,2}", "*?", "+?", "??"]));
            }
        }
    }
    out
}

#[test]
fn agrees_with_the_regex_crate_on_what_matches() {
    let mut dice = Dice(42);
    let mut matched = 0;
    for _ in 0..2000 {
        let source = regex(&mut dice, 3);
        let ours =
            compile(&format!("h/<{source}>")).unwrap_or_else(|error| panic!("{source}: {error}"));
        let theirs = regex::Regex::new(&format!("^h/(?-u:{source})$"))
            .or_else(|_| regex::Regex::new(&format!("^h/(?:{source})$")));
        let theirs = theirs.unwrap();
        for _ in 0..8 {
            let mut text = "h/".to_owned();
            for _ in 0..dice.roll(9) {
                text.push_str(dice.pick(&["a", "b", "c", "/", "A", "."]));
            }
            let found = ours.find(&text, DEFAULT_BUDGET).unwrap();
            matched += usize::from(found.is_some());
            assert_eq!(
                found.is_some(),
                theirs.is_match(&text),
                "{source} on {text}"
            );
        }
    }
    assert!(matched > 1000, "enough of them match: {matched}");
}

#[test]
fn the_table_of_failures_changes_no_result() {
    let mut dice = Dice(7);
    for _ in 0..600 {
        let source = regex(&mut dice, 3);
        // A look-ahead that always holds turns the table off.
        let with = compile(&format!("h/<{source}>")).unwrap();
        let without = compile(&format!("h/<(?=){}>", format_args!("(?:{source})"))).unwrap();
        let mut text = "h/".to_owned();
        for _ in 0..40 + dice.roll(40) {
            text.push_str(dice.pick(&["a", "a", "a", "b", "/"]));
        }
        let with = with.find(&text, DEFAULT_BUDGET);
        // Where only the table bounds the work there is nothing to compare.
        if let Ok(without) = without.find(&text, 20_000) {
            assert_eq!(with, Ok(without), "{source} on {text}");
        }
    }
}
