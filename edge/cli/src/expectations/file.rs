//! A file of tests.

use std::collections::BTreeMap;

use edgekeeper_gateway::request::Listener;
use edgekeeper_policy::compile::{Content, Place, Sources as _, Tree, name, printable};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use super::expected::{Expected, header_name};
use super::reader::Reader;
use super::session;
use crate::explain::answer::{Answer, Services};
use crate::explain::case::Case;
use crate::explain::{authority, method, sent};
use crate::files::FileSystem;

/// One test, and where it stands.
#[derive(Debug)]
pub(super) struct Test {
    pub(super) name: String,
    pub(super) file: String,
    pub(super) line: u32,
    pub(super) case: Case,
    pub(super) expected: Expected,
}

/// The keys of a file.
pub(super) const DOCUMENT: [&str; 2] = ["sessions", "tests"];

/// The keys of a test.
pub(super) const TEST: [&str; 6] = [
    "name", "request", "headers", "session", "listener", "expect",
];

/// What whoami answers, by the name of the session.
pub(super) type Sessions = BTreeMap<String, Option<Value>>;

/// All of a file.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub(super) sessions: Sessions,
    /// In the order of the file.
    pub(super) tests: Vec<Test>,
}

/// Reads a file of tests.
///
/// # Errors
/// Everything that is wrong with it, each with its place and what is allowed there.
pub(super) fn read(path: &str) -> Result<Vec<Test>, String> {
    let text = FileSystem
        .read(path)
        .map_err(|reason| format!("error: `{path}` cannot be read: {reason}"))?;
    Ok(parse(path, &text)?.tests)
}

/// Reads the text of a file of tests. Other files that it names are relative to its path.
///
/// # Errors
/// As for [`read`].
pub(super) fn parse(path: &str, text: &str) -> Result<Document, String> {
    let tree = Tree::read(path, text).map_err(|found| {
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        found.join("\n")
    })?;
    let mut reader = Reader::new(path);
    let document = document(&tree, path, &mut reader);
    match reader.finish() {
        Some(refusals) => Err(refusals),
        None => Ok(document.unwrap_or_default()),
    }
}

fn document(tree: &Tree, path: &str, reader: &mut Reader) -> Option<Document> {
    let entries = reader.table(tree, "the document", &DOCUMENT)?;
    let mut sessions = Sessions::new();
    let mut items = None;
    for (key, _, value) in entries {
        if key == "sessions" {
            for (name, _, session) in reader.map(value, "`sessions`")? {
                let what = format!("`sessions.{name}`");
                let answer = session::read(session, &what, path, reader);
                sessions.insert(name.to_owned(), answer);
            }
        } else if key == "tests" {
            items = Some(reader.list(value, "`tests`")?);
        }
    }
    let items = items.unwrap_or_default();
    if items.is_empty() {
        reader.refuse(
            tree.place,
            "there are no tests in this file",
            "list them under `tests`, each with `request` and `expect`",
        );
    }
    let tests = items
        .iter()
        .filter_map(|item| test(item, path, &sessions, reader))
        .collect();
    Some(Document { sessions, tests })
}

