//! `edgekeeper keys list` and `keys retire` as an operator meets them: what is shown, what is written, what is refused and
//! in which words.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod process;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use edgekeeper_token::algorithm::Algorithm;
use edgekeeper_token::entry::KeyEntry;
use edgekeeper_token::imported::entry::ImportedEntry;
use edgekeeper_token::key::SigningKey;
use edgekeeper_token::ring::KeyRing;
use edgekeeper_token::rotation::Rotation;
use edgekeeper_token::seal::Sealer;
use serde_json::{Value, json};

use process::Ended;

const SECRET: &str = "0123456789abcdef0123456789abcdef0123456789ab";
const OTHER: &str = "another secret of more than 32 characters!";
const MONTH: u64 = 2_592_000;

const CONFIG: &str = "
access_rules: { repositories: [file://./rules.json] }
authenticators: { noop: { enabled: true } }
authorizers: { allow: { enabled: true } }
mutators:
  id_token:
    enabled: true
    config: { issuer_url: https://gateway.example.com/, jwks_url: file:///etc/id_token.jwks.json, ttl: 15m }
";

const RULES: &str = r#"[
  {
    "id": "web",
    "match": { "url": "https://app.example.com/<.*>", "methods": ["GET"] },
    "authenticators": [{ "handler": "noop" }],
    "authorizer": { "handler": "allow" },
    "mutators": [{ "handler": "id_token" }],
    "upstream": { "url": "https://web.example.com/" }
  }
]"#;

fn run(folder: &Path, arguments: &[&str], secret: Option<&str>) -> Ended {
    process::run(folder, arguments, "KEYS_SECRET", secret)
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    since.as_secs()
}

fn rotation() -> Rotation {
    Rotation::new(MONTH, 900).unwrap()
}

fn sealer() -> Sealer {
    Sealer::new(SECRET.as_bytes()).unwrap()
}

fn key(byte: u8) -> SigningKey {
    SigningKey::generate(Algorithm::EdDsa, &[byte; 32]).unwrap()
}

fn entry(byte: u8, period: u64, rotation: Rotation) -> KeyEntry {
    let created = rotation.start(period) - 7 * 86_400;
    KeyEntry::seal(&sealer(), &key(byte), rotation, period, created, [byte; 24]).unwrap()
}

/// A folder with a policy and with a store, in which there are the keys 1 and 2 of the last period and this one.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("keys")
        .join(name);
    let _ = fs::remove_dir_all(&folder);
    for inside in ["state/keys", "state/jwks", "empty"] {
        fs::create_dir_all(folder.join(inside)).unwrap();
    }
    fs::write(folder.join("oathkeeper.yml"), CONFIG).unwrap();
    fs::write(folder.join("rules.json"), RULES).unwrap();
    let build = [
        "build",
        "--config",
        "oathkeeper.yml",
        "--out",
        "policy.json",
    ];
    assert_eq!(run(&folder, &build, None).0, Some(0));
    let current = rotation().signing_period(now());
    for entry in [
        entry(1, current - 1, rotation()),
        entry(2, current, rotation()),
    ] {
        let path = folder.join("state").join(entry.name());
        fs::write(path, entry.to_json().unwrap()).unwrap();
    }
    folder
}

/// The store as a file, in both forms that there are.
fn files(folder: &Path) -> [String; 2] {
    let mut entries = Vec::new();
    for file in fs::read_dir(folder.join("state/keys")).unwrap() {
        let file = file.unwrap();
        let name = format!("keys/{}", file.file_name().into_string().unwrap());
        entries.push((name, fs::read_to_string(file.path()).unwrap()));
    }
    let got: serde_json::Map<String, Value> = entries
        .iter()
        .map(|(name, value)| (name.clone(), json!({ "value": value })))
        .collect();
    let put: Vec<Value> = entries
        .iter()
        .map(|(name, value)| json!({ "key": name, "value": value }))
        .collect();
    [
        format!(
            "{}\n\nSuccess!\n",
            serde_json::to_string_pretty(&got).unwrap()
        ),
        Value::from(put).to_string(),
    ]
}

/// The store as the gateway reads it.
fn ring(folder: &Path) -> KeyRing {
    let mut entries = Vec::new();
    for file in fs::read_dir(folder.join("state/keys")).unwrap() {
        let file = file.unwrap();
        let name = format!("keys/{}", file.file_name().into_string().unwrap());
        entries.push((name, fs::read_to_string(file.path()).unwrap()));
    }
    let borrowed = entries.iter().map(|(n, v)| (n.as_str(), v.as_str()));
    let (ring, errors) = KeyRing::open(rotation(), borrowed, &sealer());
    assert!(errors.is_empty(), "{errors:?}");
    ring
}

const LIST: [&str; 6] = [
    "keys",
    "list",
    "--policy",
    "policy.json",
    "--state",
    "state",
];

fn retire<'a>(kid: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = vec!["keys", "retire", "--policy", "policy.json"];
    arguments.extend(more);
    arguments.extend(["--", kid]);
    arguments
}

