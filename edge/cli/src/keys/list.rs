//! `edgekeeper keys list`: which keys there are, and what each is for.

use std::env;
use std::path::PathBuf;

use clap::Args;
use edgekeeper_token::entry::KeyEntry;
use edgekeeper_token::imported::entry::ImportedEntry;
use edgekeeper_token::rotation::{KeyState, Rotation};
use edgekeeper_token::seal::Sealer;
use edgekeeper_token::succession::Succession;
use serde::Deserialize;

use super::store::Place;
use crate::time::{self, utc};

/// List the stored keys: whose turn it is, since when, until when. It never shows a private part
///
/// The secret is not needed. With `KEYS_SECRET` in the environment it also tells which keys do not open under it, and the
/// ids of imported keys, which are sealed with them.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  edgekeeper keys list --policy policy.json --state state
  edgekeeper keys list --policy policy.json --from entries.json")]
pub(crate) struct List {
    /// The policy document, for the rotation and the life of tokens
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,

    #[command(flatten)]
    place: Place,
}

pub(super) fn run(arguments: &List) -> Result<(), String> {
    let policy = super::policy(&arguments.policy)?;
    let rotation = super::rotation_of(&policy)?;
    let now = time::now()?;
    let stored = arguments.place.read()?;
    let sealer = match env::var_os(super::SECRET) {
        Some(_) => Some(super::sealer()?),
        None => None,
    };
    for problem in &stored.problems {
        eprintln!("warning: {problem}");
    }
    let mut rows = vec![Row::head()];
    rows.extend(keys(rotation, &stored.keys, sealer.as_ref(), now));
    for entry in &stored.imported {
        rows.extend(imported(entry, sealer.as_ref()));
    }
    print(&rows);
    if sealer.is_none() && !stored.imported.is_empty() {
        eprintln!(
            "note: the ids of imported keys are sealed; set {} to see them",
            super::SECRET
        );
    }
    Ok(())
}

/// One line.
struct Row([String; 6]);

impl Row {
    fn head() -> Self {
        Self(["ENTRY", "STATE", "ALG", "KID", "SIGNS FROM", "GONE"].map(str::to_owned))
    }
}

fn keys(rotation: Rotation, entries: &[KeyEntry], sealer: Option<&Sealer>, now: u64) -> Vec<Row> {
    // What the gateway leaves out has no part in whose turn it is.
    let is_used = |entry: &&KeyEntry| {
        entry.length() == rotation.length()
            && sealer.is_none_or(|sealer| entry.keys().all(|each| each.open(sealer).is_ok()))
    };
    let used: Vec<KeyEntry> = entries.iter().filter(is_used).cloned().collect();
    for entry in entries.iter().filter(|entry| !is_used(entry)) {
        let name = entry.name();
        if entry.length() == rotation.length() {
            eprintln!(
                "warning: {name} does not open under {}, so the gateway does without it",
                super::SECRET
            );
        } else {
            let (found, expected) = (entry.length(), rotation.length());
            eprintln!(
                "warning: {name} is for periods of {found} s, but keys rotate every {expected} s: the gateway does without it"
            );
        }
    }
    let succession = Succession::of(rotation, &used);
    let rows = succession
        .states(now)
        .zip(succession.ends())
        .map(|((place, state), end)| {
            let from = succession.signs_from(place);
            // A key that nobody could take the place of signs before its time.
            let early = state == KeyState::Signing && from > now;
            let from = match (early, end) {
                (true, _) => "now".to_owned(),
                (false, Some(end)) if end <= from => "never".to_owned(),
                (false, _) => utc(from),
            };
            let planned = rotation.start(place.period.saturating_add(1));
            let gone = rotation.gone_after(end.unwrap_or(planned));
            let mark = if end.is_none() { "*" } else { "" };
            Row([
                edgekeeper_token::entry::entry_name(place.period),
                state.to_string(),
                place.key.algorithm().to_string(),
                place.key.kid().to_owned(),
                from,
                format!("{}{mark}", utc(gone)),
            ])
        });
    rows.collect()
}

/// What may be shown of an imported key.
#[derive(Deserialize)]
struct Shown {
    kid: Option<String>,
    alg: Option<String>,
}

#[derive(Deserialize)]
struct ShownSet {
    keys: Vec<Shown>,
}

fn imported(entry: &ImportedEntry, sealer: Option<&Sealer>) -> Vec<Row> {
    let row = |alg: Option<String>, kid: Option<String>| {
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let (name, url) = (entry.name(), entry.url().to_owned());
        Row([
            name,
            "imported".to_owned(),
            or_dash(alg),
            or_dash(kid),
            url,
            "-".to_owned(),
        ])
    };
    let Some(sealer) = sealer else {
        return vec![row(None, None)];
    };
    let opened = match entry.open(sealer) {
        Ok(opened) => opened,
        Err(error) => {
            eprintln!("warning: {error}");
            return vec![row(None, None)];
        }
    };
    match serde_json::from_str::<ShownSet>(&opened) {
        Ok(set) => set
            .keys
            .into_iter()
            .map(|key| row(key.alg, key.kid))
            .collect(),
        Err(_) => vec![row(None, None)],
    }
}

fn print(rows: &[Row]) {
    let mut widths = [0; 6];
    for Row(cells) in rows {
        for (width, cell) in widths.iter_mut().zip(cells) {
            *width = cell.len().max(*width);
        }
    }
    for Row(cells) in rows {
        let padded = cells.iter().zip(widths);
        let line: Vec<String> = padded
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        println!("{}", line.join("  ").trim_end());
    }
    if rows
        .iter()
        .any(|Row(cells)| cells.iter().any(|cell| cell.ends_with('*')))
    {
        println!("* if the next key is made in time");
    }
}
