//! `edgekeeper check` on files that are large in one thing: it ends soon, in bounded memory, and says what there is to say.

#![allow(clippy::unwrap_used)]

mod folder;
mod process;

use std::time::{Duration, Instant};

const CONFIG: &str = "
access_rules: { repositories: [file://./rules.json] }
authenticators: { noop: { enabled: true } }
authorizers: { allow: { enabled: true } }
mutators: { noop: { enabled: true } }
";

fn rule(path: &str) -> String {
    format!(
        r#"{{ "id": "web", "match": {{ "url": "https://app.example.com/{path}", "methods": ["GET"] }}, "upstream": {{ "url": "https://web.example.com" }},
    "authenticators": [{{ "handler": "noop" }}], "authorizer": {{ "handler": "allow" }}, "mutators": [{{ "handler": "noop" }}] }}"#
    )
}

fn good() -> String {
    format!("[{}]", rule("<.*>"))
}

/// `"k0": 1, "k1": 1, …`
fn keys(count: usize) -> String {
    let keys: Vec<String> = (0..count).map(|n| format!("\"k{n}\": 1")).collect();
    keys.join(", ")
}

/// What is told of a configuration and a file of rules, which must not take long: what takes the square of its size takes hours.
fn told(name: &str, config: &str, rules: &str) -> (Option<i32>, String) {
    let folder = folder::with(
        &format!("check-large-{name}"),
        &[
            ("oathkeeper.yml", config.as_bytes()),
            ("rules.json", rules.as_bytes()),
        ],
    );
    let began = Instant::now();
    let (code, out, err) = process::run(&folder, &["check"], "NO_COLOR", None);
    let took = began.elapsed();
    assert!(took < Duration::from_secs(120), "{name} took {took:?}");
    assert_eq!(err, "");
    (code, out)
}

#[track_caller]
fn expect(name: &str, config: &str, rules: &str, code: i32, beginning: &str) {
    let (ended, out) = told(name, config, rules);
    let start: String = out.chars().take(600).collect();
    assert!(out.starts_with(beginning), "{start}");
    assert_eq!(ended, Some(code), "{start}");
    assert!(out.len() < 4 << 20, "{} bytes are told", out.len());
}

#[test]
fn a_table_has_any_number_of_keys() {
    let rules = good().replacen('{', &format!("{{ {}, ", keys(200_000)), 1);
    let message = "error[unknown-key]: rule \"web\": there is no key `k0`\n --> rules.json:1:4\n";
    expect("keys", CONFIG, &rules, 1, message);
    let config = format!("{CONFIG}x: {{ {} }}\n", keys(200_000));
    let message = "error[unknown-key]: there is no key `x`\n --> oathkeeper.yml:6:1\n";
    expect("yaml-keys", &config, &good(), 1, message);
}

#[test]
fn a_rule_has_any_number_of_methods() {
    let methods: Vec<String> = (0..20_000).map(|n| format!("\"M{n}\"")).collect();
    let rules = good().replace("\"GET\"", &methods.join(","));
    let message = "warning[invalid-method]: rule \"web\": `M0` is not a method of HTTP\n";
    expect("methods", CONFIG, &rules, 0, message);
}

#[test]
fn places_inside_of_texts_are_found_in_files_of_many_lines_and_of_one() {
    let rules = format!("[{}]", vec![rule("<[z-a]>"); 15_000].join(","));
    for (name, rules) in [
        ("one-line", rules.replace('\n', "")),
        ("many-lines", rules.replace(", ", ",\n")),
    ] {
        expect(
            name,
            CONFIG,
            &rules,
            1,
            "error[url-pattern]: rule \"web\": ",
        );
    }
}

#[test]
fn without_aliases_a_document_in_yaml_has_any_number_of_values() {
    let config = format!("{CONFIG}x:\n{}", "- 1\n".repeat(250_000));
    let message = "error[unknown-key]: there is no key `x`\n --> oathkeeper.yml:6:1\n";
    expect("values", &config, &good(), 1, message);
}

#[test]
fn anchors_in_anchors_are_bounded() {
    let anchors: String = (0..60).map(|n| format!("&a{n} [")).collect();
    let (values, ends) = ("1,".repeat(40_000), "]".repeat(60));
    let config = format!("{CONFIG}x: {anchors}{values}{ends}\n");
    let (code, out) = told("anchors", &config, &good());
    let (first, rest) = out.split_once('\n').unwrap();
    assert_eq!(
        first,
        "error[yaml-syntax]: the anchors of this document stand for more than 2000000 values"
    );
    let help = "= help: an anchor in another counts again; take out those that no alias needs";
    assert!(rest.contains(help), "{rest}");
    assert_eq!(code, Some(1));
}

#[test]
fn a_name_of_megabytes_does_not_stand_before_each_finding() {
    let id = format!("{}, \"id\": \"{}\"", keys(3_000), "n".repeat(3 << 20));
    let rules = good().replace("\"id\": \"web\"", &id);
    let message = format!(
        "error[unknown-key]: rule \"{}…\": there is no key `k0`\n",
        "n".repeat(200)
    );
    expect("name", CONFIG, &rules, 1, &message);
}

#[test]
fn all_rules_together_are_bounded() {
    let files = vec!["file://./rules.json"; 100].join(", ");
    let config = CONFIG.replace("file://./rules.json", &files);
    let rules = format!("[{}]", " ".repeat(9 << 20));
    let (code, out) = told("together", &config, &rules);
    let message = "error[file-too-large]: the rules before this have more than 48 MB together; from here on no file is read\n";
    assert!(out.contains(message), "{out}");
    let help = "= help: name each file once; so many rules are for several gateways";
    assert!(out.contains(help), "{out}");
    assert_eq!(code, Some(1));
}

#[test]
fn lines_that_a_carriage_return_ends_are_lines() {
    let config = CONFIG.replace("mutators", "mutator").replace('\n', "\r");
    let message = "error[unknown-key]: there is no key `mutator`\n --> oathkeeper.yml:5:1\n  |\n5 | mutator: {";
    expect("returns", &config, &good(), 1, message);
}

#[cfg(unix)]
#[test]
fn of_a_device_without_an_end_no_more_is_read_than_counts() {
    let folder = folder::with(
        "check-large-device",
        &[("oathkeeper.yml", CONFIG.as_bytes())],
    );
    let rules = folder.join("rules.json");
    // Another run has left it there.
    let _ = std::fs::remove_file(&rules);
    std::os::unix::fs::symlink("/dev/zero", rules).unwrap();
    let (code, out, _) = process::run(&folder, &["check"], "NO_COLOR", None);
    let message = "error[file-too-large]: the file has more than 16 MB\n--> rules.json\n";
    assert!(out.starts_with(message), "{out}");
    assert_eq!(code, Some(1));
}
