//! `edgekeeper sessions` as an operator meets it: what is printed, what is refused and in which words.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod process;

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use edgekeeper_session::revocation::Subject;
use edgekeeper_session::revocation::message::Message;
use serde_json::Value;

use process::Ended;

const SECRET: &str = "0123456789abcdef0123456789abcdef0123456789ab";

fn revoke(arguments: &[&str], secret: Option<&str>) -> Ended {
    let arguments = [&["sessions", "revoke"], arguments].concat();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    process::run(folder, &arguments, "REVOCATION_SECRET", secret)
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    since.as_secs()
}

/// The message that was printed, as a gateway reads it.
fn read(printed: &str) -> Message {
    let body: Value = serde_json::from_str(printed).unwrap();
    assert_eq!(body.as_object().unwrap().len(), 1);
    Message::read(body["token"].as_str().unwrap(), SECRET.as_bytes(), now()).unwrap()
}

#[test]
fn it_prints_what_the_gateway_reads() {
    for (arguments, subject, lasts) in [
        (vec!["--identity", "ada"], Subject::identity("ada"), 300),
        (vec!["--session", "laptop"], Subject::session("laptop"), 300),
        (
            vec!["--identity", "ada", "--expires-in", "90s"],
            Subject::identity("ada"),
            90,
        ),
        (
            vec!["--identity", "ada", "--expires-in", "24h"],
            Subject::identity("ada"),
            86_400,
        ),
    ] {
        let before = now();
        let (code, out, err) = revoke(&arguments, Some(SECRET));
        assert_eq!((code, err.as_str()), (Some(0), ""), "{arguments:?}");
        assert_eq!(out.lines().count(), 1);
        let message = read(&out);
        assert_eq!(message.subject, subject, "{arguments:?}");
        let range = before + lasts..=now() + lasts;
        assert!(range.contains(&message.expires), "{arguments:?}");
    }
}

#[test]
fn no_two_messages_are_one() {
    let [one, two] = [(); 2].map(|()| revoke(&["--identity", "ada"], Some(SECRET)).1);
    assert_ne!(read(&one).hash, read(&two).hash);
}

#[test]
fn without_a_secret_or_with_one_that_could_be_guessed_nothing_is_signed() {
    for (secret, expected) in [
        (
            None,
            "error: REVOCATION_SECRET is not set\n  help: it is the secret that `session.revocation_secret` of edge.yml names; `openssl rand -base64 32` makes one\n",
        ),
        (
            Some("short"),
            "error: REVOCATION_SECRET has 5 bytes, too few: it must have 32 at least\n  help: `openssl rand -base64 32` makes one\n",
        ),
    ] {
        let (code, out, err) = revoke(&["--identity", "ada"], secret);
        assert_eq!((code, out.as_str(), err.as_str()), (Some(1), "", expected));
    }
}

#[test]
fn it_wants_one_session_or_one_identity_and_a_time_that_a_gateway_takes() {
    for (arguments, expected) in [
        (vec![], "<--identity <ID>|--session <ID>>"),
        (
            vec!["--identity", "a", "--session", "b"],
            "cannot be used with",
        ),
        (vec!["--identity", ""], "write an id of 1 to 256 bytes"),
        (
            vec!["--identity", "a", "--expires-in", "0s"],
            "such as `5m`; at most `24h`",
        ),
        (
            vec!["--identity", "a", "--expires-in", "25h"],
            "at most `24h`",
        ),
        (
            vec!["--identity", "a", "--expires-in", "1d"],
            "at most `24h`",
        ),
        (
            vec!["--identity", "a", "--expires-in", "5"],
            "at most `24h`",
        ),
        (
            vec!["--identity", "a", "--expires-in", "+5m"],
            "at most `24h`",
        ),
        (
            vec!["--identity", "a", "--expires-in", "99999999999999999999h"],
            "at most `24h`",
        ),
    ] {
        let (code, out, err) = revoke(&arguments, Some(SECRET));
        assert_eq!((code, out.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(err.contains(expected), "{arguments:?}: {err}");
    }
}
