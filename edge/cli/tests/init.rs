//! `edgekeeper init` as somebody meets it who begins, and as a team that has Oathkeeper's files.

#![allow(clippy::unwrap_used)]

mod folder;
mod process;

use std::fs;
use std::path::{Path, PathBuf};

use process::{Ended, run};

fn empty(name: &str) -> PathBuf {
    folder::with::<&str>(&format!("init-{name}"), &[])
}

fn command(folder: &Path, arguments: &[&str]) -> Ended {
    run(folder, arguments, "NO_COLOR", None)
}

const BEGIN: [&str; 7] = [
    "init",
    "--kratos",
    "https://kratos.example.com",
    "--host",
    "App.example.com",
    "--upstream",
    "https://web.example.com/",
];

#[test]
fn what_is_written_is_right_and_lets_in_who_has_a_session() {
    let folder = empty("begin");
    let (code, out, err) = command(&folder, &BEGIN);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(
        out.starts_with("wrote oathkeeper.yml, access-rules.json, edge.yml in .\n"),
        "{out}"
    );
    assert_eq!(
        command(&folder, &["check", "--deny", "notes"]),
        (Some(0), String::new(), String::new()),
        "there is nothing to say of it"
    );
    let asked = [
        "explain",
        "GET",
        "https://app.example.com/orders",
        "--config",
        "oathkeeper.yml",
        "--edge",
        "edge.yml",
    ];
    let explain = |more: &[&str]| {
        let (code, out, err) = command(&folder, &[&asked[..], more].concat());
        assert_eq!((code, err.as_str()), (Some(0), ""));
        out
    };
    assert!(explain(&[]).contains("401"));
    let page = explain(&["--header", "Accept: text/html"]);
    assert!(page.contains("302"), "{page}");
    assert!(
        page.contains("https://kratos.example.com/self-service/login/browser?return_to="),
        "{page}"
    );
    fs::write(
        folder.join("session.json"),
        r#"{"id":"s","active":true,"expires_at":"2099-01-01T00:00:00Z","identity":{"id":"ada","traits":{}}}"#,
    )
    .unwrap();
    let allowed = explain(&["--session", "session.json"]);
    assert!(
        allowed.contains("https://web.example.com/orders"),
        "{allowed}"
    );
    assert!(
        allowed.to_lowercase().contains("x-user-id: ada"),
        "{allowed}"
    );
    let (_, other, _) = command(
        &folder,
        &[
            "explain",
            "GET",
            "https://other.example.com/",
            "--config",
            "oathkeeper.yml",
            "--edge",
            "edge.yml",
        ],
    );
    assert!(other.contains("404"), "{other}");
}

#[test]
fn names_of_one_network_are_mapped_to_themselves_with_a_word() {
    let folder = empty("internal");
    let mut arguments = BEGIN;
    arguments[2] = "http://127.0.0.1:4433";
    arguments[6] = "http://web-svc";
    let (code, _, err) = command(&folder, &arguments);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    let edge = fs::read_to_string(folder.join("edge.yml")).unwrap();
    let upstreams = "upstreams:\n  \"http://127.0.0.1:4433\": http://127.0.0.1:4433\n  \"http://web-svc\": http://web-svc\n";
    assert!(edge.ends_with(upstreams), "{edge}");
    assert_eq!(
        command(&folder, &["check"]),
        (Some(0), String::new(), String::new())
    );
}

