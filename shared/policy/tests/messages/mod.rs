//! Every message of the compiler stands in a fixture, in full.
//!
//! The messages are taken from the sources: a text with a space in it is one, unless it is listed here.

use std::fs;
use std::path::{Path, PathBuf};

use super::fixture::{EXPECTED, paths, sections};

/// Other files with words of messages: those of what is written in hosts, lists and origins.
const ELSEWHERE: [&str; 4] = ["allowlist.rs", "cors.rs", "host.rs", "return_to.rs"];

const LARGE: &str = "edge/cli/tests/check_large.rs shows it, with files too large for a fixture";

/// Texts that no fixture can show, each with the reason.
const NOT_IN_FIXTURES: [(&str, &str); 25] = [
    (
        "the rules before this have more than {} MB together; from here on no file is read",
        LARGE,
    ),
    (
        "name each file once; so many rules are for several gateways",
        LARGE,
    ),
    (
        "the anchors of this document stand for more than {MAX_REMEMBERED} values",
        LARGE,
    ),
    (
        "an anchor in another counts again; take out those that no alias needs",
        LARGE,
    ),
    ("the file has more than {} MB", DIAGNOSTICS),
    (
        "name several files of rules under `access_rules.repositories`; no configuration is so long",
        DIAGNOSTICS,
    ),
    ("-----BEGIN ", "how a key in PEM begins"),
    ("PRIVATE KEY", "the label of a key in PEM"),
    (
        "PRIVATE KEY-----",
        "how the first line of a key in PEM ends",
    ),
    ("this cannot be built, and it is not known why", DIAGNOSTICS),
    (
        "that is a mistake in edgekeeper; please report it with this part of the file",
        DIAGNOSTICS,
    ),
    (
        "there are too many rules to compare them all",
        "a reason of `Overlap::Undecided`, tested with the patterns",
    ),
    ("Please authenticate.", "the realm where none is written"),
    (
        "Fallback error handler \"{name}\" was requested but is disabled or unknown. This is a configuration issue and should be reported to the administrator.",
        FAULT,
    ),
    ("No {handler} handler was set in the rule", FAULT),
    ("{} \"{name}\" is disabled per configuration.", FAULT),
    (
        "Unable to find error handler named: {name}. This is a configuration issue and should be reported to the administrator.",
        FAULT,
    ),
    ("requested pipeline handler does not exist", FAULT),
    ("{} matching this route is misconfigured or disabled", FAULT),
    ("additional property {key} is not allowed", FAULT),
    ("it does not fit its schema", FAULT),
    ("Error handler", FAULT),
    (
        "Configuration for {} \"{}\" could not be validated: {why}",
        FAULT,
    ),
    (
        "there is no such rule",
        "a number of a rule that is none, which only code can give",
    ),
    ("\n  help: {}", "how a finding is written"),
];

const DIAGNOSTICS: &str = "in the table of kinds";
const FAULT: &str = "what strict mode answers as Oathkeeper does, tested by the gateway";

