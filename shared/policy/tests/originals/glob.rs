//! The `glob` strategy against gobwas/glob v0.2.3, put together as Oathkeeper does.

use edgekeeper_policy::index::RuleIndex;
use edgekeeper_policy::pattern::{DEFAULT_BUDGET, compile_glob_strict};
use serde_json::json;

use super::dice::Dice;
use super::oracle::{self, Answer};
use super::tally::Tally;

struct Question {
    pattern: String,
    inputs: Vec<String>,
}

/// Compares this many patterns, each on eight inputs.
pub(crate) fn compare(seed: u64, patterns: usize) -> Tally {
    let mut dice = Dice::new(seed);
    let questions: Vec<_> = (0..patterns).map(|_| question(&mut dice)).collect();
    let mut tally = Tally::default();
    oracle::ask(
        &questions,
        |question| json!({"glob": question.pattern, "inputs": question.inputs}),
        |question, answer| judge(question, &answer, &mut tally),
    );
    tally
}

fn judge(question: &Question, answer: &Answer, tally: &mut Tally) {
    let Question { pattern, inputs } = question;
    let ours = match compile_glob_strict(pattern) {
        Ok(ours) => ours,
        Err(error) => return tally.differs(None, format!("{pattern}: refused here: {error}")),
    };
    match (ours.broken(), answer.error.as_str()) {
        (None, "") => {}
        (Some(ours), error) if !error.is_empty() && !error.starts_with("panic") => {
            if ours != error {
                tally.differs(Some("which of several errors is told"), String::new());
            }
            return tally.refused();
        }
        (_, error) if error.starts_with("panic") && pattern.contains('{') => {
            return tally.differs(Some("alternatives that are empty in a row"), String::new());
        }
        (ours, error) => return tally.differs(None, format!("{pattern}: {ours:?}, there {error}")),
    }
    let index = RuleIndex::new(std::iter::once(&ours));
    for (input, theirs) in inputs.iter().zip(&answer.matches) {
        let is_url = input
            .split_once("://")
            .is_some_and(|(_, rest)| rest.contains('/'));
        if is_url
            && theirs.is_some()
            && ours
                .find(input, DEFAULT_BUDGET)
                .is_ok_and(|found| found.is_some())
        {
            assert_eq!(
                index.candidates(input),
                [0],
                "the index misses {pattern} for {input}"
            );
        }
        match ours.find(input, DEFAULT_BUDGET) {
            Ok(found) if found.is_some() == theirs.is_some() => tally.same(found.is_some()),
            found => tally.differs(
                None,
                format!(
                    "{pattern} on {input:?}: {found:?}, there {}",
                    theirs.is_some()
                ),
            ),
        }
    }
}

enum Part {
    /// As it is written, and texts that it matches.
    Leaf(&'static str, &'static [&'static str]),
    AnyOf(Vec<Vec<Part>>),
}

const LEAVES: &[(&str, &[&str])] = &[
    ("a", &["a"]),
    ("b", &["b"]),
    ("ab", &["ab"]),
    ("abc", &["abc"]),
    ("/", &["/"]),
    (".", &["."]),
    ("api", &["api"]),
    ("v1", &["v1"]),
    ("ž", &["ž"]),
    ("éa", &["éa"]),
    ("-", &["-"]),
    ("x", &["x"]),
    ("*", &["", "a", "ab", "xyz", "ž", "a-b"]),
    ("*", &["", "b", "abc"]),
    ("*", &["a"]),
    ("**", &["", "a", "a/b", "a.b/c", "/", "ž"]),
    ("**", &["x", "a/b"]),
    ("?", &["a", "b", "ž", ""]),
    ("?", &["x"]),
    ("[abc]", &["a", "b", "c"]),
    ("[a]", &["a"]),
    ("[!abc]", &["x", "/", "ž", "."]),
    ("[!./]", &["a", "ž"]),
    ("[a-c]", &["a", "b"]),
    ("[!a-c]", &["x", "/"]),
    ("[ž-ž]", &["ž"]),
    ("[abž]", &["ž", "a"]),
    ("[a\\]]", &["]", "a"]),
    ("\\*", &["*"]),
    ("\\{", &["{"]),
    ("\\a", &["a"]),
    (",", &[","]),
    ("}", &["}"]),
    ("]", &["]"]),
    ("!", &["!"]),
    ("[a-]", &["a"]),
    ("[-a]", &["-", "a"]),
    ("[c-a]", &["b"]),
    ("[", &["["]),
    ("[]", &[""]),
    ("[!]", &["!"]),
    ("[a-zA]", &["a"]),
    ("\\", &["\\"]),
    ("{}", &[""]),
    ("{", &[""]),
];

const SPOIL: &[&str] = &["a", "b", "/", ".", "x", "ž", "c", "-"];
const BREAK: &[&str] = &[
    "*", "?", "[", "]", "{", "}", ",", "\\", "<", ">", "!", "-", "a", "\u{fffd}",
];

fn question(dice: &mut Dice) -> Question {
    let mut inputs: Vec<String> = vec![String::new(); 8];
    let mut pattern = String::new();
    let literal = |text: &str, pattern: &mut String, inputs: &mut Vec<String>| {
        pattern.push_str(text);
        inputs.iter_mut().for_each(|input| input.push_str(text));
    };
    let start = dice.pick(&[
        "http://h/",
        "https://a.test/x/",
        "http://h.test/ž",
        "",
        "a*b",
        "http://",
    ]);
    literal(start, &mut pattern, &mut inputs);
    for _ in 0..1 + dice.roll(3) {
        let parts = sequence(dice, 2);
        pattern.push('<');
        write(&parts, &mut pattern);
        pattern.push('>');
        for input in &mut inputs {
            sample(&parts, dice, input);
        }
        let text = dice.pick(&["", "", "/", ".test/", "/x", "a", "ž"]);
        literal(text, &mut pattern, &mut inputs);
    }
    if dice.once_in(12) {
        pattern = dice.spoil(&pattern, BREAK);
    }
    for input in inputs.iter_mut().skip(4) {
        *input = dice.spoil(input, SPOIL);
    }
    Question { pattern, inputs }
}

fn sequence(dice: &mut Dice, depth: usize) -> Vec<Part> {
    (0..if dice.once_in(10) {
        0
    } else {
        1 + dice.roll(4)
    })
        .map(|_| {
            if depth > 0 && dice.once_in(4) {
                return Part::AnyOf(
                    (0..1 + dice.roll(3))
                        .map(|_| sequence(dice, depth - 1))
                        .collect(),
                );
            }
            // What breaks a glob stands at the end of the list, and is rarer.
            let count = if dice.once_in(20) {
                LEAVES.len()
            } else {
                LEAVES.len() - 14
            };
            let (text, samples) = LEAVES[dice.roll(count)];
            Part::Leaf(text, samples)
        })
        .collect()
}

fn write(parts: &[Part], out: &mut String) {
    for part in parts {
        match part {
            Part::Leaf(text, _) => out.push_str(text),
            Part::AnyOf(alternatives) => {
                out.push('{');
                for (index, parts) in alternatives.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    write(parts, out);
                }
                out.push('}');
            }
        }
    }
}

fn sample(parts: &[Part], dice: &mut Dice, out: &mut String) {
    for part in parts {
        match part {
            Part::Leaf(_, texts) => out.push_str(texts[dice.roll(texts.len())]),
            Part::AnyOf(alternatives) => {
                sample(&alternatives[dice.roll(alternatives.len())], dice, out)
            }
        }
    }
}
