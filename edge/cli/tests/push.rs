//! `edgekeeper push`, `rollback` and `versions` as an operator meets them, against the real core, a real folder and a stand-in for
//! wrangler: what is compared, what is put in force, and what is listed.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod folder;
mod operator;
mod site;

use std::fs;
use std::path::Path;

use serde_json::Value;

use site::{deployed, number, opened, run, site};

#[test]
fn a_policy_is_compared_pushed_and_in_force_at_a_running_gateway() {
    let folder = site("gateway");
    let gateway = deployed(&folder);
    let to = ["--to", gateway.origin.as_str()];
    opened(&folder);
    let (code, out, err) = run(&folder, &["push", "--to", to[1], "--yes"]);
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    let lines: Vec<&str> = out.lines().collect();
    for expected in [
        "check     nothing found",
        "test      there is no edgekeeper.test.yml",
        &format!(
            "in force  the deployed policy; nothing was pushed yet at {}",
            gateway.origin
        ),
        r#"! NOW ALLOWED         GET https://app.example.com/admin without a session: 401 -> https://admin.example.com/admin (rule "admin")"#,
    ] {
        assert!(lines.contains(&expected), "{expected}\n{out}");
    }
    assert!(
        out.contains(", change 1; in force on every instance within 30 s"),
        "{out}"
    );
    assert_eq!(
        gateway.inside.lock().unwrap().store.len(),
        2,
        "a document, and which one is in force"
    );

    let explain = [
        "explain",
        "GET",
        "https://app.example.com/admin",
        "--gateway",
        to[1],
    ];
    let (code, out, err) = run(&folder, &explain);
    assert_eq!(code, Some(0), "{err}");
    assert!(
        out.contains("authenticator   noop: lets pass")
            && out.contains("→ upstream GET https://admin.example.com/admin"),
        "{out}"
    );

    let (code, out, _) = run(&folder, &["push", "--to", to[1], "--yes"]);
    assert_eq!(code, Some(0));
    assert!(out.ends_with("this policy is in force already\n"), "{out}");
    assert_eq!(number(&folder, &to), 1);
}

#[test]
fn a_rollback_goes_to_the_previous_policy_to_a_named_one_or_to_the_deployed_one() {
    let folder = site("rollback");
    let gateway = deployed(&folder);
    let to = ["--to", gateway.origin.as_str()];
    let rollback = |more: &[&str]| run(&folder, &[&["rollback", "--to", to[1]], more].concat());

    let (code, _, err) = rollback(&["--yes"]);
    assert_eq!(
        (code, err.as_str()),
        (
            Some(1),
            "error: there is no policy to go back to; nothing was changed\n"
        )
    );

    opened(&folder);
    assert_eq!(run(&folder, &["push", "--to", to[1], "--yes"]).0, Some(0));
    let (_, out, _) = run(&folder, &["versions", "--to", to[1], "--format", "json"]);
    let told: Value = serde_json::from_str(&out).unwrap();
    let pushed = told["in_force"]["version"].as_str().unwrap().to_owned();
    let deployed = told["deployed"].as_str().unwrap().to_owned();

    let (code, out, err) = rollback(&["--yes"]);
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    assert!(
        out.contains("  now refused") && out.contains("now       the deployed policy, change 2;"),
        "{out}"
    );

    let (code, out, _) = rollback(&["--version", &pushed, "--yes"]);
    assert_eq!(code, Some(0));
    assert!(
        out.contains(&format!("now       policy {pushed}, change 3;")),
        "{out}"
    );

    let (code, _, err) = rollback(&["--version", &pushed, "--yes"]);
    assert_eq!(
        (code, err),
        (
            Some(1),
            format!("error: policy {pushed} is in force already; nothing was changed\n")
        )
    );

    let (code, out, _) = rollback(&["--deployed", "--dry-run"]);
    assert!(
        code == Some(0) && out.ends_with("nothing was changed: --dry-run\n"),
        "{out}"
    );

    let (code, _, err) = rollback(&["--version", "0123456789abcdef", "--yes"]);
    assert_eq!(code, Some(1));
    assert!(
        err.contains("there is no policy 0123456789abcdef in the store"),
        "{err}"
    );
    assert_eq!(rollback(&["--version", "nothing", "--yes"]).0, Some(2));

    let (_, out, _) = run(&folder, &["versions", "--to", to[1]]);
    let lines: Vec<&str> = out.lines().collect();
    assert!(
        lines[1].starts_with(&format!("3       {pushed}  ")) && lines[1].ends_with("  in force"),
        "{out}"
    );
    assert!(
        lines[2].starts_with(&format!("2       {deployed} (deployed)")),
        "{out}"
    );
    assert!(
        lines[3].starts_with(&format!("1       {pushed}  ")),
        "{out}"
    );
}