fn row<'a>(out: &'a str, kid: &str) -> Vec<&'a str> {
    let line = out.lines().find(|line| line.contains(kid)).unwrap();
    line.split_whitespace().collect()
}

#[test]
fn a_list_says_whose_turn_it_is_and_shows_nothing_private() {
    let folder = folder("list");
    let (current, kid) = (rotation().signing_period(now()), key(2).kid().to_owned());
    for secret in [None, Some(SECRET)] {
        let (code, out, err) = run(&folder, &LIST, secret);
        assert_eq!((code, err.as_str()), (Some(0), ""));
        let name = format!("keys/{current}");
        let shown = row(&out, &kid);
        assert_eq!(
            shown[..4],
            [name.as_str(), "signing", "EdDSA", kid.as_str()]
        );
        for instant in &shown[4..] {
            assert!(
                instant.contains("T00:") && instant.contains('Z'),
                "{instant}"
            );
        }
        assert!(shown[5].ends_with('*') && out.contains("* if the next key is made in time"));
        let last = row(&out, key(1).kid());
        assert!(["retiring", "gone"].contains(&last[1]), "{out}");
        assert!(!out.contains("sealed") && !out.contains(SECRET));
    }
    for text in files(&folder) {
        fs::write(folder.join("entries.json"), text).unwrap();
        let mut arguments = LIST;
        arguments[4..].copy_from_slice(&["--from", "entries.json"]);
        let (code, out, _) = run(&folder, &arguments, None);
        assert_eq!(code, Some(0));
        assert_eq!(row(&out, &kid)[1], "signing");
    }
}

#[test]
fn imported_sets_are_listed_with_their_ids_for_whoever_has_the_secret() {
    let folder = folder("imported");
    let url = "file:///etc/id_token.jwks.json";
    let set = r#"{"keys":[{"kid":"a2aa9739","alg":"RS256","d":"private"},{"kid":"b","kty":"EC"}]}"#;
    let entry = ImportedEntry::seal(&sealer(), url, set, [5; 24]).unwrap();
    let path = folder.join("state").join(entry.name());
    fs::write(path, entry.to_json().unwrap()).unwrap();
    let (code, out, err) = run(&folder, &LIST, None);
    assert_eq!(code, Some(0));
    assert!(out.contains(url) && !out.contains("a2aa9739"), "{out}");
    assert!(err.contains("set KEYS_SECRET to see them"), "{err}");
    let (code, out, err) = run(&folder, &LIST, Some(SECRET));
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert_eq!(
        row(&out, "a2aa9739")[..3],
        [entry.name().as_str(), "imported", "RS256"]
    );
    assert_eq!(out.matches(url).count(), 2);
    assert!(!out.contains("private"), "{out}");
    let (code, out, err) = run(&folder, &LIST, Some(OTHER));
    assert_eq!(code, Some(0));
    assert!(
        err.contains("does not open") && !out.contains("a2aa9739"),
        "{err}"
    );
    // Such a key is not the gateway's to retire.
    let (code, _, err) = run(
        &folder,
        &retire("a2aa9739", &["--state", "state"]),
        Some(SECRET),
    );
    assert!(
        code == Some(1) && err.contains("an imported one goes when its file"),
        "{err}"
    );
}

