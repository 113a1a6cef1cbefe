//! `edgekeeper test --record`: expectations from what a gateway did.

mod attempt;
mod observed;
mod scalar;
mod shape;
mod someone;
mod written;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use edgekeeper_policy::compile::{Sources as _, printable};

use self::attempt::Recorded;
use self::observed::{Observations, Observed};
use self::shape::{Shapes, encode};
use super::file::{self, Document};
use super::result::Tested;
use crate::decision;
use crate::explain::core::Core;
use crate::files::{self, FileSystem};
use crate::lines::{Lines, Piece};

/// No more tests are written, and no more notes.
const MOST: usize = 200;

/// What to do with a file that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum There {
    /// It stays as it is, and nothing is written.
    Stays,
    /// It is written anew.
    Goes,
    /// What was recorded comes behind what it has.
    Grows,
}

/// Why nothing was recorded.
pub(super) enum Failure {
    /// The log or the file cannot be read or written.
    Arguments(String),
    /// There is nothing to write.
    Nothing(String),
}

/// Reads a log, `-` for the input, and writes to `out` what the gateway did, as far as the policy does it without the real request.
/// Gives what to tell of it.
pub(super) fn record(log: &str, out: &str, there: There, core: &Core) -> Result<String, Failure> {
    let refused = |message| Failure::Arguments(format!("error: {message}"));
    let before = before(out, there)?;
    let observations = read(log)
        .map_err(|error| refused(format!("`{log}` cannot be read: {}", files::reason(&error))))?;
    if observations.count == 0 {
        return Err(Failure::Nothing(format!(
            "error: there is no decision in `{log}`; a line of one has `\"msg\":\"decision\"`, and with the gateway's variable `EXPLAIN=log` its explanation"
        )));
    }
    let (recorded, notes) = tests(&observations, before.as_ref(), core);
    if recorded.is_empty() {
        let mut message = format!("error: nothing of `{log}` can be expected of these rules");
        if before.is_some() && notes.is_empty() {
            message = format!("error: `{out}` has all of this already");
        }
        for note in notes {
            message.push_str(&format!("\n  {note}"));
        }
        return Err(Failure::Nothing(message));
    }
    let text = match &before {
        None => written::new(&recorded, &notes),
        Some((text, document)) => written::appended(text, document, &recorded, &notes)
            .map_err(|reason| refused(format!("`{out}` cannot be added to: {reason}")))?,
    };
    let own = before.map_or(0, |(_, document)| document.tests.len());
    verify(out, &text, own, recorded.len(), core).map_err(refused)?;
    files::write(Path::new(out), text.as_bytes(), 0o644).map_err(Failure::Arguments)?;
    Ok(format!(
        "{out}: {} written from {}; {} as comments, with why",
        counted(recorded.len(), "test"),
        counted(
            usize::try_from(observations.count).unwrap_or(usize::MAX),
            "decision"
        ),
        notes.len()
    ))
}

fn counted(number: usize, what: &str) -> String {
    let end = if number == 1 { "" } else { "s" };
    format!("{number} {what}{end}")
}

/// The file as it is, if it is to grow.
fn before(out: &str, there: There) -> Result<Option<(String, Document)>, Failure> {
    let is_there = Path::new(out).exists();
    match there {
        There::Stays if is_there => Err(Failure::Arguments(format!(
            "error: `{out}` is there already; `--append` adds to it, `--force` writes it anew, `--out FILE` names another"
        ))),
        There::Grows if is_there => {
            let text = FileSystem.read(out).map_err(|reason| {
                Failure::Arguments(format!("error: `{out}` cannot be read: {reason}"))
            })?;
            let document = file::parse(out, &text).map_err(Failure::Arguments)?;
            Ok(Some((text, document)))
        }
        _ => Ok(None),
    }
}

fn read(log: &str) -> io::Result<Observations> {
    if log == "-" {
        observe(io::stdin().lock())
    } else {
        observe(BufReader::new(File::open(log)?))
    }
}

fn observe(from: impl BufRead) -> io::Result<Observations> {
    let mut observations = Observations::default();
    let mut lines = Lines::new(from);
    while let Some(piece) = lines.next()? {
        if let Piece::Line(line) = piece
            && let Ok(line) = std::str::from_utf8(line)
        {
            for decision in decision::read(line) {
                observations.add(&decision);
            }
        }
    }
    Ok(observations)
}

