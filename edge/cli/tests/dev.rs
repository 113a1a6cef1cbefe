//! `edgekeeper dev` as somebody at work meets it: with a program that prints what a gateway prints.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    clippy::arithmetic_side_effects
)]

mod folder;

use std::fs::{self, OpenOptions};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

const DECISION: &str = r#"{"msg":"decision","method":"GET","host":"app.test","path":"/a<b>","rule":"web","session":"hit","status":200,"ms":2,"us":310}"#;

/// Longer nothing here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// A command that runs, and is killed with the test.
struct Running {
    child: Child,
    /// What comes after the page's address.
    err: BufReader<ChildStderr>,
    address: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_edgekeeper"));
    command
        .current_dir(folder)
        .arg("dev")
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

impl Running {
    /// Starts it with a page on any port.
    fn start(folder: &Path, arguments: &[&str]) -> Self {
        let arguments: Vec<&str> = ["--listen", "127.0.0.1:0"]
            .iter()
            .chain(arguments)
            .copied()
            .collect();
        let mut child = command(folder, &arguments).spawn().unwrap();
        let mut err = BufReader::new(child.stderr.take().unwrap());
        let mut first = String::new();
        err.read_line(&mut first).unwrap();
        let address = first
            .strip_prefix("edgekeeper dev: http://")
            .and_then(|rest| rest.trim_end().strip_suffix('/'));
        let address = address.unwrap_or_else(|| panic!("{first}")).to_owned();
        Self {
            child,
            err,
            address,
        }
    }

    /// Runs a shell's script as the gateway.
    fn script(folder: &Path, script: &str) -> Self {
        Self::start(folder, &["--", "sh", "-c", script])
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let status = Command::new("kill").args([name, &id]).status().unwrap();
        assert!(status.success());
    }

    /// Its code, and what it printed.
    fn end(mut self) -> (Option<i32>, String, String) {
        let mut out = self.child.stdout.take().unwrap();
        let out = thread::spawn(move || {
            let mut bytes = Vec::new();
            out.read_to_end(&mut bytes).unwrap();
            String::from_utf8_lossy(&bytes).into_owned()
        });
        let mut err = Vec::new();
        self.err.read_to_end(&mut err).unwrap();
        let status = self.child.wait().unwrap();
        let err = String::from_utf8_lossy(&err).into_owned();
        (status.code(), out.join().unwrap(), err)
    }

    /// Sends a head, and gives the connection.
    fn ask(&self, first: &str, headers: &[&str]) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let head = format!("{first} HTTP/1.1\r\n{}\r\n\r\n", headers.join("\r\n"));
        stream.write_all(head.as_bytes()).unwrap();
        stream
    }

    fn answer(&self, first: &str, headers: &[&str]) -> String {
        let mut text = String::new();
        self.ask(first, headers).read_to_string(&mut text).unwrap();
        text
    }

    /// Reads the page's events until one has a text in it.
    fn events_until(&self, headers: &[&str], wanted: &str) -> Vec<String> {
        let host = format!("host: {}", self.address);
        let headers: Vec<&str> = [host.as_str()].iter().chain(headers).copied().collect();
        let mut lines = BufReader::new(self.ask("GET /events", &headers)).lines();
        let mut found = Vec::new();
        for line in &mut lines {
            let line = line.unwrap();
            let is_last = line.contains(wanted);
            found.push(line);
            if is_last {
                return found;
            }
        }
        panic!("no event has `{wanted}`: {found:?}");
    }
}

fn empty(name: &str) -> PathBuf {
    folder::with::<&str>(&format!("dev-{name}"), &[])
}

/// Waits until something is so.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "{what}");
        thread::sleep(Duration::from_millis(20));
    }
}

const WAIT: &str = "until [ -e go ]; do sleep 0.05; done";