#[test]
fn a_teams_files_stay_and_get_what_they_lack() {
    let folder = empty("team");
    let team = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/team");
    let rules = fs::read_to_string(team.join("access-rules.json")).unwrap();
    let mended = rules
        .replace(
            "\"Bearer {{ print .IDToken }}\", }",
            "\"Bearer {{ print .IDToken }}\" }",
        )
        .replace("{{ .IDToken }}", "{{ .Subject }}")
        .replace("/beta/<.*", "/beta/<.*>")
        .replace("cart.shop.example/beta", "beta.shop.example");
    fs::write(folder.join("access-rules.json"), rules).unwrap();
    fs::copy(team.join("oathkeeper.yml"), folder.join("oathkeeper.yml")).unwrap();

    let (code, out, err) = command(&folder, &["init", "--from", "oathkeeper.yml"]);
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(
        err.contains("access-rules.json:10:101: error[trailing-comma]: "),
        "{err}"
    );
    assert!(err.ends_with("3 errors; nothing was written\n"), "{err}");
    assert!(!folder.join("edge.yml").exists());

    fs::write(folder.join("access-rules.json"), &mended).unwrap();
    let (code, out, err) = command(&folder, &["init", "--from", "oathkeeper.yml"]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(out.starts_with("wrote edge.yml in .\n"), "{out}");
    let edge = fs::read_to_string(folder.join("edge.yml")).unwrap();
    for part in [
        "hosts:\n  - beta.shop.example\n  - cart.shop.example\n  - staff.shop.example\n",
        "upstreams:\n  \"http://cart-svc\": http://cart-svc\n  \"http://kratos-public:4433\": http://kratos-public:4433\n",
        "#   https://beta.shop.example\n",
    ] {
        assert!(edge.contains(part), "{part} in\n{edge}");
    }
    assert_eq!(
        fs::read_to_string(folder.join("access-rules.json")).unwrap(),
        mended
    );
    let (code, out, _) = command(&folder, &["check"]);
    assert_eq!(code, Some(0), "{out}");
    assert!(!out.contains("upstream-unmapped"), "{out}");
}

#[test]
fn the_runtime_is_told_how_to_build_and_where_to_send() {
    let folder = empty("spin");
    let (code, out, err) = command(&folder, &[&BEGIN[..], &["--runtime", "spin"]].concat());
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(
        out.starts_with("wrote oathkeeper.yml, access-rules.json, edge.yml, spin.toml in .\n"),
        "{out}"
    );
    let manifest = || fs::read_to_string(folder.join("spin.toml")).unwrap();
    // The build that it names.
    let made = manifest();
    let (_, after) = made.split_once("command = \"edgekeeper ").unwrap();
    let (build, _) = after.split_once('"').unwrap();
    let build: Vec<&str> = build.split(' ').collect();
    let (code, _, err) = command(&folder, &build);
    assert_eq!(code, Some(0), "{err}");
    assert!(
        manifest().contains(
            "allowed_outbound_hosts = [\"https://kratos.example.com\", \"https://web.example.com\"]"
        ),
        "{}",
        manifest()
    );
    assert!(folder.join("policy.json").exists());
}

#[test]
fn a_deploy_to_cloudflare_builds_from_the_teams_own_file() {
    let folder = empty("wrangler");
    command(&folder, &BEGIN);
    fs::rename(folder.join("oathkeeper.yml"), folder.join("our gate.yml")).unwrap();
    fs::remove_file(folder.join("edge.yml")).unwrap();
    let more = ["init", "--from", "our gate.yml", "--runtime", "cloudflare"];
    let (code, out, err) = command(&folder, &more);
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    assert!(
        out.starts_with("wrote edge.yml, wrangler.toml in .\n"),
        "{out}"
    );
    let manifest = fs::read_to_string(folder.join("wrangler.toml")).unwrap();
    assert!(
        manifest.contains(
            "command = \"edgekeeper build --config 'our gate.yml' --edge edge.yml --out build/cloudflare/policy.json\"\n"
        ),
        "{manifest}"
    );
}

#[test]
fn nothing_that_is_there_is_changed() {
    let folder = empty("there");
    fs::write(folder.join("edge.yml"), "hosts: [mine.example.com]\n").unwrap();
    let (code, out, err) = command(&folder, &BEGIN);
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert_eq!(
        err,
        "error: `./edge.yml` is there already, and nothing was written\n  help: take it away, or name another folder with `--dir`\n"
    );
    assert!(!folder.join("oathkeeper.yml").exists());
}

#[test]
fn a_folder_that_is_not_there_is_made() {
    let folder = empty("made");
    let (code, _, err) = command(&folder, &[&BEGIN[..], &["--dir", "a b/new"]].concat());
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(folder.join("a b/new/oathkeeper.yml").exists());
    let (code, _, err) = command(
        &folder,
        &[&BEGIN[..], &["--dir", "a b/new/edge.yml/x"]].concat(),
    );
    assert_eq!(code, Some(1));
    assert_eq!(
        err,
        "error: the folder `a b/new/edge.yml/x` cannot be made: a part of its path is a file\n"
    );
}

#[test]
fn wrong_arguments_are_told_with_what_to_write() {
    let folder = empty("wrong");
    for (at, value, message) in [
        (
            2,
            "kratos.example.com",
            "it is not a URL: relative URL without a base; write one such as `https://kratos.example.com`",
        ),
        (
            2,
            "ftp://kratos",
            "write a URL that begins with `https://` or `http://`",
        ),
        (
            2,
            "https://user:secret@kratos.example.com",
            "a URL with a user or password in it would end up in a file",
        ),
        (
            6,
            "https://web.example.com/?a=b",
            "write the URL without a query or fragment",
        ),
        (4, "https://app.example.com", "it has a scheme"),
        (
            4,
            "*.example.com",
            "write one host, such as `app.example.com`",
        ),
    ] {
        let mut arguments = BEGIN;
        arguments[at] = value;
        let (code, _, err) = command(&folder, &arguments);
        assert_eq!(code, Some(2), "{value}");
        assert!(err.contains(message), "{value}: {err}");
    }
    let (code, _, err) = command(&folder, &["init"]);
    assert_eq!(code, Some(2));
    assert!(
        err.contains("--kratos <URL>") && err.contains("--host <HOST>"),
        "{err}"
    );
}