#[test]
fn a_folder_is_written_as_the_gateway_reads_it() {
    let folder = site("folder");
    fs::create_dir(folder.join("state")).unwrap();
    let place = ["--state", "state"];
    let push = |more: &[&str]| {
        run(
            &folder,
            &[&["push", "--state", "state", "--yes"], more].concat(),
        )
    };
    let (code, out, err) = push(&[]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(out.contains("no difference is shown: only the gateway has the deployed policy; `--from policy.json` names it"), "{out}");
    assert!(out.contains("change 1; in force on every instance within the `policy.refresh` of the deployed policy (30 s in this one)"), "{out}");
    opened(&folder);
    let (_, out, _) = push(&[]);
    assert!(out.contains("! NOW ALLOWED"), "{out}");
    let (code, out, err) = run(&folder, &["rollback", "--state", "state", "--yes"]);
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    assert_eq!(number(&folder, &place), 3);
    let (_, out, _) = run(
        &folder,
        &["rollback", "--state", "state", "--deployed", "--yes"],
    );
    assert!(
        out.contains("now       the deployed policy, change 4;"),
        "{out}"
    );

    let other = [("KEYS_SECRET", "another secret of more than 32 bytes")];
    let (code, _, err) = operator::run(&folder, &["push", "--state", "state", "--yes"], &other, "");
    assert_eq!(code, Some(1));
    assert!(err.contains("does not open: it was sealed under another KEYS_SECRET, or it was changed\n  help: give the gateway's KEYS_SECRET"), "{err}");

    for name in fs::read_dir(folder.join("state/policy")).unwrap() {
        let path = name.unwrap().path();
        if !path.ends_with("current") {
            fs::write(&path, "{}").unwrap();
        }
    }
    let (code, _, err) = run(&folder, &["rollback", "--state", "state", "--yes"]);
    assert_eq!(code, Some(1));
    assert!(
        err.contains("is another document; push that policy anew"),
        "{err}"
    );
    fs::write(folder.join("state/policy/current"), "{").unwrap();
    let (_, _, err) = run(&folder, &["versions", "--state", "state"]);
    assert!(
        err.contains(
            "is not one that `edgekeeper push` or the gateway wrote\n  help: push with `--to`"
        ),
        "{err}"
    );
}

#[test]
fn given_requests_are_compared_whatever_form_they_have() {
    let folder = site("requests");
    let gateway = deployed(&folder);
    opened(&folder);
    let log = concat!(
        "started\n",
        r#"{"msg":"decision","method":"GET","host":"app.example.com","path":"/admin/deep","session":"hit","status":200,"ms":1}"#,
        "\n",
        r#"{"msg":"keys","problem":"none"}"#,
        "\n",
        r#"{"method":"GET","url":"https://app.example.com/admin/own","headers":[["Accept","text/html"]]}"#,
        "\n"
    );
    fs::write(folder.join("requests.jsonl"), log).unwrap();
    fs::write(folder.join("more.yml"), "tests:\n  - request: GET https://app.example.com/admin/test\n    expect: { allow: true }\n").unwrap();
    let push = |file: &str| {
        run(
            &folder,
            &[
                "push",
                "--to",
                &gateway.origin,
                "--dry-run",
                "--format",
                "json",
                "--requests",
                file,
            ],
        )
    };
    let (code, out, err) = push("requests.jsonl");
    assert_eq!(code, Some(0), "{err}");
    assert!(
        err.contains("2 lines of the files of requests are no requests"),
        "{err}"
    );
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(told["difference"]["requests"]["given"], 2);
    assert_eq!(told["pushed"], Value::Null);
    let first = &told["difference"]["changes"][0];
    assert_eq!(
        (
            first["kind"].as_str(),
            first["examples"][0]["given"].as_bool()
        ),
        (Some("opened"), Some(true)),
        "{out}"
    );
    assert_eq!(
        first["examples"][0]["request"],
        "GET https://app.example.com/admin/own"
    );
    assert!(
        out.contains("\"GET https://app.example.com/admin/deep\""),
        "{out}"
    );
    let (_, out, _) = push("more.yml");
    assert!(
        out.contains("GET https://app.example.com/admin/test"),
        "{out}"
    );

    for (name, content, message) in [
        (
            "none.jsonl",
            "started\n",
            "error: there are no requests in `none.jsonl`\n  help: give a file of expectations",
        ),
        (
            "bad.jsonl",
            "{\"method\":\"GET\"}\n",
            "error: `bad.jsonl`, line 1: at column 16 it is not the JSON object that docs/explain.md describes\n  help: a line is one of the gateway's log",
        ),
        ("bad.yml", "tests: 7\n", "bad.yml:1:8: error: "),
    ] {
        fs::write(folder.join(name), content).unwrap();
        let (code, _, err) = push(name);
        assert_eq!(code, Some(2), "{err}");
        assert!(err.contains(message), "{err}");
    }
    assert_eq!(
        push("nothing.jsonl").2,
        "error: `nothing.jsonl` cannot be read: no such file or folder\n"
    );
}

#[cfg(unix)]
#[test]
fn workers_kv_is_written_by_wrangler_the_document_first() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = site("kv");
    // It keeps entries as files, and notes what it was asked.
    let script = r#"#!/bin/sh
echo "$*" >> calls
action=$4; name=$(echo "$5" | tr / _)
case "$*" in *"--binding GONE"*) echo "A namespace with binding name \"GONE\" was not found" >&2; exit 1;; esac
case $action in
  get) if [ -f "kv/$name" ]; then cat "kv/$name"; else echo "Failed to fetch /accounts/a/storage/kv/namespaces/b/values/$5 - 404: Not Found" >&2; exit 1; fi;;
  put) [ -e kv/full ] && [ "$5" = policy/current ] && { echo "too many requests" >&2; exit 1; }; cp "${12}" "kv/$name";;
