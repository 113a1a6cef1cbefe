//! `edgekeeper check` as an operator meets it: every mistake of a team's files in one run, in each format, and files that are
//! none.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod folder;
mod process;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;

use process::Ended;

fn team() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/team")
}

fn folder(name: &str, files: &[(&str, &[u8])]) -> PathBuf {
    folder::with(&format!("check-{name}"), files)
}

fn check(folder: &Path, arguments: &[&str]) -> Ended {
    let mut all = vec!["check"];
    all.extend(arguments);
    process::run(folder, &all, "NO_COLOR", None)
}

const CONFIG: &str = "
access_rules: { repositories: [file://./rules.json] }
authenticators: { noop: { enabled: true } }
authorizers: { allow: { enabled: true } }
mutators: { noop: { enabled: true } }
";

fn rule(id: &str, url: &str) -> String {
    format!(
        r#"{{ "id": "{id}", "match": {{ "url": "{url}", "methods": ["GET"] }}, "upstream": {{ "url": "https://web.example.com" }},
    "authenticators": [{{ "handler": "noop" }}], "authorizer": {{ "handler": "allow" }}, "mutators": [{{ "handler": "noop" }}] }}"#
    )
}

#[test]
fn every_mistake_is_shown_at_its_line_in_one_run() {
    let (code, out, err) = check(&team(), &[]);
    assert_eq!((code, err.as_str()), (Some(1), ""));
    let expected = fs::read_to_string(team().join("expected.txt")).unwrap_or_default();
    if std::env::var_os("BLESS").is_some() {
        fs::write(team().join("expected.txt"), &out).unwrap();
    }
    assert!(out == expected, "BLESS=1 writes what it says now:\n{out}");
}

#[test]
fn each_format_tells_the_same() {
    let (_, out, _) = check(&team(), &["--format", "json"]);
    let document: Value = serde_json::from_str(&out).unwrap();
    let findings = document["findings"].as_array().unwrap();
    let mut expected: Vec<(String, String, u64)> = Vec::new();
    for finding in findings {
        expected.push((
            finding["code"].as_str().unwrap().to_owned(),
            finding["file"].as_str().unwrap().to_owned(),
            finding["line"].as_u64().unwrap(),
        ));
    }
    let told = document["counts"].as_object().unwrap();
    let sum: u64 = told.values().map(|count| count.as_u64().unwrap()).sum();
    assert_eq!(sum, u64::try_from(findings.len()).unwrap());
    assert_eq!(document["rules"], Value::Null, "it cannot be built");

    let (code, out, _) = check(&team(), &["--format", "sarif"]);
    assert_eq!(code, Some(1));
    let sarif: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let told: Vec<(String, String, u64)> = results
        .iter()
        .map(|result| {
            let place = &result["locations"][0]["physicalLocation"];
            (
                result["ruleId"].as_str().unwrap().to_owned(),
                place["artifactLocation"]["uri"]
                    .as_str()
                    .unwrap()
                    .to_owned(),
                place["region"]["startLine"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(told, expected);
    let rules = sarif["runs"][0]["tool"]["driver"]["rules"]
        .as_array()
        .unwrap();
    assert!(
        told.iter()
            .all(|(code, _, _)| rules.iter().any(|rule| rule["id"] == code.as_str()))
    );

    let (_, out, _) = check(&team(), &["--format", "github"]);
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), expected.len());
    for (line, (code, file, number)) in lines.iter().zip(&expected) {
        let place = format!(" file={file},line={number},col=");
        assert!(
            line.contains(&place) && line.contains(&format!("title={code}::")),
            "{line}"
        );
    }
}

#[test]
fn files_that_are_right_say_nothing_at_all() {
    let rules = format!("[{}]", rule("web", "https://app.example.com/<.*>"));
    let folder = folder(
        "right",
        &[
            ("oathkeeper.yml", CONFIG.as_bytes()),
            ("rules.json", rules.as_bytes()),
        ],
    );
    assert_eq!(check(&folder, &[]), (Some(0), String::new(), String::new()));
    assert_eq!(
        check(&folder, &["--deny", "notes"]),
        (Some(0), String::new(), String::new())
    );
    let (code, out, _) = check(&folder, &["--format", "json"]);
    let document: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &document["rules"]), (Some(0), &Value::from(1)));
    let (code, out, _) = check(&folder, &["--format", "github"]);
    assert_eq!((code, out.as_str()), (Some(0), ""));
}

