//! The command as an operator meets it: exit codes, what is printed where, and which files there are afterwards.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod process;

use std::fs;
use std::path::{Path, PathBuf};

use edgekeeper_policy::document::Policy;
use edgekeeper_token::entry::KeyEntry;
use edgekeeper_token::seal::Sealer;

use process::Ended;

const CONFIG: &str = "
access_rules: { repositories: [file:///etc/rules.json] }
authenticators: { noop: { enabled: true } }
authorizers: { allow: { enabled: true } }
mutators: { noop: { enabled: true } }
log: { leak_sensitive_values: true }
";

const RULES: &str = r#"[{
  "id": "web",
  "match": { "url": "https://app.example.com/<.*>", "methods": ["GET"] },
  "authenticators": [{ "handler": "noop" }],
  "authorizer": { "handler": "allow" },
  "mutators": [{ "handler": "noop" }]
}]"#;

const SECRET: &str = "0123456789abcdef0123456789abcdef0123456789ab";

/// An empty folder of a test's own, with the operator's files in it.
fn folder(name: &str, rules: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(folder.join("root/etc")).unwrap();
    fs::write(folder.join("oathkeeper.yml"), CONFIG).unwrap();
    fs::write(folder.join("root/etc/rules.json"), rules).unwrap();
    folder
}

fn run(folder: &Path, arguments: &[&str], secret: Option<&str>) -> Ended {
    process::run(folder, arguments, "KEYS_SECRET", secret)
}

const BUILD: [&str; 7] = [
    "build",
    "--config",
    "oathkeeper.yml",
    "--root",
    "root",
    "--out",
    "policy.json",
];

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn build_writes_what_the_edge_can_load() {
    let folder = folder("build", RULES);
    let (code, out, err) = run(&folder, &BUILD, None);
    assert_eq!(code, Some(0), "{err}");
    assert!(out.starts_with("policy.json: 1 rule, "), "{out}");
    assert!(
        err.starts_with("oathkeeper.yml:6:31: warning[leak-sensitive-values]: "),
        "warnings go to stderr: {err}"
    );
    let policy =
        Policy::from_json(&fs::read_to_string(folder.join("policy.json")).unwrap()).unwrap();
    assert_eq!(policy.rules[0].id, "web");
    assert_eq!(
        names(&folder),
        ["oathkeeper.yml", "policy.json", "root"],
        "nothing else is left behind"
    );
}

#[test]
fn build_lets_a_spin_component_reach_what_the_rules_need() {
    let rules = RULES.replace(
        "\"match\"",
        "\"upstream\": { \"url\": \"http://frames:8080/\" },\n  \"match\"",
    );
    let folder = folder("spin", &rules);
    let manifest = "spin_manifest_version = 2\n[component.gateway]\nsource = \"a.wasm\" # ours\n";
    fs::write(folder.join("spin.toml"), manifest).unwrap();
    let mut arguments = BUILD.to_vec();
    arguments.extend(["--spin-manifest", "spin.toml"]);
    let (code, out, err) = run(&folder, &arguments, None);
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(
        err.contains("spin.toml: error: there is no component `edgekeeper`; there is `gateway`"),
        "{err}"
    );
    assert_eq!(
        fs::read_to_string(folder.join("spin.toml")).unwrap(),
        manifest
    );
    assert!(!folder.join("policy.json").exists(), "all or nothing");

    arguments.extend(["--spin-component", "gateway"]);
    let (code, out, err) = run(&folder, &arguments, None);
    assert_eq!(code, Some(0), "{err}");
    assert!(out.ends_with("spin.toml: may reach 1 host\n"), "{out}");
    assert_eq!(
        fs::read_to_string(folder.join("spin.toml")).unwrap(),
        format!("{manifest}allowed_outbound_hosts = [\"http://frames:8080\"]\n")
    );

    // The same from the document alone.
    fs::write(folder.join("spin.toml"), manifest).unwrap();
    let arguments = [
        "spin",
        "--policy",
        "policy.json",
        "--manifest",
        "spin.toml",
        "--component",
        "gateway",
    ];
    let (code, out, err) = run(&folder, &arguments, None);
    assert_eq!(
        (code, out.as_str(), err.as_str()),
        (Some(0), "spin.toml: may reach 1 host\n", "")
    );
    let (code, _, err) = run(
        &folder,
        &["spin", "--policy", "none.json", "--manifest", "spin.toml"],
        None,
    );
    assert_eq!(code, Some(1));
    assert!(
        err.starts_with("none.json: error: the file cannot be read: no such file or folder"),
        "{err}"
    );
}

#[test]
fn a_refused_build_leaves_the_old_policy_alone() {
    let folder = folder(
        "refused",
        &RULES.replace("\"noop\" }]\n}]", "\"nop\" }],\n}]"),
    );
    fs::write(folder.join("policy.json"), "old").unwrap();
    let (code, out, err) = run(&folder, &BUILD, None);
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(
        err.contains("root/etc/rules.json:6:29: error[unknown-handler]: rule \"web\": there is no mutator `nop`"),
        "{err}"
    );
    assert!(
        err.contains(
            "root/etc/rules.json:6:37: error[trailing-comma]: a comma with nothing behind it"
        ),
        "all at once: {err}"
    );
    assert!(err.ends_with("2 errors; nothing was written\n"), "{err}");
    assert_eq!(
        fs::read_to_string(folder.join("policy.json")).unwrap(),
        "old"
    );
}

