//! `edgekeeper push`, `rollback` and `versions` as an operator meets them, against the real core and a real folder: what is put in force,
//! what is refused, and what is in force then.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod folder;
mod operator;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use operator::{Ended, Running};

const CONFIG: &str = r#"
access_rules: { repositories: ["file://./rules.yml"] }
authenticators:
  noop: { enabled: true }
  cookie_session: { enabled: true, config: { check_session_url: "https://kratos.example.com/sessions/whoami", only: [ory_kratos_session], subject_from: identity.id } }
authorizers: { allow: { enabled: true } }
mutators: { noop: { enabled: true }, header: { enabled: true, config: { headers: { X-User: "{{ print .Subject }}" } } } }
"#;

const EDGE: &str = "operator: { secret: OPERATOR_SECRET }\ncors: { allowed_origins: [https://pages.example.com], allowed_methods: [GET] }\n";

/// The rules, with who may reach `/admin`.
fn rules(admin: &str) -> String {
    format!(
        r#"
- id: web
  match: {{ url: "https://app.example.com/<(?!admin).*>", methods: [GET] }}
  authenticators: [{{ handler: noop }}]
  authorizer: {{ handler: allow }}
  mutators: [{{ handler: noop }}]
  upstream: {{ url: https://web.example.com }}
- id: admin
  match: {{ url: "https://app.example.com/admin<.*>", methods: [GET] }}
  authenticators: [{{ handler: {admin} }}]
  authorizer: {{ handler: allow }}
  mutators: [{{ handler: header }}]
  upstream: {{ url: https://admin.example.com }}
"#
    )
}

fn site(name: &str) -> PathBuf {
    let files = [
        ("oathkeeper.yml", CONFIG.to_owned()),
        ("edge.yml", format!("scheme: https\n{EDGE}")),
        ("rules.yml", rules("cookie_session")),
    ];
    folder::with(&format!("push-{name}"), &files)
}

fn run(folder: &Path, arguments: &[&str]) -> Ended {
    operator::run(folder, arguments, &[], "")
}

/// A gateway that was deployed with the files of a folder.
fn deployed(folder: &Path) -> Running {
    let (code, _, err) = run(
        folder,
        &[
            "build",
            "-c",
            "oathkeeper.yml",
            "--edge",
            "edge.yml",
            "-o",
            "policy.json",
        ],
    );
    assert_eq!(code, Some(0), "{err}");
    operator::start(fs::read_to_string(folder.join("policy.json")).unwrap())
}

fn opened(folder: &Path) {
    fs::write(folder.join("rules.yml"), rules("noop")).unwrap();
}

/// The number of the change in force, by the command's own word.
fn number(folder: &Path, place: &[&str]) -> u64 {
    let arguments = [&["versions", "--format", "json"], place].concat();
    let (code, out, err) = run(folder, &arguments);
    assert_eq!(code, Some(0), "{err}");
    let told: Value = serde_json::from_str(&out).unwrap();
    told["in_force"]["number"].as_u64().unwrap()
}

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
fn what_check_or_test_refuses_is_not_pushed() {
    let folder = site("refused");
    let gateway = deployed(&folder);
    let push = |more: &[&str]| {
        run(
            &folder,
            &[&["push", "--to", &gateway.origin, "--yes"], more].concat(),
        )
    };

    fs::write(folder.join("rules.yml"), rules("cookie_sesion")).unwrap();
    let (code, _, err) = push(&[]);
    assert_eq!(code, Some(1));
    assert!(
        err.contains("there is no authenticator `cookie_sesion`")
            && err.ends_with("nothing was pushed: `edgekeeper check` refuses it\n"),
        "{err}"
    );

    let overlapping = rules("noop").replace("<(?!admin).*>", "<.*>");
    fs::write(folder.join("rules.yml"), overlapping).unwrap();
    let (code, _, err) = push(&["--deny", "warnings"]);
    assert_eq!(code, Some(1));
    assert!(
        err.contains("warning[rule-overlap]") && err.contains("nothing was pushed"),
        "{err}"
    );

    opened(&folder);
    let expectations =
        "tests:\n  - request: GET https://app.example.com/admin\n    expect: { status: 401 }\n";
    fs::write(folder.join("edgekeeper.test.yml"), expectations).unwrap();
    let (code, _, err) = push(&[]);
    assert_eq!(code, Some(1));
    assert!(
        err.contains("FAILED  GET https://app.example.com/admin")
            && err.ends_with("nothing was pushed: `edgekeeper test` fails\n"),
        "{err}"
    );
    assert!(
        gateway.inside.lock().unwrap().asked.is_empty(),
        "the gateway need not know of it"
    );

    fs::write(folder.join("edgekeeper.test.yml"), "tests: 7\n").unwrap();
    let (code, _, err) = push(&[]);
    assert_eq!(code, Some(1));
    assert!(err.contains("edgekeeper.test.yml:1:"), "{err}");

    let (code, _, err) = push(&["--no-test"]);
    assert_eq!(code, Some(0), "{err}");
}

#[test]
fn nobody_is_asked_where_there_is_no_terminal() {
    let folder = site("terminal");
    let gateway = deployed(&folder);
    opened(&folder);
    let (code, out, err) = run(&folder, &["push", "--to", &gateway.origin]);
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert_eq!(
        err,
        "error: nobody can be asked here, since this is no terminal\n  help: `edgekeeper push --dry-run` shows the difference, `--yes` says yes to it\n"
    );
    let (code, out, _) = run(&folder, &["push", "--to", &gateway.origin, "--dry-run"]);
    assert_eq!(code, Some(0));
    assert!(
        out.contains("! NOW ALLOWED") && out.ends_with("nothing was pushed: --dry-run\n"),
        "{out}"
    );
    assert_eq!(number(&folder, &["--to", &gateway.origin]), 0);
}

/// A place, the environment, the exit code and what is said.
type Row<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], i32, &'a str);

#[test]
fn a_place_that_is_none_and_a_secret_that_is_not_there_are_refused_with_the_cure() {
    let folder = site("place");
    let gateway = deployed(&folder);
    let own = gateway.origin.as_str();
    let short = [("OPERATOR_SECRET", "short")];
    let none = [("OPERATOR_SECRET", ""), ("KEYS_SECRET", "")];
    let wrong = [("OPERATOR_SECRET", "another secret of more than 32 bytes")];
    let rows: [Row<'_>; 12] = [
        (
            &["--to", "http://app.example.com"],
            &[],
            2,
            "plain http: whoever sees the request could send it again\n  help: write https",
        ),
        (
            &["--to", "https://app.example.com/gateway"],
            &[],
            2,
            "is not the origin of a gateway\n  help: write scheme, host and perhaps port: `--to https://app.example.com`",
        ),
        (
            &["--to", "https://ada:secret@app.example.com"],
            &[],
            2,
            "has a user name or a password in it",
        ),
        (
            &["--to", "app.example.com"],
            &[],
            2,
            "is no URL: relative URL without a base",
        ),
        (
            &["--to", "ftp://localhost"],
            &[],
            2,
            "is not the origin of a gateway",
        ),
        (
            &["--to", own],
            &none,
            2,
            "OPERATOR_SECRET is not set\n  help: it is the secret that `operator.secret` of edge.yml names",
        ),
        (
            &["--to", own],
            &short,
            1,
            "OPERATOR_SECRET has 5 bytes, too few: it must have 32 at least",
        ),
        (
            &["--to", own],
            &wrong,
            1,
            "does not know you for its operator: the statement is not signed with the operator's secret",
        ),
        (
            &["--to", "http://127.0.0.1:9"],
            &[],
            1,
            "http://127.0.0.1:9 cannot be asked:",
        ),
        (
            &["--state", "."],
            &none,
            2,
            "KEYS_SECRET is not set\n  help: it is the gateway's own secret of that name",
        ),
        (
            &["--state", "nothing"],
            &[],
            2,
            "`nothing` is not a folder\n  help: name the one that the gateway is started with",
        ),
        (&["--state", "."], &[("KEYS_SECRET", "short")], 2, "error: "),
    ];
    for (place, environment, code, message) in rows {
        let (ended, out, err) =
            operator::run(&folder, &[&["versions"], place].concat(), environment, "");
        assert_eq!((ended, out.as_str()), (Some(code), ""), "{place:?}: {err}");
        assert!(err.contains(message), "{place:?}: {err}");
        assert!(!err.contains(":secret@"), "{err}");
    }
    for arguments in [
        &["versions"][..],
        &["versions", "--to", own, "--kv"],
        &["versions", "--to", own, "--local"],
    ] {
        assert_eq!(run(&folder, arguments).0, Some(2), "{arguments:?}");
    }
}

#[test]
fn a_gateway_without_an_operator_says_so() {
    let folder = site("no-operator");
    fs::write(folder.join("edge.yml"), "scheme: https\n").unwrap();
    let gateway = deployed(&folder);
    let (code, _, err) = run(&folder, &["versions", "--to", &gateway.origin]);
    assert_eq!(code, Some(1));
    assert!(
        err.contains("has no `/.edge/policy`")
            && err.contains("help: set `operator.secret` in edge.yml and deploy once with it"),
        "{err}"
    );
    let (other, _) =
        operator::stub(|_| "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi".to_owned());
    let (code, _, err) = run(&folder, &["versions", "--to", &other]);
    assert_eq!(code, Some(1));
    assert!(
        err.contains("answers something else than which policy is in force"),
        "{err}"
    );
    let (other, _) = operator::stub(|_| {
        "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:9/\r\ncontent-length: 0\r\n\r\n"
            .to_owned()
    });
    let (_, _, err) = run(&folder, &["versions", "--to", &other]);
    assert!(
        err.contains(
            "answers 302, a redirect\n  help: name the origin where the gateway itself answers"
        ),
        "{err}"
    );
}

#[test]
fn at_each_failure_it_is_told_what_is_in_force() {
    let folder = site("failures");
    let gateway = deployed(&folder);
    opened(&folder);
    let push = || run(&folder, &["push", "--to", &gateway.origin, "--yes"]);
    gateway.inside.lock().unwrap().fails = true;
    let (code, _, err) = push();
    assert_eq!(code, Some(1));
    assert_eq!(
        err,
        format!(
            "error: {} cannot use its store now: the store cannot be used: the disk is full\nnothing was changed: the deployed policy; nothing was pushed yet is in force still\n",
            gateway.origin
        )
    );
    {
        let mut inside = gateway.inside.lock().unwrap();
        inside.fails = false;
        inside.breaks = true;
    }
    let (code, out, err) = push();
    assert_eq!(code, Some(0), "{err}");
    assert!(
        err.contains("cannot be asked") && err.ends_with("but it is in force all the same\n"),
        "{err}"
    );
    assert!(out.contains(", change 1;"), "{out}");
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
fn another_document_can_be_compared_with_and_a_bad_one_is_refused() {
    let folder = site("from");
    fs::create_dir(folder.join("state")).unwrap();
    assert_eq!(
        run(
            &folder,
            &["build", "-c", "oathkeeper.yml", "-o", "old.json"]
        )
        .0,
        Some(0)
    );
    opened(&folder);
    let push = |from: &str| {
        run(
            &folder,
            &["push", "--state", "state", "--dry-run", "--from", from],
        )
    };
    let (code, out, _) = push("old.json");
    assert!(
        code == Some(0) && out.contains("! NOW ALLOWED") && out.contains("the policy's `cors`, "),
        "{out}"
    );
    let (code, _, err) = push("nothing.json");
    assert_eq!(
        (code, err.as_str()),
        (
            Some(2),
            "error: `nothing.json` cannot be read: no such file or folder\n"
        )
    );
    let (code, _, err) = push("rules.yml");
    assert_eq!(code, Some(1));
    assert!(
        err.starts_with("error: the policy in force: ")
            && err.contains("help: `--from policy.json` compares with another document"),
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