#[test]
fn decisions_reach_the_page_and_everything_else_is_passed_on() {
    let folder = empty("page");
    let script = format!(
        "echo first; echo oops >&2; printf 'bad \\377\\376\\n'; echo '{{\"msg\":\"decision\"'; echo \"$EXPLAIN $SPIN_VARIABLE_EXPLAIN\"
         echo 'stderr [3] :: {DECISION}' >&2; {WAIT}; printf last; exit 7"
    );
    let running = Running::script(&folder, &script);
    let events = running.events_until(&[], "/a<b>");
    let data = events.last().unwrap().strip_prefix("data: ").unwrap();
    let event: serde_json::Value = serde_json::from_str(data).unwrap();
    assert_eq!(event["rule"], "web");
    assert_eq!(event["verdict"], "allowed");
    assert_eq!(event["us"], 310);
    assert!(event["at"].as_u64().unwrap() > 1_700_000_000_000);
    fs::write(folder.join("go"), "").unwrap();
    let (code, out, err) = running.end();
    assert_eq!(code, Some(7), "{err}");
    assert_eq!(err, "oops\n");
    let others = "first\nbad \u{fffd}\u{fffd}\n{\"msg\":\"decision\"\nlog log\n";
    let row = "allowed  200     310 µs  hit      GET     app.test/a<b>  web\n";
    // The streams of a program have no order among themselves.
    let (before, after) = out.split_once(row).unwrap();
    let time = before.rsplit_once('\n').map_or(before, |(_, time)| time);
    assert_eq!(time.len(), "12:34:56Z  ".len(), "{time}");
    let rest = format!("{}{after}", before.strip_suffix(time).unwrap());
    assert_eq!(rest, format!("{others}last"));
}

#[test]
fn the_page_is_this_machines_alone() {
    let running = Running::script(&empty("host"), "sleep 60");
    let host = format!("host: {}", running.address);
    let page = running.answer("GET /", &[&host]);
    let (head, body) = page.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    let nonce = body.split("<script nonce=\"").nth(1).unwrap();
    let nonce = nonce.split('"').next().unwrap();
    assert_eq!(nonce.len(), 32);
    for wanted in [
        "default-src 'none'",
        &format!("script-src 'nonce-{nonce}'"),
        "frame-ancestors 'none'",
        "X-Content-Type-Options: nosniff",
        "Cross-Origin-Resource-Policy: same-origin",
        "Cache-Control: no-store",
    ] {
        assert!(head.contains(wanted), "{wanted}: {head}");
    }
    assert!(!head.to_lowercase().contains("access-control"), "{head}");
    assert!(!body.contains("NONCE") && !body.contains("innerHTML") && !body.contains("//www"));
    let again = running.answer("GET /", &[&host]);
    assert!(!again.contains(nonce), "each page has a nonce of its own");
    for (first, headers, status) in [
        ("GET /", &["host: evil.example:4477"][..], 421),
        ("GET /events", &["host: evil.example"], 421),
        ("GET /events", &[&host, "origin: https://evil.example"], 403),
        ("GET /events", &[&host, "sec-fetch-site: cross-site"], 403),
        ("GET /other", &[&host], 404),
        ("POST /", &[&host], 405),
        ("nonsense", &[&host], 400),
    ] {
        let answer = running.answer(first, headers);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{first} {headers:?}: {answer}"
        );
        assert!(
            !answer.to_lowercase().contains("access-control"),
            "{answer}"
        );
    }
    let long = format!("x: {}", "y".repeat(10_000));
    let mut stream = running.ask("GET /", &[&host, &long]);
    let mut answer = Vec::new();
    // It may be reset behind the answer, since not all was read.
    let _ = stream.read_to_end(&mut answer);
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 431 "));
}

#[test]
fn more_pages_than_anybody_has_are_refused_and_leave_room_when_they_go() {
    let running = Running::script(&empty("many"), &format!("echo '{DECISION}'; sleep 60"));
    let host = format!("host: {}", running.address);
    let open: Vec<TcpStream> = (0..32)
        .map(|_| running.ask("GET /events", &[&host]))
        .collect();
    for stream in &open {
        let mut first = [0; 8];
        let mut stream = stream;
        stream.read_exact(&mut first).unwrap();
    }
    let mut refused = String::new();
    let _ = TcpStream::connect(&running.address)
        .unwrap()
        .read_to_string(&mut refused);
    assert!(refused.starts_with("HTTP/1.1 503 "), "{refused}");
    drop(open);
    until("there is room again", || {
        let mut answer = [0; 12];
        let mut stream = running.ask("GET /", &[&host]);
        stream.read_exact(&mut answer).is_ok() && answer == *b"HTTP/1.1 200"
    });
}

