//! Every kind of finding has a page with an example of it, and no page is without a finding.

#![cfg(feature = "compile")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::string_slice,
    clippy::arithmetic_side_effects
)]

mod fixture;
mod messages;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use edgekeeper_policy::compile::{Code, Options, compile};

use fixture::{EXPECTED, base, paths, sections};

/// What no fixture can show: the code, all that is told, and why.
const NOT_IN_FIXTURES: [(Code, &str, &str); 2] = [
    (
        Code::FILE_TOO_LARGE,
        "rules.json: error[file-too-large]: the file has more than 16 MB\n  help: name several files of rules under `access_rules.repositories`; no configuration is so long",
        "a fixture of 17 MB; `a_file_that_no_configuration_is_as_large_as_is_refused` makes one",
    ),
    (
        Code::INTERNAL,
        "rules.json:2:3: error[internal]: this cannot be built, and it is not known why\n  help: that is a mistake in edgekeeper; please report it with this part of the file",
        "nothing known leads to it; `the_words_of_a_mistake_of_edgekeepers_are_those_of_the_page` looks at the source",
    ),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/diagnostics")
}

fn page(code: Code) -> String {
    let path = folder().join(format!("{code}.md"));
    fs::read_to_string(&path).unwrap_or_default()
}

/// A fixture: its files, those it leaves as they are included, and what is said about them.
struct Fixture {
    lines: BTreeSet<String>,
    findings: Vec<String>,
}

fn fixtures() -> Vec<Fixture> {
    let read = |path: &PathBuf| {
        let mut files = base();
        files.extend(sections(&fs::read_to_string(path).unwrap()));
        let said = files.remove(EXPECTED).expect("what is expected");
        Fixture {
            lines: files.values().flat_map(|file| lines(file)).collect(),
            findings: findings(&said),
        }
    };
    paths().iter().map(read).collect()
}

fn lines(text: &str) -> impl Iterator<Item = String> {
    text.lines()
        .map(|line| line.trim().to_owned())
        .filter(|line| !line.is_empty())
}

/// The findings of an `== expected`, which begins with `built` or `refused`.
fn findings(said: &str) -> Vec<String> {
    let mut findings: Vec<String> = Vec::new();
    for line in said.lines().skip(1) {
        match findings.last_mut() {
            Some(last) if line.starts_with("  help: ") => {
                last.push('\n');
                last.push_str(line);
            }
            _ => findings.push(line.to_owned()),
        }
    }
    findings
}

/// Code and severity of a finding.
fn kind(finding: &str) -> (String, String) {
    ["error", "warning", "note", "hint"]
        .iter()
        .filter_map(|severity| {
            let mark = format!(": {severity}[");
            let (before, rest) = finding.split_once(&mark)?;
            let (code, _) = rest.split_once("]: ")?;
            Some((before.len(), code.to_owned(), (*severity).to_owned()))
        })
        .min()
        .map(|(_, code, severity)| (code, severity))
        .unwrap_or_else(|| panic!("this is no finding: {finding}"))
}

/// The severities that each code is told with.
fn severities() -> BTreeMap<String, BTreeSet<String>> {
    let mut severities: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let told = fixtures()
        .into_iter()
        .flat_map(|fixture| fixture.findings)
        .chain(
            NOT_IN_FIXTURES
                .iter()
                .map(|(_, text, _)| (*text).to_owned()),
        );
    for finding in told {
        let (code, severity) = kind(&finding);
        severities.entry(code).or_default().insert(severity);
    }
    severities
}

/// The fenced blocks of a text.
fn blocks(text: &str) -> Vec<String> {
    text.split("\n```")
        .skip(1)
        .step_by(2)
        .filter_map(|block| block.split_once('\n'))
        .map(|(_, content)| content.to_owned())
        .collect()
}

#[test]
fn every_code_has_a_page_and_no_page_is_without_a_code() {
    let pages: BTreeSet<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name != "README.md")
        .collect();
    let codes: BTreeSet<String> = Code::ALL.iter().map(|code| format!("{code}.md")).collect();
    let missing: Vec<&String> = codes.difference(&pages).collect();
    let left_over: Vec<&String> = pages.difference(&codes).collect();
    assert!(
        missing.is_empty(),
        "write these pages in docs/diagnostics, in the form of the others: {missing:?}"
    );
    assert!(
        left_over.is_empty(),
        "no code has the name of these pages in docs/diagnostics; take them out: {left_over:?}"
    );
    for code in Code::ALL {
        assert!(Path::new(&code.page()).ends_with(format!("docs/diagnostics/{code}.md")));
    }
}