/// The compiler's sources, without its tests.
fn sources() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found: Vec<PathBuf> = ELSEWHERE.iter().map(|name| root.join(name)).collect();
    let mut folders = vec![root.join("compile")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && path.file_name().is_some_and(|name| name == "schema") {
                // What a schema says of a key is no finding.
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().is_some_and(|name| name != "tests.rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The texts of a source, each with its line.
fn literals(source: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut rest = source;
    let line = |rest: &str| source[..source.len() - rest.len()].matches('\n').count() + 1;
    while let Some(at) = rest.find(['"', '\'', '/']) {
        let before = &rest[..at];
        rest = &rest[at..];
        if let Some(comment) = rest.strip_prefix("//") {
            rest = comment.find('\n').map_or("", |end| &comment[end..]);
        } else if rest.starts_with('"') {
            let hashes = before.len() - before.trim_end_matches('#').len();
            let raw = before.trim_end_matches('#').ends_with('r');
            let end = if raw {
                let close = format!("\"{}", "#".repeat(hashes));
                rest[1..].find(&close).expect("the end of a raw text")
            } else {
                text_end(&rest[1..])
            };
            if !raw {
                found.push((line(rest), unescaped(&rest[1..=end])));
            }
            rest = &rest[end + 2..];
        } else if rest.starts_with('\'') {
            // A character, or else a lifetime.
            let mut chars = rest[1..].char_indices();
            let first = chars.next().map(|(_, c)| c);
            let second = chars.next();
            rest = match (first, second) {
                (Some('\\'), Some((escaped, _))) => {
                    let after = &rest[1 + escaped + 1..];
                    after.find('\'').map_or("", |end| &after[end + 1..])
                }
                (_, Some((at, '\''))) => &rest[1 + at + 1..],
                _ => &rest[1..],
            };
        } else {
            rest = &rest[1..];
        }
    }
    found
}

/// Where a text ends, from behind its opening quote.
fn text_end(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            '"' if !escaped => return at,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    panic!("a text without an end: {text}")
}

fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('\\', Some('\n')) => while chars.next_if(|c| c.is_whitespace()).is_some() {},
            ('\\', Some('n')) => {
                chars.next();
                out.push('\n');
            }
            ('\\', Some(_)) => out.extend(chars.next()),
            _ => out.push(c),
        }
    }
    out
}

/// What stands between the placeholders of a text for `format!`; `{{` may be meant as either.
fn parts(text: &str) -> Vec<String> {
    let text = text.replace("{{", "\u{1}").replace("}}", "\u{2}");
    let mut parts = Vec::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find('{') {
        parts.push(&rest[..at]);
        rest = rest[at..].find('}').map_or("", |end| &rest[at + end + 1..]);
    }
    parts.push(rest);
    parts
        .iter()
        .flat_map(|part| part.split(['\u{1}', '\u{2}']))
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

fn says(line: &str, parts: &[String]) -> bool {
    let mut rest = line;
    parts.iter().all(|part| match rest.find(part.as_str()) {
        Some(at) => {
            rest = &rest[at + part.len()..];
            true
        }
        None => false,
    })
}

#[test]
fn every_message_is_in_a_fixture() {
    let expected: String = paths()
        .iter()
        .flat_map(|path| sections(&fs::read_to_string(path).unwrap()))
        .filter(|(name, _)| name == EXPECTED)
        .map(|(_, text)| text)
        .collect();
    let mut untold = Vec::new();
    for path in sources() {
        let source = fs::read_to_string(&path).unwrap();
        let code = source.split("mod tests {").next().unwrap();
        for (line, text) in literals(code) {
            let known = NOT_IN_FIXTURES.iter().any(|(known, _)| *known == text);
            if !text.contains(' ') || known {
                continue;
            }
            // What to write is told as the help of what was found.
            let told = |text: &str| {
                let parts = parts(text);
                expected.lines().any(|line| says(line, &parts))
            };
            if !text.split("; write ").all(told) {
                untold.push(format!("{}:{line}: {text:?}", path.display()));
            }
        }
    }
    assert!(
        untold.is_empty(),
        "no fixture in tests/refusals shows these; add one that does, run `BLESS=1 cargo test -p edgekeeper-policy --features compile --test refusals` and read \
         what it wrote. A text that nobody is told goes into NOT_IN_FIXTURES, with the reason:\n{}",
        untold.join("\n")
    );
}

#[test]
fn texts_are_found_whatever_stands_around_them() {
    let source = r##"
        let a: &'static str = "one \"two\" {}"; // "not this one"
        let b = ('"', '\'', b'"', r#"nor "this" one"#, "three \
            four");
    "##;
    let texts: Vec<String> = literals(source).into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts, ["one \"two\" {}", "three four"]);
    assert!(says("it says one \"two\" 3", &parts("one \"two\" {}")));
    assert!(!says("it says two and one", &parts("one {} two")));
}
