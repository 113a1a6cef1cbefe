//! Every refusal of the compiler: one fixture each, with all that it must say.
//!
//! A fixture replaces some of the files in `refusals/base` and lists the expected findings. `BLESS=1 cargo test`
//! rewrites the lists; look at the difference before it is committed.

#![cfg(feature = "compile")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod fixture;

use std::fs;

use edgekeeper_policy::compile::{Diagnostic, Options, compile};
use edgekeeper_policy::document::Policy;

use fixture::{EXPECTED, base, paths, sections};

fn run(sections: &[(String, String)]) -> (Option<Policy>, Vec<Diagnostic>) {
    let mut files = base();
    let mut options = Options {
        config: "oathkeeper.yml".to_owned(),
        ..Options::default()
    };
    for (name, content) in sections {
        match name.as_str() {
            EXPECTED => {}
            "strict" => options.strict = true,
            "thorough" => options.thorough = true,
            "missing" => {
                files.remove(content.trim()).expect("a file to miss");
            }
            name => {
                files.insert(name.to_owned(), content.clone());
            }
        }
    }
    options.edge = files
        .contains_key("edge.yml")
        .then(|| "edge.yml".to_owned());
    match compile(&files, &options) {
        Ok((policy, found)) => (Some(policy), found),
        Err(found) => (None, found),
    }
}

#[test]
fn every_mistake_is_told_at_its_place_with_its_cure() {
    let mut wrong = Vec::new();
    for path in paths() {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let mut sections = sections(&fs::read_to_string(&path).unwrap());
        let (policy, found) = run(&sections);
        let said: String = found
            .iter()
            .map(|diagnostic| format!("{diagnostic}\n"))
            .collect();
        let said = format!(
            "{}{said}",
            if policy.is_some() {
                "built\n"
            } else {
                "refused\n"
            }
        );

        let expected = sections
            .iter()
            .find(|(name, _)| name == EXPECTED)
            .map(|(_, text)| text.clone());
        if expected.as_deref() == Some(said.as_str()) {
            continue;
        }
        if std::env::var_os("BLESS").is_some() {
            sections.retain(|(name, _)| name != EXPECTED);
            sections.push((EXPECTED.to_owned(), said));
            let text: String = sections
                .iter()
                .map(|(name, text)| format!("== {name}\n{text}"))
                .collect();
            fs::write(&path, text).unwrap();
        }
        wrong.push(name);
    }
    assert!(
        wrong.is_empty(),
        "these fixtures say something else: {wrong:?}"
    );
}

#[test]
fn the_files_that_fixtures_change_are_right_themselves() {
    let (policy, found) = run(&[]);
    assert_eq!(found, Vec::new());
    let policy = policy.unwrap();
    assert_eq!(policy.rules.len(), 1);
    assert_eq!(Policy::from_json(&policy.to_json().unwrap()), Ok(policy));
}

#[test]
fn there_is_a_fixture_for_everything() {
    assert!(paths().len() > 100, "a fixture went missing");
}