esac
"#;
    fs::create_dir_all(folder.join("bin")).unwrap();
    fs::create_dir_all(folder.join("kv")).unwrap();
    fs::write(folder.join("bin/npx"), script).unwrap();
    fs::set_permissions(folder.join("bin/npx"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!(
        "{}:{}",
        folder.join("bin").display(),
        std::env::var("PATH").unwrap()
    );
    let run = |arguments: &[&str]| operator::run(&folder, arguments, &[("PATH", &path)], "");

    let (code, out, err) = run(&["push", "--kv", "--yes"]);
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    assert!(
        out.contains("once Workers KV has it everywhere (a minute at most)"),
        "{out}"
    );
    let calls = fs::read_to_string(folder.join("calls")).unwrap();
    let puts: Vec<&str> = calls
        .lines()
        .filter(|line| line.contains(" put "))
        .collect();
    assert_eq!(puts.len(), 2, "{calls}");
    assert!(
        puts[0].starts_with("wrangler kv key put policy/") && !puts[0].contains("policy/current"),
        "{calls}"
    );
    assert!(
        puts[1].starts_with(
            "wrangler kv key put policy/current --binding KEYS --preview false --remote --path "
        ),
        "{calls}"
    );
    let temporary = puts[1].split(' ').next_back().unwrap();
    assert!(
        !Path::new(temporary).exists(),
        "the file for wrangler stays"
    );

    opened(&folder);
    fs::write(folder.join("kv/full"), "").unwrap();
    let (code, _, err) = run(&["push", "--kv", "--yes"]);
    assert_eq!(code, Some(1));
    assert!(err.contains("`policy/current` cannot be written in Workers KV; `npx wrangler kv key put` says:\n  too many requests\n"), "{err}");
    assert!(
        err.contains("nothing was changed: policy ") && err.ends_with(" is in force still\n"),
        "{err}"
    );

    let (code, _, err) = run(&["versions", "--kv", "--binding", "GONE"]);
    assert_eq!(code, Some(1));
    assert!(
        err.contains("binding name \"GONE\" was not found")
            && err.contains("help: run this where wrangler.toml has the binding GONE"),
        "{err}"
    );
    let (code, _, err) = operator::run(&folder, &["versions", "--kv"], &[("PATH", "/nothing")], "");
    assert_eq!(code, Some(1));
    assert!(
        err.contains("`npx` cannot be started: no such file or folder\n  help: install Node.js"),
        "{err}"
    );
}