#[test]
fn a_flood_is_passed_through_and_what_is_kept_of_it_has_bounds() {
    let folder = empty("flood");
    let script = format!(
        "seq 100000 | sed 's|.*|{{\"msg\":\"decision\",\"path\":\"/&\",\"status\":200,\"filler\":\"{}\"}}|'; {WAIT}",
        "x".repeat(1_000)
    );
    let mut running = Running::script(&folder, &script);
    // Nobody reads these events.
    let host = format!("host: {}", running.address);
    let stuck = running.ask("GET /events", &[&host]);
    let out = running.child.stdout.take().unwrap();
    let (tell, told) = mpsc::channel();
    let out = thread::spawn(move || {
        let lines = BufReader::new(out).lines().map(Result::unwrap);
        lines
            .inspect(|line| {
                if line.contains("/100000 ") {
                    tell.send(()).unwrap();
                }
            })
            .count()
    });
    told.recv_timeout(PATIENCE * 3).unwrap();
    let events = running.events_until(&[], "\"/100000\"");
    let data = events.iter().filter(|line| line.starts_with("data: {"));
    assert!(data.count() <= 1_000);
    let missed = events
        .iter()
        .position(|line| line == "event: missed")
        .unwrap();
    assert!(
        events[missed + 1].starts_with("data: 99"),
        "{}",
        events[missed + 1]
    );
    let id = events
        .iter()
        .rfind(|line| line.starts_with("id: "))
        .unwrap();
    assert!(id.ends_with("-100000"), "{id}");
    if let Ok(status) = fs::read_to_string(format!("/proc/{}/status", running.child.id())) {
        let peak = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .unwrap();
        let kilobytes: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
        assert!(kilobytes < 64_000, "{kilobytes} kB");
    }
    // Who was there before goes on behind what it has seen.
    let last = format!(
        "last-event-id: {}",
        id.trim_start_matches("id: ").replace("-100000", "-99999")
    );
    let events = running.events_until(&[&last], "\"/100000\"");
    assert_eq!(
        events
            .iter()
            .filter(|line| line.starts_with("data: {"))
            .count(),
        1
    );
    fs::write(folder.join("go"), "").unwrap();
    assert_eq!(running.child.wait().unwrap().code(), Some(0));
    assert_eq!(out.join().unwrap(), 100_000);
    drop(stuck);
}

#[test]
fn a_line_that_is_too_long_is_passed_on_and_the_next_is_read() {
    let folder = empty("long");
    let long = format!(
        "{{\"msg\":\"decision\",\"path\":\"{}\"}}\n",
        "y".repeat(3_000_000)
    );
    let large = format!(
        "{{\"msg\":\"decision\",\"path\":\"/large{}\"}}\n",
        "z".repeat(900_000)
    );
    fs::write(folder.join("log"), format!("{long}{DECISION}\n{large}")).unwrap();
    let (code, out, err) = ended(&folder, &["--no-page", "--", "cat", "log"], "");
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(out.starts_with(&long));
    let rows: Vec<&str> = out[long.len()..].lines().collect();
    assert_eq!(rows.len(), 2);
    assert!(rows[0].contains("app.test/a<b>  web"), "{}", rows[0]);
    assert!(rows[1].len() < 400, "{}", rows[1].len());
}

/// Runs it to its end with an input.
fn ended(folder: &Path, arguments: &[&str], input: &str) -> (Option<i32>, String, String) {
    let mut child = command(folder, arguments)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    // Who does not read it is not to fail this.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn the_input_is_read_where_there_is_no_program() {
    let input = format!("other\n  (log) {DECISION}\n");
    let (code, out, err) = ended(&empty("input"), &["--no-page"], &input);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    let (other, row) = out.split_once('\n').unwrap();
    assert_eq!(other, "other");
    assert!(row.ends_with("app.test/a<b>  web\n"), "{row}");
    // Where it ends, the page is still there.
    let mut running = Running::start(&empty("input-page"), &[]);
    let mut said = String::new();
    running.err.read_line(&mut said).unwrap();
    assert_eq!(
        said,
        "edgekeeper dev: the input has ended; the page is there until Ctrl-C\n"
    );
    let answer = running.answer("GET /", &[&format!("host: {}", running.address)]);
    assert!(answer.starts_with("HTTP/1.1 200 "));
    running.signal("-INT");
    assert_eq!(running.end().0, Some(130));
}

