//! What `edgekeeper test` says of a file of expectations that it cannot understand.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod process;

use std::fs;
use std::path::{Path, PathBuf};

use process::Ended;

/// A folder of a test's own, with these tests in it. Nothing is decided, so that the policy does not matter.
fn folder(name: &str, tests: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("expectations-{name}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    for (name, text) in [
        ("oathkeeper.yml", ""),
        ("rules.json", "[]"),
        ("edgekeeper.test.yml", tests),
    ] {
        fs::write(folder.join(name), text).unwrap();
    }
    folder
}

fn test(folder: &Path, arguments: &[&str]) -> Ended {
    let arguments: Vec<&str> = ["test"].iter().chain(arguments).copied().collect();
    process::run(folder, &arguments, "KEYS_SECRET", None)
}

#[test]
fn a_file_that_cannot_be_understood_is_refused_at_the_place() {
    let one = |rest: &str| {
        format!("tests:\n  - request: GET https://app.example.com/public\n    {rest}\n")
    };
    let session = |session: &str| {
        format!(
            "sessions:\n  ada: {session}\ntests: [{{ request: GET https://a.b/, expect: {{ allow: true }} }}]\n"
        )
    };
    let allowed = "{ allow: true }";
    for (name, tests, said) in [
        (
            "empty",
            String::new(),
            "1:1: error: the document cannot be nothing\n  help: it is a table with the keys `sessions`, `tests`",
        ),
        (
            "no-tests",
            "tests: []\n".to_owned(),
            "1:1: error: there are no tests in this file\n  help: list them under `tests`, each with `request` and `expect`",
        ),
        (
            "key",
            format!("test: []\n{}", one(&format!("expect: {allowed}"))),
            "1:1: error: the document has no key `test`\n  help: did you mean `tests`? allowed are `sessions`, `tests`",
        ),
        (
            "twice",
            one("expect: { allow: true, allow: true }"),
            "3:28: error[duplicate-key]: the key `allow` is here a second time\n  help: the first one is in line 3; take one of them out",
        ),
        (
            "test-key",
            one(&format!("expects: {allowed}\n    expect: {allowed}")),
            "3:5: error: a test has no key `expects`\n  help: did you mean `expect`? allowed are `name`, `request`, `headers`, `session`, `listener`, `expect`",
        ),
        (
            "no-expect",
            one("name: nothing"),
            "2:5: error: this test has no `expect`\n  help: write what is to come of it: `expect: { allow: true, rule: web }`",
        ),
        (
            "no-request",
            format!("tests:\n  - expect: {allowed}\n"),
            "2:5: error: this test has no `request`\n  help: write a method and the URL in the browser's address bar: `request: GET https://app.example.com/orders`",
        ),
        (
            "expect-nothing",
            one("expect: {}"),
            "3:13: error: `expect` expects nothing, so this would pass whatever the rules say\n  help: write one at least of `allow`, `rule`, `status`, `headers`, `upstream`",
        ),
        (
            "expect-key",
            one("expect: { code: 200 }"),
            "3:15: error: `expect` has no key `code`\n  help: allowed are `allow`, `rule`, `status`, `headers`, `upstream`",
        ),
        (
            "allow",
            one("expect: { allow: yes }"),
            "3:22: error: `expect.allow` cannot be a text\n  help: write `true` or `false`, without quotes",
        ),
        (
            "status",
            one("expect: { status: 2000 }"),
            "3:23: error: `expect.status` cannot be a number\n  help: write a status from 100 to 599, without quotes",
        ),
        (
            "number",
            one("expect: { upstream: { headers: { x-count: 5 } } }"),
            "3:47: error: `expect.upstream.headers.x-count` cannot be a number\n  help: it is a text; put it in quotes",
        ),
        (
            "no-header",
            one("expect: { headers: {} }"),
            "3:24: error: `expect.headers` expects nothing\n  help: write names with an exact text, `/a regular expression/` or `absent`",
        ),
        (
            "null-header",
            one("expect: { headers: { x-user: } }"),
            "error: `expect.headers.x-user` cannot be nothing\n  help: it is a text",
        ),
        (
            "header-name",
            one("expect: { headers: { 'x user': a } }"),
            "3:26: error: `x user` is no header's name\n  help: a name has letters, digits and `-`, such as `x-user`",
        ),
        (
            "no-upstream",
            one("expect: { upstream: {} }"),
            "3:25: error: `expect.upstream` expects nothing\n  help: write `url` or `headers`, or `allow: true` in its place",
        ),
        (
            "pattern",
            one("expect: { headers: { location: '/(a/' } }"),
            "3:36: error: the pattern of `expect.headers.location` cannot be read: unclosed group\n  help: between the slashes stands a regular expression, such as `/^https:\\/\\/login\\./`",
        ),
        (
            "claims",
            one("expect: { upstream: { headers: { authorization: { claim: {} } } } }"),
            "3:55: error: `expect.upstream.headers.authorization` has no key `claim`\n  help: did you mean `claims`? allowed are `claims`",
        ),
        (
            "answer-of-upstream",
            one("expect: { allow: true, status: 200 }"),
            "3:28: error: `expect.status` and `expect.headers` are of the gateway's answer, and a request that is allowed has its upstream's\n  help: take them out, or expect `upstream.headers`",
        ),
        (
            "upstream-of-refused",
            one("expect: { allow: false, upstream: { url: http://a.b/ } }"),
            "3:13: error: `expect.upstream` cannot be true: no upstream gets this request\n  help: take it out; an upstream gets what is allowed, and comes in by the listener `proxy`",
        ),
        (
            "request",
            format!("tests: [{{ request: /public, expect: {allowed} }}]\n"),
            "1:20: error: `request` is not a method and a URL\n  help: write a method and the URL in the browser's address bar: `GET https://app.example.com/orders`",
        ),
        (
            "relative",
            format!("tests: [{{ request: GET /public, expect: {allowed} }}]\n"),
            "1:20: error: `request`: the URL is not absolute; write it with scheme and host, such as `https://app.example.com/path`\n",
        ),
        (
            "userinfo",
            format!(
                "tests: [{{ request: 'GET https://ada:do-not-show-me@a.b/', expect: {allowed} }}]\n"
            ),
            "1:20: error: `request`: the URL has credentials in it\n",
        ),
        (
            "host",
            one(&format!("headers: {{ Host: a.b }}\n    expect: {allowed}")),
            "3:16: error: `headers` has `Host`\n  help: write the host into the URL of `request`, where the browser has it",
        ),
        (
            "header-value",
            one(&format!(
                "headers: {{ X-Key: \"do-not-show-me\\n\" }}\n    expect: {allowed}"
            )),
            "3:23: error: `headers.x-key` has a character that no header can have\n",
        ),
        (
            "listener",
            one(&format!("listener: admin\n    expect: {allowed}")),
            "3:15: error: `listener` cannot be `admin`\n  help: allowed are `proxy`, `api`",
        ),
        (
            "no-sessions",
            one(&format!("session: ada\n    expect: {allowed}")),
            "3:14: error: there is no session `ada`\n  help: write it under `sessions`, at the beginning of this file",
        ),
        (
            "no-session",
            format!(
                "sessions: {{ ada: {{ id: a }} }}\n{}",
                one(&format!("session: adda\n    expect: {allowed}"))
            ),
            "4:14: error: there is no session `adda`\n  help: did you mean `ada`? `sessions` has `ada`",
        ),
        (
            "session-text",
            session("ada@example.com"),
            "2:8: error: `sessions.ada` is neither a table nor a file\n",
        ),
        (
            "session-file",
            session("file://./ada.json"),
            "2:8: error: the file `ada.json` of `sessions.ada` cannot be read: no such file or folder\n",
        ),
        (
            "session-other",
            session("file://./rules.json"),
            "2:8: error: the file `rules.json` of `sessions.ada` is not what whoami answers\n  help: \nrules.json:1:1: error: `sessions.ada` is no table\n",
        ),
        (
            "session-key",
            session("{ id: a, mail: a@b }"),
            "2:17: error: `sessions.ada` has no key `mail`\n  help: did you mean `email`? allowed are `id`, `email`, `traits`, `verified`, `aal`",
        ),
        (
            "session-id",
            session("{ email: a@b.c }"),
            "2:8: error: `sessions.ada` has no `id`\n  help: write the identity's, which rules take for the subject: `id: 6f1c…`",
        ),
        (
            "session-aal",
            session("{ id: a, aal: 2 }"),
            "2:22: error: `aal` cannot be a number\n  help: it is a text; put it in quotes",
        ),
        (
            "session-aal-text",
            session("{ id: a, aal: aal3 }"),
            "2:22: error: `aal` cannot be `aal3`\n  help: allowed are `aal1`, `aal2`",
        ),
        (
            "session-verified",
            session("{ id: a, verified: true }"),
            "2:17: error: `verified` says nothing without `email`\n",
        ),
    ] {
        let (code, out, err) = test(&folder(&format!("refused-{name}"), &tests), &[]);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{name}: {err}");
        assert!(err.starts_with("edgekeeper.test.yml:"), "{name}: {err}");
        assert!(err.contains(said), "{name}: {said}\nis not in\n{err}");
        assert!(err.ends_with("nothing was tested\n"), "{name}: {err}");
        assert!(!err.contains("do-not-show-me"), "{name}: {err}");
    }
}

#[test]
fn everything_wrong_with_all_files_is_told_in_one_run() {
    let folder = folder("all", "tests:\n  - name: 5\n    expect: { status: x }\n");
    fs::write(folder.join("more.yml"), "tests: [\n").unwrap();
    let files = ["edgekeeper.test.yml", "more.yml", "none.yml"];
    let (code, _, err) = test(&folder, &files);
    assert_eq!(code, Some(2));
    let starts: Vec<&str> = err
        .lines()
        .filter(|line| line.contains("error"))
        .map(|line| line.split(": error").next().unwrap())
        .collect();
    assert_eq!(starts.len(), 5, "{err}");
    assert_eq!(
        &starts[..3],
        [
            "edgekeeper.test.yml:2:5",
            "edgekeeper.test.yml:2:11",
            "edgekeeper.test.yml:3:23"
        ]
    );
    assert!(starts[3].starts_with("more.yml:"), "{err}");
    assert_eq!(
        starts[4],
        "error: `none.yml` cannot be read: no such file or folder"
    );
}
