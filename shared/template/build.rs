//! Packs the letter cases of the standard library into runs: see `src/letter_case.rs`.

use std::error::Error;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::{env, fs};

/// Characters at the same distance from each other whose other case is equally far away.
struct Run {
    first: u32,
    last: u32,
    step: u32,
    by: i32,
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let mut text = String::new();
    let lower = |c: char| c.to_lowercase().next();
    // Go maps one character to one: what becomes several (ß to SS) stays as it is.
    let upper = |c: char| {
        let mut upper = c.to_uppercase();
        upper.next().filter(|_| upper.next().is_none())
    };
    write(&mut text, "LOWER", &runs(lower))?;
    write(&mut text, "UPPER", &runs(upper))?;
    let folder = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(folder.join("letter_case.rs"), text)?;
    Ok(())
}

fn runs(other: impl Fn(char) -> Option<char>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for c in '\0'..=char::MAX {
        let Some(other) = other(c).filter(|other| *other != c) else {
            continue;
        };
        let code = u32::from(c);
        let by = u32::from(other)
            .cast_signed()
            .wrapping_sub(code.cast_signed());
        let step = |run: &Run| code.saturating_sub(run.last);
        match runs.last_mut() {
            Some(run) if run.by == by && run.first == run.last && step(run) <= 2 => {
                run.step = step(run);
                run.last = code;
            }
            Some(run) if run.by == by && run.first != run.last && step(run) == run.step => {
                run.last = code;
            }
            _ => runs.push(Run {
                first: code,
                last: code,
                step: 1,
                by,
            }),
        }
    }
    runs
}

fn write(text: &mut String, name: &str, runs: &[Run]) -> std::fmt::Result {
    writeln!(text, "static {name}: &[Run] = &[")?;
    for Run {
        first,
        last,
        step,
        by,
    } in runs
    {
        writeln!(
            text,
            "    Run {{ first: {first}, last: {last}, step: {step}, by: {by} }},"
        )?;
    }
    writeln!(text, "];")
}