#[test]
fn warnings_and_notes_fail_only_where_they_are_denied() {
    let warned = rule("web", "https://app.example.com/<.*>")
        .replace("https://web.example.com", "http://web-svc");
    let noted = rule("web", "https://app.example.com/<.*$>");
    for (name, rules, codes) in [("warned", warned, [0, 1, 1]), ("noted", noted, [0, 0, 1])] {
        let rules = format!("[{rules}]");
        let folder = folder(
            name,
            &[
                ("oathkeeper.yml", CONFIG.as_bytes()),
                ("rules.json", rules.as_bytes()),
            ],
        );
        for (arguments, expected) in [&[][..], &["--deny", "warnings"], &["--deny", "notes"]]
            .into_iter()
            .zip(codes)
        {
            let (code, out, _) = check(&folder, arguments);
            assert_eq!(code, Some(expected), "{name} {arguments:?}: {out}");
            assert!(out.contains("rules.json:1:"), "{out}");
        }
    }
}

#[test]
fn wrong_arguments_are_2_with_what_to_write() {
    let folder = folder("arguments", &[]);
    for (arguments, message) in [
        (
            &[][..],
            "error: there is no `oathkeeper.yml` in this folder; name Oathkeeper's configuration: `edgekeeper check path/to/oathkeeper.yml`\n",
        ),
        (
            &["edge.yml"],
            "error: which configuration? name Oathkeeper's, too: `edgekeeper check oathkeeper.yml edge.yml`\n",
        ),
        (
            &["a.yml", "b.yml"],
            "error: both `a.yml` and `b.yml` would be Oathkeeper's configuration; name one, and `edge.yml` by `--edge`. The rules are found in `access_rules.repositories`\n",
        ),
    ] {
        assert_eq!(
            check(&folder, arguments),
            (Some(2), String::new(), message.to_owned())
        );
    }
    let (code, _, err) = check(&folder, &["--format", "yaml"]);
    assert_eq!(code, Some(2));
    assert!(
        err.contains("[possible values: human, json, sarif, github]"),
        "{err}"
    );
}

#[test]
fn colours_are_for_terminals() {
    let (_, plain, _) = check(&team(), &[]);
    assert!(!plain.contains('\u{1b}'));
    let (_, coloured, _) = check(&team(), &["--color", "always"]);
    assert!(coloured.contains("\u{1b}[1;31merror[trailing-comma]\u{1b}[0m"));
}

/// A name, a configuration, rules, the exit code, and a part of what is told.
type Case = (&'static str, Vec<u8>, Vec<u8>, i32, &'static str);

/// What is no configuration ends soon, in bounded memory, with a message at its place.
#[test]
fn input_that_is_none_is_told_in_time() {
    let mut bomb = String::from("a: &a [x, x, x, x, x, x, x, x, x, x]\n");
    for (name, of) in ('b'..='j').zip('a'..='i') {
        bomb.push_str(&format!(
            "{name}: &{name} [{}]\n",
            vec![format!("*{of}"); 10].join(", ")
        ));
    }
    let many = |count: usize| {
        let rules: Vec<String> = (0..count)
            .map(|n| {
                format!(
                    r#"{{"id":"r{n}","match":{{"url":"https://h{n}.example.com/<.*>","methods":["GET"]}},"authenticators":[{{"handler":"noop"}}],"authorizer":{{"handler":"allow"}},"mutators":[{{"handler":"noop"}}]}}"#
                )
            })
            .collect();
        format!("[{}]", rules.join(",\n")).into_bytes()
    };
    let rules = |text: &str| format!("[{}]", text).into_bytes();
    let good = rule("web", "https://app.example.com/<.*>");
    let cases: Vec<Case> = vec![
        (
            "50 MB",
            CONFIG.into(),
            vec![b' '; 50 << 20],
            1,
            "error[file-too-large]: the file has more than 16 MB\n--> rules.json\n",
        ),
        (
            "bomb",
            bomb.into_bytes(),
            rules(&good),
            1,
            "error[yaml-syntax]: with its aliases put in place this document has more than",
        ),
        (
            "UTF-16",
            vec![0xff, 0xfe, b'a', 0],
            rules(&good),
            1,
            "error[unreadable-file]: the file cannot be read: it is not UTF-8 text, but UTF-16; save it as UTF-8\n--> oathkeeper.yml\n",
        ),
        (
            "BOM",
            [b"\xef\xbb\xbf", CONFIG.as_bytes()].concat(),
            rules(&good),
            0,
            "",
        ),
        (
            "CRLF",
            CONFIG.replace('\n', "\r\n").into_bytes(),
            rules(&good.replace('\n', "\r\n")),
            0,
            "",
        ),
        (
            "tabs",
            CONFIG
                .replace("mutators: {", "mutators:\n\tnoop: {")
                .into_bytes(),
            rules(&good),
            1,
            "error[yaml-syntax]: this is not YAML",
        ),
        (
            "anchors",
            CONFIG
                .replace(
                    "noop: { enabled: true } }\nauthorizers",
                    "noop: &on { enabled: true } }\nauthorizers",
                )
                .replace("allow: { enabled: true }", "allow: *on")
                .into_bytes(),
            rules(&good),
            0,
            "",
        ),
        (
            "twice",
            format!("{CONFIG}mutators: {{}}\n").into_bytes(),
            rules(&good),
            1,
            "error[duplicate-key]: the key `mutators` is here a second time",
        ),
        (
            "comment",
            CONFIG.into(),
            rules(&format!("// mine\n{good}")),
            1,
            "error[json-comment]: JSON has no comments",
        ),
        ("brackets", CONFIG.into(), vec![b'['; 1 << 20], 1, "error["),
        (
            "NUL",
            CONFIG.into(),
            rules(&good.replace("web\"", "we\u{0}b\"")),
            1,
            "error[json-syntax]",
        ),
        (
            "100,000 rules in one file",
            CONFIG.into(),
            many(100_000),
            1,
            "error[file-too-large]: the file has more than 16 MB",
        ),
        ("30,000 rules", CONFIG.into(), many(30_000), 0, ""),
    ];
    for (name, config, rules, expected, message) in cases {
        let folder = folder(
            "input",
            &[("oathkeeper.yml", &config), ("rules.json", &rules)],
        );
        let began = Instant::now();
        let (code, out, err) = check(&folder, &[]);
        let start: String = out.chars().take(400).collect();
        assert_eq!(code, Some(expected), "{name}: {start}{err}");
        assert!(out.contains(message), "{name}: {start}");
        assert!(
            began.elapsed() < Duration::from_secs(120),
            "{name} took {:?}",
            began.elapsed()
        );
    }
}