#[test]
fn what_the_gateway_does_without_is_told() {
    let folder = folder("unusable");
    let state = folder.join("state");
    fs::write(state.join("keys/5"), "<html>").unwrap();
    let weekly = Rotation::new(604_800, 900).unwrap();
    let of_other = entry(7, 2_000, weekly);
    fs::write(state.join(of_other.name()), of_other.to_json().unwrap()).unwrap();
    let (code, out, err) = run(&folder, &LIST, Some(SECRET));
    assert_eq!(code, Some(0));
    assert!(
        err.contains(r#"warning: signing key "keys/5": not a stored key"#),
        "{err}"
    );
    assert!(
        err.contains("warning: keys/2000 is for periods of 604800 s"),
        "{err}"
    );
    assert!(
        out.contains(key(2).kid()) && !out.contains("keys/2000"),
        "{out}"
    );
    let (_, out, err) = run(&folder, &LIST, Some(OTHER));
    assert_eq!(
        err.matches("does not open under KEYS_SECRET").count(),
        2,
        "{err}"
    );
    assert!(!out.contains(key(2).kid()), "{out}");
}

#[test]
fn a_key_is_retired_in_a_folder_gently_and_at_once() {
    let folder = folder("retire");
    let kid = key(2).kid().to_owned();
    let (code, out, err) = run(&folder, &retire(&kid, &["--state", "state"]), Some(SECRET));
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(
        out.contains("signs from 20") && out.contains(&format!("{kid} is published until 20")),
        "{out}"
    );
    let after = ring(&folder);
    assert_eq!(after.signing(now()).unwrap().kid(), kid);
    let next = after.signing(now() + 600).unwrap().kid().to_owned();
    assert!(next != kid && out.contains(&next), "{out}");
    let (_, listed, _) = run(&folder, &LIST, None);
    assert_eq!(
        (row(&listed, &kid)[1], row(&listed, &next)[1]),
        ("signing", "published")
    );

    let (code, _, err) = run(&folder, &retire(&kid, &["--state", "state"]), Some(SECRET));
    assert!(
        code == Some(1) && err.contains("another key takes its place already"),
        "{err}"
    );
    let now_too = retire(&kid, &["--state", "state", "--now"]);
    let (code, out, _) = run(&folder, &now_too, Some(SECRET));
    assert_eq!(code, Some(0));
    assert!(
        out.contains("within a minute") && out.contains("300 s more"),
        "{out}"
    );
    assert!(out.contains(&format!("{next} signs")), "{out}");
    let after = ring(&folder);
    assert_eq!(after.signing(now()).unwrap().kid(), next);
    assert!(after.jwks(now()).find(&kid).is_none());
    let names: Vec<_> = fs::read_dir(folder.join("state/keys")).unwrap().collect();
    assert_eq!(names.len(), 2, "nothing is left over");
}

#[test]
fn a_key_of_another_store_is_retired_through_a_file() {
    for (number, more) in [&[][..], &["--now"]].into_iter().enumerate() {
        let folder = folder(&format!("file-{number}"));
        let kid = key(2).kid().to_owned();
        fs::write(folder.join("entries.json"), &files(&folder)[number]).unwrap();
        let options = ["--from", "entries.json", "--out", "keys.json"];
        let (code, out, err) = run(
            &folder,
            &retire(&kid, &[&options, more].concat()),
            Some(SECRET),
        );
        assert_eq!((code, err.as_str()), (Some(0), ""));
        assert!(
            out.contains("npx wrangler kv bulk put keys.json --binding KEYS --remote"),
            "{out}"
        );
        let said = if number == 0 {
            "Put it into the store before 20"
        } else {
            "Put it there now:"
        };
        assert!(out.contains(said), "{out}");
        let text = fs::read_to_string(folder.join("keys.json")).unwrap();
        assert!(!text.contains(SECRET) && !out.contains(SECRET));
        let put: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            put.as_array().unwrap().len(),
            1,
            "one entry is written, the others stay"
        );
        let (name, value) = (
            put[0]["key"].as_str().unwrap(),
            put[0]["value"].as_str().unwrap(),
        );
        fs::write(folder.join("state").join(name), value).unwrap();
        let after = ring(&folder);
        // There is time to put the file into the store.
        let settled = now() + 600 + rotation().settle();
        assert_eq!(
            after.signing(settled - 10).unwrap().kid() == kid,
            number == 0
        );
        assert_ne!(after.signing(settled + 1).unwrap().kid(), kid);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(folder.join("keys.json"))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
}

#[test]
fn what_cannot_be_done_is_refused_and_writes_nothing() {
    let folder = folder("refused");
    let kid = key(2).kid().to_owned();
    fs::write(folder.join("html"), "<html>").unwrap();
    fs::write(folder.join("half"), r#"{"keys/1":{"value":null}}"#).unwrap();
    fs::write(folder.join("none"), "{}").unwrap();
    let before = files(&folder);
    for (more, kid, secret, status, said) in [
        (
            &["--state", "state"][..],
            kid.as_str(),
            None,
            1,
            "KEYS_SECRET is not set",
        ),
        (
            &["--state", "state"],
            &kid,
            Some(OTHER),
            1,
            "Is KEYS_SECRET the secret this key was written under?",
        ),
        (
            &["--state", "state"],
            "unknown",
            Some(SECRET),
            1,
            "`state`, unknown: no entry has a key of this id\n  help: `edgekeeper keys list`",
        ),
        (
            &["--state", "nowhere"],
            &kid,
            Some(SECRET),
            1,
            "`nowhere` is not a folder",
        ),
        (
            &["--state", "empty"],
            &kid,
            Some(SECRET),
            1,
            "`empty` has no keys\n  help: name the folder that has `keys` in it",
        ),
        (
            &["--from", "missing", "--out", "k"],
            &kid,
            Some(SECRET),
            1,
            "`missing` cannot be read: no such file or folder",
        ),
        (
            &["--from", "html", "--out", "k"],
            &kid,
            Some(SECRET),
            1,
            "`html` is not a file of entries",
        ),
        (
            &["--from", "half", "--out", "k"],
            &kid,
            Some(SECRET),
            1,
            "`half` is not a file of entries",
        ),
        (
            &["--from", "none", "--out", "k"],
            &kid,
            Some(SECRET),
            1,
            "`none` has no entries",
        ),
        (&["--from", "html"], &kid, Some(SECRET), 2, "--out <FILE>"),
        (
            &["--state", "state", "--out", "k"],
            &kid,
            Some(SECRET),
            2,
            "cannot be used with",
        ),
        (
            &["--state", "state", "--from", "html"],
            &kid,
            Some(SECRET),
            2,
            "cannot be used with",
        ),
        (&["--now"], &kid, Some(SECRET), 2, "--state <DIR>"),
    ] {
        let (code, out, err) = run(&folder, &retire(kid, more), secret);
        assert_eq!((code, out.as_str()), (Some(status), ""), "{more:?}: {err}");
        assert!(err.contains(said), "{more:?}: {err}");
        assert!(!err.contains(OTHER) && !err.contains(SECRET), "{err}");
        assert!(!folder.join("k").exists());
    }
    assert_eq!(files(&folder), before);
    // The last key's tokens may be alive or not, depending on the day; it never signs again.
    let last = key(1).kid().to_owned();
    let (code, _, err) = run(&folder, &retire(&last, &["--state", "state"]), Some(SECRET));
    assert!(
        code == Some(1) && (err.contains("signs no more") || err.contains("gone already")),
        "{err}"
    );
    for arguments in [
        vec!["keys", "list", "--state", "state"],
        vec!["keys", "list", "--policy", "policy.json"],
    ] {
        assert_eq!(run(&folder, &arguments, None).0, Some(2));
    }
    let without = ["keys", "list", "--policy", "missing", "--state", "state"];
    let (code, _, err) = run(&folder, &without, None);
    assert!(
        code == Some(1) && err.contains("`missing` cannot be read"),
        "{err}"
    );
}