#[test]
fn a_file_is_followed_also_when_it_is_made_anew() {
    let folder = empty("file");
    let log = folder.join("gateway.log");
    let line = |path: &str| DECISION.replace("/a<b>", path) + "\n";
    fs::write(&log, line("/one")).unwrap();
    let running = Running::start(&folder, &["--log", "gateway.log"]);
    running.events_until(&[], "/one");
    let mut file = OpenOptions::new().append(true).open(&log).unwrap();
    file.write_all(line("/two").as_bytes()).unwrap();
    running.events_until(&[], "/two");
    fs::write(&log, line("/3")).unwrap();
    running.events_until(&[], "\"/3\"");
    fs::rename(&log, folder.join("old.log")).unwrap();
    fs::write(&log, line("/in-a-new-file")).unwrap();
    running.events_until(&[], "/in-a-new-file");
}

fn is_there(id: &str) -> bool {
    Command::new("kill")
        .args(["-0", id.trim()])
        .stderr(Stdio::null())
        .status()
        .unwrap()
        .success()
}

#[test]
fn ctrl_c_leaves_nothing_running() {
    for (name, script, signals, code) in [
        ("ends", "sleep 300 & echo $! > id; wait", 1, 130),
        (
            "says",
            "trap 'exit 5' INT; sleep 300 & echo $! > id; wait",
            1,
            5,
        ),
        (
            "deaf",
            "trap '' INT; sh -c 'trap \"\" INT; sleep 300 & echo $! > id; wait'",
            2,
            137,
        ),
    ] {
        let folder = empty(&format!("ctrl-c-{name}"));
        let running = Running::script(&folder, script);
        until("the program runs", || {
            fs::read_to_string(folder.join("id")).is_ok_and(|id| id.ends_with('\n'))
        });
        let id = fs::read_to_string(folder.join("id")).unwrap();
        assert!(is_there(&id));
        for _ in 0..signals {
            running.signal("-INT");
            // Two that come at once are one.
            thread::sleep(Duration::from_millis(300));
        }
        let (ended, _, err) = running.end();
        assert_eq!(ended, Some(code), "{name}: {err}");
        until("nothing of it is left", || !is_there(&id));
    }
}

#[test]
fn what_a_program_leaves_behind_goes_with_it() {
    let folder = empty("left");
    let running = Running::script(&folder, "sleep 300 & echo $! > id; exit 3");
    let (code, _, _) = running.end();
    assert_eq!(code, Some(3));
    let id = fs::read_to_string(folder.join("id")).unwrap();
    until("nothing of it is left", || !is_there(&id));
}

#[test]
fn what_cannot_be_started_or_read_is_said() {
    let folder = empty("refused");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (arguments, code, message) in [
        (
            &["--no-page", "--", "no-such-program"][..],
            1,
            "error: `no-such-program` cannot be started: no such file or folder\n",
        ),
        (
            &["--no-page", "--log", "none.log"],
            1,
            "error: `none.log` cannot be read: no such file or folder\n",
        ),
        (
            &["--no-page", "--log", "."],
            1,
            "error: `.` cannot be read: it is a folder\n",
        ),
        (
            &["--listen", &address],
            1,
            "; stop what listens there, or choose another: `--listen 127.0.0.1:4478`\n",
        ),
        (
            &["--listen", "somewhere"],
            2,
            "invalid value 'somewhere' for '--listen <ADDRESS>'",
        ),
        (
            &["--no-page", "--listen", "127.0.0.1:1"],
            2,
            "cannot be used with",
        ),
        (&["--log", "a", "--", "b"], 2, "cannot be used with"),
        (&["b"], 2, "unexpected argument 'b'"),
    ] {
        let (ended, out, err) = ended(&folder, arguments, "");
        assert_eq!(
            (ended, out.as_str()),
            (Some(code), ""),
            "{arguments:?}: {err}"
        );
        assert!(err.contains(message), "{arguments:?}: {err}");
    }
}

#[test]
fn somebody_at_a_terminal_is_told_what_to_write() {
    // It is the way to a terminal without a crate; where it is missing there is nothing to be held.
    let typed = format!("{} dev", env!("CARGO_BIN_EXE_edgekeeper"));
    let Ok(output) = Command::new("script")
        .args(["-qec", &typed, "/dev/null"])
        .output()
    else {
        return;
    };
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        said.starts_with("error: there is nothing to watch; name the program"),
        "{said}"
    );
    assert_eq!(output.status.code(), Some(2));
}
