//! Templates by chance, rendered here and by Go's own text/template with sprig (`tests/originals/templates`).
//!
//! `tests/originals/templates/run` builds the Go program and calls this.

#[path = "originals/documented.rs"]
mod documented;
#[path = "originals/functions.rs"]
mod functions;
#[path = "originals/random.rs"]
mod random;
#[path = "originals/session.rs"]
mod session;
#[path = "originals/sessions.rs"]
mod sessions;
#[path = "originals/templates.rs"]
mod templates;
#[path = "originals/words.rs"]
mod words;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use edgekeeper_template::{Missing, Output, Style, Template, Value};
use random::Random;
use serde_json::{Value as Json, json};
use session::Session;

const STYLE: Style = Style {
    missing: Missing::Go,
    output: Output::Text,
};

/// How a template ends, and with which words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ending {
    Output(String),
    Error(String),
    ParseError(String),
}

fn here(template: &str, data: &Json) -> Ending {
    let session = Session::new(data);
    match Template::parse("r:X", template) {
        Err(error) => Ending::ParseError(error.go),
        Ok(template) => match template.render(&Value::Object(&session), STYLE) {
            Ok(output) => Ending::Output(output),
            Err(error) => Ending::Error(error.to_string()),
        },
    }
}

fn there(answer: &Json) -> Ending {
    let text = |kind: &str| answer.get(kind).and_then(Json::as_str).map(str::to_owned);
    if let Some(text) = text("output") {
        Ending::Output(text)
    } else if let Some(text) = text("error") {
        Ending::Error(text)
    } else {
        Ending::ParseError(text("parse_error").unwrap_or_default())
    }
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|value| value.parse().ok())
        .unwrap_or(default)
}

#[test]
#[ignore = "needs the Go program; tests/originals/templates/run"]
fn templates_by_chance_end_as_in_go() {
    let program =
        std::env::var("ORIGINAL_TEMPLATES").expect("ORIGINAL_TEMPLATES is the Go program");
    let (seed, count) = (number("SEED", 1), number("CASES", 25_000));
    let mut random = Random::new(seed);
    let mut cases = Vec::new();
    for _ in 0..count.div_ceil(50) {
        let data = sessions::session(&mut random);
        for _ in 0..50 {
            cases.push((templates::template(&mut random), data.clone()));
        }
    }
    let mut original = Command::new(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut questions = original.stdin.take().unwrap();
    let answers = BufReader::new(original.stdout.take().unwrap());
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    let mut different = Vec::new();
    let (mut errors, mut worded) = (0usize, 0usize);
    let (mut refusals, mut refused_alike) = (0usize, 0usize);
    std::thread::scope(|scope| {
        let asked = &cases;
        scope.spawn(move || {
            for (template, data) in asked {
                let line = json!({ "template": template, "data": data });
                writeln!(questions, "{line}").unwrap();
            }
        });
        for ((template, data), line) in cases.iter().zip(answers.lines()) {
            let answer: Json = serde_json::from_str(&line.unwrap()).unwrap();
            let (here, there) = (here(template, data), there(&answer));
            let broken = answer.get("broken").is_some();
            if let (Ending::Error(here), Ending::Error(there)) = (&here, &there) {
                errors = errors.saturating_add(1);
                worded = worded.saturating_add(usize::from(here == there));
            }
            if let (Ending::ParseError(here), Ending::ParseError(there)) = (&here, &there) {
                refusals = refusals.saturating_add(1);
                refused_alike = refused_alike.saturating_add(usize::from(here == there));
                if here != there && number("PARSE", 0) > 0 {
                    eprintln!("\n{template:?}\n  here:  {here}\n  there: {there}");
                }
            }
            let kind = match (&here, &there) {
                (Ending::Output(_), _) if here == there => "equal outputs",
                (Ending::Error(_), _) if here == there => "equal errors",
                (Ending::ParseError(_), Ending::ParseError(_)) => "both refused when parsed",
                _ => match documented::reason(&here, &there, broken) {
                    Some(reason) => reason,
                    None => {
                        different.push((template, data, here, there));
                        "DIFFERENT"
                    }
                },
            };
            let seen = kinds.entry(kind).or_default();
            *seen = seen.saturating_add(1);
        }
    });
    original.wait().unwrap();
    for (template, data, here, there) in different.iter().take(number("SHOW", 20) as usize) {
        eprintln!("\n{template:?}\n  here:  {here:?}\n  there: {there:?}");
        if number("DATA", 0) > 0 {
            eprintln!("  data:  {data}");
        }
    }
    println!("seed {seed}: {} templates", cases.len());
    for (kind, count) in &kinds {
        println!("{count:>8}  {kind}");
    }
    println!("{refused_alike:>8}  of {refusals} refusals of both are worded alike");
    println!("{worded:>8}  of {errors} errors of both are worded alike");
    assert_eq!(
        kinds.values().sum::<usize>(),
        cases.len(),
        "an answer is missing"
    );
    assert!(different.is_empty(), "{} differ", different.len());
}
