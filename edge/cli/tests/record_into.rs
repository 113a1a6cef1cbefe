//! `edgekeeper test --record` and the file that is there.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod folder;
mod process;
mod recording;

use std::fs;

use serde_json::json;

use recording::{explained, line, record, team, test, written};

#[test]
fn a_file_that_is_there_stays_unless_somebody_says_otherwise() {
    let folder = team(
        "there",
        &[line("GET", "/public", Some("public"), 200, json!({}))],
    );
    let own = "tests: []\n";
    fs::write(folder.join("edgekeeper.test.yml"), own).unwrap();
    let (code, _, err) = record(&folder, &[]);
    assert_eq!(code, Some(2));
    assert_eq!(
        err,
        "error: `edgekeeper.test.yml` is there already; `--append` adds to it, `--force` writes it anew, `--out FILE` names another\n"
    );
    assert_eq!(written(&folder), own);
    assert_eq!(record(&folder, &["--out", "other.yml"]).0, Some(0));
    assert_eq!(written(&folder), own);
    assert_eq!(test(&folder, &["other.yml"]).0, Some(0));
    assert_eq!(record(&folder, &["--force"]).0, Some(0));
    assert!(written(&folder).contains("/public"));
    // Another folder's configuration has its file beside it.
    let parent = folder.parent().unwrap();
    let (code, _, err) = process::run(
        parent,
        &[
            "test",
            "--record",
            "record-there/gateway.log",
            "--config",
            "record-there/oathkeeper.yml",
            "--force",
        ],
        "KEYS_SECRET",
        None,
    );
    assert_eq!(code, Some(0), "{err}");
    assert!(
        err.starts_with("record-there/edgekeeper.test.yml: 1 test written"),
        "{err}"
    );
}

const OWN: &str = "\
# The team's own.
sessions:
    # who
    ada: { id: ada }
tests:   # all of them
- request: GET https://app.example.com/public   # for all
  expect: { allow: true }

# The end.";

#[test]
fn a_file_grows_and_keeps_what_it_has() {
    let log = [
        explained("/orders/1", Some("ada")),
        line("GET", "/public", Some("public"), 200, json!({})),
        line("GET", "/public/a", Some("public"), 200, json!({})),
        line("GET", "/gone", Some("gone"), 200, json!({})),
    ];
    let folder = team("grows", &log);
    // Somebody has an editor of Windows.
    let own = OWN.replace("ada }\n", "ada }\r\n");
    fs::write(folder.join("edgekeeper.test.yml"), &own).unwrap();
    let (code, _, err) = record(&folder, &["--append"]);
    assert_eq!(code, Some(0), "{err}");
    assert!(
        err.ends_with("2 tests written from 4 decisions; 1 as comments, with why\n"),
        "{err}"
    );
    let text = written(&folder);
    assert!(text.contains("{ id: ada }\r\n"), "{text}");
    let kept: Vec<&str> = text
        .lines()
        .filter(|line| OWN.lines().any(|own| own == *line))
        .collect();
    assert_eq!(kept, OWN.lines().collect::<Vec<_>>());
    assert!(text.contains("sessions:\n    # Made up, for"), "{text}");
    assert!(
        text.contains(
            "\n# The end.\n- request: GET https://app.example.com/orders/1\n  session: someone\n"
        ),
        "{text}"
    );
    assert_eq!(test(&folder, &[]).0, Some(0));
    // It has all of it now.
    let (code, _, err) = record(&folder, &["--append"]);
    assert_eq!(
        (code, err.as_str()),
        (
            Some(1),
            "error: `edgekeeper.test.yml` has all of this already\n"
        )
    );
    assert_eq!(written(&folder), text);
    // Where there are no sessions yet, they come before the tests. A file that is not there is made.
    let own = "tests:\n    - { request: GET https://app.example.com/x, expect: { rule: none } }\n";
    fs::write(folder.join("other.yml"), own).unwrap();
    for out in ["other.yml", "anew.yml"] {
        assert_eq!(
            record(&folder, &["--append", "--out", out]).0,
            Some(0),
            "{out}"
        );
        assert_eq!(test(&folder, &[out]).0, Some(0), "{out}");
    }
    let other = fs::read_to_string(folder.join("other.yml")).unwrap();
    assert!(other.starts_with("sessions:\n  # Made up"), "{other}");
    assert!(other.contains("\ntests:\n    - { request"), "{other}");
}

#[test]
fn what_cannot_be_added_to_stays_as_it_is_and_the_reason_is_said() {
    let folder = team("cannot", &[explained("/orders/1", Some("ada"))]);
    let item = "{ request: GET https://app.example.com/x, expect: { rule: none } }";
    for (own, reason) in [
        (
            format!("tests: [{item}]\n"),
            "in line 1 something stands behind `tests:`; write that below it, each on a line of its own",
        ),
        (
            format!("tests:\n- {item}\nsessions:\n  a: {{ id: a }}\n"),
            "something comes after `tests`; move that before it",
        ),
        (
            format!("sessions: {{ a: {{ id: a }} }}\ntests:\n- {item}\n"),
            "in line 1 something stands behind `sessions:`",
        ),
        (format!("\"tests\":\n- {item}\n"), "it has no line `tests:`"),
        (
            format!("sessions:\n  someone: {{ id: a }}\ntests:\n- {item}\n"),
            "its session `someone` is not the one that recorded tests are about; call yours otherwise",
        ),
    ] {
        fs::write(folder.join("edgekeeper.test.yml"), &own).unwrap();
        let (code, _, err) = record(&folder, &["--append"]);
        assert_eq!(code, Some(2), "{own}");
        assert!(
            err.starts_with("error: `edgekeeper.test.yml` cannot be added to: "),
            "{err}"
        );
        assert!(err.contains(reason), "{own}: {err}");
        assert_eq!(written(&folder), own);
    }
    fs::write(folder.join("edgekeeper.test.yml"), "tests: 7").unwrap();
    let (code, _, err) = record(&folder, &["--append"]);
    assert_eq!(code, Some(2));
    assert!(err.starts_with("edgekeeper.test.yml:1:8: error: "), "{err}");
}
