//! The `regexp` strategy against regexp2 v1.2.0, put together as ladon v1.1.0 does.

use edgekeeper_policy::index::RuleIndex;
use edgekeeper_policy::pattern::{DEFAULT_BUDGET, compile, compile_strict};
use serde_json::json;

use super::dice::Dice;
use super::oracle::{self, Answer};
use super::tally::Tally;

struct Question {
    pattern: String,
    inputs: Vec<String>,
}

/// Compares this many patterns, each on eight inputs.
pub(crate) fn compare(seed: u64, patterns: usize, strict: bool) -> Tally {
    let mut dice = Dice::new(seed);
    let questions: Vec<_> = (0..patterns).map(|_| question(&mut dice)).collect();
    let mut tally = Tally::default();
    oracle::ask(
        &questions,
        |question| json!({"regexp": question.pattern, "inputs": question.inputs}),
        |question, answer| judge(question, &answer, strict, &mut tally),
    );
    tally
}

fn judge(question: &Question, answer: &Answer, strict: bool, tally: &mut Tally) {
    let Question { pattern, inputs } = question;
    let compiled = if strict {
        compile_strict(pattern)
    } else {
        compile(pattern)
    };
    let ours = match (compiled, answer.error.as_str()) {
        (Ok(ours), "") if ours.broken().is_none() => ours,
        (Ok(ours), error) if !error.is_empty() && ours.broken().is_some() => {
            if ours.broken() != Some(error) {
                tally.differs(Some("which of several errors is told"), String::new());
            }
            return tally.refused();
        }
        (Err(_), error) if !error.is_empty() => return tally.refused(),
        (Err(error), _) => {
            return tally.differs(
                refused_here(pattern, &error.message),
                format!("{pattern}: refused here: {error}"),
            );
        }
        (Ok(ours), error) => {
            let kind = read_here(pattern, error, strict);
            return tally.differs(
                kind,
                format!("{pattern}: {:?}, there {error}", ours.broken()),
            );
        }
    };
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
        let found = ours.find(input, DEFAULT_BUDGET);
        let (theirs, timeout) = match theirs {
            None => (None, false),
            Some(found) => (found.groups.clone(), !found.timeout.is_empty()),
        };
        let Ok(found) = found else {
            tally.differs(
                Some("a bound of steps, not of time"),
                format!("{pattern} on {input}: {found:?}"),
            );
            continue;
        };
        let found: Option<Vec<String>> =
            found.map(|groups| groups.iter().map(str::to_owned).collect());
        if found == theirs && !timeout {
            tally.same(found.is_some());
        } else {
            let kind = if timeout {
                Some("a bound of steps, not of time")
            } else {
                differs(pattern, input, strict)
            };
            tally.differs(
                kind,
                format!("{pattern} on {input:?}: {found:?}, there {theirs:?}"),
            );
        }
    }
}

/// Why a pattern is refused here that Oathkeeper reads.
fn refused_here(pattern: &str, message: &str) -> Option<&'static str> {
    if message.contains("compiles to more than") {
        return Some("a bound on the size of a program");
    }
    let has_code = pattern.split('\\').skip(1).any(|rest| {
        let mut chars = rest.chars();
        matches!(chars.next(), Some('1'..='9')) && matches!(chars.next(), Some('0'..='9'))
    });
    if has_code {
        return Some("octal codes without a leading zero");
    }
    if pattern.contains("<?") {
        return Some("groups by the brackets around them");
    }
    if pattern.contains("\\<") || pattern.contains("\\'") {
        return Some("references without a k");
    }
    let has_number = ["(?<", "(?'", "(?P<"].iter().any(|open| {
        pattern
            .split(open)
            .skip(1)
            .any(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    });
    has_number.then_some("numbers as names")
}

/// Why a pattern is read here that Oathkeeper refuses.
fn read_here(pattern: &str, error: &str, strict: bool) -> Option<&'static str> {
    let has = |parts: &[&str]| parts.iter().any(|part| pattern.contains(part));
    if error.starts_with("panic") && empty_lazy_loop(pattern) {
        return Some("lazy loops over nothing");
    }
    if strict {
        return None;
    }
    if error.starts_with("Unbalanced") && has(&["(?<=", "(?<!", "(?>"]) {
        return Some("look-behind and atomic groups");
    }
    if error.contains("unrecognized grouping") && has(&["(?>"]) {
        return Some("look-behind and atomic groups");
    }
    if error.contains("unrecognized escape sequence \\_") {
        return Some("escaped underscores");
    }
    if error.contains("reference to undefined group") {
        return Some("references by their number in the whole pattern");
    }
    if error.contains("missing closing )") && has(&["(?x", "(?-x"]) && has(&["#"]) {
        return Some("comments up to the end of a `<...>`");
    }
    if error.contains("complete \\p{X}")
        || error.contains("malformed \\p{X}")
        || error.contains("unknown unicode")
    {
        return Some("Unicode classes");
    }
    None
}