#[test]
fn files_that_are_not_there_are_named() {
    let folder = folder("missing", RULES);
    let (code, _, err) = run(
        &folder,
        &["build", "-c", "nothing.yml", "-o", "p.json"],
        None,
    );
    assert_eq!(code, Some(1));
    assert!(
        err.starts_with(
            "nothing.yml: error[unreadable-file]: the file cannot be read: no such file or folder"
        ),
        "{err}"
    );
    let (code, _, err) = run(&folder, &["build", "-c", "root", "-o", "p.json"], None);
    assert_eq!(code, Some(1));
    assert!(
        err.starts_with("root: error[unreadable-file]: the file cannot be read: it is a folder"),
        "{err}"
    );
    let (code, _, err) = run(
        &folder,
        &[
            "build",
            "-c",
            "oathkeeper.yml",
            "--root",
            "root",
            "-o",
            "no/p.json",
        ],
        None,
    );
    assert_eq!(code, Some(1));
    assert!(
        err.contains("`no/p.json` cannot be written: no such file or folder"),
        "{err}"
    );
}

#[test]
fn a_new_key_opens_under_its_secret_and_shows_it_to_nobody() {
    let folder = folder("key", RULES);
    let arguments = [
        "keys",
        "new",
        "--algorithm",
        "ES256",
        "--rotation",
        "7d",
        "--out",
        "key.json",
    ];
    let (code, out, err) = run(&folder, &arguments, Some(SECRET));
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(
        out.contains("npx wrangler kv bulk put key.json --binding KEYS"),
        "{out}"
    );
    let text = fs::read_to_string(folder.join("key.json")).unwrap();
    assert!(!text.contains(SECRET) && !out.contains(SECRET));
    let file: serde_json::Value = serde_json::from_str(&text).unwrap();
    let (name, value) = (
        file[0]["key"].as_str().unwrap(),
        file[0]["value"].as_str().unwrap(),
    );
    let entry = KeyEntry::parse(name, value).unwrap();
    assert!(entry.open(&Sealer::new(SECRET.as_bytes()).unwrap()).is_ok());
    assert!(
        entry
            .open(&Sealer::new(SECRET.replace('0', "1").as_bytes()).unwrap())
            .is_err()
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(folder.join("key.json"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn no_key_without_a_good_secret_and_rotation() {
    let folder = folder("no-key", RULES);
    for (arguments, secret, expected) in [
        (
            vec!["keys", "new", "--out", "k"],
            None,
            "KEYS_SECRET is not set",
        ),
        (
            vec!["keys", "new", "--out", "k"],
            Some("short"),
            "at least 32",
        ),
        (
            vec!["keys", "new", "--out", "k", "--algorithm", "RS256"],
            Some(SECRET),
            "EdDSA, ES256",
        ),
        (
            vec!["keys", "new", "--out", "k", "--rotation", "5m"],
            Some(SECRET),
            "such as `30d`",
        ),
        (
            vec!["keys", "new", "--out", "k", "--policy", "none"],
            Some(SECRET),
            "`none` cannot be read",
        ),
        (
            vec!["keys", "new", "--out", "k", "--policy", "oathkeeper.yml"],
            Some(SECRET),
            "edgekeeper build",
        ),
    ] {
        let (code, _, err) = run(&folder, &arguments, secret);
        assert!(
            code != Some(0) && err.contains(expected),
            "{arguments:?}: {err}"
        );
        assert!(!folder.join("k").exists());
    }
}

#[test]
fn schema_prints_what_is_published() {
    let published = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schema");
    for (name, file) in [
        ("edge", "edge.schema.json"),
        ("config", "oathkeeper.schema.json"),
        ("rules", "access-rules.schema.json"),
    ] {
        let (code, out, err) = run(Path::new("."), &["schema", name], None);
        assert_eq!((code, err.as_str()), (Some(0), ""));
        assert!(
            out == fs::read_to_string(published.join(file)).unwrap(),
            "docs/schema/{file} is not what `edgekeeper schema {name}` prints"
        );
    }
    let (code, out, err) = run(Path::new("."), &["schema", "kratos"], None);
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(
        err.contains("possible values: edge, config, rules"),
        "{err}"
    );
}

#[test]
fn completions_are_for_five_shells_and_know_every_command() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let (code, out, err) = run(Path::new("."), &["completions", shell], None);
        assert_eq!((code, err.as_str()), (Some(0), ""), "{shell}");
        for word in ["schema", "completions", "retire", "revoke", "spin-manifest"] {
            assert!(out.contains(word), "{shell}: `{word}` is not completed");
        }
    }
    let (code, _, err) = run(Path::new("."), &["completions", "tcsh"], None);
    assert_eq!(code, Some(2));
    assert!(err.contains("possible values: "), "{err}");
}

#[test]
fn an_exit_code_is_what_the_help_says() {
    let (_, help, _) = run(Path::new("."), &["build", "--help"], None);
    assert!(help.contains("Exit codes: 0 written"), "{help}");
    let folder = folder("exit-codes", "[{}]");
    assert_eq!(run(&folder, &BUILD, None).0, Some(1), "refused");
    assert_eq!(run(&folder, &["build"], None).0, Some(2), "arguments");
}