#[test]
fn a_finding_is_told_once_however_many_rules_have_it() {
    let rules: Vec<String> = (0..20)
        .map(|n| {
            rule(&format!("r{n}"), &format!("https://h{n}.example.com/<.*>"))
                .replace("https://web.example.com", "http://web-svc")
        })
        .collect();
    let rules = format!("[{}]", rules.join(",\n"));
    let folder = folder(
        "once",
        &[
            ("oathkeeper.yml", CONFIG.as_bytes()),
            ("rules.json", rules.as_bytes()),
        ],
    );
    let (_, out, _) = check(&folder, &["--format", "github"]);
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for line in out.lines() {
        let code = line
            .split("title=")
            .nth(1)
            .and_then(|rest| rest.split("::").next());
        *counts.entry(code.unwrap_or_default()).or_default() += 1;
    }
    assert_eq!(counts.get("upstream-unmapped"), Some(&1), "{out}");
}

#[test]
fn of_thousands_of_findings_the_first_are_shown_and_all_are_counted() {
    let rules: Vec<String> = (0..2_500)
        .map(|n| {
            rule(&format!("r{n}"), &format!("https://h{n}.example.com/<.*>")).replace("GET", "GTE")
        })
        .collect();
    let rules = format!("[{}]", rules.join(",\n"));
    let folder = folder(
        "thousands",
        &[
            ("oathkeeper.yml", CONFIG.as_bytes()),
            ("rules.json", rules.as_bytes()),
        ],
    );
    let (code, out, _) = check(&folder, &[]);
    assert_eq!(code, Some(0));
    assert_eq!(out.matches("warning[invalid-method]").count(), 2_000);
    assert!(
        out.ends_with("and 500 more; `--format json` has all of them\n\n2500 warnings\n"),
        "{}",
        out.lines().rev().take(4).collect::<Vec<_>>().join("|")
    );
}

#[test]
fn a_text_of_megabytes_is_cut_in_what_is_told() {
    let rules = format!(
        "[{}]",
        rule("web", "https://app.example.com/<.*>").replace("GET", &"G".repeat(4 << 20))
    );
    let folder = folder(
        "megabytes",
        &[
            ("oathkeeper.yml", CONFIG.as_bytes()),
            ("rules.json", rules.as_bytes()),
        ],
    );
    let (code, out, _) = check(&folder, &[]);
    assert_eq!(code, Some(0));
    assert!(out.contains("warning[invalid-method]") && out.len() < 10_000);
}