/// Why an input matches otherwise here.
fn differs(pattern: &str, input: &str, strict: bool) -> Option<&'static str> {
    let has = |parts: &[&str]| parts.iter().any(|part| pattern.contains(part));
    if input.contains('\n') && has(&["$", "\\Z"]) || input.ends_with('\n') {
        return Some("`$` before a final line feed");
    }
    if !strict
        && !input.is_ascii()
        && has(&[
            "\\d",
            "\\w",
            "\\s",
            "\\b",
            "\\D",
            "\\W",
            "\\S",
            "\\B",
            "[:digit:]",
            "[:^digit:]",
        ])
    {
        return Some("ASCII classes");
    }
    if ["n", "m", "name", "x1", "_q"].iter().any(|name| {
        let opened =
            |open: &str, close: &str| pattern.matches(&format!("{open}{name}{close}")).count();
        opened("(?<", ">") + opened("(?P<", ">") + opened("(?'", "'") > 1
    }) {
        return Some("a named group inside one of the same name");
    }
    if !strict && has(&["\\<", "\\'"]) {
        return Some("references without a k");
    }
    if empty_lazy_loop(pattern) {
        return Some("lazy loops over nothing");
    }
    None
}

/// True if a lazy loop may go round without eating anything, where the engine loses its place.
fn empty_lazy_loop(pattern: &str) -> bool {
    ["+?", "*?", "}?", "??"]
        .iter()
        .any(|part| pattern.contains(part))
}