/// The tests, and what is said of what is none.
fn tests(
    observations: &Observations,
    before: Option<&(String, Document)>,
    core: &Core,
) -> (Vec<Recorded>, Vec<String>) {
    let pattern = |observed: &Observed| {
        let id = observed.rule.as_deref()?;
        let rule = core.policy().rules.iter().find(|rule| rule.id == id)?;
        Some(rule.url.source())
    };
    let paths = observations.kinds.keys().map(|observed| {
        (
            observed.host.as_str(),
            observed.path.as_str(),
            pattern(observed).unwrap_or_default(),
        )
    });
    let shapes = Shapes::of(paths, &observations.people);
    // One of each kind, and how often that was seen.
    let mut kinds: BTreeMap<Observed, (String, String, u64)> = BTreeMap::new();
    for (observed, times) in &observations.kinds {
        let host = shapes.host(&observed.host);
        let shaped = shapes.shaped(
            &observed.host,
            &observed.path,
            pattern(observed).unwrap_or_default(),
        );
        let kind = Observed {
            path: shaped.shape.clone(),
            host: host.clone(),
            ..observed.clone()
        };
        let url = format!("{host}{}", encode(&shaped.path));
        let shown = format!(
            "{host}{}",
            encode(&shaped.shape).replace("%7Bid%7D", "{id}")
        );
        let (_, _, sum) = kinds.entry(kind).or_insert((url, shown, 0));
        *sum = sum.saturating_add(*times);
    }
    let mut recorded: Vec<Recorded> = Vec::new();
    let mut notes = Vec::new();
    let mut left_out: usize = usize::try_from(observations.left_out).unwrap_or(usize::MAX);
    for (observed, (url, shown, times)) in kinds {
        if recorded.len() >= MOST || notes.len() >= MOST {
            left_out = left_out.saturating_add(1);
            continue;
        }
        let reason = if url.starts_with('/') {
            Err("its host is not known".to_owned())
        } else {
            attempt::record(&observed, &url, core)
        };
        match reason {
            Ok(test) if recorded.contains(&test) || is_there(&test, before) => {}
            Ok(test) => recorded.push(test),
            Err(reason) => notes.push(note(&observed, &shown, times, &reason)),
        }
    }
    if left_out > 0 {
        notes.push(format!(
            "{left_out} more kinds of requests are not here: {MOST} tests are written, and {MOST} notes"
        ));
    }
    // Who adds to a file again is not told again.
    notes.retain(|note| !before.is_some_and(|(text, _)| text.contains(note.as_str())));
    (recorded, notes)
}

/// One line on a request that no test is made of.
fn note(observed: &Observed, shown: &str, times: u64, reason: &str) -> String {
    let came = match observed.status {
        Some(status) => format!("{status}"),
        None => "allowed".to_owned(),
    };
    let rule = observed.rule.as_deref().unwrap_or("none");
    let times = match times {
        1 => "once".to_owned(),
        times => format!("{times} times"),
    };
    let session = if observed.signed_in {
        ", signed in"
    } else {
        ""
    };
    printable(&format!(
        "not recorded: {} {shown} (rule {rule}, {came}{session}, {times}): {reason}",
        observed.method
    ))
}

/// Whether a file has a test of the same request by somebody of the same kind.
fn is_there(recorded: &Recorded, before: Option<&(String, Document)>) -> bool {
    let Some((_, document)) = before else {
        return false;
    };
    let Some(test) = recorded.as_test() else {
        return false;
    };
    let mut tests = document.tests.iter().map(|test| &test.case);
    let case = &test.case;
    tests.any(|own| {
        own.method == case.method
            && own.url == case.url
            && own.listener == case.listener
            && own.adds_credential == case.adds_credential
            && own.headers == case.headers
    })
}

/// Holds the file to what it is for: its own tests are all there, and those that were recorded pass.
fn verify(out: &str, text: &str, own: usize, recorded: usize, core: &Core) -> Result<(), String> {
    let wrong =
        || format!("`{out}` would not be as it should; please report this. Nothing was written");
    let document = file::parse(out, text).map_err(|_| wrong())?;
    if document.tests.len() != own.saturating_add(recorded) {
        return Err(wrong());
    }
    for test in document.tests.into_iter().skip(own) {
        if !Tested::of(test, core)?.passed() {
            return Err(wrong());
        }
    }
    Ok(())
}