fn test(tree: &Tree, path: &str, sessions: &Sessions, reader: &mut Reader) -> Option<Test> {
    let entries = reader.table(tree, "a test", &TEST)?;
    let get = |wanted: &str| {
        let entry = entries.iter().find(|(key, _, _)| *key == wanted);
        entry.map(|(_, _, value)| *value)
    };
    let missing = |key: &str, help: &str, reader: &mut Reader| {
        reader.refuse(tree.place, &format!("this test has no `{key}`"), help);
    };
    let listener = match get("listener") {
        Some(value) => listener(value, reader),
        None => Listener::Proxy,
    };
    let mut headers = match get("headers") {
        Some(value) => headers(value, reader),
        None => HeaderMap::new(),
    };
    let session = get("session").and_then(|value| {
        let wanted = reader.text(value, "`session`")?;
        let Some(session) = sessions.get(wanted) else {
            let known = || sessions.keys().map(String::as_str);
            let help = if sessions.is_empty() {
                "write it under `sessions`, at the beginning of this file".to_owned()
            } else {
                let hint = name::hint(wanted, known());
                format!("{hint}`sessions` has {}", name::list(known(), ", "))
            };
            reader.refuse(
                value.place,
                &format!("there is no session `{wanted}`"),
                &help,
            );
            return None;
        };
        session.clone()
    });
    let name = get("name").and_then(|value| {
        let name = reader.text(value, "`name`")?;
        Some(printable(name))
    });
    let request = match get("request") {
        Some(value) => request(value, reader),
        None => {
            let help = "write a method and the URL in the browser's address bar: `request: GET https://app.example.com/orders`";
            missing("request", help, reader);
            None
        }
    };
    let expected = match get("expect") {
        Some(value) => Expected::read(value, listener, reader),
        None => {
            let help = "write what is to come of it: `expect: { allow: true, rule: web }`";
            missing("expect", help, reader);
            None
        }
    };
    let Request { method, url, host } = request?;
    headers.insert(http::header::HOST, host);
    Some(Test {
        name: name.unwrap_or_else(|| unnamed(&method, &url)),
        file: path.to_owned(),
        line: tree.place.line,
        case: Case {
            method,
            url,
            headers,
            listener,
            adds_credential: session.is_some(),
            services: Services::Offline(
                session.map(|session| Answer::session(&session.to_string())),
            ),
        },
        expected: expected?,
    })
}

struct Request {
    method: String,
    url: String,
    host: HeaderValue,
}

fn request(tree: &Tree, reader: &mut Reader) -> Option<Request> {
    let text = reader.text(tree, "`request`")?;
    let example = "write a method and the URL in the browser's address bar: `GET https://app.example.com/orders`";
    let Some((first, url)) = text.trim().split_once(char::is_whitespace) else {
        reader.refuse(tree.place, "`request` is not a method and a URL", example);
        return None;
    };
    let url = sent(url.trim());
    let read = method(first).and_then(|method| {
        let host = authority(url)?;
        if host.contains('@') {
            return Err("the URL has credentials in it".to_owned());
        }
        let host = HeaderValue::from_str(host).map_err(|_| "the URL's host is none".to_owned())?;
        Ok((method, host))
    });
    match read {
        Ok((method, host)) => Some(Request {
            method,
            url: url.to_owned(),
            host,
        }),
        Err(error) => {
            reader.refuse(tree.place, &format!("`request`: {error}"), example);
            None
        }
    }
}

fn listener(tree: &Tree, reader: &mut Reader) -> Listener {
    match reader.text(tree, "`listener`") {
        Some("proxy") | None => Listener::Proxy,
        Some("api") => Listener::Api,
        Some(other) => {
            reader.refuse(
                tree.place,
                &format!("`listener` cannot be `{other}`"),
                "allowed are `proxy`, `api`",
            );
            Listener::Proxy
        }
    }
}

/// The headers of a request; several of a name are a list. No value is repeated: it may be a credential.
fn headers(tree: &Tree, reader: &mut Reader) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (key, place, value) in reader.map(tree, "`headers`").unwrap_or_default() {
        let Some(name) = header_name(key, place, reader) else {
            continue;
        };
        if name == http::header::HOST {
            reader.refuse(
                place,
                "`headers` has `Host`",
                "write the host into the URL of `request`, where the browser has it",
            );
        }
        let values = match &value.content {
            Content::List(items) => items.as_slice(),
            _ => std::slice::from_ref(value),
        };
        for value in values {
            append(&mut headers, &name, value, value.place, reader);
        }
    }
    headers
}

fn append(
    headers: &mut HeaderMap,
    name: &HeaderName,
    value: &Tree,
    place: Place,
    reader: &mut Reader,
) {
    let what = format!("`headers.{name}`");
    let Some(text) = reader.text(value, &what) else {
        return;
    };
    match HeaderValue::from_str(text) {
        Ok(value) => {
            headers.append(name, value);
        }
        Err(_) => reader.refuse(
            place,
            &format!("{what} has a character that no header can have"),
            "a header is one line of printable ASCII",
        ),
    }
}

/// The name of a test without one. A query may have a credential in it.
fn unnamed(method: &str, url: &str) -> String {
    let url = match url.split_once('?') {
        Some((url, _)) => format!("{url}?…"),
        None => url.to_owned(),
    };
    printable(&format!("{method} {url}"))
}