/// A part of a regular expression that knows texts it is likely to match.
enum Part {
    Text(&'static str),
    /// As it is written, and texts that it matches.
    Class(String, &'static [&'static str]),
    All(Vec<Part>),
    One(Vec<Part>),
    Group(String, Box<Part>),
    /// Matches without eating anything, or must not.
    Around(&'static str, Box<Part>),
    Repeat(Box<Part>, &'static str, usize, usize),
}

const LETTERS: &[&str] = &[
    "a", "b", "c", "x", "ab", "api", "/", "-", "1", "v2", "_", "A", "ž", "\\.", "\\/", "é",
];
const SPOIL: &[&str] = &["a", "b", "c", "/", "x", "A", "1", "-", ".", "ž", "_", " "];
const BREAK: &[&str] = &[
    "(", ")", "[", "]", "*", "+", "?", "{", "}", "|", "\\", "<", ">", "^", "$", "-", "{2}", "(?:",
    "a", ",", "\\Q", "[^",
];

fn question(dice: &mut Dice) -> Question {
    let mut texts: Vec<String> = vec![String::new(); 8];
    let mut pattern = dice
        .pick(&["http://h/", "https://a.test/x/", "h/", "http://m.test/", ""])
        .to_owned();
    texts.iter_mut().for_each(|text| text.push_str(&pattern));
    let mut names = Names::default();
    for _ in 0..=dice.roll(3) / 2 {
        let part = alternatives(dice, 2, &mut names);
        let flags = if dice.once_in(8) {
            dice.pick(&["(?i)", "(?s)", "(?m)", "(?n)", "(?x)", "(?is)", "(?i-s)"])
        } else {
            ""
        };
        pattern.push('<');
        pattern.push_str(flags);
        write(&part, &mut pattern);
        pattern.push('>');
        for text in &mut texts {
            sample(&part, dice, text, 0);
        }
        if dice.once_in(3) {
            let text = dice.pick(&["/", "/x", ".b", "a", "+"]);
            pattern.push_str(text);
            texts.iter_mut().for_each(|sample| sample.push_str(text));
        }
    }
    if dice.once_in(7) {
        pattern = dice.spoil(&pattern, BREAK);
    }
    for text in texts.iter_mut().skip(4) {
        *text = dice.spoil(text, SPOIL);
    }
    Question {
        pattern,
        inputs: texts,
    }
}

#[derive(Default)]
struct Names(usize);

fn alternatives(dice: &mut Dice, depth: usize, names: &mut Names) -> Part {
    let count = if dice.once_in(3) { 2 + dice.roll(3) } else { 1 };
    let mut parts: Vec<Part> = (0..count).map(|_| sequence(dice, depth, names)).collect();
    if count == 1 {
        parts.remove(0)
    } else {
        Part::One(parts)
    }
}

fn sequence(dice: &mut Dice, depth: usize, names: &mut Names) -> Part {
    let count = if dice.once_in(12) {
        0
    } else {
        1 + dice.roll(3)
    };
    Part::All((0..count).map(|_| repeated(dice, depth, names)).collect())
}

fn repeated(dice: &mut Dice, depth: usize, names: &mut Names) -> Part {
    let part = single(dice, depth, names);
    if !dice.once_in(3) || matches!(part, Part::Around(..)) && !dice.once_in(10) {
        return part;
    }
    let (sign, min, max) = [
        ("*", 0, 3),
        ("+", 1, 3),
        ("?", 0, 1),
        ("*?", 0, 3),
        ("+?", 1, 3),
        ("??", 0, 1),
        ("{2}", 2, 2),
        ("{1,3}", 1, 3),
        ("{0,2}", 0, 2),
        ("{2,}", 2, 4),
        ("{1,2}?", 1, 2),
        ("{0}", 0, 0),
        ("{0,1}", 0, 1),
        ("{2,}?", 2, 3),
    ][dice.roll(14)];
    Part::Repeat(Box::new(part), sign, min, max)
}

fn single(dice: &mut Dice, depth: usize, names: &mut Names) -> Part {
    match dice.roll(if depth == 0 { 12 } else { 22 }) {
        0..=5 => Part::Text(LETTERS[dice.roll(LETTERS.len())]),
        6..=8 => class(dice),
        9 => Part::Class(".".to_owned(), &["a", "/", "ž", ".", "b"]),
        10 => {
            let (sign, texts): (&str, &[&str]) = [
                ("^", EMPTY),
                ("$", EMPTY),
                ("\\b", EMPTY),
                ("\\B", EMPTY),
                ("\\A", EMPTY),
                ("\\z", EMPTY),
                ("\\Z", EMPTY),
                ("\\x41", &["A"]),
                ("\\u0061", &["a"]),
                ("\\x{7a}", &["z"]),
                ("\\t", &["\t"]),
                ("\\012", &["\n"]),
                ("\\cA", &["\u{1}"]),
                ("\\-", &["-"]),
                ("\\e", &["\u{1b}"]),
                ("(?i)", EMPTY),
                ("(?-i)", EMPTY),
                ("(?s)", EMPTY),
                ("(?#note)", EMPTY),
                ("{", &["{"]),
                ("{,2}", &["{,2}"]),
                ("}", &["}"]),
                ("]", &["]"]),
                ("-", &["-"]),
                (" ", &[" ", ""]),
                ("#", &["#"]),
                ("\\ ", &[" "]),
                ("\\k<n>", &["a", "b"]),
                ("\\1", &["a", "b"]),
                ("\\2", &["a", "b"]),
            ][dice.roll(30)];
            Part::Class(sign.to_owned(), texts)
        }
        11 => Part::Class(
            dice.pick(&["\\d", "\\w", "\\s", "\\D", "\\W", "\\S"])
                .to_owned(),
            &["1", "a", "_", " ", "-", "9"],
        ),
        12..=15 => Part::Group(
            "(".to_owned(),
            Box::new(alternatives(dice, depth - 1, names)),
        ),
        16 => Part::Group(
            "(?:".to_owned(),
            Box::new(alternatives(dice, depth - 1, names)),
        ),
        17 => {
            let name = dice.pick(&["n", "m", "name", "x1", "_q"]);
            names.0 += 1;
            let open = match dice.roll(3) {
                0 => format!("(?<{name}>"),
                1 => format!("(?P<{name}>"),
                _ => format!("(?'{name}'"),
            };
            Part::Group(open, Box::new(alternatives(dice, depth - 1, names)))
        }
        18 => Part::Group(
            dice.pick(&[
                "(?i:", "(?s:", "(?m:", "(?n:", "(?x:", "(?i-m:", "(?-i:", "(?ms:",
            ])
            .to_owned(),
            Box::new(alternatives(dice, depth - 1, names)),
        ),
        19 | 20 => Part::Around(
            ["(?=", "(?!"][dice.roll(2)],
            Box::new(alternatives(dice, depth - 1, names)),
        ),
        // Their brackets do not balance by themselves, which Oathkeeper wants them to.
        _ => Part::Around(
            ["(?<=", "(?<!"][dice.roll(2)],
            Box::new(alternatives(dice, depth - 1, names)),
        ),
    }
}

const EMPTY: &[&str] = &[""];

fn class(dice: &mut Dice) -> Part {
    let ready: &[(&str, &[&str])] = &[
        ("[a-c]", &["a", "b", "c"]),
        ("[^/]", &["a", "x", "ž"]),
        ("[ab/]", &["a", "/"]),
        ("[[:alpha:]]", &["a", "Z"]),
        ("[[:^digit:]x]", &["x", "a"]),
        ("[\\w-]", &["a", "-", "_"]),
        ("[\\d.]", &["1", "."]),
        ("[^\\s]", &["a", "/"]),
        ("[a-z-[b]]", &["a", "c"]),
        ("[\\p{Lu}]", &["A", "Ž"]),
        ("\\p{L}", &["a", "ž"]),
        ("\\P{L}", &["1", "/"]),
        ("\\pL", &["a"]),
        ("[\\p{Greek}a]", &["α", "a"]),
        ("[^\\p{Ll}]", &["A", "1"]),
        ("[]a]", &["]", "a"]),
        ("[a-]", &["a", "-"]),
        ("[-a]", &["-", "a"]),
        ("[^^]", &["a"]),
        ("[.]", &["."]),
        ("[\\]x]", &["]", "x"]),
        ("[[:xdigit:]]", &["a", "F", "0"]),
        ("[\\x41-\\x43]", &["A", "C"]),
        ("[\\b]", &["\u{8}"]),
        ("[ž-é]", &["ž"]),
        ("[é-ž]", &["é", "ž"]),
        ("[a\\-z]", &["-", "z"]),
        ("[[:word:]]", &["_", "a"]),
        ("[[a]", &["[", "a"]),
        ("[a-c-[a-b]]", &["c"]),
        ("[\\W]", &["/", "-"]),
        ("[^\\W]", &["a"]),
        ("[[:space:]]", &[" "]),
        ("[[:punct:]]", &["-", "/"]),
        ("[A-z]", &["a", "_"]),
        ("[k\\u212A]", &["k", "\u{212a}"]),
        ("[^a-z]", &["A", "1", "/"]),
        ("[s]", &["s", "ſ"]),
        ("[[.a.]]", &["a"]),
        ("[[:nope:]]", &["a"]),
        ("[a-\\d]", &["a"]),
    ];
    if dice.once_in(3) {
        let mut text = dice.pick(&["[", "[^"]).to_owned();
        for _ in 0..=dice.roll(4) {
            text.push_str(dice.pick(&[
                "a",
                "b-d",
                "/",
                "\\d",
                "\\w",
                "[:alpha:]",
                "-",
                "\\]",
                "x-z",
                "A-F",
                "\\p{L}",
                "^",
                "ž",
                ".",
                "\\s",
                "0-9",
            ]));
        }
        if dice.once_in(6) {
            text.push_str("-[a-c]");
        }
        text.push(']');
        return Part::Class(text, &["a", "c", "/", "1", "-", "A", "ž", ".", "y"]);
    }
    let (text, samples) = ready[dice.roll(ready.len())];
    Part::Class(text.to_owned(), samples)
}

fn write(part: &Part, out: &mut String) {
    match part {
        Part::Text(text) => out.push_str(text),
        Part::Class(text, _) => out.push_str(text),
        Part::All(parts) => parts.iter().for_each(|part| write(part, out)),
        Part::One(parts) => {
            for (index, part) in parts.iter().enumerate() {
                if index > 0 {
                    out.push('|');
                }
                write(part, out);
            }
        }
        Part::Group(open, inside) => {
            out.push_str(open);
            write(inside, out);
            out.push(')');
        }
        Part::Around(open, inside) => {
            out.push_str(open);
            write(inside, out);
            out.push(')');
        }
        Part::Repeat(part, sign, ..) => {
            // A text of several characters would have only its last one repeated.
            match part.as_ref() {
                Part::All(_) | Part::One(_) => {
                    out.push_str("(?:");
                    write(part, out);
                    out.push(')');
                }
                part => write(part, out),
            }
            out.push_str(sign);
        }
    }
}

/// Appends a text that the part may well match.
fn sample(part: &Part, dice: &mut Dice, out: &mut String, depth: usize) {
    if depth > 12 || out.len() > 60 {
        return;
    }
    match part {
        Part::Text(text) => out.push_str(text.trim_start_matches('\\')),
        Part::Class(_, texts) => out.push_str(texts[dice.roll(texts.len())]),
        Part::All(parts) => parts
            .iter()
            .for_each(|part| sample(part, dice, out, depth + 1)),
        Part::One(parts) => sample(&parts[dice.roll(parts.len())], dice, out, depth + 1),
        Part::Group(_, inside) => sample(inside, dice, out, depth + 1),
        Part::Around(..) => {}
        Part::Repeat(part, _, min, max) => {
            for _ in 0..min + dice.roll(max - min + 1) {
                sample(part, dice, out, depth + 1);
            }
        }
    }
}