#[test]
fn every_page_has_the_same_form() {
    let parts = ["## At run time", "## Instead", "## Example"];
    for code in Code::ALL {
        let page = page(*code);
        let path = code.page();
        assert_eq!(
            page.lines().next(),
            Some(format!("# {code}").as_str()),
            "{path}: the heading is the code"
        );
        let headings: Vec<&str> = page
            .lines()
            .filter(|line| line.starts_with("## "))
            .collect();
        assert_eq!(headings, parts, "{path}: its parts, in this order");
        for part in page.split("\n## ").map(|part| part.split_once("\n\n")) {
            let told = part.is_some_and(|(_, text)| !text.trim().is_empty());
            assert!(told, "{path}: each part says something: {part:?}");
        }
        let length = page.lines().count();
        assert!(
            length <= 50,
            "{path}: a page is short; this has {length} lines"
        );
    }
}

#[test]
fn what_a_page_prints_is_what_its_example_leads_to() {
    let fixtures = fixtures();
    for code in Code::ALL {
        let page = page(*code);
        let path = code.page();
        let example = page.split("## Example").nth(1).unwrap_or_default();
        let blocks = blocks(example);
        let [snippet, printed] = blocks.as_slice() else {
            panic!(
                "{path}: an example is a part of a file in a block, `prints`, and the text in another"
            );
        };
        assert!(
            example.contains("\n\nprints\n\n"),
            "{path}: `prints` stands between the two blocks of the example"
        );
        assert!(
            printed.contains(&format!("[{code}]: ")),
            "{path}: the example is of this code"
        );
        if let Some((_, told, _)) = NOT_IN_FIXTURES.iter().find(|(known, _, _)| known == code) {
            assert_eq!(printed, told, "{path}");
            continue;
        }
        let leads_to_it: Vec<&Fixture> = fixtures
            .iter()
            .filter(|fixture| fixture.findings.contains(printed))
            .collect();
        assert!(
            !leads_to_it.is_empty(),
            "{path}: no fixture in tests/refusals expects what this prints; copy one finding with its help from an `== expected`:\n{printed}"
        );
        let missing: Vec<String> = lines(snippet).filter(|line| line != "…").collect();
        assert!(
            leads_to_it
                .iter()
                .any(|fixture| missing.iter().all(|line| fixture.lines.contains(line))),
            "{path}: the fixture that prints this has other lines; write them as they stand there, and `…` for those left out:\n{snippet}"
        );
    }
}

#[test]
fn every_code_is_told_by_a_fixture() {
    let told: BTreeSet<String> = severities().into_keys().collect();
    let codes: BTreeSet<String> = Code::ALL.iter().map(|code| code.to_string()).collect();
    let untold: Vec<&String> = codes.difference(&told).collect();
    assert!(
        untold.is_empty(),
        "no fixture in tests/refusals leads to these; add one for each: {untold:?}"
    );
    assert_eq!(
        told.difference(&codes).next(),
        None,
        "a fixture tells what `Code::ALL` has not"
    );
}

#[test]
fn the_table_has_every_code_with_its_severities() {
    let readme = fs::read_to_string(folder().join("README.md")).unwrap();
    let rows: Vec<String> = readme
        .lines()
        .filter(|line| line.starts_with("| ["))
        .map(|line| {
            line.rsplit_once(" | ")
                .map_or(line, |(row, _)| row)
                .to_owned()
        })
        .collect();
    let mut expected: Vec<String> = Vec::new();
    for (code, told) in severities() {
        let told: Vec<&str> = ["error", "warning", "note", "hint"]
            .into_iter()
            .filter(|severity| told.contains(*severity))
            .collect();
        expected.push(format!("| [{code}]({code}.md) | {}", told.join(", ")));
    }
    for row in &expected {
        assert!(
            rows.contains(row),
            "docs/diagnostics/README.md: its table needs a row that begins so: {row}"
        );
    }
    assert_eq!(
        rows, expected,
        "docs/diagnostics/README.md: the codes stand once each, in the order of the alphabet"
    );
}

#[test]
fn a_file_that_no_configuration_is_as_large_as_is_refused() {
    let told = |files: &BTreeMap<String, String>, config: &str| {
        let options = Options {
            config: config.to_owned(),
            ..Options::default()
        };
        let found = compile(files, &options).expect_err("a file of 17 MB");
        found
            .iter()
            .map(|finding| finding.to_string())
            .collect::<Vec<_>>()
    };
    let large = " ".repeat(17 << 20);
    let mut files = base();
    files.insert("rules.json".to_owned(), large.clone());
    let (_, expected, _) = NOT_IN_FIXTURES.first().unwrap();
    assert_eq!(told(&files, "oathkeeper.yml"), [*expected]);
    files.insert("oathkeeper.yml".to_owned(), large);
    assert_eq!(
        told(&files, "oathkeeper.yml"),
        [expected.replace("rules.json", "oathkeeper.yml")]
    );
}

#[test]
fn the_words_of_a_mistake_of_edgekeepers_are_those_of_the_page() {
    let source = include_str!("../src/compile/report.rs");
    let (_, told, _) = NOT_IN_FIXTURES.last().unwrap();
    for line in told.lines() {
        let words = line
            .trim_start_matches("rules.json:2:3: error[internal]: ")
            .trim_start_matches("  help: ");
        assert!(
            source.contains(&format!("\"{words}\"")),
            "report.rs has other words than: {words}"
        );
    }
}
