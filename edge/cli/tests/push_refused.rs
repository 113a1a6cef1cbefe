//! What `edgekeeper push`, `rollback` and `versions` refuse and what fails, with the cure and with what is in force then.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod folder;
mod operator;
mod site;
mod stub;

use std::fs;

use site::{deployed, number, opened, rules, run, site};

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
            && err.contains("help: its edge.yml needs `operator.secret`, deployed once, and the gateway has to serve this host (`hosts`)"),
        "{err}"
    );
    let (other, _) = stub::start(|_| "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi".to_owned());
    let (code, _, err) = run(&folder, &["versions", "--to", &other]);
    assert_eq!(code, Some(1));
    assert!(
        err.contains("answers something else than which policy is in force"),
        "{err}"
    );
    let (other, _) = stub::start(|_| {
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
