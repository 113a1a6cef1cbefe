//! `edgekeeper keys import` as an operator meets it: what it reads, what it refuses and in which words.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod process;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use edgekeeper_token::foreign::set::{JwkSet, Reading};
use edgekeeper_token::imported::entry::{ImportedEntry, entry_name};
use edgekeeper_token::imported::set::ImportedSet;
use edgekeeper_token::seal::Sealer;
use serde_json::{Value, json};

use process::Ended;

/// Keys that nothing but tests uses.
const KEYS: &str = include_str!("../../../shared/token/tests/golang/keys.json");
const SECRET: &str = "0123456789abcdef0123456789abcdef0123456789ab";
const URL: &str = "file:///etc/id_token.jwks.json";

const CONFIG: &str = "
access_rules: { repositories: [file://./rules.json] }
authenticators:
  noop: { enabled: true }
  jwt: { enabled: true, config: { jwks_urls: [file://./hydra.json, https://idp.example.com/jwks.json] } }
authorizers: { allow: { enabled: true } }
mutators:
  id_token:
    enabled: true
    config: { issuer_url: https://gateway.example.com/, jwks_url: file:///etc/id_token.jwks.json }
";

const RULES: &str = r#"[
  {
    "id": "web",
    "match": { "url": "https://app.example.com/<.*>", "methods": ["GET"] },
    "authenticators": [{ "handler": "jwt" }],
    "authorizer": { "handler": "allow" },
    "mutators": [{ "handler": "id_token" }],
    "upstream": { "url": "https://web.example.com/" }
  }
]"#;

fn key(name: &str, alg: &str) -> Value {
    let mut key = serde_json::from_str::<Value>(KEYS).unwrap()[name].clone();
    key["alg"] = alg.into();
    key
}

fn public(name: &str) -> Value {
    let mut key = key(name, "RS256");
    let members = key.as_object_mut().unwrap();
    for member in ["d", "p", "q", "dp", "dq", "qi"] {
        members.remove(member);
    }
    key
}

fn set(keys: &[Value]) -> String {
    json!({ "keys": keys }).to_string()
}

/// An empty folder of a test's own, with the operator's files in it.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("import")
        .join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(folder.join("root/etc")).unwrap();
    fs::write(folder.join("oathkeeper.yml"), CONFIG).unwrap();
    fs::write(folder.join("rules.json"), RULES).unwrap();
    fs::write(folder.join("edge.yml"), "keys: { source: jwks_url }\n").unwrap();
    fs::write(folder.join("hydra.json"), set(&[public("P-256")])).unwrap();
    fs::write(
        folder.join("root/etc/id_token.jwks.json"),
        set(&[key("RS", "RS256")]),
    )
    .unwrap();
    folder
}

fn run(folder: &Path, arguments: &[&str], secret: Option<&str>) -> Ended {
    let arguments = [&["keys", "import"], arguments].concat();
    process::run(folder, &arguments, "KEYS_SECRET", secret)
}

const ALL: [&str; 8] = [
    "--config",
    "oathkeeper.yml",
    "--edge",
    "edge.yml",
    "--root",
    "root",
    "--out",
    "keys.json",
];

/// What the gateway reads back, for a URL.
fn opened(folder: &Path, url: &str) -> String {
    let file: Value =
        serde_json::from_str(&fs::read_to_string(folder.join("keys.json")).unwrap()).unwrap();
    let name = entry_name(url);
    let entry = file
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["key"] == name)
        .unwrap();
    let sealer = Sealer::new(SECRET.as_bytes()).unwrap();
    let entry = ImportedEntry::parse(&name, entry["value"].as_str().unwrap()).unwrap();
    entry.open(&sealer).unwrap().to_string()
}

#[test]
fn every_file_that_the_rules_read_is_sealed_for_the_gateway() {
    let folder = folder("all");
    let (code, out, err) = run(&folder, &ALL, Some(SECRET));
    assert_eq!((code, err.as_str()), (Some(0), ""));
    let expected = format!(
        "./hydra.json: checks tokens, {}\nroot/etc/id_token.jwks.json: signs RS256 as RS, {}\nPut it into the store:\n",
        entry_name("file://./hydra.json"),
        entry_name(URL)
    );
    assert!(out.starts_with(expected.trim_start_matches("./")), "{out}");
    let signs = ImportedSet::parse(&opened(&folder, URL)).unwrap();
    assert_eq!(signs.signer().unwrap().kid(), "RS");
    let checks = JwkSet::parse(&opened(&folder, "file://./hydra.json"), Reading::SEALED).unwrap();
    assert!(checks.has("P-256"));
    let written = fs::metadata(folder.join("keys.json")).unwrap();
    assert_eq!(written.permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(folder.join("keys.json")).unwrap();
    for member in ["d", "p", "q"] {
        assert!(
            !text.contains(key("RS", "RS256")[member].as_str().unwrap()),
            "{member}"
        );
    }
    assert_eq!(
        serde_json::from_str::<Value>(&text)
            .unwrap()
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn one_file_can_be_named_with_its_url() {
    let folder = folder("one");
    let file = "root/etc/id_token.jwks.json";
    let arguments = ["--jwks", file, "--url", URL, "--out", "keys.json"];
    let (code, out, err) = run(&folder, &arguments, Some(SECRET));
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    assert_eq!(opened(&folder, URL), set(&[key("RS", "RS256")]));
}

#[test]
fn a_symmetric_key_is_imported_with_a_warning() {
    let folder = folder("symmetric");
    fs::write(
        folder.join("root/etc/id_token.jwks.json"),
        set(&[key("oct", "HS256")]),
    )
    .unwrap();
    let (code, _, err) = run(&folder, &ALL, Some(SECRET));
    assert_eq!(code, Some(0), "{err}");
    assert!(
        err.starts_with("root/etc/id_token.jwks.json: warning: HS256 is symmetric, so its key is not in the published set"),
        "{err}"
    );
}

#[test]
fn a_set_that_cannot_sign_is_refused_with_what_to_change() {
    let changed = |name: &str, alg: &str, member: &str, value: Value| {
        let mut key = key(name, alg);
        key[member] = value;
        set(&[key])
    };
    let cases = [
        ("not JSON".to_owned(), "key set: expected ident"),
        (
            "-----BEGIN PRIVATE KEY-----".to_owned(),
            "key set: invalid number",
        ),
        (
            r#"{"kty":"RSA"}"#.to_owned(),
            "\"keys\" must be an array of keys",
        ),
        (set(&[]), "no private key to sign with"),
        (set(&[public("RS")]), "no private key to sign with"),
        (
            changed("RS", "RS256", "alg", Value::Null),
            "keys[0] has no \"alg\", which says how it signs; add one such as",
        ),
        (
            changed("RS", "RS256", "kid", Value::Null),
            "keys[0] has no \"kid\" for verifiers to find it by",
        ),
        (
            changed("RS", "RS256", "kty", "DSA".into()),
            "keys[0] \"kty\" is not one that signs; allowed: RSA, EC, OKP, oct",
        ),
        (
            set(&[key("RS", "ES256")]),
            "keys[0] its \"alg\" is not one that it signs with; allowed: RS256 to RS512",
        ),
        (
            set(&[key("weak", "RS256")]),
            "keys[0] an RSA key of 1024 bits; allowed: 2048 and more",
        ),
        (
            changed("RS", "RS256", "p", Value::Null),
            "keys[0] \"p\" is missing or not valid",
        ),
        (
            changed("RS", "RS256", "d", key("other", "")["d"].clone()),
            "keys[0] its private half does not belong to its public half",
        ),
        (
            changed("oct", "HS512", "k", "AAAA".into()),
            "keys[0] \"k\" has 3 bytes; its algorithm needs at least 64",
        ),
        (
            set(&[key("RS", "RS256"), public("other")]),
            "keys[0] would sign, but tokens would name keys[1]",
        ),
    ];
    let folder = folder("refused");
    for (document, expected) in cases {
        fs::write(folder.join("root/etc/id_token.jwks.json"), &document).unwrap();
        let (code, out, err) = run(&folder, &ALL, Some(SECRET));
        assert_eq!((code, out.as_str()), (Some(1), ""), "{err}");
        assert!(
            err.starts_with("root/etc/id_token.jwks.json: error: key set: "),
            "{err}"
        );
        assert!(
            err.contains(expected) && err.ends_with("nothing was written\n"),
            "{err}"
        );
        assert!(!folder.join("keys.json").exists());
        assert!(!err.contains(key("RS", "")["d"].as_str().unwrap()), "{err}");
    }
}

#[test]
fn a_set_that_checks_nothing_is_refused_and_a_private_one_is_told() {
    let folder = folder("checks");
    let mut unused = public("RS");
    unused.as_object_mut().unwrap().remove("use");
    fs::write(folder.join("hydra.json"), set(&[unused])).unwrap();
    let (code, _, err) = run(&folder, &ALL, Some(SECRET));
    assert_eq!(code, Some(1));
    assert!(
        err.contains("hydra.json: warning: key set: keys[0] has no \"use\""),
        "{err}"
    );
    assert!(
        err.contains("hydra.json: error: key set: no key that tokens can be checked with"),
        "{err}"
    );
    fs::write(folder.join("hydra.json"), set(&[key("RS", "RS256")])).unwrap();
    let (code, _, err) = run(&folder, &ALL, Some(SECRET));
    assert_eq!(code, Some(0));
    assert!(
        err.contains("hydra.json: warning: key set: keys[0] holds a private key"),
        "{err}"
    );
}

#[test]
fn what_is_missing_is_named() {
    let folder = folder("missing");
    let (code, _, err) = run(&folder, &ALL, None);
    assert_eq!(code, Some(1));
    assert!(err.starts_with("error: KEYS_SECRET is not set"), "{err}");
    let (_, _, err) = run(&folder, &ALL, Some("short"));
    assert!(err.contains("it needs at least 32 random ones"), "{err}");
    let (code, _, err) = run(&folder, &["--out", "keys.json"], Some(SECRET));
    assert_eq!(code, Some(2));
    assert!(err.contains("--config <FILE>"), "{err}");
    let (code, _, err) = run(
        &folder,
        &["--jwks", "hydra.json", "--out", "k"],
        Some(SECRET),
    );
    assert_eq!(code, Some(2));
    assert!(err.contains("--url <URL>"), "{err}");
    fs::remove_file(folder.join("hydra.json")).unwrap();
    let (code, _, err) = run(&folder, &ALL, Some(SECRET));
    assert_eq!(code, Some(1));
    assert_eq!(
        err,
        "error: `hydra.json` cannot be read: no such file or folder\n  help: it is the set at `file://./hydra.json`\nnothing was written\n"
    );
}

#[test]
fn a_configuration_without_files_is_told_what_would_make_it_have_some() {
    let folder = folder("none");
    let rules = RULES.replace("\"jwt\"", "\"noop\"");
    fs::write(folder.join("rules.json"), rules).unwrap();
    let arguments = [
        "--config",
        "oathkeeper.yml",
        "--root",
        "root",
        "--out",
        "keys.json",
    ];
    let (code, _, err) = run(&folder, &arguments, Some(SECRET));
    assert_eq!(code, Some(1));
    assert!(
        err.contains("no rule of `oathkeeper.yml` reads a key set from a file"),
        "{err}"
    );
    assert!(err.contains("keys: { source: jwks_url }"), "{err}");
}

#[test]
fn in_strict_mode_what_is_missing_or_wrong_is_left_out_with_a_warning() {
    let folder = folder("strict");
    let strict = [&ALL[..], &["--strict"]].concat();
    fs::write(folder.join("hydra.json"), "no set").unwrap();
    let (status, said, told) = run(&folder, &strict, Some(SECRET));
    assert_eq!(status, Some(0), "{told}");
    assert!(
        told.contains("hydra.json: warning: not imported: key set: "),
        "{told}"
    );
    assert!(said.contains("signs RS256 as RS"), "{said}");
    assert_eq!(opened(&folder, URL), set(&[key("RS", "RS256")]));

    fs::remove_file(folder.join("hydra.json")).unwrap();
    let none = set(&[]);
    fs::write(folder.join("root/etc/id_token.jwks.json"), &none).unwrap();
    let (status, said, told) = run(&folder, &strict, Some(SECRET));
    assert_eq!(status, Some(0), "{told}");
    assert!(
        told.contains("warning: not imported: `./hydra.json` cannot be read")
            || told.contains("hydra.json` cannot be read"),
        "{told}"
    );
    assert!(said.contains("signs nothing"), "{said}");
    assert_eq!(opened(&folder, URL), none, "the gateway says what it lacks");
}
